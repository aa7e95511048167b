//! The codes of a tensor to the values that they stand for.

use super::linear::{check_precision, check_size};
use super::value::Value;
use crate::error::Result;
use crate::params::Params;
use crate::planes::codes::BLOCK;
use crate::tensor::QTensor;

impl QTensor {
    /// Turns this tensor's codes into the values that they stand for, in order.
    ///
    /// The value is `scale * (x + bias)`, both operations in double precision, rounded to the
    /// nearest value of the type asked for (even in the middle); in a tensor with channels by the
    /// scale and bias of the element's channel. On `threads` threads; 0 is 1.
    ///
    /// ```
    /// use caffe2_qtensor::QTensor;
    ///
    /// let mut tensor = QTensor::with_shape(&[3], 4, true)?;
    /// tensor.set_scale(0.5);
    /// tensor.write_codes(&[1i64, -2, 15])?;
    /// let mut values = [0.0_f32; 3];
    /// tensor.dequantize(&mut values, 1)?;
    /// assert_eq!(values, [0.5, -1.0, 7.5]);
    /// # Ok::<(), caffe2_qtensor::Error>(())
    /// ```
    ///
    /// # Errors
    /// `ShapeMismatch` unless there is room for [`size`](Self::size) values; `OutOfRange` for a
    /// precision of 0 or above 32; what [`params`](Self::params) refuses; `OutOfMemory`. Nothing is
    /// written then.
    pub fn dequantize<T: Value>(&self, values: &mut [T], threads: usize) -> Result<()> {
        let _ = threads;
        check_size("number of values", values.len(), self.size())?;
        check_precision(self.precision())?;
        let params = self.params()?;
        let Params::Affine { scale, bias } = params else { todo!() };
        let mut first = 0_usize;
        for values in values.chunks_mut(BLOCK) {
            let mut codes = [0_i64; BLOCK];
            let codes = codes.get_mut(..values.len()).unwrap_or_default();
            self.read_block(first, codes);
            for (value, code) in values.iter_mut().zip(codes) {
                *value = T::nearest(scale * (*code as f64 + bias));
            }
            first = first.saturating_add(BLOCK);
        }
        Ok(())
    }
}
