//! The specification in bulk: every precision, every rounding, in double precision.
//!
//! Plain Rust, compiled once for each level. The divisions are true ones; they take most of the
//! time. What follows them is written so that a compiler turns it into SIMD at every level, for
//! which it must not call a function (rounding is one where there is no instruction for it), nor
//! convert a number to an integer (doubles have no instruction for that before AVX-512).

use super::formula::{Counts, Formula, Rounding, Step, chance};
use crate::kernels::cpu::{Kind, Level};

/// A type of values that double precision holds exactly.
pub trait Wide: Copy {
    /// The value.
    fn wide(self) -> f64;
}

impl Wide for f32 {
    #[inline(always)]
    fn wide(self) -> f64 {
        f64::from(self)
    }
}

impl Wide for f64 {
    #[inline(always)]
    fn wide(self) -> f64 {
        self
    }
}

/// The codes of values whose first has the index `first`. The slices are of one length.
///
/// The formula holds for all of them.
pub fn exact<T: Wide>(
    level: Level,
    values: &[T],
    formula: &Formula,
    first: u64,
    codes: &mut [i64],
    counts: &mut Counts,
) {
    assert!(codes.len() == values.len(), "there is a code for each value");
    match level.kind() {
        Kind::Portable => portable(values, formula, first, codes, counts),
        // SAFETY: a level exists only where the machine has its instructions.
        #[cfg(target_arch = "x86_64")]
        Kind::Avx2 => unsafe { avx2(values, formula, first, codes, counts) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Kind::Avx512 => unsafe { avx512(values, formula, first, codes, counts) },
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,bmi1,bmi2,popcnt")]
fn avx2<T: Wide>(
    values: &[T],
    formula: &Formula,
    first: u64,
    codes: &mut [i64],
    counts: &mut Counts,
) {
    portable(values, formula, first, codes, counts);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,bmi1,bmi2,popcnt")]
fn avx512<T: Wide>(
    values: &[T],
    formula: &Formula,
    first: u64,
    codes: &mut [i64],
    counts: &mut Counts,
) {
    portable(values, formula, first, codes, counts);
}

#[inline(always)]
fn portable<T: Wide>(
    values: &[T],
    formula: &Formula,
    first: u64,
    codes: &mut [i64],
    counts: &mut Counts,
) {
    let Formula { rules, step: Step { scale, bias } } = *formula;
    let mut job = Job { formula, first, counts };
    let position = |value: f64| value / scale - bias;
    match rules.rounding {
        Rounding::NearestEven => job.run::<T, true>(values, codes, position, |at, _| nearest(at)),
        Rounding::NearestAway => job.run::<T, true>(values, codes, position, |at, _| away(at)),
        Rounding::Floor => job.run::<T, true>(values, codes, position, |at, _| floor(at)),
        Rounding::Ceil => job.run::<T, true>(values, codes, position, |at, _| ceil(at)),
        Rounding::TowardZero => job.run::<T, true>(values, codes, position, |at, _| truncate(at)),
        Rounding::Stochastic => job.run::<T, true>(values, codes, position, |at, index| {
            let down = floor(at);
            let up = at - (down - WHOLE) > chance(rules.seed, index);
            down + if up { 1.0 } else { 0.0 }
        }),
        Rounding::Caffe2 => {
            let scale = scale as f32;
            let position = |value| {
                let quotient = f64::from(value as f32 / scale);
                // Larger numbers of single precision are whole.
                let small = quotient.abs() < (1_u64 << 51) as f64;
                (if small { nearest(quotient) - WHOLE } else { quotient }) - bias
            };
            job.run::<T, false>(values, codes, position, |at, _| truncate(at));
        }
    }
}

/// Values that are looked at again together.
const BLOCK: usize = 64;

struct Job<'a> {
    formula: &'a Formula,
    first: u64,
    counts: &'a mut Counts,
}

impl Job<'_> {
    /// `position` is where a value is among the codes; `round` makes of that, and of the value's
    /// index, a whole number and adds [`WHOLE`]. What it makes of positions more than 2 beyond the codes
    /// is of no use to anyone.
    ///
    /// Most values lie between the lowest and the highest code. They need no more than a division
    /// and few instructions besides; only blocks that have others are gone through once more.
    #[inline(always)]
    fn run<T: Wide, const ROUNDED: bool>(
        &mut self,
        values: &[T],
        codes: &mut [i64],
        position: impl Fn(f64) -> f64,
        round: impl Fn(f64, u64) -> f64,
    ) {
        let rules = &self.formula.rules;
        let (lowest, highest) = (rules.lowest() as f64, rules.highest() as f64);
        let zero = self.zero::<ROUNDED>();
        let mut first = self.first;
        for (values, codes) in values.chunks(BLOCK).zip(codes.chunks_mut(BLOCK)) {
            let (mut outside, mut flushed) = (0_u64, 0_u64);
            for ((value, code), lane) in values.iter().zip(codes.iter_mut()).zip(0_u64..) {
                let value = value.wide();
                let position = position(value);
                // Neither holds for NaN.
                let inside = (position >= lowest) & (position <= highest);
                outside |= u64::from(!inside);
                // Nothing of it is kept where the position is outside.
                let rounded = round(position, first.wrapping_add(lane));
                let compared = if ROUNDED { rounded } else { position };
                flushed += u64::from((compared == zero) & (value != 0.0));
                *code = integer(rounded);
            }
            if outside == 0 {
                self.counts.flushed_to_zero += flushed;
            } else {
                self.block::<T, ROUNDED>(values, codes, first, &position, &round);
            }
            first = first.wrapping_add(BLOCK as u64);
        }
    }

    /// What is compared with a rounded position, or where it is not to be rounded with the
    /// position itself, to see whether it stands for 0. NaN where 0 has no code.
    #[inline(always)]
    fn zero<const ROUNDED: bool>(&self) -> f64 {
        let Formula { rules, step } = self.formula;
        let code = -step.bias;
        let inside = (rules.lowest() as f64..=rules.highest() as f64).contains(&code);
        match (inside, ROUNDED) {
            (true, false) => code,
            (true, true) if nearest(code) - WHOLE == code => code + WHOLE,
            _ => f64::NAN,
        }
    }

    /// A block that may have any values.
    #[inline(always)]
    fn block<T: Wide, const ROUNDED: bool>(
        &mut self,
        values: &[T],
        codes: &mut [i64],
        first: u64,
        position: impl Fn(f64) -> f64,
        round: impl Fn(f64, u64) -> f64,
    ) {
        let rules = &self.formula.rules;
        let (lowest, highest) = (rules.lowest() as f64, rules.highest() as f64);
        let zero = self.zero::<ROUNDED>();
        let raised = if ROUNDED { WHOLE } else { 0.0 };
        let (mut low, mut high, mut flushed, mut non_finite) = (0_u64, 0_u64, 0_u64, 0_u64);
        for ((value, code), lane) in values.iter().zip(codes).zip(0_u64..) {
            let value = value.wide();
            let position = clamp(position(value), lowest - 2.0, highest + 2.0);
            let index = first.wrapping_add(lane);
            let compared = if ROUNDED { round(position, index) } else { position };
            let finite = is_finite(value);
            low += u64::from(finite & (compared < lowest + raised));
            high += u64::from(finite & (compared > highest + raised));
            flushed += u64::from(finite & (compared == zero) & (value != 0.0));
            non_finite += u64::from(!finite);
            let clamped = clamp(compared, lowest + raised, highest + raised);
            let rounded = if ROUNDED { clamped } else { round(clamped, index) };
            *code = integer(if value.is_nan() { WHOLE } else { rounded });
        }
        self.counts.saturated_low += low;
        self.counts.saturated_high += high;
        self.counts.flushed_to_zero += flushed;
        self.counts.non_finite += non_finite;
    }
}

/// A number within limits, NaN as the lower one: either side of a comparison with NaN is the other
/// operand.
#[inline(always)]
fn clamp(number: f64, lowest: f64, highest: f64) -> f64 {
    let number = if number > lowest { number } else { lowest };
    if number < highest { number } else { highest }
}

/// Infinities and NaN less themselves are NaN. (What compilers make of a comparison with infinity
/// is an instruction that valgrind 3.19 does not emulate right for NaN.)
#[inline(always)]
#[expect(clippy::eq_op, reason = "the difference is 0 for finite numbers only")]
fn is_finite(number: f64) -> bool {
    number - number == 0.0
}

/// In the doubles from 2^52 to 2^53 the last place is 1, so that a number added to this one is
/// rounded to a whole number, to the even one from the middle between two. The functions below
/// take numbers up to 2^51 and leave the sum as it is, for [`integer`] to take apart.
const WHOLE: f64 = 1.5 * (1_u64 << 52) as f64;

/// [`WHOLE`] and the nearest whole number, the even one from the middle between two.
#[inline(always)]
fn nearest(number: f64) -> f64 {
    number + WHOLE
}

/// [`WHOLE`] and the nearest whole number, the one farther from zero from the middle between two.
#[inline(always)]
fn away(number: f64) -> f64 {
    let magnitude = number.abs();
    let even = nearest(magnitude) - WHOLE;
    let up = magnitude - even == 0.5;
    (even + if up { 1.0 } else { 0.0 }).copysign(number) + WHOLE
}

/// [`WHOLE`] and the next whole number below.
#[inline(always)]
fn floor(number: f64) -> f64 {
    let even = nearest(number);
    even - if even - WHOLE > number { 1.0 } else { 0.0 }
}

/// [`WHOLE`] and the next whole number above.
#[inline(always)]
fn ceil(number: f64) -> f64 {
    let even = nearest(number);
    even + if even - WHOLE < number { 1.0 } else { 0.0 }
}

/// [`WHOLE`] and the next whole number in the direction of zero.
#[inline(always)]
fn truncate(number: f64) -> f64 {
    (floor(number.abs()) - WHOLE).copysign(number) + WHOLE
}

/// The whole number that was added to [`WHOLE`].
#[inline(always)]
fn integer(sum: f64) -> i64 {
    (sum.to_bits() as i64).wrapping_sub(WHOLE.to_bits() as i64)
}
