//! What becomes of the sums of a product.
//!
//! With `X` of codes `x`, scale `s` and bias `b`, and `W` of codes `w`, scale `t` and bias `c`, an
//! output is the sum over `k` of `s (x_k + b) * t (w_k + c)`, which is
//! `s t (sum x w + c sum x + b sum w + K b c)`: the sums are integers, and exact.

use super::SumType;
use super::buffer::resize;
use super::matrix::{check_count, check_finite};
use super::packed::PackedWeights;
use super::sums::Output;
use crate::error::{Error, Result};
use crate::kernels::Level;
use crate::kernels::bits::LANES;
use crate::kernels::product::{self, Lanes, Number, Place, Totals};
use core::marker::PhantomData;

const WHAT: &str = "parameters of a product";

/// Of the precisions that factors have.
const LARGEST_CODE: f64 = 255.0;

/// The integers themselves.
pub(super) struct Sums<S>(pub(super) PhantomData<S>);

impl<S: SumType> Output for Sums<S> {
    type Element = S;

    fn as_sums(out: &mut [S]) -> Option<&mut [i32]> {
        S::narrow(out)
    }

    fn put<T: Number>(&self, _first: usize, totals: Totals<'_, T>, place: Place<'_, S>) {
        product::sums(Level::best(), totals, place);
    }
}

/// What the members of [`Lanes`] say, for all outputs.
#[derive(Default)]
pub(super) struct Values {
    scales: Each,
    /// The weights' biases, and what does not depend on the row, unless there are none.
    biased: Option<(Each, Each)>,
    added: Option<Each>,
}

/// A number for each output, or the same one for all.
#[derive(Default)]
struct Each {
    numbers: Vec<f64>,
    is_one: bool,
}

impl Each {
    /// As many as there are, or one for a whole panel.
    fn new(numbers: &[f64]) -> Result<Each> {
        let is_one = numbers.len() == 1;
        let mut own = Vec::new();
        resize(&mut own, if is_one { LANES } else { numbers.len() }, WHAT)?;
        match numbers {
            [one] => own.fill(*one),
            many => own.copy_from_slice(many),
        }
        Ok(Each { numbers: own, is_one })
    }

    fn at(&self, output: usize) -> f64 {
        let index = if self.is_one { 0 } else { output };
        self.numbers.get(index).copied().unwrap_or(0.0)
    }

    /// One number for each output.
    fn spread(&mut self, outputs: usize) -> Result<()> {
        if self.is_one {
            let one = self.at(0);
            resize(&mut self.numbers, outputs, WHAT)?;
            self.numbers.fill(one);
            self.is_one = false;
        }
        Ok(())
    }

    fn some(&self, first: usize, count: usize) -> &[f64] {
        let first = if self.is_one { 0 } else { first };
        self.numbers.get(first..first.saturating_add(count)).unwrap_or_default()
    }
}

impl Values {
    /// For an input of this scale and bias.
    pub(super) fn new(
        weights: &PackedWeights,
        (scale, bias): (f64, f64),
        added: &[f32],
    ) -> Result<Values> {
        check_finite("scale of the input", &[scale])?;
        check_finite("bias of the input", &[bias])?;
        if !added.is_empty() {
            check_count("number of values to add", added.len(), weights.rows())?;
        }
        if let Some(value) = added.iter().find(|value| !value.is_finite()) {
            let what = "value to add";
            return Err(Error::NonFiniteNumber { what, value: f64::from(*value) });
        }
        let mut values = Values { scales: Each::new(&weights.scales)?, ..Values::default() };
        for each in &mut values.scales.numbers {
            let is_zero = *each == 0.0 || scale == 0.0;
            *each *= scale;
            // Below the normal numbers it would have few bits left, or none.
            if each.is_finite() && !is_zero && !each.is_normal() {
                let (what, rule) = ("product of the scales", "0, or 2^-1022 or more");
                return Err(Error::InvalidNumber { what, value: *each, rule });
            }
        }
        check_finite("product of the scales", &values.scales.numbers)?;
        if bias != 0.0 || weights.biases.iter().any(|bias| *bias != 0.0) {
            let biases = Each::new(&weights.biases)?;
            let mut constants = Each::default();
            resize(&mut constants.numbers, weights.rows(), WHAT)?;
            let columns = double(i64::try_from(weights.columns()).unwrap_or(i64::MAX));
            let pairs = constants.numbers.iter_mut().zip(&weights.code_sums);
            for (output, (constant, sum)) in pairs.enumerate() {
                *constant = bias * double(*sum) + columns * (bias * biases.at(output));
            }
            check_finite("product of the biases and the number of columns", &constants.numbers)?;
            // A scale of 0 is allowed, and 0 times what is infinite would be NaN.
            let most = columns * LARGEST_CODE;
            for (output, constant) in constants.numbers.iter().enumerate() {
                let largest = 2.0 * (biases.at(output).abs() * most + constant.abs());
                check_finite("product of a bias and the sum of the largest codes", &[largest])?;
            }
            values.biased = Some((biases, constants));
        }
        if !added.is_empty() {
            let mut each = Each::default();
            resize(&mut each.numbers, added.len(), WHAT)?;
            for (to, value) in each.numbers.iter_mut().zip(added) {
                *to = f64::from(*value);
            }
            values.added = Some(each);
        }
        Ok(values)
    }

    /// Makes them codes of these scales and biases.
    pub(super) fn divide(&mut self, by: &[f64], biases: &[f64], outputs: usize) -> Result<()> {
        let (by, biases) = (Each::new(by)?, Each::new(biases)?);
        if !by.is_one {
            self.scales.spread(outputs)?;
        }
        for (output, scale) in self.scales.numbers.iter_mut().enumerate() {
            *scale /= by.at(output);
        }
        check_finite("quotient of the scales", &self.scales.numbers)?;
        let mut added = self.added.take().unwrap_or_default();
        if added.numbers.is_empty() {
            resize(&mut added.numbers, outputs, WHAT)?;
        }
        for (output, added) in added.numbers.iter_mut().enumerate() {
            *added = *added / by.at(output) - biases.at(output);
        }
        check_finite("quotient of a value to add and the scale", &added.numbers)?;
        self.added = Some(added);
        Ok(())
    }

    fn lanes(&self, first: usize, count: usize) -> Lanes<'_> {
        Lanes {
            biased: self.biased.as_ref().map(|(biases, constants)| {
                (biases.some(first, count), constants.some(first, count))
            }),
            scales: self.scales.some(first, count),
            added: self.added.as_ref().map(|added| added.some(first, count)),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "rounded to doubles, as documented")]
const fn double(number: i64) -> f64 {
    number as f64
}

impl Output for Values {
    type Element = f32;

    fn put<T: Number>(&self, first: usize, totals: Totals<'_, T>, place: Place<'_, f32>) {
        let lanes = self.lanes(first, place.count);
        product::values(Level::best(), totals, lanes, place);
    }
}

/// Codes: the same values, of another scale and bias, rounded and clamped.
pub(super) struct Codes {
    pub(super) values: Values,
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Output for Codes {
    type Element = i32;

    fn put<T: Number>(&self, first: usize, totals: Totals<'_, T>, place: Place<'_, i32>) {
        let lanes = self.values.lanes(first, place.count);
        product::codes(Level::best(), totals, lanes, (self.low, self.high), place);
    }
}
