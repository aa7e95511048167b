//! Parameters for the codes of what an observer has seen.

use super::cells::{Cells, Frame};
use super::channel::{Channel, Rest};
use super::config::{Kind, ObserverConfig};
use super::observer::Observer;
use super::predict::Predicted;
use super::rules::Rules;
use super::search::{Objective, quantile, search_all};
use super::target::{Codes, Target};
use crate::error::{Error, Excerpt, Result};
use crate::kernels::distortion::{Levels, Parts};

/// How parameters are chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Method {
    /// The range from the smallest to the largest value.
    MinMax,
    /// The range from minus the largest magnitude to it.
    MaxAbs,
    /// The range of a moving average.
    MovingAverage,
    /// The range between two quantiles, from 0 to 1: `Percentile(0.001, 0.999)` leaves a thousandth
    /// on each side.
    Percentile(f64, f64),
    /// The smallest mean squared error.
    Mse,
    /// The smallest mean absolute error.
    Mae,
    /// A range that the caller knows.
    Fixed(f64, f64),
}

/// Chosen parameters and what the codes are predicted to be like.
///
/// What is predicted is exact up to the positions of values inside a histogram's bin; it is NaN
/// where the observer has no histogram, and where a range was fixed without a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Choice {
    /// The distance between the values of neighboring codes: positive, finite and normal.
    pub scale: f64,
    /// What is added to a code before it is scaled.
    pub bias: f64,
    /// Minus the bias, where that is the whole number of an i32.
    pub zero_point: Option<i32>,
    /// The mean squared error.
    pub mse: f64,
    /// The mean absolute error.
    pub mae: f64,
    /// The signal-to-noise ratio in decibels, `10 * log10(Σx² / Σe²)`: infinite without an error, and
    /// minus infinity where all values are 0 and have an error, because no code stands for 0.
    pub sqnr: f64,
    /// The share of values, from 0 to 1, that are below the lowest code by more than half a step.
    pub clipped_low: f64,
    /// The share that is above the highest code by more than half a step.
    pub clipped_high: f64,
}

/// The most bits of a code whose error is made small.
const MOST_SEARCHED: u8 = 8;
/// The most bits of a code whose range is chosen.
const MOST_RANGED: u8 = 16;

/// The scales that a range which the caller knows may lead to: whatever the values' own unit is, from
/// 2^-149 to 2^120, it stays a normal number.
const LEAST_SCALE: f64 = 1e-200;
const MOST_SCALE: f64 = 1e200;

impl Method {
    fn check(&self) -> Result<()> {
        let invalid = |what, value, rule| Err(Error::InvalidNumber { what, value, rule });
        let ordered = |what, value: f64, other, limit: f64| match value <= limit {
            true => Ok(()),
            false => Err(Error::OutOfOrder { what, value, other, limit }),
        };
        match *self {
            Method::Percentile(low, high) => {
                for (what, value) in [("lower quantile", low), ("upper quantile", high)] {
                    if !(0.0..=1.0).contains(&value) {
                        return invalid(what, value, "from 0 to 1");
                    }
                }
                ordered("lower quantile", low, "upper quantile", high)
            }
            Method::Fixed(min, max) => {
                for (what, value) in [("minimum", min), ("maximum", max)] {
                    if !value.is_finite() {
                        return Err(Error::NonFiniteNumber { what, value });
                    }
                }
                ordered("minimum", min, "maximum", max)
            }
            _ => Ok(()),
        }
    }

    /// The codes of a target that the method can serve.
    pub(super) fn codes(&self, target: &Target) -> Result<Codes> {
        self.check()?;
        let codes = target.codes(self.objective().map_or(MOST_RANGED, |_| MOST_SEARCHED))?;
        if let Method::Fixed(min, max) = *self {
            let rules = self.rules(target, codes, Frame { unit: 1.0, center: 0.0 });
            // Of a huge range nothing covers, but the point that stands in for none would be found.
            let covering = rules.covering(min, max);
            let levels = if min < max { covering } else { covering.or_else(|| rules.point(min)) };
            let scale = levels.map_or((max - min) / f64::from(codes.steps()), |it| it.step);
            if !(LEAST_SCALE..=MOST_SCALE).contains(&scale) {
                return Err(Error::InvalidNumber {
                    what: "scale for the range that was given",
                    value: scale,
                    rule: "from 1e-200 to 1e200",
                });
            }
        }
        Ok(codes)
    }

    /// All rules for the levels. A range that the caller knows may be one of doubles.
    fn rules(&self, target: &Target, codes: Codes, frame: Frame) -> Rules {
        match self {
            Method::Fixed(..) => Rules { most: f64::INFINITY, ..target.rules(codes, frame) },
            _ => target.rules(codes, frame),
        }
    }

    fn objective(&self) -> Option<Objective> {
        match self {
            Method::Mse => Some(Objective::Squared),
            Method::Mae => Some(Objective::Absolute),
            _ => None,
        }
    }
}

impl Observer {
    /// Parameters for the codes of a channel's values; without channels it is channel 0.
    ///
    /// Values that are all equal get parameters by which one of the codes stands for just that
    /// value, where the target allows it. Otherwise every code stands for a number that single
    /// precision has, unless the range is fixed.
    ///
    /// ```
    /// use caffe2_qtensor::calibrate::{Method, Observer, ObserverConfig, Target};
    ///
    /// let mut observer = Observer::new(&ObserverConfig::default())?;
    /// observer.observe(&[-1.0, -0.25, 0.0, 0.5, 2.0], &[])?;
    /// let choice = observer.choose(0, Method::MinMax, &Target::default())?;
    /// assert_eq!((choice.scale, choice.bias), (3.0 / 255.0, -85.0));
    /// assert!(observer.choose(0, Method::Mse, &Target::default())?.mse <= choice.mse);
    /// # Ok::<(), caffe2_qtensor::Error>(())
    /// ```
    ///
    /// # Errors
    /// `OutOfRange` for a channel that is not there, and for a precision of 0 or above 8, or above 16
    /// where the method only looks at a range; `InvalidArgument` for quantiles or a range that are
    /// none, for a fixed range whose scale is not from 1e-200 to 1e200, and where no finite value was
    /// seen, unless the range is fixed; `Unsupported` for a method that this kind of observer cannot
    /// serve; `NonFinite` for a scale beyond what a double holds; `OutOfMemory`.
    pub fn choose(&self, channel: usize, method: Method, target: &Target) -> Result<Choice> {
        let state = self.channels.get(channel).ok_or_else(|| Error::OutOfRange {
            what: "channel",
            value: i128::try_from(channel).unwrap_or(i128::MAX),
            min: 0,
            max: i128::try_from(self.channels.len()).unwrap_or(i128::MAX).saturating_sub(1),
        })?;
        let codes = method.codes(target)?;
        match &state.rest {
            Rest::Histogram(histogram)
                if !histogram.is_empty() && method != Method::MovingAverage =>
            {
                let cells = Cells::new(state, histogram)?;
                let (min, max) = (f64::from(histogram.min), f64::from(histogram.max));
                choose(&cells.pieces(), cells.frame, (min, max), method, target, codes)
            }
            _ => self.by_range(state, method, target, codes),
        }
    }

    /// A choice where there is no histogram to predict an error from.
    fn by_range(
        &self,
        state: &Channel,
        method: Method,
        target: &Target,
        codes: Codes,
    ) -> Result<Choice> {
        let unserved = |reason| {
            let value = Excerpt::new(self.config.kind.name());
            Err(Error::UnsupportedName { what: "kind of the observer", value, reason })
        };
        let seen = state.range().map(|(min, max)| (f64::from(min), f64::from(max)));
        let average = match (&state.rest, seen) {
            (Rest::Average(average), Some(_)) => Some((average.min, average.max)),
            _ => None,
        };
        let range = match (method, self.config.kind) {
            (Method::Fixed(min, max), _) => Some((min, max)),
            (Method::MinMax, _) => seen,
            (Method::MaxAbs, _) => seen.map(around_zero),
            (Method::MovingAverage, Kind::MovingAverage { .. }) => average,
            (Method::MovingAverage, _) => return unserved("only a moving average has one"),
            (_, Kind::Histogram { .. }) => None,
            _ => return unserved("this method needs a histogram"),
        };
        let Some((min, max)) = range else {
            return Err(no_values());
        };
        let frame = Frame { unit: 1.0, center: 0.0 };
        let rules = method.rules(target, codes, frame);
        let levels = rules.covering(min, max).or_else(|| rules.point(min));
        let unknown = f64::NAN;
        finish(&rules, levels).map_or_else(
            || Err(too_large(max)),
            |(scale, bias)| {
                Ok(Choice {
                    scale,
                    bias,
                    zero_point: crate::quantize::as_int32(-bias),
                    mse: unknown,
                    mae: unknown,
                    sqnr: unknown,
                    clipped_low: unknown,
                    clipped_high: unknown,
                })
            },
        )
    }
}

fn around_zero((min, max): (f64, f64)) -> (f64, f64) {
    let most = min.abs().max(max.abs());
    (-most, most)
}

/// The refusal where there is nothing to choose by.
pub(super) fn no_values() -> Error {
    Error::InvalidArgument { what: "number of finite values", value: 0, rule: "1 or more" }
}

fn too_large(value: f64) -> Error {
    Error::NonFiniteNumber { what: "scale for this range", value }
}

/// Parameters for values of which a distribution is known. `range` is that of the values.
pub(super) fn choose<D: Parts>(
    distribution: &D,
    frame: Frame,
    range: (f64, f64),
    method: Method,
    target: &Target,
    codes: Codes,
) -> Result<Choice> {
    let rules = method.rules(target, codes, frame);
    let (min, max) = (frame.of_value(range.0), frame.of_value(range.1));
    let predicted = |levels: Option<Levels>| {
        let (scale, bias) = finish(&rules, levels)?;
        let quantizer = rules.quantizer(scale, bias);
        let sums = if range.0 < range.1 {
            quantizer.predict(distribution, frame)
        } else {
            quantizer.predict_point(distribution.total().count, range.0 / frame.unit)
        };
        Some((scale, bias, sums))
    };
    let levels = match method {
        Method::MinMax => rules.covering(min, max),
        // Its observer has no distribution.
        Method::MovingAverage => None,
        Method::MaxAbs | Method::Fixed(..) => {
            let (min, max) = match method {
                Method::Fixed(min, max) => (min, max),
                _ => around_zero(range),
            };
            rules.covering(frame.of_value(min), frame.of_value(max)).or_else(|| rules.point(min))
        }
        Method::Percentile(low, high) => {
            let at = |share: f64| quantile(distribution, share, (min, max));
            let (low, high) = (at(low), at(high));
            rules.covering(low, high).or_else(|| rules.point(frame.value(low)))
        }
        Method::Mse | Method::Mae => {
            let objective = method.objective().unwrap_or(Objective::Squared);
            let error =
                |levels: &Levels| predicted(Some(*levels)).map(|(_, _, sums)| objective.of(&sums));
            if min < max {
                let biases = target.biases(codes);
                search_all(distribution, &rules, biases, objective, (min, max), error)
            } else {
                least([rules.point(range.0), rules.covering(min, max)], error)
            }
        }
    };
    let levels = levels.or_else(|| rules.point(range.0));
    let (scale, bias, sums) = predicted(levels).ok_or_else(|| too_large(range.1))?;
    Ok(Choice::new((scale, bias), &sums, frame.unit))
}

/// The first of those with the smallest error, among those that have one.
pub(super) fn least(
    levels: impl IntoIterator<Item = Option<Levels>>,
    error: impl Fn(&Levels) -> Option<f64>,
) -> Option<Levels> {
    let mut best: Option<(Levels, f64)> = None;
    for levels in levels.into_iter().flatten() {
        if let Some(error) = error(&levels)
            && best.is_none_or(|(_, least)| error < least)
        {
            best = Some((levels, error));
        }
    }
    best.map(|(levels, _)| levels)
}

/// Scale and bias of levels, or nothing where they are no numbers that a tensor can have.
fn finish(rules: &Rules, levels: Option<Levels>) -> Option<(f64, f64)> {
    let levels = levels?;
    let scale = levels.step * rules.frame.unit;
    let bias = rules.bias_of(&levels);
    (scale.is_normal() && scale > 0.0 && bias.is_finite()).then_some((scale, bias))
}

impl Choice {
    fn new((scale, bias): (f64, f64), sums: &Predicted, unit: f64) -> Choice {
        let &Predicted { count, squares, magnitudes, power, low, high } = sums;
        Choice {
            scale,
            bias,
            zero_point: crate::quantize::as_int32(-bias),
            mse: squares / count * unit * unit,
            mae: magnitudes / count * unit,
            sqnr: if squares > 0.0 { 10.0 * (power / squares).log10() } else { f64::INFINITY },
            clipped_low: (low / count).clamp(0.0, 1.0),
            clipped_high: (high / count).clamp(0.0, 1.0),
        }
    }
}

const _: () = assert!(ObserverConfig::BINS >= 16 << MOST_SEARCHED as usize);
