//! The specification in bulk: every precision, every rounding, in double precision.
//!
//! Plain Rust, compiled once for each level.

use super::formula::{Counts, Formula};
use crate::kernels::Level;

/// A type of values that double precision holds exactly.
pub trait Wide: Copy {
    /// The value.
    fn wide(self) -> f64;
}

impl Wide for f32 {
    #[inline(always)]
    fn wide(self) -> f64 {
        f64::from(self)
    }
}

impl Wide for f64 {
    #[inline(always)]
    fn wide(self) -> f64 {
        self
    }
}

/// The codes of values whose first has the index `first`. The slices are of one length.
///
/// The formula holds for all of them.
pub fn exact<T: Wide>(
    _level: Level,
    values: &[T],
    formula: &Formula,
    first: u64,
    codes: &mut [i64],
    counts: &mut Counts,
) {
    for ((value, code), index) in values.iter().zip(codes).zip(first..) {
        let (found, outcome) = formula.code(value.wide(), index);
        *code = found;
        counts.note(outcome);
    }
}
