//! Matrix products.

use super::error::qtensor_error_t;
use super::handle::{give, output, release, shared, slice, slice_mut};
use super::panic::{call, quiet};
use super::status::qtensor_status;
use super::tensor::qtensor_t;
use crate::arith::PackedWeights;

/// The weights of matrix products, laid out for the processor: made once from a tensor, of which it
/// keeps nothing, and used any number of times. It never changes, so all calls may run on one of
/// them from many threads at once.
pub struct qtensor_packed_t(PackedWeights);

/// Makes the weights W of products X * W^T ready.
///
/// `weights` has two dimensions: outputs, and what is summed over. Its precision is 1 to 8, signed or
/// not; it has one scale and bias, or channels along the outputs. `*out` receives the packed weights,
/// to be freed with qtensor_packed_free(). They take a byte for each code, two for signed ones of 8
/// bits, the outputs rounded up to 64.
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
/// Works on `threads` threads, 0 being 1; small products get fewer. The values are the same for any
/// number. Those that the call starts have ended when it returns.
///
/// QTENSOR_SHAPE_MISMATCH where the columns differ, unless n is M * outputs, and unless added_count is
/// 0 or the outputs; QTENSOR_INVALID_ARGUMENT for an `x` without elements; QTENSOR_OUT_OF_RANGE for
/// one whose precision is not 1 to 8; QTENSOR_UNSUPPORTED for one with channels and for a logarithmic
/// one; QTENSOR_NON_FINITE where its scale or bias or a value to add is. Nothing is written then. Where
/// memory runs out some of the values may have been.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_product(
    x: *const qtensor_t,
    packed: *const qtensor_packed_t,
    added: *const f32,
    added_count: usize,
    values: *mut f32,
    n: usize,
    threads: u32,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the caller passes pointers that are NULL or valid as documented.
    unsafe {
        call(error, || {
            let x = shared(x, "x")?;
            let packed = shared(packed, "packed")?;
            let added = slice(added, added_count, "added")?;
            let values = slice_mut(values, n, "values")?;
            let threads = usize::try_from(threads).unwrap_or(usize::MAX);
            packed.0.product(&x.0, added, values, threads)
        })
    }
}

/// The integers inside such a product: `sums[m * outputs + k]` is the sum of the products of the
/// codes of row m of `x` and row k of the weights. Exact. Scales, biases and channels of `x` do not
/// matter.
///
/// QTENSOR_OVERFLOW where a sum could be beyond 64 bits; else what qtensor_product() refuses.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_product_sums(
    x: *const qtensor_t,
    packed: *const qtensor_packed_t,
    sums: *mut i64,
    n: usize,
    threads: u32,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the caller passes pointers that are NULL or valid as documented.
    unsafe {
        call(error, || {
            let x = shared(x, "x")?;
            let packed = shared(packed, "packed")?;
            let sums = slice_mut(sums, n, "sums")?;
            packed.0.product_sums(&x.0, sums, usize::try_from(threads).unwrap_or(usize::MAX))
        })
    }
}
