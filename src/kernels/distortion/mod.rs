//! The error that evenly spaced levels make of a distribution.
//!
//! A *distribution* tells how many values lie below a point, `N(t)`, and what their sum is, `S(t)`.
//! With that the error of levels `first + step * k` needs no look at the values: those between two
//! midpoints go to the level between them, and `Σ (x - q)² = Σx² - 2q Σx + q² n`. Summed by parts,
//! so that each midpoint `t` has a term of its own, the squared error is
//! `Σx² + q (q n - 2 Σx) + 2 step Σ (S(t) - t N(t))`, where `q` is the last level and the last sum is
//! over the midpoints. The absolute one is a sum over the midpoints and the levels of the same.
//!
//! There are two distributions: [`Sorted`] are the values themselves, sorted; [`Pieces`] are bins,
//! each with its number of values, their mean and their variance.

#[cfg(target_arch = "x86_64")]
mod avx512;
mod near;
mod pieces;
mod sorted;

pub use near::Near;
pub use pieces::{Piece, Pieces};
pub use sorted::Sorted;

/// Sums are added up in so many parts, and then those in order, so that they are the same to the last
/// bit with every set of instructions.
const LANES: usize = 8;

/// Where values lie.
pub trait Distribution {
    /// The number of values below a point, and their sum. Values at the point may count or not.
    fn below(&self, point: f64) -> (f64, f64);
    /// The number of values, their sum and that of their squares.
    fn total(&self) -> Total;
    /// What [`below`](Self::below) says of evenly spaced points, added up.
    fn along(&self, points: &Levels) -> Along {
        let mut along = [Along::default(); LANES];
        Along::one_by_one(self, points, 0, &mut along);
        Along::joined(&along)
    }
}

/// A distribution whose values can be looked at one by one, or bin by bin.
pub trait Parts: Distribution {
    /// Every part from left to right. `center` is what was taken from the values, and is added.
    fn each_part(&self, center: f64, look: impl FnMut(&Part));
    /// The least point up to which so many values lie, of at least one and at most all.
    fn quantile(&self, count: f64) -> f64;
}

/// Values that lie evenly between two points, or at one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Part {
    /// How many they are.
    pub count: f64,
    /// The point in the middle.
    pub middle: f64,
    /// Half the distance of the two points.
    pub half: f64,
    /// By how much their variance is larger than that of values which lie evenly.
    pub excess: f64,
}

/// Sums over all values.
#[derive(Clone, Copy, Debug, Default)]
pub struct Total {
    /// How many they are.
    pub count: f64,
    /// Their sum.
    pub sum: f64,
    /// The sum of their squares.
    pub squares: f64,
}

/// Evenly spaced numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Levels {
    /// The lowest one.
    pub first: f64,
    /// The distance between neighbors: positive.
    pub step: f64,
    /// How many there are.
    pub count: u32,
}

/// Sums over evenly spaced points, which are counted from 0.
#[derive(Clone, Copy, Debug, Default)]
pub struct Along {
    /// Of the numbers of values below each.
    pub counts: f64,
    /// Of the same times the point's number.
    pub numbered: f64,
    /// Of the sums of values below each.
    pub sums: f64,
}

impl Along {
    #[inline(always)]
    fn note(&mut self, number: f64, (count, sum): (f64, f64)) {
        self.counts += count;
        self.numbered += number * count;
        self.sums += sum;
    }

    /// Adds the points from a multiple of [`LANES`] on, each to its part.
    #[inline(always)]
    fn one_by_one(
        distribution: &(impl Distribution + ?Sized),
        points: &Levels,
        from: u32,
        along: &mut [Along; LANES],
    ) {
        for point in from..points.count {
            let number = f64::from(point);
            let below = distribution.below(points.first + points.step * number);
            along[point as usize % LANES].note(number, below);
        }
    }

    fn joined(parts: &[Along; LANES]) -> Along {
        let mut along = Along::default();
        for part in parts {
            along.counts += part.counts;
            along.numbered += part.numbered;
            along.sums += part.sums;
        }
        along
    }

    /// The sum of `S(t) - t N(t)` over the points.
    fn below(&self, points: &Levels) -> f64 {
        self.sums - points.first * self.counts - points.step * self.numbered
    }
}

/// An error, and what a better fit of the levels to the values that each of them has is made from.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fit {
    /// The sum of the squares of the errors.
    pub error: f64,
    /// The sum of the values' level numbers, counted from 0.
    pub numbers: f64,
    /// The sum of the squares of the numbers.
    pub squares: f64,
    /// The sum of the products of value and number.
    pub products: f64,
}

impl Levels {
    /// The highest one.
    pub fn last(&self) -> f64 {
        self.first + self.step * f64::from(self.count.saturating_sub(1))
    }

    /// The largest magnitude.
    pub fn farthest(&self) -> f64 {
        self.first.abs().max(self.last().abs())
    }

    /// The points in the middle between neighbors.
    fn midpoints(&self) -> Levels {
        Levels { first: self.first + 0.5 * self.step, count: self.count.saturating_sub(1), ..*self }
    }
}

/// The sum of the squares of the errors that levels make, at least one of them.
#[inline]
pub fn squared(distribution: &impl Distribution, levels: &Levels) -> Fit {
    let (total, midpoints, last) = (distribution.total(), levels.midpoints(), levels.last());
    let along = distribution.along(&midpoints);
    let highest = f64::from(midpoints.count);
    let outer = last * (last * total.count - 2.0 * total.sum);
    let error = total.squares + outer + 2.0 * levels.step * along.below(&midpoints);
    Fit {
        error: error.max(0.0),
        numbers: highest * total.count - along.counts,
        squares: highest * highest * total.count - 2.0 * along.numbered - along.counts,
        products: highest * total.sum - along.sums,
    }
}

/// The sum of the errors' magnitudes.
#[inline]
pub fn absolute(distribution: &impl Distribution, levels: &Levels) -> f64 {
    let (total, midpoints) = (distribution.total(), levels.midpoints());
    let between = distribution.along(&midpoints).below(&midpoints);
    let at = distribution.along(levels).below(levels);
    (2.0 * (between - at) + total.sum - levels.last() * total.count).max(0.0)
}
