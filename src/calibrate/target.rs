//! What codes there are to be, and which parameters they may have.

use super::cells::Frame;
use super::rules::{Bias, Rules};
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

    /// What the bias must be where the codes' values lie around 0.
    fn symmetric_bias(self, codes: Codes) -> Bias {
        let middle = (f64::from(codes.lowest) + f64::from(codes.highest)) / 2.0;
        Bias::Fixed(match self {
            Zero::Free => 0.0 - middle,
            Zero::Integer | Zero::Exact => 0.0 - (middle + 0.5).floor(),
        })
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
        match self.symmetric {
            true => self.zero.symmetric_bias(codes),
            false => self.zero.bias(codes),
        }
    }

    /// What stricter targets ask of the bias, whose parameters serve this one, too: each after those
    /// that are stricter still, and last this one.
    pub(super) fn biases(&self, codes: Codes) -> impl Iterator<Item = Bias> + use<> {
        let (free, whole) = (self.zero == Zero::Free, self.zero != Zero::Exact);
        let around = [Zero::Exact, Zero::Free].map(|zero| zero.symmetric_bias(codes));
        let [around, between] = around;
        let biases = match self.symmetric {
            true => [Some(self.bias(codes)), None, None, None, None],
            false => [
                Some(around),
                Some(Zero::Exact.bias(codes)),
                whole.then(|| Zero::Integer.bias(codes)),
                // The same where codes have a sign.
                (free && between != around).then_some(between),
                free.then_some(Bias::Free),
            ],
        };
        biases.into_iter().flatten()
    }

    /// All rules together.
    pub(super) fn rules(&self, codes: Codes, frame: Frame) -> Rules {
        Rules {
            frame,
            lowest: f64::from(codes.lowest),
            count: codes.steps().saturating_add(1),
            bias: self.bias(codes),
            power_of_two: self.power_of_two,
            most: f64::from(f32::MAX) / frame.unit,
        }
    }
}
