//! What an observer is made for.

use crate::error::{Error, Result};

/// What an [`Observer`](super::Observer) remembers, of what, and what it takes.
///
/// ```
/// use caffe2_qtensor::calibrate::{Kind, Observer, ObserverConfig};
///
/// // The smallest and the largest value of each of 64 output channels.
/// let config = ObserverConfig {
///     kind: Kind::Range,
///     channels: Some((0, 64)),
///     ..ObserverConfig::default()
/// };
/// let observer = Observer::new(&config)?;
/// # Ok::<(), caffe2_qtensor::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ObserverConfig {
    /// What is remembered of the values.
    pub kind: Kind,
    /// The dimension that the channels are and how many there are, or nothing for one scale for
    /// all values.
    pub channels: Option<(usize, usize)>,
    /// What happens to NaN and infinities.
    pub missing: Missing,
}

impl Default for ObserverConfig {
    /// A histogram of [`ObserverConfig::BINS`] bins for all values, NaN and infinities refused.
    fn default() -> ObserverConfig {
        ObserverConfig {
            kind: Kind::Histogram { bins: ObserverConfig::BINS },
            channels: None,
            missing: Missing::Refuse,
        }
    }
}

/// What is remembered of the values.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Kind {
    /// The smallest and the largest value: 128 bytes a channel, at the speed of reading.
    Range,
    /// A histogram with exact sums: 40 bytes for each of the bins and 512 more, a channel. The
    /// error that codes would have can be computed from it, so every method of choosing works.
    Histogram {
        /// The number of bins: a power of two from 256 to 16384. The best choice for codes of P
        /// bits wants `16 * 2^P`; fewer make it less good, and not wrong.
        bins: usize,
    },
    /// The average of the batches' smallest values and of their largest, in which each batch has
    /// more weight than the one before: `average + weight * (batch - average)`. It depends on the
    /// batches and their order, so such observers cannot be merged.
    MovingAverage {
        /// The weight of a batch: above 0 and at most 1.
        weight: f64,
    },
}

impl Kind {
    /// A word for it.
    pub(super) fn name(&self) -> &'static [u8] {
        match self {
            Kind::Range => b"range",
            Kind::Histogram { .. } => b"histogram",
            Kind::MovingAverage { .. } => b"moving average",
        }
    }
}

/// What happens to values that are not finite.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Missing {
    /// The batch is refused, naming the first one; the observer stays as it was.
    #[default]
    Refuse,
    /// They are counted and otherwise left out.
    Skip,
}

impl ObserverConfig {
    /// The number of bins that a histogram has by default.
    pub const BINS: usize = 4096;
    /// The fewest bins of a histogram.
    pub const LEAST_BINS: usize = 256;
    /// The most bins of a histogram.
    pub const MOST_BINS: usize = 16384;
    /// The most channels.
    pub const MOST_CHANNELS: usize = 1 << 24;

    pub(super) fn check(&self) -> Result<()> {
        let count = |value: usize| i128::try_from(value).unwrap_or(i128::MAX);
        match self.kind {
            Kind::Range => {}
            Kind::Histogram { bins } => {
                let range = ObserverConfig::LEAST_BINS..=ObserverConfig::MOST_BINS;
                if !bins.is_power_of_two() || !range.contains(&bins) {
                    return Err(Error::InvalidArgument {
                        what: "number of bins",
                        value: count(bins),
                        rule: "a power of two from 256 to 16384",
                    });
                }
            }
            Kind::MovingAverage { weight } => {
                if !(weight > 0.0 && weight <= 1.0) {
                    return Err(Error::InvalidNumber {
                        what: "weight of a batch",
                        value: weight,
                        rule: "above 0 and at most 1",
                    });
                }
            }
        }
        let Some((axis, channels)) = self.channels else {
            return Ok(());
        };
        let out_of_range = |what, value, min, max| {
            Err(Error::OutOfRange { what, value: count(value), min, max: count(max) })
        };
        if axis >= crate::MAX_DIMS {
            return out_of_range("channel axis", axis, 0, crate::MAX_DIMS.saturating_sub(1));
        }
        if channels == 0 || channels > ObserverConfig::MOST_CHANNELS {
            return out_of_range("number of channels", channels, 1, ObserverConfig::MOST_CHANNELS);
        }
        Ok(())
    }

    /// How many states there are.
    pub(super) fn states(&self) -> usize {
        self.channels.map_or(1, |(_, channels)| channels)
    }
}
