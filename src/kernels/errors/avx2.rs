//! Eight pairs at a time with AVX2: the lanes of a sum are two registers. There are too few registers
//! for all sums at once, so those of errors and those of products are added up one after the other.

use super::{LANES, Sums, portable};
use core::arch::x86_64::*;

/// # Safety
/// The machine has AVX2 and FMA; the slices are of one length.
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn sums(reference: &[f32], values: &[f32]) -> Sums {
    let (groups, rest) = reference.as_chunks::<8>();
    let (value_groups, value_rest) = values.as_chunks::<8>();
    // SAFETY: the machine has the features; there are as many groups of both.
    let (mut lanes, mut sums) = unsafe {
        let (errors, sums) = errors(groups, value_groups);
        let products = products(groups, value_groups);
        let [error, absolute, squared] = errors;
        let [xx, xy, yy] = products;
        (portable::Lanes { error, absolute, squared, xx, xy, yy }, sums)
    };
    lanes.add(rest, value_rest, &mut sums);
    lanes.finish(&mut sums);
    sums
}

/// The halves of a sum's lanes, the lower one first.
type Halves = [__m256d; 2];

/// Lanes of the sums of errors, of their magnitudes and of their squares; and what is no sum.
///
/// # Safety
/// The machine has AVX2; there are as many groups of both.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn errors(reference: &[[f32; 8]], values: &[[f32; 8]]) -> ([[f64; LANES]; 3], Sums) {
    let zero = _mm256_setzero_pd();
    let magnitude = _mm256_castsi256_pd(_mm256_set1_epi64x(i64::MAX));
    let (mut error, mut absolute, mut squared) = ([zero; 2], [zero; 2], [zero; 2]);
    let mut max = zero;
    let mut low = _mm256_set1_ps(f32::INFINITY);
    let mut high = _mm256_set1_ps(f32::NEG_INFINITY);
    let mut flushed = _mm256_setzero_si256();
    for (xs, ys) in reference.iter().zip(values) {
        // SAFETY: a group has eight numbers.
        let (x, y) = unsafe { (_mm256_loadu_ps(xs.as_ptr()), _mm256_loadu_ps(ys.as_ptr())) };
        low = _mm256_min_ps(low, x);
        high = _mm256_max_ps(high, x);
        let zeroed = _mm256_cmp_ps::<_CMP_EQ_OQ>(y, _mm256_setzero_ps());
        let before = _mm256_cmp_ps::<_CMP_NEQ_OQ>(x, _mm256_setzero_ps());
        flushed = _mm256_sub_epi32(flushed, _mm256_castps_si256(_mm256_and_ps(zeroed, before)));
        let (x, y) = (wide(x), wide(y));
        for half in 0..2 {
            let e = _mm256_sub_pd(y[half], x[half]);
            let size = _mm256_and_pd(e, magnitude);
            error[half] = _mm256_add_pd(error[half], e);
            absolute[half] = _mm256_add_pd(absolute[half], size);
            squared[half] = _mm256_add_pd(squared[half], _mm256_mul_pd(e, e));
            max = _mm256_max_pd(max, size);
        }
    }
    let mut counts = [0_u32; 8];
    let (mut least, mut most, mut largest) = ([0.0_f32; 8], [0.0_f32; 8], [0.0_f64; 4]);
    // SAFETY: each array has room for its register.
    unsafe {
        _mm256_storeu_si256(counts.as_mut_ptr().cast(), flushed);
        _mm256_storeu_ps(least.as_mut_ptr(), low);
        _mm256_storeu_ps(most.as_mut_ptr(), high);
        _mm256_storeu_pd(largest.as_mut_ptr(), max);
    }
    let sums = Sums {
        max: largest.into_iter().fold(0.0, f64::max),
        low: least.into_iter().fold(f32::INFINITY, f32::min),
        high: most.into_iter().fold(f32::NEG_INFINITY, f32::max),
        flushed: counts.into_iter().map(u64::from).sum(),
        ..Sums::default()
    };
    ([lanes(error), lanes(absolute), lanes(squared)], sums)
}

/// Lanes of the sums of `x * x`, `x * y` and `y * y`. The products are exact, so fused operations give
/// what separate ones do.
///
/// # Safety
/// The machine has AVX2 and FMA; there are as many groups of both.
#[inline]
#[target_feature(enable = "avx2,fma")]
unsafe fn products(reference: &[[f32; 8]], values: &[[f32; 8]]) -> [[f64; LANES]; 3] {
    let zero = _mm256_setzero_pd();
    let (mut xx, mut xy, mut yy) = ([zero; 2], [zero; 2], [zero; 2]);
    for (xs, ys) in reference.iter().zip(values) {
        // SAFETY: a group has eight numbers.
        let (x, y) = unsafe { (_mm256_loadu_ps(xs.as_ptr()), _mm256_loadu_ps(ys.as_ptr())) };
        let (x, y) = (wide(x), wide(y));
        for half in 0..2 {
            xx[half] = _mm256_fmadd_pd(x[half], x[half], xx[half]);
            xy[half] = _mm256_fmadd_pd(x[half], y[half], xy[half]);
            yy[half] = _mm256_fmadd_pd(y[half], y[half], yy[half]);
        }
    }
    [lanes(xx), lanes(xy), lanes(yy)]
}

#[inline]
#[target_feature(enable = "avx2")]
fn wide(numbers: __m256) -> Halves {
    let upper = _mm256_extractf128_ps::<1>(numbers);
    [_mm256_cvtps_pd(_mm256_castps256_ps128(numbers)), _mm256_cvtps_pd(upper)]
}

#[inline]
#[target_feature(enable = "avx2")]
fn lanes(halves: Halves) -> [f64; LANES] {
    let mut lanes = [0.0; LANES];
    // SAFETY: the array has room for two registers.
    unsafe {
        _mm256_storeu_pd(lanes.as_mut_ptr(), halves[0]);
        _mm256_storeu_pd(lanes.as_mut_ptr().add(4), halves[1]);
    }
    lanes
}
