//! Objects for the calls under test, freed when they go, and what can be seen of them.

use caffe2_qtensor::capi::blobs::{qtensor_blobs_free, qtensor_blobs_t};
use caffe2_qtensor::capi::channels::*;
use caffe2_qtensor::capi::codes::qtensor_write_codes;
use caffe2_qtensor::capi::dense::*;
use caffe2_qtensor::capi::logarithmic::qtensor_is_logarithmic;
use caffe2_qtensor::capi::minidb::*;
use caffe2_qtensor::capi::status::qtensor_status::QTENSOR_OK;
use caffe2_qtensor::capi::tensor::*;
use std::ptr;

/// A handle of the C interface and the function that frees it.
pub(crate) struct Owned<T> {
    pub(crate) handle: *mut T,
    free: unsafe extern "C" fn(*mut T),
}

impl<T> Owned<T> {
    pub(crate) fn empty(free: unsafe extern "C" fn(*mut T)) -> Owned<T> {
        Owned { handle: ptr::null_mut(), free }
    }

    /// Where a call writes the handle.
    pub(crate) fn out(&mut self) -> *mut *mut T {
        &raw mut self.handle
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        // SAFETY: a handle of this type that nobody else has, or NULL.
        unsafe { (self.free)(self.handle) }
    }
}

pub(crate) fn no_tensor() -> Owned<qtensor_t> {
    Owned::empty(qtensor_free)
}

pub(crate) fn no_dense() -> Owned<qtensor_dense_t> {
    Owned::empty(qtensor_dense_free)
}

pub(crate) fn no_blobs() -> Owned<qtensor_blobs_t> {
    Owned::empty(qtensor_blobs_free)
}

pub(crate) fn no_reader() -> Owned<qtensor_minidb_reader_t> {
    Owned::empty(qtensor_minidb_reader_free)
}

pub(crate) fn no_writer() -> Owned<qtensor_minidb_writer_t> {
    Owned::empty(qtensor_minidb_writer_free)
}

/// A tensor of three by five elements without planes.
pub(crate) fn unwritten(precision: u8, signed: bool) -> Owned<qtensor_t> {
    let mut tensor = no_tensor();
    let dims = [3i64, 5];
    // SAFETY: valid pointers.
    let status = unsafe {
        qtensor_create_with(dims.as_ptr(), 2, precision, signed, tensor.out(), ptr::null_mut())
    };
    assert_eq!(status, QTENSOR_OK);
    tensor
}

/// The same with codes, parameters and, if wanted, a scale and a bias for each of three channels.
pub(crate) fn written(precision: u8, signed: bool, channels: bool) -> Owned<qtensor_t> {
    let tensor = unwritten(precision, signed);
    let mut codes = [1i64, 0, 2, 3, 1, 0, 0, 2, 1, 3, 3, 2, 1, 0, 1];
    if signed {
        codes[3] = -3;
    }
    let values = [0.5, -0.0, f64::NAN];
    // SAFETY: a live handle and valid pointers.
    unsafe {
        let none = ptr::null_mut();
        assert_eq!(qtensor_write_codes(tensor.handle, codes.as_ptr(), 15, none), QTENSOR_OK);
        assert_eq!(qtensor_set_scale(tensor.handle, 0.25, none), QTENSOR_OK);
        assert_eq!(qtensor_set_bias(tensor.handle, -3.0, none), QTENSOR_OK);
        if channels {
            let (scales, biases) = (values.as_ptr(), values.as_ptr());
            let set = qtensor_set_channels(tensor.handle, 0, scales, biases, 3, none);
            assert_eq!(set, QTENSOR_OK);
        }
    }
    tensor
}

/// Two by three floats.
pub(crate) fn floats() -> Owned<qtensor_dense_t> {
    let mut dense = no_dense();
    let values = [0.0f32, 0.5, -1.5, f32::NAN, 2.0, 3.0];
    let dims = [2i64, 3];
    // SAFETY: valid pointers.
    let status = unsafe {
        qtensor_dense_create(
            dims.as_ptr(),
            2,
            QTENSOR_ELEMENT_FLOAT,
            values.as_ptr().cast(),
            24,
            dense.out(),
            ptr::null_mut(),
        )
    };
    assert_eq!(status, QTENSOR_OK);
    dense
}

/// Everything that can be seen of a tensor.
#[derive(Debug, PartialEq)]
pub(crate) struct Snapshot {
    dims: Vec<i64>,
    precision: u8,
    signed: bool,
    sizes: (usize, usize, usize),
    scale: u64,
    bias: u64,
    data: Option<Vec<u8>>,
    scales: Vec<u64>,
    biases: Vec<u64>,
    axis: i32,
    multiparam: bool,
    logarithmic: bool,
}

pub(crate) fn snapshot(tensor: *const qtensor_t) -> Snapshot {
    // SAFETY: a live handle, whose getters give pointers that are valid for the lengths beside.
    unsafe {
        let data = qtensor_data(tensor);
        let bits = |values: *const f64, count: usize| {
            std::slice::from_raw_parts(values, count).iter().map(|value| value.to_bits()).collect()
        };
        Snapshot {
            dims: std::slice::from_raw_parts(qtensor_dims(tensor), qtensor_ndim(tensor)).to_vec(),
            precision: qtensor_precision(tensor),
            signed: qtensor_is_signed(tensor),
            sizes: (qtensor_size(tensor), qtensor_aligned_size(tensor), qtensor_nbytes(tensor)),
            scale: qtensor_scale(tensor).to_bits(),
            bias: qtensor_bias(tensor).to_bits(),
            data: (!data.is_null())
                .then(|| std::slice::from_raw_parts(data, qtensor_nbytes(tensor)).to_vec()),
            scales: bits(qtensor_channel_scales(tensor), qtensor_channel_scale_count(tensor)),
            biases: bits(qtensor_channel_biases(tensor), qtensor_channel_bias_count(tensor)),
            axis: qtensor_channel_axis(tensor),
            multiparam: qtensor_is_multiparam(tensor),
            logarithmic: qtensor_is_logarithmic(tensor),
        }
    }
}
