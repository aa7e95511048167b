//! The integers inside a product, block by block, and the threads that make them.
//!
//! A block is some hundred rows. They go by in parts, each with as many panels of the weights as the
//! second-level cache holds, so that a row of the result is written from left to right; and with each
//! panel in steps of columns that stay in the first level. Sums are of 32 bits as long as no code makes
//! larger ones, and are added up in 64 bits from column block to column block of longer rows.

use super::factors::{Factors, PART_ROWS, Scratch, Tile};
use crate::error::{Error, Result};
use crate::kernels::bits::{LANES, MOST_WORDS};
use crate::kernels::product::{Number, Place, Sums, Totals};
use crate::threads::{both, share};

/// Takes the sums of some rows with a panel.
pub(super) trait Output {
    /// What a caller gets of each.
    type Element: Send;

    /// The elements themselves, where they are complete sums and nothing else.
    fn as_sums(out: &mut [Self::Element]) -> Option<&mut [i32]> {
        let _ = out;
        None
    }

    /// Writes the elements of outputs `first..`.
    fn put<T: Number>(&self, first: usize, totals: Totals<'_, T>, place: Place<'_, Self::Element>);
}

/// A product of checked operands.
pub(super) struct Job<'a, O> {
    pub(super) factors: Factors<'a>,
    pub(super) output: O,
}

/// The most rows of a block: a panel is unpacked once for each.
const BLOCK_ROWS: usize = 528;

/// Bytes of the rows of a block.
const BLOCK_BYTES: usize = 4 << 20;

/// Bytes of the panels that take turns with a part of the rows.
const GROUP_BYTES: usize = 1 << 19;

/// How often the rows are halved for as many threads as there may be.
const MOST_HALVINGS: usize = 8;

/// Where a stretch of the result lies: whole rows, or one row's outputs from a panel on.
#[derive(Clone, Copy)]
struct Stretch {
    row: usize,
    panel: usize,
    /// Of each row.
    outputs: usize,
}

impl Stretch {
    /// The outputs of the panel of this number from row `row` on.
    fn piece<O>(self, number: usize, row: usize, out: &mut [O]) -> Place<'_, O> {
        let first = number.saturating_mul(LANES);
        let count = self.outputs.saturating_sub(first).min(LANES);
        let out = out.get_mut(row.saturating_mul(self.outputs)..).unwrap_or_default();
        Place { out, stride: self.outputs, first, count }
    }
}

impl<O: Output + Sync> Job<'_, O> {
    /// Makes all of it on so many threads. All memory is had before anything is written.
    pub(super) fn run(&self, out: &mut [O::Element], threads: usize) -> Result<()> {
        let outputs = self.factors.weights.rows();
        let rows = out.len().checked_div(outputs).unwrap_or(0);
        let pieces = if rows > 1 { rows } else { outputs.div_ceil(LANES) };
        let threads = threads.min(pieces).max(1);
        // Halves of halves are not quite even.
        let own_rows = rows.div_ceil(threads).saturating_add(MOST_HALVINGS).min(rows);
        let mut scratch = Vec::new();
        let (what, bytes) = ("threads of a product", threads.saturating_mul(size_of::<Scratch>()));
        scratch.try_reserve_exact(threads).map_err(|_| Error::OutOfMemory { what, bytes })?;
        for _ in 0..threads {
            let block_rows = own_rows.min(self.block_rows());
            scratch.push(Scratch::new(&self.factors, block_rows, self.group())?);
        }
        self.split(Stretch { row: 0, panel: 0, outputs }, out, &mut scratch)
    }

    /// A thread for each scratch.
    fn split(&self, place: Stretch, out: &mut [O::Element], scratch: &mut [Scratch]) -> Result<()> {
        let rows = out.len().checked_div(place.outputs).unwrap_or(0);
        let panels = place.outputs.div_ceil(LANES);
        let pieces = if rows > 1 { rows } else { panels };
        let threads = scratch.len();
        if threads <= 1 || pieces <= 1 {
            return scratch.first_mut().map_or(Ok(()), |own| self.rows(place, out, own));
        }
        let later = threads / 2;
        let here = threads.saturating_sub(later);
        let middle = share(pieces, here, threads).clamp(1, pieces.saturating_sub(1));
        let (near_place, far_place, at) = if rows > 1 {
            let far = Stretch { row: place.row.saturating_add(middle), ..place };
            (place, far, middle.saturating_mul(place.outputs))
        } else {
            let at = middle.saturating_mul(LANES);
            let panel = place.panel.saturating_add(middle);
            let far = Stretch { panel, outputs: place.outputs.saturating_sub(at), ..place };
            (Stretch { outputs: at, ..place }, far, at)
        };
        let (near, far) = out.split_at_mut(at);
        let (own, others) = scratch.split_at_mut(here);
        let (near, far) = both(
            || self.split(near_place, near, own),
            (far, others),
            |(far, others)| self.split(far_place, far, others),
        );
        near.and(far)
    }

    fn block_rows(&self) -> usize {
        let columns = self.factors.matrix.columns;
        let rows = BLOCK_BYTES.checked_div(columns).unwrap_or(1).clamp(PART_ROWS, BLOCK_ROWS);
        rows.saturating_sub(rows % PART_ROWS)
    }

    /// How many panels take turns: one where a panel's columns do.
    fn group(&self) -> usize {
        let words = self.factors.weights.words();
        let group = GROUP_BYTES.checked_div(self.factors.panel_bytes(words)).unwrap_or(1);
        if words > MOST_WORDS { 1 } else { group.max(1) }
    }

    fn rows(&self, place: Stretch, out: &mut [O::Element], scratch: &mut Scratch) -> Result<()> {
        let rows = self.block_rows();
        for (number, out) in out.chunks_mut(place.outputs.saturating_mul(rows)).enumerate() {
            let row = place.row.saturating_add(number.saturating_mul(rows));
            self.block(Stretch { row, ..place }, out, scratch)?;
        }
        Ok(())
    }

    /// The rows of a block with one group of panels after another.
    fn block(&self, place: Stretch, out: &mut [O::Element], scratch: &mut Scratch) -> Result<()> {
        let Job { factors, .. } = self;
        let rows = out.len().checked_div(place.outputs).unwrap_or(0);
        factors.read(place.row, rows, scratch)?;
        let (words, group) = (factors.weights.words(), self.group());
        let is_long = words > MOST_WORDS;
        let panels = place.outputs.div_ceil(LANES);
        for first in (0..panels).step_by(group) {
            let numbers = first..panels.min(first.saturating_add(group));
            scratch.totals(rows).fill(0);
            for word in (0..words).step_by(MOST_WORDS) {
                let words = words.saturating_sub(word).min(MOST_WORDS);
                let own = place.panel.saturating_add(first);
                factors.unpack(own..own.saturating_add(numbers.len()), word, words, scratch)?;
                for row in (0..rows).step_by(PART_ROWS) {
                    let rows = rows.saturating_sub(row).min(PART_ROWS);
                    for number in numbers.clone() {
                        let panel = place.panel.saturating_add(number);
                        let turn = number.saturating_sub(first);
                        let tile = Tile { row, rows, panel, turn, word, words };
                        if let Some(sums) = self.direct(place, (number, row, rows), scratch, out) {
                            factors.tile_into(tile, scratch, sums);
                            continue;
                        }
                        factors.tile(tile, scratch);
                        if is_long {
                            scratch.accumulate(row, rows);
                        } else {
                            self.put(place, (number, row), (scratch.sums(rows), scratch), out);
                        }
                    }
                }
            }
            if is_long {
                self.put(place, (first, 0), (scratch.whole_totals(), scratch), out);
            }
        }
        Ok(())
    }

    /// Where a tile's sums belong in the result, where they are all of it.
    fn direct<'a>(
        &self,
        place: Stretch,
        (number, row, rows): (usize, usize, usize),
        scratch: &Scratch,
        out: &'a mut [O::Element],
    ) -> Option<Sums<'a>> {
        if !self.factors.are_sums_whole() || scratch.has_offsets {
            return None;
        }
        let Place { out, stride, first, count: LANES } = place.piece(number, row, out) else {
            return None;
        };
        let length = rows.checked_sub(1)?.checked_mul(stride)?.checked_add(LANES)?;
        let out = out.get_mut(first..first.checked_add(length)?)?;
        O::as_sums(out).map(|numbers| Sums::new(numbers).apart(stride))
    }

    /// Hands on sums of the rows from `row` on with the panel of this number in the result.
    fn put<T: Number>(
        &self,
        place: Stretch,
        (number, row): (usize, usize),
        (sums, scratch): (&[T], &Scratch),
        out: &mut [O::Element],
    ) {
        let panel = place.panel.saturating_add(number);
        let of_rows = scratch.of_rows.get(row..).unwrap_or_default();
        let of_lanes = scratch.has_offsets.then(|| self.factors.of_lanes(panel).map(T::low));
        let totals = Totals { sums, of_rows, of_lanes: of_lanes.as_ref() };
        self.output.put(panel.saturating_mul(LANES), totals, place.piece(number, row, out));
    }
}
