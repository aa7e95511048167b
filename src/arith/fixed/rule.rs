//! The formulas of results, evaluated for codes in a row.

use crate::arith::multiplier::Multiplier;
use crate::arith::ratio::PLACES;
use crate::kernels::Level;
use crate::kernels::fixed::{self as kernels, Dnnlowp, Halves, Polynomial};

/// How codes become a code.
pub(super) enum Rule {
    /// Numbers of 128 bits, for any form.
    Nearest(Form),
    /// The same results by the vectors of the processor, for forms of usual sizes.
    Vectors {
        polynomial: Polynomial,
        has_product: bool,
    },
    Dnnlowp(Lowp),
}

/// The position of a result, `product * a * b + first * a + second * b + constant`, in units of
/// 2^-62.
///
/// Each coefficient is within half a unit of the number that it stands for, and a constant that is
/// the sum of several within half a unit for each. Their sum is below 2^125: quotients of scales are
/// below 2^40 (for products 2^28), codes below 2^16, all else below 2^60 or less.
#[derive(Default)]
pub(super) struct Form {
    pub(super) product: i128,
    pub(super) first: i128,
    pub(super) second: i128,
    pub(super) constant: i128,
}

/// `(a * q + 2^(s - 1)) >> s` of codes less their zero points.
pub(super) struct Lowp {
    pub(super) biases: [i64; 2],
    pub(super) multiplier: Multiplier,
    pub(super) zero_point: i64,
}

impl Rule {
    /// The rule of a form, for codes up to these.
    pub(super) fn nearest(form: Form, a: i64, b: i64) -> Rule {
        match form.polynomial(i128::from(a), i128::from(b)) {
            Some(polynomial) => Rule::Vectors { polynomial, has_product: form.product != 0 },
            None => Rule::Nearest(form),
        }
    }

    /// The results of codes, in their place.
    pub(super) fn single(&self, limits: [i32; 2], codes: &mut [i32]) {
        match self {
            Rule::Vectors { polynomial, .. } => {
                kernels::single(Level::best(), polynomial, limits, codes);
            }
            Rule::Nearest(form) => {
                for code in codes {
                    *code = limited(nearest(form.at(*code, 0)), limits);
                }
            }
            Rule::Dnnlowp(lowp) => {
                let [bias, _] = lowp.biases;
                for code in codes {
                    let scaled = lowp.multiplier.apply(i64::from(*code).wrapping_add(bias));
                    *code = limited(scaled.wrapping_add(lowp.zero_point), limits);
                }
            }
        }
    }

    /// The results of codes of two operands, in place of the first one's.
    pub(super) fn pair(&self, limits: [i32; 2], codes: &mut [i32], others: &[i32]) {
        let level = Level::best();
        match self {
            Rule::Vectors { polynomial, has_product: true } => {
                kernels::product(level, polynomial, limits, codes, others);
            }
            Rule::Vectors { polynomial, .. } => {
                kernels::sum(level, polynomial, limits, codes, others);
            }
            Rule::Nearest(form) => {
                for (code, other) in codes.iter_mut().zip(others) {
                    *code = limited(nearest(form.at(*code, *other)), limits);
                }
            }
            Rule::Dnnlowp(lowp) => {
                let (biases, zero_point) = (lowp.biases, lowp.zero_point);
                let (factor, shift) = lowp.multiplier.parts();
                let formula = Dnnlowp { biases, factor, shift, zero_point };
                kernels::dnnlowp(level, &formula, limits, codes, others);
            }
        }
    }
}

impl Form {
    fn at(&self, a: i32, b: i32) -> i128 {
        let (a, b) = (i128::from(a), i128::from(b));
        let of_a = self.product.wrapping_mul(b).wrapping_add(self.first);
        let of_b = self.second.wrapping_mul(b).wrapping_add(self.constant);
        of_a.wrapping_mul(a).wrapping_add(of_b)
    }

    /// The same for the kernels, where no result of codes up to these is too large for them.
    fn polynomial(&self, a: i128, b: i128) -> Option<Polynomial> {
        // Below 2^91 with what rounding the halves adds to it.
        const LIMIT: i128 = 1 << 90;
        let terms = [
            self.product.checked_mul(a)?.checked_mul(b)?.abs(),
            self.first.checked_mul(a)?.abs(),
            self.second.checked_mul(b)?.abs(),
            self.constant.abs(),
        ];
        if terms.into_iter().fold(0, i128::saturating_add) >= LIMIT {
            return None;
        }
        Some(Polynomial {
            product: Halves::new(self.product)?,
            first: Halves::new(self.first)?,
            second: Halves::new(self.second)?,
            constant: Halves::new(self.constant)?,
        })
    }
}

/// A position to the nearest code, in the middle to the even one.
pub(super) fn nearest(position: i128) -> i64 {
    const HALF: i128 = 1 << (PLACES - 1);
    const FRACTION: i128 = (1 << PLACES) - 1;
    let above = position.wrapping_add(HALF);
    let middle = i64::from(above & FRACTION == 0);
    #[allow(clippy::cast_possible_truncation, reason = "positions are below 2^125")]
    let code = above.wrapping_shr(PLACES) as i64;
    code & !middle
}

fn limited(code: i64, [lowest, highest]: [i32; 2]) -> i32 {
    #[allow(clippy::cast_possible_truncation, reason = "the limits have 32 bits")]
    let limited = code.max(i64::from(lowest)).min(i64::from(highest)) as i32;
    limited
}
