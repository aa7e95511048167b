//! How floats become a quantized tensor: what the options of `quantize` and `sweep` come down to.

mod channels;
mod choose;
mod finite;
mod logarithmic;
mod method;

pub(crate) use method::{Method, MethodName, MethodOptions};

use crate::failure::{Failure, Result};
use crate::interrupt::Interrupt;
use caffe2_qtensor::QTensor;
use caffe2_qtensor::calibrate::{Target, Zero};
use caffe2_qtensor::quantize::{NonFinite, QuantizeOptions, Scheme};

/// Everything that decides about the codes of a tensor but the values themselves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// Magnitude bits of a code.
    pub(crate) precision: u8,
    /// Whether codes have a sign.
    pub(crate) sign: Sign,
    /// Which codes stand for which values.
    pub(crate) codes: Codes,
    /// The dimension each of whose indices has a scale and a bias of its own.
    pub(crate) axis: Option<usize>,
    /// Whether the result is an `Int8TensorCPU`: bytes with a zero point among them, and a scale
    /// that single precision holds, as Caffe2 keeps it.
    pub(crate) int8: bool,
    /// Rounding, what happens to values that are not finite, and threads.
    pub(crate) options: QuantizeOptions,
}

/// Whether codes have a sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Sign {
    /// A sign plane where a value is negative
    Auto,
    /// A sign plane
    Always,
    /// No sign plane
    Never,
}

/// Which codes stand for which values.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Codes {
    /// `scale * (x + bias)`.
    Linear {
        /// How scale and bias are chosen.
        method: Method,
        /// What the bias may be.
        zero: Zero,
        symmetric: bool,
        power_of_two: bool,
        reduced: bool,
    },
    /// Powers.
    Logarithmic,
    /// DoReFa's, for weights or for activations.
    Dorefa(Scheme),
}

impl Plan {
    /// The quantized tensor of some values.
    pub(crate) fn quantize(
        &self,
        values: &[f32],
        dims: &[i64],
        interrupt: &Interrupt,
    ) -> Result<QTensor> {
        let dims = if dims.is_empty() { &[1] } else { dims };
        let mut tensor = QTensor::with_shape(dims, self.precision, self.signed(values))?;
        let mut options = self.options;
        match self.codes {
            Codes::Linear { .. } if values.is_empty() => return Ok(tensor),
            Codes::Linear { .. } => match self.axis {
                None => {
                    let (scale, bias) = self.choose(values, options.threads)?;
                    tensor.set_scale(scale);
                    tensor.set_bias(bias);
                }
                Some(axis) => {
                    let (scales, biases) = self.choose_channels(values, dims, axis, interrupt)?;
                    let axis = i32::try_from(axis).unwrap_or(i32::MAX);
                    tensor.set_channels(axis, &scales, &biases)?;
                }
            },
            Codes::Dorefa(scheme) => options.scheme = scheme,
            Codes::Logarithmic => {
                tensor.set_logarithmic(true)?;
                return logarithmic::quantize(tensor, values, &options);
            }
        }
        tensor.quantize(values, &options)?;
        finite::check(&tensor, values, options.threads)?;
        Ok(tensor)
    }

    /// Refuses what no values could be quantized by.
    pub(crate) fn check(&self, interrupt: &Interrupt) -> Result<()> {
        // Which dimensions there are is the values' matter.
        let plan = Plan { axis: None, ..*self };
        plan.quantize(&[0.0, 1.0], &[2], interrupt).map(drop).map_err(Failure::of_usage)
    }

    fn signed(&self, values: &[f32]) -> bool {
        match self.sign {
            Sign::Always => true,
            Sign::Never => false,
            Sign::Auto => values.iter().any(|value| *value < 0.0),
        }
    }

    /// What parameters are chosen for, and by which method.
    fn target(&self, signed: bool) -> Result<(Method, Target)> {
        let Codes::Linear { method, zero, symmetric, power_of_two, reduced } = self.codes else {
            return Err(Failure::new("Only linear codes have parameters that are chosen."));
        };
        let precision = self.precision;
        Ok((method, Target { precision, signed, zero, symmetric, power_of_two, reduced }))
    }

    fn skips_non_finite(&self) -> bool {
        self.options.non_finite == NonFinite::Saturate
    }
}
