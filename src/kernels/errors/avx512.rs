//! The sums with AVX-512: the eight lanes of a sum are a register.
//!
//! What is told in single precision, sixteen pairs at a time, has a loop of its own: in one loop the
//! compiler puts halves of what it loaded together anew, at several shuffles each.

use super::{Limits, Outside, Sums, total};
use core::arch::x86_64::*;

/// How far ahead references are fetched, in bytes: they come from memory, values do not.
const AHEAD: usize = 8192;

/// # Safety
/// The machine has AVX-512 F, DQ and VL; the slices are of one length.
#[target_feature(enable = "avx512f,avx512dq,avx512vl")]
pub(super) unsafe fn sums(reference: &[f32], values: &[f32], limits: &Limits) -> Sums {
    let mut lanes = Lanes::new();
    let (groups, rest) = reference.as_chunks::<8>();
    let (value_groups, value_rest) = values.as_chunks::<8>();
    for (xs, ys) in groups.iter().zip(value_groups) {
        // SAFETY: a group has eight numbers.
        unsafe {
            lanes.add(
                _mm512_cvtps_pd(_mm256_loadu_ps(xs.as_ptr())),
                _mm512_cvtps_pd(_mm256_loadu_ps(ys.as_ptr())),
            );
        }
    }
    // Lanes without a number get a pair of zeros, which adds nothing to a sum.
    let mask = ((1_u16 << rest.len()) - 1) as __mmask8;
    // SAFETY: only the numbers that there are, are read.
    unsafe {
        let x = _mm256_maskz_loadu_ps(mask, rest.as_ptr());
        let y = _mm256_maskz_loadu_ps(mask, value_rest.as_ptr());
        lanes.add(_mm512_cvtps_pd(x), _mm512_cvtps_pd(y));
    }
    let mut sums = lanes.sums();
    // SAFETY: passed on from the caller.
    sums.outside = unsafe { look(reference, values, limits) };
    sums
}

/// What is outside of the limits.
///
/// # Safety
/// That of [`sums`].
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512vl")]
unsafe fn look(reference: &[f32], values: &[f32], limits: &Limits) -> Outside {
    let (low, high) = (_mm512_set1_ps(limits.low), _mm512_set1_ps(limits.high));
    let (zero, one) = (_mm512_setzero_ps(), _mm512_set1_epi32(1));
    let nothing = _mm512_setzero_si512();
    let (mut not_low, mut within, mut flushed) = (nothing, nothing, nothing);
    let mut take = |mask: __mmask16, x: __m512, y: __m512| {
        let above = _mm512_mask_cmp_ps_mask::<_CMP_GE_OQ>(mask, x, low);
        let between = _mm512_mask_cmp_ps_mask::<_CMP_LE_OQ>(above, x, high);
        let now = _mm512_mask_cmp_ps_mask::<_CMP_EQ_OQ>(between, y, zero);
        let only_now = _mm512_mask_cmp_ps_mask::<_CMP_NEQ_OQ>(now, x, zero);
        not_low = _mm512_mask_add_epi32(not_low, above, not_low, one);
        within = _mm512_mask_add_epi32(within, between, within, one);
        flushed = _mm512_mask_add_epi32(flushed, only_now, flushed, one);
    };
    let (groups, rest) = reference.as_chunks::<16>();
    let (value_groups, value_rest) = values.as_chunks::<16>();
    for (xs, ys) in groups.iter().zip(value_groups) {
        _mm_prefetch::<_MM_HINT_T0>(xs.as_ptr().cast::<i8>().wrapping_add(AHEAD));
        // SAFETY: a group has sixteen numbers.
        let (x, y) = unsafe { (_mm512_loadu_ps(xs.as_ptr()), _mm512_loadu_ps(ys.as_ptr())) };
        take(u16::MAX, x, y);
    }
    let mask = ((1_u32 << rest.len()) - 1) as __mmask16;
    // SAFETY: only the numbers that there are, are read.
    unsafe {
        let x = _mm512_maskz_loadu_ps(mask, rest.as_ptr());
        take(mask, x, _mm512_maskz_loadu_ps(mask, value_rest.as_ptr()));
    }
    let count = |lanes| u64::from(_mm512_reduce_add_epi32(lanes).cast_unsigned());
    let (not_low, within, flushed) = (count(not_low), count(within), count(flushed));
    // Of numbers that are finite, and no others matter.
    let low = (reference.len() as u64).saturating_sub(not_low);
    Outside { low, high: not_low - within, flushed }
}

struct Lanes {
    error: __m512d,
    absolute: __m512d,
    squared: __m512d,
    xx: __m512d,
    xy: __m512d,
    yy: __m512d,
    max: __m512d,
}

impl Lanes {
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512vl")]
    fn new() -> Lanes {
        let zero = _mm512_setzero_pd();
        Lanes {
            error: zero,
            absolute: zero,
            squared: zero,
            xx: zero,
            xy: zero,
            yy: zero,
            max: zero,
        }
    }

    /// Adds eight pairs. The products of references and values are exact, so that it does not matter
    /// that they are fused with their additions.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512vl")]
    fn add(&mut self, x: __m512d, y: __m512d) {
        let error = _mm512_sub_pd(y, x);
        let absolute = _mm512_abs_pd(error);
        self.error = _mm512_add_pd(self.error, error);
        self.absolute = _mm512_add_pd(self.absolute, absolute);
        self.squared = _mm512_fmadd_pd(error, error, self.squared);
        self.xx = _mm512_fmadd_pd(x, x, self.xx);
        self.xy = _mm512_fmadd_pd(x, y, self.xy);
        self.yy = _mm512_fmadd_pd(y, y, self.yy);
        self.max = _mm512_max_pd(self.max, absolute);
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512vl")]
    fn sums(self) -> Sums {
        let sum = |register: __m512d| {
            let mut lanes = [0.0; 8];
            // SAFETY: the array has room for eight doubles.
            unsafe { _mm512_storeu_pd(lanes.as_mut_ptr(), register) };
            total(lanes)
        };
        Sums {
            error: sum(self.error),
            absolute: sum(self.absolute),
            squared: sum(self.squared),
            xx: sum(self.xx),
            xy: sum(self.xy),
            yy: sum(self.yy),
            max: _mm512_reduce_max_pd(self.max),
            ..Sums::default()
        }
    }
}
