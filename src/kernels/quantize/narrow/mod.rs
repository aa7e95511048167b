//! Codes of at most 8 bits from single precision, nearly always without a division.
//!
//! A position between the codes is computed as a fixed-point number with 16 bits behind the point,
//! moved so that its whole part is the code: `value * multiplier + offset`, one multiplication and
//! one addition in single precision. It is off by at most half of [`Fast::window`] units. Where the
//! bits behind the point are within that of the border between two codes, the value is *doubtful*
//! and is evaluated by the specification; anywhere else both agree, because everything here rises
//! with the value. NaN, infinities and positions beyond 2^15 do not fit the fixed-point number;
//! the conversion turns them into one that is doubtful.

use super::formula::{Counts, Rounding, Rules, Step};
use crate::kernels::cpu::{Kind, Level};
use job::Job;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod job;
mod portable;

/// Bits behind the point.
const FRACTION: u32 = 16;
const ONE: f64 = (1_u32 << FRACTION) as f64;

/// Values in a step of a kernel.
const GROUP: usize = 64;

/// The single-precision form of a [`Step`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fast {
    multiplier: f32,
    offset: f32,
    /// Positions with fewer units than this behind the point are doubtful.
    window: u16,
}

impl Fast {
    /// `None` where the error could be too large to be worth the attempt, and for roundings that
    /// single precision does not serve.
    pub fn new(step: &Step, rules: &Rules) -> Option<Fast> {
        let up = match rules.rounding {
            Rounding::NearestEven | Rounding::NearestAway | Rounding::Caffe2 => 0.5,
            Rounding::Floor => 0.0,
            // Right between the codes; on a code itself the value is doubtful.
            Rounding::Ceil => 1.0,
            Rounding::TowardZero | Rounding::Stochastic => return None,
        };
        if rules.precision > 8 {
            return None;
        }
        let (lowest, highest) = (rules.lowest() as f64, rules.highest() as f64);
        let multiplier = (ONE / step.scale) as f32;
        // Wide of overflow, and of subnormal values, which a host may have told the processor to
        // take for zero.
        if !(1e-30..1e30).contains(&multiplier) {
            return None;
        }
        let offset = (up - step.bias) * ONE;
        // The largest quotient whose rounding is not saturated anyway. Beyond it positions only
        // rise further above the highest code, or fall below the lowest.
        let quotient = (lowest + step.bias).abs().max((highest + step.bias).abs()) + 2.0;
        // Errors in units behind the point. A rounding is counted as a whole unit in the last
        // place, which holds in every rounding mode that a host may have set.
        const LAST_PLACE: f64 = 1.0 / (1_u32 << 23) as f64;
        let of_multiplier = quotient * ONE * LAST_PLACE;
        // Where the processor does not fuse it with the addition.
        let of_product = quotient * ONE * LAST_PLACE;
        let of_offset = (offset.abs() + LARGEST_WINDOW) * LAST_PLACE;
        let of_sum = (highest.max(-lowest) + 3.0) * ONE * LAST_PLACE;
        let of_conversion = 1.0;
        // Caffe2's own quotient is rounded too.
        let of_quotient = if rules.rounding == Rounding::Caffe2 { of_product } else { 0.0 };
        let error =
            of_multiplier + of_product + of_offset + of_sum + of_conversion + of_quotient + 0.25;
        // Moved up by the error, so that what is doubtful lies right above a code.
        let error = f64::from(error as u32) + 1.0;
        let window = 2.0 * error + 1.0;
        // A zero point between two codes moves the codes after the rounding, not before.
        if rules.rounding == Rounding::Caffe2 && step.bias != step.bias as i64 as f64 {
            return None;
        }
        let window_fits = window <= LARGEST_WINDOW;
        window_fits.then_some(Fast {
            multiplier,
            offset: (offset + error) as f32,
            window: window as u16,
        })
    }
}

impl Fast {
    /// What a value is multiplied by.
    pub fn multiplier(&self) -> f32 {
        self.multiplier
    }

    /// What is added to the product.
    pub fn offset(&self) -> f32 {
        self.offset
    }

    /// The number of doubtful positions between two codes, of 2^16.
    pub fn window(&self) -> u16 {
        self.window
    }
}

/// Above this one value in sixteen would be doubtful.
const LARGEST_WINDOW: f64 = 4096.0;

/// The steps of the values that a kernel is given.
#[derive(Clone, Copy)]
pub enum Steps<'a> {
    /// One for all.
    One(&'a Step, &'a Fast),
    /// One for each value.
    Each {
        /// The step of the value at a position of the slice.
        step: &'a (dyn Fn(usize) -> Step + Sync),
        /// What [`Fast`] has, for each value.
        multipliers: &'a [f32],
        /// The same.
        offsets: &'a [f32],
        /// The widest window of all.
        window: u16,
    },
}

/// The values of consecutive elements.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    /// The values.
    pub values: &'a [f32],
    /// The index of the first.
    pub first: usize,
    /// Whether they are to be read from memory rather than from a cache. There the processor
    /// knows best what to fetch ahead of time; within the caches it fetches too little.
    pub from_memory: bool,
}

/// How far ahead of its loads a loop prefetches: a page.
#[cfg(target_arch = "x86_64")]
const AHEAD: usize = 4096;

/// Where the codes of a tensor go.
pub struct Codes<'a> {
    /// The magnitude, and the sign in the next bit behind it where that is within the byte.
    pub bytes: &'a mut [u8],
    /// 0 or 1 for each sign of a signed tensor of precision 8; else empty.
    pub signs: &'a mut [u8],
}

/// The codes of values; returns how many of them were not finite.
///
/// The precision is at most 8. `codes.bytes`, and `codes.signs` where the precision is 8 and signed,
/// are as long as `input.values`, and so are the slices of [`Steps::Each`] (the function panics
/// otherwise). `counts` take as much time again in the first-level cache, and none from
/// memory.
pub fn narrow(
    level: Level,
    input: Input<'_>,
    steps: Steps<'_>,
    rules: &Rules,
    codes: Codes<'_>,
    counts: Option<&mut Counts>,
) -> u64 {
    let length = input.values.len();
    assert!((1..=8).contains(&rules.precision), "codes of a byte have 1 to 8 bits");
    assert!(codes.bytes.len() == length, "there is a byte for each value");
    let signs = if rules.signed && rules.precision == 8 { length } else { 0 };
    assert!(codes.signs.len() == signs, "there is a sign for each value, or none");
    if let Steps::Each { multipliers, offsets, .. } = steps {
        assert!(multipliers.len() == length && offsets.len() == length, "a step for each value");
    }
    let mut job = Job { input, steps, rules, codes, counts, non_finite: 0 };
    match level.kind() {
        Kind::Portable => portable::run(&mut job),
        // SAFETY: a `Level` of this kind exists only where AVX2 and FMA do; the slices were
        // checked.
        #[cfg(target_arch = "x86_64")]
        Kind::Avx2 => unsafe { avx2::run(&mut job) },
        // SAFETY: a `Level` of this kind exists only where AVX-512 with F, BW, DQ and VL does; the
        // slices were checked.
        #[cfg(target_arch = "x86_64")]
        Kind::Avx512 => unsafe { avx512::run(&mut job) },
    }
    job.non_finite
}
