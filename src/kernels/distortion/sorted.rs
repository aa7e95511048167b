//! The values themselves.

use super::{Distribution, Part, Parts, Total};

/// Sorted values with the sums of all before each.
#[derive(Clone, Copy, Debug)]
pub struct Sorted<'a> {
    /// The values, in order.
    pub values: &'a [f32],
    /// What is taken from each value before it counts, so that sums keep their last bits.
    pub center: f64,
    /// The sums of the values before each one, and of all of them.
    pub sums: &'a [f64],
    /// The sum of the squares of the values less the center.
    pub squares: f64,
}

impl Distribution for Sorted<'_> {
    #[inline]
    fn below(&self, point: f64) -> (f64, f64) {
        let point = point + self.center;
        let count = self.values.partition_point(|value| f64::from(*value) < point);
        (count as f64, self.sums[count])
    }

    #[inline]
    fn total(&self) -> Total {
        let count = self.values.len();
        Total { count: count as f64, sum: self.sums[count], squares: self.squares }
    }
}

impl Parts for Sorted<'_> {
    fn each_part(&self, _: f64, mut look: impl FnMut(&Part)) {
        for value in self.values {
            look(&Part { count: 1.0, middle: f64::from(*value), half: 0.0, excess: 0.0 });
        }
    }

    fn quantile(&self, count: f64) -> f64 {
        let last = self.values.len().saturating_sub(1);
        f64::from(self.values[(count.ceil().max(1.0) as usize - 1).min(last)]) - self.center
    }
}
