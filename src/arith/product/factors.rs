//! Both sides of a product, as the kernels take them.

use super::buffer::{Buffer, resize};
use super::left::{Rows, Term};
use super::matrix::{Matrix, planes_of};
use super::method::ProductMethod;
use super::packed::{PackedWeights, WeightPart};
use crate::error::Result;
use crate::kernels::Level;
use crate::kernels::bits::{self, LANES, MOST_WORDS, Part, WORD};
use crate::kernels::product::{self, Bounds, DEPTH, Number, OfRow, Sums, Unit};
use crate::tensor::QTensor;
use core::ops::Range;

/// What is multiplied, and how.
#[derive(Clone, Copy)]
pub(super) struct Factors<'a> {
    pub(super) weights: &'a PackedWeights,
    pub(super) x: &'a QTensor,
    pub(super) matrix: Matrix,
    pub(super) method: ProductMethod,
}

/// Rows whose sums with a panel are made before the next ones': a multiple of the six that kernels
/// take at once.
pub(super) const PART_ROWS: usize = 24;

/// Columns of bytes that are multiplied at a time, and words of a plane: 32 KiB of a panel.
const STEP_COLUMNS: usize = 512;
const STEP_WORDS: usize = 128;

/// What a thread keeps from block to block.
pub(super) struct Scratch {
    rows: Rows,
    /// For each row of the block.
    pub(super) of_rows: Vec<OfRow>,
    /// Whether something has to be added to the sums.
    pub(super) has_offsets: bool,
    /// Panels as bytes, part after part of each.
    panels: Buffer<i8>,
    /// Of a part of the rows.
    sums: Buffer<i32>,
    /// Of a term of the rows and a part of the weights, where there are several.
    some_sums: Buffer<i32>,
    /// Of all rows of a block, where they are made from column block to column block.
    totals: Buffer<i64>,
}

impl Scratch {
    /// All memory for blocks of up to `rows` rows and groups of so many panels.
    pub(super) fn new(factors: &Factors<'_>, rows: usize, group: usize) -> Result<Scratch> {
        const WHAT: &str = "sums of a product";
        let part = PART_ROWS.saturating_mul(LANES);
        let mut scratch = Scratch {
            rows: Rows::new(factors.method, factors.x, factors.matrix, rows)?,
            of_rows: Vec::new(),
            has_offsets: false,
            panels: Buffer::default(),
            sums: Buffer::zeroed(part, WHAT)?,
            some_sums: Buffer::default(),
            totals: Buffer::default(),
        };
        resize(&mut scratch.of_rows, rows, WHAT)?;
        let words = factors.weights.words().min(MOST_WORDS);
        if factors.method == ProductMethod::Bytes {
            let panels = group.min(factors.weights.panel_rows());
            let bytes = factors.panel_bytes(words).saturating_mul(panels);
            scratch.panels.resize(bytes, "panels of weights")?;
        }
        if !factors.are_sums_whole() {
            scratch.some_sums.resize(part, WHAT)?;
        }
        if factors.weights.words() > MOST_WORDS {
            scratch.totals.resize(rows.saturating_mul(LANES), WHAT)?;
        }
        Ok(scratch)
    }

    /// The totals of so many rows.
    pub(super) fn totals(&mut self, rows: usize) -> &mut [i64] {
        let count = rows.saturating_mul(LANES);
        self.totals.numbers_mut().get_mut(..count).unwrap_or_default()
    }

    pub(super) fn whole_totals(&self) -> &[i64] {
        self.totals.numbers()
    }

    /// Adds the sums of a tile of rows from `row` on to their totals.
    pub(super) fn accumulate(&mut self, row: usize, rows: usize) {
        let count = rows.saturating_mul(LANES);
        let sums = self.sums.numbers().get(..count).unwrap_or_default();
        let totals = self.totals.numbers_mut().get_mut(row.saturating_mul(LANES)..);
        product::accumulate(Level::best(), sums, totals.unwrap_or_default());
    }

    /// The bytes of a tile's panel, where it was unpacked.
    fn panel(&self, factors: &Factors<'_>, tile: Tile) -> &[i8] {
        let start = tile.turn.saturating_mul(factors.panel_bytes(tile.words));
        self.panels.numbers().get(start..).unwrap_or_default()
    }

    /// The sums of a tile of so many rows.
    pub(super) fn sums(&self, rows: usize) -> &[i32] {
        self.sums.numbers().get(..rows.saturating_mul(LANES)).unwrap_or_default()
    }
}

/// Some rows of a block, with a panel and some of its columns.
#[derive(Clone, Copy)]
pub(super) struct Tile {
    pub(super) row: usize,
    pub(super) rows: usize,
    pub(super) panel: usize,
    /// Its place among the panels that are unpacked.
    pub(super) turn: usize,
    /// The first word, and how many.
    pub(super) word: usize,
    pub(super) words: usize,
}

impl Factors<'_> {
    /// Takes `rows` rows of the input from `first` on.
    pub(super) fn read(&self, first: usize, rows: usize, scratch: &mut Scratch) -> Result<()> {
        let Scratch { rows: own, of_rows, has_offsets, .. } = scratch;
        own.read(self.method, self.x, self.matrix, (first, rows))?;
        of_rows.clear();
        resize(of_rows, rows, "sums of a product")?;
        for (row, (all, code_sum)) in of_rows.iter_mut().zip(&own.code_sums).enumerate() {
            *all = OfRow { added: self.of_row(own, row), code_sum: *code_sum };
        }
        let terms = Term::of(planes_of(self.x));
        let mut offsets = self.weights.parts.iter().map(|part| self.part(*part).offset());
        *has_offsets = self.takes_bytes()
            && (terms.iter().any(|term| term.offset != 0) || offsets.any(|offset| offset != 0));
        Ok(())
    }

    /// The bytes that so many words of a panel take.
    pub(super) fn panel_bytes(&self, words: usize) -> usize {
        let lanes = words.saturating_mul(LANES);
        match self.method {
            ProductMethod::Bytes => {
                lanes.saturating_mul(WORD).saturating_mul(self.weights.parts.len())
            }
            _ => lanes.saturating_mul(self.weights.planes.count).saturating_mul(size_of::<u32>()),
        }
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
                let offset = self.part(*part).offset();
                let factor = term.factor.wrapping_mul(part.factor);
                all = all.wrapping_add(factor.wrapping_mul(offset).wrapping_mul(sum));
            }
        }
        all
    }

    /// What the offsets of the input's bytes make of the rows of a panel.
    pub(super) fn of_lanes(&self, panel: usize) -> [i64; LANES] {
        let mut all = [0i64; LANES];
        if self.takes_bytes() {
            // A number is its byte and the offset, so the offset times the numbers is all of it.
            for term in Term::of(planes_of(self.x)) {
                for (number, part) in self.weights.parts.iter().enumerate() {
                    let factor = term.factor.wrapping_mul(part.factor).wrapping_mul(term.offset);
                    for (all, sum) in all.iter_mut().zip(self.weights.number_sums(number, panel)) {
                        *all = all.wrapping_add(factor.wrapping_mul(*sum));
                    }
                }
            }
        }
        all
    }

    fn takes_bytes(&self) -> bool {
        matches!(self.method, ProductMethod::Bytes | ProductMethod::Planes)
    }

    /// The words of a step.
    fn step(&self) -> usize {
        match self.method {
            ProductMethod::Bytes => STEP_COLUMNS / WORD,
            _ => STEP_WORDS.checked_div(self.weights.planes.count).unwrap_or(1).max(1),
        }
    }

    /// A part as the kernels know it.
    fn part(&self, part: WeightPart) -> Part {
        Part { of: self.weights.planes.count, first: part.first, planes: part.planes }
    }

    /// Turns words of some panels into bytes, part after part of each, where the method asks for it.
    pub(super) fn unpack(
        &self,
        panels: Range<usize>,
        word: usize,
        words: usize,
        scratch: &mut Scratch,
    ) -> Result<()> {
        if self.method != ProductMethod::Bytes {
            return Ok(());
        }
        let (bytes, size) = (&mut scratch.panels, self.panel_bytes(words));
        bytes.resize(size.saturating_mul(panels.len()), "panels of weights")?;
        for (panel, bytes) in panels.zip(bytes.numbers_mut().chunks_exact_mut(size)) {
            let panel = self.weights.panel(panel, word);
            let part_size = size.checked_div(self.weights.parts.len()).unwrap_or(size);
            for (part, bytes) in self.weights.parts.iter().zip(bytes.chunks_exact_mut(part_size)) {
                bits::unpack_panel(Level::best(), panel, self.part(*part), bytes);
                self.clear_beyond(word.saturating_add(words), bytes);
            }
        }
        Ok(())
    }

    /// Makes the bytes behind the last column of a panel that ends with a word zeros: there the input
    /// may have those of another row. Kernels read whole groups of columns.
    fn clear_beyond(&self, end: usize, bytes: &mut [i8]) {
        let beyond = end.saturating_mul(WORD).saturating_sub(self.matrix.columns);
        let groups = bytes.rchunks_exact_mut(DEPTH.saturating_mul(LANES));
        for group in groups.skip(beyond / DEPTH).take(1) {
            for lane in group.chunks_exact_mut(DEPTH) {
                let own = DEPTH.saturating_sub(beyond % DEPTH);
                lane.get_mut(own..).unwrap_or_default().fill(0);
            }
        }
    }

    /// Whether kernels make the sums of all columns in one go, without parts to be added up.
    pub(super) fn are_sums_whole(&self) -> bool {
        let parts = match self.method {
            ProductMethod::Popcount | ProductMethod::Ternary => 1,
            ProductMethod::Bytes | ProductMethod::Planes => {
                Term::of(planes_of(self.x)).len().saturating_mul(self.weights.parts.len())
            }
        };
        parts == 1 && self.weights.words() <= MOST_WORDS
    }

    /// Makes the sums of a tile, where they are [whole](Factors::are_sums_whole).
    pub(super) fn tile_into(&self, tile: Tile, scratch: &Scratch, mut sums: Sums<'_>) {
        self.term(tile, (0, 0), &scratch.rows, scratch.panel(self, tile), &mut sums);
    }

    /// Sets the scratch sums to those of the tile.
    pub(super) fn tile(&self, tile: Tile, scratch: &mut Scratch) {
        let count = tile.rows.saturating_mul(LANES);
        let (mut own, mut some) =
            (core::mem::take(&mut scratch.sums), core::mem::take(&mut scratch.some_sums));
        let sums = own.numbers_mut().get_mut(..count).unwrap_or_default();
        let (rows, panel) = (&scratch.rows, scratch.panel(self, tile));
        // The first of both has the factor 1.
        self.term(tile, (0, 0), rows, panel, &mut Sums::new(sums));
        if self.takes_bytes() {
            let some_sums = some.numbers_mut().get_mut(..count).unwrap_or_default();
            for (s, term) in Term::of(rows.planes).iter().enumerate() {
                for (t, part) in self.weights.parts.iter().enumerate().skip((s == 0).into()) {
                    let factor = i32::low(term.factor.wrapping_mul(part.factor));
                    self.term(tile, (s, t), rows, panel, &mut Sums::new(some_sums));
                    for (sum, some) in sums.iter_mut().zip(&*some_sums) {
                        *sum = sum.wrapping_add(factor.wrapping_mul(*some));
                    }
                }
            }
        }
        (scratch.sums, scratch.some_sums) = (own, some);
    }

    /// Makes the sums of a term of the input with a part of the weights; of all codes where the method
    /// takes them as bits.
    fn term(
        &self,
        tile: Tile,
        which: (usize, usize),
        rows: &Rows,
        panel: &[i8],
        sums: &mut Sums<'_>,
    ) {
        match self.method {
            ProductMethod::Popcount | ProductMethod::Ternary => self.bits(tile, rows, sums),
            ProductMethod::Bytes | ProductMethod::Planes => {
                self.bytes(tile, which, rows, panel, sums);
            }
        }
    }

    fn bits(&self, tile: Tile, rows: &Rows, sums: &mut Sums<'_>) {
        let (level, right, step) = (Level::best(), self.weights.planes, self.step());
        for word in (0..tile.words).step_by(step) {
            let words = tile.words.saturating_sub(word).min(step);
            let word = tile.word.saturating_add(word);
            let (left, panel) = (rows.left(tile.row, word), self.weights.panel(tile.panel, word));
            let sums = sums.again(word != tile.word);
            match self.method {
                ProductMethod::Ternary => bits::ternary(level, left, panel, words, sums),
                _ => bits::popcount(level, left, panel, right, words, sums),
            }
        }
    }

    /// Sets the sums to those of the products of a term of the input with a part of the weights.
    fn bytes(
        &self,
        tile: Tile,
        (term, number): (usize, usize),
        rows: &Rows,
        panel: &[i8],
        sums: &mut Sums<'_>,
    ) {
        let (level, first) = (Level::best(), tile.word.saturating_mul(WORD));
        if self.method == ProductMethod::Planes {
            let Some(part) = self.weights.parts.get(number) else { return };
            let part = self.part(*part);
            let (x, panel) =
                (rows.bytes(term, tile.row, first), self.weights.panel(tile.panel, tile.word));
            return bits::unpacked(
                level,
                x,
                rows.stride,
                panel,
                part,
                tile.words,
                sums.again(false),
            );
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
            let sums = sums.again(column != 0);
            product::multiply(unit, bounds, x, rows.stride, panel, some, sums);
        }
    }
}
