//! Matrix products.

use super::error::qtensor_error_t;
use super::handle::{
    Region, distinct, exclusive, give, options, output, release, shared, slice, slice_mut,
};
use super::panic::{call, quiet};
pub use super::product_options::*;
use super::status::qtensor_status;
use super::tensor::qtensor_t;
use crate::arith::{PackedWeights, ProductMethod, ProductOptions, SumType};
use crate::error::Result;

/// # Safety
/// As for [`options`].
unsafe fn checked(pointer: *const qtensor_product_options_t) -> Result<ProductOptions> {
    // SAFETY: passed on from the caller.
    unsafe { options(pointer, "options") }?.checked()
}

/// A buffer for results, which none of what the product reads shares memory with.
///
/// # Safety
/// As for [`slice_mut`], but that the operands may be in the buffer.
unsafe fn results<'a, T>(
    pointer: *mut T,
    count: usize,
    argument: &'static str,
    operands: &[Region],
) -> Result<&'a mut [T]> {
    for operand in operands {
        distinct(*operand, Region::buffer(pointer, count, argument))?;
    }
    // SAFETY: passed on from the caller; the operands are elsewhere.
    unsafe { slice_mut(pointer, count, argument) }
}

fn floats(values: &[f32], argument: &'static str) -> Region {
    Region::buffer(values.as_ptr(), values.len(), argument)
}

/// The weights of matrix products, laid out for the processor: made once from a tensor, of which it
/// keeps nothing, and used any number of times. It never changes, so all calls may run on one of
/// them from many threads at once.
pub struct qtensor_packed_t(PackedWeights);

/// Makes the weights W of products X * W^T ready.
///
/// `weights` has two dimensions: outputs, and what is summed over. Its precision is 1 to 8, signed or
/// not; it has one scale and bias, or channels along the outputs. `*out` receives the packed weights,
/// to be freed with qtensor_packed_free(). They take as many bits for each code as the
/// tensor's planes, the outputs rounded up to 64 and what is summed over to 32.
///
/// QTENSOR_SHAPE_MISMATCH for another number of dimensions, and where channels do not fit them;
/// QTENSOR_INVALID_ARGUMENT where a dimension is 0, and for channels along the second;
/// QTENSOR_OUT_OF_RANGE for another precision, and for channels along a dimension that is not there;
/// QTENSOR_UNSUPPORTED for a logarithmic tensor; QTENSOR_NON_FINITE where a scale or a bias is;
/// QTENSOR_OVERFLOW where the packed weights would be larger than memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_packed_create(
    weights: *const qtensor_t,
    out: *mut *mut qtensor_packed_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the caller passes pointers that are NULL or valid as documented.
    unsafe {
        call(error, || {
            let weights = shared(weights, "weights")?;
            let out = output(out, "out")?;
            give(qtensor_packed_t(PackedWeights::new(&weights.0)?), out)
        })
    }
}

/// Frees packed weights; NULL does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_packed_free(packed: *mut qtensor_packed_t) {
    // SAFETY: the caller gives up the only pointer to an object of this library, or passes NULL.
    quiet((), || unsafe { release(packed) });
}

/// The number of outputs; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_packed_rows(packed: *const qtensor_packed_t) -> usize {
    // SAFETY: the caller passes NULL or a live handle.
    unsafe { packed.as_ref() }.map_or(0, |packed| quiet(0, || packed.0.rows()))
}

/// The number of products that are summed for each output; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_packed_columns(packed: *const qtensor_packed_t) -> usize {
    // SAFETY: the caller passes NULL or a live handle.
    unsafe { packed.as_ref() }.map_or(0, |packed| quiet(0, || packed.0.columns()))
}

/// The bytes that the packed codes take; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_packed_nbytes(packed: *const qtensor_packed_t) -> usize {
    // SAFETY: the caller passes NULL or a live handle.
    unsafe { packed.as_ref() }.map_or(0, |packed| quiet(0, || packed.0.nbytes()))
}

/// The method that a product of `x` and the packed weights is done by: that of the options, or the best
/// one. `*method` receives a QTENSOR_METHOD constant other than QTENSOR_METHOD_BEST.
///
/// QTENSOR_UNSUPPORTED where that of the options cannot be used with them; else what
/// qtensor_product_sums() refuses in `x` and the options.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_product_method(
    x: *const qtensor_t,
    packed: *const qtensor_packed_t,
    options: *const qtensor_product_options_t,
    method: *mut i32,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the caller passes pointers that are NULL or valid as documented.
    unsafe {
        call(error, || {
            let x = shared(x, "x")?;
            let packed = shared(packed, "packed")?;
            let options = checked(options)?;
            let method = output(method, "method")?;
            method.write(match packed.0.method(&x.0, &options)? {
                ProductMethod::Popcount => QTENSOR_METHOD_POPCOUNT,
                ProductMethod::Ternary => QTENSOR_METHOD_TERNARY,
                ProductMethod::Bytes => QTENSOR_METHOD_BYTES,
                ProductMethod::Planes => QTENSOR_METHOD_PLANES,
            });
            Ok(())
        })
    }
}

/// Multiplies two matrices, X * W^T + added, into floats.
///
/// The last dimension of `x` is the weights' columns, all before it are its M rows. `values`, with
/// room for `n` = M * outputs floats, receives for row m and output k at m * outputs + k: the sum of
/// the products of the values of row m of `x` and row k of the weights, and `added[k]`. `added` points
/// to `added_count` floats, one for each output, or to none.
///
/// The sum of the products of codes is exact. Scales and biases, as in scale * (x + bias), and
/// `added` join it in double precision, and the whole is rounded to a float once; too large a one
/// becomes infinite.
///
/// `options` may be NULL: the best method, on one thread. Threads that the call starts have ended when
/// it returns. `values` must not share memory with `added` or the planes of `x`.
///
/// QTENSOR_SHAPE_MISMATCH where the columns differ, unless n is M * outputs, and unless added_count is
/// 0 or the outputs; QTENSOR_INVALID_ARGUMENT for an `x` without elements, for another method than the
/// constants, and where `values` shares memory with what is read; QTENSOR_OUT_OF_RANGE for an `x`
/// whose precision is not 1 to 8; QTENSOR_UNSUPPORTED for one with channels, for a logarithmic
/// one, for a method that cannot be used with these precisions, and for options of a later version;
/// QTENSOR_BUFFER_TOO_SMALL where a struct_size is smaller than the first version's; QTENSOR_NON_FINITE
/// where the scale or bias of `x` or a value to add is not finite, nor what scales and biases make
/// together: the product of the scales, and that of the biases, or of one and all of the largest codes;
/// QTENSOR_INVALID_ARGUMENT also where two scales other than 0 have a product below 2^-1022;
/// QTENSOR_OVERFLOW where M * outputs is no length. Nothing is written then, nor where memory runs out.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_product(
    x: *const qtensor_t,
    packed: *const qtensor_packed_t,
    added: *const f32,
    added_count: usize,
    values: *mut f32,
    n: usize,
    options: *const qtensor_product_options_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the caller passes pointers that are NULL or valid as documented.
    unsafe {
        call(error, || {
            let x = shared(x, "x")?;
            let packed = shared(packed, "packed")?;
            let added = slice(added, added_count, "added")?;
            let read = [Region::planes(&x.0, "x"), floats(added, "added")];
            let values = results(values, n, "values", &read)?;
            packed.0.product(&x.0, added, values, &checked(options)?)
        })
    }
}

/// The integers inside such a product: `sums[m * outputs + k]` is the sum of the products of the
/// codes of row m of `x` and row k of the weights. Exact. Scales, biases and channels of `x` do not
/// matter. `sums` must not share memory with the planes of `x`.
///
/// QTENSOR_OVERFLOW where some codes of these precisions have sums beyond 64 bits, be they these or
/// others; else what qtensor_product() refuses, parameters and channels aside.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_product_sums(
    x: *const qtensor_t,
    packed: *const qtensor_packed_t,
    sums: *mut i64,
    n: usize,
    options: *const qtensor_product_options_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: passed on from the caller.
    unsafe { product_sums(x, packed, sums, n, options, error) }
}

/// The same in 32 bits, which is faster.
///
/// QTENSOR_OVERFLOW where some codes of these precisions have sums beyond 32 bits, be they these or
/// others: where (2^precision - 1) of both sides and the weights' columns multiply to 2^31 or more; else
/// what qtensor_product_sums() refuses.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_product_sums_i32(
    x: *const qtensor_t,
    packed: *const qtensor_packed_t,
    sums: *mut i32,
    n: usize,
    options: *const qtensor_product_options_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: passed on from the caller.
    unsafe { product_sums(x, packed, sums, n, options, error) }
}

/// # Safety
/// The pointers are NULL or valid as their types say.
unsafe fn product_sums<S: SumType>(
    x: *const qtensor_t,
    packed: *const qtensor_packed_t,
    sums: *mut S,
    n: usize,
    options: *const qtensor_product_options_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: passed on from the caller.
    unsafe {
        call(error, || {
            let x = shared(x, "x")?;
            let packed = shared(packed, "packed")?;
            let sums = results(sums, n, "sums", &[Region::planes(&x.0, "x")])?;
            packed.0.product_sums(&x.0, sums, &checked(options)?)
        })
    }
}

/// Multiplies two matrices into codes: those of the values that qtensor_product() gives, not rounded to
/// floats, by the precision, sign, scale and bias of `out`, or its channels along the last dimension.
///
/// `out` has any dimensions of M * outputs elements together, the last of which is the outputs. A code
/// is value / scale - bias, rounded to the nearest integer, the even one of two as near, and clamped to
/// the codes that there are: an `out` without a sign, of a positive scale
/// and with a bias of 0 so is a ReLU. All that is not
/// an integer is put together in double precision, with one factor for each output: before it is
/// clamped, a code is at most 1/2 and 2^-45 of the largest magnitude that went into it from the exact
/// quotient. Padding bits become 0.
///
/// With the rounding QTENSOR_FIXED_DNNLOWP it is dnnlowp's, (a * q + 2^(s - 1)) >> s and the zero point,
/// with q and s as that constant says. Here a is the exact sum of the products of codes less their zero
/// points, and of `added` in units of both scales, rounded to a 32-bit integer as fbgemm's Quantize
/// does, in single precision. A code is off by at most 1/2 and 2^-21 of its distance from the zero point,
/// besides what that rounding of `added` brings.
///
/// QTENSOR_SHAPE_MISMATCH too where `out` has other dimensions; QTENSOR_OUT_OF_RANGE where its
/// precision is not 1 to 16; QTENSOR_UNSUPPORTED where it is logarithmic or has channels along another
/// dimension; QTENSOR_INVALID_ARGUMENT where its scale is 0, and where it is `x` or its planes share
/// memory with those of `x` or with `added`; QTENSOR_NON_FINITE where its scale or bias is, and where its
/// scale is too small to divide by; else what qtensor_product() refuses. With
/// dnnlowp's rounding QTENSOR_UNSUPPORTED too for biases that are not minus 32-bit integers, for scales
/// that are not positive and normal in single precision, nor the product of the first two, for their
/// quotient outside of 2^-33 to 2^30, and for a value to add beyond 32 bits in those units;
/// QTENSOR_OVERFLOW where its sums could be beyond 64 bits. `out` is as it was then, also where memory
/// runs out.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_product_codes(
    x: *const qtensor_t,
    packed: *const qtensor_packed_t,
    added: *const f32,
    added_count: usize,
    out: *mut qtensor_t,
    options: *const qtensor_product_options_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the caller passes pointers that are NULL or valid as documented.
    unsafe {
        call(error, || {
            let x = shared(x, "x")?;
            let packed = shared(packed, "packed")?;
            let added = slice(added, added_count, "added")?;
            distinct(Region::object(x, "x"), Region::object(out, "out"))?;
            let out = &mut exclusive(out, "out")?.0;
            for operand in [Region::planes(&x.0, "x"), floats(added, "added")] {
                distinct(operand, Region::planes(out, "out"))?;
            }
            packed.0.product_codes(&x.0, added, out, &checked(options)?)
        })
    }
}

/// qtensor_product() of floats, which are quantized on the way, to the nearest code.
///
/// `x` points to `x_count` floats, whole rows of the weights' columns. `format` says what codes they
/// become, and may be NULL: unsigned ones of 8 bits that cover the values of this call. `values` must
/// not share memory with `x` or `added`.
///
/// QTENSOR_SHAPE_MISMATCH where x_count is no multiple of the columns; QTENSOR_INVALID_ARGUMENT where
/// it is 0, for a scale that is not positive, finite and normal, and for a member of the format that is
/// none of its constants; QTENSOR_OUT_OF_RANGE for a precision that is not 1 to 8; QTENSOR_NON_FINITE
/// where a value of `x` or the bias is; else what qtensor_product() refuses. Nothing is written then,
/// nor where memory runs out.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_product_floats(
    x: *const f32,
    x_count: usize,
    format: *const qtensor_input_format_t,
    packed: *const qtensor_packed_t,
    added: *const f32,
    added_count: usize,
    values: *mut f32,
    n: usize,
    options: *const qtensor_product_options_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the caller passes pointers that are NULL or valid as documented.
    unsafe {
        call(error, || {
            let x = slice(x, x_count, "x")?;
            let packed = shared(packed, "packed")?;
            let added = slice(added, added_count, "added")?;
            let read = [floats(x, "x"), floats(added, "added")];
            let values = results(values, n, "values", &read)?;
            let format = self::options(format, "format")?.checked()?;
            packed.0.product_floats(x, &format, added, values, &checked(options)?)
        })
    }
}
