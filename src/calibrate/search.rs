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
//! quantiles tell another story, a second grid is scaled by them. And where the bias may be one of
//! several, stricter rules are served first, from the one bias around 0 on, and what they lead to is
//! where the freer search starts: freedom of the bias never makes the error larger.

use super::choose::least;
use super::predict::Predicted;
use super::rules::{Bias, Rules};
use crate::kernels::distortion::{Levels, Parts, absolute, squared};

/// Which error is to be small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Objective {
    Squared,
    Absolute,
}

impl Objective {
    /// The error of levels as a difference of sums, and how large those are.
    fn fast(self, distribution: &impl Parts, levels: &Levels) -> (f64, f64) {
        let total = distribution.total();
        let square = total.squares + levels.farthest().powi(2) * total.count;
        match self {
            Objective::Squared => (squared(distribution, levels).error, square),
            Objective::Absolute => (absolute(distribution, levels), (total.count * square).sqrt()),
        }
    }

    pub(super) fn of(self, sums: &Predicted) -> f64 {
        match self {
            Objective::Squared => sums.squares,
            Objective::Absolute => sums.magnitudes,
        }
    }
}

/// The point up to which a share of the values lies.
pub(super) fn quantile(distribution: &impl Parts, share: f64, (min, max): (f64, f64)) -> f64 {
    let wanted = share * distribution.total().count;
    if share <= 0.0 {
        min
    } else if share >= 1.0 {
        max
    } else {
        distribution.quantile(wanted).max(min).min(max)
    }
}

/// Levels and their error.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) levels: Levels,
    pub(super) error: f64,
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

impl<D: Parts> Search<'_, D> {
    fn error(&mut self, levels: &Levels) -> f64 {
        self.spent = self.spent.saturating_add(match self.objective {
            Objective::Squared => 1,
            // It takes two sums along the levels.
            Objective::Absolute => 2,
        });
        self.objective.fast(self.distribution, levels).0
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
    fn fit(&mut self, from: Found, rounds: usize) {
        let (mut at, mut fit) = (from.levels, squared(self.distribution, &from.levels));
        let mut reached = from.error;
        for _ in 0..rounds {
            self.spent = self.spent.saturating_add(1);
            let Some(levels) = self.refitted(&at, &fit) else { break };
            fit = squared(self.distribution, &levels);
            // The fit is by squares whatever the objective is: where values lie on the levels that is
            // the same.
            let error = match self.objective {
                Objective::Squared => fit.error,
                Objective::Absolute => self.error(&levels),
            };
            self.keep(Found { levels, error });
            if reached - error <= 1e-7 * error {
                break;
            }
            (at, reached) = (levels, error);
        }
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
        (step > 0.0 && step.is_finite()).then(|| rules.bounded(rules.levels(step, bias)))
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

/// How near the ends of levels in the same bowl are, in steps.
const NEAR: f64 = 0.5;

/// Radii in which there is looked around, each 0.4 times the one before.
const RADII: u32 = 6;

impl Effort {
    fn of(levels: u32) -> Effort {
        match levels {
            0..=40 => Effort { grid: 24, starts: 16, rounds: 40, ripple: 120, most: 4000 },
            41..=80 => Effort { grid: 20, starts: 8, rounds: 20, ripple: 200, most: 3000 },
            81..=150 => Effort { grid: 16, starts: 6, rounds: 12, ripple: 220, most: 2200 },
            151..=300 => Effort { grid: 13, starts: 4, rounds: 8, ripple: 220, most: 1400 },
            _ => Effort { grid: 11, starts: 3, rounds: 6, ripple: 120, most: 900 },
        }
    }

    /// The work of one of several searches.
    fn part(self, objective: Objective, tenths: u32) -> Effort {
        let most = match objective {
            Objective::Squared => self.most,
            // An evaluation counts twice.
            Objective::Absolute => self.most.saturating_add(self.most / 2),
        };
        Effort { most: most.saturating_mul(tenths) / 10, ..self }
    }
}

/// The best levels as [`search`] finds them by each of several rules for the bias: never worse than those of a search by
/// stricter rules alone, nor than those that cover the range. `exactly` is the error of the parameters
/// that levels stand for.
pub(super) fn search_all<D: Parts>(
    distribution: &D,
    rules: &Rules,
    biases: impl Iterator<Item = Bias>,
    objective: Objective,
    range: (f64, f64),
    exactly: impl Fn(&Levels) -> Option<f64>,
) -> Option<Levels> {
    let mut best: Option<Levels> = None;
    for (place, bias) in biases.enumerate() {
        let rules = Rules { bias, ..*rules };
        let whole = rules.covering(range.0, range.1);
        let (also, tenths) = match bias {
            // Nothing is stricter, and what others are like leaves no trace in it.
            Bias::Fixed(_) => ([None, whole], 1),
            Bias::Free | Bias::Whole(..) => ([best, whole], if place == 1 { 4 } else { 3 }),
        };
        let effort = Effort::of(rules.count).part(objective, tenths);
        let found = search(distribution, &rules, objective, range, &also, &effort);
        let tried = [best, found.map(|found| found.levels), whole];
        best = closest(tried, |levels| objective.fast(distribution, levels), &exactly);
    }
    best
}

/// The part of the sums behind an error that rounding may make of it.
const ROUNDING: f64 = 1e-12;

/// The levels with the smallest error. Where a difference of large sums does not tell whose it is,
/// the errors are computed `exactly`, which takes longer.
fn closest(
    levels: [Option<Levels>; 3],
    fast: impl Fn(&Levels) -> (f64, f64),
    exactly: impl Fn(&Levels) -> Option<f64>,
) -> Option<Levels> {
    let mut bounds = levels.map(|levels| {
        let levels = levels?;
        let (error, size) = fast(&levels);
        Some((levels, error - ROUNDING * size, error + ROUNDING * size))
    });
    let most = bounds.iter().flatten().map(|(_, _, most)| *most).fold(f64::INFINITY, f64::min);
    let mut last = None;
    for place in &mut bounds {
        let levels = place.and_then(|(levels, least, _)| (least <= most).then_some(levels));
        // The same levels need no second look.
        if levels.is_none() || levels == last {
            *place = None;
        }
        last = levels.or(last);
    }
    let mut left = bounds.into_iter().flatten().map(|(levels, ..)| levels);
    let (first, second) = (left.next(), left.next());
    match second {
        None => first,
        Some(_) => least([first, second, left.next()], exactly),
    }
}

/// The best levels for a distribution of at least two different values from `min` to `max`. `also`
/// are tried in any case.
fn search<D: Parts>(
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
    let whole = rules.covering(min, max).map_or(0.0, |levels| levels.step * steps);
    // From the whole range down to half a deviation around the middle.
    let mut grid = |middle: f64, deviation: f64| {
        let mut start = |low: f64, high: f64| {
            if let Some(found) = search.try_by(rules, low, (high - low) / steps) {
                insert(starts, found);
            }
        };
        if let Bias::Fixed(_) = rules.bias {
            // Only the step is left to choose. Powers of two are what is best for whole numbers.
            shares(whole, deviation, effort.grid.saturating_mul(6)).for_each(|all| start(0.0, all));
            let mut step = (whole / steps).log2().ceil().exp2();
            while step * steps >= deviation.max(1e-9 * whole) {
                start(0.0, step * steps);
                step *= 0.5;
            }
            return;
        }
        for low in shares(min - middle, 0.5 * deviation, effort.grid) {
            for high in shares(max - middle, 0.5 * deviation, effort.grid) {
                start(middle + low, middle + high);
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

/// Numbers from a far one down to a near one, each the same part of the one before.
fn shares(far: f64, near: f64, points: u32) -> impl Iterator<Item = f64> {
    let part = (near / far.abs()).clamp(1e-9, 1.0);
    let last = f64::from(points.saturating_sub(1));
    (0..points).map(move |point| far * part.powf(f64::from(point) / last))
}

/// Keeps the best, and one of those that lie in the same bowl.
fn insert(starts: &mut [Option<Found>], found: Found) {
    let near = |there: &Levels| {
        let ends = [there.first - found.levels.first, there.last() - found.levels.last()];
        ends.iter().all(|end| end.abs() < NEAR * found.levels.step)
    };
    let error = |place: &Option<Found>| place.map_or(f64::INFINITY, |there| there.error);
    let same = starts.iter().position(|place| place.is_some_and(|there| near(&there.levels)));
    let place = match same {
        Some(same) => starts.get_mut(same),
        None => starts.iter_mut().max_by(|a, b| error(a).total_cmp(&error(b))),
    };
    if let Some(place) = place
        && found.error < error(place)
    {
        *place = Some(found);
    }
}

impl<D: Parts> Search<'_, D> {
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
