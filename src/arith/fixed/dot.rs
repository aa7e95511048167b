//! Dot products: exact sums of codes, and what they stand for.

use super::codes::PART;
use super::double::Double;
use super::operand::{A, B, Channels, Operand, Side, reserve, wide};
use crate::arith::ratio::parts;
use crate::error::{Error, Result};
use crate::kernels::Level;
use crate::kernels::fixed::dot;
use crate::tensor::QTensor;

/// Sums over the elements of a channel.
#[derive(Clone, Copy, Default)]
struct Sums {
    products: i64,
    of_a: i64,
    of_b: i64,
    count: i64,
}

/// Dot products.
impl QTensor {
    /// The sum of the products of the codes of two tensors, element by element. Exact.
    ///
    /// ```
    /// use caffe2_qtensor::QTensor;
    ///
    /// let mut a = QTensor::with_shape(&[3], 4, true)?;
    /// a.write_codes(&[1i64, -15, 8])?;
    /// assert_eq!(a.dot_codes(&a)?, 290);
    /// # Ok::<(), caffe2_qtensor::Error>(())
    /// ```
    ///
    /// # Errors
    /// `ShapeMismatch` for different shapes; `InvalidArgument` for tensors without elements;
    /// `OutOfRange` for a precision that is not 1 to 16; `Overflow` where the sum could be beyond 64
    /// bits; `Unsupported`, `NonFinite` and `InvalidArgument` for parameters that
    /// [`requantize`](Self::requantize) refuses.
    pub fn dot_codes(&self, other: &QTensor) -> Result<i64> {
        let (a, b) = operands(self, other)?;
        let mut sums = [Sums::default()];
        // One for all elements, whatever channels there are.
        add_up(&a, &b, Channels::whole(self), &mut sums);
        let [sums] = sums;
        Ok(sums.products)
    }

    /// The sum of the products of the values of two tensors, element by element.
    ///
    /// With scales `s` and `t` and biases `b` and `c`, for the tensor or channel by channel, it is
    /// `s t (sum x y + c sum x + b sum y + n b c)`. The sums are exact integers and what joins them has
    /// 106 bits, so that the result is off by at most 2^-51 of itself and, for each channel, 2^-100 of the
    /// sum of the magnitudes of these terms, as long as it is not below the normal doubles.
    ///
    /// ```
    /// use caffe2_qtensor::QTensor;
    ///
    /// let mut a = QTensor::with_shape(&[3], 4, true)?;
    /// a.write_codes(&[1i64, -15, 8])?;
    /// let mut b = a.try_clone()?;
    /// b.set_scale(0.5);
    /// b.set_bias(1.0);
    /// assert_eq!(a.dot(&b)?, 142.0);
    /// # Ok::<(), caffe2_qtensor::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`dot_codes`](Self::dot_codes); `Unsupported` for channels along different dimensions;
    /// `Overflow` for a bias that is not below 2^60; `NonFinite` where the result is beyond a double;
    /// `OutOfMemory`.
    pub fn dot(&self, other: &QTensor) -> Result<f64> {
        let (a, b) = operands(self, other)?;
        let channels = Channels::of(&[&a, &b])?;
        let mut sums = reserve(channels.count, "sums of the channels")?;
        sums.resize(channels.count, Sums::default());
        for channel in 0..channels.count {
            check_bias(&a.side(channel))?;
            check_bias(&b.side(channel))?;
        }
        add_up(&a, &b, channels, &mut sums);
        let mut total = Double::default();
        for (channel, sums) in sums.iter().enumerate() {
            total = total.plus(sums.value(&a.side(channel), &b.side(channel)));
        }
        let value = total.rounded();
        if value.is_finite() {
            return Ok(value);
        }
        Err(Error::NonFiniteNumber { what: "dot product", value })
    }
}

/// Operands that can be multiplied, and whose sums fit.
fn operands<'a>(a: &'a QTensor, b: &'a QTensor) -> Result<(Operand<'a>, Operand<'a>)> {
    let (a, b) = (Operand::new(a, &A)?, Operand::new(b, &B)?);
    b.check_dims(&a)?;
    a.check_not_empty()?;
    let largest = i128::from(a.side(0).high).wrapping_mul(i128::from(b.side(0).high));
    let limit = i128::from(i64::MAX);
    if largest.saturating_mul(wide(a.tensor.size())) > limit {
        return Err(Error::Overflow { what: "dot product of the codes", limit });
    }
    Ok((a, b))
}

fn check_bias(side: &Side) -> Result<()> {
    const LIMIT: i128 = 1 << 60;
    if side.bias.abs() < 1_152_921_504_606_846_976.0 {
        return Ok(());
    }
    Err(Error::Overflow { what: side.what_bias, limit: LIMIT })
}

/// Adds all elements to the sums of their channels, which cannot overflow.
fn add_up(a: &Operand<'_>, b: &Operand<'_>, channels: Channels, sums: &mut [Sums]) {
    let (mut codes, mut others) = ([0_i32; PART], [0_i32; PART]);
    let size = a.tensor.size();
    for first in (0..size).step_by(PART) {
        let count = size.saturating_sub(first).min(PART);
        let codes = codes.get_mut(..count).unwrap_or_default();
        let others = others.get_mut(..count).unwrap_or_default();
        a.tensor.read_block(first, codes);
        b.tensor.read_block(first, others);
        channels.each(first, count, |channel, at, count| {
            let part = at..at.saturating_add(count);
            let codes = codes.get(part.clone()).unwrap_or_default();
            if let Some(sums) = sums.get_mut(channel) {
                sums.add(codes, others.get(part).unwrap_or_default());
            }
        });
    }
}

impl Sums {
    fn add(&mut self, codes: &[i32], others: &[i32]) {
        let [products, of_a, of_b] = dot(Level::best(), codes, others);
        self.products = self.products.wrapping_add(products);
        self.of_a = self.of_a.wrapping_add(of_a);
        self.of_b = self.of_b.wrapping_add(of_b);
        self.count = self.count.saturating_add(i64::try_from(codes.len()).unwrap_or(i64::MAX));
    }

    fn value(&self, a: &Side, b: &Side) -> Double {
        let inner = Double::of(self.products)
            .plus(Double::of(self.of_a).times(b.bias))
            .plus(Double::of(self.of_b).times(a.bias))
            .plus(Double::of(self.count).times(a.bias).times(b.bias));
        // The powers of two last: one scale alone may lead out of the doubles and the other back.
        let ((a_scale, a_power), (b_scale, b_power)) = (normalized(a.scale), normalized(b.scale));
        let mut product = inner.times(a_scale).times(b_scale);
        let mut power = a_power.wrapping_add(b_power);
        while power != 0 {
            let here = power.clamp(-1000, 1000);
            product = product.times(2_f64.powi(here));
            power = power.wrapping_sub(here);
        }
        product
    }
}

/// A number as one of a magnitude from 1 to 2 and a power of two.
fn normalized(value: f64) -> (f64, i32) {
    let (mantissa, exponent) = parts(value);
    let bits = u64::BITS.wrapping_sub(mantissa.leading_zeros());
    let above = i32::try_from(bits).unwrap_or(0).wrapping_sub(1);
    // Of at most 53 bits, and so a double.
    #[expect(clippy::cast_precision_loss, reason = "it has no more bits than a double")]
    let magnitude = mantissa as f64 * 2_f64.powi(above.wrapping_neg());
    (magnitude.copysign(value), exponent.wrapping_add(above))
}
