//! Tiles of sums in registers, for AVX2 with and without AVX-VNNI: six rows by two vectors of eight
//! lanes, 12 of the 16 registers. One way to multiply ([`Dot`]) makes one set of tiles.

mod dot;

use super::{Bounds, DEPTH, LANES, Sums};
use core::arch::x86_64::{
    __m256i, _mm256_add_epi32, _mm256_loadu_si256, _mm256_setzero_si256, _mm256_storeu_si256,
};
use dot::{Dot, Pairs, Vnni, Widened};

/// Rows whose sums are in registers at once.
const ROWS: usize = 6;

/// Lanes of a vector.
const WIDTH: usize = 8;

/// What is multiplied.
#[derive(Clone, Copy)]
struct Factors {
    x: *const u8,
    stride: usize,
    panel: *const i8,
    columns: usize,
    /// From a row of sums to the next.
    out_stride: usize,
}

/// # Safety
/// The machine has AVX2. `sums` has whole rows of `LANES`; `x` has as many rows of `columns` bytes,
/// `stride` apart; `panel` has `columns * LANES` bytes; `columns` is a multiple of `DEPTH`.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn multiply(
    bounds: Bounds,
    x: &[u8],
    stride: usize,
    panel: &[i8],
    columns: usize,
    sums: Sums<'_>,
) {
    let factors = Factors::new(x, stride, panel, columns, &sums);
    // SAFETY: the caller vouches for AVX2 and the sizes.
    unsafe {
        match bounds.groups() {
            0 => tiles::<Widened>(factors, sums),
            1 => tiles::<Pairs<1>>(factors, sums),
            2 | 3 => tiles::<Pairs<2>>(factors, sums),
            // More than four make it no faster.
            _ => tiles::<Pairs<4>>(factors, sums),
        }
    }
}

/// # Safety
/// As for [`multiply`]; the machine has AVX-VNNI too.
#[target_feature(enable = "avx2,avxvnni")]
pub(super) unsafe fn multiply_vnni(
    x: &[u8],
    stride: usize,
    panel: &[i8],
    columns: usize,
    sums: Sums<'_>,
) {
    let factors = Factors::new(x, stride, panel, columns, &sums);
    // SAFETY: the caller vouches for AVX2, AVX-VNNI and the sizes.
    unsafe { tiles::<Vnni>(factors, sums) };
}

impl Factors {
    fn new(x: &[u8], stride: usize, panel: &[i8], columns: usize, sums: &Sums<'_>) -> Factors {
        let (x, panel, out_stride) = (x.as_ptr(), panel.as_ptr(), sums.stride);
        Factors { x, stride, panel, columns, out_stride }
    }
}

impl Bounds {
    /// Groups whose sums of two neighbors' products fit in 16 bits together.
    fn groups(self) -> u32 {
        match 2 * u32::from(self.left) * u32::from(self.right) {
            0 => u32::MAX,
            // 128 times -128, twice: as a negative number it fits, and 128 is no signed byte.
            0x8000 => 1,
            most => 0x7FFF / most,
        }
    }
}

// From here on all is inlined into functions that have the instructions, which is why none names
// them: the same tiles serve AVX2 and AVX-VNNI.

/// # Safety
/// As for [`multiply`]; the machine has the instructions of `D`.
#[inline(always)]
unsafe fn tiles<D: Dot>(factors: Factors, sums: Sums<'_>) {
    let rows = sums.rows();
    let whole = rows - rows % ROWS;
    let to = sums.numbers.as_mut_ptr();
    // SAFETY: first the rows of whole tiles, then those left over, from `whole` on. Few rows take
    // more vectors: their sums would wait for each other.
    unsafe {
        strips::<D, ROWS, 2>(factors, whole, to);
        let x = factors.x.wrapping_add(whole * factors.stride);
        let (factors, to) = (Factors { x, ..factors }, to.wrapping_add(whole * factors.out_stride));
        match rows - whole {
            0 => {}
            1 => strips::<D, 1, 8>(factors, 1, to),
            2 => strips::<D, 2, 4>(factors, 2, to),
            3 => strips::<D, 3, 2>(factors, 3, to),
            4 => strips::<D, 4, 2>(factors, 4, to),
            _ => strips::<D, 5, 2>(factors, 5, to),
        }
    }
}

/// All lanes, `V` vectors after `V` others: what a tile reads of the panel is still in the first
/// cache for the next rows.
///
/// # Safety
/// As for [`multiply`], for `rows` rows, a multiple of `N`; the machine has the instructions of `D`;
/// `V` divides the vectors of a row of sums.
#[inline(always)]
unsafe fn strips<D: Dot, const N: usize, const V: usize>(
    factors: Factors,
    rows: usize,
    sums: *mut i32,
) {
    for lane in (0..LANES).step_by(V * WIDTH) {
        for row in (0..rows).step_by(N) {
            // SAFETY: `N` rows from `row` on and `V` vectors of lanes from `lane` on are left.
            unsafe {
                let x = factors.x.add(row * factors.stride);
                let panel = factors.panel.add(lane * DEPTH);
                tile::<D, N, V>(
                    Factors { x, panel, ..factors },
                    sums.add(row * factors.out_stride + lane),
                );
            }
        }
    }
}

/// # Safety
/// As for [`strips`], for `N` rows and `V` vectors of lanes.
#[inline(always)]
unsafe fn tile<D: Dot, const N: usize, const V: usize>(factors: Factors, sums: *mut i32) {
    let groups = factors.columns / DEPTH;
    let whole = groups - groups % D::GROUPS;
    // SAFETY: the groups lie in the rows, `DEPTH` bytes each, and in the panel, `DEPTH * LANES`
    // bytes each; the sums have `N` rows of `V` vectors.
    unsafe {
        let mut totals = [[_mm256_setzero_si256(); V]; N];
        for group in (0..whole).step_by(D::GROUPS) {
            step::<D, N, V>(factors, group, &mut totals);
        }
        for group in whole..groups {
            step::<D::Rest, N, V>(factors, group, &mut totals);
        }
        for (i, totals) in totals.iter().enumerate() {
            for (vector, total) in totals.iter().enumerate() {
                let to = sums.add(i * factors.out_stride + vector * WIDTH).cast::<__m256i>();
                _mm256_storeu_si256(to, _mm256_add_epi32(_mm256_loadu_si256(to), *total));
            }
        }
    }
}

/// # Safety
/// As for [`tile`]; the rows have as many groups as `D` takes, from `group` on.
#[inline(always)]
unsafe fn step<D: Dot, const N: usize, const V: usize>(
    factors: Factors,
    group: usize,
    totals: &mut [[__m256i; V]; N],
) {
    // SAFETY: the caller vouches for the instructions and the groups.
    unsafe {
        let panel = factors.panel.add(group * DEPTH * LANES);
        let mut weights = [D::right(panel); V];
        for (vector, weights) in weights.iter_mut().enumerate().skip(1) {
            *weights = D::right(panel.add(vector * WIDTH * DEPTH));
        }
        for (i, totals) in totals.iter_mut().enumerate() {
            let left = D::left(factors.x.add(i * factors.stride + group * DEPTH));
            for (total, weights) in totals.iter_mut().zip(weights) {
                *total = D::add(*total, left, weights);
            }
        }
    }
}
