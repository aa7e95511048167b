//! The kernels with AVX-512: sixteen values at a time.

use super::{BATCH, COUNT_SHIFT, Grid, MIDDLE, OCTAVES, OFFSET_BITS, Pair, Placed, Scan, portable};
use core::arch::x86_64::*;

/// Classes of numbers, as `vfpclassps` names them.
const ZEROS: i32 = 0x02 | 0x04;
const NON_FINITE: i32 = 0x01 | 0x80 | 0x08 | 0x10;
const SPECIAL: i32 = ZEROS | NON_FINITE;

/// How far ahead values are fetched, in values.
const AHEAD: usize = 2048;

/// The same into the second-level cache, which takes more lines at a time.
const FAR_AHEAD: usize = 4096;

/// # Safety
/// The machine has AVX-512 F and DQ.
#[target_feature(enable = "avx512f,avx512dq")]
pub(super) unsafe fn scan(values: &[f32]) -> Scan {
    let mut scan = Scan::EMPTY;
    for part in values.chunks(PART) {
        // SAFETY: passed on from the caller.
        scan.add(&unsafe { scan_part(part) });
    }
    scan
}

/// Values whose zeros fit counters of 32 bits.
const PART: usize = 1 << 30;

/// # Safety
/// The machine has AVX-512 F and DQ; there are at most [`PART`] values.
#[target_feature(enable = "avx512f,avx512dq")]
unsafe fn scan_part(values: &[f32]) -> Scan {
    let (blocks, rest) = values.as_chunks::<64>();
    let mut least = [_mm512_set1_ps(f32::INFINITY); 4];
    let mut most = [_mm512_set1_ps(f32::NEG_INFINITY); 4];
    let mut zeros = [_mm512_setzero_si512(); 4];
    let one = _mm512_set1_epi32(1);
    let mut scan = Scan::EMPTY;
    for block in blocks {
        let start = block.as_ptr();
        for line in 0..4 {
            _mm_prefetch::<_MM_HINT_T1>(start.wrapping_add(FAR_AHEAD + 16 * line).cast());
        }
        let mut non_finite = 0;
        for part in 0..4 {
            // SAFETY: four times sixteen values make up the block.
            let x = unsafe { _mm512_loadu_ps(start.add(16 * part)) };
            let special = _mm512_fpclass_ps_mask::<SPECIAL>(x);
            let zero = _mm512_fpclass_ps_mask::<ZEROS>(x);
            least[part] = _mm512_mask_min_ps(least[part], !special, least[part], x);
            most[part] = _mm512_mask_max_ps(most[part], !special, most[part], x);
            zeros[part] = _mm512_mask_add_epi32(zeros[part], zero, zeros[part], one);
            non_finite |= special ^ zero;
        }
        if non_finite != 0 {
            scan.add_non_finite(block);
        }
    }
    for zeros in zeros {
        let mut lanes = [0_u32; 16];
        // SAFETY: the array has room for sixteen integers.
        unsafe { _mm512_storeu_si512(lanes.as_mut_ptr().cast(), zeros) };
        scan.zeros += lanes.iter().map(|count| u64::from(*count)).sum::<u64>();
    }
    let least = _mm512_min_ps(_mm512_min_ps(least[0], least[1]), _mm512_min_ps(least[2], least[3]));
    let most = _mm512_max_ps(_mm512_max_ps(most[0], most[1]), _mm512_max_ps(most[2], most[3]));
    scan.min = _mm512_reduce_min_ps(least);
    scan.max = _mm512_reduce_max_ps(most);
    scan.add(&portable::scan(rest));
    scan
}

/// # Safety
/// The machine has AVX-512 F and DQ; the table has twice the slots of the grid.
#[target_feature(enable = "avx512f,avx512dq")]
pub(super) unsafe fn tally(
    values: &[f32],
    grid: &Grid,
    range: (f32, f32),
    table: &mut [Pair],
) -> (usize, Scan) {
    let (groups, rest) = values.as_chunks::<16>();
    let mut placed = Placed::EMPTY;
    let mut seen = Scan::EMPTY;
    for (number, batch) in groups.chunks(BATCH / 16).enumerate() {
        // SAFETY: passed on from the caller; a batch fits.
        let found = unsafe { place(batch, grid, &mut placed) };
        if !found.is_within(range) {
            return (number * BATCH, seen);
        }
        seen.add(&found);
        // SAFETY: the places are those of the batch's values.
        unsafe { add(&placed, 16 * batch.len(), table.as_mut_ptr()) };
    }
    let (taken, found) = portable::tally(rest, grid, range, table);
    seen.add(&found);
    (16 * groups.len() + taken, seen)
}

/// # Safety
/// The places of the first `count` values are those of pairs.
#[inline(never)]
#[target_feature(enable = "avx512f")]
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
/// The machine has AVX-512 F and DQ; there are at most [`BATCH`] values.
#[inline(never)]
#[target_feature(enable = "avx512f,avx512dq")]
unsafe fn place(groups: &[[f32; 16]], grid: &Grid, placed: &mut Placed) -> Scan {
    let factors = grid.factors.map(|factor| _mm512_set1_ps(factor));
    let mask = _mm512_set1_epi32(grid.mask as i32);
    let octaves = _mm512_set1_epi32(grid.bins() as i32);
    let lanes = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    let nowhere = _mm512_add_epi32(_mm512_set1_epi32((grid.bins() + OCTAVES) as i32), lanes);
    let second = _mm512_set1_epi32(grid.slots() as i32);
    let middle = _mm512_set1_epi32(MIDDLE as i32);
    let one = _mm512_set1_epi64(1 << COUNT_SHIFT);
    let low = _mm512_set1_epi64(0xffff_ffff);
    // The order in which the sums below are stored.
    let order = _mm512_set_epi32(15, 11, 7, 3, 13, 9, 5, 1, 14, 10, 6, 2, 12, 8, 4, 0);
    let mut least = _mm512_set1_ps(f32::INFINITY);
    let mut most = _mm512_set1_ps(f32::NEG_INFINITY);
    let mut zeros = _mm512_setzero_si512();
    let mut non_finite = 0;
    for (number, group) in groups.iter().enumerate() {
        let start = group.as_ptr();
        _mm_prefetch::<_MM_HINT_T0>(start.wrapping_add(AHEAD).cast());
        // SAFETY: a group has sixteen values.
        let x = unsafe { _mm512_loadu_ps(start) };
        let bits = _mm512_castps_si512(x);
        let special = _mm512_fpclass_ps_mask::<SPECIAL>(x);
        least = _mm512_mask_min_ps(least, !special, least, x);
        most = _mm512_mask_max_ps(most, !special, most, x);
        let zero = _mm512_fpclass_ps_mask::<ZEROS>(x);
        zeros = _mm512_mask_add_epi32(zeros, zero, zeros, _mm512_set1_epi32(1));
        non_finite |= special ^ zero;
        let position = _mm512_mul_ps(_mm512_mul_ps(_mm512_abs_ps(x), factors[0]), factors[1]);
        let whole = _mm512_cvttps_epi32(position);
        let near = _mm512_testn_epi32_mask(whole, whole);
        let index = _mm512_xor_si512(whole, _mm512_srai_epi32::<31>(bits));
        let slot = _mm512_and_si512(index, mask);
        let octave = _mm512_add_epi32(_mm512_srli_epi32::<OFFSET_BITS>(bits), octaves);
        let slot = _mm512_mask_mov_epi32(slot, near, octave);
        let slot = _mm512_mask_mov_epi32(slot, special, nowhere);
        let index = slot;
        // Of each two neighbors, the right one where they are equal.
        let left = _mm512_shuffle_epi32::<0b10_10_00_00>(slot);
        let equal = _mm512_mask_cmpeq_epi32_mask(0xaaaa, slot, left);
        let slot = _mm512_mask_add_epi32(slot, equal, slot, second);
        let places = _mm512_permutexvar_epi32(order, _mm512_slli_epi32::<4>(slot));
        let fraction = _mm512_sub_ps(position, _mm512_cvtepi32_ps(whole));
        let scaled = _mm512_mul_ps(fraction, _mm512_set1_ps((1 << OFFSET_BITS) as f32));
        let mantissa = _mm512_and_si512(bits, _mm512_set1_epi32(0x007f_ffff));
        let offset = _mm512_mask_mov_epi32(_mm512_cvttps_epi32(scaled), near, mantissa);
        // Every other value, as 64-bit integers; what stands in the last slots means nothing.
        let centered = _mm512_sub_epi32(offset, middle);
        let odd_centered = _mm512_srli_epi64::<32>(centered);
        let even_squares = _mm512_mul_epi32(centered, centered);
        let odd_squares = _mm512_mul_epi32(odd_centered, odd_centered);
        let even = _mm512_or_si512(_mm512_and_si512(offset, low), one);
        let odd = _mm512_or_si512(_mm512_srli_epi64::<32>(offset), one);
        let (mut even, mut odd) = (even, odd);
        let (mut even_squares, mut odd_squares, mut places) = (even_squares, odd_squares, places);
        let first = _mm512_broadcastd_epi32(_mm512_castsi512_si128(index));
        if _mm512_cmpeq_epi32_mask(index, first) == u16::MAX {
            // All for one slot, as where values do not change: added here, because the additions
            // would wait for each other there.
            let all = |even, odd| {
                _mm512_maskz_set1_epi64(1, _mm512_reduce_add_epi64(_mm512_add_epi64(even, odd)))
            };
            (even, even_squares) = (all(even, odd), all(even_squares, odd_squares));
            (odd, odd_squares) = (_mm512_setzero_si512(), _mm512_setzero_si512());
            let half = if number % 2 == 0 { first } else { _mm512_add_epi32(first, second) };
            places = _mm512_slli_epi32::<4>(_mm512_mask_mov_epi32(nowhere, 1, half));
        }
        // SAFETY: there is aligned room for sixteen places and as many sums, whichever the group. A
        // slot is one of the table's, whatever the value: it was masked, or is that of an octave, or
        // one of the last.
        unsafe {
            let to = placed.places.as_mut_ptr().add(16 * number);
            _mm512_store_si512(to.cast(), places);
            let to = placed.sums.as_mut_ptr().add(16 * number).cast::<__m512i>();
            _mm512_store_si512(to, _mm512_unpacklo_epi64(even, even_squares));
            _mm512_store_si512(to.add(1), _mm512_unpackhi_epi64(even, even_squares));
            _mm512_store_si512(to.add(2), _mm512_unpacklo_epi64(odd, odd_squares));
            _mm512_store_si512(to.add(3), _mm512_unpackhi_epi64(odd, odd_squares));
        }
    }
    let mut scan = Scan::EMPTY;
    if non_finite != 0 {
        scan.add_non_finite(groups.as_flattened());
    }
    scan.zeros = u64::from(_mm512_reduce_add_epi32(zeros).cast_unsigned());
    scan.min = _mm512_reduce_min_ps(least);
    scan.max = _mm512_reduce_max_ps(most);
    scan
}
