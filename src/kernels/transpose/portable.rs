//! Transposition in plain Rust: 64-bit words that hold eight codes, or eight bytes of one plane.
//!
//! A block is 64 codes, which is eight words on either side. The loops over the eight words have
//! no carried dependency, so the compiler may vectorize them with whatever the target has.

use crate::kernels::rows::Rows;

/// Codes in a block: one word of every plane.
const BLOCK: usize = 64;

/// # Safety
/// Neither `codes` nor `rows` is empty, and each row has `ceil(codes.len() / 8)` bytes; the last of
/// them is initialized where the length is no multiple of 8.
pub(super) unsafe fn pack(codes: &[u8], rows: &mut Rows<'_>) {
    let (start, stride, count) = (rows.start(), rows.stride(), rows.count());
    let (blocks, rest) = codes.as_chunks::<BLOCK>();
    for (at, block) in blocks.iter().enumerate() {
        let words = planes_of(block);
        for (plane, word) in words.iter().enumerate().take(count) {
            // SAFETY: the block's 8 bytes are inside the row.
            unsafe { store_word(start.add(plane * stride + at * 8), *word) };
        }
    }
    if rest.is_empty() {
        return;
    }
    let mut block = [0; BLOCK];
    block[..rest.len()].copy_from_slice(rest);
    for (plane, word) in planes_of(&block).iter().enumerate().take(count) {
        // SAFETY: the bytes of the rest are the last ones of the row.
        unsafe { store_rest(start.add(plane * stride + blocks.len() * 8), *word, rest.len()) };
    }
}

/// # Safety
/// 8 bytes can be written from `target` on.
#[inline(always)]
pub(super) unsafe fn store_word(target: *mut u8, word: u64) {
    // SAFETY: the caller's promise.
    unsafe { target.cast::<[u8; 8]>().write(word.to_le_bytes()) };
}

/// Stores the first `length` bits of plane bytes, 1 to 63; the low bits of the last byte stay.
///
/// # Safety
/// `ceil(length / 8)` bytes can be written from `target` on, and the last of them read where the
/// length is no multiple of 8.
#[inline(always)]
pub(super) unsafe fn store_rest(target: *mut u8, word: u64, length: usize) {
    let (bytes, whole) = (word.to_le_bytes(), length / 8);
    // SAFETY: the caller's promise.
    unsafe {
        core::ptr::copy_nonoverlapping(bytes.as_ptr(), target, whole);
        if !length.is_multiple_of(8) {
            // The low bits belong to the caller.
            let kept = 0xff_u8 >> (length % 8);
            let last = target.add(whole);
            last.write((last.read() & kept) | (bytes[whole] & !kept));
        }
    }
}

pub(super) fn unpack(planes: &[u8], stride: usize, count: usize, codes: &mut [u8]) {
    let (blocks, rest) = codes.as_chunks_mut::<BLOCK>();
    let done = blocks.len() * 8;
    for (at, block) in blocks.iter_mut().enumerate() {
        let mut words = [0; 8];
        for (plane, word) in words.iter_mut().enumerate().take(count) {
            let start = plane * stride + at * 8;
            let mut bytes = [0; 8];
            bytes.copy_from_slice(&planes[start..start + 8]);
            *word = u64::from_le_bytes(bytes);
        }
        *block = codes_of(words);
    }
    if rest.is_empty() {
        return;
    }
    let mut words = [0; 8];
    for (plane, word) in words.iter_mut().enumerate().take(count) {
        let start = plane * stride + done;
        let mut bytes = [0; 8];
        let used = rest.len().div_ceil(8);
        bytes[..used].copy_from_slice(&planes[start..start + used]);
        *word = u64::from_le_bytes(bytes);
    }
    rest.copy_from_slice(&codes_of(words)[..rest.len()]);
}

/// Eight bytes of each of the eight planes, the first byte lowest.
#[inline(always)]
fn planes_of(codes: &[u8; BLOCK]) -> [u64; 8] {
    let mut words = [0; 8];
    for (word, group) in words.iter_mut().zip(codes.as_chunks::<8>().0) {
        // Big endian: the first code becomes the top row of the bit matrix, and so the most
        // significant bit of every plane byte.
        *word = transpose_bits(u64::from_be_bytes(*group));
    }
    transpose_bytes(&mut words);
    words
}

/// The inverse of [`planes_of`]: both transpositions are their own inverses.
#[inline(always)]
fn codes_of(mut words: [u64; 8]) -> [u8; BLOCK] {
    transpose_bytes(&mut words);
    let mut codes = [0; BLOCK];
    for (group, word) in codes.as_chunks_mut::<8>().0.iter_mut().zip(words) {
        *group = transpose_bits(word).to_be_bytes();
    }
    codes
}

/// Transposes the 8×8 bits of a word: bit `c` of byte `r` becomes bit `r` of byte `c`.
///
/// Three rounds exchange the off-diagonal quarters of every 2×2, 4×4 and 8×8 square.
#[inline(always)]
fn transpose_bits(mut word: u64) -> u64 {
    for (shift, mask) in
        [(7, 0x00aa_00aa_00aa_00aa), (14, 0x0000_cccc_0000_cccc), (28, 0x0000_0000_f0f0_f0f0)]
    {
        let moved = (word ^ (word >> shift)) & mask;
        word ^= moved ^ (moved << shift);
    }
    word
}

/// Transposes 8×8 bytes: byte `c` of word `r` becomes byte `r` of word `c`.
#[inline(always)]
fn transpose_bytes(words: &mut [u64; 8]) {
    for (step, mask) in
        [(1, 0x00ff_00ff_00ff_00ff), (2, 0x0000_ffff_0000_ffff), (4, 0x0000_0000_ffff_ffff)]
    {
        for low in (0..8).filter(|row| row & step == 0) {
            let moved = ((words[low] >> (8 * step)) ^ words[low + step]) & mask;
            words[low] ^= moved << (8 * step);
            words[low + step] ^= moved;
        }
    }
}
