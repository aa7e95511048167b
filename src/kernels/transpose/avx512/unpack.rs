//! Unpacking with AVX-512.
//!
//! The inverse of packing, except that the affine instruction needs the planes of every word in
//! one order. Of the three rounds that bring the bytes of a word together only one is left to
//! blends.

use core::arch::x86_64::*;

use super::{ALIGN_FROM, BLOCK, STREAMING_BYTES, UPPER_FOUR, UPPER_TWO, first, vector};

/// How far ahead of its loads, in each plane, the streaming loop prefetches.
const AHEAD: usize = 1024;

/// The byte operand that spreads the bits of plane bytes, the last plane first, over codes.
const SPREAD: i64 = 0x0102_0408_1020_4080;

/// Byte positions of a 64-bit word that hold plane 0: the last.
const UPPER_ONE: __mmask64 = 0x8080_8080_8080_8080;

/// For one plane: the bytes of the groups of code register `r`, each all over its word.
const UNPACK_ONE: [[u8; 64]; 8] = {
    let mut index = [[0; 64]; 8];
    let mut register = 0;
    while register < 8 {
        let mut at = 0;
        while at < 64 {
            index[register][at] = (8 * register + at / 8) as u8;
            at += 1;
        }
        register += 1;
    }
    index
};

/// For two to four planes: those of code registers `2l` and `2l + 1`, which are in lane `l` of one
/// or two registers that hold two planes each, a byte of either in turn.
const UNPACK_FOUR: [[u8; 64]; 4] = {
    let mut index = [[0; 64]; 4];
    let mut lane = 0;
    while lane < 4 {
        let mut at = 0;
        while at < 64 {
            let (group, plane) = (at / 8, 7 - at % 8);
            index[lane][at] =
                ((((plane / 2) & 1) << 6) | (lane << 4) | (group << 1) | (plane & 1)) as u8;
            at += 1;
        }
        lane += 1;
    }
    index
};

/// For five to eight planes: the same from two registers that hold four planes each; of every two
/// lanes one has the planes 0 and 1 (or 4 and 5) and the other, the first where `l` is odd, 2 and 3.
const UNPACK_EIGHT: [[u8; 64]; 4] = {
    let mut index = [[0; 64]; 4];
    let mut l = 0;
    while l < 4 {
        let mut at = 0;
        while at < 64 {
            let (group, plane) = (at / 8, 7 - at % 8);
            let lane = (l & 2) | (((plane / 2) & 1) ^ (l & 1));
            index[l][at] = (((plane / 4) << 6) | (lane << 4) | (group << 1) | (plane & 1)) as u8;
            at += 1;
        }
        l += 1;
    }
    index
};

/// What `unpacklo_epi8` and `unpackhi_epi8` give, with the lanes of each half exchanged.
const INTERLEAVE_SWAPPED: [[u8; 64]; 2] = {
    let mut index = [[0; 64]; 2];
    let mut half = 0;
    while half < 2 {
        let mut at = 0;
        while at < 64 {
            let lane = (at / 16) ^ 1;
            index[half][at] = (((at & 1) << 6) | (lane << 4) | (half << 3) | (at % 16 / 2)) as u8;
            at += 1;
        }
        half += 1;
    }
    index
};

/// # Safety
/// The machine has the features; `count` is 1 to 8; `codes` is not empty; `planes` holds
/// `(count - 1) * stride + ceil(codes.len() / 8)` bytes.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,gfni")]
pub(in super::super) unsafe fn unpack(
    planes: &[u8],
    stride: usize,
    count: usize,
    codes: &mut [u8],
) {
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
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,gfni")]
unsafe fn unpack_count<const COUNT: usize>(planes: &[u8], stride: usize, codes: &mut [u8]) {
    let mut source = planes.as_ptr();
    let mut target = codes.as_mut_ptr();
    let mut left = codes.len();
    // SAFETY: `left` codes from `target` on are unwritten, and their bytes from `source` on in
    // every plane are within `planes`, here and after each step; a step takes no more than `left`.
    unsafe {
        // A step begins at a whole byte of the planes, so only multiples of 8 codes can be
        // skipped to reach a line.
        let before_line = target.align_offset(64);
        if left >= ALIGN_FROM && before_line.is_multiple_of(8) {
            if before_line != 0 {
                unpack_part::<COUNT>(source, stride, target, before_line);
                source = source.add(before_line / 8);
                target = target.add(before_line);
                left -= before_line;
            }
            if left / 8 * (8 + COUNT) > STREAMING_BYTES {
                while left >= BLOCK {
                    for plane in 0..COUNT {
                        let ahead = source.wrapping_add(plane * stride + AHEAD);
                        _mm_prefetch::<_MM_HINT_T0>(ahead.cast());
                    }
                    let lines = codes_of::<COUNT>(load_planes::<COUNT>(source, stride, !0));
                    for (register, line) in lines.iter().enumerate() {
                        _mm512_stream_si512(target.add(64 * register).cast(), *line);
                    }
                    source = source.add(BLOCK / 8);
                    target = target.add(BLOCK);
                    left -= BLOCK;
                }
                // Non-temporal stores are ordered with nothing else until a fence.
                _mm_sfence();
            }
        }
        while left >= BLOCK {
            let lines = codes_of::<COUNT>(load_planes::<COUNT>(source, stride, !0));
            for (register, line) in lines.iter().enumerate() {
                _mm512_storeu_si512(target.add(64 * register).cast(), *line);
            }
            source = source.add(BLOCK / 8);
            target = target.add(BLOCK);
            left -= BLOCK;
        }
        if left != 0 {
            unpack_part::<COUNT>(source, stride, target, left);
        }
    }
}

/// Unpacks 1 to 511 codes.
///
/// # Safety
/// `left` codes can be written from `target` on; `ceil(left / 8)` bytes can be read from `source`
/// on, and at `COUNT - 1` further places `stride` bytes apart.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,gfni")]
unsafe fn unpack_part<const COUNT: usize>(
    source: *const u8,
    stride: usize,
    target: *mut u8,
    left: usize,
) {
    // SAFETY: the mask admits the bytes below `ceil(left / 8)` only.
    let planes = unsafe { load_planes::<COUNT>(source, stride, first(left.div_ceil(8))) };
    for (register, line) in codes_of::<COUNT>(planes).iter().enumerate() {
        let mask = first(left.saturating_sub(64 * register));
        // SAFETY: the mask admits codes below `left` only.
        unsafe { _mm512_mask_storeu_epi8(target.wrapping_add(64 * register).cast(), mask, *line) };
    }
}

/// # Safety
/// The bytes of `mask` can be read from `source` on, and at `COUNT - 1` further places `stride`
/// bytes apart.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
pub(in crate::kernels) unsafe fn load_planes<const COUNT: usize>(
    source: *const u8,
    stride: usize,
    mask: __mmask64,
) -> [__m512i; 8] {
    let mut planes = [_mm512_setzero_si512(); 8];
    for (plane, line) in planes.iter_mut().enumerate().take(COUNT) {
        // SAFETY: the caller's promise.
        *line = unsafe { _mm512_maskz_loadu_epi8(mask, source.add(plane * stride).cast()) };
    }
    planes
}

/// 512 codes from 64 bytes of each of the first `COUNT` planes; the others must be zero.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,gfni")]
pub(in crate::kernels) fn codes_of<const COUNT: usize>(planes: [__m512i; 8]) -> [__m512i; 8] {
    let zero = _mm512_setzero_si512();
    // Every word of `words` is one group of eight codes: its byte 7 is plane 0, its byte 0 plane 7.
    let mut words = [zero; 8];
    if COUNT == 1 {
        for (register, words) in words.iter_mut().enumerate() {
            let index = vector(&UNPACK_ONE[register]);
            *words = _mm512_maskz_permutexvar_epi8(UPPER_ONE, index, planes[0]);
        }
    } else if COUNT == 2 {
        let pairs = interleave(planes[0], planes[1]);
        for (r, words) in words.iter_mut().enumerate() {
            let index = vector(&UNPACK_FOUR[r / 2]);
            *words = _mm512_maskz_permutexvar_epi8(UPPER_FOUR & UPPER_TWO, index, pairs[r % 2]);
        }
    } else if COUNT <= 4 {
        let low = interleave(planes[0], planes[1]);
        let high = interleave(planes[2], planes[3]);
        for (r, words) in words.iter_mut().enumerate() {
            let index = vector(&UNPACK_FOUR[r / 2]);
            *words = _mm512_maskz_permutex2var_epi8(UPPER_FOUR, low[r % 2], index, high[r % 2]);
        }
    } else {
        // The words of the odd lanes.
        const ODD: __mmask8 = 0b1100_1100;
        // `fours[h][e][o]` has the planes 4h to 4h + 3 of the code registers 2l + e, l % 2 = o.
        let mut fours = [[[zero; 2]; 2]; 2];
        for (h, four) in fours.iter_mut().enumerate() {
            let [first, second, third, fourth] = [0, 1, 2, 3].map(|p| planes[4 * h + p]);
            let normal = interleave(first, second);
            for (e, four) in four.iter_mut().enumerate() {
                let index = vector(&INTERLEAVE_SWAPPED[e]);
                let swapped = _mm512_permutex2var_epi8(third, index, fourth);
                four[0] = _mm512_mask_blend_epi64(ODD, normal[e], swapped);
                four[1] = _mm512_mask_blend_epi64(ODD, swapped, normal[e]);
            }
        }
        for (r, words) in words.iter_mut().enumerate() {
            let (e, l) = (r % 2, r / 2);
            let index = vector(&UNPACK_EIGHT[l]);
            *words = _mm512_permutex2var_epi8(fours[0][e][l % 2], index, fours[1][e][l % 2]);
        }
    }
    for words in &mut words {
        *words = _mm512_gf2p8affine_epi64_epi8::<0>(_mm512_set1_epi64(SPREAD), *words);
    }
    words
}

/// A byte of either register in turn. The groups of code registers 2l are in lane `l` of the
/// first result, those of 2l + 1 in lane `l` of the second.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn interleave(first: __m512i, second: __m512i) -> [__m512i; 2] {
    [_mm512_unpacklo_epi8(first, second), _mm512_unpackhi_epi8(first, second)]
}
