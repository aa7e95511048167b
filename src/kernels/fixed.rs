//! Elementwise fixed-point arithmetic on codes, and the sums of a dot product.
//!
//! The position of a result is a polynomial in the codes whose coefficients have 62 binary places.
//! Products of those are too wide for the lanes of a vector, so a coefficient is kept as two halves,
//! `high * 2^31 + low`: the low halves give what carries into the high ones, and what the rounding has
//! to see. The loops are plain safe Rust that a compiler turns into SIMD by itself: one text is
//! compiled for every level, and the level picks.

use super::cpu::{Kind, Level};

/// Bits of a low half.
const LOW: u32 = 31;
const MASK: i64 = (1 << LOW) - 1;

/// A number in units of 2^-62.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Halves {
    high: i64,
    low: i32,
}

impl Halves {
    /// So many units, where their high half has 64 bits.
    pub fn new(units: i128) -> Option<Halves> {
        let high = i64::try_from(units >> LOW).ok()?;
        Some(Halves { high, low: i32::try_from(units & i128::from(MASK)).ok()? })
    }

    /// This times a code, and another number, of which the low half is carried.
    #[inline(always)]
    fn times_plus(self, code: i64, high: i64, low: i64) -> (i64, i64) {
        let low = i64::from(self.low) * code + low;
        (self.high * code + high + (low >> LOW), low & MASK)
    }
}

/// `product * a * b + first * a + second * b + constant`, in units of 2^-62. Codes have at most 16 bits
/// and a sign, and the sum of the magnitudes of the terms is below 2^91.
#[derive(Clone, Copy, Debug)]
pub struct Polynomial {
    /// The coefficient of the product of both codes.
    pub product: Halves,
    /// That of the first one.
    pub first: Halves,
    /// That of the second one.
    pub second: Halves,
    /// What is added.
    pub constant: Halves,
}

/// The nearest code to a position, in the middle the even one.
#[inline(always)]
fn nearest((high, low): (i64, i64), limits: [i32; 2]) -> i32 {
    let above = high + (1 << (LOW - 1));
    let middle = i64::from((above & MASK) | low == 0);
    limited((above >> LOW) & !middle, limits)
}

/// A code, or the nearer one of the lowest and the highest.
#[inline(always)]
fn limited(code: i64, [lowest, highest]: [i32; 2]) -> i32 {
    code.max(i64::from(lowest)).min(i64::from(highest)) as i32
}

/// dnnlowp's `(a * factor + 2^(shift - 1)) >> shift` of the product `a` of two codes with their biases,
/// which has 32 bits; and the zero point of the result.
#[derive(Clone, Copy, Debug)]
pub struct Dnnlowp {
    /// What is added to the codes.
    pub biases: [i64; 2],
    /// Of 31 bits.
    pub factor: i32,
    /// From 1 to 63.
    pub shift: u32,
    /// What is added to the result.
    pub zero_point: i64,
}

/// Declares a kernel and compiles its one loop for every level.
macro_rules! for_every_level {
    (
        $(#[$docs:meta])*
        $name:ident($($argument:ident: $type:ty),*) $(-> $result:ty)? = $body:block
    ) => {
        $(#[$docs])*
        pub fn $name(level: Level, $($argument: $type),*) $(-> $result)? {
            #[inline(always)]
            fn portable($($argument: $type),*) $(-> $result)? $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
            fn avx2($($argument: $type),*) $(-> $result)? {
                portable($($argument),*)
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vbmi,bmi2")]
            fn avx512($($argument: $type),*) $(-> $result)? {
                portable($($argument),*)
            }

            match level.kind() {
                Kind::Portable => portable($($argument),*),
                // SAFETY: a level exists only where the machine has its instructions.
                #[cfg(target_arch = "x86_64")]
                Kind::Avx2 => unsafe { avx2($($argument),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                Kind::Avx512 => unsafe { avx512($($argument),*) },
            }
        }
    };
}

for_every_level! {
    /// The results of single codes, in their place: of `first` and `constant` alone. `limits` are the
    /// lowest and the highest result.
    single(polynomial: &Polynomial, limits: [i32; 2], codes: &mut [i32]) = {
        let Polynomial { first, constant, .. } = *polynomial;
        for code in codes {
            let x = i64::from(*code);
            let position = first.times_plus(x, constant.high, i64::from(constant.low));
            *code = nearest(position, limits);
        }
    }
}

for_every_level! {
    /// The results of two codes each, in place of the first one; of a polynomial without `product`. The
    /// slices are of one length.
    sum(polynomial: &Polynomial, limits: [i32; 2], codes: &mut [i32], others: &[i32]) = {
        let Polynomial { first, second, constant, .. } = *polynomial;
        for (code, other) in codes.iter_mut().zip(others) {
            let (a, b) = (i64::from(*code), i64::from(*other));
            let (high, low) = first.times_plus(a, constant.high, i64::from(constant.low));
            *code = nearest(second.times_plus(b, high, low), limits);
        }
    }
}

for_every_level! {
    /// The same of any polynomial.
    product(polynomial: &Polynomial, limits: [i32; 2], codes: &mut [i32], others: &[i32]) = {
        let Polynomial { product, first, second, constant, .. } = *polynomial;
        for (code, other) in codes.iter_mut().zip(others) {
            let (a, b) = (i64::from(*code), i64::from(*other));
            // What a code of the first tensor is multiplied with.
            let (high, low) = product.times_plus(b, first.high, i64::from(first.low));
            let low = low * a + i64::from(constant.low);
            let high = high * a + constant.high + (low >> LOW);
            *code = nearest(second.times_plus(b, high, low & MASK), limits);
        }
    }
}

for_every_level! {
    /// The results of two codes each, in place of the first one. The slices are of one length.
    dnnlowp(formula: &Dnnlowp, limits: [i32; 2], codes: &mut [i32], others: &[i32]) = {
        let Dnnlowp { biases: [first, second], factor, shift, zero_point } = *formula;
        let half = 1_i64 << (shift - 1);
        for (code, other) in codes.iter_mut().zip(others) {
            let product = ((i64::from(*code) + first) * (i64::from(*other) + second)) as i32;
            let scaled = (i64::from(product) * i64::from(factor) + half) >> shift;
            *code = limited(scaled + zero_point, limits);
        }
    }
}

for_every_level! {
    /// The sum of the products of two slices of one length, and those of either. Codes have at most 16
    /// bits and a sign, and there are at most 2^20.
    dot(codes: &[i32], others: &[i32]) -> [i64; 3] = {
        let (mut products, mut of_codes, mut of_others) = (0_i64, 0_i64, 0_i64);
        for (code, other) in codes.iter().zip(others) {
            products += i64::from(*code) * i64::from(*other);
            of_codes += i64::from(*code);
            of_others += i64::from(*other);
        }
        [products, of_codes, of_others]
    }
}
