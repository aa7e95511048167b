//! Scale and zero point as the real Caffe2 chose them, and what it should not have chosen.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "a test stops at the first thing that is not as it should be"
)]

#[path = "support/golden.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod golden;

use caffe2_qtensor::quantize::{
    ChooseOptions, Chooser, Chosen, bias_of_zero_point, choose_quantization_params,
    conv1d_argument, zero_point_of_bias,
};
use caffe2_qtensor::{Error, ErrorKind, QTensor, Result};
use golden::{double, lines};
use serde_json::Value;

fn single(value: &Value) -> f32 {
    f32::from_bits(u32::from_str_radix(value.as_str().unwrap(), 16).unwrap())
}

fn integer(value: &Value) -> i32 {
    value.as_i64().unwrap() as i32
}

/// A line's range, what was asked for, and what came back unless it threw.
fn golden_choices() -> Vec<(f32, f32, ChooseOptions, Option<Chosen>)> {
    let flag = |value: &Value| value.as_bool().unwrap();
    let choice = |line: &Value| {
        let options = ChooseOptions {
            qmin: integer(&line["qmin"]),
            qmax: integer(&line["qmax"]),
            preserve_sparsity: flag(&line["preserve_sparsity"]),
            force_scale_power_of_two: flag(&line["force_scale_power_of_two"]),
            reduce_range: flag(&line["reduce_range"]),
            ..ChooseOptions::default()
        };
        let chosen =
            Chosen { scale: double(&line["scale_bits"]), zero_point: integer(&line["zero_point"]) };
        let chosen = (!flag(&line["threw"])).then_some(chosen);
        (single(&line["min_bits"]), single(&line["max_bits"]), options, chosen)
    };
    lines("choose_quantization_params.jsonl").iter().map(choice).collect()
}

#[test]
fn as_quant_utils_chose() {
    let mut refused = 0;
    for (min, max, options, expected) in golden_choices() {
        let chosen = choose_quantization_params(min, max, &options);
        let Some(expected) = expected else {
            let error = chosen.unwrap_err();
            let said = error.to_string();
            let reduced = if options.reduce_range { 2 } else { 1 };
            if min > max {
                assert_eq!(error.kind(), ErrorKind::InvalidArgument);
                assert!(said.contains(&format!("minimum is {:?}", f64::from(min))), "{said}");
                assert!(said.contains(&format!("which is {:?}.", f64::from(max))), "{said}");
            } else if options.qmin / reduced >= options.qmax / reduced {
                assert_eq!(error.kind(), ErrorKind::OutOfRange);
                assert!(said.contains("halved qmin is 0, outside"), "{said}");
            } else {
                assert_eq!(error.kind(), ErrorKind::OutOfRange);
                assert!(said.contains("sparsity"), "{said}");
            }
            refused += 1;
            continue;
        };
        let chosen = chosen.unwrap();
        assert_eq!(chosen.scale.to_bits(), expected.scale.to_bits(), "{min} {max} {options:?}");
        assert_eq!(chosen.zero_point, expected.zero_point, "{min} {max} {options:?}");
    }
    assert_eq!(refused, 155);
}

/// Little-endian floats.
fn floats(name: &str) -> Vec<f32> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/").to_owned() + name;
    let bytes = std::fs::read(path).unwrap();
    bytes.chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().unwrap())).collect()
}

#[test]
fn as_dnnlowp_chose() {
    let mut seen = 0;
    for line in lines("calibration.jsonl") {
        if line["method"] != "MIN_MAX_QUANTIZATION" {
            continue;
        }
        let values = floats(line["data"].as_str().unwrap());
        let min = values.iter().copied().fold(f32::INFINITY, f32::min);
        let max = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let options = ChooseOptions {
            preserve_sparsity: line["preserve_sparsity"].as_bool().unwrap(),
            chooser: Chooser::Dnnlowp,
            ..ChooseOptions::default()
        };
        let chosen = choose_quantization_params(min, max, &options).unwrap();
        let scale = f64::from(single(&line["scale_bits"]));
        assert_eq!(chosen, Chosen { scale, zero_point: integer(&line["zero_point"]) }, "{line}");
        seen += 1;
    }
    assert_eq!(seen, 20);
}

/// What the operator Int8GenQuantParams returned for tensors of two values.
#[test]
fn as_dnnlowp_chose_for_two_values() {
    for line in lines("dnnlowp_min_max.jsonl") {
        let options = ChooseOptions {
            preserve_sparsity: line["preserve_sparsity"].as_bool().unwrap(),
            chooser: Chooser::Dnnlowp,
            ..ChooseOptions::default()
        };
        let (min, max) = (single(&line["min_bits"]), single(&line["max_bits"]));
        let chosen = choose_quantization_params(min, max, &options).unwrap();
        let scale = f64::from(single(&line["scale_bits"]));
        assert_eq!(chosen, Chosen { scale, zero_point: integer(&line["zero_point"]) }, "{line}");
    }
}

const EXTREMES: [f32; 23] = [
    0.0,
    -0.0,
    f32::from_bits(1),
    -f32::from_bits(1),
    1e-40,
    f32::MIN_POSITIVE,
    -f32::MIN_POSITIVE,
    2.938_736e-39,
    1e-30,
    -1e-6,
    0.1,
    1.0,
    -1.0,
    255.0,
    -16_777_217.0,
    1e30,
    f32::MAX,
    f32::MIN,
    f32::INFINITY,
    f32::NEG_INFINITY,
    f32::NAN,
    -f32::NAN,
    -4.2e9,
];

const CODES: [i32; 11] =
    [i32::MIN, i32::MIN + 1, -65_537, -128, -1, 0, 1, 2, 255, i32::MAX - 1, i32::MAX];

/// Every combination of extremes.
fn hostile(mut check: impl FnMut(f32, f32, &ChooseOptions, Result<Chosen>)) {
    for min in EXTREMES {
        for max in EXTREMES {
            for (qmin, qmax) in CODES.iter().flat_map(|q| CODES.map(|other| (*q, other))) {
                for flags in 0..32 {
                    let options = ChooseOptions {
                        qmin,
                        qmax,
                        preserve_sparsity: flags & 1 != 0,
                        force_scale_power_of_two: flags & 2 != 0,
                        reduce_range: flags & 4 != 0,
                        chooser: [Chooser::QuantUtils, Chooser::Dnnlowp][flags >> 3 & 1],
                        mend_defects: flags & 16 != 0,
                    };
                    let chosen = choose_quantization_params(min, max, &options);
                    check(min, max, &options, chosen);
                }
            }
        }
    }
}

#[test]
fn extremes_give_a_result_or_an_error() {
    let (mut worked, mut refused) = (0, 0);
    hostile(|min, max, options, chosen| {
        let half = if options.reduce_range { 2 } else { 1 };
        let (qmin, qmax) = (options.qmin / half, options.qmax / half);
        let Chosen { scale, zero_point } = match chosen {
            Ok(chosen) => chosen,
            Err(error) => {
                let legal = min.is_finite() && max.is_finite() && min <= max && qmin < qmax;
                let two_codes = options.preserve_sparsity
                    && min < 0.0
                    && max > 0.0
                    && i64::from(qmax) - i64::from(qmin) == 1;
                let too_large = options.mend_defects && error.kind() == ErrorKind::NonFinite;
                assert!(!legal || two_codes || too_large, "{min} {max} {options:?} {error}");
                refused += 1;
                return;
            }
        };
        worked += 1;
        assert!(min <= max && min.is_finite() && max.is_finite() && qmin < qmax);
        assert!((qmin..=qmax).contains(&zero_point), "{min} {max} {options:?} {zero_point}");
        assert!(!scale.is_nan());
        if options.chooser == Chooser::Dnnlowp {
            assert_eq!(f64::from(scale as f32), scale);
        }
        if options.mend_defects {
            assert!(scale > 0.0 && scale.is_finite(), "{min} {max} {options:?} {scale}");
        }
    });
    assert!(worked > 300_000 && refused > 500_000, "{worked} {refused}");
}

/// Without the power of two, mending changes nothing but what was infinite; with it, the scale is
/// the smallest power of two that is not less than the one that was rounded up.
#[test]
fn mended_powers_of_two() {
    let mut mended = 0;
    let mut check = |min: f32, max: f32, options: &ChooseOptions, chosen: Result<Chosen>| {
        let plain =
            ChooseOptions { force_scale_power_of_two: false, mend_defects: false, ..*options };
        let plain = choose_quantization_params(min, max, &plain);
        if !options.mend_defects {
            return;
        }
        let Ok(plain) = plain else {
            assert_eq!(chosen.unwrap_err().to_string(), plain.unwrap_err().to_string());
            return;
        };
        let Ok(chosen) = chosen else {
            let float = options.chooser == Chooser::Dnnlowp;
            let largest = if float { 2f64.powi(127) } else { f64::MAX };
            assert!(plain.scale > largest || plain.scale.is_infinite());
            return;
        };
        if !options.force_scale_power_of_two {
            assert_eq!(chosen, plain);
            return;
        }
        let exponent = (-200..200).find(|e| 2f64.powi(*e) >= plain.scale).unwrap();
        assert_eq!(chosen.scale, 2f64.powi(exponent), "{min} {max} {options:?}");
        let parity = ChooseOptions { mend_defects: false, ..*options };
        let parity = choose_quantization_params(min, max, &parity).unwrap();
        // Between these, and off the powers themselves, Caffe2's shift was right.
        if (-30..=30).contains(&exponent) && chosen.scale != plain.scale {
            assert_eq!(chosen, parity, "{min} {max} {options:?}");
        }
        mended += i32::from(chosen != parity);
    };
    hostile(&mut check);
    for (min, max, options, _) in golden_choices() {
        for force_scale_power_of_two in [false, true] {
            let options = ChooseOptions { mend_defects: true, force_scale_power_of_two, ..options };
            check(min, max, &options, choose_quantization_params(min, max, &options));
        }
    }
    assert!(mended > 1000, "{mended}");
}

/// The logarithm of 2^29 over that of 2 is a little more than 29, and 2^31 does not fit an int.
#[test]
fn powers_of_two_as_they_were() {
    let choose = |scale: f32, mend_defects| {
        let options = ChooseOptions {
            qmax: 1,
            force_scale_power_of_two: true,
            mend_defects,
            ..ChooseOptions::default()
        };
        choose_quantization_params(0.0, scale, &options).unwrap().scale
    };
    for exponent in -126..=127 {
        let scale = 2f32.powi(exponent);
        assert_eq!(choose(scale, true), f64::from(scale));
        if !(-30..=28).contains(&exponent) && exponent != 30 {
            continue;
        }
        let was = choose(scale, false);
        assert!(was == f64::from(scale) || was == 2.0 * f64::from(scale), "{exponent}: {was}");
    }
    assert_eq!(choose(2f32.powi(29), false), 2f64.powi(30));
    assert_eq!(choose(2f32.powi(31), false), 1.0);
    assert_eq!(choose(2f32.powi(-31), false), -(2f64.powi(-31)));
    assert_eq!(choose(1e38, false), -(2f64.powi(31)));
    assert_eq!(choose(1e38, true), 2f64.powi(127));
}

#[test]
fn refusals_say_why() {
    let options = ChooseOptions::default();
    let said = |min, max, options: &ChooseOptions| {
        let error = choose_quantization_params(min, max, options).unwrap_err();
        (error.kind(), error.to_string())
    };
    let (kind, text) = said(f32::NAN, 1.0, &options);
    assert_eq!(kind, ErrorKind::NonFinite);
    assert_eq!(text, "The minimum is NaN, but it must be finite.");
    let (kind, text) = said(0.0, f32::INFINITY, &options);
    assert_eq!(kind, ErrorKind::NonFinite);
    assert_eq!(text, "The maximum is inf, but it must be finite.");
    let (kind, text) = said(3.0, 2.5, &options);
    assert_eq!(kind, ErrorKind::InvalidArgument);
    assert_eq!(text, "The minimum is 3.0, but it must be at most the maximum, which is 2.5.");
    let (kind, text) = said(0.0, 1.0, &ChooseOptions { qmin: 255, ..options });
    assert_eq!(kind, ErrorKind::OutOfRange);
    assert_eq!(text, "The qmin is 255, outside the range -2147483648 to 254.");
    let sparse = ChooseOptions { qmax: 1, preserve_sparsity: true, ..options };
    let (kind, text) = said(-1.0, 1.0, &sparse);
    assert_eq!(kind, ErrorKind::OutOfRange);
    assert!(text.contains("sparsity") && text.contains("is 2"), "{text}");
    assert!(choose_quantization_params(0.0, 1.0, &sparse).is_ok());
    let wide = ChooseOptions { qmax: 3, mend_defects: true, ..sparse };
    let (kind, text) = said(-1.0, f32::MAX, &wide);
    assert_eq!(kind, ErrorKind::NonFinite);
    assert!(text.contains("scale"), "{text}");
    let wide = ChooseOptions { mend_defects: false, ..wide };
    assert_eq!(choose_quantization_params(-1.0, f32::MAX, &wide).unwrap().scale, f64::INFINITY);
}

#[test]
fn zero_points_and_biases() {
    for zero_point in [0, 1, -1, 128, 255, i32::MIN, i32::MAX] {
        let bias = bias_of_zero_point(zero_point);
        assert_eq!(bias, -f64::from(zero_point));
        assert_eq!(zero_point_of_bias(bias), Ok(zero_point));
        let mut tensor = QTensor::new();
        tensor.set_zero_point(zero_point);
        assert_eq!(
            (tensor.bias().to_bits(), tensor.zero_point()),
            (bias.to_bits(), Ok(zero_point))
        );
    }
    assert_eq!(bias_of_zero_point(0).to_bits(), 0);
    assert_eq!(zero_point_of_bias(-0.0), Ok(0));
    let refused = [
        0.5,
        -1e-300,
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        -2_147_483_648.0,
        2_147_483_649.0,
        1e300,
    ];
    for bias in refused {
        let error = zero_point_of_bias(bias).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OutOfRange);
        assert!(error.to_string().contains(&format!("bias is {bias:?}")), "{error}");
        let mut tensor = QTensor::new();
        tensor.set_bias(bias);
        assert!(matches!(tensor.zero_point(), Err(Error::NotAnInteger { .. })));
    }
}

#[test]
fn conv1d_arguments() {
    assert_eq!(conv1d_argument(&[7], 1), Ok([1, 7]));
    assert_eq!(conv1d_argument(&[7, 8], 0), Ok([0, 8]));
    assert_eq!(conv1d_argument(&[7, 8, 9], i64::MIN), Ok([i64::MIN, 8]));
    let error = conv1d_argument(&[], 1).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutOfRange);
    assert!(error.to_string().contains("is 0"), "{error}");
}
