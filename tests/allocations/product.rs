//! Matrix products, while memory runs out.

use crate::attempt::Case;
use crate::objects::{Owned, written};
use caffe2_qtensor::capi::error::qtensor_error_t;
use caffe2_qtensor::capi::product::*;
use caffe2_qtensor::capi::status::qtensor_status::QTENSOR_OK;
use std::ptr;

type Error = *mut *mut qtensor_error_t;

fn no_packed() -> Owned<qtensor_packed_t> {
    Owned::empty(qtensor_packed_free)
}

/// Three outputs by five columns, of nine bits: the kind that takes most.
fn packed() -> Owned<qtensor_packed_t> {
    let (tensor, mut packed) = (written(8, true, true), no_packed());
    // A scale that is NaN is refused.
    // SAFETY: a live handle.
    unsafe {
        let clear = caffe2_qtensor::capi::channels::qtensor_clear_channels;
        assert_eq!(clear(tensor.handle, ptr::null_mut()), QTENSOR_OK);
        let made = qtensor_packed_create(tensor.handle, packed.out(), ptr::null_mut());
        assert_eq!(made, QTENSOR_OK);
    }
    packed
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
        attempt.quiet(|| assert_eq!(unsafe { qtensor_packed_rows(packed.handle) }, 3));
    }),
    ("qtensor_packed_columns", |attempt| {
        let packed = packed();
        // SAFETY: a live handle.
        attempt.quiet(|| assert_eq!(unsafe { qtensor_packed_columns(packed.handle) }, 5));
    }),
    ("qtensor_product", |attempt| {
        let (packed, x, mut values) = (packed(), written(8, true, false), [0f32; 9]);
        let values = values.as_mut_ptr();
        // SAFETY: live handles and room for the values.
        let run = |error: Error| unsafe {
            qtensor_product(x.handle, packed.handle, ptr::null(), 0, values, 9, ptr::null(), error)
        };
        attempt.call(run, || ());
    }),
    ("qtensor_product_sums", |attempt| {
        let (packed, x, mut sums) = (packed(), written(4, false, false), [0i64; 9]);
        let sums = sums.as_mut_ptr();
        // SAFETY: live handles and room for the sums.
        let run = |error: Error| unsafe {
            qtensor_product_sums(x.handle, packed.handle, sums, 9, ptr::null(), error)
        };
        attempt.call(run, || ());
    }),
];
