//! Damaged database files, and files that cannot be read or written.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "a test stops at the first thing that is not as it should be"
)]

mod chunks;
mod damage;
mod files;
mod folder;
#[path = "../support/message.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod message;
mod writing;

use caffe2_qtensor::{Error, ErrorKind};

/// A call is refused for this reason, with a whole sentence that holds these words.
fn check_refused<T>(what: &str, result: Result<T, Error>, kind: ErrorKind, words: &str) {
    let Err(error) = result else { panic!("{what} was taken") };
    let message = error.to_string();
    assert_eq!(error.kind(), kind, "{what}: {message}");
    assert!(message.contains(words), "{what}: {message}");
    assert!(message.starts_with(|first: char| first.is_ascii_uppercase()), "{message}");
    assert!(message.ends_with('.') && message.len() < 384, "{message}");
}
