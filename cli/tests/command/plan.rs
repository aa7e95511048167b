//! The options that decide about codes: each has the effect that its help names.

use crate::run::{Folder, data, floats, model, quantized, values};
use caffe2_qtensor::calibrate::{Caffe2Method, Caffe2Options, Method, Target, Zero, choose_caffe2};
use caffe2_qtensor::measure::ErrorOptions;
use caffe2_qtensor::quantize::{QuantizeOptions, Rounding, Scheme};
use caffe2_qtensor::{Params, QTensor};

const DIMS: [i64; 2] = [128, 64];

fn original() -> Vec<f32> {
    floats(&data("digits/digits_mlp.minidb"), "fc1_w")
}

/// The first weights as the command quantizes them with these options.
fn with(folder: &Folder, precision: &str, options: &[&str]) -> QTensor {
    let arguments = ["quantize", &model(), "-o", "out", "-qf", "-p", precision];
    folder.done(&[&arguments[..], options].concat());
    quantized(&folder.path("out"), "fc1_w")
}

fn check(found: &QTensor, expected: &QTensor, what: &str) {
    assert_eq!((found.scale(), found.bias()), (expected.scale(), expected.bias()), "{what}");
    assert_eq!(found.data(), expected.data(), "{what}");
    assert_eq!(found.is_signed(), expected.is_signed(), "{what}");
}

#[test]
fn the_library_s_methods_and_targets() {
    let folder = Folder::new();
    let plain = Target { precision: 4, ..Target::default() };
    let cases: [(&[&str], Method, Target); 11] = [
        (&[], Method::Mse, plain),
        (&["--method", "mae"], Method::Mae, plain),
        (&["--method", "min-max"], Method::MinMax, plain),
        (&["--method", "max-abs"], Method::MaxAbs, plain),
        (
            &["--method", "percentile", "--quantiles", "0.01", "0.98"],
            Method::Percentile(0.01, 0.98),
            plain,
        ),
        (&["--method", "fixed", "--range", "-0.5", "0.25"], Method::Fixed(-0.5, 0.25), plain),
        (&["--bias", "integer"], Method::Mse, Target { zero: Zero::Integer, ..plain }),
        (&["--bias", "exact"], Method::Mse, Target { zero: Zero::Exact, ..plain }),
        (&["--signed"], Method::Mse, Target { signed: true, ..plain }),
        (
            &["--signed=auto", "--symmetric", "--power-of-two"],
            Method::Mse,
            Target { signed: true, symmetric: true, power_of_two: true, ..plain },
        ),
        (&["--reduced"], Method::MinMax, Target { reduced: true, ..plain }),
    ];
    for (options, method, target) in cases {
        // A reduced range is seen best where nothing is searched.
        let more: &[&str] = if target.reduced { &["--method", "min-max"] } else { &[] };
        let found = with(&folder, "4", &[options, more].concat());
        let expected = QTensor::quantize_best(&original(), &DIMS, None, method, &target).unwrap();
        check(&found, &expected, &options.join(" "));
    }
}

#[test]
fn caffe2_s_methods() {
    let folder = Folder::new();
    for (name, method) in [
        ("caffe2-min-max", Caffe2Method::MinMax),
        ("caffe2-l1", Caffe2Method::L1),
        ("caffe2-l2", Caffe2Method::L2),
        ("caffe2-l2-approx", Caffe2Method::L2Approx),
        ("caffe2-kl", Caffe2Method::Kl),
        ("caffe2-p99", Caffe2Method::P99(0.98)),
    ] {
        let options = Caffe2Options { method, precision: 5, ..Caffe2Options::default() };
        let chosen = choose_caffe2(&original(), &options).unwrap();
        let mut expected = QTensor::with_shape(&DIMS, 5, false).unwrap();
        expected.set_scale(chosen.scale);
        expected.set_bias(-f64::from(chosen.zero_point));
        let rounding = QuantizeOptions { rounding: Rounding::Caffe2, ..Default::default() };
        expected.quantize(&original(), &rounding).unwrap();
        let share: &[&str] = if name == "caffe2-p99" { &["--share", "0.98"] } else { &[] };
        let options = [&["--method", name, "--rounding", "caffe2"], share].concat();
        check(&with(&folder, "5", &options), &expected, name);
    }
}

#[test]
fn roundings_and_seeds() {
    let folder = Folder::new();
    for (name, rounding) in [
        ("nearest", Rounding::NearestEven),
        ("away", Rounding::NearestAway),
        ("floor", Rounding::Floor),
        ("ceil", Rounding::Ceil),
        ("zero", Rounding::TowardZero),
        ("stochastic", Rounding::Stochastic),
    ] {
        let seed: &[&str] = if name == "stochastic" { &["--seed", "77"] } else { &[] };
        let found = with(&folder, "3", &[&["--rounding", name], seed].concat());
        let mut expected = QTensor::with_shape(&DIMS, 3, false).unwrap();
        expected.set_scale(found.scale());
        expected.set_bias(found.bias());
        let options = QuantizeOptions { rounding, seed: 77, ..QuantizeOptions::default() };
        expected.quantize(&original(), &options).unwrap();
        check(&found, &expected, name);
    }
}

#[test]
fn dorefa() {
    let folder = Folder::new();
    for (name, scheme) in
        [("--dorefa", Scheme::DorefaWeights), ("--dorefa=activations", Scheme::DorefaActivations)]
    {
        let mut expected = QTensor::with_shape(&DIMS, 2, false).unwrap();
        let options = QuantizeOptions { scheme, ..QuantizeOptions::default() };
        expected.quantize(&original(), &options).unwrap();
        check(&with(&folder, "2", &[name]), &expected, name);
    }
}

#[test]
fn powers_lose_least_with_the_step_that_is_taken() {
    let folder = Folder::new();
    let found = with(&folder, "4", &["--log"]);
    assert!(found.is_signed());
    let Params::Log { scale, bias } = found.params().unwrap() else { panic!("it is linear") };
    let error = |scale: f64, bias: f64| {
        let mut tensor = QTensor::with_shape(&DIMS, 4, true).unwrap();
        tensor.set_scale(scale);
        tensor.set_bias(bias);
        tensor.set_logarithmic(true).unwrap();
        tensor.quantize(&original(), &QuantizeOptions::default()).unwrap();
        tensor.errors(&original(), &ErrorOptions::default()).unwrap().sum_squared()
    };
    // The highest code stands for the power next to the largest magnitude.
    let largest = original().iter().fold(0.0_f32, |most, value| most.max(value.abs()));
    let exponent = f64::from(largest).log2();
    assert!((scale * (14.0 + bias) - exponent).abs() <= scale / 2.0);
    for power in 0..7 {
        let step = 0.5_f64.powi(power);
        assert!(error(scale, bias) <= error(step, (exponent / step).round() - 14.0));
    }
    assert!(!with(&folder, "4", &["--log", "--signed=never"]).is_signed());
}

#[test]
fn precisions_that_some_methods_serve() {
    let folder = Folder::new();
    assert_eq!(with(&folder, "16", &["--method", "min-max"]).precision(), 16);
    assert_eq!(with(&folder, "24", &["--dorefa"]).precision(), 24);
}

/// A power of two above the scale that would do reaches beyond the largest float. What is chosen by
/// the values does not; by a range that was given it may.
#[test]
fn no_finite_value_becomes_infinite() {
    let folder = Folder::new();
    let scaled = |most: f32| values(400).into_iter().map(|value| value * most).collect();
    folder.database("in", &[(b"w", &[20, 20], scaled(2e38))]);
    let options = ["-p", "1", "--power-of-two", "--signed"];
    for axis in [&[][..], &["--per-channel", "0"]] {
        let more = [&["quantize", "in", "-o", "out", "-q"], &options[..], axis].concat();
        let refused = [&more[..], &["--method", "fixed", "--range", "-3e38", "3e38"]].concat();
        folder.refused(&refused, "e38, but its code would stand for ");
        folder.done(&[&more[..], &["--method", "max-abs"]].concat());
        let tensor = quantized(&folder.path("out"), "w");
        let mut back = vec![0.0_f32; 400];
        tensor.dequantize(&mut back, 1).unwrap();
        assert!(back.iter().all(|value| value.is_finite()));
        std::fs::remove_file(folder.path("out")).unwrap();
    }
    // An infinite value has the outermost code, whatever that stands for.
    let mut infinite = values(400);
    infinite[7] = f32::INFINITY;
    folder.database("infinite", &[(b"w", &[20, 20], infinite)]);
    let saturated =
        ["quantize", "infinite", "-o", "out", "-q", "--saturate", "--method", "max-abs"];
    folder.done(&[&saturated[..], &options[..]].concat());
}
