//! Which bin of a histogram of magnitudes an error belongs to.
//!
//! Each octave, from `2^k` to `2^(k + 1)`, is cut into 32 bins of one width. Errors of finite numbers
//! in single precision are 0 or from `2^-149` to below `2^129`; the bins are numbered from 1 on, and 0
//! is the number of errors that are 0. The upper bits of a double are that number, but for an offset.

use super::Level;
use crate::kernels::compiled::{Step, compiled_for};

/// Bins in an octave.
pub const OCTAVE_BINS: u16 = 1 << BITS;

/// The number for an error of 0.
pub const NO_ERROR: u16 = 0;

const BITS: u32 = 5;
const MANTISSA: u32 = 52;
/// The exponent of the smallest error.
const SMALLEST: i64 = -149;
/// What the upper bits of the smallest error are, less 1.
const OFFSET: i64 = ((1023 + SMALLEST) << BITS) - 1;

/// The range of the numbers of bins in a block, of errors other than 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Indices {
    /// The lowest one; `u16::MAX` where there is none.
    pub low: u16,
    /// The highest one; 0 where there is none.
    pub high: u16,
}

/// The lower and upper end of bin `index`, from 1 on.
pub fn bin_range(index: u16) -> (f64, f64) {
    let edge = |index: i64| f64::from_bits(((index + OFFSET) as u64) << (MANTISSA - BITS));
    (edge(i64::from(index)), edge(i64::from(index) + 1))
}

struct Numbers<'a>(&'a [f32], &'a [f32], &'a mut Indices);

impl Step<u16> for Numbers<'_> {
    #[inline(always)]
    fn run(self, out: &mut [u16]) {
        let Numbers(references, values, range) = self;
        let (mut low, mut high) = (u16::MAX, 0);
        for ((x, y), out) in references.iter().zip(values).zip(out) {
            let error = f64::from(*y) - f64::from(*x);
            let upper = (error.abs().to_bits() >> (MANTISSA - BITS)) as i64;
            // Of finite numbers it is never above `2^14`.
            let index = (upper - OFFSET).max(0) as u16;
            *out = index;
            low = low.min(index.wrapping_sub(1));
            high = high.max(index);
        }
        *range = Indices { low: low.saturating_add(1), high };
    }
}

/// Numbers of the bins of `y - x`, all of which are finite; the slices are of one length (the
/// function panics otherwise).
pub fn indices(level: Level, references: &[f32], values: &[f32], out: &mut [u16]) -> Indices {
    assert!(references.len() == values.len(), "there is a value for each reference");
    assert!(references.len() == out.len(), "there is a number for each");
    let mut range = Indices { low: u16::MAX, high: 0 };
    compiled_for(level, Numbers(references, values, &mut range), out);
    range
}
