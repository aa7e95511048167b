//! What serialized bytes say of themselves.

use super::error::qtensor_error_t;
use super::handle::{Extensible, capacity_of, fill, slice};
use super::panic::call;
use super::status::qtensor_status;
use crate::caffe2::bare_proto::peek_proto;
use crate::caffe2::blob::peek;
use core::ffi::c_char;

/// A blob's name and type: any bytes, not NUL-terminated. They lie in the serialized bytes and are
/// valid as long as those.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct qtensor_blob_info_t {
    /// Before the call the caller's sizeof(qtensor_blob_info_t), after it the bytes filled.
    pub struct_size: usize,
    /// The name. Not to be read where its length is 0.
    pub name: *const c_char,
    /// The name's length in bytes.
    pub name_length: usize,
    /// The type, such as "QTensor". Not to be read where its length is 0.
    pub type_name: *const c_char,
    /// The type's length in bytes.
    pub type_length: usize,
}

// SAFETY: repr(C), the size first, every member as wide as a pointer.
unsafe impl Extensible for qtensor_blob_info_t {
    const FIRST_SIZE: usize = size_of::<[usize; 5]>();
}
const _: () = assert!(size_of::<qtensor_blob_info_t>() == size_of::<[usize; 5]>());

fn info(name: &[u8], kind: &[u8]) -> qtensor_blob_info_t {
    qtensor_blob_info_t {
        struct_size: size_of::<qtensor_blob_info_t>(),
        name: name.as_ptr().cast(),
        name_length: name.len(),
        type_name: kind.as_ptr().cast(),
        type_length: kind.len(),
    }
}

/// Reads the name and type of a BlobProto of `len` bytes without decoding what it holds.
///
/// The caller has set info->struct_size to sizeof(qtensor_blob_info_t). QTENSOR_MALFORMED where
/// the bytes are no protobuf message.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_blob_peek(
    bytes: *const u8,
    len: usize,
    info: *mut qtensor_blob_info_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the caller passes pointers that are NULL or valid as documented.
    unsafe {
        call(error, || {
            capacity_of(info, "info")?;
            let seen = peek(slice(bytes, len, "bytes")?)?;
            fill(self::info(seen.name, seen.kind), info, "info")
        })
    }
}

/// Reads the name of a bare QTensorProto of `len` bytes; the type stays empty.
///
/// The caller has set info->struct_size to sizeof(qtensor_blob_info_t). QTENSOR_MALFORMED where
/// the bytes are no protobuf message.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_proto_peek(
    bytes: *const u8,
    len: usize,
    info: *mut qtensor_blob_info_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the caller passes pointers that are NULL or valid as documented.
    unsafe {
        call(error, || {
            capacity_of(info, "info")?;
            let name = peek_proto(slice(bytes, len, "bytes")?)?;
            fill(self::info(name, &[]), info, "info")
        })
    }
}
