//! The calls that turn tensors into bytes and back, ordinary tensors, and error objects.

use crate::attempt::{Attempt, Case};
use crate::objects::{Owned, floats, no_dense, no_tensor, snapshot, written};
use caffe2_qtensor::capi::dense::*;
use caffe2_qtensor::capi::error::*;
use caffe2_qtensor::capi::peek::*;
use caffe2_qtensor::capi::serialize::*;
use caffe2_qtensor::capi::status::qtensor_status::{self, *};
use caffe2_qtensor::capi::tensor::*;
use std::cell::Cell;
use std::ptr;

type Error = *mut *mut qtensor_error_t;

/// Writes an object of some kind into a buffer, and refuses one that is too small.
fn write<T>(
    attempt: &Attempt,
    object: &Owned<T>,
    call: unsafe fn(*const T, *mut u8, usize, *mut usize, Error) -> qtensor_status,
) {
    for (capacity, status) in [(400, QTENSOR_OK), (20, QTENSOR_BUFFER_TOO_SMALL)] {
        let (buffer, written) = (Cell::new([0xA5u8; 400]), Cell::new(usize::MAX));
        // SAFETY: a live handle, a buffer of at least this capacity and a place for the length.
        let run = |error: Error| unsafe {
            call(object.handle, buffer.as_ptr().cast(), capacity, written.as_ptr(), error)
        };
        attempt.expect(status, run, || {
            assert_eq!(buffer.get(), [0xA5; 400]);
            assert_eq!(written.get(), usize::MAX);
        });
    }
}

/// Asks for a length, first of an object and then of NULL.
fn measure<T>(
    attempt: &Attempt,
    object: &Owned<T>,
    call: unsafe fn(*const T, *mut usize, Error) -> qtensor_status,
) {
    let objects = [(object.handle, QTENSOR_OK), (ptr::null_mut(), QTENSOR_NULL_ARGUMENT)];
    for (handle, status) in objects {
        let length = Cell::new(usize::MAX);
        // SAFETY: a live handle or NULL, and a place for the length.
        let run = |error: Error| unsafe { call(handle, length.as_ptr(), error) };
        attempt.expect(status, run, || assert_eq!(length.get(), usize::MAX));
    }
}

/// Reads an object from bytes, and refuses the same bytes without the last.
fn read<T>(
    attempt: &Attempt,
    bytes: &[u8],
    empty: fn() -> Owned<T>,
    call: unsafe extern "C" fn(*const u8, usize, *mut *mut T, Error) -> qtensor_status,
) {
    for (length, status) in [(bytes.len(), QTENSOR_OK), (bytes.len() - 1, QTENSOR_MALFORMED)] {
        let mut object = empty();
        let out = object.out();
        // SAFETY: as many bytes and a place for the handle, which nothing else uses.
        let run = |error: Error| unsafe { call(bytes.as_ptr(), length, out, error) };
        // SAFETY: as before.
        attempt.expect(status, run, || assert!(unsafe { out.read() }.is_null()));
    }
}

/// Reads name and type, which needs no memory.
fn peek(
    attempt: &Attempt,
    bytes: &[u8],
    call: unsafe extern "C" fn(*const u8, usize, *mut qtensor_blob_info_t, Error) -> qtensor_status,
) {
    for (length, status) in [(bytes.len(), QTENSOR_OK), (bytes.len() - 1, QTENSOR_MALFORMED)] {
        // SAFETY: all bytes zero are a description without a name.
        let mut info: qtensor_blob_info_t = unsafe { std::mem::zeroed() };
        info.struct_size = size_of::<qtensor_blob_info_t>();
        let out = &raw mut info;
        // SAFETY: as many bytes and a place for the description, which nothing else uses.
        let run = |error: Error| unsafe { call(bytes.as_ptr(), length, out, error) };
        // SAFETY: as before.
        attempt.expect(status, run, || assert!(unsafe { out.read() }.name.is_null()));
    }
}

/// The bytes that a call writes for an object.
fn bytes_of<T>(
    object: &Owned<T>,
    call: unsafe fn(*const T, *mut u8, usize, *mut usize, Error) -> qtensor_status,
) -> Vec<u8> {
    let (mut bytes, mut length) = (vec![0; 400], 0);
    // SAFETY: a live handle, a buffer and a place for the length.
    let status = unsafe {
        call(object.handle, bytes.as_mut_ptr(), bytes.len(), &raw mut length, ptr::null_mut())
    };
    assert_eq!(status, QTENSOR_OK);
    bytes.truncate(length);
    bytes
}

/// A call on a handle with the name "w" filled in.
macro_rules! named {
    ($name:ident($($argument:ident),*)) => {
        // SAFETY: the caller passes what the call itself needs.
        |object, $($argument),*| unsafe { $name(object, c"w".as_ptr(), $($argument),*) }
    };
}

macro_rules! getter {
    ($name:ident) => {
        (stringify!($name), |attempt| {
            let dense = floats();
            // SAFETY: a live handle.
            attempt.quiet(|| unsafe { $name(dense.handle) });
            // SAFETY: NULL.
            attempt.quiet(|| unsafe { $name(ptr::null()) });
        })
    };
}

/// An error object of a refused call.
fn refusal() -> Owned<qtensor_error_t> {
    let mut error = Owned::empty(qtensor_error_free);
    // SAFETY: NULL is refused.
    let status = unsafe { qtensor_set_scale(ptr::null_mut(), 1.0, error.out()) };
    assert_eq!(status, QTENSOR_NULL_ARGUMENT);
    error
}

pub(crate) const CASES: &[Case] = &[
    ("qtensor_serialized_size", |attempt| {
        measure(attempt, &written(2, true, true), named!(qtensor_serialized_size(out, error)));
    }),
    ("qtensor_serialized_size_proto", |attempt| {
        measure(
            attempt,
            &written(2, true, true),
            named!(qtensor_serialized_size_proto(out, error)),
        );
    }),
    ("qtensor_serialized_size_int8", |attempt| {
        for (precision, signed) in [(8, false), (32, true)] {
            measure(
                attempt,
                &written(precision, signed, false),
                named!(qtensor_serialized_size_int8(out, error)),
            );
        }
    }),
    ("qtensor_serialize", |attempt| {
        write(
            attempt,
            &written(2, true, true),
            named!(qtensor_serialize(buffer, capacity, length, error)),
        );
    }),
    ("qtensor_serialize_proto", |attempt| {
        write(
            attempt,
            &written(2, true, true),
            named!(qtensor_serialize_proto(buffer, capacity, length, error)),
        );
    }),
    ("qtensor_serialize_int8", |attempt| {
        for (precision, signed) in [(8, false), (32, true)] {
            write(
                attempt,
                &written(precision, signed, false),
                named!(qtensor_serialize_int8(buffer, capacity, length, error)),
            );
        }
    }),
    ("qtensor_deserialize", |attempt| {
        let tensor = written(2, true, true);
        let blob = bytes_of(&tensor, named!(qtensor_serialize(buffer, capacity, length, error)));
        read(attempt, &blob, no_tensor, qtensor_deserialize);
        let mut copy = no_tensor();
        // SAFETY: as many bytes and a place for the handle.
        unsafe { qtensor_deserialize(blob.as_ptr(), blob.len(), copy.out(), ptr::null_mut()) };
        assert_eq!(snapshot(copy.handle), snapshot(tensor.handle));
        for (precision, signed) in [(8, false), (32, true)] {
            let blob = bytes_of(
                &written(precision, signed, false),
                named!(qtensor_serialize_int8(buffer, capacity, length, error)),
            );
            read(attempt, &blob, no_tensor, qtensor_deserialize);
        }
    }),
    ("qtensor_deserialize_proto", |attempt| {
        let proto = bytes_of(
            &written(2, true, true),
            named!(qtensor_serialize_proto(buffer, capacity, length, error)),
        );
        read(attempt, &proto, no_tensor, qtensor_deserialize_proto);
    }),
    ("qtensor_blob_peek", |attempt| {
        let blob = bytes_of(
            &written(2, true, true),
            named!(qtensor_serialize(buffer, capacity, length, error)),
        );
        peek(attempt, &blob, qtensor_blob_peek);
    }),
    ("qtensor_proto_peek", |attempt| {
        let proto = bytes_of(
            &written(2, true, true),
            named!(qtensor_serialize_proto(buffer, capacity, length, error)),
        );
        peek(attempt, &proto, qtensor_proto_peek);
    }),
    getter!(qtensor_dense_ndim),
    getter!(qtensor_dense_dims),
    getter!(qtensor_dense_size),
    getter!(qtensor_dense_nbytes),
    getter!(qtensor_dense_element_type),
    getter!(qtensor_dense_data),
    ("qtensor_dense_create", |attempt| {
        let values = [0u8, 1, 2, 3, 4, 5, 6, 7];
        let dims = [1i64];
        for element in [QTENSOR_ELEMENT_DOUBLE, QTENSOR_ELEMENT_INT64] {
            let mut dense = no_dense();
            let out = dense.out();
            // SAFETY: valid pointers.
            let run = |error: Error| unsafe {
                let data = values.as_ptr().cast();
                qtensor_dense_create(dims.as_ptr(), 1, element, data, 8, out, error)
            };
            // SAFETY: nothing else uses the handle.
            attempt.call(run, || assert!(unsafe { out.read() }.is_null()));
        }
        let mut dense = no_dense();
        let out = dense.out();
        // SAFETY: valid pointers; 4 is no type that is supported.
        let run = |error: Error| unsafe {
            qtensor_dense_create(dims.as_ptr(), 1, 4, values.as_ptr().cast(), 8, out, error)
        };
        // SAFETY: nothing else uses the handle.
        attempt.expect(QTENSOR_UNSUPPORTED, run, || assert!(unsafe { out.read() }.is_null()));
    }),
    ("qtensor_dense_free", |attempt| {
        let mut dense = floats();
        let handle = std::mem::replace(&mut dense.handle, ptr::null_mut());
        // SAFETY: the only pointer to a live object, then NULL.
        attempt.quiet(|| unsafe { qtensor_dense_free(handle) });
        // SAFETY: NULL.
        attempt.quiet(|| unsafe { qtensor_dense_free(ptr::null_mut()) });
    }),
    ("qtensor_dense_serialized_size", |attempt| {
        measure(attempt, &floats(), named!(qtensor_dense_serialized_size(out, error)));
    }),
    ("qtensor_dense_serialize", |attempt| {
        write(attempt, &floats(), named!(qtensor_dense_serialize(buffer, capacity, length, error)));
    }),
    ("qtensor_dense_deserialize", |attempt| {
        let blob =
            bytes_of(&floats(), named!(qtensor_dense_serialize(buffer, capacity, length, error)));
        read(attempt, &blob, no_dense, qtensor_dense_deserialize);
    }),
    ("qtensor_error_code", |attempt| {
        let error = refusal();
        // SAFETY: a live object, then NULL.
        let code = attempt.quiet(|| unsafe { qtensor_error_code(error.handle) });
        assert_eq!(code, QTENSOR_NULL_ARGUMENT as i32);
        // SAFETY: NULL.
        assert_eq!(attempt.quiet(|| unsafe { qtensor_error_code(ptr::null()) }), 0);
    }),
    ("qtensor_error_message", |attempt| {
        let error = refusal();
        // SAFETY: a live object, then NULL.
        attempt.quiet(|| unsafe { qtensor_error_message(error.handle) });
        // SAFETY: NULL.
        assert!(attempt.quiet(|| unsafe { qtensor_error_message(ptr::null()) }).is_null());
    }),
    ("qtensor_error_free", |attempt| {
        let mut error = refusal();
        let handle = std::mem::replace(&mut error.handle, ptr::null_mut());
        // SAFETY: the only pointer to a live object, then NULL.
        attempt.quiet(|| unsafe { qtensor_error_free(handle) });
        // SAFETY: NULL.
        attempt.quiet(|| unsafe { qtensor_error_free(ptr::null_mut()) });
    }),
];
