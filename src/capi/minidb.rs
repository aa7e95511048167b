//! Database files: walked record by record, written all or nothing.

use super::dense::qtensor_dense_t;
use super::error::qtensor_error_t;
use super::handle::{
    Extensible, capacity_of, exclusive, fill, give, output, release, shared, slice, slice_mut,
    string,
};
use super::panic::{call, quiet};
use super::status::qtensor_status;
use super::tensor::qtensor_t;
use crate::caffe2::minidb::{Reader, Writer, as_path};
use core::ffi::c_char;

/// A database that is being read. Between calls it keeps one record's key, name and type in
/// memory, whatever the file's size; the load calls read one blob at a time. The file must not be
/// changed meanwhile; one that became shorter is reported as damage.
pub struct qtensor_minidb_reader_t(Reader);

/// A database that is being written. Nothing of it is seen under its own name until
/// qtensor_minidb_writer_commit().
pub struct qtensor_minidb_writer_t(Writer);

/// A record of a database: byte strings, not NUL-terminated, valid until the next call on the
/// reader that may change it, the next step included.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct qtensor_minidb_entry_t {
    /// Before the call the caller's sizeof(qtensor_minidb_entry_t), after it the bytes filled.
    pub struct_size: usize,
    /// The record's key: the blob's name, with "#%K" behind it for a chunk of a large tensor.
    pub key: *const c_char,
    /// The key's length in bytes, 1 or more.
    pub key_length: usize,
    /// The key's length without the number of a chunk: the name that
    /// qtensor_minidb_reader_load_dense() takes, once it is copied and NUL-terminated.
    pub blob_name_length: usize,
    /// The name inside the blob. Not to be read where its length is 0.
    pub name: *const c_char,
    /// The name's length in bytes.
    pub name_length: usize,
    /// The blob's type, such as "QTensor". Not to be read where its length is 0.
    pub type_name: *const c_char,
    /// The type's length in bytes.
    pub type_length: usize,
    /// The blob's size in bytes.
    pub value_size: u64,
    /// Where the blob begins in the file, in bytes.
    pub value_offset: u64,
}

// SAFETY: repr(C), the size first; eight members as wide as a pointer, then two of 64 bits.
unsafe impl Extensible for qtensor_minidb_entry_t {
    const FIRST_SIZE: usize = size_of::<[usize; 8]>() + 16;
}
const _: () = assert!(size_of::<qtensor_minidb_entry_t>() == size_of::<[usize; 8]>() + 16);

/// Opens the database at `path` for reading. `*out` receives the reader, to be freed with
/// qtensor_minidb_reader_free(). An empty file is a database without records.
///
/// QTENSOR_IO where the file cannot be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_minidb_reader_open(
    path: *const c_char,
    out: *mut *mut qtensor_minidb_reader_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the caller passes pointers that are NULL or valid as documented.
    unsafe {
        call(error, || {
            let path = string(path, "path")?;
            let out = output(out, "out")?;
            give(qtensor_minidb_reader_t(Reader::open(as_path(path))?), out)
        })
    }
}

/// Closes the file and frees the reader; NULL does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_minidb_reader_free(reader: *mut qtensor_minidb_reader_t) {
    // SAFETY: the caller gives up the only pointer to a reader of this library, or passes NULL.
    quiet((), || unsafe { release(reader) });
}

/// Goes back to the first record.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_minidb_reader_rewind(
    reader: *mut qtensor_minidb_reader_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the caller passes pointers that are NULL or valid as documented.
    unsafe {
        call(error, || {
            exclusive(reader, "reader")?.0.rewind();
            Ok(())
        })
    }
}

/// Steps to the next record, the first one after opening, and reads its key and its blob's name
/// and type without decoding the blob.
///
/// `*found` receives false at the end of the file, and then `*entry` is left alone. The caller
/// has set entry->struct_size to sizeof(qtensor_minidb_entry_t). At the end there is no current
/// record.
///
/// QTENSOR_MALFORMED for damage. Where only the blob is damaged the reader steps over it: there is
/// no current record, and the next call goes on behind it. Where the record itself is damaged,
/// each call fails, and the reader stays where it is, as after QTENSOR_IO and all others.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_minidb_reader_next(
    reader: *mut qtensor_minidb_reader_t,
    entry: *mut qtensor_minidb_entry_t,
    found: *mut bool,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the caller passes pointers that are NULL or valid as documented.
    unsafe {
        call(error, || {
            let reader = exclusive(reader, "reader")?;
            let found = output(found, "found")?;
            // What is wrong with the structure is found out before the reader moves.
            capacity_of(entry, "entry")?;
            let Some(seen) = reader.0.next_entry()? else {
                found.write(false);
                return Ok(());
            };
            let filled = qtensor_minidb_entry_t {
                struct_size: size_of::<qtensor_minidb_entry_t>(),
                key: seen.key().as_ptr().cast(),
                key_length: seen.key().len(),
                blob_name_length: seen.blob_name().len(),
                name: seen.name().as_ptr().cast(),
                name_length: seen.name().len(),
                type_name: seen.kind().as_ptr().cast(),
                type_length: seen.kind().len(),
                value_size: seen.value_size(),
                value_offset: seen.value_offset(),
            };
            fill(filled, entry, "entry")?;
            found.write(true);
            Ok(())
        })
    }
}

/// Reads the current record's blob, undecoded: `entry.value_size` bytes into `buf`, which holds
/// `capacity`. `*written` receives the number.
///
/// QTENSOR_INVALID_ARGUMENT where there is no current record; QTENSOR_BUFFER_TOO_SMALL;
/// QTENSOR_IO.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_minidb_reader_read(
    reader: *const qtensor_minidb_reader_t,
    buf: *mut u8,
    capacity: usize,
    written: *mut usize,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the caller passes pointers that are NULL or valid as documented.
    unsafe {
        call(error, || {
            let reader = shared(reader, "reader")?;
            let written = output(written, "written")?;
            written.write(reader.0.read_entry_into(slice_mut(buf, capacity, "buf")?)?);
            Ok(())
        })
    }
}

/// Loads the quantized tensor in the first record whose key is `name`. `*out` receives it, to be
/// freed with qtensor_free(). The current record stays what it is. Each call walks the file from
/// its start; qtensor_blobs_load() reads many blobs in one walk.
///
/// QTENSOR_UNAVAILABLE where there is no such key; QTENSOR_UNSUPPORTED where it is something else;
/// QTENSOR_MALFORMED and QTENSOR_IO as for qtensor_minidb_reader_next(); what
/// qtensor_deserialize() refuses.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_minidb_reader_load(
    reader: *const qtensor_minidb_reader_t,
    name: *const c_char,
    out: *mut *mut qtensor_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the caller passes pointers that are NULL or valid as documented.
    unsafe {
        call(error, || {
            let reader = shared(reader, "reader")?;
            let name = string(name, "name")?;
            let out = output(out, "out")?;
            give(qtensor_t(reader.0.load(name)?), out)
        })
    }
}

/// Loads the ordinary tensor of this name, put together from its chunks, which may stand in any
/// order. `*out` receives it, to be freed with qtensor_dense_free(). The current record stays
/// what it is. Each call walks the file from its start.
///
/// QTENSOR_UNAVAILABLE where there is no such key; QTENSOR_MALFORMED where chunks overlap,
/// disagree or leave a gap; QTENSOR_IO; what qtensor_dense_deserialize() refuses.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_minidb_reader_load_dense(
    reader: *const qtensor_minidb_reader_t,
    name: *const c_char,
    out: *mut *mut qtensor_dense_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the caller passes pointers that are NULL or valid as documented.
    unsafe {
        call(error, || {
            let reader = shared(reader, "reader")?;
            let name = string(name, "name")?;
            let out = output(out, "out")?;
            give(qtensor_dense_t(reader.0.load_dense(name)?), out)
        })
    }
}

/// Begins a database that will replace the file at `path`, if there is one. `*out` receives the
/// writer, to be freed with qtensor_minidb_writer_free().
///
/// Records go to a temporary file in the same folder, PATH.tmp-PROCESS-NUMBER, which a process
/// that is killed leaves behind. Where `path` is a symbolic link, what it points to is replaced.
///
/// A relative path is looked up again by qtensor_minidb_writer_commit(), so the working folder must
/// stay what it is. In a child process, the writer can only be freed.
///
/// QTENSOR_IO where the temporary file cannot be made, as for a file name near the system's limit,
/// and where `path` leads to a folder, a device, or by a link to nothing, or the system cannot tell
/// what is there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_minidb_writer_create(
    path: *const c_char,
    out: *mut *mut qtensor_minidb_writer_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the caller passes pointers that are NULL or valid as documented.
    unsafe {
        call(error, || {
            let path = string(path, "path")?;
            let out = output(out, "out")?;
            give(qtensor_minidb_writer_t(Writer::create(as_path(path))?), out)
        })
    }
}

/// Frees the writer; NULL does nothing. Without qtensor_minidb_writer_commit() before it, all
/// that was appended is discarded and the old file stays as it was.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_minidb_writer_free(writer: *mut qtensor_minidb_writer_t) {
    // SAFETY: the caller gives up the only pointer to a writer of this library, or passes NULL.
    quiet((), || unsafe { release(writer) });
}

/// Appends a quantized tensor under `name`, as a blob of type "QTensor", or "QTensorLog" where
/// qtensor_is_logarithmic() is true.
///
/// QTENSOR_INVALID_ARGUMENT for an empty name and for a writer that failed or was committed;
/// QTENSOR_OVERFLOW for a record beyond 2^31 - 1 bytes; QTENSOR_IO, after which the writer can only
/// be freed. After any other refusal it can be used on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_minidb_writer_append(
    writer: *mut qtensor_minidb_writer_t,
    name: *const c_char,
    tensor: *const qtensor_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the caller passes pointers that are NULL or valid as documented.
    unsafe {
        call(error, || {
            let writer = exclusive(writer, "writer")?;
            let name = string(name, "name")?;
            writer.0.append(name, &shared(tensor, "tensor")?.0)
        })
    }
}

/// Appends a quantized tensor under `name`, as a blob of type "Int8TensorCPU". Refuses what
/// qtensor_minidb_writer_append() and qtensor_serialize_int8() refuse.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_minidb_writer_append_int8(
    writer: *mut qtensor_minidb_writer_t,
    name: *const c_char,
    tensor: *const qtensor_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the caller passes pointers that are NULL or valid as documented.
    unsafe {
        call(error, || {
            let writer = exclusive(writer, "writer")?;
            let name = string(name, "name")?;
            writer.0.append_int8(name, &shared(tensor, "tensor")?.0)
        })
    }
}

/// Appends an ordinary tensor under `name`, as Caffe2's Save operator does: in chunks of at most
/// `chunk_size` elements, 1,000,000 where that is 0, with the keys "name#%0", "name#%1" and so
/// on. Refuses what qtensor_minidb_writer_append() refuses; the writer may then hold some of the
/// chunks, and refuses all but being freed if it does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_minidb_writer_append_dense(
    writer: *mut qtensor_minidb_writer_t,
    name: *const c_char,
    dense: *const qtensor_dense_t,
    chunk_size: usize,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the caller passes pointers that are NULL or valid as documented.
    unsafe {
        call(error, || {
            let writer = exclusive(writer, "writer")?;
            let name = string(name, "name")?;
            writer.0.append_dense(name, &shared(dense, "dense")?.0, chunk_size)
        })
    }
}

/// Appends a record as it is: `key_length` bytes at `key`, `value_length` bytes at `value`, each
/// 1 or more. Refuses what qtensor_minidb_writer_append() refuses.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_minidb_writer_append_bytes(
    writer: *mut qtensor_minidb_writer_t,
    key: *const c_char,
    key_length: usize,
    value: *const u8,
    value_length: usize,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the caller passes pointers that are NULL or valid as documented.
    unsafe {
        call(error, || {
            let writer = exclusive(writer, "writer")?;
            let key = slice(key.cast::<u8>(), key_length, "key")?;
            writer.0.append_bytes(key, slice(value, value_length, "value")?)
        })
    }
}

/// Puts the new file in place of the old one in one step: flushed to the disk, renamed, and its
/// folder flushed too. The writer can then only be freed.
///
/// QTENSOR_IO: the old file is still there, whole. Only where the folder's flush fails is the new
/// one in its place already, and a loss of power may bring the old one back.
/// QTENSOR_INVALID_ARGUMENT for a writer that failed or was committed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_minidb_writer_commit(
    writer: *mut qtensor_minidb_writer_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the caller passes pointers that are NULL or valid as documented.
    unsafe { call(error, || exclusive(writer, "writer")?.0.commit()) }
}
