//! No finite value becomes an infinite one: scales are doubles, and codes may stand for more than single
//! precision holds. By this library's methods they do not; by a range that was given they may.

use crate::failure::{Failure, Result};
use crate::floats::dequantized;
use caffe2_qtensor::QTensor;

/// Refuses a tensor of linear codes in which a finite value's code stands for an infinite one.
pub(super) fn check(tensor: &QTensor, values: &[f32], threads: usize) -> Result<()> {
    if all_codes_are_finite(tensor) {
        return Ok(());
    }
    let back = dequantized(tensor, threads)?;
    let mut pairs = values.iter().zip(back).enumerate();
    match pairs.find(|(_, (value, back))| value.is_finite() && !back.is_finite()) {
        None => Ok(()),
        Some((index, (value, back))) => Err(Failure::new(format!(
            "The value at index {index} is {value:e}, but its code would stand for {back}: by the \
             scale that was chosen it is beyond the largest float, {:e}.",
            f32::MAX
        ))),
    }
}

/// Whether the codes at both ends, and so all between, stand for floats; as for nearly all tensors.
#[allow(clippy::cast_possible_truncation, reason = "rounding to a float is what is meant")]
fn all_codes_are_finite(tensor: &QTensor) -> bool {
    let highest = f64::from(tensor.precision()).exp2() - 1.0;
    let lowest = if tensor.is_signed() { -highest } else { 0.0 };
    let both = |scale: f64, bias: f64| {
        [lowest, highest].iter().all(|code| ((scale * (code + bias)) as f32).is_finite())
    };
    match (tensor.channel_scales(), tensor.channel_biases()) {
        ([], _) => both(tensor.scale(), tensor.bias()),
        (scales, biases) => scales.iter().zip(biases).all(|(scale, bias)| both(*scale, *bias)),
    }
}
