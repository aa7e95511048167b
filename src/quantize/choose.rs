//! Scale and zero point for a range of values, as Caffe2 chose them.
//!
//! Two copies of the function lived in and beside Caffe2, and they differ: see [`Chooser`]. Both
//! return for some ranges what no tensor can use. Parity keeps that, because a program that
//! replaces Caffe2 wants the same numbers; [`ChooseOptions::mend_defects`] does not.

use crate::error::{Error, Result};
use core::f64::consts::LN_2;

/// Which copy of Caffe2's `ChooseQuantizationParams` is followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Chooser {
    /// The one in `quant_utils`: the scale stays a double, and of the two candidates for the zero
    /// point, `qmin - min/scale` and `qmax - max/scale`, that with the smaller
    /// `|q| - |value/scale|` is taken.
    #[default]
    QuantUtils,
    /// The one in fbgemm, which dnnlowp uses and so all of Caffe2's operators: the scale is rounded
    /// to a float, and that with the smaller `|q| + |value/scale|` is taken. There it knew no
    /// reduced range; here it takes one.
    Dnnlowp,
}

/// What [`choose_quantization_params`] is asked for. The default is 0 to 255 and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChooseOptions {
    /// The smallest code.
    pub qmin: i32,
    /// The largest code.
    pub qmax: i32,
    /// Where the range has values on both sides of 0: widens it so that 0 falls on the code in the
    /// middle.
    pub preserve_sparsity: bool,
    /// Rounds the scale up to a power of two. See [`ChooseOptions::mend_defects`].
    pub force_scale_power_of_two: bool,
    /// Halves `qmin` and `qmax`, toward 0, before anything else: a bit less, which keeps old
    /// instructions from overflowing.
    pub reduce_range: bool,
    /// Whose function it is.
    pub chooser: Chooser,
    /// Gives sound results where Caffe2's are not, instead of the same as Caffe2.
    ///
    /// Caffe2 computes a power of two by a shift of an `int`, whose distance counts modulo 32, from
    /// a quotient of logarithms that is not exact: scales far from 1 come out wrong, even
    /// negative, and 2^29 becomes 2^30. With this option it is the smallest power of two that
    /// is not less. Caffe2 also returns an infinite scale where the range, widened for sparsity,
    /// exceeds single precision; with this option that is an error.
    pub mend_defects: bool,
}

impl Default for ChooseOptions {
    fn default() -> ChooseOptions {
        ChooseOptions {
            qmin: 0,
            qmax: 255,
            preserve_sparsity: false,
            force_scale_power_of_two: false,
            reduce_range: false,
            chooser: Chooser::QuantUtils,
            mend_defects: false,
        }
    }
}

/// A scale and a zero point: a code `q` stands for `scale * (q - zero_point)`.
///
/// In a [`QTensor`](crate::QTensor) that is the bias `-zero_point`: see
/// [`bias_of_zero_point`](crate::quantize::bias_of_zero_point).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Chosen {
    /// The distance between the values of two neighboring codes; with [`Chooser::Dnnlowp`] a value
    /// that a float holds.
    pub scale: f64,
    /// The code that stands for 0, from `qmin` to `qmax`.
    pub zero_point: i32,
}

/// The scale and zero point by which codes from `qmin` to `qmax` cover values from `min` to `max`,
/// bit for bit as Caffe2 chose them.
///
/// The range is widened to hold 0. A scale that is 0, or whose reciprocal is infinite in single
/// precision, becomes 0.1. The formulas are those of `ChooseQuantizationParams` in Caffe2's
/// `quant_utils.h` and in fbgemm's `QuantUtils.cc`, of the versions in PyTorch 1.8.1.
///
/// ```
/// use caffe2_qtensor::quantize::{ChooseOptions, choose_quantization_params};
///
/// let four_bits = ChooseOptions { qmax: 15, ..ChooseOptions::default() };
/// let chosen = choose_quantization_params(-2.0, 5.5, &four_bits)?;
/// assert_eq!((chosen.scale, chosen.zero_point), (0.5, 4));
/// # Ok::<(), caffe2_qtensor::Error>(())
/// ```
///
/// # Errors
/// `NonFinite` for a minimum or maximum that is infinite or NaN; `InvalidArgument` for a minimum
/// above the maximum; `OutOfRange` where `qmin` is not less than `qmax`, after the reduction, or
/// where there are only two codes to preserve sparsity with. Caffe2 threw on all of these, except
/// on infinities. With [`ChooseOptions::mend_defects`] also `NonFinite` for a scale that would be
/// infinite.
pub fn choose_quantization_params(min: f32, max: f32, options: &ChooseOptions) -> Result<Chosen> {
    check_range(min, max)?;
    let codes = Codes::new(options)?;
    let (mut min, mut max) = (min, max);
    if options.preserve_sparsity && min < 0.0 && max > 0.0 {
        (min, max) = codes.widened_around_zero(min, max)?;
    }
    let (min, max) = (min.min(0.0), max.max(0.0));
    let scale = codes.scale(min, max, options)?;
    let initial = if options.preserve_sparsity && min < 0.0 && max > 0.0 {
        codes.middle()
    } else {
        codes.zero_point(min, max, scale, options.chooser)
    };
    Ok(Chosen { scale, zero_point: codes.nearest(initial) })
}

fn check_range(min: f32, max: f32) -> Result<()> {
    for (what, value) in [("minimum", min), ("maximum", max)] {
        if !value.is_finite() {
            return Err(Error::NonFiniteNumber { what, value: f64::from(value) });
        }
    }
    if min > max {
        let (value, limit) = (f64::from(min), f64::from(max));
        return Err(Error::OutOfOrder { what: "minimum", value, other: "maximum", limit });
    }
    Ok(())
}

/// The codes that the range is mapped to. Sums and differences are computed in i64, which holds
/// them all: in Caffe2's `int` they overflow where the limits are far apart.
struct Codes {
    qmin: i32,
    qmax: i32,
}

impl Codes {
    fn new(options: &ChooseOptions) -> Result<Codes> {
        let ChooseOptions { qmin, qmax, reduce_range, .. } = *options;
        let (what, codes) = match reduce_range {
            true => ("halved qmin", Codes { qmin: qmin / 2, qmax: qmax / 2 }),
            false => ("qmin", Codes { qmin, qmax }),
        };
        if codes.qmin < codes.qmax {
            return Ok(codes);
        }
        Err(Error::OutOfRange {
            what,
            value: i128::from(codes.qmin),
            min: i128::from(i32::MIN),
            max: i128::from(codes.qmax).saturating_sub(1),
        })
    }

    /// The number of steps from the first code to the last, at least 1.
    fn steps(&self) -> i64 {
        i64::from(self.qmax).saturating_sub(i64::from(self.qmin))
    }

    /// The smallest range around `min` and `max` whose ends are whole numbers of steps away from 0:
    /// one more below than above.
    ///
    /// The quotients are floats and the products are rounded to floats, as there; in double
    /// precision the scale would now and then be its neighbor.
    #[allow(clippy::cast_possible_truncation, reason = "rounding to a float is what is meant")]
    fn widened_around_zero(&self, min: f32, max: f32) -> Result<(f32, f32)> {
        let above = self.steps() / 2;
        if above == 0 {
            // There the quotient by 0 led to a NaN and then to an exception.
            return Err(Error::OutOfRange {
                what: "number of codes that sparsity is preserved with",
                value: 2,
                min: 3,
                max: 1 << 32,
            });
        }
        let below = above.saturating_add(1).saturating_neg();
        let per_code = (min / below as f32).abs().max((max / above as f32).abs());
        let end = |codes: i64| (f64::from(per_code) * codes as f64) as f32;
        Ok((end(below), end(above)))
    }

    /// The scale for a range that holds 0.
    fn scale(&self, min: f32, max: f32, options: &ChooseOptions) -> Result<f64> {
        let stored = |scale: f64| match options.chooser {
            Chooser::QuantUtils => scale,
            Chooser::Dnnlowp => f64::from(to_f32(scale)),
        };
        let mut scale = stored((f64::from(max) - f64::from(min)) / self.steps() as f64);
        // Its reciprocal must be a number: what multiplies by that instead of dividing relies on it.
        if to_f32(scale) == 0.0 || (1.0 / to_f32(scale)).is_infinite() {
            scale = stored(0.1);
        }
        if options.force_scale_power_of_two {
            scale = stored(match options.mend_defects {
                true => power_of_two_not_below(scale),
                false => power_of_two_by_shift(scale),
            });
        }
        if options.mend_defects && scale.is_infinite() {
            return Err(Error::NonFiniteNumber { what: "scale for this range", value: scale });
        }
        Ok(scale)
    }

    /// Where 0 lies between the codes, from that end of the range from which less is subtracted.
    fn zero_point(&self, min: f32, max: f32, scale: f64, chooser: Chooser) -> f64 {
        let candidate = |code: i32, value: f32| {
            let (code, distance) = (f64::from(code), f64::from(value) / scale);
            let error = match chooser {
                Chooser::QuantUtils => code.abs() - distance.abs(),
                Chooser::Dnnlowp => code.abs() + distance.abs(),
            };
            (code - distance, error)
        };
        let (from_min, min_error) = candidate(self.qmin, min);
        let (from_max, max_error) = candidate(self.qmax, max);
        if min_error < max_error { from_min } else { from_max }
    }

    /// The code in the middle, as many below it as above or one more.
    fn middle(&self) -> f64 {
        let above = (self.steps() / 2).saturating_add(1);
        i64::from(self.qmin).saturating_add(above) as f64
    }

    /// The code nearest to a number, ties to even; a NaN would be the first.
    #[allow(clippy::cast_possible_truncation, reason = "it lies between two codes")]
    fn nearest(&self, value: f64) -> i32 {
        if value > f64::from(self.qmax) {
            self.qmax
        } else if value >= f64::from(self.qmin) {
            value.round_ties_even() as i32
        } else {
            self.qmin
        }
    }
}

#[allow(clippy::cast_possible_truncation, reason = "rounding to a float is what is meant")]
fn to_f32(value: f64) -> f32 {
    value as f32
}

/// A scale rounded up to a power of two as Caffe2 does it, its mistakes included: a quotient of
/// logarithms for the exponent, and `1 << exponent` in an `int`, of which the processor looks at
/// the lowest five bits of the exponent. What does not fit an `int` becomes its smallest value.
fn power_of_two_by_shift(scale: f64) -> f64 {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it was seen to be in range, and is never negative"
    )]
    let shifted = |exponent: f64| {
        let fits = exponent < f64::from(i32::MAX);
        f64::from(1i32.wrapping_shl(if fits { exponent as u32 } else { 1 << 31 }))
    };
    if scale < 1.0 {
        1.0 / shifted(((1.0 / scale).ln() / LN_2).floor())
    } else {
        shifted((scale.ln() / LN_2).ceil())
    }
}

/// The smallest power of two that is not less than a scale, which is positive and a normal number;
/// infinity where the scale is.
fn power_of_two_not_below(scale: f64) -> f64 {
    const MANTISSA: u64 = (1 << 52) - 1;
    f64::from_bits(scale.to_bits().wrapping_add(MANTISSA) & !MANTISSA)
}
