//! The kernels with AVX-512: sixteen values at a time.

use super::{COUNT_SHIFT, Grid, MIDDLE, OCTAVES, OFFSET_BITS, Pair, Scan, portable};
use core::arch::x86_64::*;

/// Classes of numbers, as `vfpclassps` names them.
const ZEROS: i32 = 0x02 | 0x04;
const NAN: i32 = 0x01 | 0x80;
const POSITIVE_INFINITE: i32 = 0x08;
const NEGATIVE_INFINITE: i32 = 0x10;
const SPECIAL: i32 = ZEROS | NAN | POSITIVE_INFINITE | NEGATIVE_INFINITE;

/// How far ahead values are fetched, in values.
const AHEAD: usize = 1024;

/// # Safety
/// The machine has AVX-512 F and DQ.
#[target_feature(enable = "avx512f,avx512dq,popcnt")]
pub(super) unsafe fn scan(values: &[f32]) -> Scan {
    let (blocks, rest) = values.as_chunks::<64>();
    let mut least = [_mm512_set1_ps(f32::INFINITY); 4];
    let mut most = [_mm512_set1_ps(f32::NEG_INFINITY); 4];
    let mut scan = Scan::EMPTY;
    for block in blocks {
        let start = block.as_ptr();
        _mm_prefetch::<_MM_HINT_T0>(start.wrapping_add(AHEAD).cast());
        _mm_prefetch::<_MM_HINT_T0>(start.wrapping_add(AHEAD + 16).cast());
        _mm_prefetch::<_MM_HINT_T0>(start.wrapping_add(AHEAD + 32).cast());
        _mm_prefetch::<_MM_HINT_T0>(start.wrapping_add(AHEAD + 48).cast());
        for part in 0..4 {
            // SAFETY: four times sixteen values make up the block.
            let x = unsafe { _mm512_loadu_ps(start.add(16 * part)) };
            let special = _mm512_fpclass_ps_mask::<SPECIAL>(x);
            least[part] = _mm512_mask_min_ps(least[part], !special, least[part], x);
            most[part] = _mm512_mask_max_ps(most[part], !special, most[part], x);
            if special != 0 {
                count(&mut scan, x);
            }
        }
    }
    let least = _mm512_min_ps(_mm512_min_ps(least[0], least[1]), _mm512_min_ps(least[2], least[3]));
    let most = _mm512_max_ps(_mm512_max_ps(most[0], most[1]), _mm512_max_ps(most[2], most[3]));
    scan.min = _mm512_reduce_min_ps(least);
    scan.max = _mm512_reduce_max_ps(most);
    scan.add(&portable::scan(rest));
    scan
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq,popcnt")]
fn count(scan: &mut Scan, x: __m512) {
    scan.zeros += u64::from(_mm512_fpclass_ps_mask::<ZEROS>(x).count_ones());
    if _mm512_fpclass_ps_mask::<{ SPECIAL & !ZEROS }>(x) != 0 {
        let infinite = |mask: __mmask16| u64::from(mask.count_ones());
        scan.nan += infinite(_mm512_fpclass_ps_mask::<NAN>(x));
        scan.positive_infinite += infinite(_mm512_fpclass_ps_mask::<POSITIVE_INFINITE>(x));
        scan.negative_infinite += infinite(_mm512_fpclass_ps_mask::<NEGATIVE_INFINITE>(x));
    }
}

/// # Safety
/// The machine has AVX-512 F and DQ; the table has twice the slots of the grid.
#[target_feature(enable = "avx512f,avx512dq")]
pub(super) unsafe fn tally(values: &[f32], grid: &Grid, table: &mut [Pair]) {
    let (groups, rest) = values.as_chunks::<16>();
    let second = grid.slots();
    let pairs = table.as_mut_ptr();
    let factors = grid.factors.map(|factor| _mm512_set1_ps(factor));
    let mask = _mm512_set1_epi32(grid.mask as i32);
    let octaves = _mm512_set1_epi32(grid.bins() as i32);
    let nowhere = _mm512_set1_epi32((grid.bins() + OCTAVES) as i32);
    let middle = _mm512_set1_epi64(MIDDLE);
    let one = _mm512_set1_epi64(1 << COUNT_SHIFT);
    let low = _mm512_set1_epi64(0xffff_ffff);
    for group in groups {
        let start = group.as_ptr();
        _mm_prefetch::<_MM_HINT_T0>(start.wrapping_add(AHEAD).cast());
        // SAFETY: a group has sixteen values.
        let x = unsafe { _mm512_loadu_ps(start) };
        let bits = _mm512_castps_si512(x);
        let special = _mm512_fpclass_ps_mask::<SPECIAL>(x);
        let position = _mm512_mul_ps(_mm512_mul_ps(_mm512_abs_ps(x), factors[0]), factors[1]);
        let whole = _mm512_cvttps_epi32(position);
        let near = _mm512_testn_epi32_mask(whole, whole);
        let index = _mm512_xor_si512(whole, _mm512_srai_epi32::<31>(bits));
        let slot = _mm512_and_si512(index, mask);
        let octave = _mm512_add_epi32(_mm512_srli_epi32::<OFFSET_BITS>(bits), octaves);
        let slot = _mm512_mask_mov_epi32(slot, near, octave);
        let slot = _mm512_mask_mov_epi32(slot, special, nowhere);
        let fraction = _mm512_sub_ps(position, _mm512_cvtepi32_ps(whole));
        let scaled = _mm512_mul_ps(fraction, _mm512_set1_ps((1 << OFFSET_BITS) as f32));
        let mantissa = _mm512_and_si512(bits, _mm512_set1_epi32(0x007f_ffff));
        let offset = _mm512_mask_mov_epi32(_mm512_cvttps_epi32(scaled), near, mantissa);
        // Every other value, as 64-bit integers; what stands in the last slot means nothing.
        let offset = _mm512_maskz_mov_epi32(!special, offset);
        let even = _mm512_and_si512(offset, low);
        let odd = _mm512_srli_epi64::<32>(offset);
        let square = |offsets| {
            let centered = _mm512_sub_epi64(offsets, middle);
            _mm512_mul_epi32(centered, centered)
        };
        let (even_squares, odd_squares) = (square(even), square(odd));
        let (even, odd) = (_mm512_add_epi64(even, one), _mm512_add_epi64(odd, one));
        let mut slots = Aligned([0u32; 16]);
        let mut sums = Aligned([Pair { packed: 0, squares: 0 }; 16]);
        // SAFETY: both arrays have 64 aligned bytes for each store. A slot is below the number of
        // slots, whatever the value: it was masked, or is that of an octave, or the last one.
        unsafe {
            _mm512_store_si512(slots.0.as_mut_ptr().cast(), slot);
            let to = sums.0.as_mut_ptr().cast::<__m512i>();
            _mm512_store_si512(to, _mm512_unpacklo_epi64(even, even_squares));
            _mm512_store_si512(to.add(1), _mm512_unpackhi_epi64(even, even_squares));
            _mm512_store_si512(to.add(2), _mm512_unpacklo_epi64(odd, odd_squares));
            _mm512_store_si512(to.add(3), _mm512_unpackhi_epi64(odd, odd_squares));
            // Which of the sums are those of the first, second … value.
            const ORDER: [usize; 16] = [0, 8, 4, 12, 1, 9, 5, 13, 2, 10, 6, 14, 3, 11, 7, 15];
            for (value, at) in ORDER.iter().enumerate() {
                let slot = *slots.0.get_unchecked(value) as usize + (value & 1) * second;
                let pair = pairs.add(slot).cast::<__m128i>();
                let sum = _mm_load_si128(sums.0.as_ptr().add(*at).cast());
                _mm_store_si128(pair, _mm_add_epi64(_mm_load_si128(pair), sum));
            }
        }
    }
    portable::tally(rest, grid, table);
}

#[repr(align(64))]
struct Aligned<T>(T);
