//! What a code is, told a second time: by comparing a position with the integers around it.

use caffe2_qtensor::quantize::{Counts, Rounding};

/// All that decides about the code of an element.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Definition {
    pub(crate) rounding: Rounding,
    pub(crate) seed: u64,
    pub(crate) precision: u8,
    pub(crate) signed: bool,
    pub(crate) scale: f64,
    pub(crate) bias: f64,
}

impl Definition {
    pub(crate) fn highest(&self) -> i64 {
        (1 << self.precision) - 1
    }

    pub(crate) fn lowest(&self) -> i64 {
        if self.signed { -self.highest() } else { 0 }
    }

    /// The code of the value of element `index`, which is noted in `counts`.
    #[inline(always)]
    pub(crate) fn code(&self, value: f64, index: u64, counts: &mut Counts) -> i64 {
        let (lowest, highest) = (self.lowest(), self.highest());
        if value.is_nan() {
            counts.non_finite += 1;
            return 0;
        }
        if value.is_infinite() {
            counts.non_finite += 1;
            return if value > 0.0 { highest } else { lowest };
        }
        let position = match self.rounding {
            Rounding::Caffe2 => {
                let quotient = f64::from(value as f32 / self.scale as f32);
                nearest(quotient, |below| if below % 2.0 == 0.0 { 0.0 } else { 1.0 }) - self.bias
            }
            _ => value / self.scale - self.bias,
        };
        // From here on any rounding ends outside.
        if position <= (lowest - 1) as f64 {
            counts.saturated_low += 1;
            return lowest;
        }
        if position >= (highest + 1) as f64 {
            counts.saturated_high += 1;
            return highest;
        }
        let below = floor(position);
        let between = position != below;
        let code = match self.rounding {
            Rounding::Floor => below,
            Rounding::Ceil => below + f64::from(u8::from(between)),
            Rounding::TowardZero => below + f64::from(u8::from(between && position < 0.0)),
            Rounding::NearestEven => {
                nearest(position, |below| if below % 2.0 == 0.0 { 0.0 } else { 1.0 })
            }
            Rounding::NearestAway => nearest(position, |below| if below < 0.0 { 0.0 } else { 1.0 }),
            Rounding::Stochastic => {
                let up = position - below > chance(self.seed, index);
                below + f64::from(u8::from(up))
            }
            // Rounded before the zero point was added.
            _ => position,
        };
        if code < lowest as f64 {
            counts.saturated_low += 1;
            return lowest;
        }
        if code > highest as f64 {
            counts.saturated_high += 1;
            return highest;
        }
        if code == -self.bias && value != 0.0 {
            counts.flushed_to_zero += 1;
        }
        code as i64
    }
}

/// The next integer that is not above a number.
#[inline(always)]
fn floor(number: f64) -> f64 {
    // From 2^52 on all numbers are integers.
    if number.is_nan() || number.abs() >= 4_503_599_627_370_496.0 {
        return number;
    }
    let whole = number as i64 as f64;
    if whole > number { whole - 1.0 } else { whole }
}

/// The nearest integer; where two are, the lower one plus what `tie` answers for it.
#[inline(always)]
fn nearest(number: f64, tie: impl Fn(f64) -> f64) -> f64 {
    let below = floor(number);
    if below == number {
        return below;
    }
    // Exact, as numbers this large have no fraction.
    let middle = below + 0.5;
    if number > middle {
        below + 1.0
    } else if number < middle {
        below
    } else {
        below + tie(below)
    }
}

/// The upper 53 bits of `SplitMix64` on the seed and the index, as a fraction of 2^53.
fn chance(seed: u64, index: u64) -> f64 {
    const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
    fn output(state: u64) -> u64 {
        let mut word = state;
        word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ word >> 31
    }
    let start = output(seed.wrapping_add(GOLDEN));
    let word = output(start.wrapping_add(index.wrapping_add(1).wrapping_mul(GOLDEN)));
    (word >> 11) as f64 / 9_007_199_254_740_992.0
}
