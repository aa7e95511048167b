//! Measurements: errors beside sums that lose nothing, what follows from them, codes, sizes, time
//! and energy.
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

mod channels;
mod derived;
mod energy;
mod histograms;
mod merging;
#[path = "../support/random.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod random;
mod reference;
mod refusals;
mod sums;
mod tensors;

use caffe2_qtensor::measure::ErrorOptions;

/// All histograms.
const ALL: ErrorOptions =
    ErrorOptions { code_histogram: true, error_histogram: true, value_histogram: true, threads: 1 };
