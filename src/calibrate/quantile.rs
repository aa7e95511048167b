//! Quantiles of a distribution.

use crate::kernels::distortion::Distribution;

/// The point below which a share of the values lies.
pub(super) fn quantile<D: Distribution>(
    distribution: &D,
    share: f64,
    (min, max): (f64, f64),
) -> f64 {
    let wanted = share * distribution.total().count;
    if share <= 0.0 {
        return min;
    }
    // The numbers from one to the other, counted: as many halvings as a double has bits find one,
    // also next to 0 in a huge range. The count of values only grows from left to right.
    let (mut low, mut high) = (ordinal(min), ordinal(max));
    while low.saturating_add(1) < high {
        let middle = low.midpoint(high);
        if distribution.below(of_ordinal(middle)).0 < wanted {
            low = middle;
        } else {
            high = middle;
        }
    }
    of_ordinal(high)
}

/// The place of a number among all doubles.
fn ordinal(value: f64) -> i64 {
    let bits = value.to_bits().cast_signed();
    if bits < 0 { bits ^ i64::MAX } else { bits }
}

fn of_ordinal(ordinal: i64) -> f64 {
    let bits = if ordinal < 0 { ordinal ^ i64::MAX } else { ordinal };
    f64::from_bits(bits.cast_unsigned())
}
