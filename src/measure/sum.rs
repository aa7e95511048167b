//! A sum of many sums that loses next to nothing.

/// A number in two parts, of which the lower is what rounding took from the upper.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Sum {
    high: f64,
    low: f64,
}

impl Sum {
    /// Adds a number; what is lost is about `2^-106` of the magnitudes added. The exact rest of a
    /// rounded addition is D. Knuth's, "The Art of Computer Programming", vol. 2, 4.2.2.
    pub(super) fn add(&mut self, number: f64) {
        let sum = self.high + number;
        let part = sum - self.high;
        let rest = (self.high - (sum - part)) + (number - part);
        self.high = sum;
        self.low += rest;
    }

    pub(super) fn merge(&mut self, other: &Sum) {
        self.add(other.high);
        self.low += other.low;
    }

    /// The number, rounded once.
    pub(super) fn value(&self) -> f64 {
        self.high + self.low
    }
}
