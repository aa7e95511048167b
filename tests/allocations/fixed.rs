//! Fixed-point arithmetic, while memory runs out.

use crate::attempt::Case;
use crate::objects::{Owned, snapshot, unwritten, written};
use caffe2_qtensor::capi::channels::qtensor_set_channels;
use caffe2_qtensor::capi::error::qtensor_error_t;
use caffe2_qtensor::capi::fixed::*;
use caffe2_qtensor::capi::status::qtensor_status::{self, QTENSOR_OK};
use caffe2_qtensor::capi::tensor::{qtensor_resize, qtensor_t};
use std::ptr;

type Error = *mut *mut qtensor_error_t;

/// The tensors of an operation: an operand, and what is to be written, without planes.
fn tensors() -> [[Owned<qtensor_t>; 2]; 3] {
    let channels = written(8, true, false);
    let large = [written(8, true, false), unwritten(4, false)];
    let values = [0.5, 2.0, 3.0];
    let dims = [1i64, 3000];
    // SAFETY: live handles and valid pointers.
    unsafe {
        let (start, none) = (values.as_ptr(), ptr::null_mut());
        let set = qtensor_set_channels(channels.handle, 0, start, start, 3, none);
        assert_eq!(set, QTENSOR_OK);
        // Enough elements for a table.
        for tensor in &large {
            assert_eq!(qtensor_resize(tensor.handle, dims.as_ptr(), 2, none), QTENSOR_OK);
        }
    }
    [[written(4, true, false), unwritten(8, true)], [channels, unwritten(11, true)], large]
}

fn each(
    attempt: &crate::attempt::Attempt,
    run: fn(*const qtensor_t, *mut qtensor_t, Error) -> qtensor_status,
) {
    for [x, out] in tensors() {
        let before = snapshot(out.handle);
        attempt.call(
            |error: Error| run(x.handle, out.handle, error),
            || assert_eq!(snapshot(out.handle), before),
        );
    }
}

pub(crate) const CASES: &[Case] = &[
    ("qtensor_requantize", |attempt| {
        // SAFETY: live handles.
        each(attempt, |x, out, error| unsafe { qtensor_requantize(x, out, ptr::null(), error) });
    }),
    ("qtensor_relu", |attempt| {
        // SAFETY: live handles.
        each(attempt, |x, out, error| unsafe { qtensor_relu(x, out, ptr::null(), error) });
    }),
    ("qtensor_clamp", |attempt| {
        each(attempt, |x, out, error| {
            // SAFETY: live handles.
            unsafe { qtensor_clamp(x, -1.0, 1.0, out, ptr::null(), error) }
        });
    }),
    ("qtensor_add", |attempt| {
        // SAFETY: live handles.
        each(attempt, |x, out, error| unsafe { qtensor_add(x, x, out, ptr::null(), error) });
    }),
    ("qtensor_multiply", |attempt| {
        // SAFETY: live handles.
        each(attempt, |x, out, error| unsafe { qtensor_multiply(x, x, out, ptr::null(), error) });
    }),
    ("qtensor_dot", |attempt| {
        for [x, _] in tensors() {
            let mut value = 77.0;
            let out = &raw mut value;
            // SAFETY: a live handle and a place for the answer.
            let run = |error: Error| unsafe { qtensor_dot(x.handle, x.handle, out, error) };
            // SAFETY: nothing else uses the answer.
            attempt.call(run, || assert_eq!(unsafe { out.read() }, 77.0));
        }
    }),
    ("qtensor_dot_codes", |attempt| {
        for [x, _] in tensors() {
            let mut sum = 77;
            let out = &raw mut sum;
            // SAFETY: a live handle and a place for the answer.
            let run = |error: Error| unsafe { qtensor_dot_codes(x.handle, x.handle, out, error) };
            // SAFETY: nothing else uses the answer.
            attempt.call(run, || assert_eq!(unsafe { out.read() }, 77));
        }
    }),
    ("qtensor_argmax", |attempt| {
        let (x, mut indices) = (written(4, true, false), [77; 3]);
        let out = indices.as_mut_ptr();
        // SAFETY: a live handle and room for the answers.
        let run = |error: Error| unsafe { qtensor_argmax(x.handle, out, 3, error) };
        // SAFETY: nothing else uses the answers.
        attempt.call(run, || assert_eq!(unsafe { out.read() }, 77));
    }),
];
