//! The border that no panic crosses.

use super::error::{Failure, qtensor_error_t};
use super::status::qtensor_status;
use crate::error::Result;
use core::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs the body of a fallible call and reports how it went.
///
/// # Safety
/// `error` is NULL or may be written to.
pub(super) unsafe fn call(
    error: *mut *mut qtensor_error_t,
    body: impl FnOnce() -> Result<()>,
) -> qtensor_status {
    let failure = match catch_unwind(AssertUnwindSafe(|| at_station(body))) {
        Ok(Ok(())) => return qtensor_status::QTENSOR_OK,
        Ok(Err(error)) => Failure::Refused(error),
        Err(payload) => {
            discard(payload);
            Failure::Panicked
        }
    };
    // SAFETY: the caller vouches for `error`.
    unsafe { failure.report(error) };
    failure.status()
}

/// Runs the body of a call that cannot fail, with an answer for the case of a defect.
pub(super) fn quiet<T>(otherwise: T, body: impl FnOnce() -> T) -> T {
    match catch_unwind(AssertUnwindSafe(|| at_station(body))) {
        Ok(answer) => answer,
        Err(payload) => {
            discard(payload);
            otherwise
        }
    }
}

/// Drops what was thrown. That may panic again, and what is thrown then is leaked.
fn discard(payload: Box<dyn Any + Send>) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        core::mem::forget(again);
    }
}

/// Runs the body behind a place where tests can force a panic.
#[inline]
fn at_station<T>(body: impl FnOnce() -> T) -> T {
    #[cfg(feature = "forced-panics")]
    crate::forced::station();
    body()
}
