//! Tiles of sums in registers: six rows by a panel, `vpopcntd` of what is 1 on both sides.

use super::{LANES, Left, Planes, Sums};
use core::arch::x86_64::{
    __m512i, _MM_HINT_T0, _mm_prefetch, _mm512_add_epi32, _mm512_and_si512, _mm512_loadu_si512,
    _mm512_popcnt_epi32, _mm512_set1_epi32, _mm512_setzero_si512, _mm512_slli_epi32,
    _mm512_storeu_si512, _mm512_sub_epi32, _mm512_ternarylogic_epi32,
};

/// Rows whose sums are in registers at once: 24 of the 32, and the panel in four more.
const ROWS: usize = 6;

/// Vectors of a row of sums.
const VECTORS: usize = LANES / LANES_OF_VECTOR;
const LANES_OF_VECTOR: usize = 16;

/// Runs `$tile` on `ROWS` rows after another, and on what is left.
macro_rules! tiles {
    ($rows:expr, |$row:ident| $tile:ident($($argument:expr),*)) => {
        let rows: usize = $rows;
        let mut $row = 0;
        while $row < rows {
            // SAFETY: the rows from `$row` on, at most as many as are left, are there.
            unsafe {
                match rows - $row {
                    1 => $tile::<1>($($argument),*),
                    2 => $tile::<2>($($argument),*),
                    3 => $tile::<3>($($argument),*),
                    4 => $tile::<4>($($argument),*),
                    5 => $tile::<5>($($argument),*),
                    _ => $tile::<ROWS>($($argument),*),
                }
            }
            $row += ROWS;
        }
    };
}

/// The left side from a row on.
#[derive(Clone, Copy)]
struct Start {
    words: *const u32,
    planes: Planes,
    stride: usize,
}

impl Start {
    fn of(left: Left<'_>) -> Start {
        Start { words: left.words.as_ptr(), planes: left.planes, stride: left.stride }
    }

    /// # Safety
    /// There is such a row.
    unsafe fn row(self, row: usize) -> Start {
        // SAFETY: the row is in the slice.
        let words = unsafe { self.words.add(row * self.planes.count * self.stride) };
        Start { words, ..self }
    }
}

/// Words ahead of a kernel that goes through a panel once: 4 KiB, from memory.
const AHEAD: usize = 1024;

/// Has what comes later in a panel fetched.
#[inline(always)]
pub(super) fn ahead(words: *const u32) {
    // SAFETY: a prefetch reads nothing that the program sees, wherever it points.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(words.wrapping_add(AHEAD).cast()) }
}

/// Where sums go, from a row on.
#[derive(Clone, Copy)]
struct To {
    sums: *mut i32,
    stride: usize,
    are_new: bool,
}

impl To {
    fn of(sums: Sums<'_>) -> To {
        let Sums { numbers, stride, are_new } = sums;
        To { sums: numbers.as_mut_ptr(), stride, are_new }
    }

    /// # Safety
    /// There is such a row.
    unsafe fn row(self, row: usize) -> To {
        // SAFETY: the row is in the slice.
        To { sums: unsafe { self.sums.add(row * self.stride) }, ..self }
    }

    /// Sets or adds to the sums of `N` rows from lane `first` on.
    ///
    /// # Safety
    /// There are as many vectors in each of them.
    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn put<const N: usize, const V: usize>(self, totals: &[[__m512i; V]; N], first: usize) {
        for (i, totals) in totals.iter().enumerate() {
            for (v, total) in totals.iter().enumerate() {
                // SAFETY: the vector is there.
                unsafe {
                    let to = self.sums.add(i * self.stride + first + v * LANES_OF_VECTOR);
                    let before = if self.are_new {
                        _mm512_setzero_si512()
                    } else {
                        _mm512_loadu_si512(to.cast())
                    };
                    _mm512_storeu_si512(to.cast(), _mm512_add_epi32(before, *total));
                }
            }
        }
    }
}

/// # Safety
/// The machine has AVX-512 F, BW and VPOPCNTDQ. The sizes are those that `super::check` asks for.
#[target_feature(enable = "avx512f,avx512bw,avx512vpopcntdq")]
pub(super) unsafe fn popcount(
    left: Left<'_>,
    panel: &[u32],
    right: Planes,
    words: usize,
    sums: Sums<'_>,
) {
    let (left, panel, rows) = (Start::of(left), panel.as_ptr(), sums.rows());
    let to = To::of(sums);
    tiles!(rows, |row| tile(left.row(row), panel, right, words, to.row(row)));
}

/// # Safety
/// As for [`popcount`], for `N` rows.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vpopcntdq")]
unsafe fn tile<const N: usize>(
    left: Start,
    panel: *const u32,
    right: Planes,
    words: usize,
    to: To,
) {
    let mut totals = [[_mm512_setzero_si512(); VECTORS]; N];
    // By weight, the heaviest first: what is there is doubled, and each weight costs nothing more.
    for weight in (0..left.planes.count + right.count - 1).rev() {
        for row in &mut totals {
            for total in row {
                *total = _mm512_slli_epi32::<1>(*total);
            }
        }
        for p in 0..left.planes.count {
            let Some(q) = weight.checked_sub(p).filter(|q| *q < right.count) else { continue };
            let negative = |planes: Planes, plane| planes.is_signed && plane + 1 == planes.count;
            // SAFETY: plane `p` of each row is there, and plane `q` of the panel.
            unsafe {
                let x = left.words.add(p * left.stride);
                let x = (x, left.planes.count * left.stride);
                let w = (panel.add(q * LANES), right.count * LANES);
                if negative(left.planes, p) == negative(right, q) {
                    pass::<N, false>(x, w, words, &mut totals);
                } else {
                    pass::<N, true>(x, w, words, &mut totals);
                }
            }
        }
    }
    // SAFETY: a row of sums has `LANES`.
    unsafe { to.put(&totals, 0) }
}

/// One plane of the left with one of the right.
///
/// # Safety
/// `x` points to `words` words of each of `N` rows, so far apart, and `w` to as many vectors of
/// `LANES`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vpopcntdq")]
unsafe fn pass<const N: usize, const NEGATIVE: bool>(
    (x, row): (*const u32, usize),
    (w, step): (*const u32, usize),
    words: usize,
    totals: &mut [[__m512i; VECTORS]; N],
) {
    for word in 0..words {
        // SAFETY: the word is one of the `words`.
        unsafe {
            if N == 1 {
                for v in 0..VECTORS {
                    ahead(w.wrapping_add(word * step + v * LANES_OF_VECTOR));
                }
            }
            let w = load::<VECTORS>(w.add(word * step));
            for (i, totals) in totals.iter_mut().enumerate() {
                let x = _mm512_set1_epi32(x.add(i * row + word).read().cast_signed());
                for (total, w) in totals.iter_mut().zip(w) {
                    let ones = _mm512_popcnt_epi32(_mm512_and_si512(x, w));
                    *total = if NEGATIVE {
                        _mm512_sub_epi32(*total, ones)
                    } else {
                        _mm512_add_epi32(*total, ones)
                    };
                }
            }
        }
    }
}

/// # Safety
/// As for [`popcount`], with two planes on both sides.
#[target_feature(enable = "avx512f,avx512bw,avx512vpopcntdq")]
pub(super) unsafe fn ternary(left: Left<'_>, panel: &[u32], words: usize, sums: Sums<'_>) {
    let (left, panel, rows) = (Start::of(left), panel.as_ptr(), sums.rows());
    let to = To::of(sums);
    tiles!(rows, |row| ternary_tile(left.row(row), panel, words, to.row(row)));
}

/// # Safety
/// As for [`ternary`], for `N` rows.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vpopcntdq")]
unsafe fn ternary_tile<const N: usize>(left: Start, panel: *const u32, words: usize, to: To) {
    /// `a & (b ^ c)`
    const DIFFERENT: i32 = 0b0110_0000;
    /// Two counts for each sum need the registers that the other half would.
    const HALF: usize = VECTORS / 2;
    for half in 0..2 {
        let first = half * HALF * LANES_OF_VECTOR;
        let mut both_ones = [[_mm512_setzero_si512(); HALF]; N];
        let mut different_ones = both_ones;
        for word in 0..words {
            // SAFETY: the word is one of the `words`, and each has two planes on both sides.
            unsafe {
                let w = panel.add(word * 2 * LANES + first);
                let (magnitudes, signs) = (load::<HALF>(w), load::<HALF>(w.add(LANES)));
                for i in 0..N {
                    let x = left.words.add(i * 2 * left.stride + word);
                    let sign = _mm512_set1_epi32(x.add(left.stride).read().cast_signed());
                    let x = _mm512_set1_epi32(x.read().cast_signed());
                    for v in 0..HALF {
                        let both = _mm512_and_si512(x, magnitudes[v]);
                        let different =
                            _mm512_ternarylogic_epi32::<DIFFERENT>(both, sign, signs[v]);
                        let (both, different) =
                            (_mm512_popcnt_epi32(both), _mm512_popcnt_epi32(different));
                        both_ones[i][v] = _mm512_add_epi32(both_ones[i][v], both);
                        different_ones[i][v] = _mm512_add_epi32(different_ones[i][v], different);
                    }
                }
            }
        }
        for (totals, different) in both_ones.iter_mut().zip(different_ones) {
            for (total, different) in totals.iter_mut().zip(different) {
                *total = _mm512_sub_epi32(*total, _mm512_slli_epi32::<1>(different));
            }
        }
        // SAFETY: half a row of sums begins there.
        unsafe { to.put(&both_ones, first) }
    }
}

/// # Safety
/// `at` points to `V` vectors.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn load<const V: usize>(at: *const u32) -> [__m512i; V] {
    let mut vectors = [_mm512_setzero_si512(); V];
    for (v, vector) in vectors.iter_mut().enumerate() {
        // SAFETY: the vector is there.
        *vector = unsafe { _mm512_loadu_si512(at.add(v * LANES_OF_VECTOR).cast()) };
    }
    vectors
}
