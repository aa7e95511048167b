//! The bias as a zero point.

use super::error::qtensor_error_t;
use super::handle::{exclusive, output, shared};
use super::panic::{call, quiet};
use super::status::qtensor_status;
use super::tensor::{change, qtensor_t};
use crate::quantize;

/// The code that stands for 0: minus the tensor's own bias. Channels have biases of their own.
///
/// QTENSOR_OUT_OF_RANGE where the bias is no whole number or its negation does not fit int32_t.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_zero_point(
    tensor: *const qtensor_t,
    out: *mut i32,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the caller passes pointers that are NULL or valid as documented.
    unsafe {
        call(error, || {
            let tensor = shared(tensor, "tensor")?;
            let out = output(out, "out")?;
            out.write(tensor.0.zero_point()?);
            Ok(())
        })
    }
}

/// Sets the bias by the code that is to stand for 0: to -zero_point. Channels keep their biases.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_set_zero_point(
    tensor: *mut qtensor_t,
    zero_point: i32,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    change!(tensor, error, |t| {
        t.set_zero_point(zero_point);
        Ok(())
    })
}

/// The zero point of a bias: -bias, both in units of codes. May be called from many threads at
/// once.
///
/// QTENSOR_OUT_OF_RANGE where the bias is no whole number or its negation does not fit int32_t.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_zero_point_of_bias(
    bias: f64,
    out: *mut i32,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the caller passes pointers that are NULL or valid as documented.
    unsafe {
        call(error, || {
            let out = output(out, "out")?;
            out.write(quantize::zero_point_of_bias(bias)?);
            Ok(())
        })
    }
}

/// The bias of a zero point: -zero_point, and +0 for 0, both in units of codes. May be called from
/// many threads at once.
#[unsafe(no_mangle)]
pub extern "C" fn qtensor_bias_of_zero_point(zero_point: i32) -> f64 {
    quiet(0.0, || quantize::bias_of_zero_point(zero_point))
}
