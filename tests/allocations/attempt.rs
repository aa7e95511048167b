//! One run of a call whose allocations may fail, and everything that must hold afterwards.

use crate::allocator::{self, Failure};
use caffe2_qtensor::capi::error::{
    qtensor_error_code, qtensor_error_free, qtensor_error_message, qtensor_error_t,
};
use caffe2_qtensor::capi::status::qtensor_status;
use std::cell::Cell;
use std::ffi::CStr;
use std::ptr;

/// A function of the C interface and a run of it.
pub(crate) type Case = (&'static str, fn(&Attempt));

/// Which allocations of the call under test fail, and whether any did.
pub(crate) struct Attempt {
    name: &'static str,
    failure: Failure,
    /// The station that panics, where one does.
    panics: Option<u64>,
    refused: Cell<u64>,
    calls: Cell<u64>,
}

/// Runs a call in which a station panics, and says whether one did.
#[cfg(feature = "forced-panics")]
fn with_panic<T>(station: u64, call: impl FnOnce() -> T) -> (T, bool) {
    caffe2_qtensor::forced::arm(station);
    let result = call();
    (result, !caffe2_qtensor::forced::disarm())
}

/// There are none.
#[cfg(not(feature = "forced-panics"))]
fn with_panic<T>(_: u64, call: impl FnOnce() -> T) -> (T, bool) {
    (call(), false)
}

impl Attempt {
    /// Runs a call that returns a status. When an allocation failed, it must say so, `unchanged`
    /// must hold, and the same call must work right afterwards.
    pub(crate) fn call(
        &self,
        call: impl Fn(*mut *mut qtensor_error_t) -> qtensor_status,
        unchanged: impl Fn(),
    ) {
        self.expect(qtensor_status::QTENSOR_OK, call, unchanged);
    }

    /// The same for a call that is refused even with all the memory in the world: the refusal may
    /// come before or behind the allocation that fails, which may also be that of its error object.
    pub(crate) fn expect(
        &self,
        expected: qtensor_status,
        call: impl Fn(*mut *mut qtensor_error_t) -> qtensor_status,
        unchanged: impl Fn(),
    ) {
        if let Some(station) = self.panics {
            return self.expect_panic(station, expected, call, unchanged);
        }
        let mut error = ptr::null_mut();
        let out = &raw mut error;
        let (status, refused, _) = allocator::run(self.failure, || call(out));
        self.note(refused);
        if refused == 0 {
            assert_eq!(status, expected, "{}", self.name);
            self.check_error(error, expected, false);
            return;
        }
        let starved = qtensor_status::QTENSOR_OUT_OF_MEMORY;
        let refusal = expected != qtensor_status::QTENSOR_OK && status == expected;
        assert!(status == starved || refusal, "{} {:?}: {status:?}", self.name, self.failure);
        self.check_error(error, status, true);
        unchanged();

        let mut error = ptr::null_mut();
        let status = call(&raw mut error);
        assert_eq!(status, expected, "{} again, {:?}", self.name, self.failure);
        self.check_error(error, expected, false);
    }

    /// A call that panics says so. Where it began nothing has happened; in the midst of the work what
    /// was to be changed may be, and is still good for the same call.
    fn expect_panic(
        &self,
        station: u64,
        expected: qtensor_status,
        call: impl Fn(*mut *mut qtensor_error_t) -> qtensor_status,
        unchanged: impl Fn(),
    ) {
        let mut error = ptr::null_mut();
        let (status, panicked) = with_panic(station, || call(&raw mut error));
        self.note(panicked.into());
        if panicked {
            assert_eq!(status, qtensor_status::QTENSOR_PANIC, "{}", self.name);
            self.check_error(error, status, false);
            if station == 0 {
                unchanged();
            }
            error = ptr::null_mut();
            assert_eq!(call(&raw mut error), expected, "{} after a panic", self.name);
        } else {
            assert_eq!(status, expected, "{}", self.name);
        }
        self.check_error(error, expected, false);
    }

    fn check_error(&self, error: *mut qtensor_error_t, status: qtensor_status, starved: bool) {
        if status == qtensor_status::QTENSOR_OK {
            assert!(error.is_null(), "{}", self.name);
            return;
        }
        assert!(!error.is_null(), "{}", self.name);
        // SAFETY: the library gave out the object, which is read and freed once.
        unsafe {
            let code = qtensor_error_code(error);
            let memory = qtensor_status::QTENSOR_OUT_OF_MEMORY as i32;
            assert!(code == status as i32 || (starved && code == memory), "{}: {code}", self.name);
            let message = CStr::from_ptr(qtensor_error_message(error)).to_bytes();
            assert!(message.ends_with(b"."), "{}", self.name);
            let static_object = message.starts_with(b"Out of memory: not even");
            qtensor_error_free(error);
            if static_object {
                // Freeing that one does nothing, however often.
                qtensor_error_free(error);
                assert_eq!(qtensor_error_code(error), memory);
            }
        }
    }

    /// Runs a call that cannot fail: it must not even ask for memory.
    pub(crate) fn quiet<T>(&self, call: impl Fn() -> T) -> T {
        if let Some(station) = self.panics {
            let (result, panicked) = with_panic(station, &call);
            self.note(panicked.into());
            return if panicked { call() } else { result };
        }
        let (result, _, usage) = allocator::run(Failure::None, call);
        assert_eq!(usage.requests, 0, "{} allocates", self.name);
        self.note(0);
        result
    }

    /// Runs a call that answers NULL where memory has run out; whether it had to.
    pub(crate) fn pointer<T>(&self, call: impl Fn() -> *mut T) -> *mut T {
        let (result, refused) = match self.panics {
            Some(station) => {
                let (result, panicked) = with_panic(station, &call);
                (result, panicked.into())
            }
            None => {
                let (result, refused, _) = allocator::run(self.failure, &call);
                (result, refused)
            }
        };
        self.note(refused);
        assert_eq!(result.is_null(), refused > 0, "{}", self.name);
        if result.is_null() { call() } else { result }
    }

    fn note(&self, refused: u64) {
        self.refused.set(self.refused.get() + refused);
        self.calls.set(self.calls.get() + 1);
    }
}

/// Runs a case with the 1st, 2nd, 3rd … allocation failing, alone and with all behind it, until
/// none does any more. Returns how many were refused.
pub(crate) fn sweep(case: Case) -> u64 {
    let once = until_none(case, |number| (Failure::Once(number), None));
    once + until_none(case, |number| (Failure::From(number), None))
}

/// Runs a case with the 1st, 2nd, 3rd … station panicking, until none does any more. Returns how
/// many did.
#[cfg(feature = "forced-panics")]
pub(crate) fn sweep_panics(case: Case) -> u64 {
    until_none(case, |number| (Failure::None, Some(number)))
}

fn until_none((name, case): Case, fault: impl Fn(u64) -> (Failure, Option<u64>)) -> u64 {
    let mut total = 0;
    for number in 0.. {
        assert!(number < 1000, "{name} never succeeds");
        let before = allocator::live();
        let (failure, panics) = fault(number);
        let attempt = Attempt { name, failure, panics, refused: Cell::new(0), calls: Cell::new(0) };
        case(&attempt);
        assert!(attempt.calls.get() > 0, "{name} was not called");
        assert_eq!(allocator::live(), before, "{name} leaks, {failure:?}, {panics:?}");
        if attempt.refused.get() == 0 {
            break;
        }
        total += attempt.refused.get();
    }
    total
}
