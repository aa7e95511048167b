//! Codes of one byte to bit planes and back.
//!
//! Plane `p` of element `i` is the bit `0x80 >> (i % 8)` of byte `p * stride + i / 8`: most
//! significant bit first. Wider codes are moved a byte at a time, eight planes for each byte.
//!
//! The specification, which `tests/kernels_transpose.rs` holds every level to, is one line a bit:
//! [`pack`] sets that bit to `codes[i] >> p & 1` for every `p < count` and every `i`, and changes
//! no other; [`unpack`] sets `codes[i]` to the sum of `bit(p, i) << p` over `p < count`.

use super::cpu::{Kind, Level};
use super::rows::Rows;

mod portable;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
pub(super) mod avx512;

/// Scatters bit `p` of every code into plane `p`, for the planes `0..count`.
///
/// `count` is 0 to 8; bits of a code above it are ignored. Plane `p` occupies
/// `ceil(codes.len() / 8)` bytes from `p * stride`, and nothing else is written; where the length
/// is no multiple of 8, the unused low bits of each plane's last byte stay as they were.
/// `planes` must hold `(count - 1) * stride + ceil(codes.len() / 8)` bytes and, when `count` is
/// above 1, `stride` be at least `ceil(codes.len() / 8)` (the function panics otherwise).
pub fn pack(level: Level, codes: &[u8], planes: &mut [u8], stride: usize, count: usize) {
    check(codes.len(), planes.len(), stride, count);
    pack_rows(level, codes, Rows::new(planes, stride, count, codes.len().div_ceil(8)));
}

/// [`pack`] into rows of exactly `ceil(codes.len() / 8)` bytes, at most 8 of them (the function
/// panics otherwise). Nothing is read from them but the last byte of each, and that only where
/// the length is no multiple of 8.
pub fn pack_rows(level: Level, codes: &[u8], mut rows: Rows<'_>) {
    assert!(rows.count() <= 8, "a code of one byte has at most 8 planes");
    assert!(rows.bytes() == codes.len().div_ceil(8), "the rows are of another length");
    if codes.is_empty() || rows.count() == 0 {
        return;
    }
    match level.kind() {
        // SAFETY: `Rows` is memory that may be written; `codes` and `rows` are not empty, and the
        // sizes agree.
        Kind::Portable => unsafe { portable::pack(codes, &mut rows) },
        // SAFETY: as above, and a `Level` of this kind exists only where AVX2 does.
        #[cfg(target_arch = "x86_64")]
        Kind::Avx2 => unsafe { avx2::pack(codes, &mut rows) },
        // SAFETY: as above, and a `Level` of this kind exists only where AVX-512 with F, BW, VL,
        // VBMI, VBMI2 and GFNI does.
        #[cfg(target_arch = "x86_64")]
        Kind::Avx512 => unsafe { avx512::pack(codes, &mut rows) },
    }
}

/// Gathers bit `p` of every code from plane `p`, for the planes `0..count`; bits from `count` on
/// are zero. The sizes are those of [`pack`].
pub fn unpack(level: Level, planes: &[u8], stride: usize, count: usize, codes: &mut [u8]) {
    check(codes.len(), planes.len(), stride, count);
    if count == 0 {
        codes.fill(0);
        return;
    }
    if codes.is_empty() {
        return;
    }
    match level.kind() {
        Kind::Portable => portable::unpack(planes, stride, count, codes),
        // SAFETY: a `Level` of this kind exists only where AVX2 does; `check` proved the sizes,
        // and neither `codes` nor `count` is empty.
        #[cfg(target_arch = "x86_64")]
        Kind::Avx2 => unsafe { avx2::unpack(planes, stride, count, codes) },
        // SAFETY: a `Level` of this kind exists only where AVX-512 with F, BW, VL, VBMI, VBMI2
        // and GFNI does; `check` proved the sizes, and neither `codes` nor `count` is empty.
        #[cfg(target_arch = "x86_64")]
        Kind::Avx512 => unsafe { avx512::unpack(planes, stride, count, codes) },
    }
}

/// The one place that checks sizes: the SIMD code, which uses pointers, relies on it.
fn check(codes: usize, planes: usize, stride: usize, count: usize) {
    assert!(count <= 8, "a code of one byte has at most 8 planes");
    let Some(above_first) = count.checked_sub(1) else {
        return;
    };
    let bytes = codes.div_ceil(8);
    assert!(above_first == 0 || stride >= bytes, "the planes overlap");
    let needed = above_first.checked_mul(stride).and_then(|start| start.checked_add(bytes));
    assert!(needed.is_some_and(|needed| needed <= planes), "the planes do not fit their slice");
}
