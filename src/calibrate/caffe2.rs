//! Caffe2's choosers, on a histogram as Caffe2 built it.
//!
//! They are here for programs that replace Caffe2 and want its numbers; an
//! [`Observer`](super::Observer) chooses better, faster and from data of any size. Sources:
//! `norm_minimization.cc`, `norm_minimization_avx2.cc`, `kl_minimization.cc`, `p99.cc` and
//! `dnnlowp.cc` of Caffe2's `quantization/server` in PyTorch 1.8.1, whose results are reproduced bit
//! for bit where its sums are, in the order in which a machine with AVX2 adds them up.

use super::observer::{refuse_non_finite, reserved};
use super::state::zeros;
use crate::error::{Error, Result};
use crate::kernels::Level;
use crate::kernels::distortion::Piece;
use crate::kernels::observe::scan;
use crate::kernels::windows::{
    Anchor, Norm, Source, Window, approximate_window, divergence_memory, least_divergence,
    least_norm,
};
use crate::quantize::{ChooseOptions, Chooser, Chosen, choose_quantization_params};

/// How the range of values is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Caffe2Method {
    /// From the smallest to the largest value.
    #[default]
    MinMax,
    /// The window of bins with the smallest sum of absolute errors.
    L1,
    /// The window with the smallest sum of squared errors.
    L2,
    /// Cuts off values for as long as the sum of squared errors falls; with
    /// [`preserve_sparsity`](Caffe2Options::preserve_sparsity) it is `L2`.
    L2Approx,
    /// The window with the smallest Kullback-Leibler divergence. The codes are of 8 bits and
    /// sparsity is only preserved in the choice of the window, as there.
    Kl,
    /// The range that holds this share of the values, as much outside on either side: above 0.5 and
    /// below 1. Caffe2's default is 0.99.
    P99(f32),
}

/// What [`choose_caffe2`] is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Caffe2Options {
    /// How the range is chosen.
    pub method: Caffe2Method,
    /// Bits of a code: 1 to 8, by which the histogram has `2^(precision + 3)` bins.
    pub precision: u8,
    /// Widens a range with values on both sides of 0 so that 0 falls on the code in the middle.
    pub preserve_sparsity: bool,
    /// Rounds the scale up to a power of two.
    pub force_scale_power_of_two: bool,
}

impl Default for Caffe2Options {
    /// The range of the values, for codes of eight bits.
    fn default() -> Caffe2Options {
        Caffe2Options {
            method: Caffe2Method::MinMax,
            precision: 8,
            preserve_sparsity: false,
            force_scale_power_of_two: false,
        }
    }
}

/// The most bins that a histogram may have once it was extended to hold 0.
const MOST_BINS: usize = 1 << 15;

/// Scale and zero point for the codes of these values, as dnnlowp's `ChooseQuantizationParams` chose
/// them.
///
/// Where all values are equal Caffe2's histograms led to a crash; here every method then does what
/// `MinMax` does. No values have the range from 0 to 0, as there.
///
/// ```
/// use caffe2_qtensor::calibrate::{Caffe2Method, Caffe2Options, choose_caffe2};
///
/// let values: Vec<f32> = (0..=1000).map(|i| i as f32 / 1000.0).collect();
/// let options = Caffe2Options { method: Caffe2Method::L2, ..Caffe2Options::default() };
/// assert_eq!(choose_caffe2(&values, &options)?.zero_point, 0);
/// # Ok::<(), caffe2_qtensor::Error>(())
/// ```
///
/// # Errors
/// `NonFinite` for a value that is NaN or infinite, where Caffe2 went on with it, and for a range
/// beyond single precision; `OutOfRange` for a precision that is not 1 to 8, and where there are
/// only two codes to preserve sparsity with; `InvalidArgument` for a share that is not above 0.5 and
/// below 1; `Overflow` where the bins up to 0 would be more than 32,768, because the values lie far
/// from it; `OutOfMemory`.
pub fn choose_caffe2(values: &[f32], options: &Caffe2Options) -> Result<Chosen> {
    if !(1..=8).contains(&options.precision) {
        return Err(Error::OutOfRange {
            what: "precision to choose parameters for",
            value: i128::from(options.precision),
            min: 1,
            max: 8,
        });
    }
    if let Caffe2Method::P99(share) = options.method
        && !(share > 0.5 && share < 1.0)
    {
        return Err(Error::InvalidNumber {
            what: "share of values",
            value: f64::from(share),
            rule: "above 0.5 and below 1",
        });
    }
    refuse_non_finite(values)?;
    let (min, max) = range(values);
    let histogram = match options.method {
        Caffe2Method::MinMax => None,
        _ => Histogram::new(values, (min, max), options.precision)?,
    };
    let (min, max) = match histogram {
        Some(histogram) => histogram.chosen(options)?,
        None => (min, max),
    };
    let (precision, preserve_sparsity) = match options.method {
        // It passed neither on.
        Caffe2Method::Kl => (8, false),
        _ => (options.precision, options.preserve_sparsity),
    };
    let asked = ChooseOptions {
        qmax: (1_i32 << u32::from(precision)).wrapping_sub(1),
        preserve_sparsity,
        force_scale_power_of_two: options.force_scale_power_of_two,
        chooser: Chooser::Dnnlowp,
        ..ChooseOptions::default()
    };
    choose_quantization_params(min, max, &asked)
}

/// The smallest and the largest value.
fn range(values: &[f32]) -> (f32, f32) {
    let seen = scan(Level::best(), values);
    super::channel::range_of(&seen).unwrap_or((0.0, 0.0))
}

/// Equal bins from the smallest value to the largest.
struct Histogram {
    counts: Vec<u64>,
    min: f32,
    max: f32,
}

impl Histogram {
    /// Nothing where all values are equal.
    fn new(values: &[f32], (min, max): (f32, f32), precision: u8) -> Result<Option<Histogram>> {
        let bins = 1_usize << u32::from(precision).saturating_add(3);
        let width = (max - min) / bins as f32;
        if width == 0.0 || values.is_empty() {
            return Ok(None);
        }
        if !width.is_finite() {
            let value = f64::from(max - min);
            return Err(Error::NonFiniteNumber { what: "range in single precision", value });
        }
        let mut counts = zeros(bins)?;
        let last = bins.saturating_sub(1);
        for value in values {
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "it is not negative, and what is too large is the last bin's"
            )]
            let bin = (((value - min) / width) as usize).min(last);
            if let Some(count) = counts.get_mut(bin) {
                *count = u64::saturating_add(*count, 1);
            }
        }
        Ok(Some(Histogram { counts, min, max }))
    }

    fn width(&self) -> f32 {
        (self.max - self.min) / self.counts.len() as f32
    }

    /// Adds empty bins up to 0.
    fn with_zero(self) -> Result<Histogram> {
        let width = self.width();
        let (mut min, mut max) = (self.min, self.max);
        let missing = if min > 0.0 {
            (min / width).ceil()
        } else if max < 0.0 {
            (-max / width).ceil()
        } else {
            return Ok(self);
        };
        let limit = MOST_BINS.saturating_sub(self.counts.len());
        if missing > limit as f32 {
            let limit = i128::try_from(MOST_BINS).unwrap_or(i128::MAX);
            return Err(Error::Overflow { what: "number of bins from 0 on", limit });
        }
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is a whole number up to the limit"
        )]
        let added = missing as usize;
        let mut counts = zeros(self.counts.len().saturating_add(added))?;
        let start = if min > 0.0 { added } else { 0 };
        for (to, from) in counts.iter_mut().skip(start).zip(&self.counts) {
            *to = *from;
        }
        if min > 0.0 {
            min -= missing * width;
        } else {
            max += missing * width;
        }
        Ok(Histogram { counts, min, max })
    }

    /// The range that a method chooses.
    fn chosen(self, options: &Caffe2Options) -> Result<(f32, f32)> {
        let precision = options.precision;
        let norm = match options.method {
            Caffe2Method::MinMax => return Ok((self.min, self.max)),
            Caffe2Method::P99(share) => return Ok(self.with_zero()?.percentile(share)),
            Caffe2Method::Kl => return self.by_divergence(precision, options.preserve_sparsity),
            Caffe2Method::L1 => Norm::Absolute,
            Caffe2Method::L2 | Caffe2Method::L2Approx => Norm::Squared,
        };
        let histogram = self.with_zero()?;
        let width = histogram.width();
        let anchor = options.preserve_sparsity.then(|| histogram.anchor(f64::from(width)));
        let source = Source { counts: &histogram.counts, width, precision, anchor };
        let window = if options.method == Caffe2Method::L2Approx && anchor.is_none() {
            approximate_window(&source)
        } else {
            let mut bins = reserved(histogram.counts.len())?;
            bins.extend(histogram.counts.iter().map(|count| *count as f32));
            let mut pieces: Vec<Piece> = zeros(bins.len().saturating_add(1))?;
            least_norm(&source, &bins, norm, &mut pieces)
        };
        let edge = |bin: i32| histogram.min + width * bin as f32;
        Ok((edge(window.start), edge(window.start.saturating_add(window.width))))
    }

    /// Where windows start that must hold 0.
    fn anchor(&self, width: f64) -> Anchor {
        if self.min == 0.0 {
            return Anchor::First;
        }
        #[allow(clippy::cast_possible_truncation, reason = "it is one of the bins")]
        Anchor::Around((-f64::from(self.min) / width).round() as i32)
    }

    fn by_divergence(self, precision: u8, preserve_sparsity: bool) -> Result<(f32, f32)> {
        let width = self.width();
        let anchor = preserve_sparsity.then(|| self.anchor(f64::from(width)));
        let source = Source { counts: &self.counts, width, precision, anchor };
        let mut memory = zeros(divergence_memory(self.counts.len()))?;
        let Window { start, width: bins } = least_divergence(&source, &mut memory);
        #[allow(clippy::cast_possible_truncation, reason = "it is stored as a float there")]
        let center =
            |bin: i32| (f64::from(self.min) + f64::from(width) * (f64::from(bin) + 0.5)) as f32;
        Ok((center(start), center(start.saturating_add(bins))))
    }

    /// Both ends move inward together for as long as too few values are outside.
    fn percentile(&self, share: f32) -> (f32, f32) {
        let total = self.counts.iter().fold(0.0_f64, |sum, count| sum + *count as f64);
        let left_share = f64::from((1.0 - share) / 2.0);
        let right_share = 1.0 - left_share;
        // Shares of the values up to the bin at either end, and those bins.
        let (mut first, mut last) = (0_usize, self.counts.len().saturating_sub(2));
        let count = |bin: usize| self.counts.get(bin).copied().unwrap_or(0) as f64;
        let (mut left, mut right) = (count(0), total - count(last.saturating_add(1)));
        loop {
            let mut moved = false;
            if left / total < left_share {
                first = first.saturating_add(1);
                left += count(first);
                moved = true;
            }
            if right / total > right_share {
                right -= count(last);
                last = last.saturating_sub(1);
                moved = true;
            }
            if !moved || first > last {
                break;
            }
        }
        let width = self.width();
        let edge = |bin: usize| bin as f32 * width + self.min;
        (edge(first), edge(last.saturating_add(2)))
    }
}
