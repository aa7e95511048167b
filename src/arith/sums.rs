//! The integers inside a product, block by block, and the threads that make them.
//!
//! A block is as many rows as the second-level caches hold. For each panel of the weights the rows go
//! by in parts whose sums stay in the first level; their columns do so in steps that keep the panel
//! there too. Sums are of 32 bits as long as no code makes them larger, and are added up in 64 bits
//! from column block to column block of longer rows.

use super::buffer::{Buffer, resize};
use super::left::{Rows, Term};
use super::matrix::Matrix;
use super::method::ProductMethod;
use super::packed::PackedWeights;
use crate::error::Result;
use crate::kernels::Level;
use crate::kernels::bits::{self, LANES, MOST_WORDS, WORD};
use crate::kernels::product::{self, Bounds, DEPTH, Number, OfRow, Place, Totals, Unit};
use crate::tensor::QTensor;
use crate::threads::{both, share};

/// Takes the sums of some rows with a panel.
pub(super) trait Output {
    /// What a caller gets of each.
    type Element: Send;

    /// Writes the elements of outputs `first..`.
    fn put<T: Number>(&self, first: usize, totals: Totals<'_, T>, place: Place<'_, Self::Element>);
}

/// A product of checked operands.
pub(super) struct Job<'a, O> {
    pub(super) weights: &'a PackedWeights,
    pub(super) x: &'a QTensor,
    pub(super) matrix: Matrix,
    pub(super) method: ProductMethod,
    pub(super) output: O,
}

/// Rows whose sums with a panel are made before the next ones': a multiple of the six that kernels
/// take at once.
const PART_ROWS: usize = 48;

/// The most rows of a block: a panel is unpacked once for each.
const BLOCK_ROWS: usize = 528;

/// Bytes of the rows of a block.
const BLOCK_BYTES: usize = 4 << 20;

/// Columns of bytes that are multiplied at a time, and words of a plane: 32 KiB of a panel.
const STEP_COLUMNS: usize = 512;
const STEP_WORDS: usize = 128;

/// What a thread keeps from block to block.
struct Scratch {
    rows: Rows,
    of_rows: Vec<OfRow>,
    /// A panel as bytes, part after part.
    panel: Buffer<i8>,
    /// Of a part of the rows.
    sums: Buffer<i32>,
    /// Of a term of the rows and a part of the weights, where there are several.
    some_sums: Buffer<i32>,
    /// Of all rows of a block.
    totals: Buffer<i64>,
}

impl Scratch {
    fn new(x: &QTensor) -> Result<Scratch> {
        let part = PART_ROWS.saturating_mul(LANES);
        Ok(Scratch {
            rows: Rows::new(x),
            of_rows: Vec::new(),
            panel: Buffer::default(),
            sums: Buffer::zeroed(part, "sums of a product")?,
            some_sums: Buffer::zeroed(part, "sums of a product")?,
            totals: Buffer::default(),
        })
    }
}

/// Where a stretch of the result lies: whole rows, or one row's outputs from a panel on.
#[derive(Clone, Copy)]
struct Stretch {
    row: usize,
    panel: usize,
    /// Of each row.
    outputs: usize,
}

/// Some rows of a block, with a panel and some of its columns.
#[derive(Clone, Copy)]
struct Tile {
    row: usize,
    rows: usize,
    panel: usize,
    /// The first word, and how many.
    word: usize,
    words: usize,
}

impl<O: Output + Sync> Job<'_, O> {
    /// Makes all of it on so many threads.
    pub(super) fn run(&self, out: &mut [O::Element], threads: usize) -> Result<()> {
        self.split(Stretch { row: 0, panel: 0, outputs: self.weights.rows() }, out, threads)
    }

    fn split(&self, place: Stretch, out: &mut [O::Element], threads: usize) -> Result<()> {
        let rows = out.len().checked_div(place.outputs).unwrap_or(0);
        let panels = place.outputs.div_ceil(LANES);
        let pieces = if rows > 1 { rows } else { panels };
        if threads <= 1 || pieces <= 1 {
            return self.rows(place, out);
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
        let Some((near, far)) = out.split_at_mut_checked(at) else { return Ok(()) };
        let (near, far) = both(
            || self.split(near_place, near, here),
            far,
            |far| self.split(far_place, far, later),
        );
        near.and(far)
    }

    fn rows(&self, place: Stretch, out: &mut [O::Element]) -> Result<()> {
        let mut scratch = Scratch::new(self.x)?;
        let rows = match self.method {
            ProductMethod::Planes => PART_ROWS,
            _ => {
                let row = self.matrix.columns.max(1);
                BLOCK_BYTES.checked_div(row).unwrap_or(1).clamp(PART_ROWS, BLOCK_ROWS)
            }
        };
        let rows = rows.saturating_sub(rows % PART_ROWS);
        for (number, out) in out.chunks_mut(place.outputs.saturating_mul(rows)).enumerate() {
            let row = place.row.saturating_add(number.saturating_mul(rows));
            self.block(Stretch { row, ..place }, out, &mut scratch)?;
        }
        Ok(())
    }

    /// The rows of a block with one panel after another.
    fn block(&self, place: Stretch, out: &mut [O::Element], scratch: &mut Scratch) -> Result<()> {
        let rows = out.len().checked_div(place.outputs).unwrap_or(0);
        scratch.rows.read(self.method, self.x, self.matrix, (place.row, rows))?;
        self.of_rows(&scratch.rows, &mut scratch.of_rows)?;
        let words = self.weights.words();
        let is_long = words > MOST_WORDS;
        if is_long {
            let count = rows.saturating_mul(LANES);
            scratch.totals.resize(count, "sums of a product")?;
        }
        for number in 0..place.outputs.div_ceil(LANES) {
            let panel = place.panel.saturating_add(number);
            let (of_lanes, of_lanes_wide) = self.of_lanes(panel);
            scratch.totals.numbers_mut().fill(0);
            for word in (0..words).step_by(MOST_WORDS) {
                let some_words = words.saturating_sub(word).min(MOST_WORDS);
                self.unpack(panel, word, some_words, &mut scratch.panel)?;
                for row in (0..rows).step_by(PART_ROWS) {
                    let rows = rows.saturating_sub(row).min(PART_ROWS);
                    let tile = Tile { row, rows, panel, word, words: some_words };
                    self.tile(tile, scratch);
                    let sums = scratch.sums.numbers();
                    if is_long {
                        let at = row.saturating_mul(LANES);
                        let totals = scratch.totals.numbers_mut().get_mut(at..);
                        product::accumulate(Level::best(), sums, 1, totals.unwrap_or_default());
                    } else {
                        self.put(place, (number, row), (sums, &of_lanes), &scratch.of_rows, out);
                    }
                }
            }
            if is_long {
                let totals = (scratch.totals.numbers(), &of_lanes_wide);
                self.put(place, (number, 0), totals, &scratch.of_rows, out);
            }
        }
        Ok(())
    }

    /// Hands on sums of the rows from `row` on with the panel of this number in the result.
    fn put<T: Number>(
        &self,
        place: Stretch,
        (number, row): (usize, usize),
        (sums, of_lanes): (&[T], &[T; LANES]),
        of_rows: &[OfRow],
        out: &mut [O::Element],
    ) {
        let start = number.saturating_mul(LANES);
        let count = place.outputs.saturating_sub(start).min(LANES);
        let first = place.panel.saturating_mul(LANES).saturating_add(start);
        let of_rows = of_rows.get(row..).unwrap_or_default();
        let at = row.saturating_mul(place.outputs);
        let out = out.get_mut(at..).unwrap_or_default();
        let place = Place { out, stride: place.outputs, first: start, count };
        self.output.put(first, Totals { sums, of_rows, of_lanes }, place);
    }

    /// What the offsets of the weights' bytes make of each row.
    fn of_rows(&self, rows: &Rows, all: &mut Vec<OfRow>) -> Result<()> {
        all.clear();
        resize(all, rows.code_sums.len(), "sums of a product")?;
        for (row, (all, code_sum)) in all.iter_mut().zip(&rows.code_sums).enumerate() {
            *all = OfRow { added: self.of_row(rows, row), code_sum: *code_sum };
        }
        Ok(())
    }

    /// What the offsets of the weights' bytes make of a row.
    fn of_row(&self, rows: &Rows, row: usize) -> i64 {
        if !self.takes_bytes() {
            return 0;
        }
        let mut all = 0i64;
        for (term, sums) in Term::of(rows.planes).iter().zip(&rows.byte_sums) {
            let sum = sums.get(row).copied().unwrap_or(0);
            for part in self.weights.parts {
                let offset = part.part(self.weights.planes.count).offset();
                let factor = term.factor.wrapping_mul(part.factor);
                all = all.wrapping_add(factor.wrapping_mul(offset).wrapping_mul(sum));
            }
        }
        all
    }

    /// What the offsets of the input's bytes make of the rows of a panel.
    fn of_lanes(&self, panel: usize) -> ([i32; LANES], [i64; LANES]) {
        let mut all = [0i64; LANES];
        if self.takes_bytes() {
            // A number is its byte and the offset, so the offset times the numbers is all of it.
            for term in Term::of(super::matrix::planes_of(self.x)) {
                for (number, part) in self.weights.parts.iter().enumerate() {
                    let factor = term.factor.wrapping_mul(part.factor).wrapping_mul(term.offset);
                    for (all, sum) in all.iter_mut().zip(self.weights.number_sums(number, panel)) {
                        *all = all.wrapping_add(factor.wrapping_mul(*sum));
                    }
                }
            }
        }
        (all.map(i32::low), all)
    }

    fn takes_bytes(&self) -> bool {
        matches!(self.method, ProductMethod::Bytes | ProductMethod::Planes)
    }

    /// Turns words of a panel into bytes, part after part.
    fn unpack(
        &self,
        panel: usize,
        word: usize,
        words: usize,
        bytes: &mut Buffer<i8>,
    ) -> Result<()> {
        if self.method != ProductMethod::Bytes {
            return Ok(());
        }
        let size = words.saturating_mul(WORD).saturating_mul(LANES);
        bytes.resize(size.saturating_mul(self.weights.parts.len()), "panel of weights")?;
        let panel = self.weights.panel(panel, word);
        let beyond = word.saturating_add(words).saturating_mul(WORD);
        let beyond = beyond.saturating_sub(self.matrix.columns);
        for (part, bytes) in self.weights.parts.iter().zip(bytes.numbers_mut().chunks_mut(size)) {
            let part = part.part(self.weights.planes.count);
            bits::unpack_panel(Level::best(), panel, part, bytes);
            // There the input may have the bytes of another row. Kernels read whole groups of columns.
            let last = bytes.rchunks_exact_mut(DEPTH.saturating_mul(LANES));
            for group in last.skip(beyond / DEPTH).take(1) {
                for lane in group.chunks_exact_mut(DEPTH) {
                    let own = DEPTH.saturating_sub(beyond % DEPTH);
                    lane.get_mut(own..).unwrap_or_default().fill(0);
                }
            }
        }
        Ok(())
    }

    /// Sets the scratch sums to those of the tile.
    fn tile(&self, tile: Tile, scratch: &mut Scratch) {
        let Scratch { rows, panel, sums, some_sums, .. } = scratch;
        let count = tile.rows.saturating_mul(LANES);
        let sums = sums.numbers_mut().get_mut(..count).unwrap_or_default();
        sums.fill(0);
        match self.method {
            ProductMethod::Popcount | ProductMethod::Ternary => self.bits(tile, rows, sums),
            ProductMethod::Bytes | ProductMethod::Planes => {
                let terms = Term::of(rows.planes);
                let some_sums = some_sums.numbers_mut().get_mut(..count).unwrap_or_default();
                for (s, term) in terms.iter().enumerate() {
                    for (t, part) in self.weights.parts.iter().enumerate() {
                        let factor = i32::low(term.factor.wrapping_mul(part.factor));
                        if factor == 1 {
                            self.bytes(tile, (s, t), rows, panel.numbers(), sums);
                            continue;
                        }
                        some_sums.fill(0);
                        self.bytes(tile, (s, t), rows, panel.numbers(), some_sums);
                        for (sum, some) in sums.iter_mut().zip(&*some_sums) {
                            *sum = sum.wrapping_add(factor.wrapping_mul(*some));
                        }
                    }
                }
            }
        }
    }

    fn bits(&self, tile: Tile, rows: &Rows, sums: &mut [i32]) {
        let (level, right) = (Level::best(), self.weights.planes);
        let step = STEP_WORDS.checked_div(right.count).unwrap_or(1).max(1);
        for word in (0..tile.words).step_by(step) {
            let words = tile.words.saturating_sub(word).min(step);
            let word = tile.word.saturating_add(word);
            let (left, panel) = (rows.left(tile.row, word), self.weights.panel(tile.panel, word));
            match self.method {
                ProductMethod::Ternary => bits::ternary(level, left, panel, words, sums),
                _ => bits::popcount(level, left, panel, right, words, sums),
            }
        }
    }

    /// Adds the products of a term of the input with a part of the weights.
    fn bytes(
        &self,
        tile: Tile,
        (term, number): (usize, usize),
        rows: &Rows,
        panel: &[i8],
        sums: &mut [i32],
    ) {
        let (level, first) = (Level::best(), tile.word.saturating_mul(WORD));
        if self.method == ProductMethod::Planes {
            let Some(part) = self.weights.parts.get(number) else { return };
            let part = part.part(self.weights.planes.count);
            let (x, panel) =
                (rows.bytes(term, tile.row, first), self.weights.panel(tile.panel, tile.word));
            return bits::unpacked(level, x, rows.stride, panel, part, tile.words, sums);
        }
        let bounds = Bounds {
            left: Term::of(rows.planes).get(term).map_or(255, |term| term.most),
            right: self.weights.parts.get(number).map_or(128, |part| part.most),
        };
        let unit = Unit::of(level);
        let size = tile.words.saturating_mul(WORD).saturating_mul(LANES);
        let panel = panel.get(number.saturating_mul(size)..).unwrap_or_default();
        let columns = self.matrix.columns.saturating_sub(first).next_multiple_of(DEPTH);
        let columns = columns.min(tile.words.saturating_mul(WORD));
        for column in (0..columns).step_by(STEP_COLUMNS) {
            let some = columns.saturating_sub(column).min(STEP_COLUMNS);
            let panel = panel.get(column.saturating_mul(LANES)..).unwrap_or_default();
            let panel = panel.get(..some.saturating_mul(LANES)).unwrap_or_default();
            let x = rows.bytes(term, tile.row, first.saturating_add(column));
            product::multiply(unit, bounds, x, rows.stride, panel, some, sums);
        }
    }
}
