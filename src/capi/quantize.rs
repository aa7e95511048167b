//! Floats to codes.

use super::error::qtensor_error_t;
use super::handle::{Extensible, Options, capacity_of, exclusive, fill, options, slice};
use super::panic::call;
use super::status::qtensor_status;
use super::tensor::qtensor_t;
use crate::error::{Error, Result};
use crate::quantize::{
    Bfloat16, Counts, Half, NonFinite, QuantizeOptions, Rounding, Scheme, Value,
};

/// By the tensor's own scale and bias, or those of its channels; logarithmic where the tensor is.
pub const QTENSOR_SCHEME_PARAMETERS: i32 = 0;
/// DoReFa's quantizer for activations, round(n * clip(v, 0, 1)) / n with n = 2^precision - 1: sets
/// the tensor's scale to 1 / n and its bias to 0 and removes its channels. For unsigned tensors.
pub const QTENSOR_SCHEME_DOREFA_ACTIVATIONS: i32 = 1;
/// DoReFa's quantizer for weights, 2 * q(tanh(w) / (2 * max|tanh(w)|) + 1/2) - 1 with the q for
/// activations: sets the tensor's scale to 2 / n and its bias to -n / 2 and removes its channels.
/// The maximum is that of the finite weights; where all of them are 0, the quotient counts as 0. For
/// unsigned tensors.
pub const QTENSOR_SCHEME_DOREFA_WEIGHTS: i32 = 2;

/// To the nearest code; from the middle between two to the even one.
pub const QTENSOR_ROUND_NEAREST_EVEN: i32 = 0;
/// To the nearest code; from the middle between two to the one farther from zero.
pub const QTENSOR_ROUND_NEAREST_AWAY: i32 = 1;
/// To the next code below; in a logarithmic tensor, as all roundings there, by the magnitude.
pub const QTENSOR_ROUND_FLOOR: i32 = 2;
/// To the next code above.
pub const QTENSOR_ROUND_CEIL: i32 = 3;
/// To the next code in the direction of code 0.
pub const QTENSOR_ROUND_TOWARD_ZERO: i32 = 4;
/// Up with the probability of the fraction, else down. Decided by the seed and the element's index
/// alone.
pub const QTENSOR_ROUND_STOCHASTIC: i32 = 5;
/// As Caffe2's Int8Quantize: value and scale in single precision, and so their quotient, which is
/// rounded to the nearest integer (even in the middle) before the zero point is added. The scale has
/// to be a normal number in single precision too, and the bias minus a 32-bit integer.
pub const QTENSOR_ROUND_CAFFE2: i32 = 6;

/// A value that is NaN or infinite is refused with QTENSOR_NON_FINITE.
pub const QTENSOR_NON_FINITE_REFUSE: i32 = 0;
/// Infinities take the lowest or the highest code. NaN takes code 0, which stands for the value 0
/// only where the bias is 0.
pub const QTENSOR_NON_FINITE_SATURATE: i32 = 1;

/// How qtensor_quantize() works. The default is 0 for everything.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct qtensor_quantize_options_t {
    /// The caller's sizeof(qtensor_quantize_options_t).
    pub struct_size: usize,
    /// What stochastic rounding starts from: the same seed gives the same codes, however many
    /// threads there are and whatever the machine.
    pub seed: u64,
    /// A QTENSOR_SCHEME_ constant: which quantizer.
    pub scheme: i32,
    /// A QTENSOR_ROUND_ constant: how a position between two codes becomes one of them.
    pub rounding: i32,
    /// A QTENSOR_NON_FINITE_ constant: what happens to NaN and infinities.
    pub non_finite: i32,
    /// On how many threads to work; 0 is 1. The codes are the same for any number. Small tensors
    /// get fewer.
    pub threads: u32,
}

// SAFETY: repr(C), the size first, then 64 bits and an even number of 32-bit members.
unsafe impl Extensible for qtensor_quantize_options_t {
    const FIRST_SIZE: usize = size_of::<qtensor_quantize_options_t>();
}
const _: () = assert!(usize::BITS != 64 || size_of::<qtensor_quantize_options_t>() == 32);

// SAFETY: integers only.
unsafe impl Options for qtensor_quantize_options_t {}

impl Default for qtensor_quantize_options_t {
    fn default() -> Self {
        qtensor_quantize_options_t {
            struct_size: size_of::<Self>(),
            seed: 0,
            scheme: QTENSOR_SCHEME_PARAMETERS,
            rounding: QTENSOR_ROUND_NEAREST_EVEN,
            non_finite: QTENSOR_NON_FINITE_REFUSE,
            threads: 0,
        }
    }
}

impl qtensor_quantize_options_t {
    fn checked(&self) -> Result<QuantizeOptions> {
        let refused = |what, value, rule| {
            Err(Error::InvalidArgument { what, value: i128::from(value), rule })
        };
        Ok(QuantizeOptions {
            scheme: match self.scheme {
                QTENSOR_SCHEME_PARAMETERS => Scheme::Parameters,
                QTENSOR_SCHEME_DOREFA_ACTIVATIONS => Scheme::DorefaActivations,
                QTENSOR_SCHEME_DOREFA_WEIGHTS => Scheme::DorefaWeights,
                other => return refused("scheme", other, "a QTENSOR_SCHEME_ constant, 0 to 2"),
            },
            rounding: match self.rounding {
                QTENSOR_ROUND_NEAREST_EVEN => Rounding::NearestEven,
                QTENSOR_ROUND_NEAREST_AWAY => Rounding::NearestAway,
                QTENSOR_ROUND_FLOOR => Rounding::Floor,
                QTENSOR_ROUND_CEIL => Rounding::Ceil,
                QTENSOR_ROUND_TOWARD_ZERO => Rounding::TowardZero,
                QTENSOR_ROUND_STOCHASTIC => Rounding::Stochastic,
                QTENSOR_ROUND_CAFFE2 => Rounding::Caffe2,
                other => return refused("rounding", other, "a QTENSOR_ROUND_ constant, 0 to 6"),
            },
            seed: self.seed,
            non_finite: match self.non_finite {
                QTENSOR_NON_FINITE_REFUSE => NonFinite::Refuse,
                QTENSOR_NON_FINITE_SATURATE => NonFinite::Saturate,
                other => {
                    return refused("non_finite", other, "a QTENSOR_NON_FINITE_ constant, 0 or 1");
                }
            },
            threads: usize::try_from(self.threads).unwrap_or(usize::MAX),
        })
    }
}

/// What became of the values; each counts in one of the members at most.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct qtensor_quantize_counts_t {
    /// Before the call the caller's sizeof(qtensor_quantize_counts_t), after it the bytes that
    /// were filled.
    pub struct_size: usize,
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

// SAFETY: repr(C), the size first; where that is as wide as the counts there is no padding.
unsafe impl Extensible for qtensor_quantize_counts_t {
    const FIRST_SIZE: usize = size_of::<qtensor_quantize_counts_t>();
}
const _: () = assert!(usize::BITS != 64 || size_of::<qtensor_quantize_counts_t>() == 40);

impl From<Counts> for qtensor_quantize_counts_t {
    fn from(counts: Counts) -> Self {
        qtensor_quantize_counts_t {
            struct_size: size_of::<Self>(),
            saturated_low: counts.saturated_low,
            saturated_high: counts.saturated_high,
            flushed_to_zero: counts.flushed_to_zero,
            non_finite: counts.non_finite,
        }
    }
}

/// # Safety
/// The pointers are NULL or valid as their types say.
unsafe fn quantize<T: Value>(
    tensor: *mut qtensor_t,
    values: *const T,
    count: usize,
    options: *const qtensor_quantize_options_t,
    counts: *mut qtensor_quantize_counts_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: passed on from the caller.
    unsafe {
        call(error, || {
            let tensor = &mut exclusive(tensor, "tensor")?.0;
            let values = slice(values, count, "values")?;
            let options = self::options(options, "options")?.checked()?;
            if counts.is_null() {
                return tensor.quantize(values, &options);
            }
            // What could be wrong with it is found before the tensor changes.
            capacity_of(counts, "counts")?;
            fill(tensor.quantize_counting(values, &options)?.into(), counts, "counts")
        })
    }
}

/// Turns `n` floats into the codes of a tensor, in order; `n` is its size.
///
/// The code of a value is value / scale - bias, both operations in double precision, rounded to an
/// integer and clamped to the codes that there are: from 0, or -(2^precision - 1) in a signed
/// tensor, to 2^precision - 1. It is exactly that on every machine, as long as the program leaves
/// the processor's floating-point modes at their defaults (rounding to nearest, subnormal numbers
/// not taken for 0). Where the tensor has channels,
/// scale and bias are those of the element's channel; qtensor_set_channels() sets them. In a
/// logarithmic tensor 0 has code 0, and the magnitude of any other code is
/// log2(|value|) / scale - bias + 1, rounded and clamped to 1 to 2^precision - 1; an unsigned one
/// gives negative values code 0. Padding bits stay as they are.
///
/// `options` may be NULL: by the tensor's own parameters, to the nearest code (even in the middle),
/// values that are not finite refused, one thread. `counts` may be NULL: then nothing is counted,
/// which is faster. Otherwise the caller has set counts->struct_size to
/// sizeof(qtensor_quantize_counts_t). The tensor must not be used by anyone else during the call;
/// threads that it starts have ended when it returns, and where one cannot be started its part is
/// done by another.
///
/// QTENSOR_NON_FINITE for a value that is NaN or infinite, unless the options say otherwise;
/// QTENSOR_SHAPE_MISMATCH unless n is the tensor's size, and where its channels do not fit its
/// dimensions; QTENSOR_INVALID_ARGUMENT for a scale that is not positive, finite and normal and
/// for a bias that is not finite, in whichever channel, unless the scheme sets them itself; for
/// what QTENSOR_ROUND_CAFFE2 cannot work with, and for an option that is none of its constants;
/// QTENSOR_OUT_OF_RANGE for a precision of 0 or above 32 and for channels along a dimension
/// that is not there; QTENSOR_UNSUPPORTED for a DoReFa scheme where the tensor is signed or
/// logarithmic, for QTENSOR_ROUND_CAFFE2 with such a scheme or in a logarithmic tensor, and for
/// options of a later version; QTENSOR_BUFFER_TOO_SMALL where a struct_size is smaller than the first
/// version's. The tensor stays as it was then, parameters and planes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_quantize(
    tensor: *mut qtensor_t,
    values: *const f32,
    n: usize,
    options: *const qtensor_quantize_options_t,
    counts: *mut qtensor_quantize_counts_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: passed on from the caller.
    unsafe { quantize(tensor, values, n, options, counts, error) }
}

/// Like qtensor_quantize(), for doubles: nothing of them is rounded before the division, except by
/// QTENSOR_ROUND_CAFFE2.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_quantize_f64(
    tensor: *mut qtensor_t,
    values: *const f64,
    n: usize,
    options: *const qtensor_quantize_options_t,
    counts: *mut qtensor_quantize_counts_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: passed on from the caller.
    unsafe { quantize(tensor, values, n, options, counts, error) }
}

/// Like qtensor_quantize(), for half precision, as the bits of unsigned integers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_quantize_f16(
    tensor: *mut qtensor_t,
    values: *const u16,
    n: usize,
    options: *const qtensor_quantize_options_t,
    counts: *mut qtensor_quantize_counts_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: passed on from the caller; the type is its bits.
    unsafe { quantize(tensor, values.cast::<Half>(), n, options, counts, error) }
}

/// Like qtensor_quantize(), for bfloat16, as the bits of unsigned integers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_quantize_bf16(
    tensor: *mut qtensor_t,
    values: *const u16,
    n: usize,
    options: *const qtensor_quantize_options_t,
    counts: *mut qtensor_quantize_counts_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: passed on from the caller; the type is its bits.
    unsafe { quantize(tensor, values.cast::<Bfloat16>(), n, options, counts, error) }
}
