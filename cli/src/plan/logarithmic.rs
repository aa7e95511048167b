//! The scale and bias of a logarithmic tensor: the step between exponents that loses least, with the
//! highest code at the power next to the largest magnitude.

use crate::failure::Result;
use caffe2_qtensor::QTensor;
use caffe2_qtensor::measure::ErrorOptions;
use caffe2_qtensor::quantize::QuantizeOptions;

/// The steps that are tried: from powers of two to powers of its 64th root.
const STEPS: [f64; 7] = [1.0, 0.5, 0.25, 0.125, 0.0625, 0.03125, 0.015_625];

/// Quantizes with each step and keeps the one with the smallest squared error.
pub(super) fn quantize(
    mut tensor: QTensor,
    values: &[f32],
    options: &QuantizeOptions,
) -> Result<QTensor> {
    let finite = values.iter().filter(|value| value.is_finite());
    let largest = finite.fold(0.0_f32, |largest, value| largest.max(value.abs()));
    let precision = u32::from(tensor.precision().min(32));
    let highest = f64::from(1u32.checked_shl(precision).unwrap_or(0).wrapping_sub(1));
    let exponent = if largest > 0.0 { f64::from(largest).log2() } else { 0.0 };
    let mut best: Option<((u64, f64), f64)> = None;
    for step in STEPS {
        set(&mut tensor, step, exponent, highest);
        tensor.quantize(values, options)?;
        let errors = ErrorOptions { threads: options.threads, ..ErrorOptions::default() };
        let errors = tensor.errors(values, &errors)?;
        // What becomes infinite is in no sum.
        let error = (errors.non_finite(), errors.sum_squared());
        if best.is_none_or(|(least, _)| error < least) {
            best = Some((error, step));
        }
    }
    let step = best.map_or(1.0, |(_, step)| step);
    set(&mut tensor, step, exponent, highest);
    tensor.quantize(values, options)?;
    Ok(tensor)
}

/// The highest code is the multiple of the step next to the largest magnitude's exponent, and finite.
fn set(tensor: &mut QTensor, step: f64, exponent: f64, highest: f64) {
    let mut top = (exponent / step).round();
    // There are no floats of 2^128 and more.
    if top * step >= 128.0 {
        top -= 1.0;
    }
    tensor.set_scale(step);
    tensor.set_bias(top - (highest - 1.0));
}
