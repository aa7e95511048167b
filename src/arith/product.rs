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
use crate::kernels::product::{DEPTH, LANES, Lanes, MOST_COLUMNS, accumulate, multiply, values};
use crate::params::Params;
use crate::tensor::QTensor;
use crate::threads::{MAX_THREADS, both, share};

const NAMES: Names =
    Names { precision: "precision of the input", size: "number of elements of the input" };

/// Rows of the input that are multiplied with one panel after another: a multiple of the six that a
/// kernel takes at once.
const ROWS: usize = 48;

/// Bytes of them that stay in the caches; longer rows are fewer.
const BLOCK_BYTES: usize = 1 << 18;

/// Products that are worth a thread.
const THREAD_PRODUCTS: usize = 1 << 20;

/// Takes the sums of one row and some outputs.
trait Output {
    /// What a caller gets of each.
    type Element: Send;

    /// Writes the elements of outputs `first..` of a row, of whose codes `code_sum` is the sum.
    fn put(&self, first: usize, sums: &[i64], code_sum: i64, out: &mut [Self::Element]);
}

struct Sums;

impl Output for Sums {
    type Element = i64;

    fn put(&self, _first: usize, sums: &[i64], _code_sum: i64, out: &mut [i64]) {
        out.copy_from_slice(sums);
    }
}

/// What the members of [`Lanes`] say, for all outputs.
#[derive(Default)]
struct Values {
    biases: Vec<f64>,
    of_weights: Vec<f64>,
    of_biases: Vec<f64>,
    scales: Vec<f64>,
    added: Vec<f64>,
}

impl Values {
    #[expect(clippy::cast_precision_loss, reason = "rounded to doubles, as documented")]
    fn new(weights: &PackedWeights, (scale, bias): (f64, f64), added: &[f32]) -> Result<Values> {
        let mut values = Values::default();
        let Values { biases, of_weights, of_biases, scales, added: to_add } = &mut values;
        for each in [&mut *biases, of_weights, of_biases, scales, to_add] {
            resize(each, weights.rows(), "parameters of a product")?;
        }
        fill_from(&weights.biases, biases, |bias| bias);
        fill_from(&weights.scales, scales, |each| scale * each);
        let columns = weights.columns() as f64;
        fill_from(&weights.biases, of_biases, |each| columns * (bias * each));
        for (to, sum) in of_weights.iter_mut().zip(&weights.code_sums) {
            *to = bias * *sum as f64;
        }
        for (to, value) in to_add.iter_mut().zip(added) {
            *to = f64::from(*value);
        }
        Ok(values)
    }
}

/// Fills a vector from one that has as many elements, or one for all.
fn fill_from(from: &[f64], to: &mut [f64], of: impl Fn(f64) -> f64) {
    match from {
        [one] => to.fill(of(*one)),
        many => to.iter_mut().zip(many).for_each(|(to, each)| *to = of(*each)),
    }
}

impl Output for Values {
    type Element = f32;

    #[expect(clippy::cast_precision_loss, reason = "rounded to doubles, as documented")]
    fn put(&self, first: usize, sums: &[i64], code_sum: i64, out: &mut [f32]) {
        fn from(values: &[f64], first: usize) -> &[f64] {
            values.get(first..).unwrap_or_default()
        }
        let lanes = Lanes {
            biases: from(&self.biases, first),
            of_weights: from(&self.of_weights, first),
            of_biases: from(&self.of_biases, first),
            scales: from(&self.scales, first),
            added: from(&self.added, first),
        };
        values(Level::best(), sums, code_sum as f64, lanes, out);
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
        let output = Values::new(self, (scale, bias), added)?;
        self.run(x, output, "number of values", values, threads)
    }

    fn run<O: Output + Sync>(
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
#[derive(Default)]
struct Scratch {
    codes: Vec<i16>,
    /// The rows of one term after those of another.
    bytes: Vec<u8>,
    sums: Vec<i32>,
    totals: Vec<i64>,
}

impl<O: Output + Sync> Job<'_, O> {
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
        let mut scratch = Scratch::default();
        let rows = BLOCK_BYTES.checked_div(self.matrix.columns).unwrap_or(1).clamp(6, ROWS);
        let rows = rows.saturating_sub(rows % 6);
        let block = self.weights.rows().saturating_mul(rows);
        for (number, out) in out.chunks_mut(block).enumerate() {
            let first = first.saturating_add(number.saturating_mul(rows));
            self.block(first, out, &mut scratch)?;
        }
        Ok(())
    }

    /// At most [`ROWS`] rows.
    fn block(&self, first: usize, out: &mut [O::Element], scratch: &mut Scratch) -> Result<()> {
        let outputs = self.weights.rows();
        let rows = out.len().checked_div(outputs).unwrap_or(0);
        let columns = self.matrix.columns;
        let stride = columns.next_multiple_of(DEPTH);
        let Scratch { codes, bytes, sums, totals } = scratch;
        let before = read_rows(self.x, self.matrix, first, rows, codes)?;
        let codes = codes.get(before..).unwrap_or_default();
        let size = rows.saturating_mul(stride);
        resize(bytes, size.saturating_mul(self.terms.len()), "rows of a product")?;
        resize(sums, rows.saturating_mul(LANES), "sums of a product")?;
        resize(totals, rows.saturating_mul(LANES), "sums of a product")?;

        // The sum of a row's bytes in each term, and that of its codes.
        let (mut byte_sums, mut code_sums) = ([[0i64; ROWS]; 2], [0i64; ROWS]);
        let count = i64::try_from(columns).unwrap_or(i64::MAX);
        for ((term, bytes), byte_sums) in
            self.terms.iter().zip(bytes.chunks_mut(size)).zip(&mut byte_sums)
        {
            let lines = codes.chunks(columns).zip(bytes.chunks_mut(stride));
            for ((codes, bytes), (byte_sum, code_sum)) in
                lines.zip(byte_sums.iter_mut().zip(&mut code_sums))
            {
                let (own, padding) = bytes.split_at_mut_checked(columns).unwrap_or_default();
                *byte_sum = term.unsigned(codes, own);
                padding.fill(0);
                let sum = byte_sum.wrapping_add(count.wrapping_mul(term.offset));
                *code_sum = code_sum.wrapping_add(term.factor.wrapping_mul(sum));
            }
        }
        for panel in 0..self.weights.panel_rows() {
            totals.fill(0);
            for ((left, bytes), byte_sums) in
                self.terms.iter().zip(bytes.chunks(size)).zip(&byte_sums)
            {
                self.add_panel((*left, bytes, byte_sums), panel, sums, totals);
            }
            let start = panel.saturating_mul(LANES);
            let end = outputs.min(start.saturating_add(LANES));
            let lines = out.chunks_mut(outputs).zip(totals.chunks(LANES));
            for ((out, totals), code_sum) in lines.zip(code_sums) {
                let out = out.get_mut(start..end).unwrap_or_default();
                let totals = totals.get(..out.len()).unwrap_or_default();
                self.output.put(start, totals, code_sum, out);
            }
        }
        Ok(())
    }

    /// Adds the products of a term of the rows with all terms of a panel, offsets included.
    fn add_panel(
        &self,
        (left, bytes, byte_sums): (Term, &[u8], &[i64]),
        panel: usize,
        sums: &mut [i32],
        totals: &mut [i64],
    ) {
        let (level, columns) = (Level::best(), self.matrix.columns);
        let stride = columns.next_multiple_of(DEPTH);
        let count = i64::try_from(columns).unwrap_or(i64::MAX);
        for (number, right) in self.weights.terms.iter().enumerate() {
            let factor = left.factor.wrapping_mul(right.factor);
            for first in (0..columns).step_by(MOST_COLUMNS) {
                let (_, padded) = self.weights.block(first);
                let bytes = bytes.get(first..).unwrap_or_default();
                let weights = self.weights.panel(first, number, panel);
                multiply(level, bytes, stride, weights, padded, sums);
                // What the offsets make is added once.
                let whole = if first == 0 { 1 } else { 0 };
                let of_lanes = self.weights.byte_sums(number, panel);
                let lines = totals.chunks_mut(LANES).zip(sums.chunks(LANES)).zip(byte_sums);
                for ((totals, sums), byte_sum) in lines {
                    let both = count.wrapping_mul(left.offset);
                    let of_row = right.offset.wrapping_mul(byte_sum.wrapping_add(both));
                    let of_lanes = (left.offset.wrapping_mul(whole), of_lanes);
                    accumulate(level, sums, factor, of_row.wrapping_mul(whole), of_lanes, totals);
                }
            }
        }
    }
}
