//! What an observer has seen, in numbers.

use super::cells::Cells;
use super::channel::{MOST, Rest};
use super::observer::Observer;
use crate::error::{Error, Result};
use crate::kernels::distortion::Distribution;

/// What was seen of a channel. Numbers that there are not, because no value was finite or the
/// observer does not keep them, are NaN.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Statistics {
    /// Finite values, zeros included.
    pub finite: u64,
    /// NaN.
    pub nan: u64,
    /// Positive infinities.
    pub positive_infinite: u64,
    /// Negative infinities.
    pub negative_infinite: u64,
    /// Zeros of either sign.
    pub zeros: u64,
    /// The smallest finite value.
    pub min: f64,
    /// The largest finite value.
    pub max: f64,
    /// The mean of the finite values, from a histogram's exact sums.
    pub mean: f64,
    /// Their variance around it, over their number.
    pub variance: f64,
    /// The mean of their squares.
    pub mean_square: f64,
    /// The moving average of the batches' smallest values.
    pub average_min: f64,
    /// The moving average of the batches' largest values.
    pub average_max: f64,
    /// Batches that a moving average has seen.
    pub batches: u64,
}

impl Observer {
    /// The most values that a channel can see.
    pub const MOST_VALUES: u64 = MOST;

    /// What was seen of a channel; without channels it is channel 0.
    ///
    /// ```
    /// # use caffe2_qtensor::calibrate::{Observer, ObserverConfig};
    /// let mut observer = Observer::new(&ObserverConfig::default())?;
    /// observer.observe(&[1.0, 2.0, 3.0, 0.0], &[])?;
    /// let seen = observer.statistics(0)?;
    /// assert_eq!((seen.finite, seen.zeros, seen.mean, seen.variance), (4, 1, 1.5, 1.25));
    /// # Ok::<(), caffe2_qtensor::Error>(())
    /// ```
    ///
    /// # Errors
    /// `OutOfRange` for a channel that is not there; `OutOfMemory`.
    pub fn statistics(&self, channel: usize) -> Result<Statistics> {
        let state = self.channels.get(channel).ok_or_else(|| Error::OutOfRange {
            what: "channel",
            value: i128::try_from(channel).unwrap_or(i128::MAX),
            min: 0,
            max: i128::try_from(self.channels.len()).unwrap_or(i128::MAX).saturating_sub(1),
        })?;
        let unknown = f64::NAN;
        let (min, max) =
            state.range().map_or((unknown, unknown), |(min, max)| (f64::from(min), f64::from(max)));
        let mut seen = Statistics {
            finite: state.finite,
            nan: state.scan.nan,
            positive_infinite: state.scan.positive_infinite,
            negative_infinite: state.scan.negative_infinite,
            zeros: state.scan.zeros,
            min,
            max,
            mean: unknown,
            variance: unknown,
            mean_square: unknown,
            average_min: unknown,
            average_max: unknown,
            batches: 0,
        };
        match &state.rest {
            Rest::Histogram(histogram) if !histogram.is_empty() => {
                let cells = Cells::new(state, histogram)?;
                let (total, frame) = (cells.pieces().total(), cells.frame);
                let mean = total.sum / total.count;
                seen.mean = frame.value(mean);
                let square = frame.unit * frame.unit;
                seen.variance = (total.squares / total.count - mean * mean).max(0.0) * square;
                seen.mean_square = seen.variance + seen.mean * seen.mean;
            }
            Rest::Average(average) if average.batches > 0 => {
                (seen.average_min, seen.average_max) = (average.min, average.max);
                seen.batches = average.batches;
            }
            _ => {}
        }
        Ok(seen)
    }
}
