//! Tensors of Caffe2's int8 operators, in memory.

use super::error::qtensor_error_t;
use super::handle::{give, output, shared, slice};
use super::panic::call;
use super::status::qtensor_status;
use super::tensor::qtensor_t;
use crate::tensor::QTensor;

/// A new tensor with what an Int8TensorCPU of bytes holds: values scale * (q - zero_point).
///
/// `dims` points to `ndim` dimensions, at most 64, outermost first, and may be NULL where `ndim` is
/// 0: as in Caffe2 there is one value then, and the tensor has one dimension of 1. `data` points to
/// the `n` bytes q, which become the codes of an unsigned tensor of precision 8; its bias is minus
/// the zero point and its qtensor_data_type() UINT8 (6), as qtensor_deserialize() reads such a
/// blob. `scale` is a float in Caffe2; every double is kept as it is. `*out` receives the tensor,
/// to be freed with qtensor_free().
///
/// QTENSOR_SHAPE_MISMATCH unless n is the product of the dimensions; for these
/// QTENSOR_INVALID_ARGUMENT, QTENSOR_OUT_OF_RANGE and QTENSOR_OVERFLOW as qtensor_create_with().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_create_int8(
    dims: *const i64,
    ndim: usize,
    data: *const u8,
    n: usize,
    scale: f64,
    zero_point: i32,
    out: *mut *mut qtensor_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the caller passes pointers that are NULL or valid as documented.
    unsafe {
        call(error, || {
            let dims = slice(dims, ndim, "dims")?;
            let data = slice(data, n, "data")?;
            let out = output(out, "out")?;
            give(qtensor_t(QTensor::from_int8(dims, data, scale, zero_point)?), out)
        })
    }
}

/// A new tensor of exactly the same values in the form of an Int8TensorCPU of bytes: unsigned,
/// precision 8, its bias minus the zero point. Its codes, as qtensor_read_codes_u8() reads them,
/// are the bytes q of scale * (q - zero_point), and qtensor_serialize_int8() writes it.
///
/// Codes of an unsigned tensor stay what they are. Those of a signed one are moved up by 128, and
/// the zero point with them. The scale stays, too; Caffe2 keeps it as a float and rounds one that
/// is none when it reads the blob. `*out` receives the tensor, to be freed with qtensor_free().
///
/// QTENSOR_UNSUPPORTED above precision 8, or 7 where the tensor is signed, and where
/// qtensor_is_multiparam() or qtensor_is_logarithmic() is true; QTENSOR_OUT_OF_RANGE where the bias
/// has a fraction or the zero point would be no 32-bit integer; QTENSOR_OVERFLOW where 8 planes
/// would take more bytes than fit int64_t.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_to_int8(
    tensor: *const qtensor_t,
    out: *mut *mut qtensor_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the caller passes pointers that are NULL or valid as documented.
    unsafe {
        call(error, || {
            let tensor = shared(tensor, "tensor")?;
            let out = output(out, "out")?;
            give(qtensor_t(tensor.0.to_int8()?), out)
        })
    }
}
