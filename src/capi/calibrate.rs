//! Scale and bias for values: the best ones, those of a range, and those that Caffe2 chose.

use super::choose::qtensor_chosen_t;
use super::error::qtensor_error_t;
use super::handle::{Extensible, Options, capacity_of, fill, give, options, output, shared, slice};
use super::observer::qtensor_observer_t;
use super::panic::call;
use super::status::qtensor_status;
use super::tensor::qtensor_t;
use crate::calibrate::{
    Caffe2Method, Caffe2Options, Choice, Method, Target, Zero, choose_caffe2, choose_exact,
};
use crate::error::{Error, Result};
use crate::tensor::QTensor;

/// The smallest mean squared error.
pub const QTENSOR_METHOD_MSE: i32 = 0;
/// The smallest mean absolute error.
pub const QTENSOR_METHOD_MAE: i32 = 1;
/// The range from the smallest to the largest value.
pub const QTENSOR_METHOD_MIN_MAX: i32 = 2;
/// The range from minus the largest magnitude to it.
pub const QTENSOR_METHOD_MAX_ABS: i32 = 3;
/// The range of a moving average.
pub const QTENSOR_METHOD_MOVING_AVERAGE: i32 = 4;
/// The range between the quantiles `low` and `high`, from 0 to 1.
pub const QTENSOR_METHOD_PERCENTILE: i32 = 5;
/// The range from `low` to `high`, whose scale must be from 1e-200 to 1e200.
pub const QTENSOR_METHOD_FIXED: i32 = 6;

/// Any bias. The error is smallest so.
pub const QTENSOR_ZERO_FREE: i32 = 0;
/// A bias that is a whole number: minus a zero point, which need not be a code.
pub const QTENSOR_ZERO_INTEGER: i32 = 1;
/// A bias that is minus a code, which then stands for 0 exactly. Int8 tensors need that.
pub const QTENSOR_ZERO_EXACT: i32 = 2;

/// How parameters are chosen, and for which codes. Set precision; all else may be 0.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct qtensor_calibrate_options_t {
    /// The caller's sizeof(qtensor_calibrate_options_t).
    pub struct_size: usize,
    /// The lower quantile, or the lower end of a fixed range; otherwise not looked at.
    pub low: f64,
    /// The upper one.
    pub high: f64,
    /// A QTENSOR_METHOD_ constant.
    pub method: i32,
    /// Magnitude bits of a code: 1 to 8, or to 16 where the method only looks at a range.
    pub precision: i32,
    /// Not 0: codes have a sign and go from -(2^precision - 1) to 2^precision - 1; else from 0.
    pub is_signed: i32,
    /// A QTENSOR_ZERO_ constant.
    pub zero: i32,
    /// Not 0: the codes' values lie around 0 evenly. The bias is then 0 for signed codes; else
    /// -2^(precision - 1), or with QTENSOR_ZERO_FREE -(2^precision - 1) / 2.
    pub symmetric: i32,
    /// Not 0: the scale is a power of two.
    pub power_of_two: i32,
    /// Not 0: the lowest and the highest code are halved, toward 0.
    pub reduced: i32,
    /// Must be 0; a later version may give it a meaning.
    pub reserved: i32,
}

// SAFETY: repr(C), the size first, then members of 64 bits and an even number of 32 bits.
unsafe impl Extensible for qtensor_calibrate_options_t {
    const FIRST_SIZE: usize = size_of::<qtensor_calibrate_options_t>();
}
const _: () = assert!(usize::BITS != 64 || size_of::<qtensor_calibrate_options_t>() == 56);

// SAFETY: integers and floats only.
unsafe impl Options for qtensor_calibrate_options_t {}

impl Default for qtensor_calibrate_options_t {
    fn default() -> Self {
        qtensor_calibrate_options_t {
            struct_size: size_of::<Self>(),
            low: 0.0,
            high: 0.0,
            method: QTENSOR_METHOD_MSE,
            precision: i32::from(Target::default().precision),
            is_signed: 0,
            zero: QTENSOR_ZERO_FREE,
            symmetric: 0,
            power_of_two: 0,
            reduced: 0,
            reserved: 0,
        }
    }
}

fn refused(what: &'static str, value: i32, rule: &'static str) -> Error {
    Error::InvalidArgument { what, value: i128::from(value), rule }
}

/// Bits of a code, of which the library says itself whether they are too many.
fn precision(bits: i32) -> Result<u8> {
    let out_of_range = Error::OutOfRange {
        what: "precision to choose parameters for",
        value: i128::from(bits),
        min: 1,
        max: 16,
    };
    u8::try_from(bits).map_err(|_| out_of_range)
}

impl qtensor_calibrate_options_t {
    fn checked(&self) -> Result<(Method, Target)> {
        if self.reserved != 0 {
            return Err(refused("reserved member of the options", self.reserved, "0"));
        }
        let method = match self.method {
            QTENSOR_METHOD_MSE => Method::Mse,
            QTENSOR_METHOD_MAE => Method::Mae,
            QTENSOR_METHOD_MIN_MAX => Method::MinMax,
            QTENSOR_METHOD_MAX_ABS => Method::MaxAbs,
            QTENSOR_METHOD_MOVING_AVERAGE => Method::MovingAverage,
            QTENSOR_METHOD_PERCENTILE => Method::Percentile(self.low, self.high),
            QTENSOR_METHOD_FIXED => Method::Fixed(self.low, self.high),
            other => return Err(refused("method", other, "a QTENSOR_METHOD_ constant, 0 to 6")),
        };
        let target = Target {
            precision: precision(self.precision)?,
            signed: self.is_signed != 0,
            zero: match self.zero {
                QTENSOR_ZERO_FREE => Zero::Free,
                QTENSOR_ZERO_INTEGER => Zero::Integer,
                QTENSOR_ZERO_EXACT => Zero::Exact,
                other => return Err(refused("zero", other, "a QTENSOR_ZERO_ constant, 0 to 2")),
            },
            symmetric: self.symmetric != 0,
            power_of_two: self.power_of_two != 0,
            reduced: self.reduced != 0,
        };
        Ok((method, target))
    }
}

/// Chosen parameters and what the codes are predicted to be like: exact up to the positions of values
/// inside a bin, and NaN where the observer has no histogram to predict it from, or no value.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct qtensor_choice_t {
    /// Before the call the caller's sizeof(qtensor_choice_t), after it the bytes that were filled.
    pub struct_size: usize,
    /// The distance between the values of two neighboring codes: positive, finite and normal.
    pub scale: f64,
    /// What is added to a code before it is scaled.
    pub bias: f64,
    /// The mean squared error.
    pub mse: f64,
    /// The mean absolute error.
    pub mae: f64,
    /// The signal-to-noise ratio in decibels; infinite without an error, and minus infinity where all
    /// values are 0 and have an error, because no code stands for 0.
    pub sqnr: f64,
    /// The share of values, from 0 to 1, that are below the lowest code by more than half a step.
    pub clipped_low: f64,
    /// The share that is above the highest code by more than half a step.
    pub clipped_high: f64,
    /// Minus the bias, where that is a whole number of 32 bits; else 0.
    pub zero_point: i32,
    /// Whether it is: 1 or 0.
    pub has_zero_point: i32,
}

// SAFETY: repr(C), the size first, then members of 64 bits and an even number of 32 bits.
unsafe impl Extensible for qtensor_choice_t {
    const FIRST_SIZE: usize = size_of::<qtensor_choice_t>();
}
const _: () = assert!(usize::BITS != 64 || size_of::<qtensor_choice_t>() == 72);

impl From<Choice> for qtensor_choice_t {
    fn from(choice: Choice) -> Self {
        qtensor_choice_t {
            struct_size: size_of::<Self>(),
            scale: choice.scale,
            bias: choice.bias,
            mse: choice.mse,
            mae: choice.mae,
            sqnr: choice.sqnr,
            clipped_low: choice.clipped_low,
            clipped_high: choice.clipped_high,
            zero_point: choice.zero_point.unwrap_or(0),
            has_zero_point: i32::from(choice.zero_point.is_some()),
        }
    }
}

/// Chooses parameters for the codes of a channel's values; without channels it is channel 0. Takes
/// one to two milliseconds for an error to be smallest, and less for a range. `options` may be NULL:
/// the smallest mean squared error of unsigned codes of 8 bits. The caller has set out->struct_size
/// to sizeof(qtensor_choice_t).
///
/// Values that are all equal get parameters by which a code stands for just that value, where the
/// options allow it.
///
/// QTENSOR_OUT_OF_RANGE for a channel that is not there, and for a precision of 0, above 8 where an
/// error is to be small, or above 16; QTENSOR_INVALID_ARGUMENT for an option that is none of its
/// constants, for quantiles or a range that are none, and where no finite value was seen, unless the
/// range is fixed; QTENSOR_UNSUPPORTED for a method that the observer's kind cannot serve and for
/// options of a later version; QTENSOR_NON_FINITE for a range that is not finite;
/// QTENSOR_BUFFER_TOO_SMALL where a struct_size is smaller than the first version's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_observer_choose(
    observer: *const qtensor_observer_t,
    channel: usize,
    options: *const qtensor_calibrate_options_t,
    out: *mut qtensor_choice_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the crate's Safety section.
    unsafe {
        call(error, || {
            let observer = shared(observer, "observer")?;
            capacity_of(out, "out")?;
            let (method, target) = self::options(options, "options")?.checked()?;
            fill(observer.0.choose(channel, method, &target)?.into(), out, "out")
        })
    }
}

/// Chooses parameters for the codes of `n` values by the values themselves, which are copied and
/// sorted: 12 bytes a value. What an observer chooses is measured against this.
///
/// As qtensor_observer_choose(), and QTENSOR_NON_FINITE for a value that is NaN or infinite.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_params_choose_exact(
    values: *const f32,
    n: usize,
    options: *const qtensor_calibrate_options_t,
    out: *mut qtensor_choice_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the crate's Safety section.
    unsafe {
        call(error, || {
            let values = slice(values, n, "values")?;
            capacity_of(out, "out")?;
            let (method, target) = self::options(options, "options")?.checked()?;
            fill(choose_exact(values, method, &target)?.into(), out, "out")
        })
    }
}

/// Quantizes `n` values as well as possible: makes a tensor with `ndim` dimensions, parameters chosen
/// for the values, and their codes. It is to be freed with qtensor_free().
///
/// With an `axis` of 0 or more each index along that dimension gets a scale and a bias of its own;
/// with -1 there is one for all. `options` may be NULL, as for qtensor_observer_choose(). No values
/// give an empty tensor.
///
/// What qtensor_create_with() and qtensor_observer_choose() refuse; QTENSOR_SHAPE_MISMATCH unless the
/// dimensions hold n values; QTENSOR_OUT_OF_RANGE for an axis that is not there; QTENSOR_NON_FINITE
/// for a value that is NaN or infinite; QTENSOR_UNSUPPORTED for QTENSOR_METHOD_MOVING_AVERAGE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_quantize_best(
    values: *const f32,
    n: usize,
    dims: *const i64,
    ndim: usize,
    axis: i32,
    options: *const qtensor_calibrate_options_t,
    out: *mut *mut qtensor_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the crate's Safety section.
    unsafe {
        call(error, || {
            let (values, dims) = (slice(values, n, "values")?, slice(dims, ndim, "dims")?);
            let out = output(out, "out")?;
            let (method, target) = self::options(options, "options")?.checked()?;
            let axis = match (axis, usize::try_from(axis)) {
                (-1, _) => None,
                (_, Ok(axis)) => Some(axis),
                (_, Err(_)) => {
                    return Err(Error::OutOfRange {
                        what: "channel axis",
                        value: i128::from(axis),
                        min: -1,
                        max: i128::try_from(ndim).unwrap_or(i128::MAX).saturating_sub(1),
                    });
                }
            };
            give(qtensor_t(QTensor::quantize_best(values, dims, axis, method, &target)?), out)
        })
    }
}

/// From the smallest to the largest value.
pub const QTENSOR_CAFFE2_MIN_MAX: i32 = 0;
/// The window of a histogram's bins with the smallest sum of absolute errors.
pub const QTENSOR_CAFFE2_L1: i32 = 1;
/// The window with the smallest sum of squared errors.
pub const QTENSOR_CAFFE2_L2: i32 = 2;
/// Cuts off values for as long as the sum of squared errors falls; with preserve_sparsity it is
/// QTENSOR_CAFFE2_L2.
pub const QTENSOR_CAFFE2_L2_APPROX: i32 = 3;
/// The window with the smallest Kullback-Leibler divergence, for codes of 8 bits whatever the
/// precision, as there.
pub const QTENSOR_CAFFE2_KL: i32 = 4;
/// The range that holds a share of the values.
pub const QTENSOR_CAFFE2_P99: i32 = 5;

/// What qtensor_params_choose_caffe2() is asked for. Set precision; all else may be 0.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct qtensor_caffe2_options_t {
    /// The caller's sizeof(qtensor_caffe2_options_t).
    pub struct_size: usize,
    /// The share of QTENSOR_CAFFE2_P99, above 0.5 and below 1; 0 for Caffe2's default of 0.99.
    pub threshold: f64,
    /// A QTENSOR_CAFFE2_ constant.
    pub method: i32,
    /// Bits of a code: 1 to 8.
    pub precision: i32,
    /// Not 0: a range with values on both sides of 0 is widened so that 0 falls on the code in the
    /// middle.
    pub preserve_sparsity: i32,
    /// Not 0: the scale is rounded up to a power of two.
    pub force_scale_power_of_two: i32,
}

// SAFETY: repr(C), the size first, then a member of 64 bits and an even number of 32 bits.
unsafe impl Extensible for qtensor_caffe2_options_t {
    const FIRST_SIZE: usize = size_of::<qtensor_caffe2_options_t>();
}
const _: () = assert!(usize::BITS != 64 || size_of::<qtensor_caffe2_options_t>() == 32);

// SAFETY: integers and a float only.
unsafe impl Options for qtensor_caffe2_options_t {}

impl Default for qtensor_caffe2_options_t {
    fn default() -> Self {
        qtensor_caffe2_options_t {
            struct_size: size_of::<Self>(),
            threshold: 0.0,
            method: QTENSOR_CAFFE2_MIN_MAX,
            precision: i32::from(Caffe2Options::default().precision),
            preserve_sparsity: 0,
            force_scale_power_of_two: 0,
        }
    }
}

impl qtensor_caffe2_options_t {
    fn checked(&self) -> Result<Caffe2Options> {
        #[allow(clippy::cast_possible_truncation, reason = "Caffe2 keeps it as a float")]
        let threshold = if self.threshold == 0.0 { 0.99 } else { self.threshold as f32 };
        Ok(Caffe2Options {
            method: match self.method {
                QTENSOR_CAFFE2_MIN_MAX => Caffe2Method::MinMax,
                QTENSOR_CAFFE2_L1 => Caffe2Method::L1,
                QTENSOR_CAFFE2_L2 => Caffe2Method::L2,
                QTENSOR_CAFFE2_L2_APPROX => Caffe2Method::L2Approx,
                QTENSOR_CAFFE2_KL => Caffe2Method::Kl,
                QTENSOR_CAFFE2_P99 => Caffe2Method::P99(threshold),
                other => {
                    return Err(refused("method", other, "a QTENSOR_CAFFE2_ constant, 0 to 5"));
                }
            },
            precision: precision(self.precision)?,
            preserve_sparsity: self.preserve_sparsity != 0,
            force_scale_power_of_two: self.force_scale_power_of_two != 0,
        })
    }
}

/// The scale and zero point that Caffe2's dnnlowp chose for `n` values, bit for bit; where all values
/// are equal, on which Caffe2 ended in a crash, those of QTENSOR_CAFFE2_MIN_MAX. `options` may be
/// NULL. The caller has set out->struct_size to sizeof(qtensor_chosen_t).
///
/// At 8 bits QTENSOR_CAFFE2_L2 takes some 0.1 to 1 s, QTENSOR_CAFFE2_L1 and _KL up to a few seconds. Where
/// a bin, a 2048th of the range, is narrower than 1e-10 or wider than 1e6, for L1 than 1e-16 or 1e14, every
/// window is tried, as in the original: seconds for L2, a minute and more for L1.
///
/// QTENSOR_NON_FINITE for a value that is NaN or infinite and for a range beyond single precision;
/// QTENSOR_OUT_OF_RANGE for a precision that is not 1 to 8 and where there are only two codes to
/// preserve sparsity with; QTENSOR_INVALID_ARGUMENT for a method that is none of the constants and a
/// threshold that is not above 0.5 and below 1; QTENSOR_OVERFLOW where the values lie so far from 0
/// that more than 32,768 bins would lead there; QTENSOR_UNSUPPORTED for options of a later version;
/// QTENSOR_BUFFER_TOO_SMALL where a struct_size is smaller than the first version's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_params_choose_caffe2(
    values: *const f32,
    n: usize,
    options: *const qtensor_caffe2_options_t,
    out: *mut qtensor_chosen_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the crate's Safety section.
    unsafe {
        call(error, || {
            let values = slice(values, n, "values")?;
            capacity_of(out, "out")?;
            let options = self::options(options, "options")?.checked()?;
            fill(choose_caffe2(values, &options)?.into(), out, "out")
        })
    }
}
