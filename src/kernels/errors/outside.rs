//! How many values lie outside of what codes reach.

use super::Level;
use crate::kernels::compiled::{Step, compiled_for};

/// Numbers that codes reach: from `low` to `high`, both included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// What is below saturates at the lowest code.
    pub low: f32,
    /// What is above saturates at the highest one.
    pub high: f32,
}

impl Limits {
    /// Those that all numbers are within.
    pub const NONE: Limits = Limits { low: f32::NEG_INFINITY, high: f32::INFINITY };
}

/// What lies outside of limits, and what became 0 within. Pairs of which a number is not finite are
/// left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outside {
    /// References below.
    pub low: u64,
    /// References above.
    pub high: u64,
    /// References within that are not 0 and whose value is.
    pub flushed: u64,
}

impl Outside {
    /// Adds what was found elsewhere.
    pub fn add(&mut self, other: &Outside) {
        self.low += other.low;
        self.high += other.high;
        self.flushed += other.flushed;
    }

    /// Adds one pair.
    #[inline(always)]
    pub fn add_pair(&mut self, reference: f32, value: f32, limits: &Limits) {
        let mut one = [0; 3];
        note(&mut one, reference, value, reference < limits.low, reference > limits.high);
        self.add_counts(one);
    }

    #[inline(always)]
    fn add_counts(&mut self, [low, high, flushed]: [u32; 3]) {
        self.low += u64::from(low);
        self.high += u64::from(high);
        self.flushed += u64::from(flushed);
    }
}

/// Adds a pair to counts, without a branch and as wide as the numbers are, so that loops are
/// vectorized.
#[inline(always)]
fn note(counts: &mut [u32; 3], reference: f32, value: f32, low: bool, high: bool) {
    let magnitude = |number: f32| number.to_bits() & 0x7fff_ffff;
    let finite = |number: f32| u32::from(magnitude(number) < 0x7f80_0000);
    let counts_at_all = finite(reference) & finite(value);
    let low = u32::from(low) & counts_at_all;
    let high = u32::from(high) & counts_at_all & (low ^ 1);
    let zeroed = u32::from(magnitude(value) == 0) & u32::from(magnitude(reference) != 0);
    counts[0] += low;
    counts[1] += high;
    counts[2] += zeroed & counts_at_all & (low ^ 1) & (high ^ 1);
}

/// Pairs whose counts fit 32 bits.
const PART: usize = 1 << 20;

struct Plain<'a>(&'a [f32], &'a [f32], Limits);

impl Step<Outside> for Plain<'_> {
    #[inline(always)]
    fn run(self, out: &mut [Outside]) {
        let Plain(references, values, limits) = self;
        for (references, values) in references.chunks(PART).zip(values.chunks(PART)) {
            let mut found = [0; 3];
            for (x, y) in references.iter().zip(values) {
                note(&mut found, *x, *y, *x < limits.low, *x > limits.high);
            }
            out[0].add_counts(found);
        }
    }
}

struct Magnitudes<'a>(&'a [f32], &'a [f32], Limits, bool);

impl Step<Outside> for Magnitudes<'_> {
    #[inline(always)]
    fn run(self, out: &mut [Outside]) {
        let Magnitudes(references, values, limits, signed) = self;
        for (references, values) in references.chunks(PART).zip(values.chunks(PART)) {
            let mut found = [0; 3];
            for (x, y) in references.iter().zip(values) {
                let below = ((x.abs() < limits.low) & (*x != 0.0)) | ((*x < 0.0) & !signed);
                note(&mut found, *x, *y, below, x.abs() > limits.high);
            }
            out[0].add_counts(found);
        }
    }
}

/// Counts the references outside of limits; the slices are of one length.
pub fn outside(level: Level, references: &[f32], values: &[f32], limits: Limits) -> Outside {
    let mut found = [Outside::default()];
    compiled_for(level, Plain(references, values, limits), &mut found);
    found[0]
}

/// Counts those whose magnitude is outside of limits, 0 excepted, and if there is no sign those
/// below 0, as too low; the slices are of one length.
pub fn outside_magnitudes(
    level: Level,
    references: &[f32],
    values: &[f32],
    limits: Limits,
    signed: bool,
) -> Outside {
    let mut found = [Outside::default()];
    compiled_for(level, Magnitudes(references, values, limits, signed), &mut found);
    found[0]
}
