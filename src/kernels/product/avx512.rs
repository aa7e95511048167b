//! Tiles of sums in registers: six rows by a panel, by `vpdpbusd`, which adds four products to a
//! sum of 32 bits without saturation.

use super::{DEPTH, LANES, Sums};
use core::arch::x86_64::{
    __m512i, _mm512_add_epi32, _mm512_dpbusd_epi32, _mm512_loadu_si512, _mm512_set1_epi32,
    _mm512_setzero_si512, _mm512_storeu_si512,
};

/// Rows whose sums are in registers at once: 24 of the 32, and the panel in four more.
const ROWS: usize = 6;

/// 16 sums of 32 bits, four times, are a row.
const VECTORS: usize = 4;

/// # Safety
/// The machine has AVX-512 F, BW and VNNI. `sums` has whole rows of `LANES`; `x` has as many rows of
/// `columns` bytes, `stride` apart; `panel` has `columns * LANES` bytes; `columns` is a multiple of
/// `DEPTH`.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
pub(super) unsafe fn multiply(
    x: &[u8],
    stride: usize,
    panel: &[i8],
    columns: usize,
    sums: Sums<'_>,
) {
    let (rows, out_stride, are_new) = (sums.rows(), sums.stride, sums.are_new);
    let (x, panel, sums) = (x.as_ptr(), panel.as_ptr(), sums.numbers.as_mut_ptr());
    let mut row = 0;
    while row < rows {
        // SAFETY: the rows from `row` on, at most as many as are left, lie in both slices.
        unsafe {
            let (x, sums) = (x.add(row * stride), sums.add(row * out_stride));
            match rows - row {
                1 => tile::<1>(x, stride, panel, columns, (sums, out_stride, are_new)),
                2 => tile::<2>(x, stride, panel, columns, (sums, out_stride, are_new)),
                3 => tile::<3>(x, stride, panel, columns, (sums, out_stride, are_new)),
                4 => tile::<4>(x, stride, panel, columns, (sums, out_stride, are_new)),
                5 => tile::<5>(x, stride, panel, columns, (sums, out_stride, are_new)),
                _ => tile::<ROWS>(x, stride, panel, columns, (sums, out_stride, are_new)),
            }
        }
        row += ROWS;
    }
}

/// # Safety
/// As for [`multiply`], for `N` rows.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
unsafe fn tile<const N: usize>(
    x: *const u8,
    stride: usize,
    panel: *const i8,
    columns: usize,
    (sums, out_stride, are_new): (*mut i32, usize, bool),
) {
    let none = _mm512_setzero_si512();
    let mut totals = [[none; VECTORS]; N];
    for group in 0..columns / DEPTH {
        // SAFETY: a group of the panel has `DEPTH * LANES` bytes, four vectors, and one of a row
        // `DEPTH`.
        unsafe {
            let at = panel.add(group * DEPTH * LANES).cast::<__m512i>();
            let weights = [
                _mm512_loadu_si512(at),
                _mm512_loadu_si512(at.add(1)),
                _mm512_loadu_si512(at.add(2)),
                _mm512_loadu_si512(at.add(3)),
            ];
            for (i, totals) in totals.iter_mut().enumerate() {
                let bytes = x.add(i * stride + group * DEPTH).cast::<i32>().read_unaligned();
                let bytes = _mm512_set1_epi32(bytes);
                for (total, weights) in totals.iter_mut().zip(weights) {
                    *total = _mm512_dpbusd_epi32(*total, bytes, weights);
                }
            }
        }
    }
    for (i, totals) in totals.iter().enumerate() {
        for (vector, total) in totals.iter().enumerate() {
            // SAFETY: a row of sums has four vectors.
            unsafe {
                let to = sums.add(i * out_stride + vector * LANES / VECTORS).cast::<__m512i>();
                let before = if are_new { none } else { _mm512_loadu_si512(to) };
                _mm512_storeu_si512(to, _mm512_add_epi32(before, *total));
            }
        }
    }
}
