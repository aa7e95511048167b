//! A whole database in memory.

use super::dense::qtensor_dense_t;
use super::error::qtensor_error_t;
use super::handle::{give, output, release, string};
use super::panic::{call, quiet};
use super::status::qtensor_status;
use super::tensor::qtensor_t;
use crate::caffe2::minidb::{LoadedBlob, Value, as_path, load_all};
use crate::error::{Error, Result};
use core::ffi::c_char;
use core::ptr;

/// Every blob of a database, decoded. It never changes, so all calls may run on one of them from
/// many threads at once.
pub struct qtensor_blobs_t(Vec<Blob>);

struct Blob {
    /// With a NUL behind the last byte; there may be others before it.
    name: Vec<u8>,
    kind: Vec<u8>,
    tensor: Option<qtensor_t>,
    dense: Option<qtensor_dense_t>,
}

fn terminated(mut name: Vec<u8>) -> Result<Vec<u8>> {
    let failed = Error::OutOfMemory { what: "name", bytes: name.len() };
    name.try_reserve_exact(1).map_err(|_| failed)?;
    name.push(0);
    Ok(name)
}

fn collect(loaded: Vec<LoadedBlob>) -> Result<Vec<Blob>> {
    let mut blobs = Vec::new();
    let bytes = loaded.len().saturating_mul(size_of::<Blob>());
    let failed = Error::OutOfMemory { what: "list of blobs", bytes };
    blobs.try_reserve_exact(loaded.len()).map_err(|_| failed)?;
    for LoadedBlob { name, kind, value, .. } in loaded {
        let (tensor, dense) = match value {
            Value::Quantized(tensor) => (Some(qtensor_t(tensor)), None),
            Value::Dense(dense) => (None, Some(qtensor_dense_t(dense))),
            Value::Other => (None, None),
        };
        blobs.push(Blob { name: terminated(name)?, kind: terminated(kind)?, tensor, dense });
    }
    Ok(blobs)
}

/// Reads every blob of the database at `path`. `*out` receives them, to be freed with
/// qtensor_blobs_free(), in the order of their first records; chunks of one tensor are one blob.
/// Records of different types may share a name.
///
/// QTENSOR_IO where the file cannot be read; QTENSOR_MALFORMED where it is damaged or chunks do not
/// fit; for damaged blobs what qtensor_deserialize() and qtensor_dense_deserialize() return. Blobs
/// of types that neither reads are listed but hold nothing. At most 64 bytes are allocated per byte
/// of the file.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_blobs_load(
    path: *const c_char,
    out: *mut *mut qtensor_blobs_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the caller passes pointers that are NULL or valid as documented.
    unsafe {
        call(error, || {
            let path = string(path, "path")?;
            let out = output(out, "out")?;
            give(qtensor_blobs_t(collect(load_all(as_path(path))?)?), out)
        })
    }
}

/// Frees the blobs and all they hold; NULL does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_blobs_free(blobs: *mut qtensor_blobs_t) {
    // SAFETY: the caller gives up the only pointer to an object of this library, or passes NULL.
    quiet((), || unsafe { release(blobs) });
}

/// The blob at an index, if there is one.
///
/// # Safety
/// `blobs` is NULL or a live handle.
unsafe fn blob<'a>(blobs: *const qtensor_blobs_t, index: usize) -> Option<&'a Blob> {
    // SAFETY: the caller vouches for it.
    unsafe { blobs.as_ref() }.and_then(|blobs| blobs.0.get(index))
}

/// How many blobs there are; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_blobs_count(blobs: *const qtensor_blobs_t) -> usize {
    // SAFETY: the caller passes NULL or a live handle.
    quiet(0, || unsafe { blobs.as_ref() }.map_or(0, |blobs| blobs.0.len()))
}

/// The name of blob `index`, NUL-terminated, valid as long as `blobs`; NULL where there is no
/// such blob. `*length`, unless NULL, receives its length in bytes, which a NUL inside the name
/// does not end.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_blobs_name(
    blobs: *const qtensor_blobs_t,
    index: usize,
    length: *mut usize,
) -> *const c_char {
    // SAFETY: the caller passes NULL or a live handle, and NULL or where a size goes.
    quiet(ptr::null(), || unsafe { text(blob(blobs, index).map(|blob| &blob.name), length) })
}

/// The type of blob `index`, such as "QTensor", otherwise like qtensor_blobs_name().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_blobs_type(
    blobs: *const qtensor_blobs_t,
    index: usize,
    length: *mut usize,
) -> *const c_char {
    // SAFETY: the caller passes NULL or a live handle, and NULL or where a size goes.
    quiet(ptr::null(), || unsafe { text(blob(blobs, index).map(|blob| &blob.kind), length) })
}

/// # Safety
/// `length` is NULL or may be written to.
unsafe fn text(text: Option<&Vec<u8>>, length: *mut usize) -> *const c_char {
    let Some(text) = text else { return ptr::null() };
    if !length.is_null() && length.is_aligned() {
        // SAFETY: not NULL, and the caller vouches for the rest.
        unsafe { length.write(text.len().saturating_sub(1)) };
    }
    text.as_ptr().cast()
}

/// The quantized tensor in blob `index`, valid as long as `blobs` and not to be freed; NULL where
/// the blob holds none or is not there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_blobs_tensor(
    blobs: *const qtensor_blobs_t,
    index: usize,
) -> *const qtensor_t {
    quiet(ptr::null(), || {
        // SAFETY: the caller passes NULL or a live handle.
        let tensor = unsafe { blob(blobs, index) }.and_then(|blob| blob.tensor.as_ref());
        tensor.map_or(ptr::null(), ptr::from_ref)
    })
}

/// The ordinary tensor in blob `index`, valid as long as `blobs` and not to be freed; NULL where
/// the blob holds none or is not there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_blobs_dense(
    blobs: *const qtensor_blobs_t,
    index: usize,
) -> *const qtensor_dense_t {
    quiet(ptr::null(), || {
        // SAFETY: the caller passes NULL or a live handle.
        let dense = unsafe { blob(blobs, index) }.and_then(|blob| blob.dense.as_ref());
        dense.map_or(ptr::null(), ptr::from_ref)
    })
}
