//! Between a zero point, as in `scale * (q - zero_point)`, and a bias, as in `scale * (x + bias)`.
//!
//! A bias is a double and need not be a whole number; a zero point is one that is.

use crate::error::{Error, Result};
use crate::tensor::QTensor;

/// The bias of a zero point: `-zero_point`, and `+0.0` for 0. In units of codes.
///
/// ```
/// # use caffe2_qtensor::quantize::bias_of_zero_point;
/// assert_eq!(bias_of_zero_point(128), -128.0);
/// assert!(bias_of_zero_point(0).is_sign_positive());
/// ```
pub fn bias_of_zero_point(zero_point: i32) -> f64 {
    0.0 - f64::from(zero_point)
}

/// The zero point of a bias: `-bias`, in units of codes.
///
/// ```
/// # use caffe2_qtensor::{ErrorKind, quantize::zero_point_of_bias};
/// assert_eq!(zero_point_of_bias(-128.0)?, 128);
/// assert_eq!(zero_point_of_bias(0.5).unwrap_err().kind(), ErrorKind::OutOfRange);
/// # Ok::<(), caffe2_qtensor::Error>(())
/// ```
///
/// # Errors
/// `OutOfRange` for a bias that is no whole number or not from -2147483647 to 2147483648, NaN
/// included.
pub fn zero_point_of_bias(bias: f64) -> Result<i32> {
    as_int32(-bias).ok_or(Error::NotAnInteger {
        what: "bias",
        value: bias,
        rule: "minus a zero point, which is a 32-bit integer",
    })
}

/// A double that is a 32-bit integer.
pub(crate) fn as_int32(value: f64) -> Option<i32> {
    let range = f64::from(i32::MIN)..=f64::from(i32::MAX);
    #[allow(clippy::cast_possible_truncation, reason = "it was seen to be a whole number in range")]
    (range.contains(&value) && value.trunc() == value).then_some(value as i32)
}

/// The bias as a zero point.
impl QTensor {
    /// The code that stands for 0: minus the tensor's own bias. Channels have biases of their own.
    ///
    /// ```
    /// # use caffe2_qtensor::QTensor;
    /// let mut tensor = QTensor::new();
    /// tensor.set_zero_point(128);
    /// assert_eq!((tensor.bias(), tensor.zero_point()?), (-128.0, 128));
    /// # Ok::<(), caffe2_qtensor::Error>(())
    /// ```
    ///
    /// # Errors
    /// `OutOfRange` for a bias that is no whole number or whose negation does not fit an i32.
    pub fn zero_point(&self) -> Result<i32> {
        zero_point_of_bias(self.bias())
    }

    /// Sets the bias by the code that is to stand for 0. Channels keep their biases.
    pub fn set_zero_point(&mut self, zero_point: i32) {
        self.set_bias(bias_of_zero_point(zero_point));
    }
}
