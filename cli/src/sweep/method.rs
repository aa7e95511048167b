//! The methods that a sweep compares, by name: those of `quantize --method`, `log` and `dorefa`, each as
//! the plan that `quantize` would follow with it.

use crate::failure::{Failure, Result};
use crate::plan::{Codes, MethodName, MethodOptions, Plan, Sign};
use caffe2_qtensor::calibrate::Zero;
use caffe2_qtensor::quantize::{QuantizeOptions, Scheme};
use clap::ValueEnum;
use clap::builder::PossibleValue;

/// A way to make codes of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    /// Codes without a sign, with any bias: every code then stands for a value that is wanted, and
    /// none is spent on a sign plane or on a zero that the values may not have.
    Linear(MethodName),
    /// Powers, with a sign plane where there are values below 0.
    Logarithmic,
    /// DoReFa's weights, for models that were trained with them.
    Dorefa,
}

/// All of them; a range that is known would be another one for each tensor.
const ALL: [Method; 13] = [
    Method::Linear(MethodName::MinMax),
    Method::Linear(MethodName::MaxAbs),
    Method::Linear(MethodName::Percentile),
    Method::Linear(MethodName::Mse),
    Method::Linear(MethodName::Mae),
    Method::Logarithmic,
    Method::Dorefa,
    Method::Linear(MethodName::Caffe2MinMax),
    Method::Linear(MethodName::Caffe2L1),
    Method::Linear(MethodName::Caffe2L2),
    Method::Linear(MethodName::Caffe2L2Approx),
    Method::Linear(MethodName::Caffe2Kl),
    Method::Linear(MethodName::Caffe2P99),
];

impl ValueEnum for Method {
    fn value_variants<'a>() -> &'a [Method] {
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self {
            Method::Linear(MethodName::Percentile) => {
                "Without a thousandth of the values at each end"
            }
            Method::Linear(MethodName::Caffe2P99) => {
                "Caffe2's P99_QUANTIZATION with a share of 0.99"
            }
            Method::Linear(name) => return name.to_possible_value(),
            Method::Logarithmic => "Powers, the step between exponents that loses least",
            Method::Dorefa => "DoReFa's codes for weights, of a hyperbolic tangent",
        };
        Some(PossibleValue::new(self.name()).help(help))
    }
}

impl Method {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Method::Linear(name) => name.name(),
            Method::Logarithmic => "log",
            Method::Dorefa => "dorefa",
        }
    }

    /// What `quantize` would do with this precision and this method, and else its defaults.
    ///
    /// # Errors
    /// Where there is an axis and the method knows no channels.
    pub(crate) fn plan(self, precision: u8, axis: Option<usize>) -> Result<Plan> {
        let (codes, sign) = match self {
            Method::Linear(name) => {
                let method = MethodOptions::of(name).method()?;
                let zero = Zero::Free;
                let (symmetric, power_of_two, reduced) = (false, false, false);
                (Codes::Linear { method, zero, symmetric, power_of_two, reduced }, Sign::Never)
            }
            Method::Logarithmic => (Codes::Logarithmic, Sign::Auto),
            Method::Dorefa => (Codes::Dorefa(Scheme::DorefaWeights), Sign::Never),
        };
        if axis.is_some() && !matches!(codes, Codes::Linear { .. }) {
            return Err(Failure::new("It has no channels."));
        }
        let options = QuantizeOptions::default();
        Ok(Plan { precision, sign, codes, axis, int8: false, options })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_quantize() {
        for method in ALL {
            let value = method.to_possible_value().map(|value| value.get_name().to_owned());
            assert_eq!(value.as_deref(), Some(method.name()));
            assert_eq!(Method::from_str(method.name(), false), Ok(method));
        }
    }
}
