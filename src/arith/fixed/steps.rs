//! From codes to a code of the result, for elements that share their parameters.

use super::operand::Side;
use super::rule::{Form, Lowp, Rule, nearest};
use crate::arith::multiplier::{FixedRounding, Multiplier, dnnlowp_ratio, integer_bias};
use crate::arith::ratio::{PLACES, fixed};
use crate::error::{Error, Result};

/// The operation of elements that share their parameters.
pub(super) struct Step {
    rule: Rule,
    /// The codes that results are clamped to, the lowest one first.
    limits: [i32; 2],
}

/// Bits before the point of a quotient of scales; of one whose codes are multiplied; of what makes
/// the coefficient of a code; and of a constant.
const SCALE_BITS: u32 = 40;
const PRODUCT_BITS: u32 = 28;
const TERM_BITS: u32 = 44;
const BIAS_BITS: u32 = 60;

const SCALES: &str = "quotient of the scales";
const TERM: &str = "bias of a factor in steps of the result";
const BIAS: &str = "bias in steps of the result";

fn coefficient(
    what: &'static str,
    bits: u32,
    numerators: &[f64],
    denominator: f64,
) -> Result<i128> {
    let limit = 1_i128.wrapping_shl(bits);
    fixed(numerators, denominator, bits).ok_or(Error::Overflow { what, limit })
}

impl Step {
    fn new(rule: Rule, out: &Side) -> Step {
        Step { rule, limits: [code(out.low), code(out.high)] }
    }

    /// The same value: `s (x + b) / t - c`.
    pub(super) fn same(x: &Side, out: &Side, rounding: FixedRounding) -> Result<Step> {
        if rounding == FixedRounding::Dnnlowp {
            let multiplier = Multiplier::new(dnnlowp_ratio(x.scale, 1.0, out.scale)?)?;
            let biases = [zero_point_bias(x)?, 0];
            check_sum(largest(x, biases[0]), "sum of a code and its bias")?;
            let zero_point = zero_point_bias(out)?.wrapping_neg();
            return Ok(Step::new(Rule::Dnnlowp(Lowp { biases, multiplier, zero_point }), out));
        }
        let first = coefficient(SCALES, SCALE_BITS, &[x.scale], out.scale)?;
        let constant = coefficient(BIAS, BIAS_BITS, &[x.scale, x.bias], out.scale)?;
        let constant = constant.wrapping_sub(own_bias(out)?);
        let form = Form { first, constant, ..Form::default() };
        Ok(Step::new(Rule::nearest(form, x.high, 0), out))
    }

    /// The sum: `s (a + b) / t + s' (a' + b') / t - c`.
    pub(super) fn sum(a: &Side, b: &Side, out: &Side) -> Result<Step> {
        let first = coefficient(SCALES, SCALE_BITS, &[a.scale], out.scale)?;
        let second = coefficient(SCALES, SCALE_BITS, &[b.scale], out.scale)?;
        let of_a = coefficient(BIAS, BIAS_BITS, &[a.scale, a.bias], out.scale)?;
        let of_b = coefficient(BIAS, BIAS_BITS, &[b.scale, b.bias], out.scale)?;
        let constant = of_a.wrapping_add(of_b).wrapping_sub(own_bias(out)?);
        let form = Form { product: 0, first, second, constant };
        Ok(Step::new(Rule::nearest(form, a.high, b.high), out))
    }

    /// The product: `s s' / t (a a' + b' a + b a' + b b') - c`.
    pub(super) fn product(a: &Side, b: &Side, out: &Side, rounding: FixedRounding) -> Result<Step> {
        if rounding == FixedRounding::Dnnlowp {
            let ratio = dnnlowp_ratio(a.scale, b.scale, out.scale)?;
            let multiplier = Multiplier::new(ratio)?;
            let biases = [zero_point_bias(a)?, zero_point_bias(b)?];
            let (of_a, of_b) = (largest(a, biases[0]), largest(b, biases[1]));
            check_sum(of_a.saturating_mul(of_b), "product of two codes and their biases")?;
            let zero_point = zero_point_bias(out)?.wrapping_neg();
            return Ok(Step::new(Rule::Dnnlowp(Lowp { biases, multiplier, zero_point }), out));
        }
        let (s, t) = (a.scale, b.scale);
        let product = coefficient(SCALES, PRODUCT_BITS, &[s, t], out.scale)?;
        let first = coefficient(TERM, TERM_BITS, &[s, t, b.bias], out.scale)?;
        let second = coefficient(TERM, TERM_BITS, &[s, t, a.bias], out.scale)?;
        let constant = coefficient(BIAS, BIAS_BITS, &[s, t, a.bias, b.bias], out.scale)?;
        let constant = constant.wrapping_sub(own_bias(out)?);
        let form = Form { product, first, second, constant };
        Ok(Step::new(Rule::nearest(form, a.high, b.high), out))
    }

    /// Clamps results to the codes of two values, the lower one first, each rounded to the nearest.
    pub(super) fn clamp(&mut self, out: &Side, (low, high): (f64, f64)) -> Result<()> {
        let (low, high) = (code_of(low, out)?, code_of(high, out)?);
        // Of a negative scale the higher codes have the lower values.
        self.limits = [code(low.min(high)), code(low.max(high))];
        Ok(())
    }

    /// The results of codes, in their place.
    pub(super) fn single(&self, codes: &mut [i32]) {
        self.rule.single(self.limits, codes);
    }

    /// The results of codes of two operands, in place of the first one's.
    pub(super) fn pair(&self, codes: &mut [i32], others: &[i32]) {
        self.rule.pair(self.limits, codes, others);
    }
}

/// A code, which has at most 16 bits and a sign.
fn code(code: i64) -> i32 {
    i32::try_from(code).unwrap_or(0)
}

/// The code of a value, infinite ones included.
fn code_of(value: f64, out: &Side) -> Result<i64> {
    // Farther away than any bias reaches.
    let beyond = BIAS_BITS.wrapping_add(1);
    let quotient = if value.is_finite() { fixed(&[value], out.scale, beyond) } else { None };
    let quotient = quotient.unwrap_or_else(|| {
        let farthest = 1_i128.wrapping_shl(PLACES.wrapping_add(beyond));
        let negative = value.is_sign_negative() != out.scale.is_sign_negative();
        if negative { farthest.wrapping_neg() } else { farthest }
    });
    let code = nearest(quotient.wrapping_sub(own_bias(out)?));
    Ok(code.max(out.low).min(out.high))
}

fn own_bias(out: &Side) -> Result<i128> {
    coefficient(out.what_bias, BIAS_BITS, &[out.bias], 1.0)
}

/// A bias that is minus a zero point.
fn zero_point_bias(side: &Side) -> Result<i64> {
    integer_bias(side.what_bias, side.bias)
}

/// The largest magnitude of a code with its bias.
fn largest(side: &Side, bias: i64) -> i64 {
    let (low, high) = (side.low.wrapping_add(bias), side.high.wrapping_add(bias));
    low.abs().max(high.abs())
}

fn check_sum(largest: i64, what: &'static str) -> Result<()> {
    let limit = i64::from(i32::MAX);
    if largest <= limit {
        return Ok(());
    }
    Err(Error::Overflow { what, limit: i128::from(limit) })
}
