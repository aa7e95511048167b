//! What a code is, exactly.

/// How a position between two codes becomes one of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rounding {
    /// To the nearest code; from the middle between two to the even one.
    #[default]
    NearestEven,
    /// To the nearest code; from the middle between two to the one farther from zero.
    NearestAway,
    /// To the next code below.
    Floor,
    /// To the next code above.
    Ceil,
    /// To the next code in the direction of zero.
    TowardZero,
    /// Up with the probability of the fraction, else down. The decision depends on the seed and
    /// on the element's index alone.
    Stochastic,
    /// As Caffe2's Int8Quantize: the quotient in single precision, rounded to the nearest integer
    /// (even in the middle) before the zero point is added.
    Caffe2,
}

/// What became of the values.
///
/// A value counts in one of these at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Finite values whose code would have been below the lowest one; in a logarithmic tensor, whose
    /// magnitude would have been below 1, and negative ones where there is no sign.
    pub saturated_low: u64,
    /// Finite values whose code, in a logarithmic tensor whose magnitude, would have been above the
    /// highest one.
    pub saturated_high: u64,
    /// Values other than 0 that were rounded to the code that stands for 0.
    pub flushed_to_zero: u64,
    /// NaN and infinities.
    pub non_finite: u64,
}

impl Counts {
    /// Adds the counts of other values.
    pub fn add(&mut self, other: &Counts) {
        self.saturated_low += other.saturated_low;
        self.saturated_high += other.saturated_high;
        self.flushed_to_zero += other.flushed_to_zero;
        self.non_finite += other.non_finite;
    }

    /// Adds what became of one value.
    #[inline(always)]
    pub fn note(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Inside => {}
            Outcome::Low => self.saturated_low += 1,
            Outcome::High => self.saturated_high += 1,
            Outcome::Flushed => self.flushed_to_zero += 1,
            Outcome::NonFinite => self.non_finite += 1,
        }
    }
}

/// What became of one value: see [`Counts`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing worth a count.
    Inside,
    /// Saturated at the lowest code.
    Low,
    /// Saturated at the highest code.
    High,
    /// Not 0, and now it is.
    Flushed,
    /// NaN or infinite.
    NonFinite,
}

/// What all elements of a tensor have in common.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rules {
    /// How positions are rounded.
    pub rounding: Rounding,
    /// What stochastic rounding starts from.
    pub seed: u64,
    /// Magnitude bits of a code, 1 to 32.
    pub precision: u8,
    /// Whether codes have a sign.
    pub signed: bool,
}

impl Rules {
    /// The highest code.
    pub fn highest(&self) -> i64 {
        (1 << self.precision) - 1
    }

    /// A position between two codes as one of them, of an element with this index.
    ///
    /// [`Rounding::Caffe2`] rounds something else; here it is [`Rounding::NearestEven`].
    #[inline(always)]
    pub fn round(&self, position: f64, index: u64) -> f64 {
        match self.rounding {
            Rounding::NearestEven | Rounding::Caffe2 => position.round_ties_even(),
            Rounding::NearestAway => position.round(),
            Rounding::Floor => position.floor(),
            Rounding::Ceil => position.ceil(),
            Rounding::TowardZero => position.trunc(),
            Rounding::Stochastic => {
                let down = position.floor();
                if position - down > chance(self.seed, index) { down + 1.0 } else { down }
            }
        }
    }

    /// The lowest code.
    pub fn lowest(&self) -> i64 {
        if self.signed { -self.highest() } else { 0 }
    }
}

/// What the elements of a channel have in common: how far apart the codes' values are, and where.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// The distance between the values of neighboring codes: positive, finite and normal, for
    /// [`Rounding::Caffe2`] as a number of single precision.
    pub scale: f64,
    /// What is added to a code before it is scaled: finite.
    pub bias: f64,
}

impl Step {
    /// The step that the rounding works with: Caffe2's operator knows single precision only.
    pub fn for_rounding(self, rounding: Rounding) -> Step {
        match rounding {
            Rounding::Caffe2 => Step { scale: f64::from(self.scale as f32), ..self },
            _ => self,
        }
    }
}

/// All that decides about a code.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Formula {
    /// What holds for the whole tensor.
    pub rules: Rules,
    /// What holds for the channel.
    pub step: Step,
}

impl Formula {
    /// The code of a value, the element's index deciding where chance does.
    ///
    /// The position `fl64(fl64(value / scale) - bias)`, rounded and then clamped. An infinity
    /// saturates, NaN becomes 0. Source: the definition of a linear quantizer with a bias in codes;
    /// for [`Rounding::Caffe2`] the single-precision quotient is rounded first.
    #[inline]
    pub fn code(&self, value: f64, index: u64) -> (i64, Outcome) {
        let (lowest, highest) = (self.rules.lowest(), self.rules.highest());
        if !value.is_finite() {
            let code = match value {
                value if value.is_nan() => 0,
                value if value < 0.0 => lowest,
                _ => highest,
            };
            return (code, Outcome::NonFinite);
        }
        let Step { scale, bias } = self.step;
        let position = value / scale - bias;
        let rounded = match self.rules.rounding {
            Rounding::Caffe2 => f64::from((value as f32 / scale as f32).round_ties_even()) - bias,
            _ => self.rules.round(position, index),
        };
        // Both bounds are far inside what a double holds exactly. NaN, which only a scale that
        // breaks its promise can bring about, is never converted: it takes the last branch.
        if rounded > highest as f64 {
            (highest, Outcome::High)
        } else if rounded >= lowest as f64 {
            let flushed = rounded == -bias && value != 0.0;
            (rounded as i64, if flushed { Outcome::Flushed } else { Outcome::Inside })
        } else {
            (lowest, Outcome::Low)
        }
    }
}

/// A number in [0, 1) for an element: 53 bits of the mixing function of Vigna's `SplitMix64`, run on
/// the seed and the index. The same for every number of threads and every set of kernels.
#[inline(always)]
pub(super) fn chance(seed: u64, index: u64) -> f64 {
    let mut word = mix(seed).wrapping_add(index.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    word = mix(word);
    (word >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
}

#[inline(always)]
fn mix(mut word: u64) -> u64 {
    word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}
