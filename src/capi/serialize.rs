//! Tensors to Caffe2's bytes and back.

use super::error::qtensor_error_t;
use super::handle::{give, output, shared, slice, slice_mut, string};
use super::panic::call;
use super::status::qtensor_status;
use super::tensor::qtensor_t;
use crate::error::Result;
use crate::tensor::QTensor;
use core::ffi::c_char;

/// Answers how many bytes something takes.
///
/// # Safety
/// The pointers are NULL or valid as their types say.
unsafe fn size(
    tensor: *const qtensor_t,
    name: *const c_char,
    out: *mut usize,
    error: *mut *mut qtensor_error_t,
    measure: impl FnOnce(&QTensor, &[u8]) -> Result<usize>,
) -> qtensor_status {
    // SAFETY: passed on from the caller.
    unsafe {
        call(error, || {
            let tensor = shared(tensor, "tensor")?;
            let name = string(name, "name")?;
            let out = output(out, "out")?;
            out.write(measure(&tensor.0, name)?);
            Ok(())
        })
    }
}

/// Writes something into the caller's buffer.
///
/// # Safety
/// The pointers are NULL or valid as their types say.
unsafe fn write(
    tensor: *const qtensor_t,
    name: *const c_char,
    (buf, capacity): (*mut u8, usize),
    written: *mut usize,
    error: *mut *mut qtensor_error_t,
    serialize: impl FnOnce(&QTensor, &[u8], &mut [u8]) -> Result<usize>,
) -> qtensor_status {
    // SAFETY: passed on from the caller.
    unsafe {
        call(error, || {
            let tensor = shared(tensor, "tensor")?;
            let name = string(name, "name")?;
            let written = output(written, "written")?;
            let buffer = slice_mut(buf, capacity, "buf")?;
            written.write(serialize(&tensor.0, name, buffer)?);
            Ok(())
        })
    }
}

/// The bytes that qtensor_serialize() writes.
///
/// QTENSOR_OVERFLOW where the message would be longer than protobuf's 2^31 - 1 bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_serialized_size(
    tensor: *const qtensor_t,
    name: *const c_char,
    out: *mut usize,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: passed on from the caller.
    unsafe { size(tensor, name, out, error, |tensor, name| tensor.serialized_size(name)) }
}

/// Writes a BlobProto of type "QTensor", byte for byte what Caffe2's SerializeBlob writes; of type
/// "QTensorLog" where qtensor_is_logarithmic() is true.
///
/// `name` is NUL-terminated, in any encoding. `buf` holds `capacity` bytes; `*written` receives
/// the number that was used. Channels, and a data type that was read or set, are written too;
/// Caffe2 ignores them. A buffer with room for two bytes per plane byte is filled in one pass over
/// the planes; with less room they are read twice.
///
/// QTENSOR_BUFFER_TOO_SMALL where qtensor_serialized_size() is above the capacity; QTENSOR_OVERFLOW
/// as there. Nothing is written then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_serialize(
    tensor: *const qtensor_t,
    name: *const c_char,
    buf: *mut u8,
    capacity: usize,
    written: *mut usize,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: passed on from the caller.
    unsafe { write(tensor, name, (buf, capacity), written, error, QTensor::serialize) }
}

/// Reads a BlobProto of type "QTensor", "QTensorLog" or "Int8TensorCPU" of `len` bytes.
///
/// An Int8TensorCPU of bytes becomes 8 bits unsigned, one of 32-bit integers 32 bits signed; its
/// bias is minus the zero point, and without dimensions it has one of 1. `*out` receives the
/// tensor, to be freed with qtensor_free(). At most 8 bytes are allocated per byte present,
/// whatever a message claims.
///
/// QTENSOR_MALFORMED for damage, missing fields and values that would lose something;
/// QTENSOR_SHAPE_MISMATCH where data and dimensions disagree; QTENSOR_UNSUPPORTED for other types
/// of blob and for more than 64 dimensions; QTENSOR_OVERFLOW where the dimensions' product does not
/// fit int64_t.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_deserialize(
    bytes: *const u8,
    len: usize,
    out: *mut *mut qtensor_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the caller passes pointers that are NULL or valid as documented.
    unsafe {
        call(error, || {
            let bytes = slice(bytes, len, "bytes")?;
            let out = output(out, "out")?;
            give(qtensor_t(QTensor::deserialize(bytes)?), out)
        })
    }
}

/// The bytes that qtensor_serialize_proto() writes.
///
/// QTENSOR_OVERFLOW where the message would be longer than protobuf's 2^31 - 1 bytes;
/// QTENSOR_UNSUPPORTED as there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_serialized_size_proto(
    tensor: *const qtensor_t,
    name: *const c_char,
    out: *mut usize,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: passed on from the caller.
    unsafe { size(tensor, name, out, error, |tensor, name| tensor.proto_serialized_size(name)) }
}

/// Writes a bare QTensorProto, without the BlobProto around it; otherwise as qtensor_serialize().
///
/// QTENSOR_UNSUPPORTED where qtensor_is_logarithmic() is true: the type that says so is the blob's,
/// and the message alone would be read as a linear tensor.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_serialize_proto(
    tensor: *const qtensor_t,
    name: *const c_char,
    buf: *mut u8,
    capacity: usize,
    written: *mut usize,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: passed on from the caller.
    unsafe { write(tensor, name, (buf, capacity), written, error, QTensor::serialize_proto) }
}

/// Reads a bare QTensorProto of `len` bytes as a quantized tensor, never a logarithmic one;
/// otherwise as qtensor_deserialize().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_deserialize_proto(
    bytes: *const u8,
    len: usize,
    out: *mut *mut qtensor_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the caller passes pointers that are NULL or valid as documented.
    unsafe {
        call(error, || {
            let bytes = slice(bytes, len, "bytes")?;
            let out = output(out, "out")?;
            give(qtensor_t(QTensor::deserialize_proto(bytes)?), out)
        })
    }
}

/// The bytes that qtensor_serialize_int8() writes. Refuses what that refuses.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_serialized_size_int8(
    tensor: *const qtensor_t,
    name: *const c_char,
    out: *mut usize,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: passed on from the caller.
    unsafe { size(tensor, name, out, error, |tensor, name| tensor.int8_serialized_size(name)) }
}

/// Writes a BlobProto of type "Int8TensorCPU", byte for byte what Caffe2's SerializeBlob writes.
///
/// An unsigned tensor of precision 8 becomes one of bytes, a signed one of precision 32 becomes
/// one of 32-bit integers; the zero point is minus the bias. A tensor without dimensions is written
/// as an empty one of dimension 0. Otherwise as qtensor_serialize().
///
/// qtensor_to_int8() brings tensors of up to 8 bits into the first form.
///
/// QTENSOR_UNSUPPORTED for other precisions and where qtensor_is_multiparam() or
/// qtensor_is_logarithmic() is true; QTENSOR_OUT_OF_RANGE where minus the bias is no 32-bit integer
/// or a code does not fit one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_serialize_int8(
    tensor: *const qtensor_t,
    name: *const c_char,
    buf: *mut u8,
    capacity: usize,
    written: *mut usize,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: passed on from the caller.
    unsafe { write(tensor, name, (buf, capacity), written, error, QTensor::serialize_int8) }
}
