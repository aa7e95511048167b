//! Calls and what they come to: accepted or refused as foretold, with an error object that says so.

use crate::check::check_text;
use caffe2_qtensor::capi::error::{
    qtensor_error_code, qtensor_error_free, qtensor_error_message, qtensor_error_t,
};
pub(super) use caffe2_qtensor::capi::status::qtensor_status::{self as Status, *};
use std::cell::Cell;
use std::ffi::CStr;

/// Which pointers of a call are NULL, by their place.
pub(super) struct Nulls {
    mask: u8,
    hit: Cell<bool>,
}

impl Nulls {
    pub(super) fn new(mask: u8) -> Nulls {
        Nulls { mask, hit: Cell::new(false) }
    }

    fn is(&self, place: u32) -> bool {
        self.mask >> place & 1 != 0
    }

    /// A pointer that must not be NULL.
    pub(super) fn at<T>(&self, place: u32, pointer: *const T) -> *const T {
        let pointer = if self.is(place) { std::ptr::null() } else { pointer };
        self.hit.set(self.hit.get() || pointer.is_null());
        pointer
    }

    pub(super) fn at_mut<T>(&self, place: u32, pointer: *mut T) -> *mut T {
        self.at(place, pointer).cast_mut()
    }

    /// A buffer, which may be NULL where it is empty.
    pub(super) fn slice<T>(&self, place: u32, values: &[T], count: usize) -> *const T {
        if self.is(place) && count == 0 {
            std::ptr::null()
        } else {
            self.at(place, values.as_ptr())
        }
    }

    pub(super) fn slice_mut<T>(&self, place: u32, values: &mut [T], count: usize) -> *mut T {
        let pointer = values.as_mut_ptr();
        if self.is(place) && count == 0 {
            std::ptr::null_mut()
        } else {
            self.at_mut(place, pointer)
        }
    }
}

/// Why a call has to be refused, or may be.
#[derive(Default)]
pub(super) struct Refusals {
    due: Vec<Status>,
    possible: Vec<Status>,
}

impl Refusals {
    pub(super) fn new() -> Refusals {
        Refusals::default()
    }

    pub(super) fn when(mut self, refused: bool, status: Status) -> Refusals {
        if refused {
            self.due.push(status);
        }
        self
    }

    pub(super) fn all(mut self, statuses: &[Status]) -> Refusals {
        self.due.extend(statuses);
        self
    }

    /// What the model does not decide.
    pub(super) fn maybe(mut self, possible: bool, statuses: &[Status]) -> Refusals {
        if possible {
            self.possible.extend(statuses);
        }
        self
    }

    pub(super) fn nulls(self, nulls: &Nulls) -> Refusals {
        self.when(nulls.hit.get(), QTENSOR_NULL_ARGUMENT)
    }

    /// Whether it has to be refused for what is known so far.
    pub(super) fn is_due(&self) -> bool {
        !self.due.is_empty()
    }

    /// Makes the call, which is accepted or refused as foretold; whether it was accepted.
    #[track_caller]
    pub(super) fn call(
        self,
        with_error: bool,
        call: impl FnOnce(*mut *mut qtensor_error_t) -> Status,
    ) -> bool {
        let mut error: *mut qtensor_error_t = std::ptr::null_mut();
        let status = call(if with_error { &raw mut error } else { std::ptr::null_mut() });
        let accepted = status == QTENSOR_OK;
        assert_eq!(error.is_null(), accepted || !with_error, "{status:?}");
        if !error.is_null() {
            // SAFETY: a live error object, which is freed once.
            unsafe {
                assert_eq!(qtensor_error_code(error), status as i32);
                let message = CStr::from_ptr(qtensor_error_message(error)).to_str();
                check_text(message.expect("ASCII"));
                qtensor_error_free(error);
            }
        }
        let allowed = match accepted {
            true => self.due.is_empty(),
            false => self.due.contains(&status) || self.possible.contains(&status),
        };
        assert!(allowed, "{status:?}, but {:?} or {:?} was due", self.due, self.possible);
        accepted
    }
}

/// A pointer that a refused call leaves where it was.
pub(super) fn untouched<T>() -> *mut T {
    std::ptr::without_provenance_mut(64)
}

/// A handle that a call gave if it was accepted, and else left alone.
#[track_caller]
pub(super) fn given<T>(accepted: bool, out: *mut T) -> Option<*mut T> {
    assert_eq!(accepted, out != untouched());
    assert!(!out.is_null());
    accepted.then_some(out)
}

/// An output, which was written if the call was accepted, and else left alone.
#[track_caller]
pub(super) fn written<T: PartialEq + std::fmt::Debug>(
    accepted: bool,
    out: T,
    expected: T,
    before: T,
) {
    assert_eq!(out, if accepted { expected } else { before });
}
