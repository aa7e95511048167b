//! Damaged and hostile messages: refused with a reason or read as what they say, never a panic.
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
    clippy::cast_precision_loss,
    reason = "a test stops at the first thing that is not as it should be"
)]

mod check;
mod flips;
#[path = "../support/golden.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod golden;
#[path = "../support/guard.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod guard;
mod handmade;
#[path = "../support/message.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod message;
mod reference;
