//! Arguments of a one-dimensional convolution.

use super::error::qtensor_error_t;
use super::handle::{output, slice};
use super::panic::call;
use super::status::qtensor_status;
use crate::quantize::conv1d_argument;

/// An argument of a Conv1d, such as its strides, as the Conv2d needs it that computes it: `base`
/// for the dimension that was added in front, then the argument's own value.
///
/// `arguments` points to the `n` values it has; `out` receives two. Of two values or more the
/// second is the argument's own, as in Caffe2's MakeArgForConv1d. May be called from many threads
/// at once.
///
/// QTENSOR_OUT_OF_RANGE where there is no value.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_conv1d_argument(
    arguments: *const i64,
    n: usize,
    base: i64,
    out: *mut i64,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the caller passes pointers that are NULL or valid as documented.
    unsafe {
        call(error, || {
            let arguments = slice(arguments, n, "arguments")?;
            let out = output(out.cast::<[i64; 2]>(), "out")?;
            out.write(conv1d_argument(arguments, base)?);
            Ok(())
        })
    }
}
