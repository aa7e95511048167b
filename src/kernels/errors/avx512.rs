//! Sixteen pairs at a time with AVX-512: the eight lanes of a sum are a register.

use super::{Sums, total};
use core::arch::x86_64::*;

/// How far ahead references are fetched, in bytes: they come from memory, values do not.
const AHEAD: usize = 4096;

/// # Safety
/// The machine has AVX-512 F and DQ; the slices are of one length.
#[target_feature(enable = "avx512f,avx512dq,avx512vl")]
pub(super) unsafe fn sums(reference: &[f32], values: &[f32]) -> Sums {
    let mut lanes = Lanes::new();
    let (groups, rest) = reference.as_chunks::<16>();
    let (value_groups, value_rest) = values.as_chunks::<16>();
    for (xs, ys) in groups.iter().zip(value_groups) {
        _mm_prefetch::<_MM_HINT_T0>(xs.as_ptr().cast::<i8>().wrapping_add(AHEAD));
        // SAFETY: a group has sixteen numbers.
        unsafe {
            let (x, y) = (_mm512_loadu_ps(xs.as_ptr()), _mm512_loadu_ps(ys.as_ptr()));
            lanes.look(x, y, u16::MAX);
            for half in [0, 8] {
                let x = _mm512_cvtps_pd(_mm256_loadu_ps(xs.as_ptr().add(half)));
                let y = _mm512_cvtps_pd(_mm256_loadu_ps(ys.as_ptr().add(half)));
                lanes.add(x, y);
            }
        }
    }
    // Lanes without a number get a pair of zeros, which adds nothing to a sum.
    for (xs, ys) in rest.chunks(8).zip(value_rest.chunks(8)) {
        let mask = ((1_u16 << xs.len()) - 1) as __mmask8;
        // SAFETY: only the numbers that there are, are read.
        unsafe {
            let x = _mm256_maskz_loadu_ps(mask, xs.as_ptr());
            let y = _mm256_maskz_loadu_ps(mask, ys.as_ptr());
            let wide = |half| _mm512_castps256_ps512(half);
            lanes.look(wide(x), wide(y), __mmask16::from(mask));
            lanes.add(_mm512_cvtps_pd(x), _mm512_cvtps_pd(y));
        }
    }
    lanes.sums()
}

struct Lanes {
    error: __m512d,
    absolute: __m512d,
    squared: __m512d,
    xx: __m512d,
    xy: __m512d,
    yy: __m512d,
    max: __m512d,
    low: __m512,
    high: __m512,
    flushed: __m512i,
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
            low: _mm512_set1_ps(f32::INFINITY),
            high: _mm512_set1_ps(f32::NEG_INFINITY),
            flushed: _mm512_setzero_si512(),
        }
    }

    /// What is told without widening, of the numbers in a mask.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512vl")]
    fn look(&mut self, x: __m512, y: __m512, mask: __mmask16) {
        let zero = _mm512_setzero_ps();
        self.low = _mm512_mask_min_ps(self.low, mask, self.low, x);
        self.high = _mm512_mask_max_ps(self.high, mask, self.high, x);
        let zeroed = _mm512_mask_cmp_ps_mask::<_CMP_EQ_OQ>(mask, y, zero);
        let flushed = _mm512_mask_cmp_ps_mask::<_CMP_NEQ_OQ>(zeroed, x, zero);
        let one = _mm512_set1_epi32(1);
        self.flushed = _mm512_mask_add_epi32(self.flushed, flushed, self.flushed, one);
    }

    /// Adds eight pairs. Where a product is exact, fused operations give what separate ones do; the
    /// error's square is not.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512vl")]
    fn add(&mut self, x: __m512d, y: __m512d) {
        let error = _mm512_sub_pd(y, x);
        let absolute = _mm512_abs_pd(error);
        self.error = _mm512_add_pd(self.error, error);
        self.absolute = _mm512_add_pd(self.absolute, absolute);
        self.squared = _mm512_add_pd(self.squared, _mm512_mul_pd(error, error));
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
            low: _mm512_reduce_min_ps(self.low),
            high: _mm512_reduce_max_ps(self.high),
            flushed: u64::from(_mm512_reduce_add_epi32(self.flushed).cast_unsigned()),
        }
    }
}
