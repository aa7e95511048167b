//! From the sums of a panel to what the caller gets: plain Rust that compilers vectorize, compiled
//! once for each level.

use super::LANES;
use crate::kernels::compiled::{Step, compiled_for};
use crate::kernels::cpu::Level;

/// What sums are counted in. Additions wrap.
pub trait Number: Copy + Send + Sync {
    /// The number, or what is left of it in fewer bits.
    fn low(number: i64) -> Self;
    /// Their sum.
    fn plus(self, other: Self) -> Self;
    /// The same number.
    fn wide(self) -> i64;
    /// The same number, or the nearest one.
    fn double(self) -> f64;
}

impl Number for i32 {
    #[inline(always)]
    fn low(number: i64) -> i32 {
        number as i32
    }
    #[inline(always)]
    fn plus(self, other: i32) -> i32 {
        self.wrapping_add(other)
    }
    #[inline(always)]
    fn wide(self) -> i64 {
        self.into()
    }
    #[inline(always)]
    fn double(self) -> f64 {
        self.into()
    }
}

impl Number for i64 {
    #[inline(always)]
    fn low(number: i64) -> i64 {
        number
    }
    #[inline(always)]
    fn plus(self, other: i64) -> i64 {
        self.wrapping_add(other)
    }
    #[inline(always)]
    fn wide(self) -> i64 {
        self
    }
    #[inline(always)]
    fn double(self) -> f64 {
        self as f64
    }
}

/// The sums of some rows with a panel, which are complete with what is added to each.
#[derive(Clone, Copy)]
pub struct Totals<'a, T> {
    /// [`LANES`] of each row.
    pub sums: &'a [T],
    /// For each row: what is added to its sums, and the sum of its codes.
    pub of_rows: &'a [OfRow],
    /// For each lane, unless nothing is added to any sum: then those of the rows do not count either.
    pub of_lanes: Option<&'a [T; LANES]>,
}

/// What a row has to itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct OfRow {
    /// Added to each sum.
    pub added: i64,
    /// The sum of its codes.
    pub code_sum: i64,
}

/// Where results go: a piece of as many rows as there are.
pub struct Place<'a, O> {
    /// From the first row on.
    pub out: &'a mut [O],
    /// Elements from one row's start to the next one's.
    pub stride: usize,
    /// Where the piece begins in each row.
    pub first: usize,
    /// How long it is: at most [`LANES`].
    pub count: usize,
}

impl<T: Number> Totals<'_, T> {
    /// Hands on the complete sums of each row, and its piece of the result.
    #[inline(always)]
    fn each_row<O>(
        &self,
        place: (usize, usize, usize),
        out: &mut [O],
        mut put: impl FnMut(&[T; LANES], f64, &mut [O]),
    ) {
        let (stride, first, count) = place;
        let rows = self.sums.as_chunks::<LANES>().0.iter().zip(self.of_rows);
        let rows = rows.zip(out.chunks_mut(stride));
        let Some(of_lanes) = self.of_lanes else {
            for ((sums, of_row), out) in rows {
                put(sums, of_row.code_sum as f64, &mut out[first..first + count]);
            }
            return;
        };
        for ((sums, of_row), out) in rows {
            let added = T::low(of_row.added);
            let mut totals = *sums;
            for (total, of_lane) in totals.iter_mut().zip(of_lanes) {
                *total = total.plus(added).plus(*of_lane);
            }
            put(&totals, of_row.code_sum as f64, &mut out[first..first + count]);
        }
    }
}

/// The sum of some bytes.
pub fn sum_bytes(level: Level, bytes: &[u8]) -> i64 {
    let mut sum = [0];
    compiled_for(level, SumBytes(bytes), &mut sum);
    sum[0]
}

struct SumBytes<'a>(&'a [u8]);

impl Step<i64> for SumBytes<'_> {
    #[inline(always)]
    fn run(self, sum: &mut [i64]) {
        // At most 2^24 each.
        for bytes in self.0.chunks(1 << 16) {
            sum[0] += i64::from(bytes.iter().map(|byte| u32::from(*byte)).sum::<u32>());
        }
    }
}

/// Adds the sums to the totals. Wraps.
pub fn accumulate(level: Level, sums: &[i32], totals: &mut [i64]) {
    compiled_for(level, Accumulate(sums), totals);
}

struct Accumulate<'a>(&'a [i32]);

impl Step<i64> for Accumulate<'_> {
    #[inline(always)]
    fn run(self, totals: &mut [i64]) {
        for (total, sum) in totals.iter_mut().zip(self.0) {
            *total = total.wrapping_add(i64::from(*sum));
        }
    }
}

/// Complete sums as they are.
pub fn sums<T: Number, S: Number>(level: Level, totals: Totals<'_, T>, place: Place<'_, S>) {
    let Place { out, stride, first, count } = place;
    compiled_for(level, ToSums { totals, place: (stride, first, count) }, out);
}

struct ToSums<'a, T> {
    totals: Totals<'a, T>,
    place: (usize, usize, usize),
}

impl<T: Number, S: Number> Step<S> for ToSums<'_, T> {
    #[inline(always)]
    fn run(self, out: &mut [S]) {
        self.totals.each_row(self.place, out, |totals, _, out| {
            if let Some(out) = out.first_chunk_mut::<LANES>() {
                out.iter_mut().zip(totals).for_each(|(out, total)| *out = S::low(total.wide()));
            } else {
                out.iter_mut().zip(totals).for_each(|(out, total)| *out = S::low(total.wide()));
            }
        });
    }
}

/// What turns sums of products of codes into values, an element for each output.
#[derive(Clone, Copy)]
pub struct Lanes<'a> {
    /// For outputs whose sums lack something, a factor for the sum of the row's codes and then what
    /// is added: the weights' bias, and what does not depend on the row.
    pub biased: Option<(&'a [f64], &'a [f64])>,
    /// What the sum is multiplied with.
    pub scales: &'a [f64],
    /// Added last, where there is something to add.
    pub added: Option<&'a [f64]>,
}

impl Lanes<'_> {
    /// Hands on each sum, as a double, with what it lacks, times its scale, and what is added.
    #[inline(always)]
    fn each<T: Number, O>(
        &self,
        totals: Totals<'_, T>,
        place: (usize, usize, usize),
        out: &mut [O],
        put: impl Fn(f64) -> O,
    ) {
        // Loops over a whole panel have an end that is known.
        let whole = <&[f64; LANES]>::try_from(self.scales);
        match (self.biased, self.added, whole) {
            (None, None, Ok(scales)) => totals.each_row(place, out, |totals, _, out| {
                let Some(out) = out.first_chunk_mut::<LANES>() else { return };
                for ((out, total), scale) in out.iter_mut().zip(totals).zip(scales) {
                    *out = put(scale * total.double());
                }
            }),
            (None, None, Err(_)) => totals.each_row(place, out, |totals, _, out| {
                for ((out, total), scale) in out.iter_mut().zip(totals).zip(self.scales) {
                    *out = put(scale * total.double());
                }
            }),
            (None, Some(added), _) => totals.each_row(place, out, |totals, _, out| {
                let lanes = self.scales.iter().zip(added);
                for ((out, total), (scale, added)) in out.iter_mut().zip(totals).zip(lanes) {
                    *out = put(scale * total.double() + added);
                }
            }),
            (Some(biased), None, _) => {
                self.each_biased(totals, biased, place, out, |_, value| put(value));
            }
            (Some(biased), Some(added), _) => {
                self.each_biased(
                    totals,
                    biased,
                    place,
                    out,
                    |lane, value| put(value + added[lane]),
                );
            }
        }
    }

    #[inline(always)]
    fn each_biased<T: Number, O>(
        &self,
        totals: Totals<'_, T>,
        (biases, constants): (&[f64], &[f64]),
        place: (usize, usize, usize),
        out: &mut [O],
        put: impl Fn(usize, f64) -> O,
    ) {
        totals.each_row(place, out, |totals, code_sum, out| {
            let lanes = self.scales.iter().zip(biases.iter().zip(constants)).enumerate();
            for ((out, total), (lane, (scale, (bias, constant)))) in
                out.iter_mut().zip(totals).zip(lanes)
            {
                *out = put(lane, scale * (total.double() + bias * code_sum + constant));
            }
        });
    }
}

/// Turns complete sums into values. All operations are in double precision, in the order of the
/// members of [`Lanes`], which have as many elements as the place.
pub fn values<T: Number>(
    level: Level,
    totals: Totals<'_, T>,
    lanes: Lanes<'_>,
    place: Place<'_, f32>,
) {
    let Place { out, stride, first, count } = place;
    compiled_for(level, ToValues { totals, lanes, place: (stride, first, count) }, out);
}

struct ToValues<'a, T> {
    totals: Totals<'a, T>,
    lanes: Lanes<'a>,
    place: (usize, usize, usize),
}

impl<T: Number> Step<f32> for ToValues<'_, T> {
    #[inline(always)]
    fn run(self, out: &mut [f32]) {
        self.lanes.each(self.totals, self.place, out, |value| value as f32);
    }
}

/// The same, rounded to the nearest integer, the even one of two as near, from `low` to `high`, which
/// are whole numbers below 2^31.
pub fn codes<T: Number>(
    level: Level,
    totals: Totals<'_, T>,
    lanes: Lanes<'_>,
    (low, high): (f64, f64),
    place: Place<'_, i32>,
) {
    let Place { out, stride, first, count } = place;
    let values = ToValues { totals, lanes, place: (stride, first, count) };
    compiled_for(level, ToCodes { values, low, high }, out);
}

struct ToCodes<'a, T> {
    values: ToValues<'a, T>,
    low: f64,
    high: f64,
}

impl<T: Number> Step<i32> for ToCodes<'_, T> {
    #[inline(always)]
    fn run(self, out: &mut [i32]) {
        /// Doubles from here on are whole numbers: what is added to it is rounded, and the integer is
        /// the lower half of the bits.
        const WHOLE: f64 = 6_755_399_441_055_744.0;
        let ToValues { totals, lanes, place } = self.values;
        let (low, high) = (self.low, self.high);
        lanes.each(totals, place, out, |value| {
            ((value.max(low).min(high) + WHOLE).to_bits() as u32).cast_signed()
        });
    }
}
