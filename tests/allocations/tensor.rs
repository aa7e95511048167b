//! The calls on a tensor: life, shape, parameters, bits, codes, channels, views.

use crate::attempt::{Attempt, Case};
use crate::objects::{no_tensor, snapshot, unwritten, written};
use caffe2_qtensor::capi::channels::*;
use caffe2_qtensor::capi::codes::*;
use caffe2_qtensor::capi::error::qtensor_error_t;
use caffe2_qtensor::capi::int8::*;
use caffe2_qtensor::capi::logarithmic::*;
use caffe2_qtensor::capi::parsed::*;
use caffe2_qtensor::capi::status::qtensor_status::{self, *};
use caffe2_qtensor::capi::tensor::*;
use caffe2_qtensor::capi::view::*;
use std::cell::Cell;
use std::ptr;

type Error = *mut *mut qtensor_error_t;

/// A call that changes a tensor: before each run a fresh one, and none of it changed by failure.
fn change(
    attempt: &Attempt,
    call: unsafe fn(*mut qtensor_t, Error) -> qtensor_status,
    tensor: crate::objects::Owned<qtensor_t>,
) {
    let before = snapshot(tensor.handle);
    // SAFETY: a live handle that nobody else uses.
    let run = |error: Error| unsafe { call(tensor.handle, error) };
    attempt.call(run, || assert_eq!(snapshot(tensor.handle), before));
}

/// A call that writes one value, which stays what it was when the call fails.
fn ask<T: Copy + PartialEq + std::fmt::Debug>(
    attempt: &Attempt,
    untouched: T,
    call: unsafe fn(*const qtensor_t, *mut T, Error) -> qtensor_status,
) {
    let (tensor, answer) = (written(2, true, true), Cell::new(untouched));
    // SAFETY: a live handle and a place for the answer.
    let run = |error: Error| unsafe { call(tensor.handle, answer.as_ptr(), error) };
    attempt.call(run, || assert_eq!(answer.get(), untouched));
    assert_ne!(answer.get(), untouched);

    // The same question refused: only the error object needs memory then.
    answer.set(untouched);
    // SAFETY: NULL is refused.
    let run = |error: Error| unsafe { call(ptr::null(), answer.as_ptr(), error) };
    attempt.expect(QTENSOR_NULL_ARGUMENT, run, || assert_eq!(answer.get(), untouched));
}

/// A getter, which needs no memory.
macro_rules! getter {
    ($name:ident) => {
        (stringify!($name), |attempt| {
            let tensor = written(2, true, true);
            // SAFETY: a live handle, then NULL.
            attempt.quiet(|| unsafe { $name(tensor.handle) });
            // SAFETY: NULL.
            attempt.quiet(|| unsafe { $name(ptr::null()) });
        })
    };
}

/// Codes written to a tensor that has no planes yet, and to one that has.
macro_rules! write_codes {
    ($name:ident, $codes:expr) => {
        (stringify!($name), |attempt| {
            let codes = $codes;
            for tensor in [unwritten(7, false), written(7, false, true)] {
                let before = snapshot(tensor.handle);
                // SAFETY: a live handle and as many codes as it has elements.
                let run = |error: Error| unsafe {
                    $name(tensor.handle, codes.as_ptr(), codes.len(), error)
                };
                attempt.call(run, || assert_eq!(snapshot(tensor.handle), before));
            }
        })
    };
}

macro_rules! read_codes {
    ($name:ident, $type:ty) => {
        (stringify!($name), |attempt| {
            let (tensor, codes) = (written(2, false, false), Cell::new([99 as $type; 15]));
            let run = |error: Error| {
                // SAFETY: a live handle and room for as many codes as it has elements.
                unsafe { $name(tensor.handle, codes.as_ptr().cast(), 15, error) }
            };
            attempt.call(run, || assert_eq!(codes.get(), [99; 15]));
            let run = |error: Error| {
                // SAFETY: as before, with a number of elements that is refused.
                unsafe { $name(tensor.handle, codes.as_ptr().cast(), 14, error) }
            };
            codes.set([99; 15]);
            attempt.expect(QTENSOR_SHAPE_MISMATCH, run, || assert_eq!(codes.get(), [99; 15]));
        })
    };
}

pub(crate) const CASES: &[Case] = &[
    getter!(qtensor_ndim),
    getter!(qtensor_dims),
    getter!(qtensor_size),
    getter!(qtensor_aligned_size),
    getter!(qtensor_nbytes),
    getter!(qtensor_alignment),
    getter!(qtensor_precision),
    getter!(qtensor_is_signed),
    getter!(qtensor_scale),
    getter!(qtensor_bias),
    getter!(qtensor_data),
    getter!(qtensor_is_multiparam),
    getter!(qtensor_is_logarithmic),
    getter!(qtensor_channel_axis),
    getter!(qtensor_data_type),
    getter!(qtensor_channel_scale_count),
    getter!(qtensor_channel_scales),
    getter!(qtensor_channel_bias_count),
    getter!(qtensor_channel_biases),
    ("qtensor_version", |attempt| {
        attempt.quiet(|| qtensor_version());
    }),
    ("qtensor_create", |attempt| {
        let mut tensor = no_tensor();
        tensor.handle = attempt.pointer(|| qtensor_create());
    }),
    ("qtensor_free", |attempt| {
        let mut tensor = written(2, true, true);
        let handle = std::mem::replace(&mut tensor.handle, ptr::null_mut());
        // SAFETY: the only pointer to a live object, then NULL.
        attempt.quiet(|| unsafe { qtensor_free(handle) });
        // SAFETY: NULL.
        attempt.quiet(|| unsafe { qtensor_free(ptr::null_mut()) });
    }),
    ("qtensor_create_with", |attempt| {
        let mut tensor = no_tensor();
        let (dims, out) = ([2i64, 3, 4], tensor.out());
        // SAFETY: valid pointers.
        let run =
            |error: Error| unsafe { qtensor_create_with(dims.as_ptr(), 3, 4, true, out, error) };
        // SAFETY: nothing else uses the handle.
        attempt.call(run, || assert!(unsafe { out.read() }.is_null()));
        let mut none = no_tensor();
        let (dims, out) = ([2i64, -3], none.out());
        // SAFETY: valid pointers.
        let run =
            |error: Error| unsafe { qtensor_create_with(dims.as_ptr(), 2, 4, true, out, error) };
        // SAFETY: nothing else uses the handle.
        attempt.expect(QTENSOR_INVALID_ARGUMENT, run, || assert!(unsafe { out.read() }.is_null()));
    }),
    ("qtensor_clone", |attempt| {
        let (tensor, mut copy) = (written(2, true, true), no_tensor());
        let (before, out) = (snapshot(tensor.handle), copy.out());
        // SAFETY: valid pointers.
        let run = |error: Error| unsafe { qtensor_clone(tensor.handle, out, error) };
        attempt.call(run, || {
            // SAFETY: nothing else uses the handle.
            assert!(unsafe { out.read() }.is_null());
            assert_eq!(snapshot(tensor.handle), before);
        });
        assert_eq!(snapshot(copy.handle), before);
    }),
    ("qtensor_resize", |attempt| {
        // The same number of bytes, another one, and one that is refused.
        for dims in [[15i64, 1], [70, 80]] {
            let (tensor, kept) = (written(2, true, true), Cell::new(dims));
            let before = snapshot(tensor.handle);
            // SAFETY: a live handle and two dimensions.
            let run = |error: Error| unsafe {
                qtensor_resize(tensor.handle, kept.as_ptr().cast(), 2, error)
            };
            attempt.call(run, || assert_eq!(snapshot(tensor.handle), before));
        }
        let tensor = written(2, true, true);
        let (before, dims) = (snapshot(tensor.handle), [i64::MAX, i64::MAX]);
        // SAFETY: a live handle and two dimensions.
        let run = |error: Error| unsafe { qtensor_resize(tensor.handle, dims.as_ptr(), 2, error) };
        attempt.expect(QTENSOR_OVERFLOW, run, || assert_eq!(snapshot(tensor.handle), before));
    }),
    ("qtensor_set_precision", |attempt| {
        // SAFETY: `change` passes a live handle.
        change(attempt, |t, e| unsafe { qtensor_set_precision(t, 9, e) }, written(2, true, true));
    }),
    ("qtensor_set_signed", |attempt| {
        // SAFETY: `change` passes a live handle.
        change(attempt, |t, e| unsafe { qtensor_set_signed(t, false, e) }, written(2, true, true));
    }),
    ("qtensor_set_scale", |attempt| {
        // SAFETY: `change` passes a live handle.
        change(attempt, |t, e| unsafe { qtensor_set_scale(t, 3.0, e) }, written(2, true, true));
    }),
    ("qtensor_set_bias", |attempt| {
        // SAFETY: `change` passes a live handle.
        change(attempt, |t, e| unsafe { qtensor_set_bias(t, 3.0, e) }, written(2, true, true));
    }),
    ("qtensor_set_bit", |attempt| {
        // SAFETY: `change` passes a live handle.
        change(attempt, |t, e| unsafe { qtensor_set_bit(t, 2, 14, true, e) }, unwritten(2, true));
        // SAFETY: `change` passes a live handle.
        change(
            attempt,
            |t, e| unsafe { qtensor_set_bit(t, 2, 14, true, e) },
            written(2, true, true),
        );
        let tensor = unwritten(2, true);
        let before = snapshot(tensor.handle);
        // SAFETY: a live handle.
        let run = |error: Error| unsafe { qtensor_set_bit(tensor.handle, 3, 0, true, error) };
        attempt.expect(QTENSOR_OUT_OF_RANGE, run, || assert_eq!(snapshot(tensor.handle), before));
    }),
    ("qtensor_get_bit", |attempt| {
        // SAFETY: `ask` passes a live handle or NULL, and a place for the answer.
        ask(attempt, false, |t, out, e| unsafe { qtensor_get_bit(t, 0, 0, out, e) });
    }),
    ("qtensor_mutable_data", |attempt| {
        for tensor in [unwritten(2, true), written(2, true, false)] {
            let (before, data) = (snapshot(tensor.handle), Cell::new(ptr::null_mut()));
            // SAFETY: a live handle and a place for the pointer.
            let run =
                |error: Error| unsafe { qtensor_mutable_data(tensor.handle, data.as_ptr(), error) };
            attempt.call(run, || {
                assert!(data.get().is_null());
                assert_eq!(snapshot(tensor.handle), before);
            });
            // SAFETY: a live handle.
            assert_eq!(data.get().cast_const(), unsafe { qtensor_data(tensor.handle) });
        }
    }),
    ("qtensor_dim32", |attempt| {
        // SAFETY: `ask` passes a live handle or NULL, and a place for the answer.
        ask(attempt, -9, |t, out, e| unsafe { qtensor_dim32(t, 1, out, e) });
    }),
    ("qtensor_canonical_axis_index", |attempt| {
        // SAFETY: `ask` passes a live handle or NULL, and a place for the answer.
        ask(attempt, -9, |t, out, e| unsafe { qtensor_canonical_axis_index(t, -1, out, e) });
    }),
    ("qtensor_size_from_dim", |attempt| {
        // SAFETY: `ask` passes a live handle or NULL, and a place for the answer.
        ask(attempt, -9, |t, out, e| unsafe { qtensor_size_from_dim(t, 1, out, e) });
    }),
    ("qtensor_size_to_dim", |attempt| {
        // SAFETY: `ask` passes a live handle or NULL, and a place for the answer.
        ask(attempt, -9, |t, out, e| unsafe { qtensor_size_to_dim(t, 1, out, e) });
    }),
    ("qtensor_set_channels", |attempt| {
        for tensor in [written(2, true, false), written(2, true, true)] {
            let values = [1.0, 2.0, 3.0, 4.0, 5.0];
            let before = snapshot(tensor.handle);
            // SAFETY: a live handle and five values each.
            let run = |error: Error| unsafe {
                let (scales, biases) = (values.as_ptr(), values.as_ptr());
                qtensor_set_channels(tensor.handle, 1, scales, biases, 5, error)
            };
            attempt.call(run, || assert_eq!(snapshot(tensor.handle), before));
        }
    }),
    ("qtensor_set_data_type", |attempt| {
        // SAFETY: `change` passes a live handle.
        change(attempt, |t, e| unsafe { qtensor_set_data_type(t, 6, e) }, written(2, true, true));
    }),
    ("qtensor_clear_channels", |attempt| {
        // SAFETY: `change` passes a live handle.
        change(attempt, |t, e| unsafe { qtensor_clear_channels(t, e) }, written(2, true, true));
    }),
    ("qtensor_set_logarithmic", |attempt| {
        // SAFETY: `change` passes a live handle.
        let call = |t, e| unsafe { qtensor_set_logarithmic(t, true, e) };
        change(attempt, call, written(2, true, false));
        let tensor = written(2, true, true);
        let before = snapshot(tensor.handle);
        // SAFETY: a live handle, of a tensor with channels.
        let run = |error: Error| unsafe { qtensor_set_logarithmic(tensor.handle, true, error) };
        attempt.expect(QTENSOR_UNSUPPORTED, run, || assert_eq!(snapshot(tensor.handle), before));
    }),
    ("qtensor_create_int8", |attempt| {
        let data = [0u8, 1, 127, 128, 200, 255];
        for (dims, status) in [([2i64, 3], QTENSOR_OK), ([2, 4], QTENSOR_SHAPE_MISMATCH)] {
            let mut tensor = no_tensor();
            let out = tensor.out();
            // SAFETY: valid pointers.
            let run = |error: Error| unsafe {
                qtensor_create_int8(dims.as_ptr(), 2, data.as_ptr(), 6, 0.5, 3, out, error)
            };
            // SAFETY: nothing else uses the handle.
            attempt.expect(status, run, || assert!(unsafe { out.read() }.is_null()));
        }
    }),
    ("qtensor_create_parsed", |attempt| {
        let (dims, data, channels) = ([2i64, 5], [0i32, 128, 255, 64], [0.5f64, 0.25]);
        for (data_count, status) in [(4, QTENSOR_OK), (3, QTENSOR_SHAPE_MISMATCH)] {
            let parsed = qtensor_parsed_t {
                dims: dims.as_ptr(),
                ndim: 2,
                data: data.as_ptr(),
                data_count,
                scales: channels.as_ptr(),
                scale_count: 2,
                biases: channels.as_ptr(),
                bias_count: 2,
                precision: 2,
                ..Default::default()
            };
            let mut tensor = no_tensor();
            let out = tensor.out();
            // SAFETY: valid pointers.
            let run =
                |error: Error| unsafe { qtensor_create_parsed(&raw const parsed, out, error) };
            // SAFETY: nothing else uses the handle.
            attempt.expect(status, run, || assert!(unsafe { out.read() }.is_null()));
        }
    }),
    ("qtensor_to_int8", |attempt| {
        for (precision, signed, status) in
            [(3, true, QTENSOR_OK), (8, false, QTENSOR_OK), (9, false, QTENSOR_UNSUPPORTED)]
        {
            let (tensor, mut made) = (written(precision, signed, false), no_tensor());
            let (before, out) = (snapshot(tensor.handle), made.out());
            // SAFETY: a live handle and a place for the other.
            let run = |error: Error| unsafe { qtensor_to_int8(tensor.handle, out, error) };
            attempt.expect(status, run, || {
                // SAFETY: nothing else uses the handle.
                assert!(unsafe { out.read() }.is_null());
                assert_eq!(snapshot(tensor.handle), before);
            });
        }
    }),
    ("qtensor_view", |attempt| {
        let tensor = written(2, true, false);
        // SAFETY: all bytes zero are a view.
        let mut view: qtensor_view_t = unsafe { std::mem::zeroed() };
        view.struct_size = size_of::<qtensor_view_t>();
        let out = &raw mut view;
        // SAFETY: valid pointers. It reports no error object, so it needs no memory at all.
        assert_eq!(attempt.quiet(|| unsafe { qtensor_view(tensor.handle, out) }), QTENSOR_OK);
        // SAFETY: NULL is refused.
        let status = attempt.quiet(|| unsafe { qtensor_view(ptr::null(), out) });
        assert_eq!(status, QTENSOR_NULL_ARGUMENT);
    }),
    read_codes!(qtensor_read_codes, i64),
    read_codes!(qtensor_read_codes_u8, u8),
    read_codes!(qtensor_read_codes_i8, i8),
    read_codes!(qtensor_read_codes_i32, i32),
    write_codes!(qtensor_write_codes, [3i64; 15]),
    write_codes!(qtensor_write_codes_u8, [3u8; 15]),
    write_codes!(qtensor_write_codes_i8, [3i8; 15]),
    write_codes!(qtensor_write_codes_i32, [3i32; 15]),
];
