//! DoReFa's quantizers, whose results are plain linear tensors.
//!
//! Source: Zhou et al., "DoReFa-Net: Training Low Bitwidth Convolutional Neural Networks with Low
//! Bitwidth Gradients", 2016.

use super::linear::{Tally, each_value};
use super::logarithmic::refuse_caffe2;
use super::options::Scheme;
use super::value::Value;
use crate::error::{Error, Excerpt, Result};
use crate::kernels::quantize::{Outcome, Rules};
use crate::planes::fill::{Block, Source};
use crate::tensor::QTensor;

/// Values and how they become codes from 0 to `n = 2^precision - 1`.
pub(super) struct Dorefa<'a, T> {
    values: &'a [T],
    rules: Rules,
    /// For weights, twice the largest hyperbolic tangent.
    twice_largest: Option<f64>,
    refuse: bool,
}

impl<'a, T: Value> Dorefa<'a, T> {
    /// Refuses tensors that cannot hold the result, and the rounding of another operator.
    pub(super) fn new(
        tensor: &QTensor,
        values: &'a [T],
        rules: Rules,
        scheme: Scheme,
        refuse: bool,
    ) -> Result<Dorefa<'a, T>> {
        tensor.refuse_logarithmic("DoReFa's codes are linear")?;
        refuse_caffe2(&rules, "DoReFa rounds in another way")?;
        if rules.signed {
            return Err(Error::UnsupportedName {
                what: "sign plane",
                value: Excerpt::new(b"present"),
                reason: "DoReFa's codes have no sign",
            });
        }
        let twice_largest = (scheme == Scheme::DorefaWeights).then(|| {
            let finite = values.iter().map(|value| value.wide().abs()).filter(|v| v.is_finite());
            // The tangent rises with its argument.
            2.0 * finite.fold(0.0, f64::max).tanh()
        });
        Ok(Dorefa { values, rules, twice_largest, refuse })
    }

    /// The highest code, `2^precision - 1`.
    fn n(&self) -> f64 {
        self.rules.highest() as f64
    }

    /// The parameters that the codes have.
    pub(super) fn scale_and_bias(&self) -> (f64, f64) {
        let n = self.n();
        match self.twice_largest {
            None => (1.0 / n, 0.0),
            Some(_) => (2.0 / n, -n / 2.0),
        }
    }

    fn code(&self, value: f64, index: u64) -> (i64, Outcome) {
        let highest = self.rules.highest();
        if value.is_nan() {
            return (0, Outcome::NonFinite);
        }
        if value.is_infinite() {
            return (if value < 0.0 { 0 } else { highest }, Outcome::NonFinite);
        }
        let position = match self.twice_largest {
            None => value,
            // All weights are 0.
            Some(0.0) => 0.5,
            Some(twice_largest) => value.tanh() / twice_largest + 0.5,
        };
        // Rounding and then clamping is the same as clipping first.
        let rounded = self.rules.round(self.n() * position, index);
        if rounded < 0.0 {
            (0, Outcome::Low)
        } else if rounded > self.n() {
            (highest, Outcome::High)
        } else if rounded == 0.0 && self.twice_largest.is_none() && value != 0.0 {
            (0, Outcome::Flushed)
        } else {
            #[allow(clippy::cast_possible_truncation, reason = "a whole number of at most 32 bits")]
            (rounded as i64, Outcome::Inside)
        }
    }
}

impl<T: Value> Source for Dorefa<'_, T> {
    type Tally = Tally<T::Buffer>;

    fn merge(tally: &mut Self::Tally, later: &Self::Tally) {
        tally.counts.add(&later.counts);
    }

    fn narrow(&self) -> bool {
        false
    }

    fn value_bytes(&self) -> usize {
        size_of_val(self.values)
    }

    fn codes(&self, first: usize, block: Block<'_>, tally: &mut Self::Tally) -> Result<()> {
        let code = |value, index| self.code(value, index);
        each_value(self.values, first, block, &mut tally.counts, self.refuse, code)
    }
}
