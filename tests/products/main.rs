//! Matrix products against the definition: sums against 128-bit integers, values and codes against
//! double precision.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a test that fails may panic, and its numbers are its own"
)]

mod case;
mod codes;
mod dnnlowp;
mod floats;
#[cfg(all(feature = "capi", target_os = "linux"))]
#[path = "../support/guard.rs"]
#[allow(dead_code, reason = "another test uses the rest")]
mod guard;
#[cfg(all(feature = "capi", target_os = "linux"))]
mod guarded;
mod method;
mod refusals;
mod shapes;
mod threads;
