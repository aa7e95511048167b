//! Measurements: what quantization lost, what it saved, what that took.
//!
//! [`Errors`] are what the values of a tensor lost against their references, as sums that can be
//! merged: [`QTensor::errors`](crate::QTensor::errors) makes them in one pass that never writes the
//! dequantized values out, [`compare`] from two arrays. [`Sizes`] and [`CodeStatistics`] are the
//! tensor's own. [`time`] is a stopwatch and what several runs say together; [`energy`] is measured
//! where the machine lets us, and modeled beside it.
//!
//! Stands on [`quantize`](crate::quantize), [`QTensor`](crate::QTensor) and `kernels`.

mod channels;
mod codes;
mod derived;
mod distribution;
pub mod energy;
mod errors;
mod magnitudes;
mod merge;
mod options;
mod outside;
mod pairs;
mod pass;
mod sizes;
mod sum;
pub mod time;

#[cfg_attr(not(feature = "capi"), allow(unused_imports, reason = "the C interface's"))]
pub(crate) use codes::check_counted;
pub use codes::{CodeStatistics, MAX_COUNTED_PRECISION};
pub use errors::Errors;
pub use magnitudes::Bin;
pub use options::ErrorOptions;
pub use pass::compare;
pub use sizes::Sizes;
