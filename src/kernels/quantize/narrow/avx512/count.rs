//! What becomes of the values of a group, counted in registers.

use super::super::FRACTION;
use super::super::job::{Job, Place, Tally};
use super::Constants;
use core::arch::x86_64::*;

/// Groups after which the sums are emptied, before a byte is full.
pub(super) const GROUPS: usize = 255;

/// What is counted, in lanes of a byte.
#[derive(Clone, Copy)]
pub(super) struct Sums {
    below: __m512i,
    above: __m512i,
    zero_codes: __m512i,
    zero_values: __m512i,
}

/// Counts a group; `low` and `high` are the codes before clamping.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn count<const SIGNED: bool, const EACH: bool>(
    constants: &Constants,
    values: &[__m512; 4],
    low: __m512i,
    high: __m512i,
    sums: &mut Sums,
) {
    let both =
        |first: __mmask32, second: __mmask32| _mm512_kunpackd(u64::from(second), u64::from(first));
    let one_more = |sum: __m512i, lanes: __mmask64| {
        _mm512_mask_sub_epi8(sum, lanes, sum, _mm512_set1_epi8(-1))
    };
    // The order of the lanes does not matter here.
    let below = if SIGNED {
        both(
            _mm512_cmplt_epi16_mask(low, constants.lowest),
            _mm512_cmplt_epi16_mask(high, constants.lowest),
        )
    } else {
        _mm512_movepi8_mask(_mm512_packs_epi16(low, high))
    };
    sums.below = one_more(sums.below, below);
    let bytes = _mm512_packus_epi16(low, high);
    let above = if SIGNED || constants.highest_is_255 {
        both(
            _mm512_cmpgt_epi16_mask(low, constants.highest),
            _mm512_cmpgt_epi16_mask(high, constants.highest),
        )
    } else {
        _mm512_cmpgt_epu8_mask(bytes, constants.highest_byte)
    };
    sums.above = one_more(sums.above, above);
    if EACH {
        return;
    }
    let zero_codes = if SIGNED {
        both(
            _mm512_cmpeq_epi16_mask(low, constants.zero_code),
            _mm512_cmpeq_epi16_mask(high, constants.zero_code),
        )
    } else {
        // Codes beyond the limits of a byte count as the limit: see `add`.
        _mm512_cmpeq_epi8_mask(bytes, constants.zero_byte)
    };
    sums.zero_codes = one_more(sums.zero_codes, zero_codes);
    let zeros = values.map(|values| {
        let magnitude = _mm512_set1_epi32(i32::MAX);
        u32::from(_mm512_testn_epi32_mask(_mm512_castps_si512(values), magnitude))
    });
    let zeros = both(_mm512_kunpackw(zeros[1], zeros[0]), _mm512_kunpackw(zeros[3], zeros[2]));
    sums.zero_values = one_more(sums.zero_values, zeros);
}

#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn no_sums() -> Sums {
    let zero = _mm512_setzero_si512();
    Sums { below: zero, above: zero, zero_codes: zero, zero_values: zero }
}

/// Adds the lanes of the sums.
#[inline(never)]
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn add(job: &Job<'_>, tally: &mut Tally, sums: &Sums) {
    let sum = |lanes| {
        let sums = _mm512_sad_epu8(lanes, _mm512_setzero_si512());
        _mm512_reduce_add_epi64(sums) as u64
    };
    let (below, above) = (sum(sums.below), sum(sums.above));
    let beyond = match job.zero_code() {
        Some(0) if !job.rules.signed => below,
        Some(255) if !job.rules.signed => above,
        _ => 0,
    };
    tally.below = tally.below.wrapping_add(below);
    tally.above = tally.above.wrapping_add(above);
    let zero_codes = sum(sums.zero_codes).wrapping_sub(beyond);
    tally.zero_codes = tally.zero_codes.wrapping_add(zero_codes);
    tally.zero_values = tally.zero_values.wrapping_add(sum(sums.zero_values));
}

/// The lanes whose value is not 0 and has the code that the offset says 0 has.
///
/// # Safety
/// That of [`group`].
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
pub(super) unsafe fn near_zero(
    constants: &Constants,
    place: &Place,
    at: usize,
    lanes: u64,
    values: &[__m512; 4],
    positions: &[__m512i; 4],
) -> u64 {
    let mut near = 0;
    for part in 0..4 {
        let present = (lanes >> (16 * part)) as __mmask16;
        // SAFETY: the mask admits elements of the slice only.
        let offset =
            unsafe { _mm512_maskz_loadu_ps(present, place.offsets.wrapping_add(at + 16 * part)) };
        let zero = _mm512_srai_epi32::<FRACTION>(_mm512_cvtps_epi32(offset));
        let zero = _mm512_sub_epi32(zero, constants.above_zero_code);
        let code = _mm512_srai_epi32::<FRACTION>(positions[part]);
        let not_zero = _mm512_cmp_ps_mask::<_CMP_NEQ_OQ>(values[part], _mm512_setzero_ps());
        near |= u64::from(_mm512_mask_cmpeq_epi32_mask(not_zero, code, zero)) << (16 * part);
    }
    near & lanes
}
