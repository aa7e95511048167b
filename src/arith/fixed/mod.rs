//! Elementwise operations on codes, in integers from one tensor's codes to the other's.
//!
//! The value of a code is `scale * (x + bias)`, so the position of a result among the codes of the
//! output is a polynomial in the codes of the operands. Its coefficients become fixed-point integers
//! once, for the tensor or for each channel ([`steps`]); each element is then multiplied, added,
//! rounded once and clamped. Reductions ([`dot`], [`argmax`]) stay in integers as long as they can.

mod argmax;
mod codes;
mod dot;
mod double;
mod operand;
mod pair;
mod rule;
mod single;
mod steps;
mod table;

use super::multiplier::FixedRounding;

/// The highest precision of operands and results.
const MAX_PRECISION: u8 = 16;

/// What a fixed-point operation is asked for.
///
/// ```
/// use caffe2_qtensor::{FixedOptions, FixedRounding};
///
/// let options = FixedOptions { rounding: FixedRounding::Dnnlowp, ..FixedOptions::default() };
/// assert_eq!(options.threads, 1);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FixedOptions {
    /// How a position between two codes becomes one of them.
    pub rounding: FixedRounding,
    /// On how many threads to work; 0 is 1. The codes are the same for any number.
    pub threads: usize,
}

impl Default for FixedOptions {
    /// To the nearest code (even in the middle), one thread.
    fn default() -> FixedOptions {
        FixedOptions { rounding: FixedRounding::Nearest, threads: 1 }
    }
}
