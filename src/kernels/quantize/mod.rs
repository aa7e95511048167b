//! Floats to codes.
//!
//! The specification is [`Formula::code`], one value at a time; `tests/kernels_quantize.rs` holds
//! every level to it. `exact` evaluates it as it stands, in double precision, for every
//! precision and rounding. `narrow` is for codes of at most 8 bits: it works in single precision
//! with a bound on its own error, finds the values for which that could matter (they lie next to
//! the border between two codes) and evaluates those by the specification.

mod exact;
mod formula;
mod narrow;

pub use exact::{Wide, exact};
pub use formula::{Counts, Formula, Outcome, Rounding, Rules, Step};
pub use narrow::{Codes, Fast, Input, Steps, narrow};
