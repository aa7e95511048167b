//! The methods of choosing a scale and a bias, by name.

use crate::failure::{Failure, Result};
use crate::numbers;
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
    /// How scale and bias are chosen; without it mse
    #[arg(long, value_name = "METHOD", help_heading = "Parameters")]
    pub(crate) method: Option<MethodName>,

    /// The quantiles of `--method percentile`, from 0 to 1; without it 0.001 and 0.999
    #[arg(long, num_args = 2, value_names = ["LOW", "HIGH"], help_heading = "Parameters")]
    #[arg(allow_negative_numbers = true, value_parser = numbers::quantile)]
    pub(crate) quantiles: Option<Vec<f64>>,

    /// The range of `--method fixed`
    #[arg(
        long,
        num_args = 2,
        value_names = ["MIN", "MAX"],
        allow_negative_numbers = true,
        value_parser = numbers::finite,
        required_if_eq("method", "fixed"),
        help_heading = "Parameters"
    )]
    pub(crate) range: Option<Vec<f64>>,

    /// The share of values of `--method caffe2-p99`, above 0.5 and below 1; without it 0.99
    #[arg(long, value_name = "SHARE", help_heading = "Parameters", allow_negative_numbers = true)]
    pub(crate) share: Option<f32>,
}

impl MethodOptions {
    /// A method with nothing but its defaults.
    pub(crate) fn of(method: MethodName) -> MethodOptions {
        MethodOptions { method: Some(method), quantiles: None, range: None, share: None }
    }

    /// The method's name.
    pub(crate) fn name(&self) -> MethodName {
        self.method.unwrap_or(MethodName::Mse)
    }

    /// The method with what belongs to it. What belongs to another is refused: it would do nothing,
    /// unseen.
    pub(crate) fn method(&self) -> Result<Method> {
        use calibrate::Method as Own;
        let name = self.name();
        for (option, given, of) in [
            ("--quantiles", self.quantiles.is_some(), MethodName::Percentile),
            ("--range", self.range.is_some(), MethodName::Fixed),
            ("--share", self.share.is_some(), MethodName::Caffe2P99),
        ] {
            if given && name != of {
                return Err(Failure::usage(format!(
                    "{option} belongs to --method {}, but the method is {}.",
                    of.name(),
                    name.name()
                )));
            }
        }
        let pair = |numbers: &[f64], what| match numbers {
            [first, second] => Ok((*first, *second)),
            _ => Err(Failure::usage(format!("{what} takes two numbers."))),
        };
        Ok(match name {
            MethodName::Mse => Method::Own(Own::Mse),
            MethodName::Mae => Method::Own(Own::Mae),
            MethodName::MinMax => Method::Own(Own::MinMax),
            MethodName::MaxAbs => Method::Own(Own::MaxAbs),
            MethodName::Percentile => {
                let quantiles = self.quantiles.as_deref().unwrap_or(&[0.001, 0.999]);
                let (low, high) = pair(quantiles, "--quantiles")?;
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
            MethodName::Caffe2P99 => Method::Caffe2(Caffe2Method::P99(self.share.unwrap_or(0.99))),
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
