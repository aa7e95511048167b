//! The calls that choose parameters and convert numbers: only error objects take memory.

use crate::attempt::Case;
use crate::objects::{snapshot, written};
use caffe2_qtensor::capi::choose::*;
use caffe2_qtensor::capi::conv1d::*;
use caffe2_qtensor::capi::error::qtensor_error_t;
use caffe2_qtensor::capi::halves::*;
use caffe2_qtensor::capi::status::qtensor_status::*;
use caffe2_qtensor::capi::zero_point::*;
use std::cell::Cell;
use std::ptr;

type Error = *mut *mut qtensor_error_t;

pub(crate) const CASES: &[Case] = &[
    ("qtensor_params_choose", |attempt| {
        let options = qtensor_choose_options_t::default();
        for (max, status) in [(1.0, QTENSOR_OK), (-1.0, QTENSOR_INVALID_ARGUMENT)] {
            let struct_size = size_of::<qtensor_chosen_t>();
            let mut chosen =
                qtensor_chosen_t { struct_size, scale: -9.0, zero_point: 7, reserved: 0 };
            let out = &raw mut chosen;
            let run = |error: Error| {
                // SAFETY: valid pointers.
                unsafe { qtensor_params_choose(0.0, max, &raw const options, out, error) }
            };
            // SAFETY: nothing else uses the result.
            attempt.expect(status, run, || assert_eq!(unsafe { out.read() }.scale, -9.0));
        }
    }),
    ("qtensor_zero_point", |attempt| {
        let tensor = written(2, true, true);
        let handles = [(tensor.handle, QTENSOR_OK), (ptr::null_mut(), QTENSOR_NULL_ARGUMENT)];
        for (handle, status) in handles {
            let out = Cell::new(77);
            // SAFETY: a live handle or NULL, and a place for the answer.
            let run = |error: Error| unsafe { qtensor_zero_point(handle, out.as_ptr(), error) };
            attempt.expect(status, run, || assert_eq!(out.get(), 77));
        }
    }),
    ("qtensor_set_zero_point", |attempt| {
        let tensor = written(2, true, true);
        let before = snapshot(tensor.handle);
        // SAFETY: a live handle that nobody else uses.
        let run = |error: Error| unsafe { qtensor_set_zero_point(tensor.handle, 5, error) };
        attempt.call(run, || assert_eq!(snapshot(tensor.handle), before));
    }),
    ("qtensor_zero_point_of_bias", |attempt| {
        for (bias, status) in [(-4.0, QTENSOR_OK), (0.5, QTENSOR_OUT_OF_RANGE)] {
            let out = Cell::new(77);
            // SAFETY: a place for the answer.
            let run =
                |error: Error| unsafe { qtensor_zero_point_of_bias(bias, out.as_ptr(), error) };
            attempt.expect(status, run, || assert_eq!(out.get(), 77));
        }
    }),
    ("qtensor_bias_of_zero_point", |attempt| {
        attempt.quiet(|| qtensor_bias_of_zero_point(3));
    }),
    ("qtensor_half_to_float", |attempt| {
        attempt.quiet(|| qtensor_half_to_float(3));
    }),
    ("qtensor_half_from_float", |attempt| {
        attempt.quiet(|| qtensor_half_from_float(3.0));
    }),
    ("qtensor_bfloat16_to_float", |attempt| {
        attempt.quiet(|| qtensor_bfloat16_to_float(3));
    }),
    ("qtensor_bfloat16_from_float", |attempt| {
        attempt.quiet(|| qtensor_bfloat16_from_float(3.0));
    }),
    ("qtensor_half_saturate", |attempt| {
        let values = Cell::new([1e9f32, 1.0]);
        let count = Cell::new(77);
        let data = values.as_ptr().cast::<f32>();
        // SAFETY: two values that nothing else uses and a place for the count.
        let run = |error: Error| unsafe { qtensor_half_saturate(data, 2, count.as_ptr(), error) };
        attempt.call(run, || assert_eq!(count.get(), 77));
        assert_eq!((values.get(), count.get()), ([65504.0, 1.0], 1));
        // SAFETY: NULL is refused.
        let run = |error: Error| unsafe { qtensor_half_saturate(data, 2, ptr::null_mut(), error) };
        attempt.expect(QTENSOR_NULL_ARGUMENT, run, || ());
    }),
    ("qtensor_conv1d_argument", |attempt| {
        let arguments = [5i64, 7];
        for (count, status) in [(2, QTENSOR_OK), (0, QTENSOR_OUT_OF_RANGE)] {
            let out = Cell::new([77i64; 2]);
            // SAFETY: valid pointers.
            let run = |error: Error| unsafe {
                qtensor_conv1d_argument(arguments.as_ptr(), count, 1, out.as_ptr().cast(), error)
            };
            attempt.expect(status, run, || assert_eq!(out.get(), [77; 2]));
        }
    }),
];
