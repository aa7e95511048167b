//! Codes to the values that they stand for.

use super::error::qtensor_error_t;
use super::handle::{shared, slice_mut};
use super::panic::call;
use super::status::qtensor_status;
use super::tensor::qtensor_t;
use crate::quantize::{Bfloat16, Half, Value};

/// # Safety
/// The pointers are NULL or valid as their types say.
unsafe fn dequantize<T: Value>(
    tensor: *const qtensor_t,
    values: *mut T,
    count: usize,
    threads: u32,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: passed on from the caller.
    unsafe {
        call(error, || {
            let tensor = &shared(tensor, "tensor")?.0;
            let values = slice_mut(values, count, "values")?;
            tensor.dequantize(values, usize::try_from(threads).unwrap_or(usize::MAX))
        })
    }
}

/// Turns the codes of a tensor into the values that they stand for, in order, into `values`, which
/// has room for `n` of them; `n` is the tensor's size.
///
/// The value of code x is scale * (x + bias), both operations in double precision, rounded to the
/// nearest float (even in the middle): too large a one becomes infinite. Where the tensor has
/// channels, scale and bias are those of the element's channel. They are taken as they are,
/// whatever the scale. In a logarithmic tensor code 0 has the value 0 and any other code
/// 2^(scale * (|x| - 1 + bias)) with the sign of x. A tensor never written holds codes 0, and a
/// sign on magnitude 0 is ignored.
///
/// Works on `threads` threads, 0 being 1; small tensors get fewer. The values are the same for any
/// number. Those that the call starts have ended when it returns, and where one cannot be started
/// its part is done by another. Any number of such calls may read one tensor at once.
///
/// QTENSOR_SHAPE_MISMATCH unless n is the tensor's size, and where its channels do not fit its
/// dimensions; QTENSOR_OUT_OF_RANGE for a precision of 0 or above 32 and for channels along a
/// dimension that is not there. Nothing is written then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_dequantize(
    tensor: *const qtensor_t,
    values: *mut f32,
    n: usize,
    threads: u32,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: passed on from the caller.
    unsafe { dequantize(tensor, values, n, threads, error) }
}

/// Like qtensor_dequantize(), into doubles, which hold scale * (x + bias) as it was computed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_dequantize_f64(
    tensor: *const qtensor_t,
    values: *mut f64,
    n: usize,
    threads: u32,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: passed on from the caller.
    unsafe { dequantize(tensor, values, n, threads, error) }
}

/// Like qtensor_dequantize(), into half precision, as the bits of unsigned integers. From 65520
/// on magnitudes become infinite.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_dequantize_f16(
    tensor: *const qtensor_t,
    values: *mut u16,
    n: usize,
    threads: u32,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: passed on from the caller; the type is its bits.
    unsafe { dequantize(tensor, values.cast::<Half>(), n, threads, error) }
}

/// Like qtensor_dequantize(), into bfloat16, as the bits of unsigned integers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_dequantize_bf16(
    tensor: *const qtensor_t,
    values: *mut u16,
    n: usize,
    threads: u32,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: passed on from the caller; the type is its bits.
    unsafe { dequantize(tensor, values.cast::<Bfloat16>(), n, threads, error) }
}
