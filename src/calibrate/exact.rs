//! A choice from the values themselves instead of what an observer remembers of them.

use super::cells::Frame;
use super::choose::{Choice, Method, choose, no_values};
use super::observer::{refuse_non_finite, reserved};
use super::target::Target;
use crate::error::{Error, Excerpt, Result};
use crate::kernels::distortion::Sorted;
use crate::params::try_copy;

/// Parameters for the codes of these values: like an observer's, without a histogram in between.
///
/// The values are copied and sorted, and the error of each candidate is that of the values
/// themselves; so this takes `O(n log n)` and twelve bytes a value. It is what histograms are
/// measured against, and of use where values are few.
///
/// ```
/// use caffe2_qtensor::calibrate::{Method, Target, choose_exact};
///
/// let target = Target { precision: 1, ..Target::default() };
/// let choice = choose_exact(&[1.0, 1.0, 4.0], Method::Mse, &target)?;
/// assert!((choice.scale - 3.0).abs() < 1e-9 && choice.mse < 1e-12);
/// # Ok::<(), caffe2_qtensor::Error>(())
/// ```
///
/// # Errors
/// Those of [`Observer::choose`](super::Observer::choose), a histogram's, and `NonFinite` for a NaN
/// or an infinity.
pub fn choose_exact(values: &[f32], method: Method, target: &Target) -> Result<Choice> {
    let codes = method.codes(target)?;
    refuse_non_finite(values)?;
    let mut values = try_copy(values)?;
    values.sort_unstable_by(f32::total_cmp);
    let (Some(min), Some(max)) = (values.first(), values.last()) else {
        return Err(no_values());
    };
    let range = (f64::from(*min), f64::from(*max));
    let center = range.0.midpoint(range.1);
    let mut sums = reserved(values.len().saturating_add(1))?;
    let (mut sum, mut squares) = (0.0, 0.0);
    sums.push(sum);
    for value in &values {
        let value = f64::from(*value) - center;
        sum += value;
        squares += value * value;
        sums.push(sum);
    }
    let sorted = Sorted { values: &values, center, sums: &sums, squares };
    if method == Method::MovingAverage {
        return Err(Error::UnsupportedName {
            what: "method of choosing",
            value: Excerpt::new(b"moving average"),
            reason: "only an observer of moving averages has one",
        });
    }
    choose(&sorted, Frame { unit: 1.0, center }, range, method, target, codes)
}
