//! The quantizers that are not linear in the value, each against its formula.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    reason = "a test that fails may panic, and its numbers are its own"
)]

use caffe2_qtensor::quantize::{
    Bfloat16, Counts, Half, NonFinite, QuantizeOptions, Rounding, Scheme, bfloat16_to_f32,
    f64_to_bfloat16, f64_to_half, half_to_f32,
};
use caffe2_qtensor::{Error, ErrorKind, QTensor};

const DEFAULT: QuantizeOptions = QuantizeOptions {
    scheme: Scheme::Parameters,
    rounding: Rounding::NearestEven,
    seed: 0,
    non_finite: NonFinite::Refuse,
    threads: 1,
};

fn values(count: usize, span: f64) -> Vec<f32> {
    let mut state = 0x1234_5678_9abc_def1_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    (0..count).map(|_| ((next() - 0.5) * span) as f32).collect()
}

fn codes(tensor: &QTensor) -> Vec<i64> {
    let mut codes = vec![0; tensor.size()];
    tensor.read_codes(&mut codes).unwrap();
    codes
}

fn logarithmic(size: i64, precision: u8, signed: bool, scale: f64, bias: f64) -> QTensor {
    let mut tensor = QTensor::with_shape(&[size], precision, signed).unwrap();
    tensor.set_scale(scale);
    tensor.set_bias(bias);
    tensor.set_logarithmic(true).unwrap();
    tensor
}

#[test]
fn powers_of_two_by_hand() {
    let mut tensor = logarithmic(9, 3, true, 1.0, -3.0);
    // Codes 1 to 7 stand for 2^-3 to 2^3.
    let given = [0.0_f32, 1.0, -1.0, 8.0, 100.0, 0.125, 1e-30, -0.26, -0.0];
    let counts = tensor.quantize_counting(&given, &DEFAULT).unwrap();
    assert_eq!(codes(&tensor), [0, 4, -4, 7, 7, 1, 1, -2, 0]);
    let expected =
        Counts { saturated_low: 1, saturated_high: 1, flushed_to_zero: 0, non_finite: 0 };
    assert_eq!(counts, expected);
    let mut back = [9.0_f64; 9];
    tensor.dequantize(&mut back, 1).unwrap();
    assert_eq!(back, [0.0, 1.0, -1.0, 8.0, 8.0, 0.125, 0.125, -0.25, 0.0]);
}

/// 3/4 of the way between two powers is beyond their middle in the logarithm, not in the value.
#[test]
fn the_middle_is_that_of_the_logarithm() {
    let mut tensor = logarithmic(3, 4, false, 1.0, 0.0);
    tensor.quantize(&[1.41_f32, 1.42, 2.9], &DEFAULT).unwrap();
    assert_eq!(codes(&tensor), [1, 2, 3]);
    // Exactly in the middle, at the square root of two in half steps: to the even one.
    let mut tensor = logarithmic(2, 4, false, 2.0, 0.0);
    tensor.quantize(&[2.0_f32, 8.0], &DEFAULT).unwrap();
    assert_eq!(codes(&tensor), [2, 2]);
    for (rounding, expected) in [
        (Rounding::Floor, [1, 2]),
        (Rounding::Ceil, [2, 3]),
        (Rounding::TowardZero, [1, 2]),
        (Rounding::NearestAway, [2, 3]),
    ] {
        tensor.quantize(&[2.0_f32, 8.0], &QuantizeOptions { rounding, ..DEFAULT }).unwrap();
        assert_eq!(codes(&tensor), expected, "{rounding:?}");
    }
}

#[test]
fn logarithmic_codes_follow_the_formula() {
    let given = values(10_001, 6.0);
    for (precision, signed, scale, bias) in [
        (1, true, 1.0, 0.0),
        (3, true, 0.5, -3.3),
        (4, false, 1.0, -9.0),
        (8, true, 0.05, -200.5),
        (12, true, 0.01, -3000.0),
        (32, false, 1e-8, -2e9),
    ] {
        let mut tensor = logarithmic(10_001, precision, signed, scale, bias);
        tensor.quantize(&given, &QuantizeOptions { threads: 3, ..DEFAULT }).unwrap();
        let highest = ((1_u64 << precision) - 1) as f64;
        let (mut back, found) = (vec![0.0_f64; given.len()], codes(&tensor));
        tensor.dequantize(&mut back, 2).unwrap();
        let mut halves = vec![Half(0); given.len()];
        tensor.dequantize(&mut halves, 1).unwrap();
        for ((value, code), (back, half)) in given.iter().zip(found).zip(back.iter().zip(halves)) {
            let value = f64::from(*value);
            let position = value.abs().log2() / scale - bias + 1.0;
            let magnitude = position.round_ties_even().clamp(1.0, highest) as i64;
            let expected = match () {
                () if value == 0.0 || (value < 0.0 && !signed) => 0,
                () if value < 0.0 => -magnitude,
                () => magnitude,
            };
            assert_eq!(code, expected, "{value} with precision {precision}");
            let power = (scale * ((code.unsigned_abs() as f64 - 1.0) + bias)).exp2();
            let expected = if code == 0 { 0.0 } else { power.copysign(code as f64) };
            assert_eq!(back.to_bits(), expected.to_bits(), "{code} with precision {precision}");
            assert_eq!(half.0, f64_to_half(expected));
        }
    }
}

#[test]
fn logarithmic_values_that_are_not_finite() {
    let bad = [1.0_f32, f32::NAN, f32::INFINITY, f32::NEG_INFINITY];
    let mut tensor = logarithmic(4, 3, true, 1.0, -3.0);
    tensor.write_codes(&[1_i64, 2, -3, 4]).unwrap();
    let error = tensor.quantize(&bad, &DEFAULT).unwrap_err();
    assert!(matches!(error, Error::NonFinite { index: 1, .. }), "{error}");
    assert_eq!(codes(&tensor), [1, 2, -3, 4]);
    let saturate = QuantizeOptions { non_finite: NonFinite::Saturate, ..DEFAULT };
    let counts = tensor.quantize_counting(&bad, &saturate).unwrap();
    assert_eq!((codes(&tensor), counts.non_finite), (vec![4, 0, 7, -7], 3));
    let mut tensor = logarithmic(4, 3, false, 1.0, -3.0);
    tensor.quantize(&bad, &saturate).unwrap();
    assert_eq!(codes(&tensor), [4, 0, 7, 0]);
}

#[test]
fn logarithmic_refusals() {
    for (scale, bias) in [(0.0, 0.0), (-1.0, 0.0), (f64::NAN, 0.0), (1e-310, 0.0), (1.0, f64::NAN)]
    {
        let mut tensor = logarithmic(1, 3, true, scale, bias);
        let error = tensor.quantize(&[1.0_f32], &DEFAULT).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
        assert!(tensor.data().is_none());
    }
    let mut tensor = logarithmic(1, 3, true, 1.0, 0.0);
    let caffe2 = QuantizeOptions { rounding: Rounding::Caffe2, ..DEFAULT };
    let error = tensor.quantize(&[1.0_f32], &caffe2).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    for scheme in [Scheme::DorefaActivations, Scheme::DorefaWeights] {
        let error =
            tensor.quantize(&[1.0_f32], &QuantizeOptions { scheme, ..DEFAULT }).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    }
    assert!(tensor.is_logarithmic() && tensor.data().is_none());
}

#[test]
fn dorefa_activations_follow_the_formula() {
    let given = values(20_003, 3.0);
    for precision in [1, 2, 4, 8, 13, 32] {
        let n = ((1_u64 << precision) - 1) as f64;
        let mut tensor = QTensor::with_shape(&[20_003], precision, false).unwrap();
        tensor.set_channels(0, &vec![1.0; 20_003], &vec![0.0; 20_003]).unwrap();
        let options = QuantizeOptions { scheme: Scheme::DorefaActivations, threads: 2, ..DEFAULT };
        let counts = tensor.quantize_counting(&given, &options).unwrap();
        assert_eq!((tensor.scale(), tensor.bias()), (1.0 / n, 0.0));
        assert!(!tensor.is_multiparam());
        let mut back = vec![0.0_f64; given.len()];
        tensor.dequantize(&mut back, 1).unwrap();
        let mut low = 0;
        for ((value, code), back) in given.iter().zip(codes(&tensor)).zip(back) {
            let clipped = f64::from(*value).clamp(0.0, 1.0);
            let rounded = (n * clipped).round_ties_even();
            assert_eq!(code as f64, rounded, "{value} with precision {precision}");
            assert!((back - rounded / n).abs() <= 1e-15);
            low += u64::from((n * f64::from(*value)).round_ties_even() < 0.0);
        }
        assert_eq!(counts.saturated_low, low);
    }
}

#[test]
fn dorefa_weights_follow_the_formula() {
    let given = values(9_001, 4.0);
    let doubles: Vec<f64> = given.iter().map(|value| f64::from(*value)).collect();
    let largest = doubles.iter().map(|value| value.tanh().abs()).fold(0.0, f64::max);
    for precision in [1, 2, 4, 8, 16] {
        let n = ((1_u64 << precision) - 1) as f64;
        let mut tensor = QTensor::with_shape(&[9_001], precision, false).unwrap();
        let options = QuantizeOptions { scheme: Scheme::DorefaWeights, ..DEFAULT };
        tensor.quantize(&given, &options).unwrap();
        assert_eq!((tensor.scale(), tensor.bias()), (2.0 / n, -n / 2.0));
        let mut back = vec![0.0_f64; given.len()];
        tensor.dequantize(&mut back, 1).unwrap();
        let found = codes(&tensor);
        for ((value, code), back) in doubles.iter().zip(&found).zip(back) {
            let q = (n * (value.tanh() / (2.0 * largest) + 0.5)).round_ties_even();
            assert_eq!(*code as f64, q, "{value} with precision {precision}");
            assert!((back - (2.0 * q / n - 1.0)).abs() <= 1e-15);
        }
        // The weight farthest from 0 is at an end.
        assert!(found.iter().any(|code| *code == 0 || *code as f64 == n));
        let mut wide = QTensor::with_shape(&[9_001], precision, false).unwrap();
        wide.quantize(&doubles, &options).unwrap();
        assert_eq!(codes(&wide), found);
    }
}

#[test]
fn dorefa_corners() {
    let weights = QuantizeOptions { scheme: Scheme::DorefaWeights, ..DEFAULT };
    // All zero: the quotient counts as 0, the position is in the middle, and the even code is taken.
    let mut tensor = QTensor::with_shape(&[3], 2, false).unwrap();
    tensor.quantize(&[0.0_f32; 3], &weights).unwrap();
    assert_eq!(codes(&tensor), [2, 2, 2]);
    let saturate = QuantizeOptions { non_finite: NonFinite::Saturate, ..weights };
    tensor.quantize(&[f32::NAN, f32::INFINITY, -1.0], &saturate).unwrap();
    assert_eq!(codes(&tensor), [0, 3, 0]);
    tensor.set_scale(7.0);
    let error = tensor.quantize(&[1.0_f32, 1.0, f32::INFINITY], &weights).unwrap_err();
    assert!(matches!(error, Error::NonFinite { index: 2, .. }), "{error}");
    assert_eq!((codes(&tensor), tensor.scale()), (vec![0, 3, 0], 7.0));
    let mut signed = QTensor::with_shape(&[3], 2, true).unwrap();
    let error = signed.quantize(&[0.0_f32; 3], &weights).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    assert!(error.to_string().contains("sign"), "{error}");
}

/// Narrow inputs give the codes of the floats that they are, and outputs are rounded once.
#[test]
fn half_precision_and_bfloat16() {
    let bits: Vec<u16> = (0..=u16::MAX).collect();
    let halves: Vec<Half> = bits.iter().map(|bits| Half(*bits)).collect();
    let bfloats: Vec<Bfloat16> = bits.iter().map(|bits| Bfloat16(*bits)).collect();
    let saturate = QuantizeOptions { non_finite: NonFinite::Saturate, ..DEFAULT };
    for (precision, signed, scale) in
        [(4, true, 0.1), (8, false, 0.01), (8, true, 3.7), (17, true, 0.001)]
    {
        let tensor = || {
            let mut tensor = QTensor::with_shape(&[65_536], precision, signed).unwrap();
            tensor.set_scale(scale);
            tensor.set_bias(if signed { 0.0 } else { -100.0 });
            tensor
        };
        let mut wide = tensor();
        let mut narrow = tensor();
        let floats: Vec<f32> = bits.iter().map(|bits| half_to_f32(*bits)).collect();
        let counts = wide.quantize_counting(&floats, &saturate).unwrap();
        assert_eq!(narrow.quantize_counting(&halves, &saturate).unwrap(), counts);
        assert_eq!(narrow.data(), wide.data());
        let floats: Vec<f32> = bits.iter().map(|bits| bfloat16_to_f32(*bits)).collect();
        let counts = wide.quantize_counting(&floats, &saturate).unwrap();
        assert_eq!(narrow.quantize_counting(&bfloats, &saturate).unwrap(), counts);
        assert_eq!(narrow.data(), wide.data());

        let mut exact = vec![0.0_f64; 65_536];
        wide.dequantize(&mut exact, 1).unwrap();
        let (mut halves, mut bfloats) = (vec![Half(0); 65_536], vec![Bfloat16(0); 65_536]);
        wide.dequantize(&mut halves, 1).unwrap();
        wide.dequantize(&mut bfloats, 1).unwrap();
        for ((exact, half), bfloat) in exact.iter().zip(halves).zip(bfloats) {
            assert_eq!((half.0, bfloat.0), (f64_to_half(*exact), f64_to_bfloat16(*exact)));
        }
    }
}
