//! Fixed-point arithmetic on random tensors against its definitions: rational numbers of 128-bit
//! integers where the parameters are such, double precision where they are any doubles, and dnnlowp's
//! formula as it is written.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a test that fails may panic, and its numbers are its own"
)]

mod any_doubles;
mod dnnlowp;
#[cfg(all(feature = "capi", target_os = "linux"))]
#[path = "../support/guard.rs"]
mod guard;
#[cfg(all(feature = "capi", target_os = "linux"))]
mod guarded;
mod random;
mod rational;
mod reductions;
mod refusals;
mod threads;
