//! The command, driven as its users drive it: each subcommand well and badly, and how it ends.
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

mod convert;
mod dequantize;
mod diff;
mod endings;
mod formats;
mod help;
mod inspect;
mod memory;
#[path = "../../../tests/support/message.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod message;
mod npy;
mod plan;
mod quantize;
mod readme;
mod run;
mod usage;
mod verify;
