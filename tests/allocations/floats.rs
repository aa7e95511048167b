//! The calls that turn floats into codes and back: planes, channel steps and their notes.

use crate::attempt::{Attempt, Case};
use crate::objects::{Owned, snapshot, unwritten, written};
use caffe2_qtensor::capi::channels::qtensor_set_channels;
use caffe2_qtensor::capi::dequantize::*;
use caffe2_qtensor::capi::error::qtensor_error_t;
use caffe2_qtensor::capi::quantize::*;
use caffe2_qtensor::capi::status::qtensor_status::{self, *};
use caffe2_qtensor::capi::tensor::*;
use std::cell::Cell;
use std::ptr;

type Error = *mut *mut qtensor_error_t;

/// More elements than a block has.
const LARGE: usize = 5000;

/// A tensor of so many elements, without planes or with them.
fn large(precision: u8, signed: bool, planes: bool) -> Owned<qtensor_t> {
    let tensor = unwritten(precision, signed);
    let (dims, mut data) = ([LARGE as i64], ptr::null_mut());
    // SAFETY: a live handle and valid pointers.
    unsafe {
        let none = ptr::null_mut();
        assert_eq!(qtensor_resize(tensor.handle, dims.as_ptr(), 1, none), QTENSOR_OK);
        if planes {
            assert_eq!(qtensor_mutable_data(tensor.handle, &raw mut data, none), QTENSOR_OK);
            data.write_bytes(0x5a, qtensor_nbytes(tensor.handle));
        }
    }
    tensor
}

/// A small tensor with a scale for each of its channels along a dimension.
fn channels(axis: i32) -> Owned<qtensor_t> {
    let tensor = written(4, true, false);
    let (scales, biases) = ([0.5, 1.0, 2.0, 0.25, 4.0], [0.0, 1.0, -1.0, 2.5, 0.0]);
    let count = if axis == 0 { 3 } else { 5 };
    // SAFETY: a live handle and at least as many numbers as are said.
    let set = unsafe {
        let (scales, biases) = (scales.as_ptr(), biases.as_ptr());
        qtensor_set_channels(tensor.handle, axis, scales, biases, count, ptr::null_mut())
    };
    assert_eq!(set, QTENSOR_OK);
    tensor
}

type Quantize<T> = unsafe extern "C" fn(
    *mut qtensor_t,
    *const T,
    usize,
    *const qtensor_quantize_options_t,
    *mut qtensor_quantize_counts_t,
    Error,
) -> qtensor_status;

/// All kinds of tensors: nothing of one has changed where memory ran out.
fn quantize<T>(attempt: &Attempt, call: Quantize<T>, one: T, infinite: T)
where
    T: Copy,
{
    let mut values = [one; LARGE];
    let counts = qtensor_quantize_counts_t {
        struct_size: size_of::<qtensor_quantize_counts_t>(),
        saturated_low: 77,
        saturated_high: 77,
        flushed_to_zero: 77,
        non_finite: 77,
    };
    let run = |tensor: &Owned<qtensor_t>, values: &[T], expected, counting: bool, scheme| {
        let before = snapshot(tensor.handle);
        let counts = Cell::new(counts);
        let size = size_of::<qtensor_quantize_options_t>();
        let options =
            qtensor_quantize_options_t { struct_size: size, scheme, ..Default::default() };
        let out = if counting { counts.as_ptr() } else { ptr::null_mut() };
        let run = |error: Error| {
            let (values, count) = (values.as_ptr(), values.len());
            // SAFETY: a live handle, as many values as it has elements, and valid pointers.
            unsafe { call(tensor.handle, values, count, &raw const options, out, error) }
        };
        attempt.expect(expected, run, || {
            assert_eq!(snapshot(tensor.handle), before);
            assert_eq!(counts.get().saturated_high, 77);
        });
    };
    let schemes = [
        QTENSOR_SCHEME_PARAMETERS,
        QTENSOR_SCHEME_DOREFA_ACTIVATIONS,
        QTENSOR_SCHEME_DOREFA_WEIGHTS,
    ];
    for (scheme, counting) in schemes.into_iter().flat_map(|s| [(s, false), (s, true)]) {
        // DoReFa's codes have no sign.
        let signed = scheme == QTENSOR_SCHEME_PARAMETERS;
        for precision in [4, 8, 12] {
            for tensor in [unwritten(precision, signed), written(precision, false, false)] {
                run(&tensor, &values[..15], QTENSOR_OK, counting, scheme);
            }
            for planes in [false, true] {
                let tensor = large(precision, signed, planes);
                run(&tensor, &values, QTENSOR_OK, counting, scheme);
            }
        }
    }
    for axis in [0, 1] {
        run(&channels(axis), &values[..15], QTENSOR_OK, true, QTENSOR_SCHEME_PARAMETERS);
    }
    // Refused for its last value.
    values[LARGE - 1] = infinite;
    for planes in [false, true] {
        let tensor = large(4, true, planes);
        run(&tensor, &values, QTENSOR_NON_FINITE, true, QTENSOR_SCHEME_PARAMETERS);
    }
}

type Dequantize<T> =
    unsafe extern "C" fn(*const qtensor_t, *mut T, usize, u32, Error) -> qtensor_status;

/// The caller's values are as they were where memory ran out.
fn dequantize<T: Copy + PartialEq>(attempt: &Attempt, call: Dequantize<T>, untouched: T) {
    let tensors = [
        (unwritten(4, true), 15),
        (written(8, true, false), 15),
        (written(12, false, false), 15),
        (channels(0), 15),
        (channels(1), 15),
        (large(8, true, true), LARGE),
        (large(8, true, true), LARGE - 1),
    ];
    for (tensor, count) in tensors {
        let values = Cell::new([untouched; LARGE]);
        // SAFETY: a live handle and room for the values.
        let run =
            |error: Error| unsafe { call(tensor.handle, values.as_ptr().cast(), count, 1, error) };
        let refused = count == LARGE - 1;
        let expected = if refused { QTENSOR_SHAPE_MISMATCH } else { QTENSOR_OK };
        attempt.expect(expected, run, || {
            assert!(values.get().iter().all(|value| *value == untouched));
        });
    }
}

pub(crate) const CASES: &[Case] = &[
    ("qtensor_quantize", |attempt| quantize(attempt, qtensor_quantize, 1.0, f32::INFINITY)),
    ("qtensor_quantize_f64", |attempt| quantize(attempt, qtensor_quantize_f64, 1.0, f64::NAN)),
    ("qtensor_quantize_f16", |attempt| quantize(attempt, qtensor_quantize_f16, 0x3c00, 0x7c00)),
    ("qtensor_quantize_bf16", |attempt| quantize(attempt, qtensor_quantize_bf16, 0x3f80, 0x7f80)),
    ("qtensor_dequantize", |attempt| dequantize(attempt, qtensor_dequantize, 99.0)),
    ("qtensor_dequantize_f64", |attempt| dequantize(attempt, qtensor_dequantize_f64, 99.0)),
    ("qtensor_dequantize_f16", |attempt| dequantize(attempt, qtensor_dequantize_f16, 99)),
    ("qtensor_dequantize_bf16", |attempt| dequantize(attempt, qtensor_dequantize_bf16, 99)),
];
