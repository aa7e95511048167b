//! The values of tensors as single-precision floats.

use crate::failure::Result;
use caffe2_qtensor::quantize::half_to_f32;
use caffe2_qtensor::{DenseTensor, ElementsRef, QTensor};
use std::borrow::Cow;

/// The values of an ordinary tensor of floats; nothing where its elements are others. Doubles are
/// rounded to single precision, as everything here works in that.
#[allow(clippy::cast_possible_truncation, reason = "rounding to a float is what is meant")]
pub(crate) fn floats_of(tensor: &DenseTensor) -> Option<Cow<'_, [f32]>> {
    match tensor.elements() {
        ElementsRef::Float(values) => Some(Cow::Borrowed(values)),
        ElementsRef::Double(values) => {
            Some(Cow::Owned(values.iter().map(|value| *value as f32).collect()))
        }
        ElementsRef::Float16(values) => {
            Some(Cow::Owned(values.iter().map(|bits| half_to_f32(*bits)).collect()))
        }
        _ => None,
    }
}

/// The values of a quantized tensor.
pub(crate) fn dequantized(tensor: &QTensor, threads: usize) -> Result<Vec<f32>> {
    let mut values = vec![0.0; tensor.size()];
    tensor.dequantize(&mut values, threads)?;
    Ok(values)
}
