//! The rounding of Caffe2's Int8Quantize: its own codes, and where it differs from the default.

use crate::golden::lines;
use crate::reference::{SATURATE, check, read};
use caffe2_qtensor::QTensor;
use caffe2_qtensor::kernels::quantize::{Fast, Rules, Step};
use caffe2_qtensor::quantize::{QuantizeOptions, Rounding};

const CAFFE2: QuantizeOptions = QuantizeOptions { rounding: Rounding::Caffe2, ..SATURATE };

fn file(name: &str) -> Vec<u8> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/").to_owned() + name;
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn tensor(size: usize, scale: f32, zero_point: i64) -> QTensor {
    let mut tensor = QTensor::with_shape(&[size as i64], 8, false).unwrap();
    tensor.set_scale(f64::from(scale));
    tensor.set_bias(-zero_point as f64);
    tensor
}

fn takes_the_fast_path(scale: f32, zero_point: i64) -> bool {
    let rules = Rules { rounding: Rounding::Caffe2, seed: 0, precision: 8, signed: false };
    Fast::new(&Step { scale: f64::from(scale), bias: -zero_point as f64 }, &rules).is_some()
}

#[test]
fn codes_that_the_real_operator_wrote() {
    let lines = lines("int8_quantize.jsonl");
    assert_eq!(lines.len(), 10);
    for line in lines {
        let data = file(line["data"].as_str().unwrap());
        let values: Vec<f32> =
            data.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        let expected = file(line["expected"].as_str().unwrap());
        let bits = u32::from_str_radix(line["scale_bits"].as_str().unwrap(), 16).unwrap();
        let (scale, zero_point) = (f32::from_bits(bits), line["zero_point"].as_i64().unwrap());
        assert!(takes_the_fast_path(scale, zero_point));
        let mut tensor = tensor(values.len(), scale, zero_point);
        check(&mut tensor, &values, &CAFFE2);
        let mut codes = vec![0_u8; values.len()];
        tensor.read_codes(&mut codes).unwrap();
        assert!(codes == expected, "{line}");
        // A scale is single precision to Caffe2, whatever the tensor holds beyond it.
        let beyond = f64::from(scale) * (1.0 + 2_f64.powi(-26));
        assert!(beyond as f32 == scale && beyond != f64::from(scale));
        tensor.set_scale(beyond);
        tensor.quantize(&values, &CAFFE2).unwrap();
        tensor.read_codes(&mut codes).unwrap();
        assert!(codes == expected, "{line}");
    }
}

/// The codes by both roundings.
fn both(values: &[f32], scale: f32, zero_point: i64) -> (Vec<i64>, Vec<i64>) {
    assert!(takes_the_fast_path(scale, zero_point));
    let mut tensor = tensor(values.len(), scale, zero_point);
    check(&mut tensor, values, &CAFFE2);
    let caffe2 = read(&tensor);
    check(&mut tensor, values, &SATURATE);
    (caffe2, read(&tensor))
}

/// The quotient is rounded to even, and then an odd zero point is added: never the even code.
#[test]
fn ties_with_odd_and_even_zero_points() {
    let values: Vec<f32> = (-40..40).map(|half| half as f32 * 0.5 * 0.25).collect();
    let ties = values.iter().filter(|value| (*value / 0.25).fract() != 0.0).count();
    let (caffe2, default) = both(&values, 0.25, 41);
    for ((value, caffe2), default) in values.iter().zip(&caffe2).zip(&default) {
        let quotient = value / 0.25;
        let is_tie = quotient.fract() != 0.0;
        assert_eq!(*caffe2, 41 + quotient.round_ties_even() as i64);
        assert_eq!(*default, (quotient + 41.0).round_ties_even() as i64);
        assert_eq!(caffe2 != default, is_tie, "{value}");
    }
    assert_eq!(ties, 40);
    let (caffe2, default) = both(&values, 0.25, 42);
    assert_eq!(caffe2, default);
}

/// A single-precision quotient is exactly between two codes where the true one is beside it.
#[test]
fn ties_that_only_single_precision_sees() {
    let (mut up, mut down) = (0, 0);
    for scale in [0.030_127_35_f32, 0.1, 0.007_843_138, 1.7] {
        let (mut values, mut expected) = (Vec::new(), Vec::new());
        for below in 0..200_i64 {
            let tie = below as f32 + 0.5;
            let bits = (tie * scale).to_bits();
            for value in (bits - 3..=bits + 3).map(f32::from_bits) {
                let exact = f64::from(value) / f64::from(scale);
                if value / scale != tie || exact == f64::from(tie) {
                    continue;
                }
                let (to_even, to_nearest) =
                    (below + below % 2, below + i64::from(exact > f64::from(tie)));
                up += usize::from(to_even > to_nearest);
                down += usize::from(to_even < to_nearest);
                values.push(value);
                expected.push((to_even, to_nearest));
            }
        }
        let (caffe2, default) = both(&values, scale, 0);
        let found: Vec<_> = caffe2.into_iter().zip(default).collect();
        assert_eq!(found, expected, "scale {scale}");
    }
    assert!(up > 20 && down > 20, "both directions were met: {up} and {down}");
}

/// The other roundings' ties, from which the code depends on the sign of the position.
#[test]
fn ties_of_the_other_roundings() {
    let values = [-2.5_f32, -1.5, -0.5, 0.5, 1.5, 2.5];
    for (rounding, expected) in [
        (Rounding::NearestEven, [-2, -2, 0, 0, 2, 2]),
        (Rounding::NearestAway, [-3, -2, -1, 1, 2, 3]),
        (Rounding::Floor, [-3, -2, -1, 0, 1, 2]),
        (Rounding::Ceil, [-2, -1, 0, 1, 2, 3]),
        (Rounding::TowardZero, [-2, -1, 0, 0, 1, 2]),
        (Rounding::Caffe2, [-2, -2, 0, 0, 2, 2]),
    ] {
        for precision in [2, 7, 8, 9] {
            let mut tensor = QTensor::with_shape(&[6], precision, true).unwrap();
            check(&mut tensor, &values, &QuantizeOptions { rounding, ..SATURATE });
            assert_eq!(read(&tensor), expected, "{rounding:?}");
        }
    }
}
