//! What the `qtensor` command reads: files of floats or of tensors, recognized by their content.
//!
//! The command itself is the binary of this package. This part stands apart so that it needs nothing
//! but the library.

#![forbid(unsafe_code)]

pub mod input;
