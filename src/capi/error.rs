//! Error objects: a code and a message, made without the heap where the heap is exhausted.

use super::handle;
use super::panic::quiet;
use super::status::qtensor_status;
use crate::error::Error;
use core::ffi::c_char;
use core::fmt::{self, Write};

/// Bytes of a message, the NUL included: room for the longest sentence around the longest excerpt
/// of a name, each of its bytes spelled as `\xNN`. A longer message is cut.
const LENGTH: usize = 384;

/// Why a call failed: a status and a whole sentence in English.
///
/// Owned by the caller, who frees it with qtensor_error_free(). It never changes and may be read
/// from several threads at once.
pub struct qtensor_error_t {
    code: i32,
    message: [u8; LENGTH],
}

/// What is given where not even an error object can be allocated.
static OUT_OF_MEMORY: qtensor_error_t = qtensor_error_t {
    code: qtensor_status::QTENSOR_OUT_OF_MEMORY as i32,
    message: literal(b"Out of memory: not even an error message could be allocated."),
};

/// A message known at compile time; the zeros behind it end it.
const fn literal(text: &[u8]) -> [u8; LENGTH] {
    let mut message = [0; LENGTH];
    if let Some((to, _)) = message.split_at_mut_checked(text.len()) {
        to.copy_from_slice(text);
    }
    message
}

/// Why a call failed, before an object is made of it.
#[derive(Clone, Copy)]
pub(super) enum Failure {
    Refused(Error),
    Panicked,
}

impl Failure {
    pub(super) fn status(self) -> qtensor_status {
        match self {
            Failure::Refused(error) => error.kind().into(),
            Failure::Panicked => qtensor_status::QTENSOR_PANIC,
        }
    }

    /// Gives the caller an error object, if one is wanted.
    ///
    /// # Safety
    /// `out` is NULL or may be written to.
    pub(super) unsafe fn report(self, out: *mut *mut qtensor_error_t) {
        // Nothing can be said where it may not be written.
        if out.is_null() || !out.is_aligned() {
            return;
        }
        let mut error = qtensor_error_t { code: self.status() as i32, message: [0; LENGTH] };
        let mut writer = MessageWriter { rest: &mut error.message };
        // A message that is cut is not an error.
        let _ = match self {
            Failure::Refused(error) => write!(writer, "{error}"),
            Failure::Panicked => writer.write_str(
                "A defect of this library was caught at its border; details went to stderr.",
            ),
        };
        let object = handle::allocate(error)
            .map_or((&raw const OUT_OF_MEMORY).cast_mut(), |object| object.as_ptr());
        // SAFETY: the caller passed a pointer that may be written to.
        unsafe { out.write(object) }
    }
}

/// Writes into a fixed array, whole characters only, and leaves the last byte zero.
struct MessageWriter<'a> {
    rest: &'a mut [u8],
}

impl Write for MessageWriter<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.rest.len().saturating_sub(1);
        let fits = boundary(text, room);
        let (to, rest) =
            core::mem::take(&mut self.rest).split_at_mut_checked(fits).ok_or(fmt::Error)?;
        to.copy_from_slice(text.as_bytes().get(..fits).ok_or(fmt::Error)?);
        self.rest = rest;
        if fits == text.len() { Ok(()) } else { Err(fmt::Error) }
    }
}

/// The largest character boundary of `text` up to `index`.
fn boundary(text: &str, index: usize) -> usize {
    let mut index = index.min(text.len());
    while !text.is_char_boundary(index) {
        index = index.saturating_sub(1);
    }
    index
}

/// The status that the failed call returned; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_error_code(error: *const qtensor_error_t) -> i32 {
    // SAFETY: the caller passes NULL or a live error object.
    quiet(0, || unsafe { error.as_ref() }.map_or(0, |error| error.code))
}

/// What went wrong: a whole sentence that names the value and the limit, NUL-terminated, valid
/// until the error is freed; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_error_message(error: *const qtensor_error_t) -> *const c_char {
    quiet(core::ptr::null(), || {
        // SAFETY: the caller passes NULL or a live error object.
        let error = unsafe { error.as_ref() };
        error.map_or(core::ptr::null(), |error| error.message.as_ptr().cast())
    })
}

/// Frees an error object; NULL does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_error_free(error: *mut qtensor_error_t) {
    quiet((), || {
        if !core::ptr::eq(error, &raw const OUT_OF_MEMORY) {
            // SAFETY: every other error object came from `handle::allocate`; the caller gives up
            // the only pointer to it.
            unsafe { handle::release(error) }
        }
    });
}
