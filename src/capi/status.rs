//! The status that calls return.

use crate::error::ErrorKind;

/// What a call came to. Values are never renumbered; later versions may add some.
///
/// A call that does not return QTENSOR_OK has changed nothing and written no output, except where
/// its comment says so. Where several things are wrong, which of them is reported is not promised.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum qtensor_status {
    /// The call did what it is for.
    QTENSOR_OK = 0,
    /// A pointer that must not be NULL was NULL.
    QTENSOR_NULL_ARGUMENT = 1,
    /// A value that makes no sense here, such as a negative dimension, or an object that cannot do
    /// this now, such as a writer that was committed.
    QTENSOR_INVALID_ARGUMENT = 2,
    /// An index or a number outside the range that the object allows.
    QTENSOR_OUT_OF_RANGE = 3,
    /// A size beyond what can be counted or stored.
    QTENSOR_OVERFLOW = 4,
    /// Memory could not be had.
    QTENSOR_OUT_OF_MEMORY = 5,
    /// Two sizes that must agree do not.
    QTENSOR_SHAPE_MISMATCH = 6,
    /// Bytes or a file that are no valid message or database.
    QTENSOR_MALFORMED = 7,
    /// Legal, but not something that this library does.
    QTENSOR_UNSUPPORTED = 8,
    /// The result does not fit the buffer or structure that was passed.
    QTENSOR_BUFFER_TOO_SMALL = 9,
    /// The operating system refused an operation on a file.
    QTENSOR_IO = 10,
    /// A value that must be finite is infinite or not a number.
    QTENSOR_NON_FINITE = 11,
    /// What was asked for is not there, such as a blob of that name.
    QTENSOR_UNAVAILABLE = 12,
    /// A defect of this library, caught at its border. The objects that the call could change may
    /// have been changed and are only to be freed; no other is affected.
    QTENSOR_PANIC = 13,
}

impl From<ErrorKind> for qtensor_status {
    fn from(kind: ErrorKind) -> qtensor_status {
        match kind {
            ErrorKind::NullArgument => qtensor_status::QTENSOR_NULL_ARGUMENT,
            ErrorKind::InvalidArgument => qtensor_status::QTENSOR_INVALID_ARGUMENT,
            ErrorKind::OutOfRange => qtensor_status::QTENSOR_OUT_OF_RANGE,
            ErrorKind::Overflow => qtensor_status::QTENSOR_OVERFLOW,
            ErrorKind::OutOfMemory => qtensor_status::QTENSOR_OUT_OF_MEMORY,
            ErrorKind::ShapeMismatch => qtensor_status::QTENSOR_SHAPE_MISMATCH,
            ErrorKind::Malformed => qtensor_status::QTENSOR_MALFORMED,
            ErrorKind::Unsupported => qtensor_status::QTENSOR_UNSUPPORTED,
            ErrorKind::BufferTooSmall => qtensor_status::QTENSOR_BUFFER_TOO_SMALL,
            ErrorKind::Io => qtensor_status::QTENSOR_IO,
            ErrorKind::NonFinite => qtensor_status::QTENSOR_NON_FINITE,
            ErrorKind::Unavailable => qtensor_status::QTENSOR_UNAVAILABLE,
        }
    }
}
