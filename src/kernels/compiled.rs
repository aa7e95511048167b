//! Plain Rust that compilers vectorize, compiled once for each level.

use super::cpu::{Kind, Level};

/// A loop over the elements of a slice.
pub(super) trait Step<T> {
    /// Marked `inline(always)`, so that it is compiled with what the level has.
    fn run(self, out: &mut [T]);
}

/// Runs it, compiled for the level.
#[inline(always)]
pub(super) fn compiled_for<T>(level: Level, step: impl Step<T>, out: &mut [T]) {
    match level.kind() {
        Kind::Portable => step.run(out),
        // SAFETY: a `Level` of this kind exists only where AVX2, BMI1, BMI2 and POPCNT do.
        #[cfg(target_arch = "x86_64")]
        Kind::Avx2 => unsafe { for_avx2(step, out) },
        // SAFETY: a `Level` of this kind exists only where these do, and AVX-512 with F, BW, DQ and
        // VL.
        #[cfg(target_arch = "x86_64")]
        Kind::Avx512 => unsafe { for_avx512(step, out) },
    }
}

/// # Safety
/// The machine has AVX2, BMI1, BMI2 and POPCNT.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
unsafe fn for_avx2<T>(step: impl Step<T>, out: &mut [T]) {
    step.run(out);
}

/// # Safety
/// As for [`for_avx2`]; the machine has AVX-512 with F, BW, DQ and VL too.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt,avx512f,avx512bw,avx512dq,avx512vl")]
unsafe fn for_avx512<T>(step: impl Step<T>, out: &mut [T]) {
    step.run(out);
}
