//! A scale and a bias for every channel of a tensor, and the element type it was read with.

use super::error::qtensor_error_t;
use super::handle::{exclusive, slice};
use super::panic::{call, quiet};
use super::status::qtensor_status;
use super::tensor::{ask, change, qtensor_t};
use core::ptr;

/// Gives every index along dimension `axis` a scale and a bias of its own: an element with index
/// c there has the value `scales[c] * (x + biases[c])`.
///
/// `scales` and `biases` point to `channels` doubles each, which are copied; for a dimension of 0
/// they may be NULL. They are serialized with the tensor, whose own scale and bias stay what they
/// are. A later resize keeps them even where they no longer fit.
///
/// QTENSOR_OUT_OF_RANGE unless 0 <= axis < ndim; QTENSOR_SHAPE_MISMATCH unless `channels` is the
/// extent of that dimension; QTENSOR_UNSUPPORTED where qtensor_is_logarithmic() is true.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_set_channels(
    tensor: *mut qtensor_t,
    axis: i32,
    scales: *const f64,
    biases: *const f64,
    channels: usize,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    change!(tensor, error, |t| {
        let scales = slice(scales, channels, "scales")?;
        let biases = slice(biases, channels, "biases")?;
        t.set_channels(axis, scales, biases)
    })
}

/// Removes the channels: the tensor's own scale and bias count again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_clear_channels(
    tensor: *mut qtensor_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    change!(tensor, error, |t| {
        t.clear_channels();
        Ok(())
    })
}

/// Whether the tensor says that its channels count; false for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_is_multiparam(tensor: *const qtensor_t) -> bool {
    ask!(tensor, false, |t| t.is_multiparam())
}

/// The dimension that the channels are; -1 where the tensor names none and for NULL. A tensor that
/// was read may name a dimension that it does not have, even -1, or have channels and name none,
/// which are then those of dimension 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_channel_axis(tensor: *const qtensor_t) -> i32 {
    ask!(tensor, -1, |t| t.channel_axis().unwrap_or(-1))
}

/// How many channel scales there are; 0 for NULL. A tensor that was read or resized may have
/// another number than its dimension has.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_channel_scale_count(tensor: *const qtensor_t) -> usize {
    ask!(tensor, 0, |t| t.channel_scales().len())
}

/// The channel scales, valid until the next call that may change the tensor; NULL for NULL. Not
/// to be read where there are none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_channel_scales(tensor: *const qtensor_t) -> *const f64 {
    ask!(tensor, ptr::null(), |t| t.channel_scales().as_ptr())
}

/// How many channel biases there are; 0 for NULL. A tensor that was read or resized may have
/// another number than its dimension has.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_channel_bias_count(tensor: *const qtensor_t) -> usize {
    ask!(tensor, 0, |t| t.channel_biases().len())
}

/// The channel biases, valid until the next call that may change the tensor; NULL for NULL. Not
/// to be read where there are none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_channel_biases(tensor: *const qtensor_t) -> *const f64 {
    ask!(tensor, ptr::null(), |t| t.channel_biases().as_ptr())
}

/// The element type that a serialized form named, a number of Caffe2's TensorProto.DataType; -1
/// where it named none and for NULL. It says nothing about the codes; qtensor_serialize() writes
/// it back.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_data_type(tensor: *const qtensor_t) -> i32 {
    ask!(tensor, -1, |t| t.data_type().unwrap_or(-1))
}

/// Sets the element type that is serialized with the tensor, or removes it where `data_type` is
/// -1, as Caffe2's own QTensor blobs have none.
///
/// QTENSOR_INVALID_ARGUMENT for a number that TensorProto.DataType does not have.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_set_data_type(
    tensor: *mut qtensor_t,
    data_type: i32,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    change!(tensor, error, |t| t.set_data_type(Some(data_type).filter(|number| *number != -1)))
}
