//! From the sums of a panel to what the caller gets: plain Rust that compilers vectorize, compiled
//! once for each level.

use super::super::cpu::{Kind, Level};

/// Adds `factor * (sums[j] + of_row + offset * of_lanes[j])` to `totals[j]`, for the sums of a row
/// with a panel. Wraps.
pub fn accumulate(
    level: Level,
    sums: &[i32],
    factor: i64,
    of_row: i64,
    (offset, of_lanes): (i64, &[i64]),
    totals: &mut [i64],
) {
    compiled_for(level, Accumulate { sums, factor, of_row, offset, of_lanes }, totals);
}

struct Accumulate<'a> {
    sums: &'a [i32],
    factor: i64,
    of_row: i64,
    offset: i64,
    of_lanes: &'a [i64],
}

impl Step<i64> for Accumulate<'_> {
    #[inline(always)]
    fn run(self, totals: &mut [i64]) {
        for ((total, sum), of_lane) in totals.iter_mut().zip(self.sums).zip(self.of_lanes) {
            let of_lane = self.offset.wrapping_mul(*of_lane);
            let whole = i64::from(*sum).wrapping_add(self.of_row).wrapping_add(of_lane);
            *total = total.wrapping_add(self.factor.wrapping_mul(whole));
        }
    }
}

/// What turns sums of products of codes into values, an element for each output.
#[derive(Clone, Copy)]
pub struct Lanes<'a> {
    /// Times the sum of the row's codes: the weights' biases.
    pub biases: &'a [f64],
    /// Added next: the input's bias times the sum of the weights' codes.
    pub of_weights: &'a [f64],
    /// Added next: the number of columns times both biases.
    pub of_biases: &'a [f64],
    /// What the sum is multiplied with: both scales.
    pub scales: &'a [f64],
    /// Added last.
    pub added: &'a [f64],
}

/// Turns the sums of a row of whose codes `code_sum` is the sum into values. All operations are in
/// double precision, in the order of the members of [`Lanes`].
pub fn values(level: Level, sums: &[i64], code_sum: f64, lanes: Lanes<'_>, out: &mut [f32]) {
    compiled_for(level, ToValues { sums, code_sum, lanes }, out);
}

struct ToValues<'a> {
    sums: &'a [i64],
    code_sum: f64,
    lanes: Lanes<'a>,
}

impl Step<f32> for ToValues<'_> {
    #[inline(always)]
    fn run(self, out: &mut [f32]) {
        let Lanes { biases, of_weights, of_biases, scales, added } = self.lanes;
        let parameters = biases.iter().zip(of_weights).zip(of_biases);
        let outer = scales.iter().zip(added);
        for (((out, sum), ((bias, of_weights), of_biases)), (scale, added)) in
            out.iter_mut().zip(self.sums).zip(parameters).zip(outer)
        {
            let codes = *sum as f64 + bias * self.code_sum + of_weights + of_biases;
            *out = (scale * codes + added) as f32;
        }
    }
}

/// A loop over the elements of a slice.
trait Step<T> {
    fn run(self, out: &mut [T]);
}

#[inline(always)]
fn compiled_for<T>(level: Level, step: impl Step<T>, out: &mut [T]) {
    match level.kind() {
        Kind::Portable => step.run(out),
        // SAFETY: a `Level` of this kind exists only where AVX2 does.
        #[cfg(target_arch = "x86_64")]
        Kind::Avx2 => unsafe { for_avx2(step, out) },
        // SAFETY: a `Level` of this kind exists only where AVX-512 with F, BW, DQ and VL does.
        #[cfg(target_arch = "x86_64")]
        Kind::Avx512 => unsafe { for_avx512(step, out) },
    }
}

/// # Safety
/// The machine has AVX2.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2")]
unsafe fn for_avx2<T>(step: impl Step<T>, out: &mut [T]) {
    step.run(out);
}

/// # Safety
/// The machine has AVX-512 with F, BW, DQ and VL.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,avx512f,avx512bw,avx512dq,avx512vl")]
unsafe fn for_avx512<T>(step: impl Step<T>, out: &mut [T]) {
    step.run(out);
}
