//! Multiplication of an integer by a real number in integers: a factor and a shift.

use super::ratio::parts;
use crate::error::{Error, Result};

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

/// A real number as `factor / 2^shift`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Multiplier {
    factor: i64,
    /// Not above 118; where it is negative the product is shifted to the left.
    shift: i32,
    rounding: FixedRounding,
}

/// Where every product of 64 by 53 bits is less than half.
const NOTHING_LEFT: i32 = 118;

impl Multiplier {
    /// With [`FixedRounding::Nearest`] the multiplier is `real` itself, which is a double and so an
    /// integer of 53 bits times a power of two.
    ///
    /// With [`FixedRounding::Dnnlowp`] it is the float next to `real`, as
    /// `fbgemm::ChooseRequantizationMultiplier` takes it: multiplied by a power of two into the range
    /// from 1/2 to 1 and times 2^31, which a float's 24 bits fit. A float of exactly that power of two
    /// has the factor 2^30 and the shift of the next lower one, which is the same number.
    ///
    /// # Errors
    /// `NonFinite` for a number that is; with `Dnnlowp`, `Unsupported` unless the float is positive and
    /// the shift from 1 to 63, as the formula needs: from 2^-33 to below 2^30.
    pub(super) fn new(real: f64, rounding: FixedRounding) -> Result<Multiplier> {
        if !real.is_finite() {
            return Err(Error::NonFiniteNumber { what: "multiplier", value: real });
        }
        match rounding {
            FixedRounding::Nearest => {
                let (magnitude, exponent) = parts(real);
                let magnitude = i64::try_from(magnitude).unwrap_or(0);
                let factor = if real < 0.0 { magnitude.wrapping_neg() } else { magnitude };
                let shift = exponent.wrapping_neg();
                if shift > NOTHING_LEFT {
                    return Ok(Multiplier { factor: 0, shift: 1, rounding });
                }
                Ok(Multiplier { factor, shift, rounding })
            }
            FixedRounding::Dnnlowp => Multiplier::dnnlowp(real),
        }
    }

    fn dnnlowp(real: f64) -> Result<Multiplier> {
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
        let factor = i64::try_from(mantissa.wrapping_shr(22)).unwrap_or(0);
        let shift = exponent.wrapping_add(22).wrapping_neg();
        Ok(Multiplier { factor, shift, rounding: FixedRounding::Dnnlowp })
    }

    /// The product, rounded to an integer as the multiplier was made for; beyond 64 bits the outermost
    /// integer. It is off by at most 1/2. `Dnnlowp` holds 32-bit `a` only; for others it is the same
    /// formula in wider integers.
    #[inline]
    pub(super) fn apply(self, a: i64) -> i64 {
        let product = i128::from(a).wrapping_mul(i128::from(self.factor));
        let Ok(shift @ 1..) = u32::try_from(self.shift) else { return self.shift_left(product) };
        // The product is below 2^116 and half at most 2^117.
        let above = product.wrapping_add(1_i128.wrapping_shl(shift.wrapping_sub(1)));
        let rounded = above.wrapping_shr(shift);
        let middle = above == rounded.wrapping_shl(shift);
        let to_even = middle && self.rounding == FixedRounding::Nearest;
        saturated(if to_even { rounded & !1 } else { rounded })
    }

    /// The factor and the shift of one for [`FixedRounding::Dnnlowp`]: 31 bits, and 1 to 63.
    pub(super) fn dnnlowp_parts(self) -> Option<(i32, u32)> {
        let is_dnnlowp = self.rounding == FixedRounding::Dnnlowp;
        let factor = i32::try_from(self.factor).ok().filter(|_| is_dnnlowp)?;
        Some((factor, u32::try_from(self.shift).ok()?))
    }

    fn shift_left(self, product: i128) -> i64 {
        let power = 1_i128.checked_shl(self.shift.unsigned_abs().min(126));
        let shifted = power.and_then(|power| product.checked_mul(power));
        let outermost = if product < 0 { i128::MIN } else { i128::MAX };
        saturated(shifted.unwrap_or(outermost))
    }
}

fn saturated(value: i128) -> i64 {
    let outermost = if value < 0 { i64::MIN } else { i64::MAX };
    i64::try_from(value).unwrap_or(outermost)
}

/// The multiplier of dnnlowp's operations, `first * second / output` in floats, for
/// [`Multiplier::new`].
///
/// # Errors
/// `Unsupported` where a number or the product of the first two is not a normal float.
pub(super) fn dnnlowp_ratio(first: f64, second: f64, output: f64) -> Result<f64> {
    let single = |what, value: f64| {
        #[allow(clippy::cast_possible_truncation, reason = "dnnlowp's scales are floats")]
        let single = value as f32;
        if single.is_normal() {
            return Ok(single);
        }
        let reason = "dnnlowp's scales are normal numbers in single precision";
        Err(Error::UnsupportedNumber { what, value, reason })
    };
    let product = single("scale", first)? * single("scale", second)?;
    let product = single("product of scales", f64::from(product))?;
    Ok(f64::from(product / single("scale", output)?))
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "a test's numbers are its own")]
mod tests {
    use super::*;
    use FixedRounding::{Dnnlowp, Nearest};

    fn apply(real: f64, rounding: FixedRounding, a: i64) -> i64 {
        Multiplier::new(real, rounding).map_or(i64::MIN, |multiplier| multiplier.apply(a))
    }

    /// `ChooseRequantizationMultiplier` as it is written.
    fn reference(mut real: f32) -> (i64, i32) {
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
            let multiplier = Multiplier::new(f64::from(number), Dnnlowp)?;
            assert_eq!((multiplier.factor, multiplier.shift), reference(number), "{number:?}");
        }
        Ok(())
    }

    #[test]
    fn what_dnnlowp_cannot_do() {
        for real in [0.0, -0.5, 1.164e-10, 1_073_741_824.0, 1e300] {
            let refused = Multiplier::new(real, Dnnlowp).map_err(|error| error.kind());
            assert_eq!(refused, Err(crate::ErrorKind::Unsupported), "{real}");
        }
        let refused = Multiplier::new(f64::NAN, Nearest).map_err(|error| error.kind());
        assert_eq!(refused, Err(crate::ErrorKind::NonFinite));
    }

    #[test]
    fn the_middle() {
        let products = |rounding| [1, 3, 5, -1, -3, 2].map(|a| apply(0.5, rounding, a));
        assert_eq!(products(Nearest), [0, 2, 2, 0, -2, 1]);
        assert_eq!(products(Dnnlowp), [1, 2, 3, 0, -1, 1]);
    }

    #[test]
    fn any_double() {
        assert_eq!(apply(-1.0 / 3.0, Nearest, 100), -33);
        assert_eq!(apply(0.0, Nearest, i64::MAX), 0);
        assert_eq!(apply(f64::MAX, Nearest, 1), i64::MAX);
        assert_eq!(apply(f64::MAX, Nearest, -1), i64::MIN);
        assert_eq!(apply(-f64::MAX, Nearest, 0), 0);
        assert_eq!(apply(f64::MIN_POSITIVE, Nearest, i64::MAX), 0);
        assert_eq!(apply(1.0, Nearest, i64::MIN), i64::MIN);
        assert_eq!(apply(-1.0, Nearest, i64::MIN), i64::MAX);
        assert_eq!(apply(2_f64.powi(-64), Nearest, i64::MIN), 0);
        assert_eq!(apply(1.5 * 2_f64.powi(-64), Nearest, i64::MIN), -1);
        assert_eq!(apply(2_f64.powi(70), Nearest, 3), i64::MAX);
        assert_eq!(apply(2_f64.powi(61), Nearest, -3), -3 << 61);
    }
}
