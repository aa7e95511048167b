//! The kernels with AVX2: eight values at a time.

use super::{BATCH, COUNT_SHIFT, Grid, MIDDLE, OCTAVES, OFFSET_BITS, Pair, Placed, Scan, portable};
use core::arch::x86_64::*;

/// Values whose zeros fit the counters of 32 bits.
const BLOCK: usize = 1 << 20;

/// # Safety
/// The machine has AVX2.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn scan(values: &[f32]) -> Scan {
    let mut scan = Scan::EMPTY;
    for block in values.chunks(BLOCK) {
        // SAFETY: passed on from the caller.
        scan.add(&unsafe { scan_block(block) });
    }
    scan
}

/// # Safety
/// The machine has AVX2.
#[target_feature(enable = "avx2")]
unsafe fn scan_block(values: &[f32]) -> Scan {
    let (groups, rest) = values.as_chunks::<16>();
    let infinite = _mm256_set1_epi32(0x7f80_0000);
    let below = _mm256_set1_ps(f32::INFINITY);
    let above = _mm256_set1_ps(f32::NEG_INFINITY);
    let (mut least, mut most) = ([below; 2], [above; 2]);
    let mut zeros = _mm256_setzero_si256();
    let mut scan = Scan::EMPTY;
    for group in groups {
        for part in 0..2 {
            // SAFETY: a group has twice eight values.
            let x = unsafe { _mm256_loadu_ps(group.as_ptr().add(8 * part)) };
            let magnitude = _mm256_and_si256(_mm256_castps_si256(x), _mm256_set1_epi32(i32::MAX));
            let finite = _mm256_cmpgt_epi32(infinite, magnitude);
            let zero = _mm256_cmpeq_epi32(magnitude, _mm256_setzero_si256());
            let ordinary = _mm256_castsi256_ps(_mm256_andnot_si256(zero, finite));
            zeros = _mm256_sub_epi32(zeros, zero);
            least[part] = _mm256_min_ps(least[part], _mm256_blendv_ps(below, x, ordinary));
            most[part] = _mm256_max_ps(most[part], _mm256_blendv_ps(above, x, ordinary));
            if _mm256_movemask_ps(_mm256_castsi256_ps(finite)) != 0xff {
                scan.add_non_finite(&group[8 * part..8 * part + 8]);
            }
        }
    }
    let (mut lanes, mut counts) = ([0.0_f32; 32], [0u32; 8]);
    // SAFETY: the arrays have room for four vectors of eight floats and for eight integers.
    unsafe {
        for (part, vector) in [least[0], least[1], most[0], most[1]].into_iter().enumerate() {
            _mm256_storeu_ps(lanes.as_mut_ptr().add(8 * part), vector);
        }
        _mm256_storeu_si256(counts.as_mut_ptr().cast(), zeros);
    }
    scan.zeros = counts.iter().map(|count| u64::from(*count)).sum();
    scan.min = lanes[..16].iter().copied().fold(f32::INFINITY, f32::min);
    scan.max = lanes[16..].iter().copied().fold(f32::NEG_INFINITY, f32::max);
    scan.add(&portable::scan(rest));
    scan
}

/// # Safety
/// The machine has AVX2; the table has twice the slots of the grid.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn tally(
    values: &[f32],
    grid: &Grid,
    range: (f32, f32),
    table: &mut [Pair],
) -> (usize, Scan) {
    let (groups, rest) = values.as_chunks::<8>();
    let mut placed = Placed::EMPTY;
    let mut seen = Scan::EMPTY;
    for (number, batch) in groups.chunks(BATCH / 8).enumerate() {
        // SAFETY: passed on from the caller; a batch fits, and its places are those of its values.
        unsafe {
            let found = scan_block(batch.as_flattened());
            if !found.is_within(range) {
                return (number * BATCH, seen);
            }
            seen.add(&found);
            place(batch, grid, &mut placed);
            add(&placed, 8 * batch.len(), table.as_mut_ptr());
        }
    }
    let (taken, found) = portable::tally(rest, grid, range, table);
    seen.add(&found);
    (8 * groups.len() + taken, seen)
}

/// # Safety
/// The places of the first `count` values are those of pairs.
#[inline(never)]
#[target_feature(enable = "avx2")]
unsafe fn add(placed: &Placed, count: usize, table: *mut Pair) {
    for (place, sum) in placed.places[..count].iter().zip(&placed.sums) {
        // SAFETY: the caller vouches for the place; pairs are aligned.
        unsafe {
            let pair = table.byte_add(*place as usize).cast::<__m128i>();
            let sum = _mm_load_si128(core::ptr::from_ref(sum).cast());
            _mm_store_si128(pair, _mm_add_epi64(_mm_load_si128(pair), sum));
        }
    }
}

/// # Safety
/// The machine has AVX2; there are at most [`BATCH`] values.
#[inline(never)]
#[target_feature(enable = "avx2")]
unsafe fn place(groups: &[[f32; 8]], grid: &Grid, placed: &mut Placed) {
    let factors = grid.factors.map(|factor| _mm256_set1_ps(factor));
    let mask = _mm256_set1_epi32(grid.mask as i32);
    let octaves = _mm256_set1_epi32(grid.bins() as i32);
    let lanes = _mm256_set_epi32(7, 6, 5, 4, 3, 2, 1, 0);
    let nowhere = _mm256_add_epi32(_mm256_set1_epi32((grid.bins() + OCTAVES) as i32), lanes);
    let second = _mm256_set1_epi32(grid.slots() as i32);
    let right = _mm256_set1_epi64x(-1 << 32);
    let middle = _mm256_set1_epi32(MIDDLE as i32);
    let one = _mm256_set1_epi64x(1 << COUNT_SHIFT);
    let low = _mm256_set1_epi64x(0xffff_ffff);
    let zero = _mm256_setzero_si256();
    // The order in which the sums below are stored.
    let order = _mm256_set_epi32(7, 3, 5, 1, 6, 2, 4, 0);
    for (number, group) in groups.iter().enumerate() {
        // SAFETY: a group has eight values.
        let x = unsafe { _mm256_loadu_ps(group.as_ptr()) };
        let bits = _mm256_castps_si256(x);
        let magnitude = _mm256_and_si256(bits, _mm256_set1_epi32(i32::MAX));
        let special = _mm256_or_si256(
            _mm256_cmpeq_epi32(magnitude, zero),
            _mm256_cmpgt_epi32(magnitude, _mm256_set1_epi32(0x7f7f_ffff)),
        );
        let absolute = _mm256_castsi256_ps(magnitude);
        let position = _mm256_mul_ps(_mm256_mul_ps(absolute, factors[0]), factors[1]);
        let whole = _mm256_cvttps_epi32(position);
        let near = _mm256_cmpeq_epi32(whole, zero);
        let index = _mm256_xor_si256(whole, _mm256_srai_epi32::<31>(bits));
        let slot = _mm256_and_si256(index, mask);
        let octave = _mm256_add_epi32(_mm256_srli_epi32::<{ OFFSET_BITS as i32 }>(bits), octaves);
        let slot = _mm256_blendv_epi8(slot, octave, near);
        let slot = _mm256_blendv_epi8(slot, nowhere, special);
        // Of each two neighbors, the right one where they are equal.
        let left = _mm256_shuffle_epi32::<0b10_10_00_00>(slot);
        let equal = _mm256_and_si256(_mm256_cmpeq_epi32(slot, left), right);
        let slot = _mm256_add_epi32(slot, _mm256_and_si256(equal, second));
        let places = _mm256_permutevar8x32_epi32(_mm256_slli_epi32::<4>(slot), order);
        let fraction = _mm256_sub_ps(position, _mm256_cvtepi32_ps(whole));
        let scaled = _mm256_mul_ps(fraction, _mm256_set1_ps((1 << OFFSET_BITS) as f32));
        let mantissa = _mm256_and_si256(bits, _mm256_set1_epi32(0x007f_ffff));
        let offset = _mm256_blendv_epi8(_mm256_cvttps_epi32(scaled), mantissa, near);
        // Every other value, as 64-bit integers; what stands in the last slots means nothing.
        let centered = _mm256_sub_epi32(offset, middle);
        let odd_centered = _mm256_srli_epi64::<32>(centered);
        let even_squares = _mm256_mul_epi32(centered, centered);
        let odd_squares = _mm256_mul_epi32(odd_centered, odd_centered);
        let even = _mm256_or_si256(_mm256_and_si256(offset, low), one);
        let odd = _mm256_or_si256(_mm256_srli_epi64::<32>(offset), one);
        // SAFETY: there is aligned room for eight places and as many sums, whichever the group. A
        // slot is one of the table's, whatever the value: it was masked, or is that of an octave, or
        // one of the last.
        unsafe {
            let to = placed.places.as_mut_ptr().add(8 * number);
            _mm256_store_si256(to.cast(), places);
            let to = placed.sums.as_mut_ptr().add(8 * number).cast::<__m256i>();
            _mm256_store_si256(to, _mm256_unpacklo_epi64(even, even_squares));
            _mm256_store_si256(to.add(1), _mm256_unpackhi_epi64(even, even_squares));
            _mm256_store_si256(to.add(2), _mm256_unpacklo_epi64(odd, odd_squares));
            _mm256_store_si256(to.add(3), _mm256_unpackhi_epi64(odd, odd_squares));
        }
    }
}
