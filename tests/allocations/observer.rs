//! Observers and what is chosen for values, while memory runs out.

use crate::attempt::Case;
use crate::objects::{Owned, no_tensor};
use caffe2_qtensor::capi::calibrate::*;
use caffe2_qtensor::capi::choose::qtensor_chosen_t;
use caffe2_qtensor::capi::error::qtensor_error_t;
use caffe2_qtensor::capi::observer::*;
use caffe2_qtensor::capi::status::qtensor_status::*;
use std::cell::Cell;
use std::ptr;

type Error = *mut *mut qtensor_error_t;

const VALUES: [f32; 6] = [-1.0, 0.0, 0.5, 2.0, 1.25, -0.75];
const DIMS: [i64; 2] = [2, 3];

fn no_observer() -> Owned<qtensor_observer_t> {
    Owned::empty(qtensor_observer_free)
}

fn small() -> qtensor_observer_options_t {
    let struct_size = size_of::<qtensor_observer_options_t>();
    qtensor_observer_options_t { struct_size, bins: 256, channels: 2, ..Default::default() }
}

fn observed() -> Owned<qtensor_observer_t> {
    let (options, mut observer) = (small(), no_observer());
    let none = ptr::null_mut();
    // SAFETY: valid pointers.
    unsafe {
        assert_eq!(qtensor_observer_create(&raw const options, observer.out(), none), QTENSOR_OK);
        let (values, dims) = (VALUES.as_ptr(), DIMS.as_ptr());
        let seen = qtensor_observer_observe(observer.handle, values, 6, dims, 2, none);
        assert_eq!(seen, QTENSOR_OK);
    }
    observer
}

fn state(observer: &Owned<qtensor_observer_t>) -> Vec<u8> {
    let (mut size, none) = (0, ptr::null_mut());
    // SAFETY: a live handle and valid pointers.
    unsafe {
        let sized = qtensor_observer_serialized_size(observer.handle, &raw mut size, none);
        assert_eq!(sized, QTENSOR_OK);
        let mut bytes = vec![0; size];
        let out = bytes.as_mut_ptr();
        let written = qtensor_observer_serialize(observer.handle, out, size, &raw mut size, none);
        assert_eq!(written, QTENSOR_OK);
        bytes
    }
}

fn choice() -> Cell<qtensor_choice_t> {
    let struct_size = size_of::<qtensor_choice_t>();
    Cell::new(qtensor_choice_t { struct_size, scale: -9.0, ..Default::default() })
}

pub(crate) const CASES: &[Case] = &[
    ("qtensor_observer_create", |attempt| {
        let (options, mut observer) = (small(), no_observer());
        let out = observer.out();
        // SAFETY: valid pointers.
        let run = |error: Error| unsafe { qtensor_observer_create(&raw const options, out, error) };
        // SAFETY: nothing else uses the handle.
        attempt.call(run, || assert!(unsafe { out.read() }.is_null()));
    }),
    ("qtensor_observer_free", |attempt| {
        let mut observer = observed();
        let handle = std::mem::replace(&mut observer.handle, ptr::null_mut());
        // SAFETY: the only pointer to a live object.
        attempt.quiet(|| unsafe { qtensor_observer_free(handle) });
    }),
    ("qtensor_observer_clone", |attempt| {
        let (observer, mut copy) = (observed(), no_observer());
        let out = copy.out();
        // SAFETY: a live handle and a place for the other.
        let run = |error: Error| unsafe { qtensor_observer_clone(observer.handle, out, error) };
        // SAFETY: nothing else uses the handle.
        attempt.call(run, || assert!(unsafe { out.read() }.is_null()));
    }),
    ("qtensor_observer_channels", |attempt| {
        let observer = observed();
        // SAFETY: a live handle.
        assert_eq!(attempt.quiet(|| unsafe { qtensor_observer_channels(observer.handle) }), 2);
    }),
    ("qtensor_observer_observe", |attempt| {
        let bad = [f32::NAN; 6];
        for (values, status) in [(VALUES, QTENSOR_OK), (bad, QTENSOR_NON_FINITE)] {
            let observer = observed();
            let before = state(&observer);
            // SAFETY: a live handle and valid pointers.
            let run = |error: Error| unsafe {
                let (values, dims) = (values.as_ptr(), DIMS.as_ptr());
                qtensor_observer_observe(observer.handle, values, 6, dims, 2, error)
            };
            attempt.expect(status, run, || assert!(state(&observer) == before));
        }
    }),
    ("qtensor_observer_merge", |attempt| {
        let (observer, other) = (observed(), observed());
        let before = state(&observer);
        // SAFETY: two live handles.
        let run =
            |error: Error| unsafe { qtensor_observer_merge(observer.handle, other.handle, error) };
        attempt.call(run, || assert!(state(&observer) == before));
        // SAFETY: a live handle; the same one is refused.
        let run = |error: Error| unsafe {
            qtensor_observer_merge(observer.handle, observer.handle, error)
        };
        attempt.expect(QTENSOR_UNSUPPORTED, run, || ());
    }),
    ("qtensor_observer_reset", |attempt| {
        let observer = observed();
        // SAFETY: a live handle.
        let run = |error: Error| unsafe { qtensor_observer_reset(observer.handle, error) };
        attempt.call(run, || ());
    }),
    ("qtensor_observer_serialized_size", |attempt| {
        let (observer, size) = (observed(), Cell::new(77));
        // SAFETY: a live handle and a place for the size.
        let run = |error: Error| unsafe {
            qtensor_observer_serialized_size(observer.handle, size.as_ptr(), error)
        };
        attempt.call(run, || assert_eq!(size.get(), 77));
    }),
    ("qtensor_observer_serialize", |attempt| {
        let observer = observed();
        let mut buffer = state(&observer);
        let (capacity, written) = (buffer.len(), Cell::new(77));
        let buffer = buffer.as_mut_ptr();
        for (capacity, status) in [(capacity, QTENSOR_OK), (9, QTENSOR_BUFFER_TOO_SMALL)] {
            written.set(77);
            // SAFETY: a live handle and room for the state.
            let run = |error: Error| unsafe {
                let written = written.as_ptr();
                qtensor_observer_serialize(observer.handle, buffer, capacity, written, error)
            };
            attempt.expect(status, run, || assert_eq!(written.get(), 77));
        }
    }),
    ("qtensor_observer_deserialize", |attempt| {
        let (bytes, mut read) = (state(&observed()), no_observer());
        let out = read.out();
        // SAFETY: bytes and a place for the handle.
        let run = |error: Error| unsafe {
            qtensor_observer_deserialize(bytes.as_ptr(), bytes.len(), out, error)
        };
        // SAFETY: nothing else uses the handle.
        attempt.call(run, || assert!(unsafe { out.read() }.is_null()));
    }),
    ("qtensor_observer_statistics", |attempt| {
        let observer = observed();
        let struct_size = size_of::<qtensor_statistics_t>();
        let seen = qtensor_statistics_t { struct_size, finite: 77, ..Default::default() };
        let seen = Cell::new(seen);
        // SAFETY: a live handle and a place for the numbers.
        let run = |error: Error| unsafe {
            qtensor_observer_statistics(observer.handle, 1, seen.as_ptr(), error)
        };
        attempt.call(run, || assert_eq!(seen.get().finite, 77));
    }),
    ("qtensor_observer_choose", |attempt| {
        let (observer, choice) = (observed(), choice());
        let options = qtensor_calibrate_options_t { precision: 2, ..Default::default() };
        // SAFETY: a live handle and valid pointers.
        let run = |error: Error| unsafe {
            let options = &raw const options;
            qtensor_observer_choose(observer.handle, 1, options, choice.as_ptr(), error)
        };
        attempt.call(run, || assert_eq!(choice.get().scale, -9.0));
    }),
    ("qtensor_params_choose_exact", |attempt| {
        let options = qtensor_calibrate_options_t { precision: 2, ..Default::default() };
        let choice = choice();
        // SAFETY: valid pointers.
        let run = |error: Error| unsafe {
            let (values, options) = (VALUES.as_ptr(), &raw const options);
            qtensor_params_choose_exact(values, 6, options, choice.as_ptr(), error)
        };
        attempt.call(run, || assert_eq!(choice.get().scale, -9.0));
    }),
    ("qtensor_params_choose_caffe2", |attempt| {
        for method in [QTENSOR_CAFFE2_L2, QTENSOR_CAFFE2_KL, QTENSOR_CAFFE2_P99] {
            let options = qtensor_caffe2_options_t { method, precision: 2, ..Default::default() };
            let struct_size = size_of::<qtensor_chosen_t>();
            let chosen = Cell::new(qtensor_chosen_t {
                struct_size,
                scale: -9.0,
                zero_point: 7,
                reserved: 0,
            });
            // Away from 0, so that the histogram grows.
            let values = VALUES.map(|value| value + 1.5);
            // SAFETY: valid pointers.
            let run = |error: Error| unsafe {
                let (values, options) = (values.as_ptr(), &raw const options);
                qtensor_params_choose_caffe2(values, 6, options, chosen.as_ptr(), error)
            };
            attempt.call(run, || assert_eq!(chosen.get().scale, -9.0));
        }
    }),
    ("qtensor_quantize_best", |attempt| {
        for axis in [-1, 1] {
            let options = qtensor_calibrate_options_t { precision: 2, ..Default::default() };
            let mut tensor = no_tensor();
            let out = tensor.out();
            // SAFETY: valid pointers.
            let run = |error: Error| unsafe {
                let (values, dims) = (VALUES.as_ptr(), DIMS.as_ptr());
                qtensor_quantize_best(values, 6, dims, 2, axis, &raw const options, out, error)
            };
            // SAFETY: nothing else uses the handle.
            attempt.call(run, || assert!(unsafe { out.read() }.is_null()));
        }
    }),
];
