//! The values of tensors as single-precision floats. Memory for them that cannot be had is an error:
//! an abort would leave a temporary file behind.

use crate::failure::Result;
use caffe2_qtensor::quantize::{MAX_PRECISION, half_to_f32};
use caffe2_qtensor::{DenseTensor, ElementsRef, Error, QTensor};
use std::borrow::Cow;

/// The values of an ordinary tensor of floats; nothing where its elements are others. Doubles are
/// rounded to single precision, as everything here works in that.
#[allow(clippy::cast_possible_truncation, reason = "rounding to a float is what is meant")]
pub(crate) fn floats_of(tensor: &DenseTensor) -> Result<Option<Cow<'_, [f32]>>> {
    let mut floats = Vec::new();
    match tensor.elements() {
        ElementsRef::Float(values) => return Ok(Some(Cow::Borrowed(values))),
        ElementsRef::Double(values) => {
            reserve(&mut floats, values.len())?;
            floats.extend(values.iter().map(|value| *value as f32));
        }
        ElementsRef::Float16(values) => {
            reserve(&mut floats, values.len())?;
            floats.extend(values.iter().map(|bits| half_to_f32(*bits)));
        }
        _ => return Ok(None),
    }
    Ok(Some(Cow::Owned(floats)))
}

/// The values of a quantized tensor.
pub(crate) fn dequantized(tensor: &QTensor, threads: usize) -> Result<Vec<f32>> {
    let precision = tensor.precision();
    // Before memory is taken: a tensor of no planes may be of any size.
    if precision == 0 || precision > MAX_PRECISION {
        return Err(Error::OutOfRange {
            what: "precision to dequantize",
            value: i128::from(precision),
            min: 1,
            max: i128::from(MAX_PRECISION),
        }
        .into());
    }
    let mut values = zeroed(tensor.size())?;
    tensor.dequantize(&mut values, threads)?;
    Ok(values)
}

/// So many zeros.
pub(crate) fn zeroed<T: Copy + Default>(count: usize) -> Result<Vec<T>> {
    let mut values = Vec::new();
    reserve(&mut values, count)?;
    values.resize(count, T::default());
    Ok(values)
}

/// Room for so many values more.
pub(crate) fn reserve<T>(values: &mut Vec<T>, count: usize) -> Result<()> {
    let bytes = count.saturating_mul(size_of::<T>());
    let failed = Error::OutOfMemory { what: "values of a tensor", bytes };
    Ok(values.try_reserve_exact(count).map_err(|_| failed)?)
}
