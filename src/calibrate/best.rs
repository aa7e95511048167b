//! Values to codes in one call, with the best parameters that there are for them.

use super::choose::Method;
use super::config::{Kind, ObserverConfig};
use super::observer::{Observer, Shape, refuse_non_finite, reserved};
use super::target::Target;
use crate::error::{Error, Result};
use crate::quantize::QuantizeOptions;
use crate::tensor::QTensor;

impl QTensor {
    /// A tensor of the codes of these values, with parameters chosen for them.
    ///
    /// With an axis each index along that dimension gets a scale and a bias of its own. The
    /// parameters are those that an [`Observer`] of the values chooses, and take at most the memory
    /// of one.
    ///
    /// ```
    /// use caffe2_qtensor::QTensor;
    /// use caffe2_qtensor::calibrate::{Method, Target};
    ///
    /// let values = [0.5_f32, -1.25, 3.0, 0.0, 2.0, -0.75];
    /// let target = Target { precision: 4, ..Target::default() };
    /// let tensor = QTensor::quantize_best(&values, &[2, 3], None, Method::Mse, &target)?;
    /// let mut back = [0.0_f32; 6];
    /// tensor.dequantize(&mut back, 1)?;
    /// assert!(values.iter().zip(back).all(|(value, back)| (value - back).abs() < 0.15));
    /// # Ok::<(), caffe2_qtensor::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`QTensor::with_shape`] and of [`Observer::choose`]; `ShapeMismatch` where the
    /// dimensions hold another number of values; `OutOfRange` for an axis that is not there;
    /// `NonFinite` for a value that is NaN or infinite; `Unsupported` for
    /// [`Method::MovingAverage`]. No values at all give an empty tensor.
    pub fn quantize_best(
        values: &[f32],
        dims: &[i64],
        axis: Option<usize>,
        method: Method,
        target: &Target,
    ) -> Result<QTensor> {
        let codes = method.codes(target)?;
        let mut tensor = QTensor::with_shape(dims, target.precision, target.signed)?;
        let wide = |value: usize| i128::try_from(value).unwrap_or(i128::MAX);
        if values.len() != tensor.size() {
            return Err(Error::ShapeMismatch {
                what: "number of values",
                value: wide(values.len()),
                expected: wide(tensor.size()),
            });
        }
        let extent = match axis {
            None => 1,
            Some(axis) => {
                let found = dims.get(axis).and_then(|extent| usize::try_from(*extent).ok());
                found.ok_or(Error::OutOfRange {
                    what: "channel axis",
                    value: wide(axis),
                    min: 0,
                    max: wide(dims.len()).saturating_sub(1),
                })?
            }
        };
        if values.is_empty() {
            return Ok(tensor);
        }
        // As many bins as the codes are worth.
        let bins = (codes.steps() as usize).saturating_mul(16).next_power_of_two();
        let bins = bins.clamp(ObserverConfig::LEAST_BINS, ObserverConfig::BINS);
        let config = ObserverConfig { kind: Kind::Histogram { bins }, ..ObserverConfig::default() };
        let mut observer = Observer::new(&config)?;
        let Some(axis) = axis else {
            observer.observe(values, &[])?;
            let choice = observer.choose(0, method, target)?;
            tensor.set_scale(choice.scale);
            tensor.set_bias(choice.bias);
            tensor.quantize(values, &QuantizeOptions::default())?;
            return Ok(tensor);
        };
        // By its place among all values, not in a channel.
        refuse_non_finite(values)?;
        let shape = Shape::new(dims, axis, extent, values.len());
        let (mut scales, mut biases) = (reserved(extent)?, reserved(extent)?);
        for channel in 0..extent {
            observer.reset();
            shape.each_part(channel, values, |part| observer.observe(part, &[]))?;
            let choice = observer.choose(0, method, target)?;
            scales.push(choice.scale);
            biases.push(choice.bias);
        }
        let axis = i32::try_from(axis).unwrap_or(i32::MAX);
        tensor.set_channels(axis, &scales, &biases)?;
        tensor.quantize(values, &QuantizeOptions::default())?;
        Ok(tensor)
    }
}
