//! Codes that stand for powers: 0 is 0, and code `x` is `2^(scale * (|x| - 1 + bias))` with the sign
//! of `x`. Scale 1 gives powers of two, 1/2 powers of the square root of two.

use super::linear::{Tally, each_value};
use super::steps::checked_step;
use super::value::Value;
use crate::error::{Error, Excerpt, Result};
use crate::kernels::quantize::{Outcome, Rounding, Rules};
use crate::planes::fill::{Block, Source};

/// What a code of a logarithmic tensor stands for.
pub(super) fn value(scale: f64, bias: f64, magnitude: u64, negative: bool) -> f64 {
    let Some(exponent) = magnitude.checked_sub(1) else { return 0.0 };
    // At most 255 bits make sense here, and 32 are exact.
    let power = (scale * (exponent as f64 + bias)).exp2();
    if negative { -power } else { power }
}

/// Values and the powers that their codes stand for.
pub(super) struct Logarithmic<'a, T> {
    values: &'a [T],
    rules: Rules,
    scale: f64,
    bias: f64,
    refuse: bool,
}

impl<'a, T: Value> Logarithmic<'a, T> {
    /// Refuses a scale and a bias that give no powers, and the rounding of a linear operator.
    pub(super) fn new(
        values: &'a [T],
        rules: Rules,
        (scale, bias): (f64, f64),
        refuse: bool,
    ) -> Result<Logarithmic<'a, T>> {
        refuse_caffe2(&rules, "the codes of Int8Quantize are linear")?;
        let invalid = |what, value, rule| Error::InvalidNumber { what, value, rule };
        checked_step(scale, bias, rules.rounding, invalid)?;
        Ok(Logarithmic { values, rules, scale, bias, refuse })
    }

    /// The code of a value and what became of it. Rounding is in the logarithm, so of magnitudes:
    /// "up" is away from 0 on both sides of it.
    pub(super) fn code(&self, value: f64, index: u64) -> (i64, Outcome) {
        let (lowest, highest) = (self.rules.lowest(), self.rules.highest());
        if value == 0.0 || value.is_nan() {
            let outcome = if value.is_nan() { Outcome::NonFinite } else { Outcome::Inside };
            return (0, outcome);
        }
        if value < 0.0 && !self.rules.signed {
            // Without a sign, 0 is what is nearest.
            let outcome = if value.is_finite() { Outcome::Low } else { Outcome::NonFinite };
            return (0, outcome);
        }
        if value.is_infinite() {
            return (if value < 0.0 { lowest } else { highest }, Outcome::NonFinite);
        }
        let position = value.abs().log2() / self.scale - self.bias + 1.0;
        let rounded = self.rules.round(position, index);
        let (magnitude, outcome) = if rounded < 1.0 {
            (1, Outcome::Low)
        } else if rounded > highest as f64 {
            (highest, Outcome::High)
        } else {
            #[allow(clippy::cast_possible_truncation, reason = "a whole number of at most 32 bits")]
            (rounded as i64, Outcome::Inside)
        };
        (if value < 0.0 { magnitude.saturating_neg() } else { magnitude }, outcome)
    }
}

/// Refuses [`Rounding::Caffe2`], which is that of a linear quantizer.
pub(super) fn refuse_caffe2(rules: &Rules, reason: &'static str) -> Result<()> {
    if rules.rounding != Rounding::Caffe2 {
        return Ok(());
    }
    let value = Excerpt::new(b"Caffe2");
    Err(Error::UnsupportedName { what: "rounding", value, reason })
}

impl<T: Value> Source for Logarithmic<'_, T> {
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
