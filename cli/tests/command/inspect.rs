//! `qtensor inspect`: what it says of files, in a table and as JSON.

use crate::message::{Message, record};
use crate::run::{Folder, data, floats, model, network};
use caffe2_qtensor::QTensor;

#[test]
fn floats_have_a_range_and_a_histogram() {
    let folder = Folder::new();
    let report = folder.json(&["inspect", &model(), "--json"]);
    assert_eq!(report["format"], "minidb");
    let tensors = report["tensors"].as_array().unwrap();
    let names: Vec<_> = tensors.iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["fc1_w", "fc1_b", "fc2_w", "fc2_b", "fc3_w", "fc3_b"]);
    let values = floats(&data("digits/digits_mlp.minidb"), "fc1_w");
    let first = &tensors[0];
    assert_eq!(first["dims"], serde_json::json!([128, 64]));
    assert_eq!((&first["type"], &first["element_type"]), (&"Tensor".into(), &"float".into()));
    let (min, max) = (first["min"].as_f64().unwrap(), first["max"].as_f64().unwrap());
    assert_eq!(min, values.iter().fold(f64::MAX, |least, value| least.min(f64::from(*value))));
    assert_eq!(max, values.iter().fold(f64::MIN, |most, value| most.max(f64::from(*value))));
    // Each bin holds the values between its edges.
    let bins: Vec<u64> =
        first["histogram"].as_array().unwrap().iter().map(|bin| bin.as_u64().unwrap()).collect();
    assert_eq!((bins.len(), bins.iter().sum::<u64>()), (16, 128 * 64));
    let middle = min + (max - min) / 2.0;
    let below = values.iter().filter(|value| f64::from(**value) < middle).count() as u64;
    assert!(bins[..8].iter().sum::<u64>().abs_diff(below) <= 1);
}

#[test]
fn quantized_tensors_have_parameters_and_sizes() {
    let folder = Folder::new();
    folder.done(&["quantize", &model(), "-o", "m", "-p", "3", "-q", "--per-channel", "0"]);
    let report = folder.json(&["inspect", "m", "--json", "--only", "fc3_w"]);
    let it = &report["tensors"][0];
    let tensor = crate::run::quantized(&folder.path("m"), "fc3_w");
    assert_eq!((it["precision"].as_u64(), it["signed"].as_bool()), (Some(3), Some(false)));
    assert_eq!(it["channels"]["axis"], 0);
    for (index, scale) in tensor.channel_scales().iter().enumerate() {
        assert_eq!(it["channels"]["scales"][index].as_f64(), Some(*scale));
    }
    assert_eq!(it["plane_bytes"].as_u64(), Some(3 * 640 / 8));
    assert_eq!(it["float_bytes"].as_u64(), Some(640 * 4));
    let size = tensor.serialized_size(b"fc3_w").unwrap() as u64;
    assert_eq!(it["bytes"].as_u64(), Some(size));
    assert_eq!(report["tensors"].as_array().unwrap().len(), 1);
}

#[test]
fn the_table_has_a_line_for_each_tensor() {
    let folder = Folder::new();
    let table = folder.done(&["inspect", &network()]);
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 8);
    assert!(lines[0].starts_with("name"));
    for word in
        ["fc3_w_int8", "Int8GivenTensorFill", "[10, 64]", "-1.28 to 1.27", "████████████████"]
    {
        assert!(lines[7].contains(word), "{table}");
    }
    // In a pipe there is no color, unless it is asked for.
    assert!(!table.contains('\u{1b}'));
    assert!(folder.done(&["inspect", &model(), "--color", "always"]).contains("\u{1b}["));
    let never = folder.command().args(["inspect", &model()]).env("NO_COLOR", "1").output();
    assert!(!never.unwrap().stdout.contains(&0x1b));
}

#[test]
fn what_is_not_finite_is_counted() {
    let folder = Folder::new();
    let values = vec![f32::NAN, 1.0, -3.0, f32::INFINITY, f32::NEG_INFINITY, 0.0];
    folder.database("in", &[(b"w", &[6], values), (b"n", &[1], vec![f32::NAN])]);
    let report = folder.json(&["inspect", "in", "--json"]);
    let (some, none) = (&report["tensors"][0], &report["tensors"][1]);
    assert_eq!((some["nan"].as_u64(), some["infinite"].as_u64()), (Some(1), Some(2)));
    assert_eq!((some["min"].as_f64(), some["max"].as_f64()), (Some(-3.0), Some(1.0)));
    assert_eq!((some["zeros"].as_u64(), some["count"].as_u64()), (Some(1), Some(6)));
    assert!(none["min"].is_null() && none["mean"].is_null());
    assert!(folder.done(&["inspect", "in"]).contains("-3 to 1 (3 not finite)"));
}

#[test]
fn a_damaged_tensor_does_not_hide_the_others() {
    let folder = Folder::new();
    let whole = QTensor::with_shape(&[3], 2, false).unwrap().to_blob(b"a").unwrap();
    let broken = Message::new().bytes(1, b"b").bytes(2, b"QTensor").0;
    let strings = Message::new().bytes(1, b"s").bytes(2, b"std::string").bytes(4, b"text").0;
    let file = [record(b"a", &whole), record(b"b", &broken), record(b"s", &strings)].concat();
    folder.file("in", &file);
    let ran = folder.run(&["inspect", "in", "--json"]);
    ran.check_refused("in: 1 of 3 tensors cannot be read");
    let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(report["tensors"][0]["precision"], 2);
    let message = report["tensors"][1]["error"].as_str().unwrap();
    assert!(message.contains("b: The BlobProto has no field 'qtensor'"), "{message}");
    assert_eq!(report["tensors"][2]["type"], "std::string");
}
