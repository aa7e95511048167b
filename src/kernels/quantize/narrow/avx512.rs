//! The fixed-point positions with AVX-512: 64 values, four registers, at a time.

use super::{GROUP, Job, Steps};
use core::arch::x86_64::*;

/// The upper halves of the 32-bit numbers of two registers, in order.
const UPPER_HALVES: [u16; 32] = {
    let mut index = [0; 32];
    let mut at = 0;
    while at < 32 {
        index[at] = (2 * at + 1) as u16;
        at += 1;
    }
    index
};

/// The lower halves of 32-bit numbers: what is behind the point.
const FRACTIONS: __mmask32 = 0x5555_5555;

/// How far ahead of its loads the loop prefetches.
const AHEAD: usize = 4096;

/// # Safety
/// The machine has the features; the job's slices are as long as [`super::narrow`] says.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
pub(super) unsafe fn run(job: &mut Job<'_>) {
    // SAFETY: the caller's promise is the callee's.
    unsafe {
        match (job.rules.signed, matches!(job.steps, Steps::Each { .. }), job.counts.is_some()) {
            (false, false, false) => run_as::<false, false, false>(job),
            (false, false, true) => run_as::<false, false, true>(job),
            (false, true, false) => run_as::<false, true, false>(job),
            (false, true, true) => run_as::<false, true, true>(job),
            (true, false, false) => run_as::<true, false, false>(job),
            (true, false, true) => run_as::<true, false, true>(job),
            (true, true, false) => run_as::<true, true, false>(job),
            (true, true, true) => run_as::<true, true, true>(job),
        }
    }
}

/// What stays the same from group to group.
#[derive(Clone, Copy)]
struct Constants {
    multiplier: __m512,
    offset: __m512,
    window: __m512i,
    upper: __m512i,
    lowest: __m512i,
    highest: __m512i,
    highest_byte: __m512i,
    zero: __m512i,
    has_zero: u64,
    sign: __m512i,
    sign_plane: bool,
}

/// # Safety
/// That of [`run`], with the job's own parameters.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
unsafe fn run_as<const SIGNED: bool, const EACH: bool, const COUNT: bool>(job: &mut Job<'_>) {
    let (multiplier, offset) = match job.steps {
        Steps::One(_, fast) => (fast.multiplier, fast.offset),
        Steps::Each { .. } => (0.0, 0.0),
    };
    let zero = job.zero_code();
    let precision = job.rules.precision;
    let constants = Constants {
        multiplier: _mm512_set1_ps(multiplier),
        offset: _mm512_set1_ps(offset),
        window: _mm512_set1_epi16(job.window() as i16),
        // SAFETY: 64 bytes may be read from an array of 64 bytes.
        upper: unsafe { _mm512_loadu_si512(UPPER_HALVES.as_ptr().cast()) },
        lowest: _mm512_set1_epi16(job.rules.lowest() as i16),
        highest: _mm512_set1_epi16(job.rules.highest() as i16),
        highest_byte: _mm512_set1_epi8(job.rules.highest() as i8),
        zero: _mm512_set1_epi16(zero.unwrap_or(0)),
        has_zero: if zero.is_some() { !0 } else { 0 },
        sign: _mm512_set1_epi8(if precision == 8 { 0 } else { (1_u8 << precision) as i8 }),
        sign_plane: !job.codes.signs.is_empty(),
    };
    let length = job.values.len();
    let whole = length - length % GROUP;
    for at in (0..whole).step_by(GROUP) {
        // SAFETY: the group is inside the job's slices.
        unsafe { group::<SIGNED, EACH, COUNT>(job, &constants, at, !0) };
    }
    if whole != length {
        let lanes = !0 >> (GROUP - (length - whole));
        // SAFETY: the lanes are inside the job's slices.
        unsafe { group::<SIGNED, EACH, COUNT>(job, &constants, whole, lanes) };
    }
}

/// The values from `at` on whose bit is set in `lanes`.
///
/// # Safety
/// The job's slices have elements for them.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
unsafe fn group<const SIGNED: bool, const EACH: bool, const COUNT: bool>(
    job: &mut Job<'_>,
    constants: &Constants,
    at: usize,
    lanes: u64,
) {
    let zero = _mm512_setzero_si512();
    let mut values = [_mm512_setzero_ps(); 4];
    let mut positions = [zero; 4];
    for part in 0..4 {
        let lanes = (lanes >> (16 * part)) as __mmask16;
        // In lanes that are not there a position is in the middle between two codes.
        let (mut multiplier, mut offset) = (constants.multiplier, constants.offset);
        // SAFETY: the mask admits elements of the slices only.
        unsafe {
            let start = at + 16 * part;
            let source = job.values.as_ptr().wrapping_add(start);
            _mm_prefetch::<_MM_HINT_T0>(source.wrapping_byte_add(AHEAD).cast());
            values[part] = _mm512_maskz_loadu_ps(lanes, source);
            if EACH && let Steps::Each { multipliers, offsets, .. } = job.steps {
                multiplier = _mm512_maskz_loadu_ps(lanes, multipliers.as_ptr().wrapping_add(start));
                offset = _mm512_maskz_loadu_ps(lanes, offsets.as_ptr().wrapping_add(start));
            }
        }
        positions[part] = _mm512_cvtps_epi32(_mm512_fmadd_ps(values[part], multiplier, offset));
    }
    let [a, b, c, d] = positions;
    // The smallest fraction tells whether any is in the window.
    let smallest = _mm512_min_epu16(_mm512_min_epu16(a, b), _mm512_min_epu16(c, d));
    let any = _mm512_mask_cmplt_epu16_mask(FRACTIONS, smallest, constants.window);
    let doubtful = if any == 0 { 0 } else { doubtful_lanes(&positions, constants.window) & lanes };

    let low = _mm512_permutex2var_epi16(a, constants.upper, b);
    let high = _mm512_permutex2var_epi16(c, constants.upper, d);
    let bytes = if SIGNED {
        let magnitude = in_order(_mm512_packus_epi16(
            _mm512_min_epu16(_mm512_abs_epi16(low), constants.highest),
            _mm512_min_epu16(_mm512_abs_epi16(high), constants.highest),
        ));
        let negative = _mm512_movepi8_mask(in_order(_mm512_packs_epi16(low, high)));
        if constants.sign_plane {
            let signs = _mm512_maskz_set1_epi8(negative, 1);
            // SAFETY: the mask admits elements of the slice only.
            unsafe {
                let target = job.codes.signs.as_mut_ptr().wrapping_add(at);
                _mm512_mask_storeu_epi8(target.cast(), lanes, signs);
            }
        }
        // The bits do not meet.
        _mm512_mask_add_epi8(magnitude, negative, magnitude, constants.sign)
    } else {
        let bytes = in_order(_mm512_packus_epi16(low, high));
        _mm512_min_epu8(bytes, constants.highest_byte)
    };
    // SAFETY: the mask admits elements of the slice only.
    unsafe {
        let target = job.codes.bytes.as_mut_ptr().wrapping_add(at);
        _mm512_mask_storeu_epi8(target.cast(), lanes, bytes);
    }
    if COUNT {
        count::<EACH>(job, constants, at, lanes & !doubtful, &values, low, high);
    }
    if doubtful != 0 {
        job.mend(at, doubtful);
    }
}

/// The lanes whose fraction is in the window.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn doubtful_lanes(positions: &[__m512i; 4], window: __m512i) -> u64 {
    let mut lanes = 0;
    for (part, position) in positions.iter().enumerate() {
        // Widened to the number's own 32 bits, so that lane and value agree.
        let fraction = _mm512_maskz_mov_epi16(FRACTIONS, *position);
        let window = _mm512_maskz_mov_epi16(FRACTIONS, window);
        let doubtful = _mm512_cmplt_epu32_mask(fraction, window);
        lanes |= u64::from(doubtful) << (16 * part);
    }
    lanes
}

/// Packing interleaves the groups of eight bytes of its operands; this puts them in order.
#[inline]
#[target_feature(enable = "avx512f")]
fn in_order(packed: __m512i) -> __m512i {
    _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7), packed)
}

/// Counts the values whose bit is set in `lanes`; `low` and `high` are the codes before clamping.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn count<const EACH: bool>(
    job: &mut Job<'_>,
    constants: &Constants,
    at: usize,
    lanes: u64,
    values: &[__m512; 4],
    low: __m512i,
    high: __m512i,
) {
    let both = |first: __mmask32, second: __mmask32| u64::from(first) | u64::from(second) << 32;
    let below = both(
        _mm512_cmplt_epi16_mask(low, constants.lowest),
        _mm512_cmplt_epi16_mask(high, constants.lowest),
    );
    let above = both(
        _mm512_cmpgt_epi16_mask(low, constants.highest),
        _mm512_cmpgt_epi16_mask(high, constants.highest),
    );
    let mut not_zero = 0;
    for (part, values) in values.iter().enumerate() {
        let mask = _mm512_cmp_ps_mask::<_CMP_NEQ_OQ>(*values, _mm512_setzero_ps());
        not_zero |= u64::from(mask) << (16 * part);
    }
    let flushed = if EACH {
        job.flushed_lanes(at, lanes & not_zero & !below & !above)
    } else {
        let zero = both(
            _mm512_cmpeq_epi16_mask(low, constants.zero),
            _mm512_cmpeq_epi16_mask(high, constants.zero),
        );
        zero & constants.has_zero & not_zero & lanes
    };
    if let Some(counts) = &mut job.counts {
        counts.saturated_low += u64::from((below & lanes).count_ones());
        counts.saturated_high += u64::from((above & lanes).count_ones());
        counts.flushed_to_zero += u64::from(flushed.count_ones());
    }
}
