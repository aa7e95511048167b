//! The right side of a matrix product, made ready once.

use super::operand::{Matrix, Names, Term, read_rows, resize};
use crate::error::{Error, Result};
use crate::kernels::product::{DEPTH, LANES, MOST_COLUMNS};
use crate::params::Params;
use crate::tensor::QTensor;

const NAMES: Names =
    Names { precision: "precision of the weights", size: "number of elements of the weights" };

/// The weights `W` of products `X * W^T`, laid out for the processor.
///
/// Made once, used any number of times and from many threads at once. It keeps nothing of the tensor
/// that it was made from, and takes a byte for each code (two for signed ones of 8 bits), its rows
/// rounded up to 64.
///
/// ```
/// use caffe2_qtensor::{PackedWeights, QTensor};
///
/// let mut x = QTensor::with_shape(&[1, 3], 4, false)?;
/// x.set_scale(0.5);
/// x.write_codes(&[1u8, 2, 3])?;
/// let mut w = QTensor::with_shape(&[2, 3], 2, true)?;
/// w.write_codes(&[1i8, 0, -1, 3, 2, 1])?;
///
/// let weights = PackedWeights::new(&w)?;
/// let mut sums = [0; 2];
/// weights.product_sums(&x, &mut sums, 1)?;
/// assert_eq!(sums, [-2, 10]);
/// let mut values = [0.0; 2];
/// weights.product(&x, &[0.25, 0.0], &mut values, 1)?;
/// assert_eq!(values, [-0.75, 5.0]);
/// # Ok::<(), caffe2_qtensor::Error>(())
/// ```
#[derive(Debug)]
pub struct PackedWeights {
    pub(super) matrix: Matrix,
    pub(super) terms: &'static [Term],
    /// For each block of columns, each term and each [`LANES`] rows a panel.
    panels: Vec<i8>,
    /// The sum of the bytes of each row, term by term and padded as the panels are.
    byte_sums: Vec<i64>,
    /// The sum of the codes of each row.
    pub(super) code_sums: Vec<i64>,
    /// Of each row, or one for all.
    pub(super) scales: Vec<f64>,
    pub(super) biases: Vec<f64>,
}

impl PackedWeights {
    /// Weights of `rows` by `columns`: the rows are outputs, the columns what is summed over.
    ///
    /// # Errors
    /// `ShapeMismatch` unless there are two dimensions; `InvalidArgument` where one of them is 0, and
    /// for channels along the second; `OutOfRange` for a precision that is not 1 to 8; `Unsupported`
    /// for a logarithmic tensor; `NonFinite` for a scale or bias that is; what
    /// [`QTensor::params`] refuses; `OutOfMemory`.
    pub fn new(weights: &QTensor) -> Result<PackedWeights> {
        if weights.ndim() != 2 {
            return Err(Error::ShapeMismatch {
                what: "number of dimensions of the weights",
                value: i128::try_from(weights.ndim()).unwrap_or(i128::MAX),
                expected: 2,
            });
        }
        let matrix = Matrix::of(weights, &NAMES)?;
        let (mut scales, mut biases) = (Vec::new(), Vec::new());
        match weights.params()? {
            Params::PerChannel { axis: 0, scales: each, biases: bias } => {
                resize(&mut scales, each.len(), "scales of the weights")?;
                resize(&mut biases, bias.len(), "biases of the weights")?;
                scales.copy_from_slice(each);
                biases.copy_from_slice(bias);
            }
            Params::PerChannel { axis, .. } => {
                return Err(Error::InvalidArgument {
                    what: "axis of the channels of the weights",
                    value: i128::try_from(axis).unwrap_or(i128::MAX),
                    rule: "0, that of the outputs",
                });
            }
            Params::Affine { scale, bias } | Params::Log { scale, bias } => {
                resize(&mut scales, 1, "scales of the weights")?;
                resize(&mut biases, 1, "biases of the weights")?;
                scales.fill(scale);
                biases.fill(bias);
            }
        }
        check_finite("scale of the weights", &scales)?;
        check_finite("bias of the weights", &biases)?;

        let terms = Term::right(weights.precision(), weights.is_signed());
        let mut packed = PackedWeights {
            matrix,
            terms,
            panels: Vec::new(),
            byte_sums: Vec::new(),
            code_sums: Vec::new(),
            scales,
            biases,
        };
        let padded = matrix.columns.checked_next_multiple_of(DEPTH);
        let bytes = padded.and_then(|columns| {
            columns.checked_mul(packed.panel_rows().checked_mul(LANES)?)?.checked_mul(terms.len())
        });
        let limit = i128::try_from(isize::MAX).unwrap_or(i128::MAX);
        let bytes = bytes.ok_or(Error::Overflow { what: "size of the packed weights", limit })?;
        resize(&mut packed.panels, bytes, "packed weights")?;
        let sums = packed.panel_rows().saturating_mul(LANES).saturating_mul(terms.len());
        resize(&mut packed.byte_sums, sums, "sums of the weights")?;
        resize(&mut packed.code_sums, matrix.rows, "sums of the weights")?;
        packed.fill(weights)?;
        Ok(packed)
    }

    /// The number of outputs.
    pub fn rows(&self) -> usize {
        self.matrix.rows
    }

    /// The number of products that are summed for each.
    pub fn columns(&self) -> usize {
        self.matrix.columns
    }

    pub(super) fn panel_rows(&self) -> usize {
        self.matrix.rows.div_ceil(LANES)
    }

    /// The columns of a block, from `first` on, and the same rounded up to whole groups.
    pub(super) fn block(&self, first: usize) -> (usize, usize) {
        let columns = self.matrix.columns.saturating_sub(first).min(MOST_COLUMNS);
        (columns, columns.next_multiple_of(DEPTH))
    }

    /// Where a panel lies: of the block of columns from `first` on, a term and [`LANES`] rows.
    fn span(&self, first: usize, term: usize, panel: usize) -> core::ops::Range<usize> {
        let lanes = self.panel_rows().saturating_mul(LANES);
        // All blocks before are whole ones, whose columns need no padding.
        let before = first.saturating_mul(lanes).saturating_mul(self.terms.len());
        let (_, padded) = self.block(first);
        let one = padded.saturating_mul(LANES);
        let panels = term.saturating_mul(self.panel_rows()).saturating_add(panel);
        let start = before.saturating_add(panels.saturating_mul(one));
        start..start.saturating_add(one)
    }

    pub(super) fn panel(&self, first: usize, term: usize, panel: usize) -> &[i8] {
        self.panels.get(self.span(first, term, panel)).unwrap_or_default()
    }

    /// The sums of the bytes of a panel's rows in a term.
    pub(super) fn byte_sums(&self, term: usize, panel: usize) -> &[i64] {
        let panels = term.saturating_mul(self.panel_rows()).saturating_add(panel);
        let start = panels.saturating_mul(LANES);
        self.byte_sums.get(start..start.saturating_add(LANES)).unwrap_or_default()
    }

    fn fill(&mut self, weights: &QTensor) -> Result<()> {
        let (matrix, mut codes, mut bytes) = (self.matrix, Vec::new(), Vec::new());
        resize(&mut bytes, matrix.columns, "packed weights")?;
        for row in 0..matrix.rows {
            let before = read_rows(weights, matrix, row, 1, &mut codes)?;
            let codes = codes.get(before..).unwrap_or_default();
            if let Some(sum) = self.code_sums.get_mut(row) {
                *sum = codes.iter().map(|code| i64::from(*code)).fold(0, i64::wrapping_add);
            }
            for (number, term) in self.terms.iter().enumerate() {
                term.signed(codes, &mut bytes);
                let total = bytes.iter().map(|byte| i64::from(*byte)).fold(0, i64::wrapping_add);
                let lanes = self.panel_rows().saturating_mul(LANES);
                let at = number.saturating_mul(lanes).saturating_add(row);
                if let Some(sum) = self.byte_sums.get_mut(at) {
                    *sum = total;
                }
                for (block, bytes) in bytes.chunks(MOST_COLUMNS).enumerate() {
                    let first = block.saturating_mul(MOST_COLUMNS);
                    let span = self.span(first, number, row / LANES);
                    let panel = self.panels.get_mut(span).unwrap_or_default();
                    put_lane(bytes, row % LANES, panel);
                }
            }
        }
        Ok(())
    }
}

/// Puts the bytes of a row where its lane of a panel is.
fn put_lane(bytes: &[i8], lane: usize, panel: &mut [i8]) {
    let lane = lane.saturating_mul(DEPTH);
    for (bytes, group) in bytes.chunks(DEPTH).zip(panel.chunks_exact_mut(DEPTH * LANES)) {
        let to = group.get_mut(lane..).unwrap_or_default();
        for (to, byte) in to.iter_mut().zip(bytes) {
            *to = *byte;
        }
    }
}

/// Refuses parameters that make every result NaN or infinite.
pub(super) fn check_finite(what: &'static str, values: &[f64]) -> Result<()> {
    match values.iter().find(|value| !value.is_finite()) {
        Some(value) => Err(Error::NonFiniteNumber { what, value: *value }),
        None => Ok(()),
    }
}
