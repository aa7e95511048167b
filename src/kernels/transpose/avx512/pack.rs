//! Packing with AVX-512.
//!
//! Sending every result byte of the affine instruction to its plane's register takes three rounds
//! of exchanges. With shuffles, the scarcest instruction, the shuffles would be the limit. So the
//! affine instruction leaves the planes of different registers in different byte positions,
//! blends, which are plentiful, do the first two rounds, and one shuffle does the last and puts
//! the bytes in order.

use crate::kernels::rows::Rows;
use core::arch::x86_64::*;

use super::{ALIGN_FROM, BLOCK, STREAMING_BYTES, UPPER_FOUR, UPPER_TWO, first, vector};

/// How far ahead of its loads the streaming loop prefetches.
const AHEAD: usize = 4096;

/// Codes from which more than four planes are packed in two passes, each over [`SPLIT`] blocks at
/// a time. Storing to eight places in turn, the processor reads lines that it is about to
/// overwrite; with four it notices that it need not. In the first-level cache one pass is faster.
const SPLIT_FROM: usize = 32 << 10;

/// The same for codes that are a part of larger planes: eight of these fill a first-level cache.
const SPLIT_STRIDE: usize = 4096;

/// Blocks in a pass: few enough that the second finds its codes in the first-level cache.
const SPLIT: usize = 16;

/// A byte operand of the affine instruction that gathers, most significant bit first, bit
/// `i ^ flipped` of the eight bytes of a word into byte `i` for `i < planes`, and the same again
/// for the following byte positions.
const fn gather(planes: usize, flipped: usize) -> i64 {
    let mut bytes = [0; 8];
    let mut i = 0;
    while i < 8 {
        bytes[i] = 1 << ((i % planes) ^ flipped);
        i += 1;
    }
    i64::from_le_bytes(bytes)
}

/// Where byte `8 * r + g` of a plane, which comes from group `g` of code register `r`, is found
/// in the pair of registers that [`planes_of`] ends with.
const PACK_INDEX: [[u8; 64]; 8] = {
    let mut index = [[0; 64]; 8];
    let mut plane = 0;
    while plane < 8 {
        let mut at = 0;
        while at < 64 {
            let (register, group) = (at / 8, at % 8);
            let position = ((register & 6) ^ (plane & 6)) | (plane & 1);
            index[plane][at] = (((register & 1) << 6) | (group << 3) | position) as u8;
            at += 1;
        }
        plane += 1;
    }
    index
};

/// # Safety
/// The machine has the features; neither `codes` nor `rows` is empty, at most 8 rows; each row has
/// `ceil(codes.len() / 8)` bytes, the last of them initialized where the length is no multiple of 8.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,gfni")]
pub(in super::super) unsafe fn pack(codes: &[u8], rows: &mut Rows<'_>) {
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
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,gfni")]
unsafe fn pack_count<const COUNT: usize>(codes: &[u8], rows: &mut Rows<'_>) {
    let mut source = codes.as_ptr();
    let mut target = rows.start();
    let stride = rows.stride();
    let mut left = codes.len();
    // SAFETY: `left` codes from `source` on are unread, and their bytes from `target` on in every
    // row are within it, here and after each step; a step takes no more than `left`.
    unsafe {
        // Lines of all planes begin together only if the stride is whole lines.
        if left >= ALIGN_FROM && (COUNT == 1 || stride.is_multiple_of(64)) {
            let before_line = target.align_offset(64);
            if before_line != 0 {
                pack_part::<COUNT>(source, 8 * before_line, target, stride);
                source = source.add(8 * before_line);
                target = target.add(before_line);
                left -= 8 * before_line;
            }
            if left / 8 * (8 + COUNT) > STREAMING_BYTES {
                while left >= BLOCK {
                    for line in 0..8 {
                        let ahead = source.wrapping_add(AHEAD + 64 * line);
                        _mm_prefetch::<_MM_HINT_T0>(ahead.cast());
                    }
                    let lines = planes_of::<0, COUNT>(load_codes(source));
                    for (plane, line) in lines.iter().enumerate().take(COUNT) {
                        _mm512_stream_si512(target.add(plane * stride).cast(), *line);
                    }
                    source = source.add(BLOCK);
                    target = target.add(BLOCK / 8);
                    left -= BLOCK;
                }
                // Non-temporal stores are ordered with nothing else until a fence.
                _mm_sfence();
            }
        }
        let blocks = left / BLOCK;
        if COUNT > 4 && (left >= SPLIT_FROM || stride >= SPLIT_STRIDE) {
            for start in (0..blocks).step_by(SPLIT) {
                let source = source.add(start * BLOCK);
                let (low, high) = (target.add(start * 64), target.add(start * 64 + 4 * stride));
                let blocks = SPLIT.min(blocks - start);
                pack_blocks::<0, 4>(source, blocks, low, stride);
                match COUNT {
                    5 => pack_blocks::<4, 1>(source, blocks, high, stride),
                    6 => pack_blocks::<4, 2>(source, blocks, high, stride),
                    7 => pack_blocks::<4, 3>(source, blocks, high, stride),
                    _ => pack_blocks::<4, 4>(source, blocks, high, stride),
                }
            }
        } else {
            pack_blocks::<0, COUNT>(source, blocks, target, stride);
        }
        source = source.add(blocks * BLOCK);
        target = target.add(blocks * 64);
        left -= blocks * BLOCK;
        if left != 0 {
            pack_part::<COUNT>(source, left, target, stride);
        }
    }
}

/// Packs the `COUNT` planes from bit `FIRST` on; `target` is where the first of them goes.
///
/// # Safety
/// `blocks` times 512 codes can be read from `source`; `blocks` times 64 bytes can be written from
/// `target` on, and at `COUNT - 1` further places `stride` bytes apart.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,gfni")]
unsafe fn pack_blocks<const FIRST: u32, const COUNT: usize>(
    source: *const u8,
    blocks: usize,
    target: *mut u8,
    stride: usize,
) {
    for block in 0..blocks {
        // SAFETY: the block is one of `blocks` on both sides.
        unsafe {
            let codes = load_codes(source.add(block * BLOCK));
            let target = target.add(block * 64);
            for (plane, line) in planes_of::<FIRST, COUNT>(codes).iter().enumerate().take(COUNT) {
                _mm512_storeu_si512(target.add(plane * stride).cast(), *line);
            }
        }
    }
}

/// Packs 1 to 511 codes.
///
/// # Safety
/// `left` codes can be read from `source`; `ceil(left / 8)` bytes can be read and written from
/// `target` on, and at `COUNT - 1` further places `stride` bytes apart.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,gfni")]
unsafe fn pack_part<const COUNT: usize>(
    source: *const u8,
    left: usize,
    target: *mut u8,
    stride: usize,
) {
    let mut codes = [_mm512_setzero_si512(); 8];
    for (register, codes) in codes.iter_mut().enumerate() {
        let mask = first(left.saturating_sub(64 * register));
        // SAFETY: the mask admits codes below `left` only.
        *codes =
            unsafe { _mm512_maskz_loadu_epi8(mask, source.wrapping_add(64 * register).cast()) };
    }
    let lines = planes_of::<0, COUNT>(codes);
    let used = first(left.div_ceil(8));
    // The low bits of the last byte belong to the caller if the length is no multiple of 8.
    let whole = left / 8;
    let kept = _mm512_maskz_set1_epi8(used & !first(whole), (0xff_u8 >> (left % 8)) as i8);
    for (plane, line) in lines.iter().enumerate().take(COUNT) {
        // SAFETY: the byte at `whole` is read only if the length reaches into it, and the mask
        // admits the bytes below `ceil(left / 8)` only.
        unsafe {
            let target = target.add(plane * stride);
            // One byte and not a masked register: a load that spans bytes just stored to the next
            // plane would wait for them.
            let old = if left.is_multiple_of(8) { 0 } else { target.add(whole).read() };
            // Truth table of "kept ? old : line".
            let line = _mm512_ternarylogic_epi64::<0xca>(kept, _mm512_set1_epi8(old as i8), *line);
            _mm512_mask_storeu_epi8(target.cast(), used, line);
        }
    }
}

/// # Safety
/// 512 bytes can be read from `source`.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn load_codes(source: *const u8) -> [__m512i; 8] {
    let mut codes = [_mm512_setzero_si512(); 8];
    for (register, codes) in codes.iter_mut().enumerate() {
        // SAFETY: the caller's promise.
        *codes = unsafe { _mm512_loadu_si512(source.add(64 * register).cast()) };
    }
    codes
}

/// 64 bytes of each of the `COUNT` planes from bit `FIRST` on, from 512 codes. What is beyond
/// is unspecified.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,gfni")]
fn planes_of<const FIRST: u32, const COUNT: usize>(codes: [__m512i; 8]) -> [__m512i; 8] {
    let zero = _mm512_setzero_si512();
    // `pairs[q][s]` ends with the planes 2q and 2q + 1 of the code registers r with r % 2 = s:
    // byte i of a word is plane 2q + i % 2 of register ((i & 6) ^ (2q & 6)) + s.
    let mut pairs = [[zero; 2]; 4];
    if COUNT <= 2 {
        let two = _mm512_set1_epi64(const { gather(2, 0) << FIRST });
        for s in 0..2 {
            let mut merged = _mm512_gf2p8affine_epi64_epi8::<0>(two, codes[s]);
            for (word, mask) in [
                (1, UPPER_TWO & !UPPER_FOUR),
                (2, !UPPER_TWO & UPPER_FOUR),
                (3, UPPER_TWO & UPPER_FOUR),
            ] {
                merged =
                    _mm512_mask_gf2p8affine_epi64_epi8::<0>(merged, mask, two, codes[2 * word + s]);
            }
            pairs[0][s] = merged;
        }
    } else {
        // `fours[h][r]` has the planes 4h to 4h + 3 of the registers r and r + 4.
        let mut fours = [[zero; 4]; 2];
        if COUNT <= 4 {
            let four = [
                _mm512_set1_epi64(const { gather(4, 0) << FIRST }),
                _mm512_set1_epi64(const { gather(4, 2) << FIRST }),
            ];
            for r in 0..4 {
                let low = _mm512_gf2p8affine_epi64_epi8::<0>(four[r / 2], codes[r]);
                fours[0][r] = _mm512_mask_gf2p8affine_epi64_epi8::<0>(
                    low,
                    UPPER_FOUR,
                    four[r / 2],
                    codes[r + 4],
                );
            }
        } else {
            let eight = [
                _mm512_set1_epi64(const { gather(8, 0) }),
                _mm512_set1_epi64(const { gather(8, 2) }),
                _mm512_set1_epi64(const { gather(8, 4) }),
                _mm512_set1_epi64(const { gather(8, 6) }),
            ];
            for r in 0..4 {
                let low = _mm512_gf2p8affine_epi64_epi8::<0>(eight[r / 2], codes[r]);
                let high = _mm512_gf2p8affine_epi64_epi8::<0>(eight[r / 2 + 2], codes[r + 4]);
                fours[0][r] = _mm512_mask_blend_epi8(UPPER_FOUR, low, high);
                fours[1][r] = _mm512_mask_blend_epi8(UPPER_FOUR, high, low);
            }
        }
        for (h, four) in fours.iter().enumerate() {
            for s in 0..2 {
                pairs[2 * h][s] = _mm512_mask_blend_epi8(UPPER_TWO, four[s], four[s + 2]);
                pairs[2 * h + 1][s] = _mm512_mask_blend_epi8(UPPER_TWO, four[s + 2], four[s]);
            }
        }
    }
    let mut planes = [zero; 8];
    for (plane, line) in planes.iter_mut().enumerate().take(COUNT) {
        let [even, odd] = pairs[plane / 2];
        *line = _mm512_permutex2var_epi8(even, vector(&PACK_INDEX[plane]), odd);
    }
    planes
}
