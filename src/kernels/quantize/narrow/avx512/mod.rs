//! The fixed-point positions with AVX-512: 64 values, four registers, at a time.

use super::job::{Job, Place, Tally};
use super::{GROUP, Steps};
use core::arch::x86_64::*;
use count::{Sums, add, count, near_zero, no_sums};

mod count;

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
    zero_code: __m512i,
    zero_byte: __m512i,
    above_zero_code: __m512i,
    sign: __m512i,
    highest_is_255: bool,
    /// How far ahead of the loads to prefetch.
    ahead: usize,
}

/// # Safety
/// That of [`run`], with the job's own parameters.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
unsafe fn run_as<const SIGNED: bool, const EACH: bool, const COUNT: bool>(job: &mut Job<'_>) {
    let (multiplier, offset) = match job.steps {
        Steps::One(_, fast) => (fast.multiplier, fast.offset),
        Steps::Each { .. } => (0.0, 0.0),
    };
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
        zero_code: _mm512_set1_epi16(job.zero_code().unwrap_or(0)),
        zero_byte: _mm512_set1_epi8(job.zero_code().unwrap_or(0) as i8),
        above_zero_code: _mm512_set1_epi32(job.above_zero_code()),
        sign: _mm512_set1_epi8(if precision == 8 { 0 } else { (1_u8 << precision) as i8 }),
        highest_is_255: precision == 8,
        ahead: job.ahead(),
    };
    let place = job.place();
    let mut tally = Tally::default();
    let length = job.input.values.len();
    let whole = length - length % GROUP;
    let mut at = 0;
    while at < whole {
        let end = whole.min(at + count::GROUPS * GROUP);
        let mut sums = no_sums();
        while at < end {
            let mut flushed = 0;
            // SAFETY: the group is inside the job's slices.
            let doubtful = unsafe {
                group::<SIGNED, EACH, COUNT, true>(
                    job,
                    &constants,
                    &place,
                    at,
                    !0,
                    &mut sums,
                    &mut flushed,
                )
            };
            if EACH && COUNT {
                tally.flushed = tally.flushed.wrapping_add(flushed);
            }
            if doubtful {
                // SAFETY: as above.
                let positions = unsafe { positions_of::<EACH>(&constants, &place, at, !0) };
                job.settle(at, &positions, &mut tally);
            }
            at += GROUP;
        }
        if COUNT {
            add(job, &mut tally, &sums);
        }
    }
    if whole != length {
        // SAFETY: as above; the lanes are inside the job's slices.
        unsafe { last_group::<SIGNED, EACH, COUNT>(job, &constants, &place, whole, &mut tally) };
    }
    if COUNT {
        job.finish(&tally);
    }
}

/// Fewer values than a group has, those of the job from `at` on.
///
/// # Safety
/// That of [`run_as`].
#[inline(never)]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
unsafe fn last_group<const SIGNED: bool, const EACH: bool, const COUNT: bool>(
    job: &mut Job<'_>,
    constants: &Constants,
    place: &Place,
    at: usize,
    tally: &mut Tally,
) {
    let lanes = !0 >> (GROUP - (job.input.values.len() - at));
    let (mut sums, mut flushed) = (no_sums(), 0);
    // SAFETY: the lanes are inside the job's slices.
    unsafe {
        let doubtful = group::<SIGNED, EACH, COUNT, false>(
            job,
            constants,
            place,
            at,
            lanes,
            &mut sums,
            &mut flushed,
        );
        if COUNT {
            add(job, tally, &sums);
            tally.flushed = tally.flushed.wrapping_add(flushed);
        }
        if COUNT || doubtful {
            let positions = positions_of::<EACH>(constants, place, at, lanes);
            job.settle(at, &positions, tally);
        }
    }
}

/// Encodes the values from `at` on whose bit is set in `lanes`: all, which is `FULL`, or as many as
/// there are. Says whether one may be doubtful.
///
/// # Safety
/// The slices have elements for them.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
unsafe fn group<const SIGNED: bool, const EACH: bool, const COUNT: bool, const FULL: bool>(
    job: &Job<'_>,
    constants: &Constants,
    place: &Place,
    at: usize,
    lanes: u64,
    sums: &mut Sums,
    flushed: &mut u64,
) -> bool {
    let lanes = if FULL { !0 } else { lanes };
    let mut values = [_mm512_setzero_ps(); 4];
    let mut positions = [_mm512_setzero_si512(); 4];
    for part in 0..4 {
        let start = at + 16 * part;
        let ahead = place.values.wrapping_add(start).wrapping_byte_add(constants.ahead);
        _mm_prefetch::<_MM_HINT_T0>(ahead.cast());
        // SAFETY: the caller's promise.
        (values[part], positions[part]) = unsafe {
            sixteen::<EACH>(constants, place, start, (lanes >> (16 * part)) as __mmask16)
        };
    }
    let [a, b, c, d] = positions;
    // The smallest fraction tells whether any is in the window.
    let smallest = _mm512_min_epu16(_mm512_min_epu16(a, b), _mm512_min_epu16(c, d));
    let doubtful = _mm512_mask_cmplt_epu16_mask(FRACTIONS, smallest, constants.window);

    let low = _mm512_permutex2var_epi16(a, constants.upper, b);
    let high = _mm512_permutex2var_epi16(c, constants.upper, d);
    let bytes = if SIGNED {
        let magnitude = in_order(_mm512_packus_epi16(
            _mm512_min_epu16(_mm512_abs_epi16(low), constants.highest),
            _mm512_min_epu16(_mm512_abs_epi16(high), constants.highest),
        ));
        let negative = _mm512_movepi8_mask(in_order(_mm512_packs_epi16(low, high)));
        if !place.signs.is_null() {
            let signs = _mm512_maskz_set1_epi8(negative, 1);
            // SAFETY: the mask admits elements of the slice only.
            unsafe {
                _mm512_mask_storeu_epi8(place.signs.wrapping_add(at).cast(), lanes, signs);
            }
        }
        // The bits do not meet.
        _mm512_mask_add_epi8(magnitude, negative, magnitude, constants.sign)
    } else {
        let bytes = in_order(_mm512_packus_epi16(low, high));
        _mm512_min_epu8(bytes, constants.highest_byte)
    };
    // SAFETY: the mask admits elements of the slice only.
    unsafe { _mm512_mask_storeu_epi8(place.bytes.wrapping_add(at).cast(), lanes, bytes) };
    if COUNT {
        count::<SIGNED, EACH>(constants, &values, low, high, sums);
        if EACH {
            // SAFETY: the caller's promise.
            unsafe {
                let near = near_zero(constants, place, at, lanes, &values, &positions);
                if near != 0 {
                    let positions = positions_of::<EACH>(constants, place, at, lanes);
                    *flushed = job.flushed(at, &positions, near);
                }
            }
        }
    }
    doubtful != 0
}

/// Sixteen values and their positions; 0 for values that are not there.
///
/// # Safety
/// The slices have elements for the lanes.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
unsafe fn sixteen<const EACH: bool>(
    constants: &Constants,
    place: &Place,
    start: usize,
    lanes: __mmask16,
) -> (__m512, __m512i) {
    // SAFETY: the mask admits elements of the slices only.
    unsafe {
        let value = _mm512_maskz_loadu_ps(lanes, place.values.wrapping_add(start));
        let (mut multiplier, mut offset) = (constants.multiplier, constants.offset);
        if EACH {
            multiplier = _mm512_maskz_loadu_ps(lanes, place.multipliers.wrapping_add(start));
            offset = _mm512_maskz_loadu_ps(lanes, place.offsets.wrapping_add(start));
        }
        (value, _mm512_cvtps_epi32(_mm512_fmadd_ps(value, multiplier, offset)))
    }
}

/// The positions of a group.
///
/// # Safety
/// That of [`group`].
#[cold]
#[inline(never)]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
unsafe fn positions_of<const EACH: bool>(
    constants: &Constants,
    place: &Place,
    at: usize,
    lanes: u64,
) -> [i32; GROUP] {
    let mut positions = [0; GROUP];
    for (part, positions) in positions.as_chunks_mut::<16>().0.iter_mut().enumerate() {
        let lanes = (lanes >> (16 * part)) as __mmask16;
        // SAFETY: the caller's promise; 64 bytes may be written to a reference to 64 bytes.
        unsafe {
            let (_, found) = sixteen::<EACH>(constants, place, at + 16 * part, lanes);
            _mm512_storeu_si512(positions.as_mut_ptr().cast(), found);
        }
    }
    positions
}

/// Packing interleaves the groups of eight bytes of its operands; this puts them in order.
#[inline]
#[target_feature(enable = "avx512f")]
fn in_order(packed: __m512i) -> __m512i {
    _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7), packed)
}
