//! Reading the counters of energy.

use super::{perf, powercap};
use crate::error::{Error, Result};
use crate::measure::time::Stopwatch;
use std::path::Path;

/// Energy that was measured, and over what time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// Joules of all packages together, whatever ran on them; above 0.
    pub joules: f64,
    /// Seconds.
    pub seconds: f64,
}

impl Reading {
    /// Watts on average.
    pub fn watts(&self) -> f64 {
        self.joules / self.seconds
    }

    /// Joules beyond what an idle machine would have taken in this time, by a reading of one. It is
    /// below 0 where the machine took less than that: the difference was lost in the noise.
    ///
    /// ```
    /// # use caffe2_qtensor::measure::energy::Reading;
    /// let idle = Reading { joules: 20.0, seconds: 2.0 };
    /// let busy = Reading { joules: 45.0, seconds: 3.0 };
    /// assert_eq!(busy.above(&idle), 15.0);
    /// ```
    pub fn above(&self, idle: &Reading) -> f64 {
        self.joules - idle.watts() * self.seconds
    }
}

/// Where a meter's counters come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// Linux's powercap tree.
    Powercap,
    /// Linux's performance events.
    Perf,
}

/// Measures what the processor's packages take, by counters that they have.
///
/// A counter is updated about once a millisecond and counts whatever runs on the package: measure a
/// second or more at a time, and subtract what an idle machine takes, [`Reading::above`].
///
/// ```no_run
/// use caffe2_qtensor::measure::energy::Meter;
///
/// let mut meter = Meter::open(None)?;
/// std::thread::sleep(std::time::Duration::from_secs(1));
/// let idle = meter.read()?;
/// meter.start()?;
/// // A second of work.
/// println!("{} J more than idle", meter.read()?.above(&idle));
/// # Ok::<(), caffe2_qtensor::Error>(())
/// ```
pub struct Meter {
    counters: Counters,
    /// Counts since the start; nothing where a counter was set anew in between.
    passed: Option<u64>,
    stopwatch: Stopwatch,
}

enum Counters {
    Powercap(Vec<powercap::Zone>),
    Perf { events: Vec<perf::Event>, unit: f64 },
}

/// Joules in a microjoule.
const MICRO: f64 = 1e-6;

impl Meter {
    /// Opens the counters and starts to measure. `root` is the powercap tree, for tests and for
    /// containers that have it elsewhere; without one it is that of the system, and where that has no
    /// packages, performance events are tried.
    ///
    /// # Errors
    /// `Unavailable` where there are no counters, as in most virtual machines, and where they are
    /// not for everybody to read; `Malformed` for files with something else in them; `OutOfMemory`.
    pub fn open(root: Option<&Path>) -> Result<Meter> {
        let counters = match root {
            Some(root) => Counters::Powercap(powercap::zones(root)?),
            None => match powercap::zones(powercap::ROOT.as_ref()) {
                Ok(zones) => Counters::Powercap(zones),
                Err(Error::Unavailable { .. }) => {
                    let described = perf::described(perf::ROOT.as_ref())?;
                    Counters::Perf { events: described.open()?, unit: described.unit }
                }
                Err(error) => return Err(error),
            },
        };
        Ok(Meter { counters, passed: Some(0), stopwatch: Stopwatch::start() })
    }

    /// Where its counters come from.
    pub fn source(&self) -> Source {
        match self.counters {
            Counters::Powercap(_) => Source::Powercap,
            Counters::Perf { .. } => Source::Perf,
        }
    }

    /// How many packages are measured.
    pub fn packages(&self) -> usize {
        match &self.counters {
            Counters::Powercap(zones) => zones.len(),
            Counters::Perf { events, .. } => events.len(),
        }
    }

    /// Starts anew.
    ///
    /// # Errors
    /// `Unavailable` where a counter cannot be read any more; `Malformed` for files with something
    /// else in them.
    pub fn start(&mut self) -> Result<()> {
        self.advance()?;
        self.passed = Some(0);
        self.stopwatch = Stopwatch::start();
        Ok(())
    }

    /// What was taken since the start; the measurement goes on.
    ///
    /// A counter of the powercap tree begins again at 0, after some minutes or an hour of full load;
    /// that is seen once, so a long measurement is read in between. A suspended machine or a driver
    /// that is loaded anew sets a counter to 0, too. That is told from the former by what a package
    /// would have taken since the last reading: more than 2000 W, and the energy is unknown until
    /// the next start. Where it would not, or the counter is beyond its old number again, it cannot
    /// be told; the more often a counter is read, the less can go unseen.
    ///
    /// # Errors
    /// `Unavailable` where a counter cannot be read any more, where one was set anew since the start,
    /// and where none has moved: the time was too short, or the machine only pretends to have
    /// counters. `Malformed` for files with something else in them.
    pub fn read(&mut self) -> Result<Reading> {
        let seconds = self.stopwatch.seconds();
        self.advance()?;
        let unavailable = |reason| Error::Unavailable { what: "energy", reason };
        let passed = self.passed.ok_or_else(|| {
            unavailable("a counter was set anew since the start; start the measurement again")
        })?;
        if passed == 0 {
            let reason = "no counter has moved; they are updated about once a millisecond";
            return Err(unavailable(reason));
        }
        let unit = match self.counters {
            Counters::Powercap(_) => MICRO,
            Counters::Perf { unit, .. } => unit,
        };
        Ok(Reading { joules: passed as f64 * unit, seconds })
    }

    fn advance(&mut self) -> Result<()> {
        let sum = &mut self.passed;
        let mut add = |passed: Option<u64>| {
            *sum = sum.zip(passed).map(|(sum, passed)| sum.saturating_add(passed));
        };
        match &mut self.counters {
            Counters::Powercap(zones) => {
                zones.iter_mut().try_for_each(|zone| zone.advance().map(&mut add))
            }
            Counters::Perf { events, .. } => {
                events.iter_mut().try_for_each(|event| event.advance().map(Some).map(&mut add))
            }
        }
    }
}
