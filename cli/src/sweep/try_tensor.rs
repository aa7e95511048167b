//! One tensor at every precision by every method: what each costs and loses.

use super::energy::{self, Measured};
use super::method::Method;
use super::model::{Channels, Histogram, Outcome, Trial};
use crate::failure::{Failure, Result};
use crate::interrupt::Interrupt;
use caffe2_qtensor::QTensor;
use caffe2_qtensor::measure::time::{Stopwatch, repeat};
use caffe2_qtensor::measure::{ErrorOptions, Errors};

/// The most bins of a histogram that is kept.
const BINS: usize = 64;
/// The most channels that are measured one by one, and the fewest values of one.
const CHANNELS: (u64, u64) = (1 << 16, 8);
/// The channels that lost most, as many as are kept.
const WORST: usize = 8;
/// How often a tensor is dequantized, and quantized where that is quick; the fastest counts.
const RUNS: usize = 3;
/// Seconds that are quick.
const QUICK: f64 = 0.02;

/// The values of a tensor and where they are measured.
pub(super) struct Values<'a> {
    pub(super) name: &'a [u8],
    pub(super) dims: &'a [i64],
    pub(super) values: &'a [f32],
    /// Whose indices get parameters each, if any.
    pub(super) axis: Option<usize>,
    /// As long as the values: what codes stand for.
    pub(super) back: &'a mut [f32],
    pub(super) meter: Option<&'a mut Measured>,
}

impl Values<'_> {
    /// Tries one precision and one method.
    ///
    /// # Errors
    /// Where it is interrupted.
    pub(super) fn run(
        &mut self,
        precision: u8,
        index: usize,
        method: Method,
        interrupt: &Interrupt,
    ) -> Result<Trial> {
        let outcome = match self.measure(precision, method, interrupt) {
            Ok(outcome) => Ok(outcome),
            Err(Failure::Message(message)) => {
                Err(format!("{}: {}", method.name(), message.trim_end_matches('.')))
            }
            Err(other) => return Err(other),
        };
        Ok(Trial { precision, method: index, outcome })
    }

    fn measure(&mut self, precision: u8, method: Method, interrupt: &Interrupt) -> Result<Outcome> {
        let plan = method.plan(precision, self.axis)?;
        let mut quantize_time = f64::INFINITY;
        let mut tensor = QTensor::default();
        // What is quick is easily disturbed, and takes no time to do again.
        for _ in 0..RUNS {
            let stopwatch = Stopwatch::start();
            tensor = plan.quantize(self.values, self.dims, interrupt)?;
            quantize_time = quantize_time.min(stopwatch.seconds());
            if quantize_time > QUICK {
                break;
            }
        }
        tensor.dequantize(self.back, 1)?;
        // It went well once, and goes well again.
        let dequantize = repeat(0, RUNS, || tensor.dequantize(self.back, 1).unwrap_or_default())?;
        let back = &mut *self.back;
        let measured = match &mut self.meter {
            Some(meter) => meter.run(|| tensor.dequantize(back, 1))?,
            None => None,
        };
        let options =
            ErrorOptions { code_histogram: true, error_histogram: true, ..ErrorOptions::default() };
        let errors = tensor.errors(self.values, &options)?;
        let sizes = tensor.sizes(self.name)?;
        let quantile = |share| errors.quantile(share).unwrap_or(f64::NAN);
        Ok(Outcome {
            planes: sizes.planes,
            resident: sizes.resident,
            wire: sizes.wire,
            sqnr: errors.sqnr(),
            mse: errors.mse(),
            max_error: errors.max_absolute(),
            power: errors.sum_xx(),
            noise: errors.sum_squared(),
            saturated: (errors.saturated_low(), errors.saturated_high()),
            flushed: errors.flushed(),
            entropy: errors.code_entropy().unwrap_or(f64::NAN),
            quantiles: [quantile(0.5), quantile(0.95), quantile(0.99)],
            channels: self.channels(&tensor)?,
            errors: self.errors(&errors),
            codes: codes(&errors),
            quantize_time,
            dequantize_time: dequantize.minimum,
            energy: energy::of_tensor(&tensor, sizes.planes, self.count())?,
            measured,
        })
    }

    /// What the indices of a dimension lost, whether or not they have parameters of their own: of
    /// the first, or of that which the sweep is told.
    fn channels(&self, tensor: &QTensor) -> Result<Option<Channels>> {
        let axis = self.axis.unwrap_or(0);
        let count = self.dims.get(axis).and_then(|extent| u64::try_from(*extent).ok()).unwrap_or(0);
        let (most, fewest) = CHANNELS;
        let each = self.count().checked_div(count).unwrap_or(0);
        if !(2..=most).contains(&count) || each < fewest || self.dims.len() < 2 {
            return Ok(None);
        }
        let all = tensor.errors_per_channel(self.values, axis, &ErrorOptions::default())?;
        let mut ratios: Vec<(u64, f64)> = (0..).zip(all.iter().map(Errors::sqnr)).collect();
        ratios.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
        let ratio = |place: usize| ratios.get(place).map_or(f64::NAN, |(_, ratio)| *ratio);
        Ok(Some(Channels {
            axis,
            count,
            median: ratio(ratios.len() / 2),
            best: ratio(ratios.len().saturating_sub(1)),
            worst: ratios.into_iter().take(WORST).collect(),
        }))
    }

    /// How many errors there are of each size. Where a few are far larger than all others the bins
    /// at the ends hold what lies beyond.
    fn errors(&self, errors: &Errors) -> Histogram {
        let usual = errors.quantile(0.99).unwrap_or(f64::NAN);
        let most = errors.max_absolute();
        let reach = if most > 4.0 * usual && usual > 0.0 { 2.0 * usual } else { most };
        if most == 0.0 || usual.is_nan() {
            return Histogram { low: -1.0, high: 1.0, counts: vec![0, self.count(), 0] };
        }
        // An odd number: the middle bin is around 0.
        let mut counts = vec![0_u64; BINS.saturating_sub(1)];
        let bins = counts.len() as f64;
        for (back, value) in self.back.iter().zip(self.values) {
            let error = f64::from(*back) - f64::from(*value);
            let place = ((error / reach + 1.0) * 0.5 * bins).clamp(0.0, bins - 1.0);
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place")]
            if let Some(count) = counts.get_mut(place as usize) {
                *count = count.saturating_add(1);
            }
        }
        Histogram { low: -reach, high: reach, counts }
    }

    fn count(&self) -> u64 {
        u64::try_from(self.values.len()).unwrap_or(u64::MAX)
    }
}

/// How often each code occurs, neighbors together where there are many.
fn codes(errors: &Errors) -> Histogram {
    let all = errors.code_histogram();
    let each = all.len().div_ceil(BINS).next_power_of_two();
    let low = errors.lowest_code() as f64 - 0.5;
    let counts: Vec<u64> = all
        .chunks(each)
        .map(|codes| codes.iter().fold(0_u64, |sum, count| sum.saturating_add(*count)))
        .collect();
    let high = low + counts.len() as f64 * each as f64;
    Histogram { low, high, counts }
}
