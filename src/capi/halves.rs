//! Half precision and bfloat16, as the bits of an unsigned integer.

use super::error::qtensor_error_t;
use super::handle::{output, slice_mut};
use super::panic::{call, quiet};
use super::status::qtensor_status;
use crate::quantize;

/// The value of IEEE 754 half-precision bits, any of them; exact. A NaN keeps its sign and payload
/// and is made quiet. May be called from many threads at once, as all conversions.
#[unsafe(no_mangle)]
pub extern "C" fn qtensor_half_to_float(bits: u16) -> f32 {
    quiet(0.0, || quantize::half_to_f32(bits))
}

/// The half-precision bits nearest to a value, ties to even; infinity from 65520 on. A NaN keeps
/// its sign and the upper ten bits of its payload and is made quiet.
#[unsafe(no_mangle)]
pub extern "C" fn qtensor_half_from_float(value: f32) -> u16 {
    quiet(0, || quantize::f32_to_half(value))
}

/// The value of bfloat16 bits, which are the upper half of a float; exact.
#[unsafe(no_mangle)]
pub extern "C" fn qtensor_bfloat16_to_float(bits: u16) -> f32 {
    quiet(0.0, || quantize::bfloat16_to_f32(bits))
}

/// The bfloat16 bits nearest to a value, ties to even; what is too large becomes infinity. A NaN
/// keeps its sign and the upper seven bits of its payload and is made quiet.
#[unsafe(no_mangle)]
pub extern "C" fn qtensor_bfloat16_from_float(value: f32) -> u16 {
    quiet(0, || quantize::f32_to_bfloat16(value))
}

/// Brings `n` values into the range of half precision, -65504 to 65504, in place; `*out_of_range`
/// receives how many lay outside.
///
/// Infinities lie outside too. NaN stays what it is and is not counted. Small values stay as they
/// are. The values need to be the caller's alone during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_half_saturate(
    values: *mut f32,
    n: usize,
    out_of_range: *mut usize,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the caller passes pointers that are NULL or valid as documented.
    unsafe {
        call(error, || {
            let values = slice_mut(values, n, "values")?;
            let out_of_range = output(out_of_range, "out_of_range")?;
            out_of_range.write(quantize::saturate_to_half(values));
            Ok(())
        })
    }
}
