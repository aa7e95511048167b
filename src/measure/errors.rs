//! What was lost: raw sums over pairs, which can be merged, and what they say.

use super::codes::CodeCounts;
use super::distribution::Distribution;
use super::magnitudes::{Bin, Magnitudes};
use super::options::ErrorOptions;
use super::outside::Elements;
use super::pairs::{Finite, Pairs};
use super::sum::Sum;
use crate::error::{Error, Excerpt, Result};
use crate::kernels::Level;
use crate::kernels::errors::{Outside, Sums, sums};
use crate::quantize::Reach;
use crate::tensor::QTensor;

/// What the values `y` of some pairs lost against their references `x`: sums of the error
/// `e = y - x` and what follows from them.
///
/// All arithmetic is in double precision, in which the error of two numbers of single precision is
/// exact unless one is more than 2^29 times the other; then it is rounded. Each sum is within
/// `3e-14` of the exact one, relative to the sum of its terms' magnitudes, whatever their number.
///
/// A pair of which a number is NaN or infinite is counted and left out of everything else. What is
/// an average of no pairs is NaN.
///
/// ```
/// # use caffe2_qtensor::measure::{ErrorOptions, compare};
/// let mut errors = compare(&[1.0, 2.0], &[1.5, 2.0], &ErrorOptions::default())?;
/// errors.merge(&compare(&[4.0], &[3.0], &ErrorOptions::default())?)?;
/// assert_eq!((errors.sum_error(), errors.sum_absolute(), errors.sum_squared()), (-0.5, 1.5, 1.25));
/// assert_eq!(errors.max_absolute(), 1.0);
/// assert!((errors.sqnr() - 10.0 * (21.0_f64 / 1.25).log10()).abs() < 1e-12);
/// # Ok::<(), caffe2_qtensor::Error>(())
/// ```
#[derive(Default)]
pub struct Errors {
    pub(super) count: u64,
    pub(super) non_finite: u64,
    pub(super) error: Sum,
    pub(super) absolute: Sum,
    pub(super) squared: Sum,
    pub(super) xx: Sum,
    pub(super) xy: Sum,
    pub(super) yy: Sum,
    /// The largest error and the first element that has it.
    pub(super) worst: Option<(f64, u64)>,
    pub(super) saturated_low: u64,
    pub(super) saturated_high: u64,
    pub(super) flushed: u64,
    pub(super) codes: Option<CodeCounts>,
    pub(super) magnitudes: Option<Magnitudes>,
    pub(super) distribution: Option<Distribution>,
}

impl Errors {
    /// Errors of no pairs, of which the options say what is kept; codes are those of a tensor.
    pub(super) fn new(options: &ErrorOptions, tensor: Option<&QTensor>) -> Result<Errors> {
        let codes = match (options.code_histogram, tensor) {
            (false, _) => None,
            (true, Some(tensor)) => Some(CodeCounts::new(tensor)?),
            (true, None) => {
                return Err(Error::UnsupportedName {
                    what: "histogram",
                    value: Excerpt::new(b"codes"),
                    reason: "numbers that are compared with each other have no codes",
                });
            }
        };
        Ok(Errors {
            codes,
            magnitudes: options.error_histogram.then(Magnitudes::default),
            distribution: if options.value_histogram { Some(Distribution::new()?) } else { None },
            ..Errors::default()
        })
    }

    /// Takes in at most a block of pairs, which are those elements of what has this reach.
    pub(super) fn record(
        &mut self,
        pairs: &Pairs<'_>,
        elements: Elements<'_>,
        reach: &Reach,
    ) -> Result<()> {
        let level = Level::best();
        let (limits, only_if_none) = reach.limits();
        let found = sums(level, pairs.reference, pairs.values, &limits);
        let count = u64::try_from(pairs.reference.len()).unwrap_or(u64::MAX);
        if found.is_finite() {
            self.keep(level, pairs)?;
            let is_outside = found.outside.low > 0 || found.outside.high > 0;
            let outside = if only_if_none && is_outside {
                reach.outside(elements, pairs)
            } else {
                found.outside
            };
            self.note(pairs, elements, &found, &outside);
        } else {
            let mut finite = Finite::EMPTY;
            finite.fill(pairs);
            let these = finite.pairs();
            let left = u64::try_from(these.reference.len()).unwrap_or(u64::MAX);
            self.keep(level, &these)?;
            self.non_finite = self.non_finite.saturating_add(count.saturating_sub(left));
            if left > 0 {
                let found = sums(level, these.reference, these.values, &limits);
                self.note(pairs, elements, &found, &reach.outside(elements, pairs));
            }
        }
        self.count = self.count.saturating_add(count);
        Ok(())
    }

    /// The histograms.
    fn keep(&mut self, level: Level, pairs: &Pairs<'_>) -> Result<()> {
        let Pairs { reference, values } = pairs;
        if let Some(magnitudes) = &mut self.magnitudes {
            magnitudes.record(level, reference, values)?;
        }
        if let Some(distribution) = &mut self.distribution {
            distribution.record(reference, values);
        }
        Ok(())
    }

    fn note(&mut self, pairs: &Pairs<'_>, elements: Elements<'_>, found: &Sums, outside: &Outside) {
        self.error.add(found.error);
        self.absolute.add(found.absolute);
        self.squared.add(found.squared);
        self.xx.add(found.xx);
        self.xy.add(found.xy);
        self.yy.add(found.yy);
        self.saturated_low = self.saturated_low.saturating_add(outside.low);
        self.saturated_high = self.saturated_high.saturating_add(outside.high);
        self.flushed = self.flushed.saturating_add(outside.flushed);
        if self.worst.is_some_and(|(most, _)| most > found.max) {
            return;
        }
        // Seldom: a block has a larger error than all before, or one as large.
        let is_worst = |(x, y): (&f32, &f32)| (f64::from(*y) - f64::from(*x)).abs() == found.max;
        if let Some(place) = pairs.reference.iter().zip(pairs.values).position(is_worst) {
            let place = u64::try_from(elements.index(place)).unwrap_or(u64::MAX);
            self.offer_worst((found.max, place));
        }
    }

    /// The larger error counts, and of equal ones that with the lower index.
    pub(super) fn offer_worst(&mut self, (most, place): (f64, u64)) {
        let better = |(own, first): (f64, u64)| most > own || (most == own && place < first);
        if self.worst.is_none_or(better) {
            self.worst = Some((most, place));
        }
    }

    /// All pairs, those that are not finite included.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Pairs of which a number is NaN or infinite.
    pub fn non_finite(&self) -> u64 {
        self.non_finite
    }

    /// Pairs that were summed: all others.
    pub fn finite(&self) -> u64 {
        self.count.saturating_sub(self.non_finite)
    }

    /// The sum of `e`.
    pub fn sum_error(&self) -> f64 {
        self.error.value()
    }

    /// The sum of `|e|`.
    pub fn sum_absolute(&self) -> f64 {
        self.absolute.value()
    }

    /// The sum of `e^2`.
    pub fn sum_squared(&self) -> f64 {
        self.squared.value()
    }

    /// The sum of `x^2`.
    pub fn sum_xx(&self) -> f64 {
        self.xx.value()
    }

    /// The sum of `x * y`.
    pub fn sum_xy(&self) -> f64 {
        self.xy.value()
    }

    /// The sum of `y^2`.
    pub fn sum_yy(&self) -> f64 {
        self.yy.value()
    }

    /// The largest `|e|`; 0 of no pairs.
    pub fn max_absolute(&self) -> f64 {
        self.worst.map_or(0.0, |(most, _)| most)
    }

    /// The index of the first element with the largest `|e|`, in the whole array even where these
    /// are the errors of one channel; `None` of no pairs.
    pub fn max_index(&self) -> Option<u64> {
        self.worst.map(|(_, index)| index)
    }

    /// References below what the codes reach: those that a quantizer, rounding to the nearest code,
    /// would give a code below the lowest one; more than half a step. They are counted as
    /// [`Counts`](crate::quantize::Counts) counts them, from the tensor's parameters, whatever made
    /// its codes. 0 where those are parameters that nothing can be quantized by, and for
    /// [`compare`](super::compare).
    pub fn saturated_low(&self) -> u64 {
        self.saturated_low
    }

    /// References above what the codes reach; otherwise as [`saturated_low`](Self::saturated_low).
    pub fn saturated_high(&self) -> u64 {
        self.saturated_high
    }

    /// References other than 0 whose value is 0, saturated ones excepted.
    pub fn flushed(&self) -> u64 {
        self.flushed
    }

    /// How often each code occurs, from [`lowest_code`](Self::lowest_code) on, of all elements; empty
    /// unless asked for.
    pub fn code_histogram(&self) -> &[u64] {
        self.codes.as_ref().map(|codes| &*codes.counts).unwrap_or_default()
    }

    /// The lowest code that the histogram has a place for: `-(2^precision - 1)` with a sign and
    /// else 0.
    pub fn lowest_code(&self) -> i64 {
        self.codes.as_ref().map_or(0, |codes| codes.lowest)
    }

    /// The entropy of the codes in bits; `None` unless their histogram was asked for.
    pub fn code_entropy(&self) -> Option<f64> {
        self.codes.as_ref().map(CodeCounts::entropy)
    }

    /// The bins of `|e|` that are not empty, in order; none unless asked for. An octave, from `2^k` to
    /// `2^(k + 1)`, has 32 bins of one width, the same for all data.
    pub fn error_histogram(&self) -> impl Iterator<Item = Bin> {
        self.magnitudes.iter().flat_map(Magnitudes::bins)
    }

    /// The magnitude that a share `p` of the errors does not exceed: the median for 0.5. It is the
    /// one of rank `max(1, ceil(p * n))` in order, within 1/64 of it: the middle of its bin in
    /// the histogram of errors, and at most the largest one. `None` unless that was asked for, of no
    /// pairs, and unless `0 <= p <= 1`.
    pub fn quantile(&self, p: f64) -> Option<f64> {
        let magnitudes = self.magnitudes.as_ref().filter(|_| (0.0..=1.0).contains(&p))?;
        Some(magnitudes.quantile(p, self.finite())?.min(self.max_absolute()))
    }

    /// The divergence of Kullback and Leibler, `sum(p * log2(p / q))` in bits, of what the values
    /// keep of the distribution of the references; `None` unless histograms of values were asked
    /// for, and of no pairs.
    ///
    /// Both distributions are counted in the same 4096 bins around 0, of the smallest width `2^e` for
    /// which they hold all numbers. `p` is the share of references in a bin. `q` spreads the values of
    /// each bin evenly over the bins, other than empty ones, of the references of the same ranks in
    /// order, as TensorRT's calibration spreads the mass of a code over the bins that it stands for
    /// (S. Migacz, "8-bit Inference with TensorRT", 2017); so it is finite always, and 0 where the
    /// distributions are the same. Steps smaller than a bin, about 2^-11 of the largest magnitude, are
    /// not seen.
    pub fn kl(&self) -> Option<f64> {
        self.distribution.as_ref()?.divergence()
    }
}
