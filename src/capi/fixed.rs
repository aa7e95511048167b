//! Fixed-point arithmetic: from codes to codes.

use super::error::qtensor_error_t;
use super::handle::{
    Extensible, Options, Region, distinct, exclusive, options, output, shared, slice_mut,
};
use super::panic::call;
use super::status::qtensor_status;
use super::tensor::qtensor_t;
use crate::arith::{FixedOptions, FixedRounding};
use crate::error::{Error, Result};
use crate::tensor::QTensor;

/// To the nearest code; from the middle between two to the even one. Scales and biases are taken as
/// the doubles that they are.
pub const QTENSOR_FIXED_NEAREST: i32 = 0;
/// Bit for bit as dnnlowp: (a * q + 2^(s - 1)) >> s, and the zero point of the result. Here a is the
/// code less its zero point, or the product of two such; q / 2^s is the quotient of the scales, rounded
/// to single precision as these are, with q normalized to 31 bits. The middle between two codes goes
/// to the upper one. Biases are minus zero points.
pub const QTENSOR_FIXED_DNNLOWP: i32 = 1;

/// How fixed-point operations work. The default is 0 for everything.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct qtensor_fixed_options_t {
    /// The caller's sizeof(qtensor_fixed_options_t).
    pub struct_size: usize,
    /// A QTENSOR_FIXED_ constant: how a position between two codes becomes one of them.
    pub rounding: i32,
    /// On how many threads to work; 0 is 1. The codes are the same for any number. Small tensors get
    /// fewer.
    pub threads: u32,
}

// SAFETY: repr(C), the size first, then an even number of 32-bit members.
unsafe impl Extensible for qtensor_fixed_options_t {
    const FIRST_SIZE: usize = size_of::<qtensor_fixed_options_t>();
}
const _: () = assert!(usize::BITS != 64 || size_of::<qtensor_fixed_options_t>() == 16);

// SAFETY: integers only.
unsafe impl Options for qtensor_fixed_options_t {}

impl Default for qtensor_fixed_options_t {
    fn default() -> Self {
        qtensor_fixed_options_t {
            struct_size: size_of::<Self>(),
            rounding: QTENSOR_FIXED_NEAREST,
            threads: 0,
        }
    }
}

impl qtensor_fixed_options_t {
    fn checked(&self) -> Result<FixedOptions> {
        let threads = usize::try_from(self.threads).unwrap_or(usize::MAX);
        Ok(FixedOptions { rounding: fixed_rounding(self.rounding)?, threads })
    }
}

/// What a QTENSOR_FIXED_ constant stands for.
pub(super) fn fixed_rounding(constant: i32) -> Result<FixedRounding> {
    match constant {
        QTENSOR_FIXED_NEAREST => Ok(FixedRounding::Nearest),
        QTENSOR_FIXED_DNNLOWP => Ok(FixedRounding::Dnnlowp),
        other => Err(Error::InvalidArgument {
            what: "rounding",
            value: i128::from(other),
            rule: "a QTENSOR_FIXED_ constant, 0 or 1",
        }),
    }
}

/// The tensor that is written; refused where it is one of the operands or shares planes with one.
///
/// # Safety
/// `out` is NULL or points to a live object that nobody but these operands uses.
unsafe fn result<'a>(
    out: *mut qtensor_t,
    operands: &[(&qtensor_t, &'static str)],
) -> Result<&'a mut QTensor> {
    for (operand, argument) in operands {
        distinct(Region::object(*operand, argument), Region::object(out, "out"))?;
    }
    // SAFETY: passed on from the caller; none of the operands is this object.
    let out = unsafe { &mut exclusive(out, "out")?.0 };
    for (operand, argument) in operands {
        distinct(Region::planes(&operand.0, argument), Region::planes(out, "out"))?;
    }
    Ok(out)
}

/// An operation on one tensor.
///
/// # Safety
/// The pointers are NULL or valid as their types say.
unsafe fn single(
    x: *const qtensor_t,
    out: *mut qtensor_t,
    options: *const qtensor_fixed_options_t,
    error: *mut *mut qtensor_error_t,
    run: impl FnOnce(&mut QTensor, &QTensor, &FixedOptions) -> Result<()>,
) -> qtensor_status {
    // SAFETY: passed on from the caller.
    unsafe {
        call(error, || {
            let x = shared(x, "x")?;
            let out = result(out, &[(x, "x")])?;
            run(out, &x.0, &self::options(options, "options")?.checked()?)
        })
    }
}

/// An operation on two tensors.
///
/// # Safety
/// The pointers are NULL or valid as their types say.
unsafe fn pair(
    a: *const qtensor_t,
    b: *const qtensor_t,
    out: *mut qtensor_t,
    options: *const qtensor_fixed_options_t,
    error: *mut *mut qtensor_error_t,
    run: impl FnOnce(&mut QTensor, (&QTensor, &QTensor), &FixedOptions) -> Result<()>,
) -> qtensor_status {
    // SAFETY: passed on from the caller.
    unsafe {
        call(error, || {
            let (a, b) = (shared(a, "a")?, shared(b, "b")?);
            let out = result(out, &[(a, "a"), (b, "b")])?;
            run(out, (&a.0, &b.0), &self::options(options, "options")?.checked()?)
        })
    }
}

/// Turns the codes of `x` into those of `out` for the same values, in integers.
///
/// The caller has made `out` with the dimensions of `x` and any precision, sign, scale and bias, or
/// channels; the call writes all of its codes. Precisions are 1 to 16. Scales may be negative, and
/// biases need not be integers; both tensors may have channels, along the same dimension. Padding bits
/// stay as they are, and so does `out` where the call is refused or memory runs out.
///
/// Error bound: the exact position of the value v of a code among those of `out` is
/// v / scale - bias, with the scale and bias of `out`. The code written is that position, rounded and
/// clamped to the codes that there are: it differs from the clamped position by at most 1/2 + 2^-45,
/// and with QTENSOR_FIXED_DNNLOWP by at most 1/2 + 2^-21 * |v / scale|. It is the same on every
/// machine and for any number of threads.
///
/// `options` may be NULL: QTENSOR_FIXED_NEAREST, one thread. `out` must not be `x`, and its planes
/// must not overlap those of `x`; nobody else uses it during the call. Threads that the call starts
/// have ended when it returns.
///
/// QTENSOR_INVALID_ARGUMENT where `out` and `x` are one tensor or share planes, for a scale of 0, and
/// for another rounding; QTENSOR_SHAPE_MISMATCH for different dimensions, and where channels do not
/// fit them; QTENSOR_OUT_OF_RANGE for another precision; QTENSOR_NON_FINITE for a scale or bias that
/// is; QTENSOR_UNSUPPORTED for a logarithmic tensor, for channels along different dimensions, for
/// options of a later version, and with QTENSOR_FIXED_DNNLOWP for a bias that is not minus a 32-bit
/// integer, a scale that is no normal number in single precision, and a quotient of the scales that is
/// not from 2^-33 to below 2^30; QTENSOR_OVERFLOW where the quotient of the scales is 2^40 or more or
/// a bias in steps of the result 2^60 or more, and with QTENSOR_FIXED_DNNLOWP where a code with its
/// bias would be beyond 32 bits; QTENSOR_BUFFER_TOO_SMALL for a struct_size below that of the first
/// version.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_requantize(
    x: *const qtensor_t,
    out: *mut qtensor_t,
    options: *const qtensor_fixed_options_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the caller passes pointers that are NULL or valid as documented.
    unsafe { single(x, out, options, error, |out, x, options| out.requantize(x, options)) }
}

/// Like qtensor_requantize(), for the values of `x` or 0, whichever is larger.
///
/// Codes stand for 0 at least, or for the nearest value to it where the bias of `out` is not an
/// integer (from the middle to the even code). The error bound is that of qtensor_requantize(), and so
/// are the refusals.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_relu(
    x: *const qtensor_t,
    out: *mut qtensor_t,
    options: *const qtensor_fixed_options_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the caller passes pointers that are NULL or valid as documented.
    unsafe { single(x, out, options, error, |out, x, options| out.relu(x, options)) }
}

/// Like qtensor_requantize(), for the values of `x` where they are from `low` to `high`, and for the
/// nearer of these two elsewhere.
///
/// `low` and `high` are values. Each becomes a code of `out` once, the nearest (from the middle to the
/// even one), and results are between these codes. Either may be infinite. The error bound is that of
/// qtensor_requantize(), and so are the refusals; also QTENSOR_INVALID_ARGUMENT where a limit is NaN
/// and where `low` is above `high`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_clamp(
    x: *const qtensor_t,
    low: f64,
    high: f64,
    out: *mut qtensor_t,
    options: *const qtensor_fixed_options_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the caller passes pointers that are NULL or valid as documented.
    unsafe { single(x, out, options, error, |out, x, options| out.clamp(x, low, high, options)) }
}

/// Makes the codes of `out` those of the sums of the values of `a` and `b`, element by element, in
/// integers.
///
/// What qtensor_requantize() says of `x` goes for `a` and `b`, which may be one tensor; all three have
/// the same dimensions. The sum is rounded once: a code differs from the exact position, clamped, by
/// at most 1/2 + 2^-45. What qtensor_requantize() refuses for either; also QTENSOR_UNSUPPORTED for
/// QTENSOR_FIXED_DNNLOWP, whose sums have no formula of their own.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_add(
    a: *const qtensor_t,
    b: *const qtensor_t,
    out: *mut qtensor_t,
    options: *const qtensor_fixed_options_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the caller passes pointers that are NULL or valid as documented.
    unsafe { pair(a, b, out, options, error, |out, (a, b), options| out.add(a, b, options)) }
}

/// Makes the codes of `out` those of the products of the values of `a` and `b`, element by element, in
/// integers.
///
/// What qtensor_requantize() says of `x` goes for `a` and `b`, which may be one tensor; all three have
/// the same dimensions. The product is rounded once: a code differs from the exact position, clamped,
/// by at most 1/2 + 2^-30, and with QTENSOR_FIXED_DNNLOWP, v being the product, by at most
/// 1/2 + 2^-21 * |v / scale|.
///
/// What qtensor_requantize() refuses for either, the quotient being that of the product of the scales
/// of `a` and `b` by the scale of `out`; QTENSOR_OVERFLOW also where that is 2^28 or more, where that
/// times a bias is 2^44 or more, and with QTENSOR_FIXED_DNNLOWP where the product of two codes with
/// their biases could be beyond 32 bits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_multiply(
    a: *const qtensor_t,
    b: *const qtensor_t,
    out: *mut qtensor_t,
    options: *const qtensor_fixed_options_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the caller passes pointers that are NULL or valid as documented.
    unsafe { pair(a, b, out, options, error, |out, (a, b), options| out.multiply(a, b, options)) }
}

/// The sum of the products of the values of two tensors, element by element.
///
/// Both have the same dimensions, precisions from 1 to 16, and channels along the same dimension or
/// none; they may be one tensor. With scales s and t and biases b and c the value is
/// s t (sum x y + c sum x + b sum y + n b c), summed over the channels. The sums are exact integers,
/// and what joins them is kept at 106 bits. Error bound: 2^-51 of the result and, for each channel,
/// 2^-100 of the sum of the magnitudes of these terms, where the result is not below the normal doubles.
///
/// QTENSOR_SHAPE_MISMATCH for different dimensions, and where channels do not fit them;
/// QTENSOR_INVALID_ARGUMENT for tensors without elements, for a scale of 0, and where `out` is in the
/// planes of one of them; QTENSOR_OUT_OF_RANGE for another precision; QTENSOR_NON_FINITE for a scale
/// or bias that is, and where the value would be beyond a double; QTENSOR_UNSUPPORTED for a logarithmic
/// tensor and for channels along different dimensions; QTENSOR_OVERFLOW where a sum could be beyond 64
/// bits, and for a bias of 2^60 or more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_dot(
    a: *const qtensor_t,
    b: *const qtensor_t,
    out: *mut f64,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the caller passes pointers that are NULL or valid as documented.
    unsafe { dot(a, b, out, error, QTensor::dot) }
}

/// The sum of the products of the codes of two tensors, element by element: exact, without scales and
/// biases.
///
/// What qtensor_dot() refuses, but for channels along different dimensions and what concerns the value.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_dot_codes(
    a: *const qtensor_t,
    b: *const qtensor_t,
    out: *mut i64,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the caller passes pointers that are NULL or valid as documented.
    unsafe { dot(a, b, out, error, QTensor::dot_codes) }
}

/// # Safety
/// The pointers are NULL or valid as their types say.
unsafe fn dot<T>(
    a: *const qtensor_t,
    b: *const qtensor_t,
    out: *mut T,
    error: *mut *mut qtensor_error_t,
    run: impl FnOnce(&QTensor, &QTensor) -> Result<T>,
) -> qtensor_status {
    // SAFETY: passed on from the caller.
    unsafe {
        call(error, || {
            let (a, b) = (&shared(a, "a")?.0, &shared(b, "b")?.0);
            let out = output(out, "out")?;
            for (tensor, argument) in [(a, "a"), (b, "b")] {
                let written = Region::object(out.as_ptr(), "out");
                distinct(Region::planes(tensor, argument), written)?;
            }
            out.write(run(a, b)?);
            Ok(())
        })
    }
}

/// Finds the largest value of each row of a tensor: `indices[m]` receives the index, within row m, of
/// the first element that has it.
///
/// A row is all elements along the last dimension; all dimensions before it count the `n` rows. Values
/// are compared exactly, by their codes; where the last dimension is that of the channels, they are
/// those of qtensor_dequantize_f64(). Of a negative scale the lowest code has the largest value.
///
/// QTENSOR_SHAPE_MISMATCH unless n is the number of rows, and where channels do not fit the dimensions;
/// QTENSOR_INVALID_ARGUMENT for a tensor without elements, for a scale of 0, and where `indices`
/// overlaps the planes; QTENSOR_OUT_OF_RANGE for a precision that is not 1 to 16; QTENSOR_NON_FINITE
/// for a scale or bias that is; QTENSOR_UNSUPPORTED for a logarithmic tensor.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_argmax(
    x: *const qtensor_t,
    indices: *mut i64,
    n: usize,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the caller passes pointers that are NULL or valid as documented.
    unsafe {
        call(error, || {
            let x = &shared(x, "x")?.0;
            distinct(Region::planes(x, "x"), Region::buffer(indices, n, "indices"))?;
            x.argmax(slice_mut(indices, n, "indices")?)
        })
    }
}
