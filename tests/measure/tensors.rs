//! Errors of tensors beside those of the values that `dequantize` gives, for every kind of tensor.

use super::random::Random;
use super::reference::Reference;
use caffe2_qtensor::measure::{ErrorOptions, MAX_COUNTED_PRECISION};
use caffe2_qtensor::quantize::{NonFinite, QuantizeOptions};
use caffe2_qtensor::{Params, QTensor};

/// Weights of which some lie outside of what codes reach, and some are special.
pub(crate) fn weights(random: &mut Random, count: usize, scale: f64) -> Vec<f32> {
    let draw = |random: &mut Random| match random.below(40) {
        0 => 0.0,
        1 => f32::NAN,
        2 => f32::INFINITY,
        3 => (random.normal() * scale * 1e-3) as f32,
        4 => (random.normal() * scale * 100.0) as f32,
        _ => (random.normal() * scale) as f32,
    };
    (0..count).map(|_| draw(random)).collect()
}

/// Errors beside the definition, and counts beside those of the quantizer.
#[track_caller]
pub(crate) fn check(tensor: &mut QTensor, reference: &[f32], note: &str) {
    let options = QuantizeOptions { non_finite: NonFinite::Saturate, ..QuantizeOptions::default() };
    let counts = tensor.quantize_counting(reference, &options).unwrap();
    let mut values = vec![0.0_f32; reference.len()];
    tensor.dequantize(&mut values, 1).unwrap();
    let expected = Reference::of(reference, &values);
    let counted = tensor.precision() <= MAX_COUNTED_PRECISION;
    for threads in [1, 3] {
        let options = ErrorOptions { code_histogram: counted, threads, ..super::ALL };
        let errors = tensor.errors(reference, &options).unwrap();
        expected.check(&errors, note);
        let found = (errors.saturated_low(), errors.saturated_high(), errors.non_finite());
        assert_eq!(
            found,
            (counts.saturated_low, counts.saturated_high, counts.non_finite),
            "{note}"
        );
        assert_eq!(errors.flushed(), flushed(tensor, reference, &values), "{note}");
        if matches!(tensor.params().unwrap(), Params::Affine { bias: 0.0, .. }) {
            assert_eq!(errors.flushed(), counts.flushed_to_zero, "{note}");
        }
        if counted {
            let mut codes = vec![0_i64; reference.len()];
            tensor.read_codes(&mut codes).unwrap();
            let mut histogram = vec![0_u64; errors.code_histogram().len()];
            codes.iter().for_each(|code| {
                histogram[(code - errors.lowest_code()) as usize] += 1;
            });
            assert_eq!(errors.code_histogram(), histogram, "{note}");
        }
    }
}

/// References that became 0 and are inside of what the codes reach, one by one.
fn flushed(tensor: &QTensor, reference: &[f32], values: &[f32]) -> u64 {
    let mut count = 0;
    for (index, (x, y)) in reference.iter().zip(values).enumerate() {
        if *y != 0.0 || *x == 0.0 || !x.is_finite() {
            continue;
        }
        let (precision, signed) = (tensor.precision(), tensor.is_signed());
        let mut one = QTensor::with_shape(&[1], precision, signed).unwrap();
        match tensor.params().unwrap() {
            Params::Affine { scale, bias } => {
                one.set_scale(scale);
                one.set_bias(bias);
            }
            Params::Log { scale, bias } => {
                one.set_scale(scale);
                one.set_bias(bias);
                one.set_logarithmic(true).unwrap();
            }
            Params::PerChannel { axis, scales, biases } => {
                let inner: i64 = tensor.dims()[axis + 1..].iter().product();
                let channel = index / inner as usize % scales.len();
                one.set_scale(scales[channel]);
                one.set_bias(biases[channel]);
            }
        }
        let counts = one.quantize_counting(&[*x], &QuantizeOptions::default()).unwrap();
        count += u64::from(counts.saturated_low + counts.saturated_high == 0);
    }
    count
}

#[test]
fn every_precision_and_sign() {
    let mut random = Random::new(11);
    for precision in 1..=32 {
        for signed in [false, true] {
            for bias in [0.0, -1.0, 0.375] {
                let count = 1 + random.below(3000);
                let mut tensor = QTensor::with_shape(&[count as i64], precision, signed).unwrap();
                tensor.set_scale(8.0 / f64::from(precision).exp2());
                tensor.set_bias(bias);
                let reference = weights(&mut random, count, 3.0);
                check(&mut tensor, &reference, &format!("{precision} {signed} {bias} {count}"));
            }
        }
    }
}

#[test]
fn logarithmic_ones() {
    let mut random = Random::new(12);
    for (precision, signed, scale, bias) in [
        (4, true, 1.0, -8.0),
        (4, false, 0.5, -6.0),
        (8, true, 0.25, -60.0),
        (12, true, 0.1, -99.0),
    ] {
        let mut tensor = QTensor::with_shape(&[2500], precision, signed).unwrap();
        tensor.set_scale(scale);
        tensor.set_bias(bias);
        tensor.set_logarithmic(true).unwrap();
        let reference = weights(&mut random, 2500, 1.0);
        check(&mut tensor, &reference, &format!("logarithmic {precision} {signed} {scale}"));
    }
}

#[test]
fn channels_of_long_and_short_rows() {
    let mut random = Random::new(13);
    for (dims, axis) in [
        ([3, 7, 129], 0),
        ([3, 7, 129], 1),
        ([3, 7, 129], 2),
        ([40, 2, 33], 1),
        ([5, 600, 1], 1),
        ([2, 3, 1024], 1),
    ] {
        for (precision, signed) in [(4, true), (8, false), (8, true), (11, false)] {
            let mut tensor = QTensor::with_shape(&dims, precision, signed).unwrap();
            let channels = dims[axis] as usize;
            let scales: Vec<f64> = (0..channels).map(|_| 0.01 + random.uniform()).collect();
            let biases: Vec<f64> = (0..channels).map(|_| random.below(3) as f64).collect();
            tensor.set_channels(axis as i32, &scales, &biases).unwrap();
            let reference = weights(&mut random, tensor.size(), 2.0);
            check(&mut tensor, &reference, &format!("{dims:?} {axis} {precision} {signed}"));
        }
    }
}

/// Any double may be a scale or a bias; then values are not finite, or nothing saturates.
#[test]
fn parameters_that_nothing_is_quantized_by() {
    let reference = [1.0_f32, -2.0, 0.0, 3.0, 1e30];
    for (scale, bias) in [
        (f64::NAN, 0.0),
        (f64::INFINITY, 1.0),
        (-0.5, 0.0),
        (0.0, 0.0),
        (1.0, f64::NEG_INFINITY),
        (1e300, 0.0),
        (1e-310, 0.0),
    ] {
        let mut tensor = QTensor::with_shape(&[5], 3, true).unwrap();
        tensor.write_codes(&[1i64, -7, 0, 7, 3]).unwrap();
        tensor.set_scale(scale);
        tensor.set_bias(bias);
        let mut values = [0.0_f32; 5];
        tensor.dequantize(&mut values, 1).unwrap();
        let errors = tensor.errors(&reference, &ErrorOptions::default()).unwrap();
        Reference::of(&reference, &values).check(&errors, &format!("{scale} {bias}"));
        if scale != 1e300 {
            assert_eq!((errors.saturated_low(), errors.saturated_high()), (0, 0));
        }
    }
}

/// A tensor never written holds zeros.
#[test]
fn unwritten_and_empty_tensors() {
    let tensor = QTensor::with_shape(&[4], 2, false).unwrap();
    let errors = tensor.errors(&[1.0, 2.0, 0.0, -1.0], &super::ALL).unwrap();
    assert_eq!((errors.sum_error(), errors.flushed()), (-2.0, 2));
    assert_eq!(errors.code_histogram(), [4, 0, 0, 0]);
    let errors = QTensor::new().errors(&[], &super::ALL).unwrap();
    assert_eq!((errors.count(), errors.max_index()), (0, None));
    assert!(errors.mse().is_nan() && errors.sqnr().is_nan() && errors.cosine().is_nan());
    assert_eq!((errors.kl(), errors.quantile(0.5)), (None, None));
}
