//! The right side of a matrix product, made ready once.

use super::buffer::{Buffer, resize};
use super::matrix::{Matrix, Names, check_finite, planes_of};
use crate::error::{Error, Result};
use crate::kernels::Level;
use crate::kernels::bits::{self, BYTE_PLANES, LANES, Planes, WORD};
use crate::params::Params;
use crate::tensor::QTensor;

const NAMES: Names =
    Names { precision: "precision of the weights", size: "number of elements of the weights" };

/// The weights `W` of products `X * W^T`, laid out for the processor.
///
/// Made once, used any number of times and from many threads at once. It keeps nothing of the tensor
/// that it was made from, and takes as many bits for each code as the tensor does, its rows rounded up
/// to 64 and its columns to 32.
///
/// ```
/// use caffe2_qtensor::{PackedWeights, ProductMethod, ProductOptions, QTensor};
///
/// let mut x = QTensor::with_shape(&[1, 3], 4, false)?;
/// x.set_scale(0.5);
/// x.write_codes(&[1u8, 2, 3])?;
/// let mut w = QTensor::with_shape(&[2, 3], 2, true)?;
/// w.write_codes(&[1i8, 0, -1, 3, 2, 1])?;
///
/// let weights = PackedWeights::new(&w)?;
/// let options = ProductOptions::default();
/// let mut sums = [0i64; 2];
/// weights.product_sums(&x, &mut sums, &options)?;
/// assert_eq!(sums, [-2, 10]);
/// let mut values = [0.0; 2];
/// weights.product(&x, &[0.25, 0.0], &mut values, &options)?;
/// assert_eq!(values, [-0.75, 5.0]);
/// // Four planes and three are too many pairs for popcounts, and one row is few.
/// assert_eq!(weights.method(&x, &options)?, ProductMethod::Planes);
/// # Ok::<(), caffe2_qtensor::Error>(())
/// ```
#[derive(Debug)]
pub struct PackedWeights {
    pub(super) matrix: Matrix,
    pub(super) precision: u8,
    pub(super) planes: Planes,
    pub(super) parts: &'static [WeightPart],
    /// For each [`LANES`] rows a panel: for each word, each plane's of every row.
    panels: Buffer<u32>,
    /// Of each part, the sum of the numbers of each row, padded as the panels are.
    number_sums: Vec<i64>,
    /// The sum of the codes of each row.
    pub(super) code_sums: Vec<i64>,
    /// Of each row, or one for all.
    pub(super) scales: Vec<f64>,
    pub(super) biases: Vec<f64>,
}

/// Planes that become bytes together: a code is the sum of `factor` times the number of each part.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct WeightPart {
    pub(super) factor: i64,
    pub(super) first: usize,
    pub(super) planes: Planes,
    /// The largest magnitude of a byte.
    pub(super) most: u8,
}

impl WeightPart {
    #[expect(clippy::arithmetic_side_effects, reason = "done by the compiler")]
    const fn whole(planes: Planes) -> [WeightPart; 1] {
        // Of fewer than eight planes bytes are not negative.
        let most = if planes.count < BYTE_PLANES { (1 << planes.count) - 1 } else { 128 };
        [WeightPart { factor: 1, first: 0, planes, most }]
    }

    /// The parts of codes. A sign and eight bits are nine planes together, which take two.
    fn of(planes: Planes) -> &'static [WeightPart] {
        const UNSIGNED: [[WeightPart; 1]; BYTE_PLANES] = wholes(false);
        const SIGNED: [[WeightPart; 1]; BYTE_PLANES] = wholes(true);
        const NINE: [WeightPart; 2] = {
            let [low] = WeightPart::whole(Planes { count: BYTE_PLANES, is_signed: false });
            let [top] = WeightPart::whole(Planes { count: 1, is_signed: false });
            [low, WeightPart { factor: -256, first: BYTE_PLANES, ..top }]
        };
        let kinds = if planes.is_signed { &SIGNED } else { &UNSIGNED };
        match kinds.get(planes.count.wrapping_sub(1)) {
            Some(whole) => whole,
            None => &NINE,
        }
    }
}

#[expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "done by the compiler"
)]
const fn wholes(is_signed: bool) -> [[WeightPart; 1]; BYTE_PLANES] {
    let mut wholes = [WeightPart::whole(Planes { count: 1, is_signed }); BYTE_PLANES];
    let mut count = 1;
    while count <= BYTE_PLANES {
        wholes[count - 1] = WeightPart::whole(Planes { count, is_signed });
        count += 1;
    }
    wholes
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

        let planes = planes_of(weights);
        let mut packed = PackedWeights {
            matrix,
            precision: weights.precision(),
            planes,
            parts: WeightPart::of(planes),
            panels: Buffer::default(),
            number_sums: Vec::new(),
            code_sums: Vec::new(),
            scales,
            biases,
        };
        let rows = packed.panel_rows().checked_mul(LANES);
        let words =
            rows.and_then(|rows| rows.checked_mul(packed.words())?.checked_mul(planes.count));
        let limit = i128::try_from(isize::MAX).unwrap_or(i128::MAX);
        let words = words.ok_or(Error::Overflow { what: "size of the packed weights", limit })?;
        packed.panels = Buffer::zeroed(words, "packed weights")?;
        let sums = rows.unwrap_or(0).saturating_mul(packed.parts.len());
        resize(&mut packed.number_sums, sums, "sums of the weights")?;
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

    /// The bytes that the codes take here.
    pub fn nbytes(&self) -> usize {
        size_of_val(self.panels.numbers())
    }

    pub(super) fn panel_rows(&self) -> usize {
        self.matrix.rows.div_ceil(LANES)
    }

    /// The words of a row in each plane.
    pub(super) fn words(&self) -> usize {
        self.matrix.columns.div_ceil(WORD)
    }

    /// A panel from a word on.
    pub(super) fn panel(&self, panel: usize, word: usize) -> &[u32] {
        let group = self.planes.count.saturating_mul(LANES);
        let size = self.words().saturating_mul(group);
        let (start, end) =
            (panel.saturating_mul(size), panel.saturating_add(1).saturating_mul(size));
        let from = start.saturating_add(word.saturating_mul(group));
        self.panels.numbers().get(from..end).unwrap_or_default()
    }

    /// The sums of the numbers that a part makes of a panel's rows.
    pub(super) fn number_sums(&self, part: usize, panel: usize) -> &[i64] {
        let panels = part.saturating_mul(self.panel_rows()).saturating_add(panel);
        let start = panels.saturating_mul(LANES);
        self.number_sums.get(start..start.saturating_add(LANES)).unwrap_or_default()
    }

    fn fill(&mut self, weights: &QTensor) -> Result<()> {
        let (level, planes, matrix) = (Level::best(), self.planes, self.matrix);
        let (words, panel_rows) = (self.words(), self.panel_rows());
        let group = planes.count.saturating_mul(LANES);
        let mut row_words = Vec::new();
        resize(&mut row_words, words.saturating_mul(planes.count), "packed weights")?;
        for row in 0..matrix.rows {
            let element = row.saturating_mul(matrix.columns);
            for (plane, words) in row_words.chunks_exact_mut(words).enumerate() {
                weights.read_words(plane, element, matrix.columns, words);
            }
            if planes.is_signed {
                bits::twos_complement(level, &mut row_words, planes.count, words);
            }
            if let Some(sum) = self.code_sums.get_mut(row) {
                *sum = bits::sum(level, &row_words, planes, words);
            }
            for (number, part) in self.parts.iter().enumerate() {
                let from = row_words.get(part.first.saturating_mul(words)..).unwrap_or_default();
                let panels = number.saturating_mul(panel_rows).saturating_mul(LANES);
                if let Some(sum) = self.number_sums.get_mut(panels.saturating_add(row)) {
                    *sum = bits::sum(level, from, part.planes, words);
                }
            }
            let start = (row / LANES).saturating_mul(words).saturating_mul(group);
            let panel = self.panels.numbers_mut().get_mut(start..).unwrap_or_default();
            for (plane, words) in row_words.chunks_exact(words).enumerate() {
                let lane = plane.saturating_mul(LANES).saturating_add(row % LANES);
                let places = panel.iter_mut().skip(lane).step_by(group);
                places.zip(words).for_each(|(place, word)| *place = *word);
            }
        }
        Ok(())
    }
}
