//! What levels must be, and those that are nearest to keeping it.

use super::cells::Frame;
use super::predict::Quantizer;
use crate::kernels::distortion::Levels;

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
    /// The largest magnitude of a level's value, in the frame's unit.
    pub(super) most: f64,
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

    /// The code of the last level.
    pub(super) fn highest(&self) -> f64 {
        self.lowest + f64::from(self.count.saturating_sub(1))
    }

    /// The codes with these parameters.
    pub(super) fn quantizer(&self, scale: f64, bias: f64) -> Quantizer {
        let step = scale / self.frame.unit;
        Quantizer { step, bias, lowest: self.lowest, highest: self.highest() }
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
        Some(self.bounded(match self.bias {
            Bias::Free => levels,
            _ => self.levels(levels.step, self.bias_of(&levels)),
        }))
    }

    /// The levels, with a smaller step and the same bias where one of them would be too large.
    pub(super) fn bounded(&self, levels: Levels) -> Levels {
        let center = self.frame.center;
        if (levels.first + center).abs().max((levels.last() + center).abs()) <= self.most {
            return levels;
        }
        let bias = self.bias_of(&levels);
        let reach = (self.lowest + bias).abs().max((self.highest() + bias).abs());
        let step = self.most / reach;
        self.levels(if self.power_of_two { step.log2().floor().exp2() } else { step }, bias)
    }

    /// The narrowest levels that keep the rules and cover a range of values in the rules' frame, as far
    /// as a level may be from 0, or nothing where the range is a point.
    pub(super) fn covering(&self, min: f64, max: f64) -> Option<Levels> {
        let steps = f64::from(self.count.saturating_sub(1));
        let center = self.frame.center;
        let (min, max) = match self.bias {
            // Where a code stands for 0 the range holds 0, as Caffe2's choosers have it.
            Bias::Whole(least, most) if most - least <= steps => {
                (min.min(-center), max.max(-center))
            }
            _ => (min, max),
        };
        // A whole bias is an i32's: far from 0 the step must not be too small for it. What rounding
        // and centering add to it is less than two ranges of codes.
        let reach = match self.bias {
            Bias::Whole(_, most) if most > 4.0 * (steps + self.lowest.abs()) && min < max => {
                let most = most - 2.0 * (steps + self.lowest.abs());
                (min + center).abs().max((max + center).abs()) / most
            }
            _ => 0.0,
        };
        let up = |step: f64| if self.power_of_two { step.log2().ceil().exp2() } else { step };
        let step = match self.bias {
            Bias::Free | Bias::Whole(..) => up(((max - min) / steps).max(reach)),
            Bias::Fixed(bias) => {
                // On either side as many steps as there are codes.
                let (below, above) = (self.lowest + bias, self.lowest + bias + steps);
                let (min, max) = (min + center, max + center);
                let low = if min < 0.0 && below < 0.0 { min / below } else { 0.0 };
                let high = if max > 0.0 && above > 0.0 { max / above } else { 0.0 };
                // Of a side without codes the magnitude counts, so that there is a scale.
                let any = if below < 0.0 && above > 0.0 { 0.0 } else { -min.min(0.0) / steps };
                up(low.max(high).max(any))
            }
        };
        if !(step > 0.0 && step.is_finite()) {
            return None;
        }
        let first = match self.power_of_two {
            true => min - 0.5 * (step * steps - (max - min)),
            false => min,
        };
        let levels = self.levels(step, 0.0);
        let bias = self.bias_of(&Levels { first, ..levels });
        Some(self.bounded(match self.bias {
            Bias::Free => Levels { first, ..levels },
            _ => self.levels(step, bias),
        }))
    }
}
