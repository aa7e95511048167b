//! Quotients of products of doubles as fixed-point integers, exact but for one rounding.
//!
//! A double is an integer of 53 bits times a power of two. So a product of a few of them is a long
//! integer times a power of two, and its quotient by another is a long division: nothing is lost
//! before the end, however much larger the terms are than the result.

/// Binary places of the fixed-point numbers that elementwise operations work with.
pub(super) const PLACES: u32 = 62;

/// Limbs of 64 bits: room for the product of four doubles and for a result of 128 bits before it is
/// divided by one.
const LIMBS: usize = 6;

/// A long integer, its least significant limb first.
struct Long([u64; LIMBS]);

/// The low half.
fn low(wide: u128) -> u64 {
    #[allow(clippy::cast_possible_truncation, reason = "the high half is what is cut off")]
    let low = wide as u64;
    low
}

impl Long {
    const ONE: Long = Long([1, 0, 0, 0, 0, 0]);

    /// Times `factor`; what is beyond the last limb is lost.
    fn multiply(&mut self, factor: u64) {
        let mut carry = 0_u128;
        for limb in &mut self.0 {
            carry = u128::from(*limb).wrapping_mul(u128::from(factor)).wrapping_add(carry);
            *limb = low(carry);
            carry = carry.wrapping_shr(64);
        }
    }

    /// By `divisor`, rounded down; not by 0.
    fn divide(&mut self, divisor: u64) {
        let divisor = u128::from(divisor);
        let mut rest = 0_u128;
        // Leading zeros stay; a division of 128 bits is slow.
        for limb in self.0.iter_mut().rev().skip_while(|limb| **limb == 0) {
            rest = rest.wrapping_shl(64) | u128::from(*limb);
            *limb = low(rest.checked_div(divisor).unwrap_or(0));
            rest = rest.checked_rem(divisor).unwrap_or(0);
        }
    }

    /// By `2^bits`, rounded down; at most 63.
    fn shift_right(&mut self, bits: u32) {
        let mut above = 0_u64;
        for limb in self.0.iter_mut().rev() {
            let wide = u128::from(above).wrapping_shl(64) | u128::from(*limb);
            above = *limb;
            *limb = low(wide.wrapping_shr(bits));
        }
    }

    /// The number of bits without leading zeros.
    fn bits(&self) -> i32 {
        let mut bits = 0_i32;
        for (limb, before) in self.0.iter().zip((0..).step_by(64)) {
            if *limb != 0 {
                bits = bit_length(*limb).wrapping_add(before);
            }
        }
        bits
    }

    /// As an integer, where it is one of 127 bits.
    fn value(&self) -> Option<i128> {
        let [first, second, rest @ ..] = self.0;
        let value = u128::from(second).wrapping_shl(64) | u128::from(first);
        i128::try_from(value).ok().filter(|_| rest.iter().all(|limb| *limb == 0))
    }
}

fn bit_length(value: u64) -> i32 {
    i32::try_from(u64::BITS.wrapping_sub(value.leading_zeros())).unwrap_or(0)
}

/// A finite double's magnitude as an integer times a power of two, whose exponent is the second.
pub(super) fn parts(value: f64) -> (u64, i32) {
    const FRACTION: u64 = (1 << 52) - 1;
    let bits = value.to_bits();
    let exponent = i32::try_from(bits.wrapping_shr(52) & 0x7ff).unwrap_or(0);
    match exponent {
        0 => (bits & FRACTION, -1074),
        _ => ((bits & FRACTION) | (1 << 52), exponent.wrapping_sub(1075)),
    }
}

/// Numbers up to 63 whose sum is `exponent`; none where that is negative.
fn parts_of_exponent(exponent: i32) -> impl Iterator<Item = u32> {
    let mut left = exponent.max(0).cast_unsigned();
    core::iter::from_fn(move || {
        let here = left.min(63);
        left = left.wrapping_sub(here);
        (here != 0).then_some(here)
    })
}

/// The product of `numerators`, at most four, by `denominator`, times `2^PLACES`, rounded to the
/// nearest integer (in the middle away from zero): `None` unless its magnitude is below
/// `2^(PLACES + bits)`, where `bits` is at most 62. All are finite and the denominator is not 0.
pub(super) fn fixed(numerators: &[f64], denominator: f64, bits: u32) -> Option<i128> {
    let limit = PLACES.wrapping_add(bits).min(124);
    let (divisor, below) = parts(denominator);
    let mut negative = denominator.is_sign_negative();
    let mut number = Long::ONE;
    // Of twice the result, so that its last bit decides the rounding.
    let mut exponent = 63_i32.wrapping_sub(below);
    for numerator in numerators {
        let (factor, above) = parts(*numerator);
        number.multiply(factor);
        exponent = exponent.wrapping_add(above);
        negative ^= numerator.is_sign_negative();
    }
    if number.bits() == 0 {
        return Some(0);
    }
    // At least that many bits are left behind the division.
    let least = number.bits().wrapping_add(exponent).wrapping_sub(bit_length(divisor));
    if least > i32::try_from(limit).unwrap_or(0).wrapping_add(2) {
        return None;
    }
    parts_of_exponent(exponent).for_each(|bits| number.multiply(1_u64.wrapping_shl(bits)));
    number.divide(divisor);
    // Beyond all limbs there is nothing left anyway.
    let behind = exponent.wrapping_neg().min(1000);
    parts_of_exponent(behind).for_each(|bits| number.shift_right(bits));
    let magnitude = number.value()?.wrapping_add(1).wrapping_shr(1);
    if magnitude.wrapping_shr(limit) != 0 {
        return None;
    }
    Some(if negative { magnitude.wrapping_neg() } else { magnitude })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: i128 = 1 << PLACES;

    #[test]
    fn what_is_exact() {
        assert_eq!(fixed(&[1.0], 1.0, 40), Some(ONE));
        assert_eq!(fixed(&[-3.0, 0.5], 1.5, 40), Some(-ONE));
        assert_eq!(fixed(&[0.0], -3.0, 40), Some(0));
        // Far out and back again.
        let (large, small) = (f64::MAX, f64::from_bits(1));
        assert_eq!(fixed(&[large, large, small, small], large, 40), Some(0));
        assert_eq!(fixed(&[small, 3.0], small, 40), Some(3 * ONE));
        assert_eq!(fixed(&[large, -2.0], large, 40), Some(-2 * ONE));
        assert_eq!(fixed(&[large, small], small, 40), None);
        assert_eq!(fixed(&[1e-300, 1e-300], 1.0, 40), Some(0));
    }

    #[test]
    fn the_limit() {
        let two_to_40 = 1_099_511_627_776.0;
        assert_eq!(fixed(&[two_to_40], 1.0, 40), None);
        assert_eq!(fixed(&[two_to_40], -1.0, 41), Some(-ONE << 40));
        assert_eq!(fixed(&[two_to_40 - 0.5], 1.0, 40), Some((ONE << 40) - ONE / 2));
    }

    #[test]
    fn the_rounding() {
        assert_eq!(fixed(&[1.0], 3.0, 40), Some(ONE / 3));
        assert_eq!(fixed(&[2.0], 3.0, 40), Some(ONE * 2 / 3 + 1));
        let last = 2_f64.powi(-62);
        assert_eq!(fixed(&[last, 0.5], 1.0, 40), Some(1));
        assert_eq!(fixed(&[last, -0.499], 1.0, 40), Some(0));
        assert_eq!(fixed(&[last, -1.5], 1.0, 40), Some(-2));
    }
}
