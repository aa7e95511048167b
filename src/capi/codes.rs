//! Whole-tensor access to the codes.

use super::error::qtensor_error_t;
use super::handle::{exclusive, shared, slice, slice_mut};
use super::panic::call;
use super::status::qtensor_status;
use super::tensor::{change, qtensor_t};
use crate::planes::codes::Code;

/// # Safety
/// The pointers are NULL or valid as their types say.
unsafe fn read<T: Code>(
    tensor: *const qtensor_t,
    codes: *mut T,
    count: usize,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: passed on from the caller.
    unsafe {
        call(error, || {
            let tensor = shared(tensor, "tensor")?;
            tensor.0.read_codes(slice_mut(codes, count, "codes")?)
        })
    }
}

/// Reads the code of every element, in order, into `codes`, which holds `n` of them.
///
/// A code is the integer x of scale * (x + bias), its sign applied. A tensor never written holds
/// zeros; a sign bit on magnitude 0 reads as 0.
///
/// QTENSOR_SHAPE_MISMATCH unless n is the tensor's size; QTENSOR_UNSUPPORTED above precision 63,
/// even where there is no element.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_read_codes(
    tensor: *const qtensor_t,
    codes: *mut i64,
    n: usize,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: passed on from the caller.
    unsafe { read(tensor, codes, n, error) }
}

/// Like qtensor_read_codes(), for unsigned tensors of precision 8 or less; others are
/// QTENSOR_UNSUPPORTED. The fastest way to read them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_read_codes_u8(
    tensor: *const qtensor_t,
    codes: *mut u8,
    n: usize,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: passed on from the caller.
    unsafe { read(tensor, codes, n, error) }
}

/// Like qtensor_read_codes(), for tensors of precision 7 or less; others are
/// QTENSOR_UNSUPPORTED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_read_codes_i8(
    tensor: *const qtensor_t,
    codes: *mut i8,
    n: usize,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: passed on from the caller.
    unsafe { read(tensor, codes, n, error) }
}

/// Like qtensor_read_codes(), for tensors of precision 31 or less; others are
/// QTENSOR_UNSUPPORTED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_read_codes_i32(
    tensor: *const qtensor_t,
    codes: *mut i32,
    n: usize,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: passed on from the caller.
    unsafe { read(tensor, codes, n, error) }
}

/// Writes the code of every element, in order, from `codes`, which holds `n` of them. Padding
/// bits stay as they are.
///
/// A code lies between 0, or -(2^precision - 1) in a signed tensor, and 2^precision - 1.
///
/// QTENSOR_SHAPE_MISMATCH unless n is the tensor's size; QTENSOR_OUT_OF_RANGE for a code outside
/// that range; QTENSOR_UNSUPPORTED above precision 63. Nothing is written then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_write_codes(
    tensor: *mut qtensor_t,
    codes: *const i64,
    n: usize,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    change!(tensor, error, |t| t.write_codes(slice(codes, n, "codes")?))
}

/// Like qtensor_write_codes(), from unsigned bytes: the fastest way to write codes. The precision
/// need not be 8; what counts is that every value is a code of the tensor.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_write_codes_u8(
    tensor: *mut qtensor_t,
    codes: *const u8,
    n: usize,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    change!(tensor, error, |t| t.write_codes(slice(codes, n, "codes")?))
}

/// Like qtensor_write_codes(), from signed bytes, whatever the precision.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_write_codes_i8(
    tensor: *mut qtensor_t,
    codes: *const i8,
    n: usize,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    change!(tensor, error, |t| t.write_codes(slice(codes, n, "codes")?))
}

/// Like qtensor_write_codes(), from 32-bit integers, whatever the precision.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_write_codes_i32(
    tensor: *mut qtensor_t,
    codes: *const i32,
    n: usize,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    change!(tensor, error, |t| t.write_codes(slice(codes, n, "codes")?))
}
