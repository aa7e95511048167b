//! The scale and bias for values that share them.

use super::{Method, Plan};
use crate::failure::{Failure, Result};
use caffe2_qtensor::calibrate::{
    self, Caffe2Options, Kind, Missing, Observer, ObserverConfig, Target, choose_caffe2,
};
use caffe2_qtensor::quantize::bias_of_zero_point;

/// Values that are worth a thread.
const THREAD_VALUES: usize = 1 << 18;

impl Plan {
    /// The scale and bias for all values.
    pub(super) fn choose(&self, values: &[f32], threads: usize) -> Result<(f64, f64)> {
        let (method, target) = self.target(self.signed(values))?;
        let chosen = match method {
            Method::Own(method) => {
                let observer = self.observe(values, &target, threads)?;
                self.choose_by(&observer, method, &target)?
            }
            Method::Caffe2(_) => self.choose_as_caffe2(values)?,
        };
        Ok(self.stored(chosen))
    }

    /// The scale and bias for what an observer has seen.
    pub(super) fn choose_by(
        &self,
        observer: &Observer,
        method: calibrate::Method,
        target: &Target,
    ) -> Result<(f64, f64)> {
        // Values of which none is finite have codes for what they become.
        if self.skips_non_finite() && observer.statistics(0)?.finite == 0 {
            return Ok((1.0, 0.0));
        }
        let choice = observer.choose(0, method, target)?;
        Ok((choice.scale, choice.bias))
    }

    /// The scale and bias by one of Caffe2's choosers.
    pub(super) fn choose_as_caffe2(&self, values: &[f32]) -> Result<(f64, f64)> {
        let (method, target) = self.target(false)?;
        let Method::Caffe2(method) = method else {
            return Err(Failure::new("This method is none of Caffe2's."));
        };
        let options = Caffe2Options {
            method,
            precision: target.precision,
            preserve_sparsity: target.symmetric,
            force_scale_power_of_two: target.power_of_two,
        };
        let chosen = choose_caffe2(values, &options)?;
        Ok((chosen.scale, bias_of_zero_point(chosen.zero_point)))
    }

    /// What single precision makes of a scale, where Caffe2 is to keep it.
    #[allow(clippy::cast_possible_truncation, reason = "rounding to a float is what is meant")]
    pub(super) fn stored(&self, (scale, bias): (f64, f64)) -> (f64, f64) {
        let narrow = f64::from(scale as f32);
        let kept = self.int8 && narrow.is_normal();
        (if kept { narrow } else { scale }, bias)
    }

    /// An observer that has seen nothing, with as many bins as the codes are worth.
    pub(super) fn observer(&self, target: &Target) -> Result<Observer> {
        let codes = 1_usize << u32::from(target.precision).min(16) << u32::from(target.signed);
        let bins = codes.saturating_mul(16).clamp(ObserverConfig::LEAST_BINS, ObserverConfig::BINS);
        let missing = if self.skips_non_finite() { Missing::Skip } else { Missing::Refuse };
        Ok(Observer::new(&ObserverConfig {
            kind: Kind::Histogram { bins },
            missing,
            channels: None,
        })?)
    }

    /// Sees all values, on as many threads: the state does not depend on their number.
    fn observe(&self, values: &[f32], target: &Target, threads: usize) -> Result<Observer> {
        let threads = threads.min(values.len() / THREAD_VALUES);
        let mut observer = self.observer(target)?;
        if threads <= 1 {
            observer.observe(values, &[])?;
            return Ok(observer);
        }
        let later = threads / 2;
        let share = values.len().checked_div(threads).unwrap_or(0);
        let here = share.saturating_mul(threads.saturating_sub(later));
        let (near, far) = values.split_at_checked(here).unwrap_or((values, &[]));
        let (near, far) = std::thread::scope(|scope| {
            let far = scope.spawn(|| self.observe(far, target, later));
            (self.observe(near, target, threads.saturating_sub(later)), far.join())
        });
        let far = far.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        let (mut near, far) = match (near, far) {
            (Ok(near), Ok(far)) => (near, far),
            // Says which value was refused: an index of the whole.
            (Err(error), _) | (_, Err(error)) => {
                observer.observe(values, &[])?;
                return Err(error);
            }
        };
        near.merge(&far)?;
        Ok(near)
    }
}
