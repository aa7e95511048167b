//! The energy of fetching a tensor and making floats of it: modeled always, measured where it is asked
//! for and the machine has counters.

use caffe2_qtensor::measure::energy::{Meter, Reading, Table, Work, modeled};
use caffe2_qtensor::measure::time::Stopwatch;
use caffe2_qtensor::{Error, QTensor, Result};
use std::path::Path;
use std::time::Duration;

/// Seconds over which a counter, which moves about once a millisecond, is read.
const SECONDS: f64 = 1.0;

/// Joules to read the planes of a tensor from memory and to make a float of each code, by the model: of
/// each plane a bit operation for 32 codes, and of each code a multiplication and an addition in single
/// precision.
pub(super) fn of_tensor(tensor: &QTensor, planes: u64, values: u64) -> Result<f64> {
    let each = u64::from(tensor.precision()).saturating_add(u64::from(tensor.is_signed()));
    let work = Work {
        memory_bytes: planes,
        bit_operations: values.div_ceil(32).saturating_mul(each),
        float_multiplies: values,
        float_adds: values,
        ..Work::default()
    };
    Ok(modeled(&work, &Table::default())?.joules())
}

/// Joules to read floats from memory, by the model.
pub(super) fn of_floats(bytes: u64) -> Result<f64> {
    let work = Work { memory_bytes: bytes, ..Work::default() };
    Ok(modeled(&work, &Table::default())?.joules())
}

/// A meter and what the machine takes when it does nothing.
pub(super) struct Measured {
    meter: Meter,
    idle: Reading,
}

impl Measured {
    /// Opens the counters and looks at the idle machine for a second.
    ///
    /// # Errors
    /// Those of [`Meter`]: there are no counters in most virtual machines.
    pub(super) fn open(powercap: Option<&Path>) -> Result<Measured> {
        let mut meter = Meter::open(powercap)?;
        std::thread::sleep(Duration::from_secs_f64(SECONDS));
        let idle = meter.read()?;
        Ok(Measured { meter, idle })
    }

    /// Joules of one run of some work, beyond those of the idle machine: it runs for a second, and
    /// the energy of that is divided. Nothing where the work is lost in the noise.
    ///
    /// # Errors
    /// Those of [`Meter::read`] and of the work.
    pub(super) fn run(&mut self, mut work: impl FnMut() -> Result<()>) -> Result<Option<f64>> {
        let stopwatch = Stopwatch::start();
        self.meter.start()?;
        let mut runs = 0.0;
        while stopwatch.seconds() < SECONDS {
            work()?;
            runs += 1.0;
        }
        let joules = match self.meter.read() {
            Ok(reading) => reading.above(&self.idle) / runs,
            Err(Error::Unavailable { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok((joules > 0.0).then_some(joules))
    }
}
