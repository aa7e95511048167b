//! Ordinary tensors: what Caffe2 keeps its float weights in.

use super::error::qtensor_error_t;
use super::handle::{give, output, release, shared, slice, slice_mut, string};
use super::panic::{call, quiet};
use super::status::qtensor_status;
use crate::caffe2::dense::DenseTensor;
use crate::caffe2::elements::ElementType;
use core::ffi::{c_char, c_void};
use core::ptr;

/// Elements of 32-bit floating point.
pub const QTENSOR_ELEMENT_FLOAT: i32 = 1;
/// Elements of int32_t.
pub const QTENSOR_ELEMENT_INT32: i32 = 2;
/// Truth values, a byte each: 0 or 1.
pub const QTENSOR_ELEMENT_BOOL: i32 = 5;
/// Elements of uint8_t.
pub const QTENSOR_ELEMENT_UINT8: i32 = 6;
/// Elements of int8_t.
pub const QTENSOR_ELEMENT_INT8: i32 = 7;
/// Elements of uint16_t.
pub const QTENSOR_ELEMENT_UINT16: i32 = 8;
/// Elements of int16_t.
pub const QTENSOR_ELEMENT_INT16: i32 = 9;
/// Elements of int64_t.
pub const QTENSOR_ELEMENT_INT64: i32 = 10;
/// IEEE 754 half precision, each as the uint16_t of its bits.
pub const QTENSOR_ELEMENT_FLOAT16: i32 = 12;
/// Elements of 64-bit floating point.
pub const QTENSOR_ELEMENT_DOUBLE: i32 = 13;

// The numbers stand in the header; those of the messages are the same.
const _: () = {
    assert!(QTENSOR_ELEMENT_FLOAT == ElementType::Float as i32);
    assert!(QTENSOR_ELEMENT_INT32 == ElementType::Int32 as i32);
    assert!(QTENSOR_ELEMENT_BOOL == ElementType::Bool as i32);
    assert!(QTENSOR_ELEMENT_UINT8 == ElementType::Uint8 as i32);
    assert!(QTENSOR_ELEMENT_INT8 == ElementType::Int8 as i32);
    assert!(QTENSOR_ELEMENT_UINT16 == ElementType::Uint16 as i32);
    assert!(QTENSOR_ELEMENT_INT16 == ElementType::Int16 as i32);
    assert!(QTENSOR_ELEMENT_INT64 == ElementType::Int64 as i32);
    assert!(QTENSOR_ELEMENT_FLOAT16 == ElementType::Float16 as i32);
    assert!(QTENSOR_ELEMENT_DOUBLE == ElementType::Double as i32);
};

/// An ordinary tensor: dimensions and elements in row-major order. It never changes, so all
/// calls may run on one of them from many threads at once.
pub struct qtensor_dense_t(pub(super) DenseTensor);

/// Answers a question about an ordinary tensor.
macro_rules! ask {
    ($dense:ident, $otherwise:expr, |$d:ident| $body:expr) => {
        // SAFETY: the caller passes NULL or a live handle.
        match unsafe { $dense.as_ref() } {
            Some(dense) => quiet($otherwise, || {
                let $d = &dense.0;
                $body
            }),
            None => $otherwise,
        }
    };
}

/// A new ordinary tensor with a copy of the caller's elements.
///
/// `dims` points to `ndim` dimensions, at most 64; without any the tensor is a scalar, one
/// element. `element_type` is a QTENSOR_ELEMENT_ constant. `data` points to `nbytes` bytes, in
/// row-major order and the byte order of this machine; it needs no alignment. Truth values other
/// than 0 become 1. `*out` receives the tensor, to be freed with qtensor_dense_free().
///
/// QTENSOR_SHAPE_MISMATCH unless `nbytes` is the product of the dimensions and the element's
/// size; QTENSOR_INVALID_ARGUMENT for a negative dimension; QTENSOR_OUT_OF_RANGE for too many of
/// them; QTENSOR_UNSUPPORTED for another element type; QTENSOR_OVERFLOW where the number of
/// elements does not fit.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_dense_create(
    dims: *const i64,
    ndim: usize,
    element_type: i32,
    data: *const c_void,
    nbytes: usize,
    out: *mut *mut qtensor_dense_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the caller passes pointers that are NULL or valid as documented.
    unsafe {
        call(error, || {
            let dims = slice(dims, ndim, "dims")?;
            let data = slice(data.cast::<u8>(), nbytes, "data")?;
            let out = output(out, "out")?;
            let element_type = ElementType::from_number(element_type)?;
            give(qtensor_dense_t(DenseTensor::from_bytes(dims, element_type, data)?), out)
        })
    }
}

/// Frees an ordinary tensor; NULL does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_dense_free(dense: *mut qtensor_dense_t) {
    // SAFETY: the caller gives up the only pointer to a tensor of this library, or passes NULL.
    quiet((), || unsafe { release(dense) });
}

/// The number of dimensions; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_dense_ndim(dense: *const qtensor_dense_t) -> usize {
    ask!(dense, 0, |d| d.dims().len())
}

/// The dimensions, valid as long as the tensor; NULL for NULL. Not to be read where there are
/// none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_dense_dims(dense: *const qtensor_dense_t) -> *const i64 {
    ask!(dense, ptr::null(), |d| d.dims().as_ptr())
}

/// The number of elements; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_dense_size(dense: *const qtensor_dense_t) -> usize {
    ask!(dense, 0, |d| d.elements().len())
}

/// The bytes that the elements take; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_dense_nbytes(dense: *const qtensor_dense_t) -> usize {
    ask!(dense, 0, |d| {
        let elements = d.elements();
        elements.len().saturating_mul(elements.element_type().size())
    })
}

/// The type of the elements, a QTENSOR_ELEMENT_ constant; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_dense_element_type(dense: *const qtensor_dense_t) -> i32 {
    ask!(dense, 0, |d| d.elements().element_type() as i32)
}

/// The elements, qtensor_dense_nbytes() bytes aligned for their type, valid as long as the
/// tensor; NULL for NULL. Not to be read where there are none. They never change; who shares the
/// tensor with nobody may write to them all the same where qtensor_dense_is_borrowed() is false.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_dense_data(dense: *const qtensor_dense_t) -> *const c_void {
    ask!(dense, ptr::null(), |d| d.as_ptr().cast())
}

/// The bytes that qtensor_dense_serialize() writes.
///
/// QTENSOR_OVERFLOW where the message would be longer than protobuf's 2^31 - 1 bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_dense_serialized_size(
    dense: *const qtensor_dense_t,
    name: *const c_char,
    out: *mut usize,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the caller passes pointers that are NULL or valid as documented.
    unsafe {
        call(error, || {
            let dense = shared(dense, "dense")?;
            let name = string(name, "name")?;
            let out = output(out, "out")?;
            out.write(dense.0.serialized_size(name)?);
            Ok(())
        })
    }
}

/// Writes a BlobProto of type "Tensor" that holds the whole tensor, byte for byte what Caffe2's
/// SerializeBlob writes. Arguments and errors are those of qtensor_serialize().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_dense_serialize(
    dense: *const qtensor_dense_t,
    name: *const c_char,
    buf: *mut u8,
    capacity: usize,
    written: *mut usize,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the caller passes pointers that are NULL or valid as documented.
    unsafe {
        call(error, || {
            let dense = shared(dense, "dense")?;
            let name = string(name, "name")?;
            let written = output(written, "written")?;
            written.write(dense.0.serialize(name, slice_mut(buf, capacity, "buf")?)?);
            Ok(())
        })
    }
}

/// Reads a BlobProto of type "Tensor" of `len` bytes that holds a whole tensor. `*out` receives
/// it, to be freed with qtensor_dense_free(). At most 8 bytes are allocated per byte present.
///
/// QTENSOR_MALFORMED for damage and values that would lose something; QTENSOR_SHAPE_MISMATCH
/// where data and dimensions disagree; QTENSOR_UNSUPPORTED for other types of blob or element,
/// and for a blob that says it is a chunk of a larger tensor, which
/// qtensor_minidb_reader_load_dense() puts together.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_dense_deserialize(
    bytes: *const u8,
    len: usize,
    out: *mut *mut qtensor_dense_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the caller passes pointers that are NULL or valid as documented.
    unsafe {
        call(error, || {
            let bytes = slice(bytes, len, "bytes")?;
            let out = output(out, "out")?;
            give(qtensor_dense_t(DenseTensor::deserialize(bytes)?), out)
        })
    }
}
