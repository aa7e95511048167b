//! What codes there are to be, and which parameters they may have.

use super::cells::Frame;
use super::search::{Bias, Rules};
use crate::error::{Error, Result};

/// The codes that parameters are chosen for, and what is asked of the parameters.
///
/// ```
/// use caffe2_qtensor::calibrate::{Target, Zero};
///
/// // What an Int8 operator takes: bytes, with a zero point among them.
/// let bytes = Target { precision: 8, zero: Zero::Exact, ..Target::default() };
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// Magnitude bits of a code: 1 to 8; for the methods that only look at a range, 1 to 16.
    pub precision: u8,
    /// Whether codes have a sign: then they go from `-(2^precision - 1)` to `2^precision - 1`, else
    /// from 0.
    pub signed: bool,
    /// What the bias may be.
    pub zero: Zero,
    /// Whether the codes' values lie around 0 evenly. In a signed tensor the bias is 0. In an
    /// unsigned one it is `-2^(precision - 1)`, with one code more below 0 than above, or with
    /// [`Zero::Free`] `-(2^precision - 1) / 2`, with none at 0.
    pub symmetric: bool,
    /// Whether the scale is a power of two.
    pub power_of_two: bool,
    /// Whether the lowest and the highest code are halved, toward 0: a bit less, which keeps the
    /// sums of old instructions from overflowing.
    pub reduced: bool,
}

impl Default for Target {
    /// Unsigned codes of eight bits, any bias.
    fn default() -> Target {
        Target {
            precision: 8,
            signed: false,
            zero: Zero::Free,
            symmetric: false,
            power_of_two: false,
            reduced: false,
        }
    }
}

/// What the bias may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Zero {
    /// Any number. The error is smallest so.
    #[default]
    Free,
    /// A whole number: minus a zero point, which need not be one of the codes.
    Integer,
    /// Minus one of the codes, which then stands for 0 exactly. Int8 tensors need that.
    Exact,
}

impl Zero {
    /// What the bias must be where nothing is symmetric.
    fn bias(self, codes: Codes) -> Bias {
        match self {
            Zero::Free => Bias::Free,
            Zero::Integer => Bias::Whole(-f64::from(i32::MAX), f64::from(i32::MAX)),
            Zero::Exact => Bias::Whole(-f64::from(codes.highest), -f64::from(codes.lowest)),
        }
    }
}

/// The lowest and the highest code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Codes {
    pub(super) lowest: i32,
    pub(super) highest: i32,
}

impl Codes {
    pub(super) fn steps(self) -> u32 {
        self.highest.abs_diff(self.lowest)
    }
}

impl Target {
    /// The codes, for a method that takes this precision at most.
    pub(super) fn codes(&self, most: u8) -> Result<Codes> {
        if self.precision == 0 || self.precision > most {
            return Err(Error::OutOfRange {
                what: "precision to choose parameters for",
                value: i128::from(self.precision),
                min: 1,
                max: i128::from(most),
            });
        }
        let highest = (1_i32 << u32::from(self.precision).min(16)).wrapping_sub(1);
        let lowest = if self.signed { highest.wrapping_neg() } else { 0 };
        let codes = match self.reduced {
            true => Codes { lowest: lowest / 2, highest: highest / 2 },
            false => Codes { lowest, highest },
        };
        if codes.steps() == 0 {
            return Err(Error::OutOfRange {
                what: "precision whose range is reduced",
                value: i128::from(self.precision),
                min: 2,
                max: i128::from(most),
            });
        }
        Ok(codes)
    }

    /// What the bias must be.
    pub(super) fn bias(&self, codes: Codes) -> Bias {
        let (lowest, highest) = (f64::from(codes.lowest), f64::from(codes.highest));
        if self.symmetric {
            return Bias::Fixed(match (self.signed, self.zero) {
                (true, _) => 0.0,
                (false, Zero::Free) => -(lowest + highest) / 2.0,
                (false, _) => -((lowest + highest) / 2.0 + 0.5).floor(),
            });
        }
        self.zero.bias(codes)
    }

    /// What stricter targets ask of the bias that parameters for this one could serve, too, from the
    /// strictest on.
    pub(super) fn stricter(&self, codes: Codes) -> impl Iterator<Item = Bias> + use<> {
        let (zero, symmetric) = (self.zero, self.symmetric);
        let strictness = |zero| match zero {
            Zero::Free => 0,
            Zero::Integer => 1,
            Zero::Exact => 2,
        };
        [Zero::Exact, Zero::Integer]
            .into_iter()
            .filter(move |other| !symmetric && strictness(*other) > strictness(zero))
            .map(move |other| other.bias(codes))
    }

    /// All rules together.
    pub(super) fn rules(&self, codes: Codes, frame: Frame) -> Rules {
        Rules {
            frame,
            lowest: f64::from(codes.lowest),
            count: codes.steps().saturating_add(1),
            bias: self.bias(codes),
            power_of_two: self.power_of_two,
        }
    }
}

impl Rules {
    /// The narrowest levels that keep the rules and cover a range of values in the rules' frame, or
    /// nothing where the range is a point.
    pub(super) fn covering(
        &self,
        min: f64,
        max: f64,
    ) -> Option<crate::kernels::distortion::Levels> {
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
        let bias = self.bias_of(&crate::kernels::distortion::Levels { first, ..levels });
        Some(match self.bias {
            Bias::Free => crate::kernels::distortion::Levels { first, ..levels },
            _ => self.levels(step, bias),
        })
    }
}
