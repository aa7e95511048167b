//! The fixed-point positions with AVX2: two times 32 values, four registers, at a time.

use super::job::{Job, Place, Tally};
use super::{FRACTION, GROUP, Steps};
use core::arch::x86_64::*;

/// Groups after which the sums are emptied: a lane of 16 bits grows by at most 4 a group.
const GROUPS: usize = 4096;

/// # Safety
/// The machine has the features; the job's slices are as long as [`super::narrow`] says.
#[target_feature(enable = "avx2,fma")]
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
    multiplier: __m256,
    offset: __m256,
    /// In the lower halves of 32-bit numbers; zeros above.
    window: __m256i,
    lowest: __m256i,
    highest: __m256i,
    highest_byte: __m256i,
    zero_code: __m256i,
    above_zero_code: __m256i,
    sign: __m256i,
    /// How far ahead of the loads to prefetch.
    ahead: usize,
}

/// What is counted, in lanes of 16 and of 32 bits.
#[derive(Clone, Copy)]
struct Sums {
    below: __m256i,
    above: __m256i,
    zero_codes: __m256i,
    zero_values: __m256i,
}

/// # Safety
/// That of [`run`], with the job's own parameters.
#[target_feature(enable = "avx2,fma")]
unsafe fn run_as<const SIGNED: bool, const EACH: bool, const COUNT: bool>(job: &mut Job<'_>) {
    let (multiplier, offset) = match job.steps {
        Steps::One(_, fast) => (fast.multiplier, fast.offset),
        Steps::Each { .. } => (0.0, 0.0),
    };
    let precision = job.rules.precision;
    let constants = Constants {
        multiplier: _mm256_set1_ps(multiplier),
        offset: _mm256_set1_ps(offset),
        window: _mm256_set1_epi32(i32::from(job.window())),
        lowest: _mm256_set1_epi16(job.rules.lowest() as i16),
        highest: _mm256_set1_epi16(job.rules.highest() as i16),
        highest_byte: _mm256_set1_epi8(job.rules.highest() as i8),
        zero_code: _mm256_set1_epi16(job.zero_code().unwrap_or(0)),
        above_zero_code: _mm256_set1_epi32(job.above_zero_code()),
        sign: _mm256_set1_epi8(if precision == 8 { 0 } else { (1_u8 << precision) as i8 }),
        ahead: job.ahead(),
    };
    let place = job.place();
    let mut tally = Tally::default();
    let length = job.input.values.len();
    let whole = length - length % GROUP;
    let mut at = 0;
    while at < whole {
        let end = whole.min(at + GROUPS * GROUP);
        let mut sums = no_sums();
        while at < end {
            let place = place.moved(at);
            // SAFETY: the group is inside the job's slices.
            unsafe {
                let doubtful = group::<SIGNED, EACH, COUNT>(&constants, place, &mut sums);
                if EACH && COUNT {
                    count_flushed(job, &constants, at, place, u64::MAX, &mut tally);
                }
                if doubtful {
                    job.settle(at, &positions_of::<EACH>(&constants, place), &mut tally);
                }
            }
            at += GROUP;
        }
        if COUNT {
            add(&mut tally, &sums);
        }
    }
    if whole != length {
        // SAFETY: as above; the group is the last one.
        unsafe { last_group::<SIGNED, EACH, COUNT>(job, &constants, place, whole, &mut tally) };
    }
    if COUNT {
        job.finish(&tally);
    }
}

/// Fewer values than a group has, those of the job from `at` on: through copies.
///
/// # Safety
/// That of [`run_as`]; `start` is where the job's slices are.
#[inline(never)]
#[target_feature(enable = "avx2,fma")]
unsafe fn last_group<const SIGNED: bool, const EACH: bool, const COUNT: bool>(
    job: &mut Job<'_>,
    constants: &Constants,
    start: Place,
    at: usize,
    tally: &mut Tally,
) {
    let length = job.input.values.len() - at;
    let (mut values, mut multipliers, mut offsets) = ([0.0; GROUP], [0.0; GROUP], [0.0; GROUP]);
    values[..length].copy_from_slice(&job.input.values[at..]);
    if let Steps::Each { multipliers: from, offsets: from_offsets, .. } = job.steps {
        multipliers[..length].copy_from_slice(&from[at..]);
        offsets[..length].copy_from_slice(&from_offsets[at..]);
    }
    let (mut bytes, mut signs) = ([0; GROUP], [0; GROUP]);
    let place = Place {
        values: values.as_ptr(),
        multipliers: multipliers.as_ptr(),
        offsets: offsets.as_ptr(),
        bytes: bytes.as_mut_ptr(),
        signs: if start.signs.is_null() { start.signs } else { signs.as_mut_ptr() },
    };
    let mut sums = no_sums();
    // SAFETY: the arrays have room for a group.
    let doubtful = unsafe { group::<SIGNED, EACH, COUNT>(constants, place, &mut sums) };
    job.codes.bytes[at..].copy_from_slice(&bytes[..length]);
    if let Some(target) = job.codes.signs.get_mut(at..).filter(|target| !target.is_empty()) {
        target.copy_from_slice(&signs[..length]);
    }
    // SAFETY: the arrays have room for a group.
    unsafe {
        if COUNT {
            add(tally, &sums);
            if EACH {
                let lanes = u64::MAX >> (GROUP - length);
                count_flushed(job, constants, at, place, lanes, tally);
            }
        }
        if COUNT || doubtful {
            job.settle(at, &positions_of::<EACH>(constants, place), tally);
        }
    }
}

/// Encodes a group, and says whether some of it may be doubtful.
///
/// # Safety
/// There are [`GROUP`] elements at the pointers that the parameters have use for.
#[inline]
#[target_feature(enable = "avx2,fma")]
unsafe fn group<const SIGNED: bool, const EACH: bool, const COUNT: bool>(
    constants: &Constants,
    place: Place,
    sums: &mut Sums,
) -> bool {
    let mut smallest = _mm256_set1_epi16(-1);
    for half in 0..2 {
        let place = place.moved(32 * half);
        _mm_prefetch::<_MM_HINT_T0>(place.values.wrapping_byte_add(constants.ahead).cast());
        _mm_prefetch::<_MM_HINT_T0>(place.values.wrapping_byte_add(constants.ahead + 64).cast());
        let mut positions = [_mm256_setzero_si256(); 4];
        for (part, position) in positions.iter_mut().enumerate() {
            // SAFETY: the caller's promise.
            let (value, found) = unsafe { eight::<EACH>(constants, place.moved(8 * part)) };
            *position = found;
            if COUNT && !EACH {
                let zeros = _mm256_cmp_ps::<_CMP_EQ_OQ>(value, _mm256_setzero_ps());
                let zeros = _mm256_castps_si256(zeros);
                sums.zero_values = _mm256_sub_epi32(sums.zero_values, zeros);
            }
        }
        let [a, b, c, d] = positions;
        let pairs = _mm256_min_epu16(_mm256_min_epu16(a, b), _mm256_min_epu16(c, d));
        smallest = _mm256_min_epu16(smallest, pairs);

        // The whole parts of two registers, taking turns.
        let low = _mm256_blend_epi16::<0xaa>(_mm256_srli_epi32::<16>(a), b);
        let high = _mm256_blend_epi16::<0xaa>(_mm256_srli_epi32::<16>(c), d);
        if COUNT {
            for codes in [low, high] {
                let below = _mm256_cmpgt_epi16(constants.lowest, codes);
                sums.below = _mm256_sub_epi16(sums.below, below);
                let above = _mm256_cmpgt_epi16(codes, constants.highest);
                sums.above = _mm256_sub_epi16(sums.above, above);
                if !EACH {
                    let zeros = _mm256_cmpeq_epi16(codes, constants.zero_code);
                    sums.zero_codes = _mm256_sub_epi16(sums.zero_codes, zeros);
                }
            }
        }
        let bytes = if SIGNED {
            let magnitude = _mm256_packus_epi16(
                _mm256_min_epu16(_mm256_abs_epi16(low), constants.highest),
                _mm256_min_epu16(_mm256_abs_epi16(high), constants.highest),
            );
            let signed = _mm256_packs_epi16(low, high);
            let negative = _mm256_cmpgt_epi8(_mm256_setzero_si256(), signed);
            if !place.signs.is_null() {
                let signs = in_order(_mm256_and_si256(negative, _mm256_set1_epi8(1)));
                // SAFETY: the caller's promise.
                unsafe { _mm256_storeu_si256(place.signs.cast(), signs) };
            }
            // The bits do not meet.
            in_order(_mm256_or_si256(magnitude, _mm256_and_si256(negative, constants.sign)))
        } else {
            let bytes = in_order(_mm256_packus_epi16(low, high));
            _mm256_min_epu8(bytes, constants.highest_byte)
        };
        // SAFETY: the caller's promise.
        unsafe { _mm256_storeu_si256(place.bytes.cast(), bytes) };
    }
    // The smallest fraction tells whether any is in the window.
    let inside = _mm256_subs_epu16(constants.window, smallest);
    _mm256_testz_si256(inside, inside) == 0
}

/// Eight values and their positions.
///
/// # Safety
/// There are as many at the pointers that the parameters have use for.
#[inline]
#[target_feature(enable = "avx2,fma")]
unsafe fn eight<const EACH: bool>(constants: &Constants, place: Place) -> (__m256, __m256i) {
    // SAFETY: the caller's promise.
    unsafe {
        let value = _mm256_loadu_ps(place.values);
        let (multiplier, offset) = if EACH {
            (_mm256_loadu_ps(place.multipliers), _mm256_loadu_ps(place.offsets))
        } else {
            (constants.multiplier, constants.offset)
        };
        (value, _mm256_cvtps_epi32(_mm256_fmadd_ps(value, multiplier, offset)))
    }
}

/// Puts what [`group`] packs in order: four times two taking turns in every half.
#[inline]
#[target_feature(enable = "avx2")]
fn in_order(packed: __m256i) -> __m256i {
    let turns = _mm_setr_epi8(0, 2, 4, 6, 1, 3, 5, 7, 8, 10, 12, 14, 9, 11, 13, 15);
    let fours = _mm256_shuffle_epi8(packed, _mm256_broadcastsi128_si256(turns));
    _mm256_permutevar8x32_epi32(fours, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7))
}

/// The positions of a group.
///
/// # Safety
/// That of [`group`].
#[cold]
#[inline(never)]
#[target_feature(enable = "avx2,fma")]
unsafe fn positions_of<const EACH: bool>(constants: &Constants, place: Place) -> [i32; GROUP] {
    let mut positions = [0; GROUP];
    for (part, positions) in positions.as_chunks_mut::<8>().0.iter_mut().enumerate() {
        // SAFETY: the caller's promise; 32 bytes may be written to a reference to 32 bytes.
        unsafe {
            let (_, found) = eight::<EACH>(constants, place.moved(8 * part));
            _mm256_storeu_si256(positions.as_mut_ptr().cast(), found);
        }
    }
    positions
}

/// With a step for each value: counts those of the group at `at` that were flushed to 0.
///
/// # Safety
/// That of [`group`].
#[inline]
#[target_feature(enable = "avx2,fma")]
unsafe fn count_flushed(
    job: &Job<'_>,
    constants: &Constants,
    at: usize,
    place: Place,
    lanes: u64,
    tally: &mut Tally,
) {
    let mut near_zero = 0;
    for part in 0..8 {
        let place = place.moved(8 * part);
        // SAFETY: the caller's promise.
        let (value, position, zero) = unsafe {
            let (value, position) = eight::<true>(constants, place);
            (value, position, _mm256_cvtps_epi32(_mm256_loadu_ps(place.offsets)))
        };
        let zero = _mm256_srai_epi32::<{ FRACTION as i32 }>(zero);
        let same = _mm256_cmpeq_epi32(
            _mm256_srai_epi32::<{ FRACTION as i32 }>(position),
            _mm256_sub_epi32(zero, constants.above_zero_code),
        );
        let not_zero = _mm256_cmp_ps::<_CMP_NEQ_OQ>(value, _mm256_setzero_ps());
        let mask = _mm256_movemask_ps(_mm256_and_ps(_mm256_castsi256_ps(same), not_zero));
        near_zero |= (mask as u64) << (8 * part);
    }
    let near_zero = near_zero & lanes;
    if near_zero != 0 {
        // SAFETY: the caller's promise.
        let positions = unsafe { positions_of::<true>(constants, place) };
        tally.flushed = tally.flushed.wrapping_add(job.flushed(at, &positions, near_zero));
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn no_sums() -> Sums {
    let zero = _mm256_setzero_si256();
    Sums { below: zero, above: zero, zero_codes: zero, zero_values: zero }
}

/// Adds the lanes of the sums.
#[inline]
#[target_feature(enable = "avx2")]
fn add(tally: &mut Tally, sums: &Sums) {
    // At most 2^14 in a lane, so that the upper bit of a lane is no sign.
    let halves = |sum| sum_of_lanes(_mm256_madd_epi16(sum, _mm256_set1_epi16(1)));
    tally.below = tally.below.wrapping_add(halves(sums.below));
    tally.above = tally.above.wrapping_add(halves(sums.above));
    tally.zero_codes = tally.zero_codes.wrapping_add(halves(sums.zero_codes));
    tally.zero_values = tally.zero_values.wrapping_add(sum_of_lanes(sums.zero_values));
}

#[inline]
#[target_feature(enable = "avx2")]
fn sum_of_lanes(sum: __m256i) -> u64 {
    let mut lanes = [0_u32; 8];
    // SAFETY: 32 bytes may be written to an array of 32 bytes.
    unsafe { _mm256_storeu_si256(lanes.as_mut_ptr().cast(), sum) };
    lanes.into_iter().map(u64::from).sum()
}
