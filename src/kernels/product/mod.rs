//! Sums of products of unsigned bytes with signed ones: the inside of a matrix product.
//!
//! The left side is rows of bytes. The right side is a *panel*: [`LANES`] rows of the other matrix,
//! laid out so that [`DEPTH`] neighbors of each lie together, then those of the next row. Sums are
//! of 32 bits, which hold [`MOST_COLUMNS`] products whatever the bytes.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod finish;
mod portable;
mod unit;

pub use finish::{Lanes, Number, OfRow, Place, Totals, accumulate, codes, sum_bytes, sums, values};
pub use unit::Unit;

use unit::Kind;

/// Rows of the right side in a panel.
pub const LANES: usize = 64;

/// Neighboring elements of a row that lie together in a panel.
pub const DEPTH: usize = 4;

/// The longest rows: 65,536 products of at most 255 * 128 stay below 2^31.
pub const MOST_COLUMNS: usize = 1 << 16;

/// Sums of rows with a panel, [`LANES`] of each row, that a kernel makes.
#[derive(Debug)]
pub struct Sums<'a> {
    pub(super) numbers: &'a mut [i32],
    /// From one row's start to the next one's.
    pub(super) stride: usize,
    pub(super) are_new: bool,
}

impl<'a> Sums<'a> {
    /// Sums that replace what is there.
    pub fn new(numbers: &'a mut [i32]) -> Sums<'a> {
        Sums { numbers, stride: LANES, are_new: true }
    }

    /// Sums that are added to what is there; wrapping.
    pub fn more(numbers: &'a mut [i32]) -> Sums<'a> {
        Sums { numbers, stride: LANES, are_new: false }
    }

    /// The same in rows that begin `stride` numbers apart; the last one ends where they do.
    pub fn apart(self, stride: usize) -> Sums<'a> {
        Sums { stride, ..self }
    }

    /// The same for another call, which replaces what is there or adds to it.
    pub fn again(&mut self, more: bool) -> Sums<'_> {
        Sums { numbers: self.numbers, stride: self.stride, are_new: self.are_new && !more }
    }

    /// How many there are. Panics unless there are whole rows.
    pub(super) fn rows(&self) -> usize {
        let Some(before_last) = self.numbers.len().checked_sub(LANES) else {
            assert!(self.numbers.is_empty(), "whole rows of sums");
            return 0;
        };
        assert!(self.stride >= LANES && before_last.is_multiple_of(self.stride), "whole rows");
        before_last / self.stride + 1
    }

    /// The numbers of each row.
    pub(super) fn each_row(&mut self) -> impl Iterator<Item = &mut [i32]> {
        self.numbers.chunks_mut(self.stride).map(|row| &mut row[..LANES])
    }

    /// Makes new sums such that a kernel may add to them.
    pub(super) fn cleared(mut self) -> Sums<'a> {
        if self.are_new {
            self.each_row().for_each(|row| row.fill(0));
        }
        Sums { are_new: false, ..self }
    }
}

/// What a caller knows of the bytes:/// What a caller knows of the bytes: where they are small, AVX2 without AVX-VNNI takes fewer
/// instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// No byte of the left side is above it.
    pub left: u8,
    /// No byte of the panel is farther from zero.
    pub right: u8,
}

impl Bounds {
    /// Those of any bytes.
    pub const ANY: Bounds = Bounds { left: 255, right: 128 };

    fn hold(self, x: &[u8], panel: &[i8]) -> bool {
        x.iter().all(|byte| *byte <= self.left)
            && panel.iter().all(|byte| byte.unsigned_abs() <= self.right)
    }
}

/// Makes sum `i * LANES + j` that of the products of row `i` of `x` with row `j` of `panel`.
///
/// Rows have `columns` elements, a multiple of [`DEPTH`] and at most [`MOST_COLUMNS`]. Those of `x`
/// begin `stride` bytes apart; there are as many as `sums` has rows. Where the bytes of a row or of
/// the panel are beyond `bounds`, the sums are unspecified.
pub fn multiply(
    unit: Unit,
    bounds: Bounds,
    x: &[u8],
    stride: usize,
    panel: &[i8],
    columns: usize,
    sums: Sums<'_>,
) {
    let rows = sums.rows();
    assert!(columns.is_multiple_of(DEPTH) && columns <= MOST_COLUMNS, "rows of {columns}");
    assert_eq!(panel.len(), columns * LANES, "the panel has {LANES} rows");
    if rows == 0 {
        return;
    }
    let needed = (rows - 1).checked_mul(stride).and_then(|last| last.checked_add(columns));
    assert!(needed.is_some_and(|needed| needed <= x.len()), "the rows are there");
    debug_assert!(
        (0..rows).all(|row| bounds.hold(&x[row * stride..][..columns], &[]))
            && bounds.hold(&[], panel),
        "bytes within {bounds:?}"
    );
    match unit.kind() {
        Kind::Portable => portable::multiply(x, stride, panel, columns, sums.cleared()),
        // SAFETY: a `Unit` of this kind exists only where AVX2 does, and the sizes were checked.
        #[cfg(target_arch = "x86_64")]
        Kind::Avx2 => unsafe { avx2::multiply(bounds, x, stride, panel, columns, sums.cleared()) },
        // SAFETY: a `Unit` of this kind exists only where AVX2 and AVX-VNNI do, and the sizes were
        // checked.
        #[cfg(target_arch = "x86_64")]
        Kind::AvxVnni => unsafe { avx2::multiply_vnni(x, stride, panel, columns, sums.cleared()) },
        // SAFETY: a `Unit` of this kind exists only where AVX-512 F, BW and VNNI do, and the sizes
        // were checked.
        #[cfg(target_arch = "x86_64")]
        Kind::Avx512 => unsafe { avx512::multiply(x, stride, panel, columns, sums) },
    }
}
