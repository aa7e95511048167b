//! Which way a product goes.

use crate::arith::multiplier::FixedRounding;
use crate::error::{Error, Result};
use crate::kernels::bits::{Planes, TERNARY};

/// How the sums of a product are made. All ways give the same sums.
///
/// What is best depends on the number of planes on both sides, a sign being one, and on how many rows
/// the input has: [`PackedWeights::method`](super::PackedWeights::method) tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProductMethod {
    /// AND and popcount, of each plane of one side with each of the other: for up to four such pairs.
    Popcount,
    /// The same in half the work, for codes of -1, 0 and 1 on both sides.
    Ternary,
    /// Both sides become bytes, which are multiplied.
    Bytes,
    /// The input becomes bytes; the weights are read as planes and are bytes in registers alone: for
    /// few rows, where reading the weights is what takes time.
    Planes,
}

/// How a product is to be done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProductOptions {
    /// A way, or `None` for the best one.
    pub method: Option<ProductMethod>,
    /// The most threads to work on; 0 is 1. Small products get fewer. Results are the same for any
    /// number.
    pub threads: usize,
    /// How a product's codes are rounded; counts for [`PackedWeights::product_codes`] alone.
    ///
    /// [`PackedWeights::product_codes`]: super::PackedWeights::product_codes
    pub rounding: FixedRounding,
}

/// Pairs of planes up to which bits are faster than bytes.
const MOST_PAIRS: usize = 4;

/// Rows up to which unpacking the weights in registers is faster than in memory.
const FEW_ROWS: usize = 8;

impl ProductMethod {
    /// The best way for two sides, and `rows` rows of the left one.
    pub(super) fn best(left: Planes, right: Planes, rows: usize) -> ProductMethod {
        if left == TERNARY && right == TERNARY {
            ProductMethod::Ternary
        } else if left.count.saturating_mul(right.count) <= MOST_PAIRS {
            ProductMethod::Popcount
        } else if rows <= FEW_ROWS {
            ProductMethod::Planes
        } else {
            ProductMethod::Bytes
        }
    }

    /// Refuses a way that these sides cannot go.
    pub(super) fn check(self, left: Planes, right: Planes) -> Result<()> {
        let other = [left, right].into_iter().find(|planes| *planes != TERNARY);
        match (self, other) {
            (ProductMethod::Ternary, Some(other)) => Err(Error::Unsupported {
                what: "number of planes of a factor, the sign's included",
                value: i128::try_from(other.count).unwrap_or(i128::MAX),
                reason: "the ternary method takes signed codes of 1 bit on both sides",
            }),
            _ => Ok(()),
        }
    }
}
