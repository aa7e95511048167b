//! What codes make of a distribution, part by part.
//!
//! The searches compare errors as differences of large sums, which are fast and lose what lies some
//! fifteen digits below the values' mean square. Here the error of each part is computed by itself and
//! only then added up, so that beside a huge value the errors of the others still count.

use super::cells::Frame;
use crate::kernels::distortion::{Part, Parts};

/// Evenly spaced codes with their values, in a frame's unit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quantizer {
    pub(super) step: f64,
    pub(super) bias: f64,
    pub(super) lowest: f64,
    pub(super) highest: f64,
}

/// Sums over all values, in a frame's unit.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Predicted {
    pub(super) count: f64,
    /// Of the errors' squares.
    pub(super) squares: f64,
    /// Of the errors' magnitudes.
    pub(super) magnitudes: f64,
    /// Of the values' squares.
    pub(super) power: f64,
    /// Of those that are below the lowest code by more than half a step.
    pub(super) low: f64,
    /// Of those above the highest.
    pub(super) high: f64,
}

impl Quantizer {
    /// The code of a value before it is clipped.
    fn code(&self, value: f64) -> f64 {
        (value / self.step - self.bias).round_ties_even()
    }

    fn value(&self, code: f64) -> f64 {
        self.step * (code.clamp(self.lowest, self.highest) + self.bias)
    }

    /// Sums over the values of a distribution in this frame.
    pub(super) fn predict(&self, distribution: &impl Parts, frame: Frame) -> Predicted {
        let mut sums = Predicted::default();
        distribution.each_part(frame.center, |part| self.add(part, &mut sums));
        sums
    }

    /// Sums over so many equal values.
    pub(super) fn predict_point(&self, count: f64, value: f64) -> Predicted {
        let mut sums = Predicted::default();
        self.add(&Part { count, middle: value, ..Part::default() }, &mut sums);
        sums
    }

    fn add(&self, part: &Part, sums: &mut Predicted) {
        let &Part { count, middle, half, excess } = part;
        sums.count += count;
        sums.power += count * (middle * middle + half * half / 3.0 + excess);
        sums.squares += count * excess;
        let (begin, end) = (middle - half, middle + half);
        let first = self.code(begin);
        let last = if half > 0.0 { self.code(end) } else { first };
        if first == last {
            sums.low += if first < self.lowest { count } else { 0.0 };
            sums.high += if first > self.highest { count } else { 0.0 };
            return self.add_between(count, (middle, half), first, sums);
        }
        // From one midpoint between codes to the next; beyond the outer codes there are none.
        let density = count / (end - begin);
        let least = first.max(self.lowest - 1.0);
        let most = last.min(self.highest + 1.0);
        let (mut code, mut from) = (least.min(self.highest + 1.0), begin);
        loop {
            let edge = self.step * (code + 0.5 + self.bias);
            let to = if code < most { edge.max(from).min(end) } else { end };
            let some = density * (to - from);
            sums.low += if code < self.lowest { some } else { 0.0 };
            sums.high += if code > self.highest { some } else { 0.0 };
            self.add_between(some, (0.5 * (from + to), 0.5 * (to - from)), code, sums);
            if code >= most {
                return;
            }
            (code, from) = (code + 1.0, to);
        }
    }

    /// Adds values that lie evenly around a point and have the same code.
    fn add_between(&self, count: f64, (middle, half): (f64, f64), code: f64, sums: &mut Predicted) {
        let error = middle - self.value(code);
        sums.squares += count * (error * error + half * half / 3.0);
        let distance = error.abs();
        sums.magnitudes +=
            count * if distance >= half { distance } else { 0.5 * (error * error / half + half) };
    }
}
