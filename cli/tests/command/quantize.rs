//! `qtensor quantize`: what becomes quantized and how, checked against the library.

use crate::run::{Folder, blobs, data, floats, model, network, quantized, values};
use caffe2_qtensor::calibrate::{Method, Target, Zero};
use caffe2_qtensor::minidb::Value;
use caffe2_qtensor::{ElementType, QTensor};
use std::fs;

#[test]
fn weights_are_quantized_and_biases_are_copied() {
    let folder = Folder::new();
    let report = folder.json(&["quantize", &model(), "-o", "m4", "-p", "4", "--json"]);
    let (original, result) = (data("digits/digits_mlp.minidb"), folder.path("m4"));
    let target = Target { precision: 4, ..Target::default() };
    for (name, dims) in [("fc1_w", [128, 64]), ("fc2_w", [64, 128]), ("fc3_w", [10, 64])] {
        let expected =
            QTensor::quantize_best(&floats(&original, name), &dims, None, Method::Mse, &target);
        let (expected, found) = (expected.unwrap(), quantized(&result, name));
        assert_eq!(found.data(), expected.data(), "{name}");
        assert_eq!((found.scale(), found.bias()), (expected.scale(), expected.bias()));
        assert_eq!(found.dims(), dims);
    }
    for name in ["fc1_b", "fc2_b", "fc3_b"] {
        assert_eq!(floats(&result, name), floats(&original, name));
    }
    let tensors = report["tensors"].as_array().unwrap();
    let actions: Vec<_> = tensors.iter().map(|it| it["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["quantized", "copied", "quantized", "copied", "quantized", "copied"]);
    // What is said of bytes is what the files' messages take.
    let sizes = |path| -> Vec<u64> {
        let catalog = caffe2_qtensor::minidb::Catalog::open(path).unwrap();
        catalog.blobs().map(|blob| blob.bytes()).collect()
    };
    let said =
        |key: &str| -> Vec<u64> { tensors.iter().map(|it| it[key].as_u64().unwrap()).collect() };
    assert_eq!(said("bytes_before"), sizes(&original));
    assert_eq!(said("bytes_after"), sizes(&result));
    assert_eq!(report["bytes_after"].as_u64().unwrap(), sizes(&result).iter().sum::<u64>());
    assert_eq!(folder.names(), ["m4"]);
}

#[test]
fn a_network_gives_the_same_as_the_database_of_its_tensors() {
    let folder = Folder::new();
    folder.done(&["quantize", &model(), "-o", "a", "-p", "3", "-q"]);
    folder.done(&["quantize", &network(), "-o", "b", "-p", "3", "-q"]);
    let (a, b) = (folder.path("a"), folder.path("b"));
    for name in ["fc1_w", "fc2_w", "fc3_w"] {
        assert_eq!(quantized(&a, name).data(), quantized(&b, name).data());
    }
    // What Caffe2 made of the operator with bytes.
    let int8 = quantized(&data("digits/digits_int8.minidb"), "fc3_w_int8");
    let copied = quantized(&b, "fc3_w_int8");
    assert_eq!((copied.data(), copied.bias()), (int8.data(), int8.bias()));
    assert_eq!(copied.scale() as f32, int8.scale() as f32);
}

#[test]
fn channels_have_parameters_of_their_own() {
    let folder = Folder::new();
    for (axis, method, name) in
        [(0, Method::Mse, "mse"), (1, Method::MinMax, "min-max"), (0, Method::Mae, "mae")]
    {
        let axis_text = axis.to_string();
        let arguments =
            ["quantize", &model(), "-o", "c", "-p", "3", "--per-channel", &axis_text, "-qf"];
        folder.done(&[&arguments[..], &["--method", name]].concat());
        let original = floats(&data("digits/digits_mlp.minidb"), "fc1_w");
        let target = Target { precision: 3, ..Target::default() };
        let expected =
            QTensor::quantize_best(&original, &[128, 64], Some(axis), method, &target).unwrap();
        let found = quantized(&folder.path("c"), "fc1_w");
        assert_eq!(found.data(), expected.data(), "{name}");
        assert_eq!(found.channel_scales(), expected.channel_scales());
        assert_eq!(found.channel_biases(), expected.channel_biases());
        assert_eq!(found.params().unwrap(), expected.params().unwrap());
    }
    let arguments = ["quantize", &model(), "-o", "d", "-p", "3", "--per-channel", "2"];
    folder.refused(&arguments, "fc1_w: The channel axis is 2, outside the range 0 to 1");
}

#[test]
fn any_number_of_threads_gives_the_same_file() {
    let folder = Folder::new();
    // Two tensors that are worth several threads.
    let large = |name: &'static [u8]| (name, &[1024i64, 1024][..], values(1 << 20));
    folder.database("in", &[large(b"a"), large(b"b"), (b"c", &[3], vec![1.0, 2.0, 3.0])]);
    let mut files = Vec::new();
    for threads in ["1", "2", "3", "5", "0"] {
        folder.done(&["quantize", "in", "-o", "out", "-p", "5", "-qf", "--threads", threads]);
        files.push(fs::read(folder.path("out")).unwrap());
    }
    assert!(files.iter().all(|file| *file == files[0]));
}

#[test]
fn the_rule_of_what_is_left_alone() {
    let folder = Folder::new();
    folder.database(
        "in",
        &[
            (b"vector", &[1000], values(1000)),
            (b"small", &[5, 51], values(255)),
            (b"large", &[4, 64], values(256)),
            (b"empty", &[0, 7], vec![]),
        ],
    );
    let kinds = |name: &str| -> Vec<String> {
        let blobs = blobs(&folder.path(name));
        blobs.iter().map(|blob| String::from_utf8(blob.kind.clone()).unwrap()).collect()
    };
    folder.done(&["quantize", "in", "-o", "rule", "-p", "2", "-q"]);
    assert_eq!(kinds("rule"), ["Tensor", "Tensor", "QTensor", "Tensor"]);
    folder.done(&["quantize", "in", "-o", "min", "-p", "2", "-q", "--min-size", "255"]);
    assert_eq!(kinds("min"), ["Tensor", "QTensor", "QTensor", "Tensor"]);
    folder.done(&["quantize", "in", "-o", "all", "-p", "2", "-q", "--all"]);
    assert_eq!(kinds("all"), ["QTensor", "QTensor", "QTensor", "QTensor"]);
    let chosen = ["quantize", "in", "-o", "some", "-p", "2", "-q", "--all"];
    folder.done(&[&chosen[..], &["--only", "*l*", "--skip", "sm?ll"]].concat());
    assert_eq!(kinds("some"), ["Tensor", "Tensor", "QTensor", "Tensor"]);
    folder.refused(
        &[&chosen[..], &["-f", "--only", "lrage"]].concat(),
        "No tensor has a name that matches 'lrage' of --only.",
    );
    // Records that are copied are the same, byte for byte.
    let (before, after) = (fs::read(folder.path("in")).unwrap(), folder.path("rule"));
    assert!(fs::read(after).unwrap().starts_with(&before[..4000]));
}

#[test]
fn int8_tensors_are_what_caffe2_takes() {
    let folder = Folder::new();
    folder.done(&["quantize", &model(), "-o", "i", "--int8", "-q"]);
    let original = floats(&data("digits/digits_mlp.minidb"), "fc2_w");
    for blob in blobs(&folder.path("i")) {
        if !blob.name.ends_with(b"_w") {
            continue;
        }
        assert_eq!(blob.kind, b"Int8TensorCPU");
        let Value::Quantized(tensor) = blob.value else { panic!("not quantized") };
        // Caffe2 keeps the scale in single precision, and the zero point is one of the codes.
        assert_eq!(f64::from(tensor.scale() as f32), tensor.scale());
        assert!((0.0..=255.0).contains(&-tensor.bias()) && tensor.bias().fract() == 0.0);
        if blob.name == b"fc2_w" {
            let target = Target { zero: Zero::Exact, ..Target::default() };
            let best =
                QTensor::quantize_best(&original, &[64, 128], None, Method::Mse, &target).unwrap();
            assert_eq!(tensor.bias(), best.bias());
            assert_eq!(tensor.scale(), f64::from(best.scale() as f32));
        }
    }
}

#[test]
fn doubles_and_halves_become_floats_first() {
    let folder = Folder::new();
    let values = values(400);
    let doubles: Vec<f64> = values.iter().map(|value| f64::from(*value)).collect();
    let mut writer = caffe2_qtensor::minidb::Writer::create(&folder.path("in")).unwrap();
    for (name, elements) in [
        (&b"float"[..], caffe2_qtensor::Elements::Float(values)),
        (b"double", caffe2_qtensor::Elements::Double(doubles)),
        (b"int", caffe2_qtensor::Elements::Int32(vec![7; 400])),
    ] {
        let tensor = caffe2_qtensor::DenseTensor::new(&[20, 20], elements).unwrap();
        writer.append_dense(name, &tensor, 0).unwrap();
    }
    writer.commit().unwrap();
    folder.done(&["quantize", "in", "-o", "out", "-p", "4", "-q"]);
    let out = folder.path("out");
    assert_eq!(quantized(&out, "float").data(), quantized(&out, "double").data());
    let blobs = blobs(&out);
    let Value::Dense(kept) = &blobs[2].value else { panic!("integers were quantized") };
    assert_eq!(kept.elements().element_type(), ElementType::Int32);
}

#[test]
fn names_are_any_bytes() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let folder = Folder::new();
    folder.database(
        "in",
        &[(b"w\xff\x01", &[16, 16], values(256)), (b"\xc3\xa4", &[16, 16], values(256))],
    );
    let only = OsStr::from_bytes(b"--only=w\xff*");
    let mut arguments: Vec<&OsStr> =
        ["quantize", "in", "-p", "2", "--json", "-o"].iter().map(OsStr::new).collect();
    let out = OsStr::from_bytes(b"out\xfe");
    arguments.extend([out, only]);
    let report = folder.json(&arguments);
    assert_eq!(report["tensors"][0]["name"], "w\\xff\\x01");
    assert_eq!(report["tensors"][1]["name"], "ä");
    assert_eq!(report["output"], "out\\xfe");
    let blobs = blobs(&folder.path(out));
    assert_eq!((&*blobs[0].name, &*blobs[0].kind), (&b"w\xff\x01"[..], &b"QTensor"[..]));
    assert_eq!((&*blobs[1].name, &*blobs[1].kind), (&b"\xc3\xa4"[..], &b"Tensor"[..]));
}

#[test]
fn what_is_no_number_is_refused_unless_it_is_to_be_saturated() {
    let folder = Folder::new();
    let mut some = values(300);
    (some[7], some[9]) = (f32::NAN, f32::INFINITY);
    folder.database("in", &[(b"w", &[10, 30], some), (b"nan", &[20, 20], vec![f32::NAN; 400])]);
    let arguments = ["quantize", "in", "-o", "out", "-p", "4", "-q"];
    folder.refused(&arguments, "w: The value at index 7 is NaN, but it must be finite");
    folder.done(&[&arguments[..], &["--saturate"]].concat());
    let mut codes = [0u8; 300];
    quantized(&folder.path("out"), "w").read_codes(&mut codes).unwrap();
    assert_eq!((codes[7], codes[9]), (0, 15));
    quantized(&folder.path("out"), "nan").read_codes(&mut [0u8; 400]).unwrap();
}

#[test]
fn two_tensors_of_one_name_are_refused() {
    let folder = Folder::new();
    let blob = QTensor::with_shape(&[3], 2, false).unwrap().to_blob(b"w").unwrap();
    let record = crate::message::record(b"w", &blob);
    folder.file("in", &[record.clone(), record].concat());
    folder.refused(&["quantize", "in", "-o", "out", "-p", "4"], "two tensors have the name 'w'");
}

/// The largest floats stay finite as powers.
#[test]
fn logarithms_of_the_largest_floats() {
    let folder = Folder::new();
    let mut most = vec![0.5; 320];
    most[0] = 3e38;
    let all = [f32::MAX, -f32::MAX].repeat(160);
    folder.database("in", &[(b"most", &[16, 20], most), (b"all", &[16, 20], all)]);
    folder.done(&["quantize", "in", "-o", "out", "-p", "4", "-q", "--log"]);
    for name in ["most", "all"] {
        let mut found = vec![0.0f32; 320];
        quantized(&folder.path("out"), name).dequantize(&mut found, 1).unwrap();
        assert!(found.iter().all(|value| value.is_finite()), "{name}");
        assert!(found[0] > 2e38, "{name}: {}", found[0]);
    }
}
