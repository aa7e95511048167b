//! The border that no panic crosses.

use super::error::{Failure, qtensor_error_t};
use super::status::qtensor_status;
use crate::error::Result;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs the body of a fallible call and reports how it went.
///
/// # Safety
/// `error` is NULL or may be written to.
pub(super) unsafe fn call(
    error: *mut *mut qtensor_error_t,
    body: impl FnOnce() -> Result<()>,
) -> qtensor_status {
    let failure = match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => return qtensor_status::QTENSOR_OK,
        Ok(Err(error)) => Failure::Refused(error),
        Err(payload) => {
            // Dropping what was thrown could panic again; a defect may leak it.
            core::mem::forget(payload);
            Failure::Panicked
        }
    };
    // SAFETY: the caller vouches for `error`.
    unsafe { failure.report(error) };
    failure.status()
}

/// Runs the body of a call that cannot fail, with an answer for the case of a defect.
pub(super) fn quiet<T>(otherwise: T, body: impl FnOnce() -> T) -> T {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(answer) => answer,
        Err(payload) => {
            core::mem::forget(payload);
            otherwise
        }
    }
}
