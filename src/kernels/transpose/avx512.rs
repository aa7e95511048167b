//! Transposition with AVX-512 and the Galois-field affine instruction.
//!
//! `gf2p8affineqb` multiplies bit matrices: with a permutation matrix as its byte operand it
//! transposes the 8×8 bits of every 64-bit word, and the permutation puts the eight results in
//! any order. A block is 512 codes, eight registers on the side of the codes and one full
//! register, which is one full cache line, for each plane.
//!
//! Sending each result byte to its plane's register would take three levels of shuffles, the
//! scarcest instruction. Packing pays for one: the affine instruction leaves the planes of
//! different registers in different byte positions, so that blends, which are plentiful, can
//! exchange them. Unpacking needs the planes of every word in one order, and so pays for two.

use core::arch::x86_64::*;

/// Codes in a block.
const BLOCK: usize = 512;

/// Inputs and outputs above this many bytes together are taken to live in memory rather than in
/// a cache: non-temporal stores then save reading the lines that are about to be overwritten.
/// Below it they would cost half the speed of the last-level cache.
const STREAMING_BYTES: usize = 24 << 20;

/// How far ahead of the loads a streaming loop prefetches codes, and planes.
const CODES_AHEAD: usize = 4096;
const PLANES_AHEAD: usize = 1024;

/// Byte positions of a 64-bit word whose bit 2, or bit 1, is set; in all eight words.
const UPPER_FOUR: __mmask64 = 0xf0f0_f0f0_f0f0_f0f0;
const UPPER_TWO: __mmask64 = 0xcccc_cccc_cccc_cccc;

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
            index[plane][at] = ((register & 1) << 6 | group << 3 | position) as u8;
            at += 1;
        }
        plane += 1;
    }
    index
};

#[inline]
#[target_feature(enable = "avx512f")]
fn vector(bytes: &[u8; 64]) -> __m512i {
    // SAFETY: 64 bytes may be read from a reference to 64 bytes.
    unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
}

/// # Safety
/// The machine has the features; `count` is 1 to 8; `codes` is not empty; `planes` holds
/// `(count - 1) * stride + ceil(codes.len() / 8)` bytes.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,gfni")]
pub(super) unsafe fn pack(codes: &[u8], planes: &mut [u8], stride: usize, count: usize) {
    // SAFETY: the caller's promise is the callee's.
    unsafe {
        match count {
            1 => pack_count::<1>(codes, planes, stride),
            2 => pack_count::<2>(codes, planes, stride),
            3 => pack_count::<3>(codes, planes, stride),
            4 => pack_count::<4>(codes, planes, stride),
            5 => pack_count::<5>(codes, planes, stride),
            6 => pack_count::<6>(codes, planes, stride),
            7 => pack_count::<7>(codes, planes, stride),
            _ => pack_count::<8>(codes, planes, stride),
        }
    }
}

/// # Safety
/// That of [`pack`], with `COUNT` for `count`.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,gfni")]
unsafe fn pack_count<const COUNT: usize>(codes: &[u8], planes: &mut [u8], stride: usize) {
    let mut source = codes.as_ptr();
    let mut target = planes.as_mut_ptr();
    let mut left = codes.len();
    // SAFETY: `left` codes from `source` on are unread, and their bytes from `target` on in every
    // plane are within `planes`, here and after each step; a step takes no more than `left`.
    unsafe {
        // Lines of all planes begin together only if the stride is whole lines.
        if left >= 4 * BLOCK && (COUNT == 1 || stride % 64 == 0) {
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
                        let ahead = source.wrapping_add(CODES_AHEAD + 64 * line);
                        _mm_prefetch::<_MM_HINT_T0>(ahead.cast());
                    }
                    let lines = planes_of::<COUNT>(load_codes(source));
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
        if COUNT > 4 && left >= BURST_FROM {
            let (codes_done, planes_done) =
                (left / (BURST * BLOCK) * BURST * BLOCK, left / (BURST * BLOCK) * BURST * 64);
            pack_bursts::<COUNT>(source, codes_done, target, stride);
            source = source.add(codes_done);
            target = target.add(planes_done);
            left -= codes_done;
        }
        while left >= BLOCK {
            let lines = planes_of::<COUNT>(load_codes(source));
            for (plane, line) in lines.iter().enumerate().take(COUNT) {
                _mm512_storeu_si512(target.add(plane * stride).cast(), *line);
            }
            source = source.add(BLOCK);
            target = target.add(BLOCK / 8);
            left -= BLOCK;
        }
        if left != 0 {
            pack_part::<COUNT>(source, left, target, stride);
        }
    }
}

/// Codes from which [`pack_bursts`] is used for more than four planes.
const BURST_FROM: usize = 128 << 10;

/// Lines of a plane that [`pack_bursts`] writes at a time.
const BURST: usize = 8;

/// Packs by way of a buffer in the first-level cache, so that every plane gets several
/// neighboring lines at a time. Stores that walk through memory line after line spare the
/// processor reading the lines first; single lines in eight places do not.
///
/// # Safety
/// That of [`pack_part`], for `whole` codes, a multiple of `BURST * BLOCK`.
#[inline(never)]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,gfni")]
unsafe fn pack_bursts<const COUNT: usize>(
    source: *const u8,
    whole: usize,
    target: *mut u8,
    stride: usize,
) {
    let zero = _mm512_setzero_si512();
    // What the last step left for this one to write, and what this one leaves for the next.
    let mut buffers = [[[zero; BURST]; 8]; 2];
    let [mut full, mut next] = buffers.each_mut();
    let steps = whole / (BURST * BLOCK);
    for step in 0..=steps {
        for at in 0..BURST {
            if step < steps {
                // SAFETY: there are `steps * BURST` blocks.
                let codes = unsafe { load_codes(source.add((step * BURST + at) * BLOCK)) };
                let lines = planes_of::<COUNT>(codes);
                for (next, line) in next.iter_mut().zip(lines).take(COUNT) {
                    next[at] = line;
                }
            }
            if step > 0 && at < COUNT {
                for (place, line) in full[at].iter().enumerate() {
                    // SAFETY: there are as many lines in each plane as there are blocks.
                    unsafe {
                        let line_start = ((step - 1) * BURST + place) * 64;
                        let target = target.add(at * stride + line_start);
                        _mm512_storeu_si512(target.cast(), *line);
                    }
                }
            }
        }
        core::mem::swap(&mut full, &mut next);
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
    let lines = planes_of::<COUNT>(codes);
    let used = first(left.div_ceil(8));
    // The byte that is shared with bits of the caller, if there is one.
    let shared = used & !first(left / 8);
    let kept = _mm512_maskz_set1_epi8(shared, (0xff_u8 >> (left % 8)) as i8);
    for (plane, line) in lines.iter().enumerate().take(COUNT) {
        // SAFETY: the masks admit the bytes below `ceil(left / 8)` only.
        unsafe {
            let target = target.add(plane * stride).cast();
            let old = _mm512_maskz_loadu_epi8(shared, target);
            // Truth table of "kept ? old : line".
            let line = _mm512_ternarylogic_epi64::<0xca>(kept, old, *line);
            _mm512_mask_storeu_epi8(target, used, line);
        }
    }
}

/// A mask of the first `bytes` bytes of a register, all of them if there are more.
#[inline]
fn first(bytes: usize) -> __mmask64 {
    if bytes >= 64 { !0 } else { (1 << bytes) - 1 }
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

/// 64 bytes of each of the first `COUNT` planes, from 512 codes. What is beyond is unspecified.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,gfni")]
fn planes_of<const COUNT: usize>(codes: [__m512i; 8]) -> [__m512i; 8] {
    let zero = _mm512_setzero_si512();
    // `pairs[q][s]` ends with the planes 2q and 2q + 1 of the code registers r with r % 2 = s:
    // byte i of a word is plane 2q + i % 2 of register ((i & 6) ^ (2q & 6)) + s.
    let mut pairs = [[zero; 2]; 4];
    if COUNT <= 2 {
        let two = _mm512_set1_epi64(const { gather(2, 0) });
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
            let four =
                [const { gather(4, 0) }, const { gather(4, 2) }].map(|x| _mm512_set1_epi64(x));
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
                const { gather(8, 0) },
                const { gather(8, 2) },
                const { gather(8, 4) },
                const { gather(8, 6) },
            ]
            .map(|x| _mm512_set1_epi64(x));
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

/// The byte operand that spreads the bits of plane bytes, the last plane first, over codes.
const SPREAD: i64 = 0x0102_0408_1020_4080;

/// For `COUNT <= 2`: planes 0 and 1 of the groups of code register `r` from two plane registers.
const UNPACK_TWO: [[u8; 64]; 8] = {
    let mut index = [[0; 64]; 8];
    let mut register = 0;
    while register < 8 {
        let mut at = 0;
        while at < 64 {
            let (group, plane) = (at / 8, 7 - at % 8);
            index[register][at] = ((plane & 1) << 6 | register << 3 | group) as u8;
            at += 1;
        }
        register += 1;
    }
    index
};

/// For `COUNT <= 4`: the planes of code registers `2l` and `2l + 1`, which are in lane `l` of two
/// registers that hold two planes each, a byte of either in turn.
const UNPACK_FOUR: [[u8; 64]; 4] = {
    let mut index = [[0; 64]; 4];
    let mut lane = 0;
    while lane < 4 {
        let mut at = 0;
        while at < 64 {
            let (group, plane) = (at / 8, 7 - at % 8);
            index[lane][at] = ((plane / 2 & 1) << 6 | lane << 4 | group << 1 | plane & 1) as u8;
            at += 1;
        }
        lane += 1;
    }
    index
};

/// For eight planes: the same from two registers that hold four planes each; of every two lanes
/// one has the planes 0 and 1 (or 4 and 5) and the other, the first where `l` is odd, 2 and 3.
const UNPACK_EIGHT: [[u8; 64]; 4] = {
    let mut index = [[0; 64]; 4];
    let mut l = 0;
    while l < 4 {
        let mut at = 0;
        while at < 64 {
            let (group, plane) = (at / 8, 7 - at % 8);
            let lane = (l & 2) | ((plane / 2 & 1) ^ (l & 1));
            index[l][at] = ((plane / 4) << 6 | lane << 4 | group << 1 | plane & 1) as u8;
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
            index[half][at] = ((at & 1) << 6 | lane << 4 | half << 3 | at % 16 / 2) as u8;
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
        if left >= 4 * BLOCK && before_line % 8 == 0 {
            if before_line != 0 {
                unpack_part::<COUNT>(source, stride, target, before_line);
                source = source.add(before_line / 8);
                target = target.add(before_line);
                left -= before_line;
            }
            if left / 8 * (8 + COUNT) > STREAMING_BYTES {
                while left >= BLOCK {
                    for plane in 0..COUNT {
                        let ahead = source.wrapping_add(plane * stride + PLANES_AHEAD);
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
unsafe fn load_planes<const COUNT: usize>(
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
fn codes_of<const COUNT: usize>(planes: [__m512i; 8]) -> [__m512i; 8] {
    let zero = _mm512_setzero_si512();
    // Every word of `words` is one group of eight codes: its byte 7 is plane 0, its byte 0 plane 7.
    let mut words = [zero; 8];
    if COUNT <= 2 {
        let used = if COUNT == 1 { 0x8080_8080_8080_8080 } else { UPPER_FOUR & UPPER_TWO };
        for (register, words) in words.iter_mut().enumerate() {
            let index = vector(&UNPACK_TWO[register]);
            *words = if COUNT == 1 {
                _mm512_maskz_permutexvar_epi8(used, index, planes[0])
            } else {
                _mm512_maskz_permutex2var_epi8(used, planes[0], index, planes[1])
            };
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
