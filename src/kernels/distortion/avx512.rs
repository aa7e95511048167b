//! Eight points at a time with AVX-512.

use super::{Along, LANES, Levels, Piece, Pieces};
use core::arch::x86_64::*;

/// # Safety
/// The machine has AVX-512 F.
#[target_feature(enable = "avx512f")]
pub(super) unsafe fn along(distribution: &Pieces<'_>, points: &Levels) -> Along {
    let (pieces, begin, (narrow, narrows), places) = distribution.parts();
    let places = places.places();
    let zero = _mm512_setzero_pd();
    let (first, step) = (_mm512_set1_pd(points.first), _mm512_set1_pd(points.step));
    let begin = _mm512_set1_pd(begin);
    // No bin beyond the last one, which is empty, whatever the point; NaN takes it too.
    let last = _mm512_set1_pd((pieces.len() - 1) as f64);
    let shift = _mm512_set1_epi64(narrows as i64 - 2);
    let mut numbers = _mm512_set_pd(7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0, 0.0);
    let (mut counts, mut numbered, mut sums) = (zero, zero, zero);
    let end = _mm512_set1_pd(f64::from(points.count));
    for _ in 0..points.count.div_ceil(8) {
        let point = _mm512_add_pd(first, _mm512_mul_pd(step, numbers));
        let bin = _mm512_max_pd(_mm512_sub_pd(point, begin), zero);
        let mut bin = _mm512_cvtepi32_epi64(_mm512_cvttpd_epi32(_mm512_min_pd(bin, last)));
        if narrows > 0 {
            let above = _mm512_cmp_pd_mask::<_CMP_GE_OQ>(point, _mm512_set1_pd(1.0));
            bin = _mm512_mask_add_epi64(bin, above, bin, shift);
            let near = _mm512_cmpge_epi64_mask(bin, _mm512_set1_epi64(narrow as i64)) & !above;
            if near != 0 {
                let at = octaves(point);
                let places = places.as_ptr().cast();
                // SAFETY: `octaves` are numbers of places.
                bin = unsafe { _mm512_mask_i64gather_epi64::<8>(bin, near, at, places) };
            }
            // The places may be those of other pieces.
            let most = _mm512_set1_epi64(pieces.len() as i64 - 1);
            bin = _mm512_min_epi64(bin, most);
        }
        // SAFETY: each is the number of a piece, by the two limits above.
        let Members { before, sum_before, count, left, half, slope } =
            unsafe { members(pieces, bin) };
        let part = _mm512_mul_pd(_mm512_sub_pd(point, left), slope);
        let part = _mm512_min_pd(_mm512_max_pd(part, zero), _mm512_set1_pd(1.0));
        let inside = _mm512_mul_pd(count, part);
        let mean = _mm512_add_pd(left, _mm512_mul_pd(part, half));
        let count = _mm512_add_pd(before, inside);
        let sum = _mm512_add_pd(sum_before, _mm512_mul_pd(inside, mean));
        // The last ones may be fewer than eight.
        let those = _mm512_cmp_pd_mask::<_CMP_LT_OQ>(numbers, end);
        counts = _mm512_mask_add_pd(counts, those, counts, count);
        let product = _mm512_mul_pd(numbers, count);
        numbered = _mm512_mask_add_pd(numbered, those, numbered, product);
        sums = _mm512_mask_add_pd(sums, those, sums, sum);
        numbers = _mm512_add_pd(numbers, _mm512_set1_pd(8.0));
    }
    let mut lanes = [[0.0; LANES]; 3];
    // SAFETY: each array has room for eight doubles.
    unsafe {
        _mm512_storeu_pd(lanes[0].as_mut_ptr(), counts);
        _mm512_storeu_pd(lanes[1].as_mut_ptr(), numbered);
        _mm512_storeu_pd(lanes[2].as_mut_ptr(), sums);
    }
    Along::joined(&core::array::from_fn(|lane| Along {
        counts: lanes[0][lane],
        numbered: lanes[1][lane],
        sums: lanes[2][lane],
    }))
}

/// Which of the places in [`Near`](super::Near) are those of points, as its `find` has it.
#[inline]
#[target_feature(enable = "avx512f")]
fn octaves(points: __m512d) -> __m512i {
    let bits = _mm512_castpd_si512(points);
    let exponent = _mm512_and_si512(_mm512_srli_epi64::<52>(bits), _mm512_set1_epi64(0x7ff));
    let octave = _mm512_sub_epi64(_mm512_set1_epi64(1023), exponent);
    let octave = _mm512_max_epi64(octave, _mm512_setzero_si512());
    let octave = _mm512_min_epi64(octave, _mm512_set1_epi64(255));
    let above = _mm512_cmp_pd_mask::<_CMP_GE_OQ>(points, _mm512_setzero_pd());
    _mm512_mask_add_epi64(octave, above, octave, _mm512_set1_epi64(256))
}

/// The members of eight pieces, each in the piece's lane.
struct Members {
    before: __m512d,
    sum_before: __m512d,
    count: __m512d,
    left: __m512d,
    half: __m512d,
    slope: __m512d,
}

/// A piece is eight doubles and a vector as many: eight of them are read whole and transposed, which
/// takes half as long as gathering their members.
///
/// # Safety
/// The machine has AVX-512 F, and `numbers` are those of pieces.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn members(pieces: &[Piece], numbers: __m512i) -> Members {
    const { assert!(size_of::<Piece>() == 64 && align_of::<Piece>() == 64) };
    let mut at = [0_usize; LANES];
    // SAFETY: the array has room for eight numbers of 64 bits, which is what `usize` has here.
    unsafe { _mm512_storeu_si512(at.as_mut_ptr().cast(), numbers) };
    // SAFETY: a piece is there, by the caller's promise, with the size and alignment of a vector.
    let row = |lane: usize| unsafe { _mm512_load_pd(pieces.as_ptr().add(at[lane]).cast()) };
    // Two rows each: in `even` members 0, 2, 4, 6 of both, in `odd` 1, 3, 5, 7.
    let pair = |lane: usize| {
        let (a, b) = (row(lane), row(lane + 1));
        (_mm512_unpacklo_pd(a, b), _mm512_unpackhi_pd(a, b))
    };
    let [(even01, odd01), (even23, odd23), (even45, odd45), (even67, odd67)] =
        [pair(0), pair(2), pair(4), pair(6)];
    // Members 0 and 4, or 1 and 5, of four rows each; then 2 (and 6), or 3 (and 7).
    const NEAR: i32 = 0b10_00_10_00;
    const FAR: i32 = 0b11_01_11_01;
    let outer = |a, b| _mm512_shuffle_f64x2::<NEAR>(a, b);
    let inner = |a, b| _mm512_shuffle_f64x2::<FAR>(a, b);
    let (before_half, before_half_too) = (outer(even01, even23), outer(even45, even67));
    let (sums_slope, sums_slope_too) = (outer(odd01, odd23), outer(odd45, odd67));
    Members {
        before: outer(before_half, before_half_too),
        sum_before: outer(sums_slope, sums_slope_too),
        count: outer(inner(even01, even23), inner(even45, even67)),
        left: outer(inner(odd01, odd23), inner(odd45, odd67)),
        half: inner(before_half, before_half_too),
        slope: inner(sums_slope, sums_slope_too),
    }
}
