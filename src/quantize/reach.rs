//! How far the codes of a tensor reach: the values from which on a quantizer saturates.
//!
//! What saturates is decided by the quantizer's own formula, rounding to the nearest code; as its
//! outcome is monotone in the value, all of it lies in two numbers, which are searched for.

use super::layout::Layout;
use super::logarithmic::Logarithmic;
use super::steps::checked_step;
use crate::error::{Error, Result};
use crate::kernels::errors::Limits;
use crate::kernels::quantize::{Formula, Outcome, Rounding, Rules, Step};
use crate::params::Params;
use crate::tensor::QTensor;

/// Where the values of a tensor saturate. Of parameters that no value can be quantized by none does.
pub(crate) enum Reach {
    /// The same for all elements.
    One(Limits),
    /// Limits of magnitudes: a logarithmic tensor's. Without a sign all negative values saturate.
    Magnitudes { limits: Limits, signed: bool },
    /// Limits of each channel, and those within which no channel's value saturates.
    Channels { layout: Layout, limits: Vec<Limits>, all: Limits },
}

impl QTensor {
    /// # Errors
    /// What [`params`](Self::params) refuses; `OutOfMemory`.
    pub(crate) fn reach(&self) -> Result<Reach> {
        let rules = Rules {
            rounding: Rounding::NearestEven,
            seed: 0,
            precision: self.precision(),
            signed: self.is_signed(),
        };
        match self.params()? {
            Params::Affine { scale, bias } => Ok(Reach::One(affine(rules, scale, bias))),
            Params::Log { scale, bias } => {
                let limits = logarithmic(rules, scale, bias);
                Ok(Reach::Magnitudes { limits, signed: rules.signed })
            }
            Params::PerChannel { axis, scales, biases } => {
                let mut limits = Vec::new();
                let bytes = scales.len().saturating_mul(size_of::<Limits>());
                let no_memory = Error::OutOfMemory { what: "limits of channels", bytes };
                limits.try_reserve_exact(scales.len()).map_err(|_| no_memory)?;
                let each = scales.iter().zip(biases);
                limits.extend(each.map(|(scale, bias)| affine(rules, *scale, *bias)));
                let all = limits.iter().fold(Limits::NONE, |all, one| Limits {
                    low: all.low.max(one.low),
                    high: all.high.min(one.high),
                });
                let layout = Layout::new(self.dims(), axis, scales.len());
                Ok(Reach::Channels { layout, limits, all })
            }
        }
    }
}

fn affine(rules: Rules, scale: f64, bias: f64) -> Limits {
    let invalid = |what, value, rule| Error::InvalidNumber { what, value, rule };
    let Ok(Step { scale, bias }) = checked_step(scale, bias, rules.rounding, invalid) else {
        return Limits::NONE;
    };
    let formula = Formula { rules, step: Step { scale, bias } };
    let is = |value: f32, outcome| formula.code(f64::from(value), 0).1 == outcome;
    let edge = |code: i64, half: f64| scale * (code as f64 + half + bias);
    let low = first(LOWEST, edge(rules.lowest(), -0.5), |value| !is(value, Outcome::Low));
    let high = first(LOWEST, edge(rules.highest(), 0.5), |value| is(value, Outcome::High));
    Limits { low: number(low), high: number(high.saturating_sub(1)) }
}

fn logarithmic(rules: Rules, scale: f64, bias: f64) -> Limits {
    let Ok(quantizer) = Logarithmic::<f32>::new(&[], rules, (scale, bias), false) else {
        return Limits::NONE;
    };
    let is = |value: f32, outcome| quantizer.code(f64::from(value), 0).1 == outcome;
    let edge = |position: f64| (scale * (position - 1.0 + bias)).exp2();
    let low = first(SMALLEST, edge(0.5), |value| !is(value, Outcome::Low));
    let last = rules.highest() as f64;
    let high = first(SMALLEST, edge(last + 0.5), |value| is(value, Outcome::High));
    Limits { low: number(low), high: number(high.saturating_sub(1)) }
}

/// The places in order of the lowest finite number, the smallest above 0, and positive infinity.
const LOWEST: i64 = -0x7f7f_ffff;
const SMALLEST: i64 = 1;
const INFINITE: i64 = 0x7f80_0000;

/// The number at a place in order, from negative infinity on.
fn number(place: i64) -> f32 {
    let magnitude = f32::from_bits(u32::try_from(place.unsigned_abs()).unwrap_or(0));
    if place < 0 { -magnitude } else { magnitude }
}

/// The first place from `from` on whose number has a property that all later ones have too, or that
/// of infinity. The search starts from an estimate, as it is mostly right next to it.
fn first(from: i64, estimate: f64, has: impl Fn(f32) -> bool) -> i64 {
    #[allow(clippy::cast_possible_truncation, reason = "any number near the place will do")]
    let estimate = estimate as f32;
    let magnitude = i64::from(estimate.to_bits() & 0x7fff_ffff);
    let place = if estimate < 0.0 { magnitude.saturating_neg() } else { magnitude };
    let start = place.clamp(from, INFINITE.saturating_sub(1));
    // No number up to `without` has it, and all from `with` on.
    let (mut without, mut with) = (from.saturating_sub(1), INFINITE);
    let mut step = 1_i64;
    if has(number(start)) {
        with = start;
        while with > from {
            let next = start.saturating_sub(step).max(from);
            if !has(number(next)) {
                without = next;
                break;
            }
            with = next;
            step = step.saturating_mul(2);
        }
    } else {
        without = start;
        while without.saturating_add(1) < INFINITE {
            let next = start.saturating_add(step).min(INFINITE.saturating_sub(1));
            if has(number(next)) {
                with = next;
                break;
            }
            without = next;
            step = step.saturating_mul(2);
        }
    }
    while with.saturating_sub(without) > 1 {
        let middle = without.midpoint(with);
        if has(number(middle)) {
            with = middle;
        } else {
            without = middle;
        }
    }
    with
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The limits beside the formula, at them and right behind them.
    #[test]
    fn limits_are_where_the_formula_says() {
        let scales = [1.0, 0.3, 1e-300, 1e300, 3e38, 1e-45, 0.007];
        let biases = [0.0, -0.5, 7.25, -128.0, 1e20, -3e7, 1e-9];
        for precision in [1, 2, 4, 8, 16, 31, 32] {
            for signed in [false, true] {
                let rules = Rules { rounding: Rounding::NearestEven, seed: 0, precision, signed };
                for (scale, bias) in scales.iter().flat_map(|s| biases.map(|b| (*s, b))) {
                    let formula = Formula { rules, step: Step { scale, bias } };
                    let code = |value: f32| formula.code(f64::from(value), 0).1;
                    let limits = affine(rules, scale, bias);
                    let note = format!("{precision} {signed} {scale} {bias} {limits:?}");
                    let (low, high) = (limits.low, limits.high);
                    for value in [low, low.next_down(), high, high.next_up(), 0.0, 1.0, -1.0] {
                        if value.is_finite() {
                            assert_eq!(value < low, code(value) == Outcome::Low, "{note}");
                            assert_eq!(value > high, code(value) == Outcome::High, "{note}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    #[allow(clippy::expect_used, reason = "a test stops at what is not as it should be")]
    fn limits_of_magnitudes_are_where_the_formula_says() {
        for (scale, bias) in [(1.0, -8.0), (0.5, -3.25), (0.25, 100.0), (1.0, 200.0), (2.0, -99.0)]
        {
            for signed in [false, true] {
                let rules =
                    Rules { rounding: Rounding::NearestEven, seed: 0, precision: 4, signed };
                let quantizer =
                    Logarithmic::<f32>::new(&[], rules, (scale, bias), false).expect("legal");
                let Limits { low, high } = logarithmic(rules, scale, bias);
                for value in [low, low.next_down(), high, high.next_up(), 1.0] {
                    if value.is_finite() && value > 0.0 {
                        let outcome = quantizer.code(f64::from(value), 0).1;
                        assert_eq!(value < low, outcome == Outcome::Low, "{scale} {bias} {value}");
                        assert_eq!(
                            value > high,
                            outcome == Outcome::High,
                            "{scale} {bias} {value}"
                        );
                    }
                }
            }
        }
    }
}
