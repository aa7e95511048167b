//! What the kernels have in common: their arguments, and all that is done one value at a time.

use super::super::formula::{Counts, Formula, Outcome, Rounding, Rules};
#[cfg(target_arch = "x86_64")]
use super::AHEAD;
use super::{Codes, FRACTION, GROUP, Input, Steps};

/// All that a kernel needs.
pub(super) struct Job<'a> {
    pub(super) input: Input<'a>,
    pub(super) steps: Steps<'a>,
    pub(super) rules: &'a Rules,
    pub(super) codes: Codes<'a>,
    pub(super) counts: Option<&'a mut Counts>,
    pub(super) non_finite: u64,
}

/// What a kernel counts, of whole groups at a time: doubtful values and those that fill up the
/// last group count too, until [`Job::settle`] takes them back. As the sums of a kernel may reach
/// this after that, the numbers wrap.
#[derive(Clone, Copy, Default)]
pub(super) struct Tally {
    /// Codes below the lowest.
    pub(super) below: u64,
    /// Codes above the highest.
    pub(super) above: u64,
    /// Codes equal to [`Job::zero_code`].
    pub(super) zero_codes: u64,
    /// Values equal to 0.
    pub(super) zero_values: u64,
    /// With a step for each value: values that were flushed to 0.
    pub(super) flushed: u64,
}

/// Where the slices of a job, or what stands in for them, begin.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) values: *const f32,
    pub(super) multipliers: *const f32,
    pub(super) offsets: *const f32,
    pub(super) bytes: *mut u8,
    /// Null where there is no such plane.
    pub(super) signs: *mut u8,
}

#[cfg(target_arch = "x86_64")]
impl Place {
    /// The place `by` elements further on.
    #[inline(always)]
    pub(super) fn moved(self, by: usize) -> Place {
        Place {
            values: self.values.wrapping_add(by),
            multipliers: self.multipliers.wrapping_add(by),
            offsets: self.offsets.wrapping_add(by),
            bytes: self.bytes.wrapping_add(by),
            signs: if self.signs.is_null() { self.signs } else { self.signs.wrapping_add(by) },
        }
    }
}

impl Job<'_> {
    /// How far ahead of its loads a loop is to prefetch; 0 is what it loads anyway.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn ahead(&self) -> usize {
        if self.input.from_memory { 0 } else { AHEAD }
    }

    /// Where the slices begin.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn place(&mut self) -> Place {
        let (multipliers, offsets) = match self.steps {
            Steps::One(..) => (core::ptr::null(), core::ptr::null()),
            Steps::Each { multipliers, offsets, .. } => (multipliers.as_ptr(), offsets.as_ptr()),
        };
        Place {
            values: self.input.values.as_ptr(),
            multipliers,
            offsets,
            bytes: self.codes.bytes.as_mut_ptr(),
            signs: match self.codes.signs.len() {
                0 => core::ptr::null_mut(),
                _ => self.codes.signs.as_mut_ptr(),
            },
        }
    }

    /// Positions with fewer units than this behind the point are doubtful.
    pub(super) fn window(&self) -> u16 {
        match self.steps {
            Steps::One(_, fast) => fast.window,
            Steps::Each { window, .. } => window,
        }
    }

    /// The code that stands for 0, where there is one for all values.
    pub(super) fn zero_code(&self) -> Option<i16> {
        match self.steps {
            Steps::One(step, _) => {
                let code = -step.bias;
                let inside =
                    (self.rules.lowest() as f64..=self.rules.highest() as f64).contains(&code);
                (inside && code == code.trunc()).then_some(code as i16)
            }
            // Counted for each value by itself.
            Steps::Each { .. } => None,
        }
    }

    /// How far the whole part of an offset, which is the position of 0, lies above the code of the
    /// values that are flushed to 0. With [`Rounding::Ceil`] they lie below it, and 0 itself is
    /// always doubtful.
    pub(super) fn above_zero_code(&self) -> i32 {
        i32::from(self.rules.rounding == Rounding::Ceil)
    }

    /// With a step for each value: how many of the lanes from `at` on were flushed to 0.
    ///
    /// Their values are not 0, and the whole parts of their positions are what the offsets say of
    /// 0: what that leaves to be asked is whether 0 has a code.
    #[cfg(target_arch = "x86_64")]
    #[inline(never)]
    pub(super) fn flushed(&self, at: usize, positions: &[i32; GROUP], mut lanes: u64) -> u64 {
        let mut flushed = 0;
        while lanes != 0 {
            let lane = lanes.trailing_zeros() as usize;
            lanes &= lanes - 1;
            let code = positions[lane] >> FRACTION;
            flushed += u64::from(self.stands_for_zero(at + lane, code));
        }
        flushed
    }

    /// With a step for each value: whether a code, which may be beyond the limits, stands for 0.
    pub(super) fn stands_for_zero(&self, index: usize, code: i32) -> bool {
        let Steps::Each { step, .. } = self.steps else { return false };
        let limits = self.rules.lowest()..=self.rules.highest();
        limits.contains(&i64::from(code))
            && index < self.input.values.len()
            && f64::from(code) == -step(index).bias
    }

    /// Does what a kernel could not, for a group at `at` or part of one: evaluates the doubtful
    /// values by the specification, and takes back what was counted for them and for positions
    /// without a value.
    #[cold]
    #[inline(never)]
    pub(super) fn settle(&mut self, at: usize, positions: &[i32], tally: &mut Tally) {
        let length = (self.input.values.len() - at).min(positions.len());
        let window = i32::from(self.window());
        let mut doubtful = 0;
        for (lane, position) in positions[..length].iter().enumerate() {
            doubtful |= u64::from(position & 0xffff < window) << lane;
        }
        if self.counts.is_some() {
            let lanes_below = |end: usize| u64::MAX >> (GROUP - end);
            let missing = lanes_below(positions.len()) & !lanes_below(length);
            self.take_back(at, positions, doubtful | missing, tally);
        }
        while doubtful != 0 {
            let index = at + doubtful.trailing_zeros() as usize;
            doubtful &= doubtful - 1;
            self.mend(index);
        }
    }

    /// Undoes what a kernel counted for lanes of the group at `at`.
    fn take_back(&self, at: usize, positions: &[i32], mut lanes: u64, tally: &mut Tally) {
        let (lowest, highest) = (self.rules.lowest() as i32, self.rules.highest() as i32);
        let zero = self.zero_code().map(i32::from);
        while lanes != 0 {
            let lane = lanes.trailing_zeros() as usize;
            lanes &= lanes - 1;
            let code = positions[lane] >> FRACTION;
            let value = self.input.values.get(at + lane);
            let not_zero = value.is_some_and(|value| *value != 0.0);
            tally.below = tally.below.wrapping_sub(u64::from(code < lowest));
            tally.above = tally.above.wrapping_sub(u64::from(code > highest));
            tally.zero_codes = tally.zero_codes.wrapping_sub(u64::from(zero == Some(code)));
            tally.zero_values = tally.zero_values.wrapping_sub(u64::from(!not_zero));
            let flushed = not_zero && self.stands_for_zero(at + lane, code);
            tally.flushed = tally.flushed.wrapping_sub(u64::from(flushed));
        }
    }

    /// Evaluates a value by the specification, and counts it.
    fn mend(&mut self, index: usize) {
        let step = match self.steps {
            Steps::One(step, _) => *step,
            Steps::Each { step, .. } => step(index),
        };
        let formula = Formula { rules: *self.rules, step };
        let (code, outcome) = formula
            .code(f64::from(self.input.values[index]), (self.input.first as u64) + index as u64);
        let negative = u8::from(code < 0);
        let magnitude = code.unsigned_abs() as u8;
        self.codes.bytes[index] = match self.rules.precision {
            8 => magnitude,
            precision => magnitude | negative << precision,
        };
        if let Some(sign) = self.codes.signs.get_mut(index) {
            *sign = negative;
        }
        self.non_finite += u64::from(outcome == Outcome::NonFinite);
        if let Some(counts) = &mut self.counts {
            counts.note(outcome);
        }
    }

    /// Adds what was counted to the result.
    pub(super) fn finish(&mut self, tally: &Tally) {
        // Where 0 has a code, every 0 that was not doubtful has it.
        let flushed = match self.zero_code() {
            Some(_) => tally.zero_codes.wrapping_sub(tally.zero_values),
            None => tally.flushed,
        };
        if let Some(counts) = &mut self.counts {
            counts.saturated_low = counts.saturated_low.wrapping_add(tally.below);
            counts.saturated_high = counts.saturated_high.wrapping_add(tally.above);
            counts.flushed_to_zero = counts.flushed_to_zero.wrapping_add(flushed);
        }
    }
}
