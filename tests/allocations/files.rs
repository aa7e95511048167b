//! The calls on database files. What std does inside its file operations is excepted; with paths
//! below 384 bytes it takes nothing from the heap, and these are.

use crate::attempt::{Attempt, Case};
use crate::objects::*;
use caffe2_qtensor::capi::blobs::*;
use caffe2_qtensor::capi::error::qtensor_error_t;
use caffe2_qtensor::capi::minidb::*;
use caffe2_qtensor::capi::status::qtensor_status::{self, *};
use std::cell::Cell;
use std::ffi::{CStr, CString};
use std::fs;
use std::path::PathBuf;
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};

type Error = *mut *mut qtensor_error_t;

fn golden(name: &str) -> CString {
    CString::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/").to_owned() + name).unwrap()
}

/// A folder that is removed with all that is in it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static SERIAL: AtomicU32 = AtomicU32::new(0);
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        let name = format!("qtensor-allocations-{}-{serial}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Folder(path)
    }

    fn database(&self) -> CString {
        CString::new(self.0.join("db").to_str().unwrap()).unwrap()
    }

    fn files(&self) -> usize {
        fs::read_dir(&self.0).unwrap().count()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

fn reader(path: &CStr) -> Owned<qtensor_minidb_reader_t> {
    let mut reader = no_reader();
    // SAFETY: valid pointers.
    let status =
        unsafe { qtensor_minidb_reader_open(path.as_ptr(), reader.out(), ptr::null_mut()) };
    assert_eq!(status, QTENSOR_OK);
    reader
}

fn writer(path: &CStr) -> Owned<qtensor_minidb_writer_t> {
    let mut writer = no_writer();
    // SAFETY: valid pointers.
    let status =
        unsafe { qtensor_minidb_writer_create(path.as_ptr(), writer.out(), ptr::null_mut()) };
    assert_eq!(status, QTENSOR_OK);
    writer
}

/// The current record's blob, or nothing where there is no record.
fn current(reader: &Owned<qtensor_minidb_reader_t>) -> Option<Vec<u8>> {
    let (mut bytes, mut length) = (vec![0; 400], 0);
    // SAFETY: a live handle, a buffer and a place for the length.
    let status = unsafe {
        let buffer = bytes.as_mut_ptr();
        qtensor_minidb_reader_read(reader.handle, buffer, 400, &raw mut length, ptr::null_mut())
    };
    bytes.truncate(length);
    (status == QTENSOR_OK).then_some(bytes)
}

fn entry() -> qtensor_minidb_entry_t {
    // SAFETY: all bytes zero are an entry without a key.
    let mut entry: qtensor_minidb_entry_t = unsafe { std::mem::zeroed() };
    entry.struct_size = size_of::<qtensor_minidb_entry_t>();
    entry
}

/// Steps to the next record; its key.
fn step(reader: &Owned<qtensor_minidb_reader_t>) -> Vec<u8> {
    let (mut entry, mut found) = (entry(), false);
    // SAFETY: valid pointers; the key lives until the next step.
    unsafe {
        let status = qtensor_minidb_reader_next(
            reader.handle,
            &raw mut entry,
            &raw mut found,
            ptr::null_mut(),
        );
        assert_eq!(status, QTENSOR_OK);
        assert!(found);
        std::slice::from_raw_parts(entry.key.cast(), entry.key_length).to_vec()
    }
}

/// Loads something by a path or a name, and refuses to where it is not there.
fn load<T>(
    attempt: &Attempt,
    empty: fn() -> Owned<T>,
    (there, missing): (&CStr, &CStr),
    refusal: qtensor_status,
    call: impl Fn(*const std::ffi::c_char, *mut *mut T, Error) -> qtensor_status,
) {
    for (name, status) in [(there, QTENSOR_OK), (missing, refusal)] {
        let mut object = empty();
        let out = object.out();
        let run = |error: Error| call(name.as_ptr(), out, error);
        // SAFETY: nothing else uses the handle.
        attempt.expect(status, run, || assert!(unsafe { out.read() }.is_null()));
    }
}

/// Appends one record behind another. Whatever failed on the way, the file is in the end the one
/// that is written when nothing fails.
fn append(
    attempt: &Attempt,
    call: unsafe fn(*mut qtensor_minidb_writer_t, Error) -> qtensor_status,
) {
    let folder = Folder::new();
    let [expected, seen] = [false, true].map(|tested| {
        let path = folder.database();
        let writer = writer(&path);
        // SAFETY: live handles and valid pointers.
        unsafe {
            let (key, value) = (c"first".as_ptr(), b"value".as_ptr());
            let none = ptr::null_mut();
            let status = qtensor_minidb_writer_append_bytes(writer.handle, key, 5, value, 5, none);
            assert_eq!(status, QTENSOR_OK);
            if tested {
                attempt.call(|error: Error| call(writer.handle, error), || {});
            } else {
                assert_eq!(call(writer.handle, none), QTENSOR_OK);
            }
            assert_eq!(qtensor_minidb_writer_commit(writer.handle, none), QTENSOR_OK);
        }
        assert_eq!(folder.files(), 1);
        fs::read(folder.0.join("db")).unwrap()
    });
    assert!(expected == seen, "a failed append left something behind");
}

fn loaded() -> Owned<qtensor_blobs_t> {
    let (mut blobs, path) = (no_blobs(), golden("blobs.minidb"));
    // SAFETY: valid pointers.
    let status = unsafe { qtensor_blobs_load(path.as_ptr(), blobs.out(), ptr::null_mut()) };
    assert_eq!(status, QTENSOR_OK);
    blobs
}

macro_rules! getter {
    ($name:ident($($argument:expr),*)) => {
        (stringify!($name), |attempt| {
            let blobs = loaded();
            // SAFETY: a live handle.
            attempt.quiet(|| unsafe { $name(blobs.handle, $($argument),*) });
            // SAFETY: NULL.
            attempt.quiet(|| unsafe { $name(ptr::null(), $($argument),*) });
        })
    };
}

pub(crate) const CASES: &[Case] = &[
    ("qtensor_blobs_load", |attempt| {
        for name in ["blobs.minidb", "chunked.minidb"] {
            load(
                attempt,
                no_blobs,
                (&golden(name), c"/nowhere/db"),
                QTENSOR_IO,
                // SAFETY: `load` passes valid pointers.
                |path, out, error| unsafe { qtensor_blobs_load(path, out, error) },
            );
        }
    }),
    ("qtensor_blobs_free", |attempt| {
        let mut blobs = loaded();
        let handle = std::mem::replace(&mut blobs.handle, ptr::null_mut());
        // SAFETY: the only pointer to a live object, then NULL.
        attempt.quiet(|| unsafe { qtensor_blobs_free(handle) });
        // SAFETY: NULL.
        attempt.quiet(|| unsafe { qtensor_blobs_free(ptr::null_mut()) });
    }),
    getter!(qtensor_blobs_count()),
    getter!(qtensor_blobs_name(1, ptr::null_mut())),
    getter!(qtensor_blobs_type(1, ptr::null_mut())),
    getter!(qtensor_blobs_tensor(1)),
    getter!(qtensor_blobs_dense(4)),
    ("qtensor_minidb_reader_open", |attempt| {
        load(
            attempt,
            no_reader,
            (&golden("blobs.minidb"), c"/nowhere/db"),
            QTENSOR_IO,
            // SAFETY: `load` passes valid pointers.
            |path, out, error| unsafe { qtensor_minidb_reader_open(path, out, error) },
        );
    }),
    ("qtensor_minidb_reader_free", |attempt| {
        let mut reader = reader(&golden("blobs.minidb"));
        step(&reader);
        let handle = std::mem::replace(&mut reader.handle, ptr::null_mut());
        // SAFETY: the only pointer to a live object, then NULL.
        attempt.quiet(|| unsafe { qtensor_minidb_reader_free(handle) });
        // SAFETY: NULL.
        attempt.quiet(|| unsafe { qtensor_minidb_reader_free(ptr::null_mut()) });
    }),
    ("qtensor_minidb_reader_rewind", |attempt| {
        let reader = reader(&golden("blobs.minidb"));
        let first = step(&reader);
        // SAFETY: a live handle.
        let run = |error: Error| unsafe { qtensor_minidb_reader_rewind(reader.handle, error) };
        attempt.call(run, || {});
        assert_eq!(step(&reader), first);
    }),
    ("qtensor_minidb_reader_next", |attempt| {
        let steps = reader(&golden("blobs.minidb"));
        let expected: Vec<_> = (0..5).map(|_| step(&steps)).collect();
        // Every record in turn, the first with no record before it.
        for (number, expected) in expected.iter().enumerate() {
            let reader = reader(&golden("blobs.minidb"));
            for _ in 0..number {
                step(&reader);
            }
            let before = current(&reader);
            let (mut entry, found) = (entry(), Cell::new(false));
            let out = &raw mut entry;
            // SAFETY: valid pointers.
            let run = |error: Error| unsafe {
                qtensor_minidb_reader_next(reader.handle, out, found.as_ptr(), error)
            };
            attempt.call(run, || {
                assert!(!found.get());
                // SAFETY: nothing else uses the entry.
                assert!(unsafe { out.read() }.key.is_null());
                assert_eq!(current(&reader), before, "the current record has changed");
            });
            // SAFETY: the key lives until the next step.
            let key =
                unsafe { std::slice::from_raw_parts(entry.key.cast::<u8>(), entry.key_length) };
            assert_eq!(key, expected, "a record was passed over");
        }
    }),
    ("qtensor_minidb_reader_read", |attempt| {
        let reader = reader(&golden("blobs.minidb"));
        step(&reader);
        let (buffer, written) = (Cell::new([0xA5u8; 400]), Cell::new(usize::MAX));
        for (capacity, status) in [(5, QTENSOR_BUFFER_TOO_SMALL), (400, QTENSOR_OK)] {
            // SAFETY: valid pointers.
            let run = |error: Error| unsafe {
                let (to, length) = (buffer.as_ptr().cast(), written.as_ptr());
                qtensor_minidb_reader_read(reader.handle, to, capacity, length, error)
            };
            attempt.expect(status, run, || assert_eq!(written.get(), usize::MAX));
        }
    }),
    ("qtensor_minidb_reader_load", |attempt| {
        let reader = reader(&golden("blobs.minidb"));
        step(&reader);
        let before = current(&reader);
        load(
            attempt,
            no_tensor,
            (c"w1", c"w3"),
            QTENSOR_UNAVAILABLE,
            // SAFETY: a live handle, and `load` passes valid pointers.
            |name, out, error| unsafe {
                qtensor_minidb_reader_load(reader.handle, name, out, error)
            },
        );
        assert_eq!(current(&reader), before);
    }),
    ("qtensor_minidb_reader_load_dense", |attempt| {
        let reader = reader(&golden("chunked.minidb"));
        load(
            attempt,
            no_dense,
            (c"fc1_w", c"fc2_w"),
            QTENSOR_UNAVAILABLE,
            // SAFETY: a live handle, and `load` passes valid pointers.
            |name, out, error| unsafe {
                qtensor_minidb_reader_load_dense(reader.handle, name, out, error)
            },
        );
    }),
    ("qtensor_minidb_writer_create", |attempt| {
        let folder = Folder::new();
        let (path, mut writer) = (folder.database(), no_writer());
        let out = writer.out();
        // SAFETY: valid pointers.
        let run = |error: Error| unsafe { qtensor_minidb_writer_create(path.as_ptr(), out, error) };
        attempt.call(run, || {
            // SAFETY: nothing else uses the handle.
            assert!(unsafe { out.read() }.is_null());
            assert_eq!(folder.files(), 0, "a failed call left its temporary file");
        });
        assert_eq!(folder.files(), 1);
        drop(writer);
        assert_eq!(folder.files(), 0);
    }),
    ("qtensor_minidb_writer_free", |attempt| {
        let folder = Folder::new();
        let mut writer = writer(&folder.database());
        let handle = std::mem::replace(&mut writer.handle, ptr::null_mut());
        // SAFETY: the only pointer to a live object, then NULL.
        attempt.quiet(|| unsafe { qtensor_minidb_writer_free(handle) });
        // SAFETY: NULL.
        attempt.quiet(|| unsafe { qtensor_minidb_writer_free(ptr::null_mut()) });
    }),
    ("qtensor_minidb_writer_append", |attempt| {
        append(attempt, |writer, error| {
            let tensor = APPENDED.with(|tensors| tensors.quantized.handle);
            // SAFETY: live handles.
            unsafe { qtensor_minidb_writer_append(writer, c"w".as_ptr(), tensor, error) }
        });
    }),
    ("qtensor_minidb_writer_append_int8", |attempt| {
        append(attempt, |writer, error| {
            let tensor = APPENDED.with(|tensors| tensors.quantized.handle);
            // SAFETY: live handles.
            unsafe { qtensor_minidb_writer_append_int8(writer, c"w".as_ptr(), tensor, error) }
        });
    }),
    ("qtensor_minidb_writer_append_dense", |attempt| {
        // In one chunk and in several, of which none may be left when a later one fails.
        append(attempt, |writer, error| {
            let dense = APPENDED.with(|tensors| tensors.dense.handle);
            // SAFETY: live handles.
            unsafe { qtensor_minidb_writer_append_dense(writer, c"w".as_ptr(), dense, 0, error) }
        });
        append(attempt, |writer, error| {
            let dense = APPENDED.with(|tensors| tensors.dense.handle);
            // SAFETY: live handles.
            unsafe { qtensor_minidb_writer_append_dense(writer, c"w".as_ptr(), dense, 2, error) }
        });
    }),
    ("qtensor_minidb_writer_append_bytes", |attempt| {
        append(attempt, |writer, error| {
            let (key, value) = (c"second".as_ptr(), b"value".as_ptr());
            // SAFETY: a live handle and valid pointers.
            unsafe { qtensor_minidb_writer_append_bytes(writer, key, 6, value, 5, error) }
        });
    }),
    ("qtensor_minidb_writer_commit", |attempt| {
        let folder = Folder::new();
        let writer = writer(&folder.database());
        // SAFETY: a live handle.
        let run = |error: Error| unsafe { qtensor_minidb_writer_commit(writer.handle, error) };
        attempt.call(run, || assert!(!folder.0.join("db").exists()));
        // It can be committed once.
        attempt.expect(QTENSOR_INVALID_ARGUMENT, run, || assert_eq!(folder.files(), 1));
    }),
];

/// What is appended, made once so that it is no part of the calls under test.
struct Appended {
    quantized: Owned<caffe2_qtensor::capi::tensor::qtensor_t>,
    dense: Owned<caffe2_qtensor::capi::dense::qtensor_dense_t>,
}

thread_local! {
    static APPENDED: Appended =
        Appended { quantized: written(8, false, false), dense: floats() };
}

/// Makes the thread's own objects, which the count of live blocks must not see appear.
pub(crate) fn prepare() {
    APPENDED.with(|_| {});
}
