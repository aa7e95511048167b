//! Rows of the input, as the kernels take them.

use super::buffer::{Buffer, resize};
use super::matrix::{Matrix, planes_of};
use super::method::ProductMethod;
use crate::error::Result;
use crate::kernels::bits::{self, BYTE_PLANES, Left, Planes, WORD};
use crate::kernels::{Level, product};
use crate::tensor::QTensor;

const WHAT: &str = "rows of a product";

/// A part of each code of the input: `factor * (byte + offset)`, with a byte from 0 to 255.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Term {
    pub(super) factor: i64,
    pub(super) offset: i64,
    /// The largest byte.
    pub(super) most: u8,
}

/// The terms of codes of up to eight planes. What is added to signed codes is what makes the lowest
/// one 1.
#[expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "done by the compiler"
)]
const fn terms(is_signed: bool) -> [[Term; 1]; BYTE_PLANES] {
    let mut terms = [[Term::whole(255)]; BYTE_PLANES];
    let mut count = 1;
    while count <= BYTE_PLANES {
        let offset = if is_signed { -(1 << (count - 1)) } else { 0 };
        terms[count - 1] = [Term { offset, ..Term::whole(u8::MAX >> (BYTE_PLANES - count)) }];
        count += 1;
    }
    terms
}

impl Term {
    const fn whole(most: u8) -> Term {
        Term { factor: 1, offset: 0, most }
    }

    /// The terms whose sum is a code. A sign and eight bits are nine bits together, which take two.
    pub(super) fn of(planes: Planes) -> &'static [Term] {
        const UNSIGNED: [[Term; 1]; BYTE_PLANES] = terms(false);
        const SIGNED: [[Term; 1]; BYTE_PLANES] = terms(true);
        // Eight bits of two's complement, and the ninth.
        const NINE_BITS: [Term; 2] = [Term::whole(255), Term { factor: -256, offset: 0, most: 1 }];
        let kinds = if planes.is_signed { &SIGNED } else { &UNSIGNED };
        match kinds.get(planes.count.wrapping_sub(1)) {
            Some(term) => term,
            None => &NINE_BITS,
        }
    }
}

/// Some rows of the input.
pub(super) struct Rows {
    pub(super) planes: Planes,
    /// Words of a plane, or bytes, from one row's start to the next one's.
    pub(super) stride: usize,
    words: Buffer<u32>,
    /// Of each term.
    bytes: [Buffer<u8>; 2],
    /// Of a term, while its rows are given other places.
    spread: Buffer<u8>,
    /// Where the first row begins in them.
    start: usize,
    /// Of each term, the sums of the bytes of each row.
    pub(super) byte_sums: [Vec<i64>; 2],
    /// The sums of the codes of each row.
    pub(super) code_sums: Vec<i64>,
}

impl Rows {
    /// Memory for up to `rows` rows.
    pub(super) fn new(
        method: ProductMethod,
        x: &QTensor,
        matrix: Matrix,
        rows: usize,
    ) -> Result<Rows> {
        let planes = planes_of(x);
        let mut own = Rows {
            planes,
            stride: 0,
            words: Buffer::default(),
            bytes: [Buffer::default(), Buffer::default()],
            spread: Buffer::default(),
            start: 0,
            byte_sums: [Vec::new(), Vec::new()],
            code_sums: Vec::new(),
        };
        resize(&mut own.code_sums, rows, WHAT)?;
        let words = matrix.columns.div_ceil(WORD);
        if matches!(method, ProductMethod::Popcount | ProductMethod::Ternary) {
            let row = words.saturating_mul(planes.count);
            own.words.resize(rows.saturating_mul(row), WHAT)?;
            return Ok(own);
        }
        // Before the first code there are up to seven, and behind the last a word of zeros.
        let whole_words = rows.saturating_mul(words).saturating_mul(WORD);
        let bytes = whole_words.saturating_add(8).saturating_add(WORD);
        for ((own, byte_sums), _) in
            own.bytes.iter_mut().zip(&mut own.byte_sums).zip(Term::of(planes))
        {
            own.resize(bytes, WHAT)?;
            resize(byte_sums, rows, WHAT)?;
        }
        if method == ProductMethod::Planes {
            own.spread.resize(bytes, WHAT)?;
        }
        Ok(own)
    }

    /// Takes `rows` rows of `x` from `first` on.
    pub(super) fn read(
        &mut self,
        method: ProductMethod,
        x: &QTensor,
        matrix: Matrix,
        (first, rows): (usize, usize),
    ) -> Result<()> {
        self.code_sums.clear();
        resize(&mut self.code_sums, rows, WHAT)?;
        match method {
            ProductMethod::Popcount | ProductMethod::Ternary => self.read_words(x, matrix, first),
            ProductMethod::Bytes => self.read_bytes(x, matrix, first),
            ProductMethod::Planes => {
                self.read_bytes(x, matrix, first)?;
                self.spread(matrix.columns, rows)
            }
        }
    }

    /// Rows of bits from row `first` of those that were read on, their first words from `word` on.
    pub(super) fn left(&self, first: usize, word: usize) -> Left<'_> {
        let row = self.planes.count.saturating_mul(self.stride);
        let start = first.saturating_mul(row).saturating_add(word);
        let words = self.words.numbers().get(start..).unwrap_or_default();
        Left { words, planes: self.planes, stride: self.stride }
    }

    /// The bytes of a term from row `first` on, each row from `column` on.
    pub(super) fn bytes(&self, term: usize, first: usize, column: usize) -> &[u8] {
        let before = first.saturating_mul(self.stride).saturating_add(self.start);
        let bytes = self.bytes.get(term).map(Buffer::numbers).unwrap_or_default();
        bytes.get(before.saturating_add(column)..).unwrap_or_default()
    }

    fn read_words(&mut self, x: &QTensor, matrix: Matrix, first: usize) -> Result<()> {
        let (level, planes) = (Level::best(), self.planes);
        let stride = matrix.columns.div_ceil(WORD);
        let row_words = planes.count.saturating_mul(stride);
        self.stride = stride;
        self.words.resize(self.code_sums.len().saturating_mul(row_words), WHAT)?;
        let rows = self.words.numbers_mut().chunks_exact_mut(row_words).zip(&mut self.code_sums);
        for (row, (words, code_sum)) in (first..).zip(rows) {
            let element = row.saturating_mul(matrix.columns);
            for (plane, words) in words.chunks_exact_mut(stride).enumerate() {
                x.read_words(plane, element, matrix.columns, words);
            }
            if planes.is_signed {
                bits::twos_complement(level, words, planes.count, stride);
            }
            *code_sum = bits::sum(level, words, planes, stride);
        }
        Ok(())
    }

    /// Rows of bytes one after another: what a kernel reads behind the last column belongs to the next
    /// row, and is multiplied with zeros.
    fn read_bytes(&mut self, x: &QTensor, matrix: Matrix, first: usize) -> Result<()> {
        let (level, columns) = (Level::best(), matrix.columns);
        // Blocks of codes begin with a whole byte of a plane.
        let element = first.saturating_mul(columns);
        let before = element % 8;
        let codes = self.code_sums.len().saturating_mul(columns).saturating_add(before);
        (self.stride, self.start) = (columns, before);
        let terms = Term::of(self.planes);
        for (bytes, _) in self.bytes.iter_mut().zip(terms) {
            bytes.resize(codes.saturating_add(WORD), WHAT)?;
        }
        let [low, top] = &mut self.bytes;
        let (own, beyond) = low.numbers_mut().split_at_mut_checked(codes).unwrap_or_default();
        beyond.fill(0);
        let first = element.saturating_sub(before);
        match top.numbers_mut().split_at_mut_checked(codes) {
            _ if !self.planes.is_signed => x.read_block(first, own),
            Some((top, beyond)) if terms.len() > 1 => {
                beyond.fill(0);
                each_block(own, |at, own| {
                    let mut codes = [0i16; BLOCK];
                    let codes = codes.get_mut(..own.len()).unwrap_or_default();
                    x.read_block(first.saturating_add(at), codes);
                    let top = top.get_mut(at..).unwrap_or_default();
                    for ((code, own), top) in codes.iter().zip(own).zip(top) {
                        let [low, high] = code.to_le_bytes();
                        (*own, *top) = (low, high & 1);
                    }
                });
            }
            _ => {
                let [.., lowest] = terms.first().map_or(0, |term| term.offset).to_be_bytes();
                each_block(own, |at, own| {
                    let mut codes = [0i8; BLOCK];
                    let codes = codes.get_mut(..own.len()).unwrap_or_default();
                    x.read_block(first.saturating_add(at), codes);
                    for (code, own) in codes.iter().zip(own) {
                        *own = code.cast_unsigned().wrapping_sub(lowest);
                    }
                });
            }
        }
        let count = i64::try_from(columns).unwrap_or(i64::MAX);
        for ((bytes, byte_sums), term) in self.bytes.iter().zip(&mut self.byte_sums).zip(terms) {
            byte_sums.clear();
            resize(byte_sums, self.code_sums.len(), WHAT)?;
            let bytes = bytes.numbers().get(before..).unwrap_or_default();
            let sums = byte_sums.iter_mut().zip(&mut self.code_sums);
            for (bytes, (byte_sum, code_sum)) in bytes.chunks_exact(columns).zip(sums) {
                *byte_sum = product::sum_bytes(level, bytes);
                let sum = byte_sum.wrapping_add(count.wrapping_mul(term.offset));
                *code_sum = code_sum.wrapping_add(term.factor.wrapping_mul(sum));
            }
        }
        Ok(())
    }

    /// Gives each row whole words of bytes, with zeros behind its own.
    fn spread(&mut self, columns: usize, rows: usize) -> Result<()> {
        let stride = columns.next_multiple_of(WORD);
        for (bytes, _) in self.bytes.iter_mut().zip(Term::of(self.planes)) {
            self.spread.resize(rows.saturating_mul(stride), WHAT)?;
            let from = bytes.numbers().get(self.start..).unwrap_or_default();
            let lines = self.spread.numbers_mut().chunks_exact_mut(stride);
            for (to, from) in lines.zip(from.chunks_exact(columns)) {
                let (own, beyond) = to.split_at_mut(columns);
                own.copy_from_slice(from);
                beyond.fill(0);
            }
            core::mem::swap(bytes, &mut self.spread);
        }
        (self.stride, self.start) = (stride, 0);
        Ok(())
    }
}

/// Codes that are turned into bytes at a time.
const BLOCK: usize = 2048;

fn each_block(bytes: &mut [u8], mut fill: impl FnMut(usize, &mut [u8])) {
    for (number, bytes) in bytes.chunks_mut(BLOCK).enumerate() {
        fill(number.saturating_mul(BLOCK), bytes);
    }
}
