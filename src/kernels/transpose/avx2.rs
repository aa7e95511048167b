//! Transposition with AVX2: 64 codes, one word of every plane, at a time.
//!
//! Planes go one by one: a mask of the top bits one way, a comparison with each code's own bit the
//! other. With seven or eight planes to unpack it is faster to bring the bytes of a group together
//! and to transpose 8×8 bits in every 64-bit word, with shifts as in plain Rust.

use super::portable::{store_rest, store_word};
use crate::kernels::rows::Rows;
use core::arch::x86_64::*;

/// Codes in a block.
const BLOCK: usize = 64;

/// # Safety
/// The machine has AVX2; neither `codes` nor `rows` is empty, at most 8 rows; each row has
/// `ceil(codes.len() / 8)` bytes, the last of them initialized where the length is no multiple of 8.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn pack(codes: &[u8], rows: &mut Rows<'_>) {
    // SAFETY: the caller's promise is the callee's.
    unsafe {
        match rows.count() {
            1 => pack_count::<1>(codes, rows),
            2 => pack_count::<2>(codes, rows),
            3 => pack_count::<3>(codes, rows),
            4 => pack_count::<4>(codes, rows),
            5 => pack_count::<5>(codes, rows),
            6 => pack_count::<6>(codes, rows),
            7 => pack_count::<7>(codes, rows),
            _ => pack_count::<8>(codes, rows),
        }
    }
}

/// # Safety
/// That of [`pack`], with `COUNT` for the number of rows.
#[target_feature(enable = "avx2")]
unsafe fn pack_count<const COUNT: usize>(codes: &[u8], rows: &mut Rows<'_>) {
    let (start, stride) = (rows.start(), rows.stride());
    let (blocks, rest) = codes.as_chunks::<BLOCK>();
    for (at, block) in blocks.iter().enumerate() {
        for (plane, word) in planes_of::<COUNT>(block).iter().enumerate().take(COUNT) {
            // SAFETY: the block's 8 bytes are inside the row.
            unsafe { store_word(start.add(plane * stride + at * 8), *word) };
        }
    }
    if rest.is_empty() {
        return;
    }
    let mut block = [0; BLOCK];
    block[..rest.len()].copy_from_slice(rest);
    for (plane, word) in planes_of::<COUNT>(&block).iter().enumerate().take(COUNT) {
        // SAFETY: the bytes of the rest are the last ones of the row.
        unsafe { store_rest(start.add(plane * stride + blocks.len() * 8), *word, rest.len()) };
    }
}

/// Eight bytes of each of the first `COUNT` planes, the first byte lowest.
#[inline]
#[target_feature(enable = "avx2")]
fn planes_of<const COUNT: usize>(codes: &[u8; BLOCK]) -> [u64; 8] {
    // The mask of a register's top bits has the first byte lowest, the wire has it highest.
    let reversed = group_reversal();
    let top = _mm_cvtsi64_si128(8 - COUNT as i64);
    let mut halves = [_mm256_setzero_si256(); 2];
    for (half, codes) in halves.iter_mut().zip(codes.as_chunks::<32>().0) {
        // SAFETY: 32 bytes may be read from a reference to 32 bytes.
        let codes = unsafe { _mm256_loadu_si256(codes.as_ptr().cast()) };
        // Bits of a neighboring byte come in from below only and never reach the top bit.
        *half = _mm256_sll_epi16(_mm256_shuffle_epi8(codes, reversed), top);
    }
    let mut words = [0; 8];
    for word in words[..COUNT].iter_mut().rev() {
        let [low, high] = halves;
        let (low_bits, high_bits) = (_mm256_movemask_epi8(low), _mm256_movemask_epi8(high));
        *word = u64::from(low_bits as u32) | u64::from(high_bits as u32) << 32;
        halves = [_mm256_add_epi8(low, low), _mm256_add_epi8(high, high)];
    }
    words
}

/// # Safety
/// The machine has AVX2; `count` is 1 to 8; `planes` holds
/// `(count - 1) * stride + ceil(codes.len() / 8)` bytes.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn unpack(planes: &[u8], stride: usize, count: usize, codes: &mut [u8]) {
    // SAFETY: the caller's promise is the callee's.
    unsafe {
        match count {
            1 => unpack_count::<1>(planes, stride, codes),
            2 => unpack_count::<2>(planes, stride, codes),
            3 => unpack_count::<3>(planes, stride, codes),
            4 => unpack_count::<4>(planes, stride, codes),
            5 => unpack_count::<5>(planes, stride, codes),
            6 => unpack_count::<6>(planes, stride, codes),
            7 => unpack_count::<7>(planes, stride, codes),
            _ => unpack_count::<8>(planes, stride, codes),
        }
    }
}

/// # Safety
/// That of [`unpack`], with `COUNT` for `count`.
#[target_feature(enable = "avx2")]
unsafe fn unpack_count<const COUNT: usize>(planes: &[u8], stride: usize, codes: &mut [u8]) {
    let (blocks, rest) = codes.as_chunks_mut::<BLOCK>();
    let start = planes.as_ptr();
    let done = blocks.len() * 8;
    for (at, block) in blocks.iter_mut().enumerate() {
        let mut words = [0; 8];
        for (plane, word) in words.iter_mut().enumerate().take(COUNT) {
            // SAFETY: the block's 8 bytes of the plane are among those that `planes` holds.
            *word = unsafe { start.add(plane * stride + at * 8).cast::<u64>().read_unaligned() };
        }
        codes_of::<COUNT>(words, block);
    }
    if rest.is_empty() {
        return;
    }
    let mut words = [0; 8];
    for (plane, word) in words.iter_mut().enumerate().take(COUNT) {
        let start = plane * stride + done;
        let used = rest.len().div_ceil(8);
        let mut bytes = [0; 8];
        bytes[..used].copy_from_slice(&planes[start..start + used]);
        *word = u64::from_le_bytes(bytes);
    }
    let mut block = [0; BLOCK];
    codes_of::<COUNT>(words, &mut block);
    rest.copy_from_slice(&block[..rest.len()]);
}

/// The inverse of [`planes_of`].
#[inline]
#[target_feature(enable = "avx2")]
fn codes_of<const COUNT: usize>(words: [u64; 8], codes: &mut [u8; BLOCK]) {
    if COUNT > 6 {
        return codes_of_words(words, codes);
    }
    // Every code's plane byte, for the first and the second 32 codes of the block.
    let groups = [
        _mm256_setr_epi64x(
            0x0000_0000_0000_0000,
            0x0101_0101_0101_0101,
            0x0202_0202_0202_0202,
            0x0303_0303_0303_0303,
        ),
        _mm256_setr_epi64x(
            0x0404_0404_0404_0404,
            0x0505_0505_0505_0505,
            0x0606_0606_0606_0606,
            0x0707_0707_0707_0707,
        ),
    ];
    // Every code's bit in it.
    let own_bit = _mm256_set1_epi64x(0x0102_0408_1020_4080);
    let mut halves = [_mm256_setzero_si256(); 2];
    for word in words[..COUNT].iter().rev() {
        let word = _mm256_set1_epi64x(*word as i64);
        for (half, group) in halves.iter_mut().zip(groups) {
            let bits = _mm256_and_si256(_mm256_shuffle_epi8(word, group), own_bit);
            // Minus one where the bit is set: subtracting it adds the new lowest bit.
            let minus = _mm256_cmpeq_epi8(bits, own_bit);
            *half = _mm256_sub_epi8(_mm256_add_epi8(*half, *half), minus);
        }
    }
    for (half, codes) in halves.iter().zip(codes.as_chunks_mut::<32>().0) {
        // SAFETY: 32 bytes may be written to a reference to 32 bytes.
        unsafe { _mm256_storeu_si256(codes.as_mut_ptr().cast(), *half) };
    }
}

/// [`codes_of`] for all eight planes.
#[inline]
#[target_feature(enable = "avx2")]
fn codes_of_words(words: [u64; 8], codes: &mut [u8; BLOCK]) {
    // Eight groups of two planes in every register.
    let mut pairs = [_mm_setzero_si128(); 4];
    for (pair, [first, second]) in pairs.iter_mut().zip(words.as_chunks::<2>().0) {
        let (first, second) = (_mm_cvtsi64_si128(*first as i64), _mm_cvtsi64_si128(*second as i64));
        *pair = _mm_unpacklo_epi8(first, second);
    }
    let [a, b, c, d] = pairs;
    // Four groups of four planes in every lane: 0 to 3 | 4 to 7.
    let low = _mm256_set_m128i(_mm_unpackhi_epi16(a, b), _mm_unpacklo_epi16(a, b));
    let high = _mm256_set_m128i(_mm_unpackhi_epi16(c, d), _mm_unpacklo_epi16(c, d));
    // Two groups of eight planes: 0, 1 | 4, 5 and 2, 3 | 6, 7.
    let (first, second) = (_mm256_unpacklo_epi32(low, high), _mm256_unpackhi_epi32(low, high));
    let halves = [
        _mm256_permute2x128_si256::<0x20>(first, second),
        _mm256_permute2x128_si256::<0x31>(first, second),
    ];
    let reversed = group_reversal();
    for (half, codes) in halves.into_iter().zip(codes.as_chunks_mut::<32>().0) {
        let half = _mm256_shuffle_epi8(transpose_bits(half), reversed);
        // SAFETY: 32 bytes may be written to a reference to 32 bytes.
        unsafe { _mm256_storeu_si256(codes.as_mut_ptr().cast(), half) };
    }
}

/// Transposes the 8×8 bits of every 64-bit word: bit `c` of byte `r` becomes bit `r` of byte `c`.
#[inline]
#[target_feature(enable = "avx2")]
fn transpose_bits(words: __m256i) -> __m256i {
    let words = exchange::<7>(words, 0x00aa_00aa_00aa_00aa);
    let words = exchange::<14>(words, 0x0000_cccc_0000_cccc);
    exchange::<28>(words, 0x0000_0000_f0f0_f0f0)
}

/// Exchanges the bits of every word that `mask` names with those `SHIFT` above them.
#[inline]
#[target_feature(enable = "avx2")]
fn exchange<const SHIFT: i32>(words: __m256i, mask: i64) -> __m256i {
    let differing = _mm256_xor_si256(words, _mm256_srli_epi64::<SHIFT>(words));
    let moved = _mm256_and_si256(differing, _mm256_set1_epi64x(mask));
    let both = _mm256_xor_si256(moved, _mm256_slli_epi64::<SHIFT>(moved));
    _mm256_xor_si256(words, both)
}

/// A shuffle that reverses every eight bytes.
#[inline]
#[target_feature(enable = "avx2")]
fn group_reversal() -> __m256i {
    let high_first = _mm_set_epi64x(0x0809_0a0b_0c0d_0e0f, 0x0001_0203_0405_0607);
    _mm256_broadcastsi128_si256(high_first)
}
