//! What a quantization may be asked for.

pub use crate::kernels::quantize::{Counts, Rounding};

/// How floats become codes, beyond what the tensor's own parameters say.
///
/// ```
/// use caffe2_qtensor::quantize::{QuantizeOptions, Rounding};
///
/// let options = QuantizeOptions { rounding: Rounding::Floor, ..QuantizeOptions::default() };
/// assert_eq!(options.threads, 1);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuantizeOptions {
    /// Which quantizer.
    pub scheme: Scheme,
    /// How a position between two codes becomes one of them.
    pub rounding: Rounding,
    /// What stochastic rounding starts from: the same seed gives the same codes, however many
    /// threads there are and whatever the machine.
    pub seed: u64,
    /// What happens to NaN and infinities.
    pub non_finite: NonFinite,
    /// On how many threads to work; 0 is 1. The codes are the same for any number.
    pub threads: usize,
}

impl Default for QuantizeOptions {
    /// The tensor's own parameters, to the nearest code (even in the middle), values that are not
    /// finite refused, one thread.
    fn default() -> QuantizeOptions {
        QuantizeOptions {
            scheme: Scheme::Parameters,
            rounding: Rounding::NearestEven,
            seed: 0,
            non_finite: NonFinite::Refuse,
            threads: 1,
        }
    }
}

/// A quantizer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scheme {
    /// By the tensor's own parameters, whole or channel by channel.
    #[default]
    Parameters,
    /// DoReFa's for activations, `round(n * clip(v, 0, 1)) / n` with `n = 2^precision - 1`: sets the
    /// tensor's scale to `1 / n` and its bias to 0. Source: Zhou et al., "DoReFa-Net", 2016.
    DorefaActivations,
    /// DoReFa's for weights, `2 * q(tanh(w) / (2 * max |tanh(w)|) + 1/2) - 1` with that `q`: sets
    /// the tensor's scale to `2 / n` and its bias to `-n / 2`. Where all weights are 0, the quotient
    /// counts as 0. Source: as above.
    DorefaWeights,
}

/// What happens to NaN and infinities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum NonFinite {
    /// The call is refused, naming the first one; the tensor stays as it was.
    #[default]
    Refuse,
    /// Infinities take the lowest or the highest code, NaN takes code 0, and all are counted.
    Saturate,
}
