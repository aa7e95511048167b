//! Eight points at a time with AVX-512.

use super::{Along, Distribution, LANES, Levels, Piece, Pieces};
use core::arch::x86_64::*;
use core::mem::offset_of;

/// # Safety
/// The machine has AVX-512 F.
#[target_feature(enable = "avx512f")]
pub(super) unsafe fn along(distribution: &Pieces<'_>, points: &Levels) -> Along {
    let (pieces, begin, (narrow, narrows)) = distribution.parts();
    let base = pieces.as_ptr();
    let zero = _mm512_setzero_pd();
    let (first, step) = (_mm512_set1_pd(points.first), _mm512_set1_pd(points.step));
    let begin = _mm512_set1_pd(begin);
    // No bin beyond the last one, which is empty, whatever the point; NaN takes it too.
    let last = _mm512_set1_pd((pieces.len() - 1) as f64);
    let shift = _mm512_set1_epi64(narrows as i64 - 2);
    let mut numbers = _mm512_set_pd(7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0, 0.0);
    let (mut counts, mut numbered, mut sums) = (zero, zero, zero);
    for _ in 0..points.count / 8 {
        let point = _mm512_add_pd(first, _mm512_mul_pd(step, numbers));
        let bin = _mm512_max_pd(_mm512_sub_pd(point, begin), zero);
        let mut bin = _mm512_cvtepi32_epi64(_mm512_cvttpd_epi32(_mm512_min_pd(bin, last)));
        let mut near = 0;
        if narrows > 0 {
            let above = _mm512_cmp_pd_mask::<_CMP_GE_OQ>(point, _mm512_set1_pd(1.0));
            bin = _mm512_mask_add_epi64(bin, above, bin, shift);
            let most = _mm512_set1_epi64(pieces.len() as i64 - 1);
            bin = _mm512_min_epi64(bin, most);
            near = _mm512_cmpge_epi64_mask(bin, _mm512_set1_epi64(narrow as i64)) & !above;
        }
        // A piece is eight doubles.
        let at = _mm512_slli_epi64::<3>(bin);
        let member = |offset: usize| {
            let start = base.cast::<u8>().wrapping_add(offset);
            // SAFETY: numbers of pieces, and a member of them.
            unsafe { _mm512_i64gather_pd::<8>(at, start.cast()) }
        };
        let left = member(offset_of!(Piece, left));
        let part = _mm512_mul_pd(_mm512_sub_pd(point, left), member(offset_of!(Piece, slope)));
        let part = _mm512_min_pd(_mm512_max_pd(part, zero), _mm512_set1_pd(1.0));
        let inside = _mm512_mul_pd(member(offset_of!(Piece, count)), part);
        let mean = _mm512_add_pd(left, _mm512_mul_pd(part, member(offset_of!(Piece, half))));
        let mut count = _mm512_add_pd(member(offset_of!(Piece, before)), inside);
        let mut sum =
            _mm512_add_pd(member(offset_of!(Piece, sum_before)), _mm512_mul_pd(inside, mean));
        if near != 0 {
            let (mut some, mut more, mut of) = ([0.0; 8], [0.0; 8], [0.0; 8]);
            // SAFETY: the arrays have room for eight doubles each.
            unsafe {
                _mm512_storeu_pd(some.as_mut_ptr(), count);
                _mm512_storeu_pd(more.as_mut_ptr(), sum);
                _mm512_storeu_pd(of.as_mut_ptr(), point);
            }
            for lane in (0..8).filter(|lane| near >> lane & 1 != 0) {
                (some[lane], more[lane]) = distribution.below(of[lane]);
            }
            // SAFETY: as above.
            unsafe {
                count = _mm512_loadu_pd(some.as_ptr());
                sum = _mm512_loadu_pd(more.as_ptr());
            }
        }
        counts = _mm512_add_pd(counts, count);
        numbered = _mm512_add_pd(numbered, _mm512_mul_pd(numbers, count));
        sums = _mm512_add_pd(sums, sum);
        numbers = _mm512_add_pd(numbers, _mm512_set1_pd(8.0));
    }
    let mut lanes = [[0.0; LANES]; 3];
    // SAFETY: each array has room for eight doubles.
    unsafe {
        _mm512_storeu_pd(lanes[0].as_mut_ptr(), counts);
        _mm512_storeu_pd(lanes[1].as_mut_ptr(), numbered);
        _mm512_storeu_pd(lanes[2].as_mut_ptr(), sums);
    }
    let mut along = core::array::from_fn(|lane| Along {
        counts: lanes[0][lane],
        numbered: lanes[1][lane],
        sums: lanes[2][lane],
    });
    Along::one_by_one(distribution, points, points.count / 8 * 8, &mut along);
    Along::joined(&along)
}
