//! Errors by channel beside those of each channel's elements, and put together again.

use super::random::Random;
use super::reference::Reference;
use super::tensors::weights;
use caffe2_qtensor::QTensor;
use caffe2_qtensor::measure::{ErrorOptions, Errors};
use caffe2_qtensor::quantize::{NonFinite, QuantizeOptions};

/// Rows that are gathered and rows that are not; channels of parameters on the same axis, on another
/// one, and none; more elements than a tile has.
#[test]
fn every_axis_of_every_kind_of_tensor() {
    let mut random = Random::new(31);
    let shapes: [&[i64]; 7] =
        [&[6, 5, 7], &[3, 200, 4], &[2, 3, 300], &[70_001, 3], &[3, 70_001], &[1, 1, 1], &[9]];
    for dims in shapes {
        for parameters in -1..dims.len() as i32 {
            let mut tensor = QTensor::with_shape(dims, 4, true).unwrap();
            tensor.set_scale(0.25);
            let channels = dims.get(parameters as usize).map_or(0, |extent| *extent as usize);
            if channels > 0 {
                let scales: Vec<f64> = (0..channels).map(|_| 0.1 + random.uniform()).collect();
                tensor.set_channels(parameters, &scales, &vec![0.0; channels]).unwrap();
            }
            let reference = weights(&mut random, tensor.size(), 2.0);
            let options =
                QuantizeOptions { non_finite: NonFinite::Saturate, ..QuantizeOptions::default() };
            tensor.quantize(&reference, &options).unwrap();
            for axis in 0..dims.len() {
                check(&tensor, &reference, axis, &format!("{dims:?} by {parameters} on {axis}"));
            }
        }
    }
}

fn check(tensor: &QTensor, reference: &[f32], axis: usize, note: &str) {
    let mut values = vec![0.0_f32; reference.len()];
    tensor.dequantize(&mut values, 1).unwrap();
    let mut codes = vec![0_i64; reference.len()];
    tensor.read_codes(&mut codes).unwrap();
    let channels = tensor.dims()[axis] as usize;
    let inner = tensor.dims()[axis + 1..].iter().product::<i64>() as usize;
    let of = |index: usize| index / inner % channels;
    let mut expected = vec![Reference::default(); channels];
    let mut histograms = vec![[0_u64; 31]; channels];
    for (index, (x, y)) in reference.iter().zip(&values).enumerate() {
        expected[of(index)].add(index as u64, *x, *y);
        histograms[of(index)][(codes[index] + 15) as usize] += 1;
    }
    // Histograms of thousands of channels would take their time.
    let value_histogram = channels < 100;
    for threads in [1, 3] {
        let options = ErrorOptions { threads, value_histogram, ..super::ALL };
        let found = tensor.errors_per_channel(reference, axis, &options).unwrap();
        assert_eq!(found.len(), channels, "{note}");
        for (channel, errors) in found.iter().enumerate() {
            expected[channel].check(errors, note);
            assert_eq!(errors.code_histogram(), histograms[channel], "{note}");
        }
        same(&merged(found), &tensor.errors(reference, &options).unwrap(), note);
    }
}

fn merged(errors: Vec<Errors>) -> Errors {
    let mut errors = errors.into_iter();
    let mut all = errors.next().unwrap();
    errors.for_each(|errors| all.merge(&errors).unwrap());
    all
}

/// Counts and histograms are equal, and sums but for what they may differ from the exact ones.
pub(crate) fn same(one: &Errors, other: &Errors, note: &str) {
    let counts = |errors: &Errors| {
        (
            [errors.count(), errors.non_finite(), errors.flushed()],
            [errors.saturated_low(), errors.saturated_high()],
            (errors.max_absolute(), errors.max_index()),
            errors.code_histogram().to_vec(),
            errors.error_histogram().collect::<Vec<_>>(),
        )
    };
    assert_eq!(counts(one), counts(other), "{note}");
    assert_eq!(one.kl(), other.kl(), "{note}");
    for (one, other, scale) in [
        (one.sum_error(), other.sum_error(), one.sum_absolute()),
        (one.sum_absolute(), other.sum_absolute(), one.sum_absolute()),
        (one.sum_squared(), other.sum_squared(), one.sum_squared()),
        (one.sum_xx(), other.sum_xx(), one.sum_xx()),
        (one.sum_xy(), other.sum_xy(), (one.sum_xx() * one.sum_yy()).sqrt()),
        (one.sum_yy(), other.sum_yy(), one.sum_yy()),
    ] {
        assert!((one - other).abs() <= 1e-13 * scale, "{note}: {one:e} and {other:e}");
    }
}
