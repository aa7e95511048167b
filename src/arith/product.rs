//! Matrix products: integer sums, and the values that they stand for.
//!
//! With `X` of codes `x`, scale `s` and bias `b`, and `W` of codes `w`, scale `t` and bias `c`, an
//! output is the sum over `k` of `s (x_k + b) * t (w_k + c)`, which is
//! `s t (sum x w + c sum x + b sum w + K b c)`: the sums are integers, and exact.

use super::PackedWeights;
use super::operand::{Matrix, Names, Term, read_rows, resize};
use super::packed::check_finite;
use crate::error::{Error, Result};
use crate::kernels::Level;
use crate::kernels::product::{LANES, multiply};
use crate::params::Params;
use crate::tensor::QTensor;
use crate::threads::{MAX_THREADS, both, share};

const NAMES: Names =
    Names { precision: "precision of the input", size: "number of elements of the input" };

/// Rows of the input that are multiplied with one panel after another: a multiple of the six that a
/// kernel takes at once, and so few that they stay in the caches.
const ROWS: usize = 48;

/// Products that are worth a thread.
const THREAD_PRODUCTS: usize = 1 << 20;

/// Takes the sums of one row and some outputs.
trait Output: Copy {
    /// What a caller gets of each.
    type Element: Send;

    /// Writes the elements of outputs `first..` of a row, of whose codes `code_sum` is the sum.
    fn put(self, first: usize, sums: &[i64], code_sum: i64, out: &mut [Self::Element]);
}

#[derive(Clone, Copy)]
struct Sums;

impl Output for Sums {
    type Element = i64;

    fn put(self, _first: usize, sums: &[i64], _code_sum: i64, out: &mut [i64]) {
        out.copy_from_slice(sums);
    }
}

#[derive(Clone, Copy)]
struct Values<'a> {
    weights: &'a PackedWeights,
    scale: f64,
    bias: f64,
    added: &'a [f32],
}

impl Output for Values<'_> {
    type Element = f32;

    #[expect(clippy::cast_precision_loss, reason = "rounded to doubles, as documented")]
    #[expect(clippy::cast_possible_truncation, reason = "rounded to floats, as documented")]
    fn put(self, first: usize, sums: &[i64], code_sum: i64, out: &mut [f32]) {
        let weights = self.weights;
        let columns = weights.columns() as f64;
        for ((row, sum), out) in (first..).zip(sums).zip(out) {
            let each = |values: &[f64]| match values {
                [one] => *one,
                many => many.get(row).copied().unwrap_or(f64::NAN),
            };
            let (scale, bias) = (each(&weights.scales), each(&weights.biases));
            let weight_sum = weights.code_sums.get(row).copied().unwrap_or(0) as f64;
            let codes = *sum as f64 + bias * code_sum as f64 + self.bias * weight_sum;
            let codes = codes + columns * (self.bias * bias);
            let added = self.added.get(row).copied().map_or(0.0, f64::from);
            *out = (self.scale * scale * codes + added) as f32;
        }
    }
}

impl PackedWeights {
    /// The integer sums of a product: `sums[m * rows + n]` is the sum over `k` of the code at `m, k`
    /// of `x` times the code at `n, k` of the weights. Exact.
    ///
    /// `x` has any number of dimensions, the last of which is the weights' columns. On `threads`
    /// threads; 0 is 1, and small products get fewer. The result is the same for any number.
    ///
    /// # Errors
    /// `ShapeMismatch` where the columns differ or `sums` does not hold all; `InvalidArgument` for an
    /// `x` without elements; `OutOfRange` for a precision that is not 1 to 8; `Unsupported` for a
    /// logarithmic `x`; `Overflow` where the sums could be beyond 64 bits; `OutOfMemory`. Only for
    /// the last may anything have been written, and where memory is out in a thread.
    pub fn product_sums(&self, x: &QTensor, sums: &mut [i64], threads: usize) -> Result<()> {
        self.run(x, Sums, "number of sums", sums, threads)
    }

    /// The values of a product: `values[m * rows + n]` is the sum over `k` of the value at `m, k` of
    /// `x` times the value at `n, k` of the weights, and `added[n]`, unless `added` is empty.
    ///
    /// The sum of products of codes is exact; it, the terms of the biases, the scales and `added` are
    /// put together in double precision and rounded to a float once.
    ///
    /// # Errors
    /// As [`PackedWeights::product_sums`]; `ShapeMismatch` too where `added` has neither no element
    /// nor one for each row; `Unsupported` for an `x` with channels; `NonFinite` where the scale or
    /// bias of `x` or an element of `added` is.
    pub fn product(
        &self,
        x: &QTensor,
        added: &[f32],
        values: &mut [f32],
        threads: usize,
    ) -> Result<()> {
        let (scale, bias) = match x.params()? {
            Params::Affine { scale, bias } | Params::Log { scale, bias } => (scale, bias),
            Params::PerChannel { scales, .. } => {
                return Err(Error::Unsupported {
                    what: "number of channels of the input",
                    value: i128::try_from(scales.len()).unwrap_or(i128::MAX),
                    reason: "the input of a product has one scale",
                });
            }
        };
        check_finite("scale of the input", &[scale])?;
        check_finite("bias of the input", &[bias])?;
        if !added.is_empty() {
            check_count("number of values to add", added.len(), self.rows())?;
        }
        if let Some(value) = added.iter().find(|value| !value.is_finite()) {
            let what = "value to add";
            return Err(Error::NonFiniteNumber { what, value: f64::from(*value) });
        }
        let output = Values { weights: self, scale, bias, added };
        self.run(x, output, "number of values", values, threads)
    }

    fn run<O: Output + Sync + Send>(
        &self,
        x: &QTensor,
        output: O,
        what: &'static str,
        out: &mut [O::Element],
        threads: usize,
    ) -> Result<()> {
        let matrix = Matrix::of(x, &NAMES)?;
        check_count("number of columns of the input", matrix.columns, self.columns())?;
        let limit = i128::from(i64::MAX);
        let count = matrix.rows.checked_mul(self.rows());
        check_count(what, out.len(), count.ok_or(Error::Overflow { what, limit })?)?;
        // A product of two codes is below 2^16, so 2^47 of them may be beyond a sum.
        if matrix.columns >= 1 << 47 {
            return Err(Error::Overflow { what: "sum of products", limit });
        }
        let work = out.len().saturating_mul(matrix.columns);
        let most = work.div_ceil(THREAD_PRODUCTS).min(matrix.rows);
        let terms = Term::left(x.precision(), x.is_signed());
        let job = Job { weights: self, x, matrix, terms, output };
        job.split(0, out, threads.min(most).clamp(1, MAX_THREADS))
    }
}

fn check_count(what: &'static str, count: usize, expected: usize) -> Result<()> {
    if count == expected {
        return Ok(());
    }
    Err(Error::ShapeMismatch {
        what,
        value: i128::try_from(count).unwrap_or(i128::MAX),
        expected: i128::try_from(expected).unwrap_or(i128::MAX),
    })
}

struct Job<'a, O> {
    weights: &'a PackedWeights,
    x: &'a QTensor,
    matrix: Matrix,
    terms: &'static [Term],
    output: O,
}

/// What a thread keeps from block to block.
struct Scratch {
    codes: Vec<i16>,
    bytes: Vec<u8>,
    sums: Vec<i32>,
    totals: Vec<i64>,
}

impl<O: Output + Sync + Send> Job<'_, O> {
    /// The rows from `first` on, on as many threads.
    fn split(&self, first: usize, out: &mut [O::Element], threads: usize) -> Result<()> {
        let outputs = self.weights.rows();
        let rows = out.len().checked_div(outputs).unwrap_or(0);
        if threads <= 1 || rows <= 1 {
            return self.rows(first, out);
        }
        let later = threads / 2;
        let here = threads.saturating_sub(later);
        let middle = share(rows, here, threads);
        let at = middle.saturating_mul(outputs);
        let Some((near, far)) = out.split_at_mut_checked(at) else { return Ok(()) };
        let (near, far) = both(
            || self.split(first, near, here),
            far,
            |far| self.split(first.saturating_add(middle), far, later),
        );
        near.and(far)
    }

    fn rows(&self, first: usize, out: &mut [O::Element]) -> Result<()> {
        let mut scratch =
            Scratch { codes: Vec::new(), bytes: Vec::new(), sums: Vec::new(), totals: Vec::new() };
        let block = self.weights.rows().saturating_mul(ROWS);
        for (number, out) in out.chunks_mut(block).enumerate() {
            let first = first.saturating_add(number.saturating_mul(ROWS));
            self.block(first, out, &mut scratch)?;
        }
        Ok(())
    }

    /// At most [`ROWS`] rows.
    fn block(&self, first: usize, out: &mut [O::Element], scratch: &mut Scratch) -> Result<()> {
        let outputs = self.weights.rows();
        let rows = out.len().checked_div(outputs).unwrap_or(0);
        let columns = self.matrix.columns;
        let Scratch { codes, bytes, sums, totals } = scratch;
        let before = read_rows(self.x, self.matrix, first, rows, codes)?;
        let codes = codes.get(before..).unwrap_or_default();
        // The sum of a row's codes, and of its bytes in each term.
        let mut code_sums = [0i64; ROWS];
        for (sum, codes) in code_sums.iter_mut().zip(codes.chunks(columns)) {
            *sum = codes.iter().map(|code| i64::from(*code)).fold(0, i64::wrapping_add);
        }
        let (_, stride) = self.weights.block(0);
        resize(bytes, rows.saturating_mul(stride), "rows of a product")?;
        resize(sums, rows.saturating_mul(LANES), "sums of a product")?;
        resize(
            totals,
            rows.saturating_mul(self.weights.panel_rows()).saturating_mul(LANES),
            "sums of a product",
        )?;
        totals.fill(0);
        let level = Level::best();
        for left in self.terms {
            let mut byte_sums = [0i64; ROWS];
            let mut start = 0;
            while start < columns {
                let (width, padded) = self.weights.block(start);
                let filled = codes.chunks(columns).zip(bytes.chunks_mut(stride));
                for ((codes, bytes), byte_sum) in filled.zip(&mut byte_sums) {
                    let codes = codes.get(start..).unwrap_or_default();
                    let (own, padding) = bytes.split_at_mut_checked(width).unwrap_or_default();
                    for (byte, code) in own.iter_mut().zip(codes) {
                        *byte = left.unsigned(*code);
                        *byte_sum = byte_sum.wrapping_add(i64::from(*byte));
                    }
                    padding.fill(0);
                }
                for (number, right) in self.weights.terms.iter().enumerate() {
                    let factor = left.factor.wrapping_mul(right.factor);
                    for panel in 0..self.weights.panel_rows() {
                        let weights = self.weights.panel(start, number, panel);
                        multiply(level, bytes, stride, weights, padded, sums);
                        let at = panel.saturating_mul(rows).saturating_mul(LANES);
                        let totals = totals.get_mut(at..).unwrap_or_default();
                        for (total, sum) in totals.iter_mut().zip(&*sums) {
                            *total = total.wrapping_add(factor.wrapping_mul(i64::from(*sum)));
                        }
                    }
                }
                start = start.saturating_add(width);
            }
            self.correct(*left, &byte_sums, rows, totals);
        }
        for (panel, totals) in totals.chunks(rows.saturating_mul(LANES)).enumerate() {
            let start = panel.saturating_mul(LANES);
            for ((out, totals), code_sum) in
                out.chunks_mut(outputs).zip(totals.chunks(LANES)).zip(code_sums)
            {
                let end = outputs.min(start.saturating_add(LANES));
                let out = out.get_mut(start..end).unwrap_or_default();
                let totals = totals.get(..out.len()).unwrap_or_default();
                self.output.put(start, totals, code_sum, out);
            }
        }
        Ok(())
    }

    /// Adds what the offsets of a left term and of all right ones make.
    fn correct(&self, left: Term, byte_sums: &[i64], rows: usize, totals: &mut [i64]) {
        let columns = i64::try_from(self.matrix.columns).unwrap_or(i64::MAX);
        for (number, right) in self.weights.terms.iter().enumerate() {
            let factor = left.factor.wrapping_mul(right.factor);
            let both = columns.wrapping_mul(left.offset).wrapping_mul(right.offset);
            for (panel, totals) in totals.chunks_mut(rows.saturating_mul(LANES)).enumerate() {
                let first = panel.saturating_mul(LANES);
                for (totals, byte_sum) in totals.chunks_mut(LANES).zip(byte_sums) {
                    let of_left = right.offset.wrapping_mul(*byte_sum).wrapping_add(both);
                    for (row, total) in (first..self.weights.rows()).zip(totals) {
                        let of_right = left.offset.wrapping_mul(self.weights.byte_sum(number, row));
                        let more = factor.wrapping_mul(of_left.wrapping_add(of_right));
                        *total = total.wrapping_add(more);
                    }
                }
            }
        }
    }
}
