//! The kernels with AVX2: eight values at a time.

use super::{COUNT_SHIFT, Grid, MIDDLE, OCTAVES, OFFSET_BITS, Pair, Scan, portable};
use core::arch::x86_64::*;

/// Values whose zeros fit the counters of 32 bits.
const BLOCK: usize = 1 << 20;

/// # Safety
/// The machine has AVX2.
#[target_feature(enable = "avx2,popcnt")]
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
#[target_feature(enable = "avx2,popcnt")]
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
                count(&mut scan, x, magnitude);
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

/// Counts what is not finite.
#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn count(scan: &mut Scan, x: __m256, magnitude: __m256i) {
    let infinite = _mm256_cmpeq_epi32(magnitude, _mm256_set1_epi32(0x7f80_0000));
    let nan = _mm256_cmpgt_epi32(magnitude, _mm256_set1_epi32(0x7f80_0000));
    let lanes = |mask: __m256i| _mm256_movemask_ps(_mm256_castsi256_ps(mask)) as u32;
    let negative = _mm256_movemask_ps(x) as u32;
    scan.nan += u64::from(lanes(nan).count_ones());
    scan.negative_infinite += u64::from((lanes(infinite) & negative).count_ones());
    scan.positive_infinite += u64::from((lanes(infinite) & !negative).count_ones());
}

/// # Safety
/// The machine has AVX2; the table has twice the slots of the grid.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn tally(values: &[f32], grid: &Grid, table: &mut [Pair]) {
    let (groups, rest) = values.as_chunks::<8>();
    let second = grid.slots();
    let pairs = table.as_mut_ptr();
    let factors = grid.factors.map(|factor| _mm256_set1_ps(factor));
    let mask = _mm256_set1_epi32(grid.mask as i32);
    let octaves = _mm256_set1_epi32(grid.bins() as i32);
    let nowhere = _mm256_set1_epi32((grid.bins() + OCTAVES) as i32);
    let middle = _mm256_set1_epi64x(MIDDLE);
    let one = _mm256_set1_epi64x(1 << COUNT_SHIFT);
    let low = _mm256_set1_epi64x(0xffff_ffff);
    let zero = _mm256_setzero_si256();
    for group in groups {
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
        let fraction = _mm256_sub_ps(position, _mm256_cvtepi32_ps(whole));
        let scaled = _mm256_mul_ps(fraction, _mm256_set1_ps((1 << OFFSET_BITS) as f32));
        let mantissa = _mm256_and_si256(bits, _mm256_set1_epi32(0x007f_ffff));
        let offset = _mm256_blendv_epi8(_mm256_cvttps_epi32(scaled), mantissa, near);
        // Every other value, as 64-bit integers; what stands in the last slot means nothing.
        let offset = _mm256_andnot_si256(special, offset);
        let even = _mm256_and_si256(offset, low);
        let odd = _mm256_srli_epi64::<32>(offset);
        let square = |offsets| {
            let centered = _mm256_sub_epi64(offsets, middle);
            _mm256_mul_epi32(centered, centered)
        };
        let (even_squares, odd_squares) = (square(even), square(odd));
        let (even, odd) = (_mm256_add_epi64(even, one), _mm256_add_epi64(odd, one));
        let mut slots = Aligned([0u32; 8]);
        let mut sums = Aligned([Pair { packed: 0, squares: 0 }; 8]);
        // SAFETY: both arrays have 32 aligned bytes for each store. A slot is below the number of
        // slots, whatever the value: it was masked, or is that of an octave, or the last one.
        unsafe {
            _mm256_store_si256(slots.0.as_mut_ptr().cast(), slot);
            let to = sums.0.as_mut_ptr().cast::<__m256i>();
            _mm256_store_si256(to, _mm256_unpacklo_epi64(even, even_squares));
            _mm256_store_si256(to.add(1), _mm256_unpackhi_epi64(even, even_squares));
            _mm256_store_si256(to.add(2), _mm256_unpacklo_epi64(odd, odd_squares));
            _mm256_store_si256(to.add(3), _mm256_unpackhi_epi64(odd, odd_squares));
            // Which of the sums are those of the first, second … value.
            const ORDER: [usize; 8] = [0, 4, 2, 6, 1, 5, 3, 7];
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

#[repr(align(32))]
struct Aligned<T>(T);
