//! Levels for values that are all the same.

use super::cells::Frame;
use super::rules::{Bias, Rules};
use crate::kernels::distortion::Levels;

/// How many powers of two a single-precision number's bits span, and one for half steps.
const BITS: usize = 26;

impl Rules {
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
                let codes = Rules { frame: Frame { unit: 1.0, center: 0.0 }, ..*self };
                let error = codes.quantizer(scale, bias).predict_point(1.0, value).magnitudes;
                if error < least {
                    (best, least) = ((scale, bias), error);
                }
            }
            scale *= 0.5;
        }
        best
    }
}
