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

/// What lies outside. Pairs of which a number is not finite are left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outside {
    /// References below.
    pub low: u64,
    /// References above.
    pub high: u64,
    /// Either, where the reference is not 0 and the value is.
    pub zeroed: u64,
}

impl Outside {
    /// Adds what was found elsewhere.
    pub fn add(&mut self, other: &Outside) {
        self.low += other.low;
        self.high += other.high;
        self.zeroed += other.zeroed;
    }

    /// Adds one pair.
    #[inline(always)]
    pub fn add_pair(&mut self, reference: f32, value: f32, limits: &Limits) {
        self.note(reference, value, reference < limits.low, reference > limits.high);
    }

    #[inline(always)]
    fn note(&mut self, reference: f32, value: f32, low: bool, high: bool) {
        let finite = reference.is_finite() & value.is_finite();
        let (low, high) = (low & finite, high & finite & !low);
        self.low += u64::from(low);
        self.high += u64::from(high);
        self.zeroed += u64::from((low | high) & (value == 0.0) & (reference != 0.0));
    }
}

struct Plain<'a>(&'a [f32], &'a [f32], Limits);

impl Step<Outside> for Plain<'_> {
    #[inline(always)]
    fn run(self, out: &mut [Outside]) {
        let Plain(references, values, limits) = self;
        let mut found = Outside::default();
        for (x, y) in references.iter().zip(values) {
            found.add_pair(*x, *y, &limits);
        }
        out[0] = found;
    }
}

struct Magnitudes<'a>(&'a [f32], &'a [f32], Limits, bool);

impl Step<Outside> for Magnitudes<'_> {
    #[inline(always)]
    fn run(self, out: &mut [Outside]) {
        let Magnitudes(references, values, limits, signed) = self;
        let mut found = Outside::default();
        for (x, y) in references.iter().zip(values) {
            let below = ((x.abs() < limits.low) & (*x != 0.0)) | ((*x < 0.0) & !signed);
            found.note(*x, *y, below, x.abs() > limits.high);
        }
        out[0] = found;
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
