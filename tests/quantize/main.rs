//! Floats to the codes of a tensor and back: what is promised, against one value at a time.
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

mod caffe2;
mod channels;
#[path = "../support/definition.rs"]
mod definition;
mod exact;
#[path = "../support/golden.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod golden;
mod large;
mod non_finite;
mod padding;
mod reference;
mod refusals;
mod there_and_back;
