//! Codes of one byte to bit planes and back.
//!
//! Plane `p` of element `i` is the bit `0x80 >> (i % 8)` of byte `p * stride + i / 8`: most
//! significant bit first. Wider codes are moved a byte at a time, eight planes for each byte.

use super::cpu::Level;

mod portable;

/// Scatters bit `p` of every code into plane `p`, for the planes `0..count`.
///
/// `count` is 1 to 8; bits of a code above it are ignored. Plane `p` occupies
/// `ceil(codes.len() / 8)` bytes from `p * stride`, and nothing else is written; where the length
/// is no multiple of 8, the unused low bits of each plane's last byte stay as they were.
/// `planes` must hold `(count - 1) * stride + ceil(codes.len() / 8)` bytes and, when `count` is
/// above 1, `stride` be at least `ceil(codes.len() / 8)` (the function panics otherwise).
pub fn pack(level: Level, codes: &[u8], planes: &mut [u8], stride: usize, count: usize) {
    let _ = level;
    portable::pack(codes, planes, stride, count)
}

/// Gathers bit `p` of every code from plane `p`, for the planes `0..count`; bits from `count` on
/// are zero. The sizes are those of [`pack`].
pub fn unpack(level: Level, planes: &[u8], stride: usize, count: usize, codes: &mut [u8]) {
    let _ = level;
    portable::unpack(planes, stride, count, codes)
}
