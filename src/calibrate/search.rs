//! The levels with the smallest error.
//!
//! The error as a function of the first level and the step is a smooth bowl, or several of them where
//! there are few levels, under a ripple: whenever a midpoint passes a value, the value changes its
//! level. A coarse grid finds the bowls. From the best of its points, levels and values are fitted
//! to each other in turn (fix which value has which level, then solve for the levels, which is a
//! linear regression). Where there are many levels the ripple is what remains, and its deepest trough
//! is looked for around the bowl's bottom, on a sequence of points that covers it evenly, in a radius
//! that shrinks.
//!
//! A few values far from all others blow up the deviation that the grid is scaled by; so where the
//! quantiles tell another story, a second grid is scaled by them. And where the bias is free, the
//! stricter rules are served first, and what they lead to is where the freer search starts: freedom
//! never makes the error larger.

use super::cells::Frame;
use super::quantile::quantile;
use crate::kernels::distortion::{Distribution, Levels, absolute, squared};

/// Which error is to be small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Objective {
    Squared,
    Absolute,
}

/// What the bias must be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Bias {
    Free,
    /// A whole number in a range.
    Whole(f64, f64),
    Fixed(f64),
}

/// What the levels must be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub(super) frame: Frame,
    /// The code of the first level.
    pub(super) lowest: f64,
    pub(super) count: u32,
    pub(super) bias: Bias,
    pub(super) power_of_two: bool,
}

/// Levels and their error.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) levels: Levels,
    pub(super) error: f64,
}

impl Rules {
    /// The bias of levels.
    pub(super) fn bias_of(&self, levels: &Levels) -> f64 {
        let bias = (levels.first + self.frame.center) / levels.step - self.lowest;
        match self.bias {
            Bias::Free => bias,
            Bias::Whole(min, max) => bias.round().clamp(min, max),
            Bias::Fixed(bias) => bias,
        }
    }

    /// Levels by their step and the bias.
    pub(super) fn levels(&self, step: f64, bias: f64) -> Levels {
        let first = step * (self.lowest + bias) - self.frame.center;
        Levels { first, step, count: self.count }
    }

    /// The nearest levels that keep the rules, or nothing where there are none.
    pub(super) fn nearest(&self, first: f64, step: f64) -> Option<Levels> {
        let mut levels = Levels { first, step, count: self.count };
        if self.power_of_two {
            // The unit is one too.
            levels.step = step.log2().round().exp2();
            levels.first += (step - levels.step) * 0.5 * f64::from(self.count.saturating_sub(1));
        }
        if !(levels.step > 0.0 && levels.step.is_finite() && levels.first.is_finite()) {
            return None;
        }
        match self.bias {
            Bias::Free => Some(levels),
            _ => Some(self.levels(levels.step, self.bias_of(&levels))),
        }
    }
}

/// A search in progress: the best levels so far.
struct Search<'a, D> {
    distribution: &'a D,
    rules: &'a Rules,
    objective: Objective,
    best: Option<Found>,
    /// Evaluations so far.
    spent: u32,
}

impl<D: Distribution> Search<'_, D> {
    fn error(&mut self, levels: &Levels) -> f64 {
        self.spent = self.spent.saturating_add(1);
        match self.objective {
            Objective::Squared => squared(self.distribution, levels).error,
            Objective::Absolute => absolute(self.distribution, levels),
        }
    }

    fn keep(&mut self, found: Found) -> bool {
        let better = self.best.is_none_or(|best| found.error < best.error);
        if better {
            self.best = Some(found);
        }
        better
    }

    /// Tries the levels nearest to these that keep the rules, or stricter ones.
    fn try_by(&mut self, rules: &Rules, first: f64, step: f64) -> Option<Found> {
        let levels = rules.nearest(first, step)?;
        let found = Found { levels, error: self.error(&levels) };
        self.keep(found);
        Some(found)
    }

    /// Fits levels and values to each other, at most so many times, for as long as that helps.
    fn fit(&mut self, from: Found, rounds: usize) -> Found {
        if self.objective == Objective::Absolute {
            return from;
        }
        let (mut at, mut fit) = (from.levels, squared(self.distribution, &from.levels));
        let mut reached = from;
        for _ in 0..rounds {
            self.spent = self.spent.saturating_add(1);
            let Some(levels) = self.refitted(&at, &fit) else { break };
            let next = squared(self.distribution, &levels);
            let gain = reached.error - next.error;
            if gain > 0.0 {
                reached = Found { levels, error: next.error };
                self.keep(reached);
            }
            if gain <= 1e-7 * next.error {
                break;
            }
            (at, fit) = (levels, next);
        }
        reached
    }

    /// The best levels where each value keeps the number of its level.
    fn refitted(&self, levels: &Levels, fit: &crate::kernels::distortion::Fit) -> Option<Levels> {
        let total = self.distribution.total();
        let rules = self.rules;
        if rules.power_of_two {
            let first = (total.sum - levels.step * fit.numbers) / total.count;
            return rules.nearest(first, levels.step);
        }
        if rules.bias == Bias::Free {
            let spread = total.count * fit.squares - fit.numbers * fit.numbers;
            let step = (total.count * fit.products - fit.numbers * total.sum) / spread;
            let first = (total.sum - step * fit.numbers) / total.count;
            return rules.nearest(first, step);
        }
        // Through 0 in the values themselves: value = step * (number + code + bias).
        let bias = rules.bias_of(levels);
        let (code, center) = (rules.lowest + bias, rules.frame.center);
        let products =
            fit.products + code * total.sum + center * (fit.numbers + code * total.count);
        let squares = fit.squares + code * (2.0 * fit.numbers + code * total.count);
        let step = products / squares;
        (step > 0.0 && step.is_finite()).then(|| rules.levels(step, bias))
    }
}

/// How much there is to try, by the number of levels: one to two milliseconds' worth.
struct Effort {
    /// Points of the coarse grid on each side.
    grid: u32,
    /// How many of them are followed.
    starts: usize,
    rounds: usize,
    /// Points around the best one, in each radius.
    ripple: u32,
    /// The most evaluations of an error altogether.
    most: u32,
}

/// Radii in which there is looked around, each 0.4 times the one before.
const RADII: u32 = 6;

impl Effort {
    fn of(levels: u32) -> Effort {
        match levels {
            0..=40 => Effort { grid: 24, starts: 16, rounds: 40, ripple: 120, most: 4000 },
            41..=80 => Effort { grid: 20, starts: 8, rounds: 20, ripple: 200, most: 3000 },
            81..=150 => Effort { grid: 16, starts: 6, rounds: 12, ripple: 220, most: 2200 },
            151..=300 => Effort { grid: 13, starts: 4, rounds: 8, ripple: 220, most: 1700 },
            _ => Effort { grid: 11, starts: 3, rounds: 6, ripple: 120, most: 900 },
        }
    }

    /// The work of one of several searches, of which the first may do half of what one alone may, and
    /// those that start from its result three tenths.
    fn part(self, first: bool) -> Effort {
        let tenths = if first { 5 } else { 3 };
        Effort { most: self.most.saturating_mul(tenths) / 10, ..self }
    }
}

/// The best levels as [`search`] finds them, for the rules and for the stricter ones among
/// `stricter`, from the strictest to the least strict: never worse than those of a search by stricter
/// rules alone.
pub(super) fn search_all<D: Distribution>(
    distribution: &D,
    rules: &Rules,
    stricter: impl Iterator<Item = Bias>,
    objective: Objective,
    range: (f64, f64),
) -> Option<Found> {
    let mut best: Option<Found> = None;
    let biases = stricter.chain(core::iter::once(rules.bias));
    for (place, bias) in biases.enumerate() {
        let rules = Rules { bias, ..*rules };
        let whole = rules.covering(range.0, range.1);
        let also = [best.map(|best| best.levels), whole];
        let effort = Effort::of(rules.count);
        let effort = match rules.bias {
            // There is nothing stricter and nothing freer.
            Bias::Fixed(_) => effort,
            _ => effort.part(place == 0),
        };
        let found = search(distribution, &rules, objective, range, &also, &effort);
        best = match (best, found) {
            (Some(best), Some(found)) if best.error <= found.error => Some(best),
            (best, found) => found.or(best),
        };
    }
    best
}

/// The best levels for a distribution of at least two different values from `min` to `max`. `also`
/// are tried in any case.
fn search<D: Distribution>(
    distribution: &D,
    rules: &Rules,
    objective: Objective,
    (min, max): (f64, f64),
    also: &[Option<Levels>],
    effort: &Effort,
) -> Option<Found> {
    let mut search = Search { distribution, rules, objective, best: None, spent: 0 };
    for levels in also.iter().flatten() {
        let found = Found { levels: *levels, error: search.error(levels) };
        search.keep(found);
        search.fit(found, effort.rounds);
    }
    let total = distribution.total();
    let mean = total.sum / total.count;
    let deviation = (total.squares / total.count - mean * mean).max(0.0).sqrt();
    let steps = f64::from(rules.count.saturating_sub(1)).max(1.0);
    let mut starts: [Option<Found>; 16] = [None; 16];
    let starts = starts.get_mut(..effort.starts).unwrap_or_default();
    // From the whole range down to half a deviation around the middle.
    let mut grid = |middle: f64, deviation: f64| {
        let ends = |far: f64| {
            let near = (0.5 * deviation / far.abs()).clamp(1e-9, 1.0);
            let last = f64::from(effort.grid.saturating_sub(1));
            (0..effort.grid).map(move |point| middle + far * near.powf(f64::from(point) / last))
        };
        for low in ends(min - middle) {
            for high in ends(max - middle) {
                if let Some(found) = search.try_by(rules, low, (high - low) / steps) {
                    insert(starts, found);
                }
            }
        }
    };
    grid(mean, deviation);
    // What two thirds of the values are like, whatever the others are.
    let at = |share| quantile(distribution, share, (min, max));
    let usual = 0.5 * (at(0.84) - at(0.16));
    if usual > 0.0 && usual < 0.5 * deviation {
        grid(at(0.5), usual);
    }
    for start in starts.iter().flatten() {
        search.fit(*start, effort.rounds);
    }
    search.ripple(effort);
    search.best
}

/// Keeps the best, in order, and of equals one.
fn insert(starts: &mut [Option<Found>], mut found: Found) {
    for place in starts.iter_mut() {
        match place {
            Some(there) if there.error < found.error => {}
            Some(there) if there.levels == found.levels => return,
            Some(there) => core::mem::swap(there, &mut found),
            None => {
                *place = Some(found);
                return;
            }
        }
    }
}

impl<D: Distribution> Search<'_, D> {
    fn share_of_zeros(&self) -> f64 {
        let at = -self.rules.frame.center;
        let below = |point| self.distribution.below(point).0;
        (below(at + 1e-9) - below(at - 1e-9)) / self.distribution.total().count
    }

    /// Looks around the best levels so far, in radii that shrink.
    fn ripple(&mut self, effort: &Effort) {
        let steps = f64::from(self.rules.count.saturating_sub(1)).max(1.0);
        // Where many values are 0, one of the best levels often is, too.
        let whole = Bias::Whole(-f64::from(i32::MAX), f64::from(i32::MAX));
        let anchored = Rules { bias: whole, ..*self.rules };
        let many = self.rules.bias == Bias::Free && self.share_of_zeros() * steps > 1.0;
        let mut radius = 0.03 * steps.max(8.0);
        for ring in 1..=RADII {
            let Some(center) = self.best else { return };
            // What is left is spent evenly.
            let left = effort.most.saturating_sub(self.spent);
            let share = left.checked_div(RADII.saturating_add(1).saturating_sub(ring)).unwrap_or(0);
            let limit = self.spent.saturating_add(share);
            let Levels { first, step, .. } = center.levels;
            let last = first + step * steps;
            for point in 1..=effort.ripple {
                if self.spent >= limit {
                    break;
                }
                // Roberts' sequence: multiples of the inverse plastic number and its square.
                let part = |ratio: f64| (0.5 + f64::from(point) * ratio).fract() * 2.0 - 1.0;
                let low = first + radius * step * part(0.754_877_666_246_692_8);
                let high = last + radius * step * part(0.569_840_290_998_053_3);
                let rules = if many && point % 2 == 0 { &anchored } else { self.rules };
                if let Some(found) = self.try_by(rules, low, (high - low) / steps)
                    && self.best.is_some_and(|best| found.error < best.error * 1.0005)
                {
                    self.fit(found, 3);
                }
            }
            radius *= 0.4;
        }
    }
}
