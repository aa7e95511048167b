//! Codes of a product by dnnlowp's formula, in integers from the sums on.

use super::buffer::resize;
use super::packed::PackedWeights;
use super::sums::Output;
use crate::arith::multiplier::{Multiplier, dnnlowp_product, dnnlowp_ratio, integer_bias};
use crate::error::{Error, Result};
use crate::kernels::Level;
use crate::kernels::bits::LANES;
use crate::kernels::product::{self, Number, Place, Totals};

/// What makes codes of the sums of an output.
///
/// With zero points instead of biases, which are integers here, an output's exact sum is
/// `sum x w + c sum x + b sum w + K b c`, and what is added to the value counts in units of `s t`.
#[derive(Clone, Copy, Default)]
struct Step {
    /// `c`.
    bias: i64,
    /// `b sum w + K b c`, and what is added.
    constant: i64,
    multiplier: Multiplier,
    zero_point: i64,
}

pub(super) struct FixedCodes {
    steps: Vec<Step>,
    low: i64,
    high: i64,
}

/// The parameters of one side, for each output or for all.
#[derive(Clone, Copy)]
pub(super) struct Parameters<'a> {
    pub(super) scales: &'a [f64],
    pub(super) biases: &'a [f64],
}

impl Parameters<'_> {
    fn at(self, output: usize) -> (f64, f64) {
        let at = |numbers: &[f64]| {
            let index = if numbers.len() == 1 { 0 } else { output };
            numbers.get(index).copied().unwrap_or(0.0)
        };
        (at(self.scales), at(self.biases))
    }
}

impl FixedCodes {
    /// For an input of this scale and bias, and finite numbers on all sides.
    pub(super) fn new(
        weights: &PackedWeights,
        (scale, bias): (f64, f64),
        added: &[f32],
        result: Parameters<'_>,
        (low, high): (i32, i32),
    ) -> Result<FixedCodes> {
        let mut steps = Vec::<Step>::new();
        resize(&mut steps, weights.rows(), "parameters of a product")?;
        let bias = integer_bias("bias of the input", bias)?;
        let own = Parameters { scales: &weights.scales, biases: &weights.biases };
        let columns = i64::try_from(weights.columns()).unwrap_or(i64::MAX);
        for (output, (step, sum)) in steps.iter_mut().zip(&weights.code_sums).enumerate() {
            let ((own_scale, own_bias), (by, out_bias)) = (own.at(output), result.at(output));
            let own_bias = integer_bias("bias of the weights", own_bias)?;
            let ratio = dnnlowp_ratio(scale, own_scale, by)?;
            let added = added.get(output).copied().unwrap_or(0.0);
            let units = in_units(added, dnnlowp_product(scale, own_scale)?)?;
            // A code less its zero point, on both sides, as often as there are columns.
            let largest = i128::from(bias.abs().saturating_add(255))
                .saturating_mul(i128::from(own_bias.abs().saturating_add(255)))
                .saturating_mul(i128::from(columns));
            let limit = i128::from(i64::MAX);
            if largest.saturating_add(i128::from(units.abs())) > limit {
                return Err(Error::Overflow { what: "sum of products", limit });
            }
            let of_biases = bias.wrapping_mul(own_bias).wrapping_mul(columns);
            *step = Step {
                bias: own_bias,
                constant: bias.wrapping_mul(*sum).wrapping_add(of_biases).wrapping_add(units),
                multiplier: Multiplier::new(ratio)?,
                zero_point: integer_bias("bias of the result", out_bias)?.wrapping_neg(),
            };
        }
        Ok(FixedCodes { steps, low: low.into(), high: high.into() })
    }
}

/// What is added, in units of both scales, as fbgemm quantizes it: by a reciprocal, and all in floats.
fn in_units(added: f32, scales: f32) -> Result<i64> {
    // Half of 2^32 is a float, which the largest integer is not.
    const LIMIT: f32 = 2_147_483_648.0;
    let units = (added * (1.0 / scales)).round_ties_even();
    if units.abs() < LIMIT {
        #[expect(clippy::cast_possible_truncation, reason = "an integer of 32 bits")]
        return Ok(units as i64);
    }
    Err(Error::UnsupportedNumber {
        what: "quotient of a value to add and both scales",
        value: f64::from(units),
        reason: "dnnlowp's are 32-bit integers",
    })
}

impl Output for FixedCodes {
    type Element = i32;

    fn put<T: Number>(&self, first: usize, totals: Totals<'_, T>, place: Place<'_, i32>) {
        let Place { out, stride, first: column, count } = place;
        let steps = self.steps.get(first..first.saturating_add(count)).unwrap_or_default();
        let rows = totals.sums.chunks_exact(LANES).zip(totals.of_rows).zip(out.chunks_mut(stride));
        for ((sums, of_row), out) in rows {
            let mut complete = [0i64; LANES];
            let of_rows = core::slice::from_ref(of_row);
            let own = Place { out: &mut complete, stride: LANES, first: 0, count: LANES };
            product::sums(Level::best(), Totals { sums, of_rows, ..totals }, own);
            let out = out.get_mut(column..).unwrap_or_default();
            for ((out, total), step) in out.iter_mut().zip(complete).zip(steps) {
                let of_bias = step.bias.wrapping_mul(of_row.code_sum);
                let exact = total.wrapping_add(of_bias).wrapping_add(step.constant);
                let code = step.multiplier.apply(exact).saturating_add(step.zero_point);
                *out = i32::low(code.clamp(self.low, self.high));
            }
        }
    }
}
