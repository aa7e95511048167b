//! `qtensor sweep`: its numbers are what the library does with the same values, its totals are their
//! sums, and its advice follows the rule that its help states.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a test stops at the first thing that is not as it should be"
)]

mod sweep_files;

use caffe2_qtensor::QTensor;
use caffe2_qtensor::calibrate::{Method, Target};
use serde_json::Value;
use std::path::Path;
use sweep_files::{DIGITS, folder, normal, refused, sweep, swept, write};

fn array(value: &Value) -> &Vec<Value> {
    value.as_array().unwrap()
}

/// The element of a list whose fields have these values.
fn find<'a>(list: &'a Value, precision: u64, method: &str) -> &'a Value {
    let is_it = |it: &&Value| it["precision"] == precision && it["method"] == method;
    array(list).iter().find(is_it).unwrap()
}

fn ratio(value: &Value) -> f64 {
    match value["exact"].as_bool().unwrap() {
        true => f64::INFINITY,
        false => value["sqnr"].as_f64().unwrap(),
    }
}

#[test]
fn numbers_are_those_of_the_library() {
    let input = folder("sweep-numbers").join("w.minidb");
    let values = normal(1024, 7);
    write(&input, &[(b"w", &[32, 32], values.clone())]);
    let methods = [
        ("min-max", Method::MinMax),
        ("max-abs", Method::MaxAbs),
        ("percentile", Method::Percentile(0.001, 0.999)),
        ("mse", Method::Mse),
        ("mae", Method::Mae),
    ];
    for (axis, arguments) in [(None, &[][..]), (Some(1), &["--per-channel", "1"][..])] {
        let all = ["--methods", "min-max,max-abs,percentile,mse,mae", "--precisions", "1,4,8"];
        let found = swept(&input, &[&all, arguments].concat());
        for precision in [1, 4, 8] {
            for (name, method) in methods {
                let target = Target { precision, ..Target::default() };
                let tensor =
                    QTensor::quantize_best(&values, &[32, 32], axis, method, &target).unwrap();
                let mut back = vec![0.0_f32; values.len()];
                tensor.dequantize(&mut back, 1).unwrap();
                let errors =
                    || back.iter().zip(&values).map(|(y, x)| f64::from(*y) - f64::from(*x));
                let noise: f64 = errors().map(|error| error * error).sum();
                let power: f64 = values.iter().map(|x| f64::from(*x).powi(2)).sum();

                let trial = find(&found["tensors"][0]["trials"], u64::from(precision), name);
                let near = |field: &str, expected: f64| {
                    let value = trial[field].as_f64().unwrap();
                    assert!(
                        (value - expected).abs() <= 1e-9 * expected.abs(),
                        "{name} at {precision}: {field} is {value}, and not {expected}"
                    );
                };
                near("sqnr", 10.0 * (power / noise).log10());
                near("mse", noise / 1024.0);
                near("max_error", errors().fold(0.0, |most, error| error.abs().max(most)));
                let wire = tensor.serialized_size(b"w").unwrap();
                assert_eq!(trial["wire_bytes"], wire);
                assert_eq!(trial["planes_bytes"], tensor.nbytes());
                for histogram in ["code_histogram", "error_histogram"] {
                    let counts = array(&trial[histogram]["counts"]);
                    let counted: u64 = counts.iter().map(|count| count.as_u64().unwrap()).sum();
                    assert_eq!(counted, 1024, "{histogram}");
                    assert!(counts.len() <= 64);
                }
                let worst = &trial["channels"]["worst"][0];
                let along = axis.unwrap_or(0);
                let mut least = f64::INFINITY;
                for channel in 0..32 {
                    let own = |place: &usize| [place / 32, place % 32][along] == channel;
                    let places = || (0..1024).filter(own);
                    let sum = |of: &dyn Fn(usize) -> f64| places().map(of).sum::<f64>();
                    let power = sum(&|at| f64::from(values[at]).powi(2));
                    let noise = sum(&|at| (f64::from(back[at]) - f64::from(values[at])).powi(2));
                    least = least.min(10.0 * (power / noise).log10());
                }
                assert!((worst["sqnr"].as_f64().unwrap() - least).abs() < 1e-9);
            }
        }
    }
}

#[test]
fn totals_are_the_sums_and_the_front_is_what_nothing_beats() {
    let found = swept(Path::new(DIGITS), &["--methods", "min-max,percentile,mse,mae,log,dorefa"]);
    let totals = array(&found["totals"]);
    assert_eq!(totals.len(), 36);
    for total in totals {
        let (precision, method) = (total["precision"].as_u64().unwrap(), &total["method"]);
        let mut wire = 0;
        let mut least = f64::INFINITY;
        for tensor in array(&found["tensors"]) {
            if array(&tensor["trials"]).is_empty() {
                assert_eq!(tensor["left"], "rule");
                wire += tensor["float_wire_bytes"].as_u64().unwrap();
                continue;
            }
            let trial = find(&tensor["trials"], precision, method.as_str().unwrap());
            wire += trial["wire_bytes"].as_u64().unwrap();
            least = least.min(ratio(trial));
        }
        assert_eq!(total["wire_bytes"], wire);
        assert_eq!(total["worst_sqnr"], least);
        assert_eq!(total["tensors"], 3);
        let beats = |other: &Value| {
            let (smaller, better) = (other["wire_bytes"].as_u64().unwrap(), ratio(other));
            (smaller <= wire && better > ratio(total)) || (smaller < wire && better >= ratio(total))
        };
        assert_eq!(total["pareto"], !totals.iter().any(beats), "{total}");
    }
    let found = swept(Path::new(DIGITS), &["--methods", "log"]);
    let reasons = found["recommendation"]["reasons"].to_string();
    assert!(reasons.contains("Caffe2 refuses logarithmic tensors"), "{reasons}");
    let found = swept(Path::new(DIGITS), &["--methods", "log,mse"]);
    // A signed tensor has a plane more.
    let planes = |method| find(&found["totals"], 4, method)["planes_bytes"].as_u64().unwrap();
    assert_eq!(planes("log"), planes("mse") / 4 * 5);
}

#[test]
fn advice_keeps_what_is_wanted_at_every_threshold() {
    let mut last = 0;
    for wanted in [5.0, 15.0, 20.0, 25.0, 35.0, 40.0] {
        let threshold = wanted.to_string();
        let found = swept(Path::new(DIGITS), &["--min-sqnr", &threshold]);
        let advice = &found["recommendation"];
        assert_eq!(advice["quantize"], true);
        let mut wire = 0;
        for tensor in array(&found["tensors"]) {
            let own = &tensor["advice"];
            if own["quantize"] == false {
                assert_eq!(tensor["left"], "rule");
                wire += tensor["float_wire_bytes"].as_u64().unwrap();
                continue;
            }
            let method = own["method"].as_str().unwrap();
            let trial = find(&tensor["trials"], own["precision"].as_u64().unwrap(), method);
            assert!(ratio(trial) >= wanted);
            wire += trial["wire_bytes"].as_u64().unwrap();
            // What it does is the smallest that there is for it, or what the others do.
            let smallest = array(&tensor["trials"])
                .iter()
                .filter(|trial| ratio(trial) >= wanted)
                .map(|trial| trial["wire_bytes"].as_u64().unwrap())
                .min();
            let takes = trial["wire_bytes"].as_f64().unwrap();
            match own["exception"].as_bool().unwrap() {
                true => assert!(takes <= 1.02 * smallest.unwrap() as f64),
                false => {
                    assert_eq!(own["method"], advice["method"]);
                    assert_eq!(own["precision"], advice["precision"]);
                }
            }
        }
        assert_eq!(advice["wire_bytes"], wire);
        assert!(wire >= last, "more is kept, and takes no less");
        last = wire;
        let headline = advice["headline"].as_str().unwrap();
        assert!(headline.starts_with("Quantize 3 of 6 tensors"), "{headline}");
    }
    let found = swept(Path::new(DIGITS), &["--min-sqnr", "90"]);
    let advice = &found["recommendation"];
    assert_eq!(advice["headline"], "Do not quantize this file.");
    assert_eq!(advice["quantize"], false);
    assert_eq!(advice["wire_bytes"], found["float_wire_bytes"]);
    let reason = advice["reasons"][0].as_str().unwrap();
    assert!(reason.contains("8 bits by mse loses least"), "{reason}");
}

/// What each tensor is told, by name.
fn told<'a>(found: &'a Value, name: &str) -> (&'a Value, &'a str) {
    let tensor = array(&found["tensors"]).iter().find(|it| it["name"] == name).unwrap();
    (tensor, tensor["advice"]["reason"].as_str().unwrap())
}

#[test]
fn what_must_not_be_quantized_is_told_so_with_the_reason() {
    let input = folder("sweep-refrain").join("odd.minidb");
    let mut broken = normal(4096, 4);
    broken[17] = f32::NAN;
    broken[18] = f32::INFINITY;
    let tensors: [sweep_files::Floats; 4] = [
        (b"good", &[64, 128], normal(8192, 1)),
        (b"constant", &[64, 64], vec![0.25; 4096]),
        (b"broken", &[64, 64], broken),
        (b"bias", &[64], normal(64, 2)),
    ];
    write(&input, &tensors);
    let found = swept(&input, &["--precisions", "2,4", "--min-sqnr", "18"]);
    assert_eq!(found["recommendation"]["precision"], 4);
    assert_eq!(told(&found, "good").0["advice"]["quantize"], true);
    for (name, left, words) in [
        ("constant", "constant", "all its values are 0.250"),
        ("broken", "non_finite", "2 values NaN or infinite"),
        ("bias", "rule", ""),
    ] {
        let (tensor, reason) = told(&found, name);
        assert_eq!(tensor["left"], left);
        assert_eq!(array(&tensor["trials"]).len(), 0);
        assert_eq!(tensor["advice"]["quantize"], false);
        assert!(reason.contains(words), "{reason}");
    }
    // Tried, and found not to be worth it.
    let found = swept(&input, &["--precisions", "1", "--min-sqnr", "18"]);
    assert_eq!(found["recommendation"]["headline"], "Do not quantize this file.");
    let (tensor, reason) = told(&found, "good");
    assert_eq!(tensor["left"], Value::Null);
    assert!(reason.contains("it loses too much"), "{reason}");
    // Codes of ones alone: each byte of their planes takes two on the wire, and sixteen planes then as
    // much as the floats.
    let mut high = vec![1.0; 4096];
    high[0] = 0.0;
    write(&input, &[(b"high", &[64, 64], high)]);
    let found = swept(&input, &["--precisions", "16", "--methods", "min-max"]);
    let (tensor, reason) = told(&found, "high");
    assert!(reason.starts_with("nothing is gained"), "{reason}");
    assert_eq!(tensor["advice"]["quantize"], false);
    assert_eq!(found["recommendation"]["headline"], "Do not quantize this file.");
}

#[test]
fn methods_that_do_not_serve_a_tensor_leave_it_out() {
    let input = folder("sweep-refused").join("w.minidb");
    write(&input, &[(b"w", &[64, 64], normal(4096, 5))]);
    let all = ["--methods", "log,min-max,mse", "--precisions", "4,12", "--per-channel", "0"];
    let found = swept(&input, &all);
    let trials = &found["tensors"][0]["trials"];
    assert_eq!(find(trials, 4, "log")["refused"], "log: It has no channels");
    let reason = find(trials, 12, "mse")["refused"].as_str().unwrap();
    assert!(reason.contains("precision") && reason.contains("12"), "{reason}");
    assert!(find(trials, 12, "min-max")["sqnr"].as_f64().unwrap() > 60.0);
    let names: Vec<&str> =
        array(&found["totals"]).iter().map(|it| it["method"].as_str().unwrap()).collect();
    assert_eq!(names, ["min-max", "mse", "min-max"]);

    // An axis that no tensor has serves none; that is no failure, and the advice says it.
    let found = swept(&input, &["--per-channel", "5"]);
    assert_eq!(found["recommendation"]["quantize"], false);
    assert_eq!(array(&found["totals"]).len(), 0);
}

#[test]
fn quantize_does_what_the_sweep_says() {
    let folder = folder("sweep-quantize");
    let input = Path::new(DIGITS);
    let methods = ["--methods", "min-max,percentile,mse,log,dorefa,caffe2-l2-approx"];
    let found = swept(input, &methods);
    for (precision, method, option) in [
        ("4", "mse", &["--method", "mse"][..]),
        ("8", "min-max", &["--method", "min-max"]),
        ("6", "percentile", &["--method", "percentile"]),
        ("3", "log", &["--log"]),
        ("2", "dorefa", &["--dorefa"]),
        ("4", "caffe2-l2-approx", &["--method", "caffe2-l2-approx"]),
    ] {
        let output = folder.join(format!("{method}.minidb"));
        let mut command = sweep_files::qtensor();
        command.arg("quantize").arg(input).arg("-o").arg(&output).args(option);
        let done = command.args(["--precision", precision, "--json"]).output().unwrap();
        let done: Value = serde_json::from_slice(&done.stdout).unwrap();
        let mut reader = caffe2_qtensor::minidb::Reader::open(&output).unwrap();
        let mut wire = 0;
        while let Some(entry) = reader.next_entry().unwrap() {
            wire += entry.value_size();
        }
        let total = find(&found["totals"], precision.parse().unwrap(), method);
        assert_eq!(total["wire_bytes"], wire, "{precision} bits by {method}");
        for (tensor, done) in array(&found["tensors"]).iter().zip(array(&done["tensors"])) {
            assert_eq!(tensor["name"], done["name"]);
            assert_eq!(tensor["left"] == "rule", done["action"] == "copied");
        }
    }
}

#[test]
fn the_table_fits_the_terminal_and_says_what_json_does() {
    let wide = sweep(Path::new(DIGITS), &[]);
    assert!(wide.status.success());
    assert_eq!(wide.stderr, b"");
    let text = String::from_utf8(wide.stdout).unwrap();
    assert!(!text.contains('\u{1b}'), "no colors in a pipe");
    let found = swept(Path::new(DIGITS), &[]);
    let headline = found["recommendation"]["headline"].as_str().unwrap();
    assert!(text.contains(headline), "{text}");
    for reason in array(&found["recommendation"]["reasons"]) {
        assert!(text.contains(reason.as_str().unwrap()), "{text}");
    }
    for words in ["energy (model)", "energy (measured)", "unavailable", "dequantize", "front"] {
        assert!(text.contains(words), "{words} is missing in\n{text}");
    }
    for columns in [44, 80, 120] {
        let arguments = ["sweep", DIGITS, "--precisions", "2,8"];
        let mut command = sweep_files::qtensor();
        let output = command.args(arguments).env("COLUMNS", columns.to_string()).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        for line in text.lines() {
            assert!(line.chars().count() <= columns, "{columns} columns:\n{line}");
        }
        // All methods of all tensors are there all the same.
        for method in ["min-max", "percentile", "mse", "mae"] {
            assert!(text.matches(method).count() >= 4, "{method} in {columns} columns:\n{text}");
        }
    }
}

#[test]
fn usage_errors_are_not_failures_of_the_work() {
    for arguments in [
        &["--precisions", "0"][..],
        &["--precisions", "17"],
        &["--precisions", "x"],
        &["--methods", "best"],
        &["--min-sqnr", "loud"],
        &["--min-sqnr", "NaN"],
        &["--force"],
    ] {
        let output = sweep(Path::new(DIGITS), arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert_eq!(output.stdout, b"");
    }
    refused(&sweep(Path::new("/no/such/file"), &[]), "/no/such/file");
    let quantized = folder("sweep-nothing").join("q.minidb");
    let mut writer = caffe2_qtensor::minidb::Writer::create(&quantized).unwrap();
    writer.append(b"q", &QTensor::with_shape(&[3], 4, false).unwrap()).unwrap();
    writer.commit().unwrap();
    refused(&sweep(&quantized, &[]), "no tensor of floats");
    std::fs::write(&quantized, b"nothing of the kind").unwrap();
    assert_eq!(sweep(&quantized, &[]).status.code(), Some(1));
}
