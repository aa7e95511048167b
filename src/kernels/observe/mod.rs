//! Floats to counts and exact sums: what a calibration remembers of them.
//!
//! [`scan`] finds the range of some values and how many of them are special. [`tally`] sorts them
//! into the slots of a [`Grid`] and adds up, in each slot, their number, their offsets from the
//! slot's beginning and the squares of those. Offsets are integers, so the sums are exact and the
//! order of the values does not matter.
//!
//! # Slots
//!
//! A grid divides both halves of the real line from 0 on into bins of width `2^exponent`. The value
//! `x` has the magnitude index `j = floor(|x| / 2^exponent)`; its index is `j`, or `-1 - j` where it
//! has a sign. All indices of the values that are tallied lie within a window of as many bins as
//! the table has, so that the lowest bits of the index name the slot. In a bin with `j` of at least
//! 1 every single-precision number is a whole number of `2^(exponent - 23)`, fewer than `2^23` of
//! them from the bin's beginning: its *offset*.
//!
//! In the bins next to 0, `j = 0`, numbers of any smallness lie. These have slots of their own, an
//! *octave* each: the sign and the exponent of the number, as they stand in its upper nine bits,
//! name the slot, and the mantissa's 23 bits are the offset.
//!
//! The specification of both is in `portable`; `tests/kernels_observe.rs` holds every level to it.

mod bins;
mod portable;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;

use super::cpu::{Kind, Level};

pub use bins::{BinsMut, BinsRef, OCTAVES, Sums, index, smallest_exponent};

/// Bits of an offset.
pub const OFFSET_BITS: u32 = 23;

/// The most values that a table is given before it is emptied.
pub const MOST_VALUES: usize = 1 << 20;

/// Slots of a table for values that have none: several, so that zeros in a row do not wait for each
/// other.
pub const NOWHERE: usize = 16;

/// What a scan finds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scan {
    /// NaN of either sign.
    pub nan: u64,
    /// Positive infinities.
    pub positive_infinite: u64,
    /// Negative infinities.
    pub negative_infinite: u64,
    /// Zeros of either sign.
    pub zeros: u64,
    /// The smallest finite value other than 0; positive infinity where there is none.
    pub min: f32,
    /// The largest finite value other than 0; negative infinity where there is none.
    pub max: f32,
}

impl Scan {
    /// What a scan of no values finds.
    pub const EMPTY: Scan = Scan {
        nan: 0,
        positive_infinite: 0,
        negative_infinite: 0,
        zeros: 0,
        min: f32::INFINITY,
        max: f32::NEG_INFINITY,
    };

    /// NaN and infinities.
    pub fn non_finite(&self) -> u64 {
        self.nan + self.positive_infinite + self.negative_infinite
    }

    /// Adds what another scan found.
    pub fn add(&mut self, other: &Scan) {
        self.nan += other.nan;
        self.positive_infinite += other.positive_infinite;
        self.negative_infinite += other.negative_infinite;
        self.zeros += other.zeros;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }
}

/// The number and the range of some values.
pub fn scan(level: Level, values: &[f32]) -> Scan {
    match level.kind() {
        Kind::Portable => portable::scan(values),
        // SAFETY: a `Level` of this kind exists only where AVX2 does.
        #[cfg(target_arch = "x86_64")]
        Kind::Avx2 => unsafe { avx2::scan(values) },
        // SAFETY: a `Level` of this kind exists only where AVX-512 F and DQ do.
        #[cfg(target_arch = "x86_64")]
        Kind::Avx512 => unsafe { avx512::scan(values) },
    }
}

/// Which slot a value belongs to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grid {
    /// The bins' width is 2 to this power.
    exponent: i32,
    /// The number of bins less one.
    mask: u32,
    /// Two powers of two whose product is the reciprocal of the width, which need not be a float.
    factors: [f32; 2],
}

impl Grid {
    /// The grid of so many bins, a power of two of at most 2^16, and this width, which is at least
    /// that of the smallest float and at most `2^127` (the function panics otherwise).
    pub fn new(exponent: i32, bins: usize) -> Grid {
        assert!(bins.is_power_of_two() && bins <= 1 << 16, "a grid of {bins} bins");
        assert!((-149..=127).contains(&exponent), "bins of width 2^{exponent}");
        let half = -exponent / 2;
        let power = |exponent: i32| f32::from_bits(((exponent + 127) as u32) << 23);
        Grid { exponent, mask: bins as u32 - 1, factors: [power(half), power(-exponent - half)] }
    }

    /// The exponent of the bins' width.
    pub fn exponent(&self) -> i32 {
        self.exponent
    }

    /// Slots of a table: those of the bins, those of the octaves, and some for what is in neither.
    pub fn slots(&self) -> usize {
        self.bins() + OCTAVES + NOWHERE
    }

    fn bins(&self) -> usize {
        self.mask as usize + 1
    }

    /// The slot of a value and its offset; zeros and what is not finite go to the first
    /// of those behind all others.
    #[inline(always)]
    pub fn place(&self, value: f32) -> (usize, u32) {
        let bits = value.to_bits();
        let magnitude = bits & 0x7fff_ffff;
        if magnitude == 0 || magnitude >= 0x7f80_0000 {
            return (self.bins() + OCTAVES, 0);
        }
        // Exact, or too small to be 1: powers of two change no mantissa.
        let position = f32::from_bits(magnitude) * self.factors[0] * self.factors[1];
        let whole = position as i32;
        if whole == 0 {
            return (self.bins() + (bits >> OFFSET_BITS) as usize, bits & 0x007f_ffff);
        }
        let index = whole ^ (bits as i32 >> 31);
        let offset = (position - whole as f32) * (1 << OFFSET_BITS) as f32;
        ((index as u32 & self.mask) as usize, offset as u32)
    }
}

/// The sums of one slot. What they are sums of is chosen so that [`MOST_VALUES`] fit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C, align(16))]
pub struct Pair {
    /// `2^43` and the offset, of each value.
    packed: u64,
    /// The square of the offset less `2^22`, of each value.
    squares: u64,
}

const COUNT_SHIFT: u32 = 43;
const MIDDLE: i64 = 1 << (OFFSET_BITS - 1);

impl Pair {
    #[inline(always)]
    fn note(&mut self, offset: u32) {
        let centered = i64::from(offset) - MIDDLE;
        self.packed = self.packed.wrapping_add((1 << COUNT_SHIFT) + u64::from(offset));
        self.squares = self.squares.wrapping_add((centered * centered) as u64);
    }

    /// The number of values, the sum of their offsets and that of their squares.
    #[inline(always)]
    fn sums(&self) -> Sums {
        let count = self.packed >> COUNT_SHIFT;
        let first = u128::from(self.packed & ((1 << COUNT_SHIFT) - 1));
        let moved = u128::from(self.squares) + (first << OFFSET_BITS);
        Sums { count, first, second: moved - (u128::from(count) << (2 * (OFFSET_BITS - 1))) }
    }
}

/// Values that are placed before their sums are added up. The two are apart because the compiler
/// would otherwise hand the places over in registers, at several times the price of memory; and so
/// values outside the window are found before any of their batch is added.
const BATCH: usize = 256;

/// Where values go, in bytes from the table's start, and what is added there.
#[cfg(target_arch = "x86_64")]
#[repr(align(64))]
struct Placed {
    places: [u32; BATCH],
    sums: [Pair; BATCH],
}

#[cfg(target_arch = "x86_64")]
impl Placed {
    const EMPTY: Placed =
        Placed { places: [0; BATCH], sums: [Pair { packed: 0, squares: 0 }; BATCH] };
}

/// Adds values to a table, which has twice the slots of the grid: of two neighbors in the same slot
/// one goes to the second half, so that they do not wait for each other and half of
/// [`MOST_VALUES`] is the most that one sum has.
///
/// All indices between those of `range`, which holds 0 where zeros are to be taken, are in the
/// window. Where a value that is finite lies outside, the values from somewhere before it on are left
/// alone. Returns how many were taken and what a scan of them finds. Between two [`BinsMut::empty`]
/// a table takes [`MOST_VALUES`].
pub fn tally(
    level: Level,
    values: &[f32],
    grid: &Grid,
    range: (f32, f32),
    table: &mut [Pair],
) -> (usize, Scan) {
    assert_eq!(table.len(), 2 * grid.slots(), "the table is that of the grid");
    match level.kind() {
        Kind::Portable => portable::tally(values, grid, range, table),
        // SAFETY: a `Level` of this kind exists only where AVX2 does; the table's size was checked.
        #[cfg(target_arch = "x86_64")]
        Kind::Avx2 => unsafe { avx2::tally(values, grid, range, table) },
        // SAFETY: a `Level` of this kind exists only where AVX-512 F and DQ do; the table's size was
        // checked.
        #[cfg(target_arch = "x86_64")]
        Kind::Avx512 => unsafe { avx512::tally(values, grid, range, table) },
    }
}

impl Scan {
    /// Counts the values that are not finite: seldom any, so they are looked at one by one.
    #[cold]
    fn add_non_finite(&mut self, values: &[f32]) {
        for value in values {
            self.nan += u64::from(value.is_nan());
            self.positive_infinite += u64::from(*value == f32::INFINITY);
            self.negative_infinite += u64::from(*value == f32::NEG_INFINITY);
        }
    }

    /// Whether all finite values lie in a range.
    #[inline(always)]
    fn is_within(&self, (min, max): (f32, f32)) -> bool {
        self.min >= min && self.max <= max && (self.zeros == 0 || min <= 0.0 && max >= 0.0)
    }
}
