//! What values lost: sums over pairs of a reference `x` and a value `y`.
//!
//! [`sums`] adds up, over a block of pairs, the error `e = y - x`, its magnitude and square, and the
//! products `x * x`, `x * y` and `y * y`, all in double precision. A product of two numbers of single
//! precision is exact there, and so is the error unless the two are more than 2^29 apart.
//!
//! The specification, to the last bit, is `portable`: pair `i` of a block is added to lane `i % 8`,
//! and the lanes are added up in a fixed order. A block has at most [`BLOCK`] pairs, so that no lane
//! has more than 128 terms: each sum is within `130 * 2^-53`, less than `1.5e-14`, of the sum of its
//! terms' magnitudes. `tests/kernels_errors.rs` holds every level to it.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod indices;
mod outside;
mod portable;

use super::cpu::{Kind, Level};

pub use indices::{Indices, NO_ERROR, OCTAVE_BINS, bin_range, indices};
pub use outside::{Limits, Outside, outside, outside_magnitudes};

/// The most pairs in a block: reference, values and what is made of them fit the first-level cache.
pub const BLOCK: usize = 1024;

/// What is added up of a block.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sums {
    /// The sum of `y - x`.
    pub error: f64,
    /// The sum of `|y - x|`; not finite if and only if a number of any pair is not.
    pub absolute: f64,
    /// The sum of `(y - x)^2`.
    pub squared: f64,
    /// The sum of `x^2`.
    pub xx: f64,
    /// The sum of `x * y`.
    pub xy: f64,
    /// The sum of `y^2`.
    pub yy: f64,
    /// The largest `|y - x|`; 0 without pairs.
    pub max: f64,
    /// The smallest `x`; positive infinity without pairs.
    pub low: f32,
    /// The largest `x`; negative infinity without pairs.
    pub high: f32,
    /// Pairs of which `y` is 0 and `x` is not.
    pub flushed: u64,
}

impl Sums {
    /// Whether all numbers were finite. Where they were not, no other field means anything.
    pub fn is_finite(&self) -> bool {
        self.absolute.is_finite()
    }
}

/// Adds up a block of at most [`BLOCK`] pairs; the slices are of one length (the function panics
/// otherwise).
pub fn sums(level: Level, reference: &[f32], values: &[f32]) -> Sums {
    assert!(reference.len() == values.len(), "there is a value for each reference");
    assert!(reference.len() <= BLOCK, "a block has at most {BLOCK} pairs");
    match level.kind() {
        Kind::Portable => portable::sums(reference, values),
        // SAFETY: a `Level` of this kind exists only where AVX2 and FMA do; the lengths were checked.
        #[cfg(target_arch = "x86_64")]
        Kind::Avx2 => unsafe { avx2::sums(reference, values) },
        // SAFETY: a `Level` of this kind exists only where AVX-512 F, DQ and VL do; the lengths were
        // checked.
        #[cfg(target_arch = "x86_64")]
        Kind::Avx512 => unsafe { avx512::sums(reference, values) },
    }
}

/// Lanes of a sum.
const LANES: usize = 8;

/// The sum of lanes, in the order that all levels have in common.
#[inline(always)]
fn total(lanes: [f64; LANES]) -> f64 {
    let [a, b, c, d, e, f, g, h] = lanes;
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}
