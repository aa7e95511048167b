//! One error type for the whole crate.
//!
//! An [`Error`] is a plain value: it owns no heap memory and formatting it takes none, so that it
//! can be made and shown when memory has run out. Every variant says what was wrong, the value
//! that was refused and the limit it broke.

mod excerpt;

use core::fmt;
use std::io;

pub use excerpt::Excerpt;

/// What a fallible function of this crate returns.
pub type Result<T> = core::result::Result<T, Error>;

/// Why a call was refused. A refused call has changed nothing.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A pointer that must not be NULL was NULL. Only the C interface returns it.
    #[error("The argument '{argument}' is NULL; it must point to a valid object.")]
    NullArgument {
        /// The parameter's name.
        argument: &'static str,
    },

    /// A value that no object of this kind can have. Pass another value.
    #[error("The {what} is {value}, but it must be {rule}.")]
    InvalidArgument {
        /// What the value is for.
        what: &'static str,
        /// The value that was refused.
        value: i128,
        /// What the value has to be.
        rule: &'static str,
    },

    /// An address that is not a multiple of what its type needs. Only the C interface returns it.
    #[error("The address {address:#x} in '{argument}' is not aligned as its type needs.")]
    Misaligned {
        /// The parameter's name.
        argument: &'static str,
        /// The address.
        address: usize,
    },

    /// A number of elements that no memory holds. Only the C interface returns it.
    #[error("The buffer '{argument}' cannot hold {count} elements; no memory is that large.")]
    ImpossibleLength {
        /// The parameter's name.
        argument: &'static str,
        /// The number of elements.
        count: usize,
    },

    /// An index or a number outside the range that this object allows.
    #[error("The {what} is {value}, {}.", Outside(*min, *max))]
    OutOfRange {
        /// What the value is for.
        what: &'static str,
        /// The value that was refused.
        value: i128,
        /// The smallest value allowed.
        min: i128,
        /// The largest value allowed; below `min` when the object is empty.
        max: i128,
    },

    /// A number with a fraction, or one outside its range, where a whole one is needed.
    #[error("The {what} is {value:?}, but it must be {rule}.")]
    NotAnInteger {
        /// What the value is for.
        what: &'static str,
        /// The value that was refused.
        value: f64,
        /// What the value has to be.
        rule: &'static str,
    },

    /// A number that this parameter cannot have, such as a scale that is not positive.
    #[error("The {what} is {value:?}, but it must be {rule}.")]
    InvalidNumber {
        /// What the value is for.
        what: &'static str,
        /// The value that was refused.
        value: f64,
        /// What the value has to be.
        rule: &'static str,
    },

    /// A number that this element of an array cannot have.
    #[error("The {what} at index {index} are {value:?}, but they must be {rule}.")]
    InvalidElement {
        /// What the elements are, in the plural.
        what: &'static str,
        /// The first such element.
        index: usize,
        /// Its value.
        value: f64,
        /// What the value has to be.
        rule: &'static str,
    },

    /// A number that the parameter of a channel cannot have.
    #[error("The {what} of channel {channel} is {value:?}, but it must be {rule}.")]
    InvalidChannelNumber {
        /// What the value is for.
        what: &'static str,
        /// The channel.
        channel: usize,
        /// The value that was refused.
        value: f64,
        /// What the value has to be.
        rule: &'static str,
    },

    /// A value to quantize is NaN or infinite. Mend it, or ask for such values to be saturated.
    #[error("The value at index {index} is {value:?}, but it must be finite.")]
    NonFinite {
        /// The first such element.
        index: usize,
        /// Its value.
        value: f64,
    },

    /// A number that must be finite is NaN or infinite. Pass another value.
    #[error("The {what} is {value:?}, but it must be finite.")]
    NonFiniteNumber {
        /// What the value is for.
        what: &'static str,
        /// The value that was refused.
        value: f64,
    },

    /// Of two numbers the one that must not be the larger is. Pass them the other way round.
    #[error("The {what} is {value:?}, but it must be at most the {other}, which is {limit:?}.")]
    OutOfOrder {
        /// The number that must not be larger.
        what: &'static str,
        /// Its value.
        value: f64,
        /// The number that it is compared with.
        other: &'static str,
        /// The value of that.
        limit: f64,
    },

    /// A size is larger than can be counted or stored. Make the object smaller.
    #[error("The {what} would be larger than its limit of {limit}.")]
    Overflow {
        /// The size that would be too large.
        what: &'static str,
        /// The largest value it can have.
        limit: i128,
    },

    /// The memory could not be had. Free some and call again.
    #[error("Out of memory: {bytes} bytes for the {what} could not be allocated.")]
    OutOfMemory {
        /// What the memory was for.
        what: &'static str,
        /// How many bytes were asked for.
        bytes: usize,
    },

    /// Two sizes that must agree do not.
    #[error("The {what} is {value}, but it must be {expected} to fit the shape.")]
    ShapeMismatch {
        /// The size that was given.
        what: &'static str,
        /// Its value.
        value: i128,
        /// The value that the shape asks for.
        expected: i128,
    },

    /// The bytes are no well-formed message of this kind.
    #[error("The {message} is malformed at byte {offset}: {problem}.")]
    Malformed {
        /// The message or file that was being read.
        message: &'static str,
        /// What is wrong with it.
        problem: &'static str,
        /// Where, in bytes from the start of the outermost message or the file.
        offset: u64,
    },

    /// A field holds a value that this library cannot keep without loss.
    #[error("The field '{field}' holds {value}; it must be {rule}.")]
    MalformedValue {
        /// The field's name in the message definition.
        field: &'static str,
        /// The value that was read.
        value: i128,
        /// What the value has to be.
        rule: &'static str,
    },

    /// A field holds a number with a fraction, or one out of range, where a whole one is needed.
    #[error("The field '{field}' holds {value:?}; it must be {rule}.")]
    MalformedNumber {
        /// The field's name in the message definition.
        field: &'static str,
        /// The value that was read.
        value: f64,
        /// What the value has to be.
        rule: &'static str,
    },

    /// The chunks of a large tensor do not make it up.
    #[error("The chunked tensor is malformed at element {offset}: {problem}.")]
    MalformedChunks {
        /// What is wrong with the chunks.
        problem: &'static str,
        /// The first element that it concerns.
        offset: u64,
    },

    /// A field that the message must have is not there.
    #[error("The {message} has no field '{field}', which is required.")]
    MissingField {
        /// The message that lacks it.
        message: &'static str,
        /// The field's name in the message definition.
        field: &'static str,
    },

    /// A name or type that this library does not know.
    #[error("The {what} is '{value}', which is not supported: {reason}.")]
    UnsupportedName {
        /// What the name is.
        what: &'static str,
        /// The beginning of the name.
        value: Excerpt,
        /// What would be supported.
        reason: &'static str,
    },

    /// A number that is legal but that this operation cannot work with.
    #[error("The {what} is {value}, which is not supported: {reason}.")]
    Unsupported {
        /// What the value is for.
        what: &'static str,
        /// Its value.
        value: i128,
        /// What would be supported.
        reason: &'static str,
    },

    /// A number that is legal but that this operation cannot work with.
    #[error("The {what} is {value:?}, which is not supported: {reason}.")]
    UnsupportedNumber {
        /// What the value is for.
        what: &'static str,
        /// Its value.
        value: f64,
        /// What would be supported.
        reason: &'static str,
    },

    /// Two arguments share memory. Only the C interface returns it.
    #[error("The arguments '{first}' and '{second}' overlap; they must not share memory.")]
    Overlap {
        /// The first parameter's name.
        first: &'static str,
        /// The other's.
        second: &'static str,
    },

    /// The caller's buffer is too small for the result.
    #[error("The {what} holds {capacity} bytes, but {needed} are needed.")]
    BufferTooSmall {
        /// Which buffer.
        what: &'static str,
        /// Its size in bytes.
        capacity: usize,
        /// The size in bytes that would do.
        needed: usize,
    },

    /// The database holds no record of that name.
    #[error("The database has no {what} named '{name}'.")]
    NotFound {
        /// What was looked for.
        what: &'static str,
        /// The beginning of the name.
        name: Excerpt,
    },

    /// Something that this machine does not have, or does not let this process have.
    #[error("The {what} is not available: {reason}.")]
    Unavailable {
        /// What was asked for.
        what: &'static str,
        /// Why it cannot be had.
        reason: &'static str,
    },

    /// The operating system refused an operation on a file.
    #[error("Cannot {operation}: {kind} (system error {code}).")]
    Io {
        /// What was being done.
        operation: &'static str,
        /// What kind of failure it was.
        kind: io::ErrorKind,
        /// The operating system's error number, or 0 where there is none.
        code: i32,
    },

    /// A path leads to something that is no regular file, or is empty.
    #[error("Cannot {operation}: its path leads to {what}, which is no regular file.")]
    NotAFile {
        /// What was being done.
        operation: &'static str,
        /// What the path leads to.
        what: &'static str,
    },

    /// The object cannot do this any more.
    #[error("The {what} cannot be used: {reason}.")]
    Finished {
        /// Which object.
        what: &'static str,
        /// What happened to it.
        reason: &'static str,
    },
}

/// What is wrong with a number outside the range from one to another, which is empty where the second
/// is the smaller.
struct Outside(i128, i128);

impl fmt::Display for Outside {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Outside(min, max) = self;
        match min <= max {
            true => write!(formatter, "outside the range {min} to {max}"),
            false => formatter.write_str("but there is none"),
        }
    }
}

/// What kind of refusal an [`Error`] is: the status that the C interface returns for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A NULL pointer.
    NullArgument,
    /// A value that makes no sense here.
    InvalidArgument,
    /// A value outside its range.
    OutOfRange,
    /// A size beyond what can be counted.
    Overflow,
    /// Memory ran out.
    OutOfMemory,
    /// Sizes that must agree do not.
    ShapeMismatch,
    /// Bytes that are no valid message.
    Malformed,
    /// Legal, but not something this library does.
    Unsupported,
    /// A buffer that the result does not fit.
    BufferTooSmall,
    /// The file system refused.
    Io,
    /// A value that is NaN or infinite.
    NonFinite,
    /// What was asked for is not there.
    Unavailable,
}

impl Error {
    /// The kind of refusal, for code that wants to act on it.
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Error::NullArgument { .. } => ErrorKind::NullArgument,
            Error::InvalidArgument { .. }
            | Error::Misaligned { .. }
            | Error::ImpossibleLength { .. }
            | Error::InvalidNumber { .. }
            | Error::InvalidElement { .. }
            | Error::InvalidChannelNumber { .. }
            | Error::OutOfOrder { .. }
            | Error::Overlap { .. }
            | Error::Finished { .. } => ErrorKind::InvalidArgument,
            Error::NonFinite { .. } | Error::NonFiniteNumber { .. } => ErrorKind::NonFinite,
            Error::OutOfRange { .. } | Error::NotAnInteger { .. } => ErrorKind::OutOfRange,
            Error::Overflow { .. } => ErrorKind::Overflow,
            Error::OutOfMemory { .. } => ErrorKind::OutOfMemory,
            Error::ShapeMismatch { .. } => ErrorKind::ShapeMismatch,
            Error::Malformed { .. }
            | Error::MalformedValue { .. }
            | Error::MalformedNumber { .. }
            | Error::MalformedChunks { .. }
            | Error::MissingField { .. } => ErrorKind::Malformed,
            Error::UnsupportedName { .. }
            | Error::UnsupportedNumber { .. }
            | Error::Unsupported { .. } => ErrorKind::Unsupported,
            Error::BufferTooSmall { .. } => ErrorKind::BufferTooSmall,
            Error::Io { .. } | Error::NotAFile { .. } => ErrorKind::Io,
            Error::NotFound { .. } | Error::Unavailable { .. } => ErrorKind::Unavailable,
        }
    }

    /// An [`Error::Io`] for an operation that reads "Cannot {operation}".
    pub(crate) fn io(operation: &'static str) -> impl Fn(io::Error) -> Error {
        move |error| Error::Io {
            operation,
            kind: error.kind(),
            code: error.raw_os_error().unwrap_or(0),
        }
    }
}
