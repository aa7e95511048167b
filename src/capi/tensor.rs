//! The tensor itself: life, shape, parameters and single bits.

use super::error::qtensor_error_t;
use super::handle::{allocate, exclusive, give, output, release, shared, slice};
use super::panic::{call, quiet};
use super::status::qtensor_status;
use crate::error::Result;
use crate::shape::MAX_DIMS;
use crate::tensor::QTensor;
use core::ffi::c_char;
use core::ptr;

/// The largest number of dimensions that a tensor may have.
pub const QTENSOR_MAX_DIMS: usize = 64;
const _: () = assert!(QTENSOR_MAX_DIMS == MAX_DIMS);

/// A quantized tensor: integer codes of `precision` bits, kept as bit planes.
///
/// A code x stands for the value scale * (x + bias), except as qtensor_set_channels() and
/// qtensor_set_logarithmic() say. In a signed tensor it is a magnitude and a sign. Calls that take
/// it as const may run on one tensor from many threads at once; any other call needs it alone.
pub struct qtensor_t(pub(super) QTensor);

/// Runs a call that may change a tensor.
macro_rules! change {
    ($tensor:ident, $error:ident, |$t:ident| $body:expr) => {
        // SAFETY: the caller passes NULL or a live handle that nobody else uses now, and an error
        // pointer that is NULL or may be written to.
        unsafe {
            call($error, || {
                let $t = &mut exclusive($tensor, "tensor")?.0;
                $body
            })
        }
    };
}

/// Answers a question about a tensor.
macro_rules! ask {
    ($tensor:ident, $otherwise:expr, |$t:ident| $body:expr) => {
        // SAFETY: the caller passes NULL or a live handle that nobody changes now.
        match unsafe { $tensor.as_ref() } {
            Some(tensor) => quiet($otherwise, || {
                let $t = &tensor.0;
                $body
            }),
            None => $otherwise,
        }
    };
}
pub(super) use {ask, change};

/// Runs a call that reads a tensor and writes one result.
///
/// # Safety
/// The pointers are NULL or valid as their types say.
unsafe fn query<T>(
    tensor: *const qtensor_t,
    out: *mut T,
    error: *mut *mut qtensor_error_t,
    question: impl FnOnce(&QTensor) -> Result<T>,
) -> qtensor_status {
    // SAFETY: passed on from the caller.
    unsafe {
        call(error, || {
            let tensor = shared(tensor, "tensor")?;
            let out = output(out, "out")?;
            out.write(question(&tensor.0)?);
            Ok(())
        })
    }
}

/// A new, empty tensor: no dimensions, size 0, precision 8, unsigned, scale 1, bias 0, linear; NULL
/// where memory has run out. Free it with qtensor_free().
#[unsafe(no_mangle)]
pub extern "C" fn qtensor_create() -> *mut qtensor_t {
    quiet(ptr::null_mut(), || {
        allocate(qtensor_t(QTensor::new())).map_or(ptr::null_mut(), |tensor| tensor.as_ptr())
    })
}

/// A new tensor of this shape, every code 0. Planes are allocated by the first write.
///
/// `dims` points to `ndim` dimensions, at most 64, outermost first, and may be NULL where `ndim`
/// is 0. `precision` is the number of magnitude bits, 0 to 255; `is_signed` adds a sign plane.
/// `*out` receives the tensor, to be freed with qtensor_free().
///
/// QTENSOR_INVALID_ARGUMENT for a negative dimension; QTENSOR_OUT_OF_RANGE for more than 64 of
/// them; QTENSOR_OVERFLOW where the number of elements or bytes does not fit int64_t.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_create_with(
    dims: *const i64,
    ndim: usize,
    precision: u8,
    is_signed: bool,
    out: *mut *mut qtensor_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the caller passes pointers that are NULL or valid as documented.
    unsafe {
        call(error, || {
            let dims = slice(dims, ndim, "dims")?;
            let out = output(out, "out")?;
            give(qtensor_t(QTensor::with_shape(dims, precision, is_signed)?), out)
        })
    }
}

/// A copy of a tensor, planes and channels included. `*out` receives it, to be freed with
/// qtensor_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_clone(
    tensor: *const qtensor_t,
    out: *mut *mut qtensor_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the caller passes pointers that are NULL or valid as documented.
    unsafe {
        call(error, || {
            let tensor = shared(tensor, "tensor")?;
            let out = output(out, "out")?;
            give(qtensor_t(tensor.0.try_clone()?), out)
        })
    }
}

/// Frees a tensor; NULL does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_free(tensor: *mut qtensor_t) {
    // SAFETY: the caller gives up the only pointer to a tensor of this library, or passes NULL.
    quiet((), || unsafe { release(tensor) });
}

/// Gives a tensor another shape.
///
/// The same dimensions change nothing. Others keep the planes byte for byte where their total
/// size stays what it was, padding bits included, and drop them where it does not. Scale, bias
/// and channels stay.
///
/// Refuses what qtensor_create_with() refuses.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_resize(
    tensor: *mut qtensor_t,
    dims: *const i64,
    ndim: usize,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    change!(tensor, error, |t| t.resize(slice(dims, ndim, "dims")?))
}

/// Sets the number of magnitude bits, 0 to 255, and drops the planes even where it stays.
///
/// QTENSOR_OVERFLOW where the planes would take more bytes than fit int64_t.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_set_precision(
    tensor: *mut qtensor_t,
    precision: u8,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    change!(tensor, error, |t| t.set_precision(precision))
}

/// Adds or removes the sign plane, and drops the planes even where nothing changes.
///
/// QTENSOR_OVERFLOW where the planes would take more bytes than fit int64_t.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_set_signed(
    tensor: *mut qtensor_t,
    is_signed: bool,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    change!(tensor, error, |t| t.set_signed(is_signed))
}

/// Sets the scale: any double, its bit pattern kept.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_set_scale(
    tensor: *mut qtensor_t,
    scale: f64,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    change!(tensor, error, |t| {
        t.set_scale(scale);
        Ok(())
    })
}

/// Sets the bias, in units of codes: any double, its bit pattern kept.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_set_bias(
    tensor: *mut qtensor_t,
    bias: f64,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    change!(tensor, error, |t| {
        t.set_bias(bias);
        Ok(())
    })
}

/// The number of dimensions; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_ndim(tensor: *const qtensor_t) -> usize {
    ask!(tensor, 0, |t| t.ndim())
}

/// The dimensions, qtensor_ndim() of them, valid until the next call that may change the tensor;
/// NULL for NULL. Not to be read where there are none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_dims(tensor: *const qtensor_t) -> *const i64 {
    ask!(tensor, ptr::null(), |t| t.dims().as_ptr())
}

/// The number of elements: the product of the dimensions, 0 where there are none; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_size(tensor: *const qtensor_t) -> usize {
    ask!(tensor, 0, |t| t.size())
}

/// The size rounded up to whole plane bytes: 8 * ceil(size / 8) elements; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_aligned_size(tensor: *const qtensor_t) -> usize {
    ask!(tensor, 0, |t| t.aligned_size())
}

/// The bytes that all planes take: aligned_size / 8 * (precision + sign plane); 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_nbytes(tensor: *const qtensor_t) -> usize {
    ask!(tensor, 0, |t| t.nbytes())
}

/// The elements in a plane byte: 8; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_alignment(tensor: *const qtensor_t) -> u8 {
    ask!(tensor, 0, |t| t.alignment())
}

/// The number of magnitude bits; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_precision(tensor: *const qtensor_t) -> u8 {
    ask!(tensor, 0, |t| t.precision())
}

/// Whether there is a sign plane; false for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_is_signed(tensor: *const qtensor_t) -> bool {
    ask!(tensor, false, |t| t.is_signed())
}

/// The scale; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_scale(tensor: *const qtensor_t) -> f64 {
    ask!(tensor, 0.0, |t| t.scale())
}

/// The bias, in units of codes; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_bias(tensor: *const qtensor_t) -> f64 {
    ask!(tensor, 0.0, |t| t.bias())
}

/// All planes, qtensor_nbytes() bytes, 64-byte aligned where they are not borrowed, valid until the
/// next call that may change or free the tensor; NULL before the first write, when every bit is 0,
/// where there is no byte, and for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_data(tensor: *const qtensor_t) -> *const u8 {
    ask!(tensor, ptr::null(), |t| t.data().map_or(ptr::null(), <[u8]>::as_ptr))
}

/// All planes, for writing; allocated, all 0, if there are none yet, and copied if they are lent for
/// reading.
///
/// `*out` receives a pointer to qtensor_nbytes() bytes, valid until the next call that may change
/// the tensor. For a tensor without a byte the call succeeds and the pointer is not to be read.
/// Bits behind the last element of a plane are serialized as they are; leave them 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_mutable_data(
    tensor: *mut qtensor_t,
    out: *mut *mut u8,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    change!(tensor, error, |t| {
        let out = output(out, "out")?;
        out.write(t.mutable_address()?);
        Ok(())
    })
}

/// Dimension `i` as an int32_t.
///
/// QTENSOR_OUT_OF_RANGE unless 0 <= i < ndim; QTENSOR_OVERFLOW where it does not fit.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_dim32(
    tensor: *const qtensor_t,
    i: i32,
    out: *mut i32,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: passed on from the caller.
    unsafe { query(tensor, out, error, |t| t.dim32(i)) }
}

/// The dimension that `axis` names, counted from the end where it is negative.
///
/// QTENSOR_OUT_OF_RANGE unless -ndim <= axis < ndim.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_canonical_axis_index(
    tensor: *const qtensor_t,
    axis: i32,
    out: *mut i32,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: passed on from the caller.
    unsafe { query(tensor, out, error, |t| t.canonical_axis_index(axis)) }
}

/// The product of the dimensions from `k` on; 1 where k >= ndim.
///
/// QTENSOR_OUT_OF_RANGE for a negative k; QTENSOR_OVERFLOW where the product does not fit.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_size_from_dim(
    tensor: *const qtensor_t,
    k: i32,
    out: *mut i64,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: passed on from the caller.
    unsafe { query(tensor, out, error, |t| t.size_from_dim(k)) }
}

/// The product of the dimensions before `k`.
///
/// QTENSOR_OUT_OF_RANGE unless 0 <= k < ndim (ndim itself is refused, as in Caffe2);
/// QTENSOR_OVERFLOW where the product does not fit.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_size_to_dim(
    tensor: *const qtensor_t,
    k: i32,
    out: *mut i64,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: passed on from the caller.
    unsafe { query(tensor, out, error, |t| t.size_to_dim(k)) }
}

/// Bit `bit` of element `index`; the sign is bit `precision`. Without planes every bit is 0.
///
/// QTENSOR_OUT_OF_RANGE where there is no such bit or element.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_get_bit(
    tensor: *const qtensor_t,
    bit: u8,
    index: usize,
    out: *mut bool,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: passed on from the caller.
    unsafe { query(tensor, out, error, |t| t.get_bit(bit, index)) }
}

/// Sets bit `bit` of element `index`; the sign is bit `precision`. The first write allocates the
/// planes, whatever the value.
///
/// QTENSOR_OUT_OF_RANGE where there is no such bit or element.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_set_bit(
    tensor: *mut qtensor_t,
    bit: u8,
    index: usize,
    value: bool,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    change!(tensor, error, |t| t.set_bit(bit, index, value))
}

/// The version of this library, "MAJOR.MINOR.PATCH"; a string that lives as long as the library.
#[unsafe(no_mangle)]
pub extern "C" fn qtensor_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}
