//! Arguments of a one-dimensional convolution that a two-dimensional one computes.

use crate::error::{Error, Result};

/// An argument of a Conv1d, such as its strides, as the Conv2d needs it that computes it: `base`
/// for the dimension that was added in front, then the argument's own value.
///
/// Of two values or more the second is that one: a list that was extended already. So does Caffe2's
/// `MakeArgForConv1d`.
///
/// ```
/// # use caffe2_qtensor::quantize::conv1d_argument;
/// assert_eq!(conv1d_argument(&[3], 1)?, [1, 3]);
/// assert_eq!(conv1d_argument(&[1, 3], 1)?, [1, 3]);
/// # Ok::<(), caffe2_qtensor::Error>(())
/// ```
///
/// # Errors
/// `OutOfRange` for no value at all.
pub fn conv1d_argument(values: &[i64], base: i64) -> Result<[i64; 2]> {
    match values {
        [] => Err(Error::OutOfRange {
            what: "number of values of the convolution's argument",
            value: 0,
            min: 1,
            max: i128::from(i64::MAX),
        }),
        [only] => Ok([base, *only]),
        [_, second, ..] => Ok([base, *second]),
    }
}
