//! Memory that is lent, while memory runs out: nobody is told anything before a call has worked.

use crate::attempt::Case;
use crate::objects::{floats, no_dense, written};
use caffe2_qtensor::capi::borrow::*;
use caffe2_qtensor::capi::dense::QTENSOR_ELEMENT_FLOAT;
use caffe2_qtensor::capi::error::qtensor_error_t;
use caffe2_qtensor::capi::status::qtensor_status::{QTENSOR_OK, QTENSOR_SHAPE_MISMATCH};
use caffe2_qtensor::capi::tensor::{qtensor_data, qtensor_set_bit};
use std::cell::Cell;
use std::ffi::c_void;
use std::ptr;

type Error = *mut *mut qtensor_error_t;

/// Counts how often the lender was told.
unsafe extern "C" fn count(told: *mut c_void) {
    // SAFETY: every case passes a counter that outlives the call.
    let told = unsafe { &*told.cast::<Cell<u32>>() };
    told.set(told.get() + 1);
}

fn context(told: &Cell<u32>) -> *mut c_void {
    ptr::from_ref(told).cast_mut().cast()
}

pub(crate) const CASES: &[Case] = &[
    ("qtensor_borrow", |attempt| {
        for (nbytes, status) in [(6, QTENSOR_OK), (5, QTENSOR_SHAPE_MISMATCH)] {
            let (planes, told) = ([0x5au8; 6], Cell::new(0));
            let tensor = written(2, true, false);
            // SAFETY: a live handle.
            let own = unsafe { qtensor_data(tensor.handle) };
            // SAFETY: a live handle, and planes that are there longer.
            let run = |error: Error| unsafe {
                let release = Some(count as unsafe extern "C" fn(*mut c_void));
                let planes = planes.as_ptr();
                qtensor_borrow(tensor.handle, planes, nbytes, release, context(&told), error)
            };
            let unchanged = || {
                // SAFETY: a live handle.
                assert_eq!(unsafe { qtensor_data(tensor.handle) }, own);
                assert_eq!(told.get(), 0);
            };
            attempt.expect(status, run, unchanged);
            if status != QTENSOR_OK {
                continue;
            }
            // The first write needs memory for a copy.
            // SAFETY: a live handle.
            let write = |error: Error| unsafe { qtensor_set_bit(tensor.handle, 0, 0, true, error) };
            let still_lent = || {
                // SAFETY: a live handle.
                assert_eq!(unsafe { qtensor_data(tensor.handle) }, planes.as_ptr());
                assert_eq!(told.get(), 0);
            };
            attempt.call(write, still_lent);
            assert_eq!(told.get(), 1);
        }
    }),
    ("qtensor_borrow_mut", |attempt| {
        let (mut planes, told) = ([0x5au8; 6], Cell::new(0));
        let tensor = written(2, true, false);
        let start = planes.as_mut_ptr();
        // SAFETY: a live handle, and planes that are there longer.
        let run = |error: Error| unsafe {
            let release = Some(count as unsafe extern "C" fn(*mut c_void));
            qtensor_borrow_mut(tensor.handle, start, 6, release, context(&told), error)
        };
        attempt.call(run, || assert_eq!(told.get(), 0));
        // SAFETY: a live handle.
        attempt.call(
            |error: Error| unsafe { qtensor_set_bit(tensor.handle, 0, 0, true, error) },
            || (),
        );
        assert_eq!(told.get(), 0);
        drop(tensor);
        assert_eq!(told.get(), 1);
    }),
    ("qtensor_is_borrowed", |attempt| {
        let tensor = written(2, true, false);
        // SAFETY: a live handle, then NULL.
        assert!(!attempt.quiet(|| unsafe { qtensor_is_borrowed(tensor.handle) }));
        // SAFETY: NULL.
        assert!(!attempt.quiet(|| unsafe { qtensor_is_borrowed(ptr::null()) }));
    }),
    ("qtensor_dense_borrow", |attempt| {
        let (values, told, dims) = ([1f32, 2.0], Cell::new(0), [2i64]);
        for (nbytes, status) in [(8, QTENSOR_OK), (7, QTENSOR_SHAPE_MISMATCH)] {
            let mut dense = no_dense();
            let out = dense.out();
            told.set(0);
            // SAFETY: valid pointers to what is there longer.
            let run = |error: Error| unsafe {
                let release = Some(count as unsafe extern "C" fn(*mut c_void));
                let (dims, data) = (dims.as_ptr(), values.as_ptr().cast());
                let told = context(&told);
                let float = QTENSOR_ELEMENT_FLOAT;
                qtensor_dense_borrow(dims, 1, float, data, nbytes, release, told, out, error)
            };
            attempt.expect(status, run, || {
                // SAFETY: nothing else uses the handle.
                assert!(unsafe { out.read() }.is_null());
                assert_eq!(told.get(), 0);
            });
            drop(dense);
            assert_eq!(told.get(), u32::from(status == QTENSOR_OK));
        }
    }),
    ("qtensor_dense_is_borrowed", |attempt| {
        let dense = floats();
        // SAFETY: a live handle, then NULL.
        assert!(!attempt.quiet(|| unsafe { qtensor_dense_is_borrowed(dense.handle) }));
        // SAFETY: NULL.
        assert!(!attempt.quiet(|| unsafe { qtensor_dense_is_borrowed(ptr::null()) }));
    }),
];
