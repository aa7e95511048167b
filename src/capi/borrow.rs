//! Tensors over memory that belongs to somebody else.

use super::dense::qtensor_dense_t;
use super::error::qtensor_error_t;
use super::handle::{exclusive, give, output, slice};
use super::panic::{call, quiet};
use super::status::qtensor_status;
use super::tensor::{ask, qtensor_t};
use crate::caffe2::dense::DenseTensor;
use crate::caffe2::elements::{ElementType, ElementsRef};
use crate::error::{Error, Result};
use crate::params::try_copy;
use crate::planes::{Lender, Storage};
use crate::tensor::QTensor;
use core::ffi::c_void;
use core::ptr::NonNull;

/// Tells the lender of memory that nothing reads or writes it any more.
///
/// Called once for each borrowing call that succeeds, from the thread whose call ends the use, with
/// the `context` of the borrowing call. It returns normally, without an exception or longjmp(), and
/// calls nothing of this library with the tensor that borrowed.
pub type qtensor_release_t = Option<unsafe extern "C" fn(context: *mut c_void)>;

/// Puts borrowed planes in place of a tensor's own.
///
/// # Safety
/// As for [`Storage::lent`] and [`Lender::new`].
unsafe fn borrow(
    tensor: &mut QTensor,
    planes: *mut u8,
    nbytes: usize,
    writable: bool,
    release: qtensor_release_t,
    context: *mut c_void,
) -> Result<()> {
    if nbytes != tensor.nbytes() {
        return Err(Error::ShapeMismatch {
            what: "size of the planes in bytes",
            value: i128::try_from(nbytes).unwrap_or(i128::MAX),
            expected: i128::try_from(tensor.nbytes()).unwrap_or(i128::MAX),
        });
    }
    let start = match NonNull::new(planes) {
        Some(start) => start,
        None if nbytes == 0 => NonNull::dangling(),
        None => return Err(Error::NullArgument { argument: "planes" }),
    };
    // SAFETY: passed on from the caller.
    let storage = unsafe { Storage::lent(start, nbytes, writable, Lender::new(release, context)) };
    // Planes without a byte are given back at once.
    tensor.set_storage(storage);
    Ok(())
}

/// Puts planes that belong to somebody else in place of a tensor's own, to read: no byte is copied.
///
/// `planes` points to `nbytes` bytes in the layout of qtensor_data(), of any alignment. They must
/// be there, and stay as they are, until `release` is called with `context`; both may be NULL, where
/// nobody needs to know. That is when the tensor is freed; when it drops its planes, as another
/// size or precision makes it; when a call that writes has copied them, to write to the copy; and
/// when others are borrowed. Where there is no byte, it is before this call returns. A call that is
/// refused has borrowed nothing and does not call `release`. A clone has planes of its own.
///
/// QTENSOR_SHAPE_MISMATCH unless `nbytes` is qtensor_nbytes().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_borrow(
    tensor: *mut qtensor_t,
    planes: *const u8,
    nbytes: usize,
    release: qtensor_release_t,
    context: *mut c_void,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the caller passes pointers that are NULL or valid as documented; planes that are not
    // writable are only read.
    unsafe {
        call(error, || {
            let tensor = exclusive(tensor, "tensor")?;
            borrow(&mut tensor.0, planes.cast_mut(), nbytes, false, release, context)
        })
    }
}

/// The same for planes that may be written: calls that write do so in the lender's memory.
///
/// Nobody else reads or writes the planes until `release` is called.
///
/// QTENSOR_SHAPE_MISMATCH unless `nbytes` is qtensor_nbytes().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_borrow_mut(
    tensor: *mut qtensor_t,
    planes: *mut u8,
    nbytes: usize,
    release: qtensor_release_t,
    context: *mut c_void,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the caller passes pointers that are NULL or valid as documented.
    unsafe {
        call(error, || {
            let tensor = exclusive(tensor, "tensor")?;
            borrow(&mut tensor.0, planes, nbytes, true, release, context)
        })
    }
}

/// Whether the planes belong to somebody else; false for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_is_borrowed(tensor: *const qtensor_t) -> bool {
    ask!(tensor, false, |t| t.storage().is_some_and(Storage::is_lent))
}

/// Elements that somebody else keeps.
///
/// # Safety
/// `data` is valid for reading `nbytes` bytes for as long as the result is used.
unsafe fn elements(
    element_type: ElementType,
    data: *const c_void,
    size: usize,
) -> Result<ElementsRef<'static>> {
    // SAFETY: passed on from the caller; every bit pattern is a value of these types.
    unsafe {
        Ok(match element_type {
            ElementType::Float => ElementsRef::Float(slice(data.cast(), size, "data")?),
            ElementType::Int32 => ElementsRef::Int32(slice(data.cast(), size, "data")?),
            ElementType::Bool => ElementsRef::Bool(truths(slice(data.cast(), size, "data")?)?),
            ElementType::Uint8 => ElementsRef::Uint8(slice(data.cast(), size, "data")?),
            ElementType::Int8 => ElementsRef::Int8(slice(data.cast(), size, "data")?),
            ElementType::Uint16 => ElementsRef::Uint16(slice(data.cast(), size, "data")?),
            ElementType::Int16 => ElementsRef::Int16(slice(data.cast(), size, "data")?),
            ElementType::Int64 => ElementsRef::Int64(slice(data.cast(), size, "data")?),
            ElementType::Float16 => ElementsRef::Float16(slice(data.cast(), size, "data")?),
            ElementType::Double => ElementsRef::Double(slice(data.cast(), size, "data")?),
        })
    }
}

fn truths(values: &[u8]) -> Result<&[u8]> {
    match values.iter().find(|value| **value > 1) {
        Some(value) => Err(Error::OutOfRange {
            what: "truth value",
            value: i128::from(*value),
            min: 0,
            max: 1,
        }),
        None => Ok(values),
    }
}

/// A new ordinary tensor whose elements belong to somebody else: no byte of them is copied.
///
/// The arguments are those of qtensor_dense_create(), but `data` is aligned for its type and truth
/// values are 0 or 1. The elements must be there, and stay as they are, until `release` is called
/// with `context`; both may be NULL, where nobody needs to know. That is when the tensor is freed.
/// A call that is refused has borrowed nothing and does not call `release`.
///
/// What qtensor_dense_create() refuses; QTENSOR_INVALID_ARGUMENT where `data` is not aligned for its
/// type; QTENSOR_OUT_OF_RANGE for another truth value.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_dense_borrow(
    dims: *const i64,
    ndim: usize,
    element_type: i32,
    data: *const c_void,
    nbytes: usize,
    release: qtensor_release_t,
    context: *mut c_void,
    out: *mut *mut qtensor_dense_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the caller passes pointers that are NULL or valid as documented. The elements are used
    // until the lender gets them back.
    unsafe {
        call(error, || {
            let dims = slice(dims, ndim, "dims")?;
            let out = output(out, "out")?;
            let element_type = ElementType::from_number(element_type)?;
            let size = DenseTensor::size_of_bytes(dims, element_type, nbytes)?;
            let elements = elements(element_type, data, size)?;
            let dims = try_copy(dims)?;
            // Nothing has been borrowed before there is a handle.
            let nobody = Lender::new(None, core::ptr::null_mut());
            let mut made = core::ptr::null_mut();
            let borrowed = qtensor_dense_t(DenseTensor::lent(dims, elements, nobody));
            give(borrowed, NonNull::from(&mut made))?;
            (*made).0.set_lender(Lender::new(release, context));
            out.write(made);
            Ok(())
        })
    }
}

/// Whether the elements belong to somebody else; false for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_dense_is_borrowed(dense: *const qtensor_dense_t) -> bool {
    // SAFETY: the caller passes NULL or a live handle.
    unsafe { dense.as_ref() }.is_some_and(|dense| quiet(false, || dense.0.is_lent()))
}
