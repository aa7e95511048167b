//! What becomes of the sums of a product.
//!
//! With `X` of codes `x`, scale `s` and bias `b`, and `W` of codes `w`, scale `t` and bias `c`, an
//! output is the sum over `k` of `s (x_k + b) * t (w_k + c)`, which is
//! `s t (sum x w + c sum x + b sum w + K b c)`: the sums are integers, and exact.

use super::buffer::resize;
use super::matrix::{check_count, check_finite};
use super::packed::PackedWeights;
use super::sums::Output;
use crate::error::{Error, Result};
use crate::kernels::Level;
use crate::kernels::product::{self, Lanes, Number, Place, Totals};
use core::marker::PhantomData;

const WHAT: &str = "parameters of a product";

/// The integers themselves.
pub(super) struct Sums<S>(pub(super) PhantomData<S>);

impl<S: Number> Output for Sums<S> {
    type Element = S;

    fn put<T: Number>(&self, _first: usize, totals: Totals<'_, T>, place: Place<'_, S>) {
        product::sums(Level::best(), totals, place);
    }
}

/// What the members of [`Lanes`] say, for all outputs.
#[derive(Default)]
pub(super) struct Values {
    /// Whether the biases and constants count.
    is_biased: bool,
    /// Whether there is something to add.
    adds: bool,
    biases: Vec<f64>,
    constants: Vec<f64>,
    scales: Vec<f64>,
    added: Vec<f64>,
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
        let mut values = Values::default();
        let Values { biases, constants, scales, added: to_add, .. } = &mut values;
        for each in [&mut *biases, constants, scales, to_add] {
            resize(each, weights.rows(), WHAT)?;
        }
        fill_from(&weights.biases, biases);
        fill_from(&weights.scales, scales);
        scales.iter_mut().for_each(|each| *each *= scale);
        let columns = double(i64::try_from(weights.columns()).unwrap_or(i64::MAX));
        for ((constant, own), sum) in constants.iter_mut().zip(&*biases).zip(&weights.code_sums) {
            *constant = bias * double(*sum) + columns * (bias * own);
        }
        for (to, value) in to_add.iter_mut().zip(added) {
            *to = f64::from(*value);
        }
        check_finite("product of the scales", scales)?;
        check_finite("product of the biases and the number of columns", constants)?;
        values.adds = !added.is_empty();
        values.is_biased = bias != 0.0 || values.biases.iter().any(|bias| *bias != 0.0);
        Ok(values)
    }

    /// Makes them codes of these scales and biases.
    pub(super) fn divide(&mut self, by: &[f64], biases: &[f64]) -> Result<()> {
        self.adds |= biases.iter().any(|bias| *bias != 0.0);
        let each = self.scales.iter_mut().zip(&mut self.added);
        let one = by.len() == 1;
        for (at, (scale, added)) in each.enumerate() {
            let at = if one { 0 } else { at };
            let (by, bias) = (by.get(at), biases.get(at));
            let (by, bias) = (by.copied().unwrap_or(1.0), bias.copied().unwrap_or(0.0));
            *scale /= by;
            *added = *added / by - bias;
        }
        check_finite("quotient of the scales", &self.scales)?;
        check_finite("quotient of a value to add and the scale", &self.added)
    }

    fn lanes(&self, first: usize, count: usize) -> Lanes<'_> {
        let end = first.saturating_add(count);
        let from = |values| <[f64]>::get(values, first..end).unwrap_or_default();
        Lanes {
            biased: self.is_biased.then(|| (from(&self.biases), from(&self.constants))),
            scales: from(&self.scales),
            added: self.adds.then(|| from(&self.added)),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "rounded to doubles, as documented")]
const fn double(number: i64) -> f64 {
    number as f64
}

/// Fills a slice from one that has as many elements, or one for all.
fn fill_from(from: &[f64], to: &mut [f64]) {
    match from {
        [one] => to.fill(*one),
        many => to.iter_mut().zip(many).for_each(|(to, each)| *to = *each),
    }
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
