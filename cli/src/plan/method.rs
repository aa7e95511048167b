//! The methods of choosing a scale and a bias, by name.

use crate::failure::{Failure, Result};
use caffe2_qtensor::calibrate::{self, Caffe2Method};
use clap::ValueEnum;

/// How a scale and a bias are chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Method {
    /// This library's choosers.
    Own(calibrate::Method),
    /// Caffe2's, bit for bit.
    Caffe2(Caffe2Method),
}

/// The methods as the command line names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum MethodName {
    /// The smallest mean squared error
    Mse,
    /// The smallest mean absolute error
    Mae,
    /// From the smallest value to the largest
    MinMax,
    /// From minus the largest magnitude to it
    MaxAbs,
    /// Between two quantiles: --quantiles
    Percentile,
    /// A known range: --range
    Fixed,
    /// Caffe2's MIN_MAX_QUANTIZATION
    Caffe2MinMax,
    /// Caffe2's L1_MIN_QUANTIZATION
    Caffe2L1,
    /// Caffe2's L2_MIN_QUANTIZATION
    Caffe2L2,
    /// Caffe2's L2_MIN_QUANTIZATION_APPROX
    Caffe2L2Approx,
    /// Caffe2's KL_MIN_QUANTIZATION, for codes of 8 bits
    Caffe2Kl,
    /// Caffe2's P99_QUANTIZATION; its share of values: --share
    Caffe2P99,
}

/// What chooses the parameters of linear codes.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct MethodOptions {
    /// How scale and bias are chosen
    #[arg(long, value_name = "METHOD", default_value = "mse", help_heading = "Parameters")]
    pub(crate) method: MethodName,

    /// The quantiles of `--method percentile`, from 0 to 1
    #[arg(
        long,
        num_args = 2,
        value_names = ["LOW", "HIGH"],
        default_values_t = [0.001, 0.999],
        help_heading = "Parameters"
    )]
    pub(crate) quantiles: Vec<f64>,

    /// The range of `--method fixed`
    #[arg(
        long,
        num_args = 2,
        value_names = ["MIN", "MAX"],
        allow_negative_numbers = true,
        required_if_eq("method", "fixed"),
        help_heading = "Parameters"
    )]
    pub(crate) range: Option<Vec<f64>>,

    /// The share of values of `--method caffe2-p99`, above 0.5 and below 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.99, help_heading = "Parameters")]
    pub(crate) share: f32,
}

impl MethodOptions {
    /// The method with what belongs to it.
    pub(crate) fn method(&self) -> Result<Method> {
        if self.range.is_some() && self.method != MethodName::Fixed {
            return Err(Failure::new("--range goes with --method fixed."));
        }
        self.named(self.method)
    }

    /// Another method with what belongs to it.
    pub(crate) fn named(&self, name: MethodName) -> Result<Method> {
        use calibrate::Method as Own;
        let pair = |numbers: &[f64], what| match numbers {
            [first, second] => Ok((*first, *second)),
            _ => Err(Failure::new(format!("{what} takes two numbers."))),
        };
        Ok(match name {
            MethodName::Mse => Method::Own(Own::Mse),
            MethodName::Mae => Method::Own(Own::Mae),
            MethodName::MinMax => Method::Own(Own::MinMax),
            MethodName::MaxAbs => Method::Own(Own::MaxAbs),
            MethodName::Percentile => {
                let (low, high) = pair(&self.quantiles, "--quantiles")?;
                Method::Own(Own::Percentile(low, high))
            }
            MethodName::Fixed => {
                let range = self.range.as_deref().unwrap_or_default();
                let (min, max) = pair(range, "--range")?;
                Method::Own(Own::Fixed(min, max))
            }
            MethodName::Caffe2MinMax => Method::Caffe2(Caffe2Method::MinMax),
            MethodName::Caffe2L1 => Method::Caffe2(Caffe2Method::L1),
            MethodName::Caffe2L2 => Method::Caffe2(Caffe2Method::L2),
            MethodName::Caffe2L2Approx => Method::Caffe2(Caffe2Method::L2Approx),
            MethodName::Caffe2Kl => Method::Caffe2(Caffe2Method::Kl),
            MethodName::Caffe2P99 => Method::Caffe2(Caffe2Method::P99(self.share)),
        })
    }
}

impl MethodName {
    /// The name as the command line has it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            MethodName::Mse => "mse",
            MethodName::Mae => "mae",
            MethodName::MinMax => "min-max",
            MethodName::MaxAbs => "max-abs",
            MethodName::Percentile => "percentile",
            MethodName::Fixed => "fixed",
            MethodName::Caffe2MinMax => "caffe2-min-max",
            MethodName::Caffe2L1 => "caffe2-l1",
            MethodName::Caffe2L2 => "caffe2-l2",
            MethodName::Caffe2L2Approx => "caffe2-l2-approx",
            MethodName::Caffe2Kl => "caffe2-kl",
            MethodName::Caffe2P99 => "caffe2-p99",
        }
    }
}
