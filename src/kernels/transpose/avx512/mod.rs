//! Transposition with AVX-512 and the Galois-field affine instruction.
//!
//! `gf2p8affineqb` multiplies bit matrices: with a permutation matrix as its byte operand it
//! transposes the 8×8 bits of every 64-bit word, and the permutation puts the eight results in
//! any order. A block is 512 codes, eight registers on the side of the codes and one full
//! register, which is one full cache line, for each plane.

use core::arch::x86_64::*;

mod pack;
mod unpack;

pub(super) use pack::pack;
pub(super) use unpack::unpack;
pub(in crate::kernels) use unpack::{codes_of, load_planes};

/// Codes in a block.
pub(in crate::kernels) const BLOCK: usize = 512;

/// Inputs and outputs above this many bytes together are taken to live in memory rather than in
/// a cache: non-temporal stores then save reading the lines that are about to be overwritten.
/// Below it they would cost half the speed of the last-level cache.
const STREAMING_BYTES: usize = 24 << 20;

/// Codes from which a partial block is put in front so that stores do not straddle lines. Shorter
/// inputs are done sooner without it.
const ALIGN_FROM: usize = 32 << 10;

/// Byte positions of a 64-bit word whose bit 2, or bit 1, is set; in all eight words.
const UPPER_FOUR: __mmask64 = 0xf0f0_f0f0_f0f0_f0f0;
const UPPER_TWO: __mmask64 = 0xcccc_cccc_cccc_cccc;

#[inline]
#[target_feature(enable = "avx512f")]
fn vector(bytes: &[u8; 64]) -> __m512i {
    // SAFETY: 64 bytes may be read from a reference to 64 bytes.
    unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
}

/// A mask of the first `bytes` bytes of a register, all of them if there are more.
#[inline]
fn first(bytes: usize) -> __mmask64 {
    if bytes >= 64 { !0 } else { (1 << bytes) - 1 }
}
