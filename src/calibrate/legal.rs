//! Whether a state that was read is one that values leave.
//!
//! What passes is safe to merge and to choose by, whoever made it: no sum overflows, and every count
//! lies where the range says that values are.

use super::channel::{Average, Channel, MOST, Rest};
use super::state::Histogram;
use crate::kernels::observe::{OCTAVES, OFFSET_BITS, Scan, index};

/// What is wrong.
type Checked = core::result::Result<(), &'static str>;

impl Channel {
    /// Whether there are values that leave this state.
    pub(super) fn check(&self) -> Checked {
        let Scan { nan, positive_infinite, negative_infinite, zeros, min, max } = self.scan;
        let special = [nan, positive_infinite, negative_infinite];
        let all = special.iter().try_fold(self.finite, |sum, count| sum.checked_add(*count));
        if all.is_none_or(|all| all > MOST) || zeros > self.finite {
            return Err("its counts are too large");
        }
        let ordinary = self.finite.saturating_sub(zeros);
        let none = (min.to_bits(), max.to_bits())
            == (Scan::EMPTY.min.to_bits(), Scan::EMPTY.max.to_bits());
        let some = min.is_finite() && max.is_finite() && min <= max && min != 0.0 && max != 0.0;
        // A single value is both.
        let single = ordinary != 1 || min.to_bits() == max.to_bits();
        if !(if ordinary == 0 { none } else { some && single }) {
            return Err("its range is none");
        }
        match &self.rest {
            Rest::Nothing => Ok(()),
            Rest::Average(average) => average.check(self.finite, self.range()),
            Rest::Histogram(histogram) => histogram.check(ordinary, min, max),
        }
    }
}

impl Average {
    fn check(&self, finite: u64, range: Option<(f32, f32)>) -> Checked {
        let legal = match range {
            None => self.batches == 0 && self.min.to_bits() == 0 && self.max.to_bits() == 0,
            Some((min, max)) => {
                let inside = f64::from(min) <= self.min && self.max <= f64::from(max);
                (1..=finite).contains(&self.batches) && self.min <= self.max && inside
            }
        };
        if legal { Ok(()) } else { Err("its average is none") }
    }
}

impl Histogram {
    fn check(&self, values: u64, min: f32, max: f32) -> Checked {
        let bins = &self.bins;
        let (exponent, width) = (self.exponent(), bins.width());
        let (first, last) = self.window();
        let mask = i32::try_from(width).unwrap_or(0).wrapping_sub(1);
        let octaves = |negative| octaves(negative, (min, max), exponent);
        let octaves = [octaves(false), octaves(true)];
        let mut sum = 0_u64;
        let slots = bins.counts.iter().zip(&bins.first).zip(&bins.second);
        for (slot, ((count, sums), squares)) in slots.enumerate() {
            sum = sum.checked_add(*count).ok_or("its counts are too large")?;
            // Where values may be, the lowest bits that all their offsets lack.
            let free = match slot.checked_sub(width) {
                // A bin inside the window, and not next to 0, where octaves are.
                None => {
                    let slot = i32::try_from(slot).unwrap_or(0);
                    let index = first.wrapping_add(slot.wrapping_sub(first) & mask);
                    let magnitude = index ^ (index >> 31);
                    (index <= last && magnitude > 0).then(|| free_bits(magnitude, exponent))
                }
                // An octave below the bins' width, on a side where there are values.
                Some(octave) => {
                    let bits = u32::try_from(octave % (OCTAVES / 2)).unwrap_or(u32::MAX);
                    let [above, below] = &octaves;
                    let side = if octave < OCTAVES / 2 { above } else { below };
                    side.contains(&bits).then_some(0)
                }
            };
            if free.is_none() && *count > 0 {
                return Err("it has values outside its range");
            }
            // A float in the octave of subnormal ones is not 0.
            let least = if slot.checked_sub(width).is_some_and(|at| at % (OCTAVES / 2) == 0) {
                u128::from(*count)
            } else {
                0
            };
            if *sums < least || !are_sums(*count, *sums, *squares, free.unwrap_or(0)) {
                return Err("no values have its sums");
            }
        }
        if sum != values {
            return Err("its counts do not add up");
        }
        // Both ends of the range are values.
        let ends = [min, max].into_iter().filter(|_| values > 0);
        for end in ends {
            let at = index(end, exponent);
            let slot = if at == 0 || at == -1 {
                width.saturating_add(usize::try_from(end.to_bits() >> OFFSET_BITS).unwrap_or(0))
            } else {
                usize::try_from(at & mask).unwrap_or(usize::MAX)
            };
            if bins.counts.get(slot).is_none_or(|count| *count == 0) {
                return Err("its range has no values at its ends");
            }
        }
        Ok(())
    }
}

/// The octaves of one side of 0 in which values of this range lie, by the exponent's bits, where bins
/// have this width.
fn octaves(negative: bool, (min, max): (f32, f32), exponent: i32) -> core::ops::Range<u32> {
    let (near, far) = if negative { (-max, -min) } else { (min, max) };
    if far < 0.0 || exponent <= -149 {
        return 0..0;
    }
    let bits = |value: f32| (value.to_bits() >> OFFSET_BITS) & 0xff;
    let first = if near > 0.0 { bits(near) } else { 0 };
    // Of an octave next to 0 the first value counts, which is 0 for subnormal ones.
    let narrow = u32::try_from(exponent.wrapping_add(127)).unwrap_or(0).max(1);
    first..bits(far).saturating_add(1).min(narrow)
}

/// How many of the lowest bits are 0 in the offset of every float in a bin that is not next to 0:
/// floats that have a higher bit lack as many low ones, and those below 2^-149 are none.
fn free_bits(magnitude: i32, exponent: i32) -> u32 {
    let subnormal = u32::try_from((-126_i32).saturating_sub(exponent)).unwrap_or(0);
    magnitude.checked_ilog2().unwrap_or(0).max(subnormal)
}

/// Whether so many offsets, whole multiples of a power of two, can have this sum and this sum of
/// squares.
fn are_sums(count: u64, sum: u128, squares: u128, free: u32) -> bool {
    let free = free.min(OFFSET_BITS);
    let (unit, square) = (1_u128 << free, 1_u128 << free.saturating_mul(2));
    if !sum.is_multiple_of(unit) || !squares.is_multiple_of(square) {
        return false;
    }
    let (count, sum, squares) = (u128::from(count), sum >> free, squares >> free.saturating_mul(2));
    let most = (1_u128 << OFFSET_BITS.saturating_sub(free)).wrapping_sub(1);
    if sum > count.saturating_mul(most) {
        return false;
    }
    // The squares are the least where all are as equal as whole numbers can be, and the most where
    // all but one are 0 or the largest there is; and a square is even where its root is.
    let (each, rest) = (sum.checked_div(count).unwrap_or(0), sum.checked_rem(count).unwrap_or(0));
    let square = |value: u128| value.saturating_mul(value);
    let least = count
        .saturating_mul(square(each))
        .saturating_add(rest.saturating_mul(each.saturating_mul(2).saturating_add(1)));
    let (full, part) = (sum.checked_div(most).unwrap_or(0), sum.checked_rem(most).unwrap_or(0));
    let largest = full.saturating_mul(square(most)).saturating_add(square(part));
    (least..=largest).contains(&squares) && (squares ^ sum) & 1 == 0
}
