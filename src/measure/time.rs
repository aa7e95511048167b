//! Time, by the clock that never goes back.

use crate::error::{Error, Result};
use std::time::Instant;

/// Counts seconds from when it was started.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// A stopwatch that runs from now on.
    pub fn start() -> Stopwatch {
        Stopwatch(Instant::now())
    }

    /// Seconds since it was started.
    pub fn seconds(&self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}

/// What several runs of the same thing took, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Timing {
    /// How many runs there were.
    pub runs: u64,
    /// All of them together.
    pub total: f64,
    /// The fastest one: what is left where nothing else disturbed it.
    pub minimum: f64,
    /// The one in the middle, or the mean of the two that are.
    pub median: f64,
    /// The mean.
    pub mean: f64,
    /// The one that 95 of 100 do not exceed: of rank `ceil(0.95 * runs)` in order.
    pub p95: f64,
    /// The slowest one.
    pub maximum: f64,
}

impl Timing {
    /// What runs took, from the seconds of each, which are put in order.
    ///
    /// ```
    /// # use caffe2_qtensor::measure::time::Timing;
    /// let timing = Timing::of(&mut [0.5, 0.25, 2.0, 1.0])?;
    /// assert_eq!((timing.minimum, timing.median, timing.p95), (0.25, 0.75, 2.0));
    /// # Ok::<(), caffe2_qtensor::Error>(())
    /// ```
    ///
    /// # Errors
    /// `OutOfRange` without any run; `NonFinite` for one that took no finite number of seconds;
    /// `InvalidArgument` for one that took less than 0.
    pub fn of(seconds: &mut [f64]) -> Result<Timing> {
        if let Some(index) = seconds.iter().position(|seconds| !seconds.is_finite()) {
            let value = seconds.get(index).copied().unwrap_or(f64::NAN);
            return Err(Error::NonFinite { index, value });
        }
        if let Some((index, value)) = (0..).zip(&*seconds).find(|(_, seconds)| **seconds < 0.0) {
            let (what, value, rule) = ("seconds", *value, "0 or more");
            return Err(Error::InvalidElement { what, index, value, rule });
        }
        seconds.sort_unstable_by(f64::total_cmp);
        let count = seconds.len();
        let at = |index: usize| seconds.get(index).copied();
        let (Some(minimum), Some(maximum)) = (at(0), at(count.saturating_sub(1))) else {
            return Err(no_runs());
        };
        let middle = at(count / 2).unwrap_or(maximum);
        let before = at(count.saturating_sub(1) / 2).unwrap_or(minimum);
        // The rank, from 1 on: 95 hundredths, rounded up.
        let rank = count.saturating_sub(count / 20);
        let total: f64 = seconds.iter().sum();
        Ok(Timing {
            runs: u64::try_from(count).unwrap_or(u64::MAX),
            total,
            minimum,
            median: before.midpoint(middle),
            mean: total / count as f64,
            p95: at(rank.saturating_sub(1)).unwrap_or(maximum),
            maximum,
        })
    }
}

/// Runs something `warm_up` times and then `runs` times with a stopwatch.
///
/// ```
/// # use caffe2_qtensor::measure::time::repeat;
/// let mut count = 0;
/// let timing = repeat(2, 5, || count += 1)?;
/// assert_eq!((count, timing.runs), (7, 5));
/// # Ok::<(), caffe2_qtensor::Error>(())
/// ```
///
/// # Errors
/// `OutOfRange` for no runs; `OutOfMemory`. Nothing is run then.
pub fn repeat(warm_up: usize, runs: usize, mut run: impl FnMut()) -> Result<Timing> {
    if runs == 0 {
        return Err(no_runs());
    }
    let mut seconds = Vec::new();
    let bytes = runs.saturating_mul(size_of::<f64>());
    let no_memory = Error::OutOfMemory { what: "times of runs", bytes };
    seconds.try_reserve_exact(runs).map_err(|_| no_memory)?;
    (0..warm_up).for_each(|_| run());
    for _ in 0..runs {
        let stopwatch = Stopwatch::start();
        run();
        seconds.push(stopwatch.seconds());
    }
    Timing::of(&mut seconds)
}

fn no_runs() -> Error {
    Error::OutOfRange { what: "number of runs", value: 0, min: 1, max: i128::from(u64::MAX) }
}
