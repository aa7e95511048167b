//! Floats to the codes of a tensor, by its own scale and bias or those of its channels.

use super::dorefa::Dorefa;
use super::layout::Expansion;
use super::logarithmic::Logarithmic;
use super::options::{Counts, NonFinite, QuantizeOptions, Scheme};
use super::steps::Plan;
use super::value::{Floats, Value};
use crate::error::{Error, Result};
use crate::kernels::quantize::{Input, Outcome, Rules};
use crate::kernels::stream::FROM_BYTES;
use crate::params::Params;
use crate::planes::Storage;
use crate::planes::fill::{Block, Padding, Source, fill, single_block};
use crate::tensor::QTensor;

/// The highest precision that values are quantized to.
pub const MAX_PRECISION: u8 = 32;

impl QTensor {
    /// Turns values into this tensor's codes, in order.
    ///
    /// The code is the rounding of `value / scale - bias`, both operations in double precision,
    /// clamped to what the precision allows; in a tensor with channels by the scale and bias of
    /// the element's channel. In a logarithmic tensor the magnitude of the code is the rounding of
    /// `log2(|value|) / scale - bias + 1`, at least 1 for a value that is not 0. `values` are
    /// `f32`, `f64`, [`Half`](crate::quantize::Half) or [`Bfloat16`](crate::quantize::Bfloat16).
    ///
    /// ```
    /// use caffe2_qtensor::{QTensor, quantize::QuantizeOptions};
    ///
    /// let mut tensor = QTensor::with_shape(&[5], 4, true)?;
    /// tensor.set_scale(0.5);
    /// tensor.quantize(&[0.2_f32, 0.3, -1.25, 100.0, -0.75], &QuantizeOptions::default())?;
    /// let mut codes = [0i64; 5];
    /// tensor.read_codes(&mut codes)?;
    /// assert_eq!(codes, [0, 1, -2, 15, -2]);
    /// # Ok::<(), caffe2_qtensor::Error>(())
    /// ```
    ///
    /// # Errors
    /// `ShapeMismatch` unless there are [`size`](Self::size) values; `OutOfRange` for a precision
    /// of 0 or above 32; `InvalidArgument` for a scale that is not positive, finite and normal and
    /// for a bias that is not finite; `NonFinite` for a value that is not, unless the options say
    /// otherwise; what [`params`](Self::params) refuses; `OutOfMemory`. The tensor stays as it was.
    pub fn quantize<T: Value>(&mut self, values: &[T], options: &QuantizeOptions) -> Result<()> {
        run(self, values, options, false).map(drop)
    }

    /// [`quantize`](Self::quantize), counting what became of the values in the same pass.
    ///
    /// ```
    /// use caffe2_qtensor::{QTensor, quantize::QuantizeOptions};
    ///
    /// let mut tensor = QTensor::with_shape(&[4], 4, false)?;
    /// let counts = tensor
    ///     .quantize_counting(&[0.2_f32, 3.0, -1.0, 100.0], &QuantizeOptions::default())?;
    /// assert_eq!((counts.saturated_low, counts.saturated_high), (1, 1));
    /// assert_eq!(counts.flushed_to_zero, 1);
    /// # Ok::<(), caffe2_qtensor::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`quantize`](Self::quantize).
    pub fn quantize_counting<T: Value>(
        &mut self,
        values: &[T],
        options: &QuantizeOptions,
    ) -> Result<Counts> {
        run(self, values, options, true)
    }
}

fn run<T: Value>(
    tensor: &mut QTensor,
    values: &[T],
    options: &QuantizeOptions,
    counting: bool,
) -> Result<Counts> {
    check_size("number of values", values.len(), tensor.size())?;
    check_precision(tensor.precision())?;
    let rules = Rules {
        rounding: options.rounding,
        seed: options.seed,
        precision: tensor.precision(),
        signed: tensor.is_signed(),
    };
    let refuse = options.non_finite == NonFinite::Refuse;
    let counts = |tally: Result<Tally<T::Buffer>>| tally.map(|tally| tally.counts);
    match (options.scheme, tensor.params()?) {
        (Scheme::Parameters, Params::Log { scale, bias }) => {
            let source = Logarithmic::new(values, rules, (scale, bias), refuse)?;
            counts(tensor.fill_codes(&source, refuse, options.threads))
        }
        (Scheme::Parameters, params) => {
            let alone = options.threads <= 1;
            let plan = Plan::new(&params, tensor.dims(), &rules, T::SINGLE, alone)?;
            let source = Linear { values, rules, plan, refuse, counting };
            counts(tensor.fill_codes(&source, refuse, options.threads))
        }
        (Scheme::DorefaActivations | Scheme::DorefaWeights, _) => {
            let source = Dorefa::new(tensor, values, rules, options.scheme, refuse)?;
            let tally = tensor.fill_codes(&source, refuse, options.threads)?;
            let (scale, bias) = source.scale_and_bias();
            tensor.set_scale(scale);
            tensor.set_bias(bias);
            tensor.clear_channels();
            Ok(tally.counts)
        }
    }
}

/// Refuses buffers that are not the tensor's size.
pub(super) fn check_size(what: &'static str, count: usize, size: usize) -> Result<()> {
    if count == size {
        return Ok(());
    }
    Err(Error::ShapeMismatch {
        what,
        value: i128::try_from(count).unwrap_or(i128::MAX),
        expected: i128::try_from(size).unwrap_or(i128::MAX),
    })
}

/// Refuses precisions that have no values.
pub(super) fn check_precision(precision: u8) -> Result<()> {
    if (1..=MAX_PRECISION).contains(&precision) {
        return Ok(());
    }
    Err(Error::OutOfRange {
        what: "precision",
        value: i128::from(precision),
        min: 1,
        max: i128::from(MAX_PRECISION),
    })
}

/// The notes of a source, and its memory.
#[derive(Default)]
pub(super) struct Tally<B> {
    pub(super) counts: Counts,
    pub(super) buffer: B,
    pub(super) expansion: Expansion<f32>,
}

/// Values and how they become codes.
struct Linear<'a, T> {
    values: &'a [T],
    rules: Rules,
    plan: Plan,
    refuse: bool,
    counting: bool,
}

impl<T: Value> Source for Linear<'_, T> {
    type Tally = Tally<T::Buffer>;

    fn merge(tally: &mut Self::Tally, later: &Self::Tally) {
        tally.counts.add(&later.counts);
    }

    fn narrow(&self) -> bool {
        self.plan.is_narrow()
    }

    fn value_bytes(&self) -> usize {
        size_of_val(self.values)
    }

    fn codes(&self, first: usize, mut block: Block<'_>, tally: &mut Self::Tally) -> Result<()> {
        let length = match &block {
            Block::Narrow(codes) => codes.bytes.len(),
            Block::Wide(codes) => codes.len(),
        };
        let end = first.saturating_add(length);
        let values = self.values.get(first..end).unwrap_or_default();
        let Tally { counts, buffer, expansion } = tally;
        let non_finite = match (T::floats(values, buffer), &mut block) {
            (Floats::Single(values), Block::Narrow(codes)) => {
                let counts = self.counting.then_some(&mut *counts);
                let from_memory = self.value_bytes() > FROM_BYTES;
                let input = Input { values, first, from_memory };
                self.plan.narrow(&self.rules, input, codes, counts, expansion)?
            }
            (Floats::Single(values), Block::Wide(codes)) => {
                self.plan.exact(&self.rules, first, values, codes, counts)
            }
            (Floats::Double(values), Block::Wide(codes)) => {
                self.plan.exact(&self.rules, first, values, codes, counts)
            }
            // `is_narrow` is false for double precision.
            (Floats::Double(_), Block::Narrow(_)) => 0,
        };
        if self.refuse && non_finite != 0 {
            return Err(first_non_finite(values, first));
        }
        Ok(())
    }
}

/// The wide codes of a block, one by one.
pub(super) fn each_value<T: Value>(
    values: &[T],
    first: usize,
    block: Block<'_>,
    counts: &mut Counts,
    refuse: bool,
    code: impl Fn(f64, u64) -> (i64, Outcome),
) -> Result<()> {
    // Asked for by a source that says so.
    let Block::Wide(codes) = block else { return Ok(()) };
    let before = counts.non_finite;
    let values = values.get(first..).unwrap_or_default();
    for ((value, to), index) in values.iter().zip(codes).zip(first..) {
        let (found, outcome) = code(value.wide(), u64::try_from(index).unwrap_or(u64::MAX));
        *to = found;
        counts.note(outcome);
    }
    if refuse && counts.non_finite != before {
        return Err(first_non_finite(values, first));
    }
    Ok(())
}

/// The error for the first value that is not finite; there is one.
pub(super) fn first_non_finite<T: Value>(values: &[T], first: usize) -> Error {
    let found = values.iter().position(|value| !value.wide().is_finite()).unwrap_or(0);
    let value = values.get(found).map_or(f64::NAN, |value| value.wide());
    Error::NonFinite { index: first.saturating_add(found), value }
}

impl QTensor {
    /// Replaces all codes, or nothing where the source reports an error, which it does only if it
    /// `may_refuse`.
    pub(crate) fn fill_codes<S: Source>(
        &mut self,
        source: &S,
        may_refuse: bool,
        threads: usize,
    ) -> Result<S::Tally> {
        let geometry = self.geometry();
        if geometry.size() == 0 {
            return Ok(S::Tally::default());
        }
        // A single block is refused before anything of it is written. Larger tensors get new
        // planes, so that the old ones are still there after a refusal; so do those that only
        // borrowed theirs.
        match self.storage_mut() {
            Some(storage)
                if storage.is_writable()
                    && (!may_refuse || geometry.size() <= single_block(source)) =>
            {
                let padding = Padding::of(geometry, storage.bytes());
                fill(geometry, storage.rows(geometry), &padding, source, threads)
            }
            storage => {
                let padding = match storage {
                    Some(storage) => Padding::of(geometry, storage.bytes()),
                    None => Padding::ZERO,
                };
                let (new, tally) = Storage::filled_by(geometry, &padding, source, threads)?;
                self.replace_codes(new);
                Ok(tally)
            }
        }
    }
}
