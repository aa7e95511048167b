//! The methods of choosing scale and bias that a sweep compares, and codes made by them.

use caffe2_qtensor::calibrate::{self, Target};
use caffe2_qtensor::measure::ErrorOptions;
use caffe2_qtensor::quantize::{QuantizeOptions, Scheme};
use caffe2_qtensor::{QTensor, Result};

/// A way to make codes of values. All but the logarithmic one make unsigned codes with any bias:
/// every code then stands for a value that is wanted, and none is spent on a sign plane or on a zero
/// that the values may not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Method {
    /// The range from the smallest to the largest value
    MinMax,
    /// The range from minus the largest magnitude to it
    MaxAbs,
    /// The range without a thousandth of the values at either end
    Percentile,
    /// The smallest mean squared error
    Mse,
    /// The smallest mean absolute error
    Mae,
    /// Powers, the step between exponents that has the smallest mean squared error; with a sign
    /// plane where there are values below 0
    Log,
    /// DoReFa's weights, which become numbers from -1 to 1 by a hyperbolic tangent: for models that
    /// were trained so
    Dorefa,
}

/// Steps between exponents that are tried: from two octaves to a 32nd of one.
const LOG_STEPS: [f64; 7] = [2.0, 1.0, 0.5, 0.25, 0.125, 0.0625, 0.03125];

impl Method {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Method::MinMax => "min-max",
            Method::MaxAbs => "max-abs",
            Method::Percentile => "percentile",
            Method::Mse => "mse",
            Method::Mae => "mae",
            Method::Log => "log",
            Method::Dorefa => "dorefa",
        }
    }

    /// Whether indices along a dimension can have parameters of their own.
    pub(crate) fn has_channels(self) -> bool {
        !matches!(self, Method::Log | Method::Dorefa)
    }

    /// The tensor of the codes of values, which are finite, with parameters for each index along
    /// `axis` if there is one and the method has channels.
    ///
    /// # Errors
    /// Those of the library.
    pub(crate) fn quantize(
        self,
        values: &[f32],
        dims: &[i64],
        axis: Option<usize>,
        precision: u8,
    ) -> Result<QTensor> {
        let method = match self {
            Method::MinMax => calibrate::Method::MinMax,
            Method::MaxAbs => calibrate::Method::MaxAbs,
            Method::Percentile => calibrate::Method::Percentile(0.001, 0.999),
            Method::Mse => calibrate::Method::Mse,
            Method::Mae => calibrate::Method::Mae,
            Method::Log => return logarithmic(values, dims, precision),
            Method::Dorefa => {
                let mut tensor = QTensor::with_shape(dims, precision, false)?;
                let scheme = Scheme::DorefaWeights;
                tensor.quantize(values, &QuantizeOptions { scheme, ..QuantizeOptions::default() })?;
                return Ok(tensor);
            }
        };
        let target = Target { precision, ..Target::default() };
        QTensor::quantize_best(values, dims, axis, method, &target)
    }
}

/// Powers whose largest is the largest magnitude, the steps between them as good as can be.
fn logarithmic(values: &[f32], dims: &[i64], precision: u8) -> Result<QTensor> {
    let signed = values.iter().any(|value| *value < 0.0);
    let largest = values.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
    let top = if largest > 0.0 { f64::from(largest).log2() } else { 0.0 };
    // Code 1 stands for the smallest power, the highest code for the largest.
    let above = f64::from(u32::from(precision)).exp2() - 2.0;
    let mut best: Option<(f64, f64)> = None;
    let mut tensor = QTensor::with_shape(dims, precision, signed)?;
    tensor.set_logarithmic(true)?;
    for step in LOG_STEPS {
        let error = log_error(&mut tensor, values, step, top / step - above)?;
        if best.is_none_or(|(_, least)| error < least) {
            best = Some((step, error));
        }
    }
    let step = best.map_or(1.0, |(step, _)| step);
    log_error(&mut tensor, values, step, top / step - above)?;
    Ok(tensor)
}

/// Makes codes with this scale and bias; the sum of their squared errors.
fn log_error(tensor: &mut QTensor, values: &[f32], scale: f64, bias: f64) -> Result<f64> {
    tensor.set_scale(scale);
    tensor.set_bias(bias);
    tensor.quantize(values, &QuantizeOptions::default())?;
    Ok(tensor.errors(values, &ErrorOptions::default())?.sum_squared())
}
