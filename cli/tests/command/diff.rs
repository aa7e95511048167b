//! `qtensor diff`: its numbers are the library's, and what cannot be compared is said.

use crate::run::{Folder, data, floats, model, network, quantized, values};
use caffe2_qtensor::QTensor;
use caffe2_qtensor::measure::ErrorOptions;
use caffe2_qtensor::minidb::Writer;

#[test]
fn errors_are_the_library_s() {
    let folder = Folder::new();
    folder.done(&["quantize", &model(), "-o", "q", "-p", "3", "-q"]);
    let report = folder.json(&["diff", &model(), "q", "--json"]);
    let tensors = report["tensors"].as_array().unwrap();
    assert_eq!(tensors.len(), 6);
    for it in tensors {
        let (name, metrics) = (it["name"].as_str().unwrap(), &it["metrics"]);
        assert_eq!(it["result"], "compared");
        if name.ends_with("_b") {
            assert_eq!((&metrics["exact"], &metrics["sqnr"]), (&true.into(), &().into()));
            continue;
        }
        let reference = floats(&data("digits/digits_mlp.minidb"), name);
        let errors = quantized(&folder.path("q"), name);
        let errors = errors.errors(&reference, &ErrorOptions::default()).unwrap();
        for (key, expected) in [
            ("sqnr", errors.sqnr()),
            ("rmse", errors.rmse()),
            ("mae", errors.mae()),
            ("max_error", errors.max_absolute()),
            ("cosine", errors.cosine()),
            ("effective_bits", errors.effective_bits()),
        ] {
            let found = metrics[key].as_f64().unwrap();
            assert!((found - expected).abs() <= 1e-12 * expected.abs(), "{name} {key}");
        }
        assert_eq!(metrics["saturated_low"].as_u64(), Some(errors.saturated_low()));
        assert_eq!(metrics["max_index"].as_u64(), errors.max_index());
    }
    assert_eq!(report["total"]["count"].as_u64(), Some(17226));
    let table = folder.done(&["diff", &model(), "q"]);
    assert_eq!(table.lines().count(), 8);
    assert!(table.lines().last().unwrap().starts_with("total"));
}

#[test]
fn limits_are_kept_or_not() {
    let folder = Folder::new();
    folder.done(&["quantize", &model(), "-o", "q", "-p", "4", "-q"]);
    folder.done(&["diff", &model(), "q", "--min-sqnr", "15", "--max-error", "0.5"]);
    let ran = folder.run(&["diff", &model(), "q", "--min-sqnr", "20"]);
    ran.check_refused("2 tensors are not as asked for: fc1_w and others");
    let ran = folder.run(&["diff", &model(), "q", "--max-error", "0.01", "--json"]);
    ran.check_refused("3 tensors");
    let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let holds = report["tensors"].as_array().unwrap().iter().map(|it| it["holds"] == true);
    assert_eq!(holds.collect::<Vec<_>>(), [false, true, false, true, false, true]);
}

#[test]
fn tensors_without_a_counterpart() {
    let folder = Folder::new();
    let ran = folder.run(&["diff", &network(), &model()]);
    ran.check_refused("a tensor is not as asked for: fc3_w_int8");
    assert!(ran.out.contains("only in A"));
    assert!(folder.run(&["diff", &model(), &network()]).out.contains("only in B"));
    folder.done(&["diff", &network(), &model(), "--ignore-missing"]);
    folder.done(&["diff", &network(), &model(), "--skip", "*int8"]);
    // A network's int8 tensor is what Caffe2 made of it, but for the float that its scale is.
    let int8 = data("digits/digits_int8.minidb");
    let arguments = ["diff", &network(), int8.to_str().unwrap(), "--ignore-missing"];
    folder.done(&[&arguments[..], &["--max-error", "1e-7"]].concat());
}

#[test]
fn shapes_and_types_that_differ() {
    let folder = Folder::new();
    let (test, train) = (data("digits/digits_test.minidb"), data("digits/digits_train.minidb"));
    let (test, train) = (test.to_str().unwrap(), train.to_str().unwrap());
    let ran = folder.run(&["diff", test, train]);
    ran.check_refused("2 tensors are not as asked for");
    assert_eq!(ran.out.matches("other shape").count(), 2, "{}", ran.out);
    // Labels are integers: the same as themselves, and no floats.
    let table = folder.done(&["diff", test, test]);
    assert!(table.contains("same"), "{table}");
    folder.database("label", &[(b"label", &[719], values(719))]);
    let ran = folder.run(&["diff", test, "label", "--only", "label"]);
    assert!(ran.out.contains("other type"), "{}", ran.out);
    // Files of one tensor each are compared whatever it is called.
    folder.done(&["dequantize", &model(), "-o", "a.npy", "--npy", "fc1_w"]);
    folder.done(&["dequantize", &model(), "-o", "b.npy", "--npy", "fc1_w"]);
    folder.done(&["diff", "a.npy", "b.npy", "--max-error", "0"]);
    folder.refused(&["diff", "a.npy", "missing"], "missing: Cannot");
}

/// Which of two tensors of one name is meant is not known: neither is taken.
#[test]
fn a_name_twice_in_a_file() {
    let folder = Folder::new();
    for (file, names) in [("twice", &[b"w", b"v", b"w"][..]), ("once", &[b"w", b"v"])] {
        let mut writer = Writer::create(&folder.path(file)).unwrap();
        let tensor = QTensor::with_shape(&[2, 3], 4, false).unwrap();
        names.iter().for_each(|name| writer.append(*name, &tensor).unwrap());
        writer.commit().unwrap();
    }
    for (a, b) in [("twice", "once"), ("once", "twice"), ("twice", "twice")] {
        folder.refused(&["diff", a, b], "twice: two tensors have the name 'w'.");
        folder.done(&["diff", a, b, "--skip", "w"]);
    }
}

/// What is no number is as wrong as can be, unless it is so in both.
#[test]
fn numbers_against_none() {
    let folder = Folder::new();
    let mut broken = values(320);
    broken[5] = f32::NAN;
    broken[6] = f32::INFINITY;
    folder.database("a", &[(b"w", &[16, 20], values(320))]);
    folder.database("b", &[(b"w", &[16, 20], broken)]);
    let metrics = folder.json(&["diff", "a", "b", "--json"])["tensors"][0]["metrics"].clone();
    assert_eq!((&metrics["unlike"], &metrics["exact"]), (&2.into(), &false.into()));
    for limit in [["--min-sqnr", "-1000"], ["--max-error", "1e30"]] {
        folder
            .run(&[&["diff", "a", "b"][..], &limit].concat())
            .check_refused("not as asked for: w");
    }
    folder.done(&["diff", "b", "b", "--min-sqnr", "100", "--max-error", "0"]);
}

/// The answer is in the exit status, whoever reads the table.
#[test]
fn a_pipe_that_nobody_reads() {
    let folder = Folder::new();
    folder.done(&["quantize", &model(), "-o", "q", "-p", "4", "-q"]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = folder.command();
    command.args(["diff", &model(), "q", "--min-sqnr", "90"]);
    assert_eq!(command.stdout(writer).status().unwrap().code(), Some(1));
}
