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
            Rest::Average(average) => average.check(self.finite),
            Rest::Histogram(histogram) => histogram.check(ordinary, min, max),
        }
    }
}

impl Average {
    fn check(&self, finite: u64) -> Checked {
        let zero = Average::default();
        let legal = match finite {
            0 => self.batches == 0 && self.min.to_bits() == 0 && self.max.to_bits() == 0,
            _ => self.batches > zero.batches && self.batches <= finite && self.min <= self.max,
        };
        let within = |value: f64| value.abs() <= f64::from(f32::MAX);
        if legal && within(self.min) && within(self.max) {
            return Ok(());
        }
        Err("its average is none")
    }
}

impl Histogram {
    fn check(&self, values: u64, min: f32, max: f32) -> Checked {
        let bins = &self.bins;
        let (exponent, width) = (self.exponent(), bins.width());
        let (first, last) = self.window();
        let mask = i32::try_from(width).unwrap_or(0).wrapping_sub(1);
        let mut sum = 0_u64;
        let slots = bins.counts.iter().zip(&bins.first).zip(&bins.second);
        for (slot, ((count, sums), squares)) in slots.enumerate() {
            sum = sum.checked_add(*count).ok_or("its counts are too large")?;
            // The most that so many offsets and their squares add up to.
            let offset = (1_u128 << OFFSET_BITS).wrapping_sub(1);
            let most = u128::from(*count).saturating_mul(offset);
            if *sums > most || *squares > sums.saturating_mul(offset) || squares < sums {
                return Err("its sums are too large");
            }
            if *count == 0 {
                continue;
            }
            let there = match slot.checked_sub(width) {
                // A bin inside the window, and not next to 0, where octaves are.
                None => {
                    let slot = i32::try_from(slot).unwrap_or(0);
                    let index = first.wrapping_add(slot.wrapping_sub(first) & mask);
                    index <= last && index != 0 && index != -1
                }
                // An octave below the bins' width, on a side where there are values.
                Some(octave) => {
                    let side = if octave < OCTAVES / 2 { max > 0.0 } else { min < 0.0 };
                    let bits = i32::try_from(octave % (OCTAVES / 2)).unwrap_or(i32::MAX);
                    side && (bits == 0 || bits.wrapping_sub(127) < exponent)
                }
            };
            if !there {
                return Err("it has values outside its range");
            }
        }
        if sum != values {
            return Err("its counts do not add up");
        }
        // Both ends of the range are values.
        let ends = [min, max].into_iter().filter(|_| values > 0);
        for end in ends {
            let at = index(end, exponent);
            let slot = usize::try_from(at & mask).unwrap_or(usize::MAX);
            let near = at == 0 || at == -1;
            if !near && bins.counts.get(slot).is_none_or(|count| *count == 0) {
                return Err("its range has no values at its ends");
            }
        }
        Ok(())
    }
}
