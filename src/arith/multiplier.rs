//! Multiplication of an integer by a real number in integers: a factor and a shift.

use super::ratio::parts;
use crate::error::{Error, Result};
use crate::quantize::zero_point_of_bias;

/// How a fixed-point operation rounds to codes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum FixedRounding {
    /// To the nearest code; from the middle between two to the even one. Parameters are taken as the
    /// doubles that they are.
    #[default]
    Nearest,
    /// Bit for bit as dnnlowp, `(a * q + 2^(s - 1)) >> s`: scales are rounded to single precision,
    /// their quotient is normalized to 31 bits in `q`, and the middle between two codes goes to the
    /// upper one. Biases are minus zero points, 32-bit integers.
    Dnnlowp,
}

/// A positive real number as `factor / 2^shift`, as dnnlowp has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Multiplier {
    /// Of 31 bits.
    factor: i32,
    /// From 1 to 63.
    shift: u32,
}

impl Multiplier {
    /// The multiplier is the float next to `real`, as `fbgemm::ChooseRequantizationMultiplier` takes
    /// it: multiplied by a power of two into the range from 1/2 to 1 and times 2^31, which a float's 24
    /// bits fit. A float of exactly that power of two has the factor 2^30 and the shift of the next
    /// lower one, which is the same number.
    ///
    /// # Errors
    /// `Unsupported` unless the float is positive and the shift from 1 to 63, as the formula needs:
    /// from 2^-33 to below 2^30.
    pub(super) fn new(real: f64) -> Result<Multiplier> {
        // 2^-33 and 2^30.
        const RANGE: core::ops::Range<f32> = 1.164_153_2e-10..1_073_741_824.0;
        #[allow(clippy::cast_possible_truncation, reason = "dnnlowp's multipliers are floats")]
        let single = real as f32;
        if !RANGE.contains(&single) {
            return Err(Error::UnsupportedNumber {
                what: "multiplier",
                value: real,
                reason: "dnnlowp's formula takes multipliers from 2^-33 to below 2^30",
            });
        }
        // A float's mantissa has 24 of the 53 bits of a double: the others are 0.
        let (mantissa, exponent) = parts(f64::from(single));
        let factor = i32::try_from(mantissa.wrapping_shr(22)).unwrap_or(0);
        let shift = u32::try_from(exponent.wrapping_add(22).wrapping_neg()).unwrap_or(1);
        Ok(Multiplier { factor, shift })
    }

    /// The product, `(a * q + 2^(s - 1)) >> s`. dnnlowp has 32 bits for `a`; for others this is the
    /// same formula in wider integers.
    #[inline]
    pub(super) fn apply(self, a: i64) -> i64 {
        let product = i128::from(a).wrapping_mul(i128::from(self.factor));
        // The product is below 2^94.
        let above = product.wrapping_add(1_i128.wrapping_shl(self.shift.wrapping_sub(1)));
        let outermost = if above < 0 { i64::MIN } else { i64::MAX };
        i64::try_from(above.wrapping_shr(self.shift)).unwrap_or(outermost)
    }

    /// The factor `q` and the shift `s`.
    pub(super) fn parts(self) -> (i32, u32) {
        (self.factor, self.shift)
    }
}

/// A bias that is minus a zero point.
///
/// # Errors
/// `Unsupported` for any other.
pub(super) fn integer_bias(what: &'static str, bias: f64) -> Result<i64> {
    zero_point_of_bias(bias).map(|zero_point| i64::from(zero_point).wrapping_neg()).map_err(|_| {
        let reason = "dnnlowp's biases are minus zero points, 32-bit integers";
        Error::UnsupportedNumber { what, value: bias, reason }
    })
}

/// The multiplier of dnnlowp's operations, `first * second / output` in floats, for
/// [`Multiplier::new`].
///
/// # Errors
/// `Unsupported` where a number or the product of the first two is not a normal float.
pub(super) fn dnnlowp_ratio(first: f64, second: f64, output: f64) -> Result<f64> {
    let product = dnnlowp_product(first, second)?;
    Ok(f64::from(product / normal_single("scale", output)?))
}

/// The product of two scales in floats.
///
/// # Errors
/// `Unsupported` where a number or the product is not a normal float.
pub(super) fn dnnlowp_product(first: f64, second: f64) -> Result<f32> {
    let product = normal_single("scale", first)? * normal_single("scale", second)?;
    normal_single("product of scales", f64::from(product))
}

fn normal_single(what: &'static str, value: f64) -> Result<f32> {
    #[allow(clippy::cast_possible_truncation, reason = "dnnlowp's scales are floats")]
    let single = value as f32;
    if single.is_normal() {
        return Ok(single);
    }
    let reason = "dnnlowp's scales are normal numbers in single precision";
    Err(Error::UnsupportedNumber { what, value, reason })
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "a test's numbers are its own")]
mod tests {
    use super::*;

    /// `ChooseRequantizationMultiplier` as it is written.
    fn reference(mut real: f32) -> (i64, u32) {
        let mut shift = 31;
        while real < 0.5 {
            real *= 2.0;
            shift += 1;
        }
        while real > 1.0 {
            real /= 2.0;
            shift -= 1;
        }
        #[allow(clippy::cast_possible_truncation, reason = "a whole number of 31 bits")]
        let mut factor = (real * 2_147_483_648.0).round_ties_even() as i64;
        if factor == 1 << 31 {
            factor /= 2;
            shift -= 1;
        }
        (factor, shift)
    }

    #[test]
    fn dnnlowp_as_it_is_written() -> Result<()> {
        let mut state = 1_u64;
        let mut numbers = vec![1.0, 0.5, 2.0, 0.75, f32::EPSILON, 1_073_741_760.0, 1.164_153_2e-10];
        for _ in 0..20_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let bits = u32::try_from(state >> 32).unwrap_or(0);
            let number = f32::from_bits(bits & 0x7fff_ffff);
            if (1.2e-10..1e9).contains(&number) {
                numbers.push(number);
            }
        }
        assert!(numbers.len() > 4000);
        for number in numbers {
            let (factor, shift) = Multiplier::new(f64::from(number))?.parts();
            assert_eq!((i64::from(factor), shift), reference(number), "{number:?}");
        }
        Ok(())
    }

    #[test]
    fn what_dnnlowp_cannot_do() {
        for real in [0.0, -0.5, 1.164e-10, 1_073_741_824.0, 1e300, f64::NAN, f64::INFINITY] {
            let refused = Multiplier::new(real).map_err(|error| error.kind());
            assert_eq!(refused, Err(crate::ErrorKind::Unsupported), "{real}");
        }
    }

    #[test]
    fn the_middle_goes_up() -> Result<()> {
        let half = Multiplier::new(0.5)?;
        assert_eq!([1, 3, 5, -1, -3, 2].map(|a| half.apply(a)), [1, 2, 3, 0, -1, 1]);
        Ok(())
    }

    #[test]
    fn beyond_64_bits_the_outermost() -> Result<()> {
        let large = Multiplier::new(1e9)?;
        assert_eq!([i64::MIN, i64::MAX].map(|a| large.apply(a)), [i64::MIN, i64::MAX]);
        Ok(())
    }
}
