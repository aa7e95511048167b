//! Products of four neighbors in each of eight lanes, added to sums of 32 bits: exactly, with and
//! without AVX-VNNI.

use super::super::{DEPTH, LANES};
use core::arch::x86_64::*;

/// A way to multiply and add.
pub(super) trait Dot {
    /// Groups of [`DEPTH`] columns that a step takes.
    const GROUPS: usize;
    /// The neighbors of a row, in every lane.
    type Left: Copy;
    /// Those of eight rows of the panel.
    type Right: Copy;
    /// For the groups that are left over: it takes one.
    type Rest: Dot;

    /// # Safety
    /// The machine has the instructions, and `x` can be read for [`Dot::GROUPS`] groups.
    unsafe fn left(x: *const u8) -> Self::Left;

    /// # Safety
    /// The machine has the instructions, and eight lanes from `panel` on can be read in
    /// [`Dot::GROUPS`] groups.
    unsafe fn right(panel: *const i8) -> Self::Right;

    /// # Safety
    /// The machine has the instructions.
    unsafe fn add(total: __m256i, left: Self::Left, right: Self::Right) -> __m256i;
}

/// # Safety
/// A group can be read at `x`.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn neighbors(x: *const u8) -> __m256i {
    // SAFETY: a group of a row has four bytes.
    _mm256_set1_epi32(unsafe { x.cast::<i32>().read_unaligned() })
}

/// AVX-VNNI: one instruction, which does not saturate.
pub(super) struct Vnni;

impl Dot for Vnni {
    const GROUPS: usize = 1;
    type Left = __m256i;
    type Right = __m256i;
    type Rest = Vnni;

    #[inline]
    #[target_feature(enable = "avx2,avxvnni")]
    unsafe fn left(x: *const u8) -> __m256i {
        // SAFETY: the caller vouches for a group.
        unsafe { neighbors(x) }
    }

    #[inline]
    #[target_feature(enable = "avx2,avxvnni")]
    unsafe fn right(panel: *const i8) -> __m256i {
        // SAFETY: the caller vouches for eight lanes, 32 bytes.
        unsafe { _mm256_loadu_si256(panel.cast()) }
    }

    #[inline]
    #[target_feature(enable = "avx2,avxvnni")]
    unsafe fn add(total: __m256i, left: __m256i, right: __m256i) -> __m256i {
        _mm256_dpbusd_avx_epi32(total, left, right)
    }
}

/// For bytes so small that the sums of two products of `G` groups fit in 16 bits together, where
/// `vpmaddubsw` would saturate and `vpaddw` wrap.
pub(super) struct Pairs<const G: usize>;

impl<const G: usize> Dot for Pairs<G> {
    const GROUPS: usize = G;
    type Left = [__m256i; G];
    type Right = [__m256i; G];
    type Rest = Pairs<1>;

    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn left(x: *const u8) -> [__m256i; G] {
        let mut left = [_mm256_setzero_si256(); G];
        for (group, left) in left.iter_mut().enumerate() {
            // SAFETY: the caller vouches for as many groups.
            *left = unsafe { neighbors(x.add(group * DEPTH)) };
        }
        left
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn right(panel: *const i8) -> [__m256i; G] {
        let mut right = [_mm256_setzero_si256(); G];
        for (group, right) in right.iter_mut().enumerate() {
            // SAFETY: the caller vouches for eight lanes, 32 bytes, in as many groups.
            *right = unsafe { _mm256_loadu_si256(panel.add(group * DEPTH * LANES).cast()) };
        }
        right
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn add(total: __m256i, left: [__m256i; G], right: [__m256i; G]) -> __m256i {
        let mut pairs = _mm256_maddubs_epi16(left[0], right[0]);
        for group in 1..G {
            let more = _mm256_maddubs_epi16(left[group], right[group]);
            pairs = _mm256_add_epi16(pairs, more);
        }
        _mm256_add_epi32(total, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)))
    }
}

/// For any bytes: numbers of 16 bits, the even neighbors and the odd ones apart, so that the order
/// of the lanes stays. Fewer instructions than two exact `vpmaddubsw`, as the right side is widened
/// once for all rows of a tile.
pub(super) struct Widened;

impl Dot for Widened {
    const GROUPS: usize = 1;
    type Left = [__m256i; 2];
    type Right = [__m256i; 2];
    type Rest = Widened;

    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn left(x: *const u8) -> [__m256i; 2] {
        // SAFETY: the caller vouches for a group.
        let bytes = unsafe { neighbors(x) };
        [_mm256_and_si256(bytes, _mm256_set1_epi16(0xFF)), _mm256_srli_epi16(bytes, 8)]
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn right(panel: *const i8) -> [__m256i; 2] {
        // SAFETY: the caller vouches for eight lanes, 32 bytes.
        let bytes = unsafe { _mm256_loadu_si256(panel.cast()) };
        [_mm256_srai_epi16(_mm256_slli_epi16(bytes, 8), 8), _mm256_srai_epi16(bytes, 8)]
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn add(total: __m256i, left: [__m256i; 2], right: [__m256i; 2]) -> __m256i {
        let total = _mm256_add_epi32(total, _mm256_madd_epi16(left[0], right[0]));
        _mm256_add_epi32(total, _mm256_madd_epi16(left[1], right[1]))
    }
}
