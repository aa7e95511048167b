//! The pass over a tensor and its references, of which no dequantized value is ever written out.

use super::errors::Errors;
use super::options::ErrorOptions;
use super::outside::Elements;
use super::pairs::Pairs;
use crate::error::{Error, Result};
use crate::kernels::errors::{BLOCK, Limits};
use crate::quantize::Reach;
use crate::tensor::QTensor;
use crate::threads::{MAX_THREADS, THREAD_ELEMENTS, both, share};

impl QTensor {
    /// What this tensor's values lost against the references that it was made from, in order.
    ///
    /// The values are those that [`dequantize`](Self::dequantize) gives in single precision. They are
    /// made a block at a time and never written out.
    ///
    /// ```
    /// use caffe2_qtensor::{QTensor, measure::ErrorOptions, quantize::QuantizeOptions};
    ///
    /// let weights = [0.2_f32, 0.3, -1.25, 100.0, -0.75, 0.0];
    /// let mut tensor = QTensor::with_shape(&[6], 4, true)?;
    /// tensor.set_scale(0.5);
    /// tensor.quantize(&weights, &QuantizeOptions::default())?;
    /// let errors = tensor.errors(&weights, &ErrorOptions::default())?;
    /// assert_eq!((errors.max_absolute(), errors.max_index()), (92.5, Some(3)));
    /// assert_eq!((errors.saturated_high(), errors.flushed()), (1, 1));
    /// # Ok::<(), caffe2_qtensor::Error>(())
    /// ```
    ///
    /// # Errors
    /// `ShapeMismatch` unless there are [`size`](Self::size) references; `OutOfRange` for a precision
    /// of 0 or above 32; `Unsupported` where a histogram of codes is asked for and the precision is
    /// above [`MAX_COUNTED_PRECISION`](super::MAX_COUNTED_PRECISION); what [`params`](Self::params)
    /// refuses; `OutOfMemory`.
    pub fn errors(&self, reference: &[f32], options: &ErrorOptions) -> Result<Errors> {
        check_size("number of references", reference.len(), self.size())?;
        self.decoder()?;
        let job = Job { reference, source: Source::Tensor(self, self.reach()?), options };
        job.run(0, reference.len(), threads(reference.len(), options))
    }
}

/// What values lost against their references, in order, of which they are as many.
///
/// # Errors
/// `ShapeMismatch` unless both have one length; `Unsupported` where a histogram of codes is asked for;
/// `OutOfMemory`.
pub fn compare(reference: &[f32], values: &[f32], options: &ErrorOptions) -> Result<Errors> {
    check_size("number of values", values.len(), reference.len())?;
    let job = Job { reference, source: Source::Values(values), options };
    job.run(0, reference.len(), threads(reference.len(), options))
}

pub(super) fn check_size(what: &'static str, value: usize, expected: usize) -> Result<()> {
    if value == expected {
        return Ok(());
    }
    Err(Error::ShapeMismatch {
        what,
        value: i128::try_from(value).unwrap_or(i128::MAX),
        expected: i128::try_from(expected).unwrap_or(i128::MAX),
    })
}

/// How many threads so many elements are worth.
pub(super) fn threads(size: usize, options: &ErrorOptions) -> usize {
    options.threads.min(size / THREAD_ELEMENTS).min(MAX_THREADS)
}

/// Where values come from.
enum Source<'a> {
    Tensor(&'a QTensor, Reach),
    Values(&'a [f32]),
}

/// The reach of numbers that are no codes'.
const NOWHERE: Reach = Reach::One(Limits::NONE);

struct Job<'a> {
    reference: &'a [f32],
    source: Source<'a>,
    options: &'a ErrorOptions,
}

impl Job<'_> {
    /// The errors of so many elements from `first` on, a multiple of the block, on as many threads.
    fn run(&self, first: usize, length: usize, threads: usize) -> Result<Errors> {
        if threads <= 1 {
            return match &self.source {
                Source::Tensor(tensor, reach) => self.of_tensor(tensor, reach, first, length),
                Source::Values(values) => self.of_values(values, first, length),
            };
        }
        let later = threads / 2;
        let here = threads.saturating_sub(later);
        let near = share(length / BLOCK, here, threads).saturating_mul(BLOCK);
        let (middle, far) = (first.saturating_add(near), length.saturating_sub(near));
        let far = |()| self.run(middle, far, later);
        let (near, far) = both(|| self.run(first, near, here), (), far);
        let mut errors = near?;
        errors.merge(&far?)?;
        Ok(errors)
    }

    fn of_values(&self, values: &[f32], first: usize, length: usize) -> Result<Errors> {
        let mut errors = Errors::new(self.options, None)?;
        for (first, part) in blocks(first, length) {
            let reference = self.reference.get(part.clone()).unwrap_or_default();
            let values = values.get(part).unwrap_or_default();
            errors.record(&Pairs { reference, values }, Elements::From(first), &NOWHERE)?;
        }
        Ok(errors)
    }

    fn of_tensor(
        &self,
        tensor: &QTensor,
        reach: &Reach,
        first: usize,
        length: usize,
    ) -> Result<Errors> {
        let mut errors = Errors::new(self.options, Some(tensor))?;
        let mut decoder = tensor.decoder()?;
        let mut values = [0.0; BLOCK];
        let mut codes = [0_i64; BLOCK];
        for (first, part) in blocks(first, length) {
            let reference = self.reference.get(part).unwrap_or_default();
            let values = values.get_mut(..reference.len()).unwrap_or_default();
            decoder.decode(first, values)?;
            errors.record(&Pairs { reference, values }, Elements::From(first), reach)?;
            if let Some(counts) = &mut errors.codes {
                let codes = codes.get_mut(..reference.len()).unwrap_or_default();
                tensor.read_block(first, codes);
                codes.iter().for_each(|code| counts.note(*code));
            }
        }
        Ok(errors)
    }
}

/// Blocks of so many elements from `first` on: where each begins, and which elements they are.
pub(super) fn blocks(
    first: usize,
    length: usize,
) -> impl Iterator<Item = (usize, core::ops::Range<usize>)> {
    let end = first.saturating_add(length);
    let starts = (first..end).step_by(BLOCK);
    starts.map(move |first| (first, first..first.saturating_add(BLOCK).min(end)))
}
