//! Matrix products, while memory runs out.

use crate::attempt::Case;
use crate::objects::{Owned, no_tensor, snapshot, unwritten, written};
use caffe2_qtensor::capi::codes::qtensor_write_codes_i8;
use caffe2_qtensor::capi::error::qtensor_error_t;
use caffe2_qtensor::capi::product::*;
use caffe2_qtensor::capi::status::qtensor_status::QTENSOR_OK;
use caffe2_qtensor::capi::tensor::*;
use std::cell::Cell;
use std::ptr;

type Error = *mut *mut qtensor_error_t;

fn no_packed() -> Owned<qtensor_packed_t> {
    Owned::empty(qtensor_packed_free)
}

/// Three by five codes: -1, 0 and 1 where there is one bit.
fn codes_of(precision: u8, signed: bool) -> Owned<qtensor_t> {
    if precision > 1 {
        return written(precision, signed, false);
    }
    let (tensor, codes) = (unwritten(precision, signed), [1i8, 0, -1].repeat(5));
    // SAFETY: a live handle and as many codes as it has.
    let wrote =
        unsafe { qtensor_write_codes_i8(tensor.handle, codes.as_ptr(), 15, ptr::null_mut()) };
    assert_eq!(wrote, QTENSOR_OK);
    tensor
}

/// Three outputs by five columns.
fn packed_of(precision: u8, signed: bool) -> Owned<qtensor_packed_t> {
    let (tensor, mut packed) = (codes_of(precision, signed), no_packed());
    // SAFETY: a live handle and a place for the other.
    unsafe {
        let made = qtensor_packed_create(tensor.handle, packed.out(), ptr::null_mut());
        assert_eq!(made, QTENSOR_OK);
    }
    packed
}

/// Of nine bits: the kind that takes most.
fn packed() -> Owned<qtensor_packed_t> {
    packed_of(8, true)
}

/// As many rows of five columns, all zeros, of nine bits.
fn rows_of(count: i64) -> Owned<qtensor_t> {
    let (mut tensor, dims) = (no_tensor(), [count, 5]);
    // SAFETY: valid pointers.
    unsafe {
        let made = qtensor_create_with(dims.as_ptr(), 2, 8, true, tensor.out(), ptr::null_mut());
        assert_eq!(made, QTENSOR_OK);
    }
    tensor
}

/// Three by three codes of 12 bits, without planes or with them.
fn square(planes: bool) -> Owned<qtensor_t> {
    let (mut tensor, dims, mut data) = (no_tensor(), [3i64, 3], ptr::null_mut());
    // SAFETY: valid pointers, and a live handle once there is one.
    unsafe {
        let none = ptr::null_mut();
        let made = qtensor_create_with(dims.as_ptr(), 2, 12, true, tensor.out(), none);
        assert_eq!(made, QTENSOR_OK);
        if planes {
            assert_eq!(qtensor_mutable_data(tensor.handle, &raw mut data, none), QTENSOR_OK);
            data.write_bytes(0x5a, qtensor_nbytes(tensor.handle));
        }
    }
    tensor
}

const ADDED: [f32; 3] = [0.5, 1.0, 1.5];

/// Weights, an input of three rows and options for each method, and for the best one.
fn each_method(
    run: impl Fn(*const qtensor_packed_t, *const qtensor_t, *const qtensor_product_options_t),
) {
    let kinds = [
        (QTENSOR_METHOD_BEST, 8, true),
        (QTENSOR_METHOD_POPCOUNT, 8, true),
        (QTENSOR_METHOD_TERNARY, 1, true),
        (QTENSOR_METHOD_BYTES, 8, true),
        (QTENSOR_METHOD_BYTES, 4, false),
        (QTENSOR_METHOD_PLANES, 8, true),
    ];
    for (method, precision, signed) in kinds {
        let (packed, x) = (packed_of(precision, signed), codes_of(precision, signed));
        let options = qtensor_product_options_t { method, ..qtensor_product_options_t::default() };
        run(packed.handle, x.handle, &raw const options);
    }
}

/// Nothing was written where memory ran out, not even the rows that came before.
fn untouched<T: Copy + PartialEq + std::fmt::Debug>(values: *const T, before: T) {
    for i in 0..9 {
        // SAFETY: nine values, which nothing else uses meanwhile.
        assert_eq!(unsafe { values.add(i).read() }, before);
    }
}

pub(crate) const CASES: &[Case] = &[
    ("qtensor_packed_create", |attempt| {
        for (precision, signed) in [(8, true), (2, false)] {
            let (tensor, mut packed) = (written(precision, signed, false), no_packed());
            let out = packed.out();
            // SAFETY: a live handle and a place for the other.
            let run = |error: Error| unsafe { qtensor_packed_create(tensor.handle, out, error) };
            // SAFETY: nothing else uses the handle.
            attempt.call(run, || assert!(unsafe { out.read() }.is_null()));
        }
    }),
    ("qtensor_packed_free", |attempt| {
        let mut packed = packed();
        let handle = std::mem::replace(&mut packed.handle, ptr::null_mut());
        // SAFETY: the only pointer to a live object, then NULL.
        attempt.quiet(|| unsafe { qtensor_packed_free(handle) });
        // SAFETY: NULL.
        attempt.quiet(|| unsafe { qtensor_packed_free(ptr::null_mut()) });
    }),
    ("qtensor_packed_rows", |attempt| {
        let packed = packed();
        // SAFETY: a live handle.
        assert_eq!(attempt.quiet(|| unsafe { qtensor_packed_rows(packed.handle) }), 3);
    }),
    ("qtensor_packed_columns", |attempt| {
        let packed = packed();
        // SAFETY: a live handle.
        assert_eq!(attempt.quiet(|| unsafe { qtensor_packed_columns(packed.handle) }), 5);
    }),
    ("qtensor_packed_nbytes", |attempt| {
        let packed = packed();
        // SAFETY: a live handle.
        assert_eq!(attempt.quiet(|| unsafe { qtensor_packed_nbytes(packed.handle) }), 9 * 256);
    }),
    ("qtensor_product_method", |attempt| {
        let (packed, x) = (packed(), written(8, true, false));
        // It asks for no memory, and so does not fail.
        let method = Cell::new(-1);
        // SAFETY: live handles and a place for the method.
        let run = |error: Error| unsafe {
            qtensor_product_method(x.handle, packed.handle, ptr::null(), method.as_ptr(), error)
        };
        attempt.call(run, || assert_eq!(method.get(), -1));
        assert_eq!(method.get(), QTENSOR_METHOD_PLANES);
    }),
    ("qtensor_product", |attempt| {
        each_method(|packed, x, options| {
            let mut values = [7f32; 9];
            let values = values.as_mut_ptr();
            // SAFETY: live handles and room for the values.
            let run = |error: Error| unsafe {
                qtensor_product(x, packed, ADDED.as_ptr(), 3, values, 9, options, error)
            };
            attempt.call(run, || untouched(values, 7.0));
        });
        // More rows than are made at a time, and in turns of planes.
        let (packed, mut values) = (packed_of(8, true), vec![7f32; 3 * 600]);
        let x = rows_of(600);
        for method in [QTENSOR_METHOD_BYTES, QTENSOR_METHOD_PLANES, QTENSOR_METHOD_POPCOUNT] {
            values.fill(7.0);
            let values = values.as_mut_ptr();
            let options =
                qtensor_product_options_t { method, ..qtensor_product_options_t::default() };
            // SAFETY: live handles and room for the values.
            let run = |error: Error| unsafe {
                let (x, packed, options) = (x.handle, packed.handle, &raw const options);
                qtensor_product(x, packed, ptr::null(), 0, values, 3 * 600, options, error)
            };
            attempt.call(run, || untouched(values, 7.0));
        }
    }),
    ("qtensor_product_sums", |attempt| {
        each_method(|packed, x, options| {
            let mut sums = [7i64; 9];
            let sums = sums.as_mut_ptr();
            // SAFETY: live handles and room for the sums.
            let run =
                |error: Error| unsafe { qtensor_product_sums(x, packed, sums, 9, options, error) };
            attempt.call(run, || untouched(sums, 7));
        });
    }),
    ("qtensor_product_sums_i32", |attempt| {
        each_method(|packed, x, options| {
            let mut sums = [7i32; 9];
            let sums = sums.as_mut_ptr();
            // SAFETY: live handles and room for the sums.
            let run = |error: Error| unsafe {
                qtensor_product_sums_i32(x, packed, sums, 9, options, error)
            };
            attempt.call(run, || untouched(sums, 7));
        });
    }),
    ("qtensor_product_codes", |attempt| {
        each_method(|packed, x, options| {
            for planes in [false, true] {
                let out = square(planes);
                let before = snapshot(out.handle);
                // SAFETY: live handles and as many floats as are said.
                let run = |error: Error| unsafe {
                    let added = ADDED.as_ptr();
                    qtensor_product_codes(x, packed, added, 3, out.handle, options, error)
                };
                attempt.call(run, || assert_eq!(snapshot(out.handle), before));
            }
        });
    }),
    ("qtensor_product_floats", |attempt| {
        each_method(|packed, x, options| {
            let (floats, mut values) = ([0.5f32; 15], [0f32; 9]);
            let (floats, values) = (floats.as_ptr(), values.as_mut_ptr());
            // SAFETY: live handles.
            let (precision, signed) = unsafe { (qtensor_precision(x), qtensor_is_signed(x)) };
            let format = qtensor_input_format_t {
                precision,
                is_signed: signed.into(),
                ..qtensor_input_format_t::default()
            };
            let (format, added) = (&raw const format, ADDED.as_ptr());
            // SAFETY: live handles and as many floats as are said.
            let run = |error: Error| unsafe {
                qtensor_product_floats(
                    floats, 15, format, packed, added, 3, values, 9, options, error,
                )
            };
            attempt.call(run, || ());
        });
    }),
];
