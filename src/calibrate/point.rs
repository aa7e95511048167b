//! Levels for values that are all the same.

use super::search::{Bias, Rules};
use crate::kernels::distortion::Levels;

/// How many powers of two a single-precision number's bits span, and one for half steps.
const BITS: usize = 26;

/// The code of a value before it is clipped, and the error of the one it gets.
pub(super) fn of_value(value: f64, scale: f64, bias: f64, codes: (f64, f64)) -> (f64, f64) {
    let code = (value / scale - bias).round_ties_even();
    (code, value - scale * (code.clamp(codes.0, codes.1) + bias))
}

impl Rules {
    fn highest(&self) -> f64 {
        self.lowest + f64::from(self.count.saturating_sub(1))
    }

    /// The better of the levels for just this value and of those for its range.
    pub(super) fn constant(&self, value: f64, range: Option<Levels>) -> Option<Levels> {
        let error = |levels: &Levels| {
            let (scale, bias) = (levels.step * self.frame.unit, self.bias_of(levels));
            of_value(value, scale, bias, (self.lowest, self.highest())).1.abs()
        };
        match (self.point(value), range) {
            (Some(point), Some(range)) if error(&range) < error(&point) => Some(range),
            (point, range) => point.or(range),
        }
    }

    /// Levels one of which is just this value, where the rules allow it.
    pub(super) fn point(&self, value: f64) -> Option<Levels> {
        let size = if value == 0.0 { 1.0 } else { value.abs() };
        // The code that is to stand for the value, and the bias.
        let (code, bias) = match self.bias {
            Bias::Free | Bias::Whole(..) if value >= 0.0 || self.lowest < 0.0 => {
                (value.signum(), 0.0)
            }
            Bias::Free | Bias::Whole(..) => (0.0, -1.0),
            Bias::Fixed(bias) => {
                let code = if value < 0.0 { self.lowest } else { self.highest() };
                (code, bias)
            }
        };
        let distance = (code + bias).abs();
        let scale = if value == 0.0 || distance == 0.0 { size } else { size / distance };
        let (scale, bias) = match self.power_of_two {
            true => self.power_for(value, code, (scale.log2().ceil().exp2(), bias)),
            false => (scale, bias),
        };
        let levels = self.levels(scale / self.frame.unit, bias);
        (levels.step > 0.0 && levels.step.is_finite()).then_some(levels)
    }

    /// The power of two and the bias by which a code stands for a value most nearly, the largest one
    /// of equals; `code` is the one to try. The last bit of the value always does where the bias
    /// reaches far enough.
    fn power_for(&self, value: f64, code: f64, otherwise: (f64, f64)) -> (f64, f64) {
        if value == 0.0 {
            return otherwise;
        }
        let mut scale = 2.0 * value.abs().log2().ceil().exp2();
        let (mut best, mut least) = (otherwise, f64::INFINITY);
        for _ in 0..BITS {
            let reached = value / scale - code;
            let bias = match self.bias {
                Bias::Free => reached,
                Bias::Whole(min, max) => reached.round().clamp(min, max),
                Bias::Fixed(bias) => bias,
            };
            // Without a bias, if that does.
            for bias in [otherwise.1, bias] {
                let error = of_value(value, scale, bias, (self.lowest, self.highest())).1.abs();
                if error < least {
                    (best, least) = ((scale, bias), error);
                }
            }
            scale *= 0.5;
        }
        best
    }
}
