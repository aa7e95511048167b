//! Products of floats with packed weights: the input is quantized on the way.

use super::matrix::{MAX_PRECISION, check_count, check_finite};
use super::method::ProductOptions;
use super::packed::PackedWeights;
use crate::error::{Error, Result};
use crate::quantize::{
    ChooseOptions, QuantizeOptions, bias_of_zero_point, choose_quantization_params,
};
use crate::tensor::QTensor;

/// What becomes of floats before they are multiplied.
///
/// ```
/// use caffe2_qtensor::{InputFormat, PackedWeights, ProductOptions, QTensor};
///
/// let mut w = QTensor::with_shape(&[2, 3], 2, true)?;
/// w.write_codes(&[1i8, 0, -1, 3, 2, 1])?;
/// let weights = PackedWeights::new(&w)?;
/// let format = InputFormat { precision: 8, is_signed: false, parameters: Some((0.5, 0.0)) };
/// let mut values = [0.0; 2];
/// let options = ProductOptions::default();
/// weights.product_floats(&[0.5, 1.0, 1.6], &format, &[], &mut values, &options)?;
/// assert_eq!(values, [-1.0, 5.0]);
/// # Ok::<(), caffe2_qtensor::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InputFormat {
    /// Bits of a code, 1 to 8.
    pub precision: u8,
    /// Whether codes have a sign.
    pub is_signed: bool,
    /// The scale and the bias of `scale * (x + bias)`, or `None` for those that cover all values of
    /// the call, and 0 exactly: without a sign as Caffe2 chose them (`quant_utils`, see
    /// [`choose_quantization_params`]), with one from the largest magnitude.
    pub parameters: Option<(f64, f64)>,
}

impl PackedWeights {
    /// [`PackedWeights::product`] of floats, which are quantized first, to the nearest code. Whole rows
    /// one after another.
    ///
    /// # Errors
    /// As there; `ShapeMismatch` where `x` is no whole rows; `InvalidArgument` where it is empty and
    /// for a scale that is not positive, finite and normal; `NonFinite` where one of its values or the
    /// bias is; `OutOfRange` for a precision that is not 1 to 8.
    pub fn product_floats(
        &self,
        x: &[f32],
        format: &InputFormat,
        added: &[f32],
        values: &mut [f32],
        options: &ProductOptions,
    ) -> Result<()> {
        if !(1..=MAX_PRECISION).contains(&format.precision) {
            return Err(Error::OutOfRange {
                what: "precision of the input",
                value: i128::from(format.precision),
                min: 1,
                max: i128::from(MAX_PRECISION),
            });
        }
        if x.is_empty() {
            let what = "number of elements of the input";
            return Err(Error::InvalidArgument { what, value: 0, rule: "1 or more" });
        }
        let rows = x.len().div_ceil(self.columns());
        let whole = rows.saturating_mul(self.columns());
        check_count("number of elements of the input", x.len(), whole)?;
        check_count("number of values", values.len(), rows.saturating_mul(self.rows()))?;
        let (scale, bias) = match format.parameters {
            Some(parameters) => parameters,
            None => covering(x, format)?,
        };
        check_finite("bias of the input", &[bias])?;
        let dim = |size| i64::try_from(size).unwrap_or(i64::MAX);
        let dims = [dim(rows), dim(self.columns())];
        let mut codes = QTensor::with_shape(&dims, format.precision, format.is_signed)?;
        codes.set_scale(scale);
        codes.set_bias(bias);
        let rounding = QuantizeOptions { threads: options.threads, ..QuantizeOptions::default() };
        codes.quantize(x, &rounding)?;
        self.product(&codes, added, values, options)
    }
}

/// The scale and the bias for the smallest to the largest value.
fn covering(x: &[f32], format: &InputFormat) -> Result<(f64, f64)> {
    let (mut low, mut high, mut all) = (0f32, 0f32, 0f32);
    for value in x {
        low = low.min(*value);
        high = high.max(*value);
        // Only of finite values a product with 0 is 0.
        all += value * 0.0;
    }
    if all != 0.0 {
        let index = x.iter().position(|value| !value.is_finite()).unwrap_or(0);
        let value = x.get(index).copied().map_or(0.0, f64::from);
        return Err(Error::NonFinite { index, value });
    }
    let most = (1i32 << format.precision.min(MAX_PRECISION)).saturating_sub(1);
    if format.is_signed {
        let largest = f64::from(high.max(-low));
        let scale = largest / f64::from(most);
        // A scale has to be a normal number.
        return Ok((if scale.is_normal() { scale } else { 1.0 }, 0.0));
    }
    let options = ChooseOptions { qmax: most, ..ChooseOptions::default() };
    let chosen = choose_quantization_params(low, high, &options)?;
    Ok((chosen.scale, bias_of_zero_point(chosen.zero_point)))
}
