//! Tensors whose codes are those of exponents.

use super::error::qtensor_error_t;
use super::handle::exclusive;
use super::panic::{call, quiet};
use super::status::qtensor_status;
use super::tensor::{ask, change, qtensor_t};

/// Makes a tensor logarithmic where `logarithmic` is true, or linear again where it is false.
///
/// In a logarithmic tensor code 0 has the value 0, and any other code x the value
/// 2^(scale * (|x| - 1 + bias)) with the sign of x: scale 1 makes powers of two, scale 1/2 powers
/// of their square root, and scale * bias is the exponent of code 1. Only this meaning changes:
/// precision, sign, planes, scale and bias stay, so that the codes stand for other values
/// afterwards. A clone is logarithmic too, and no other call changes it.
///
/// qtensor_serialize() and the database calls write such a tensor as a BlobProto of type
/// "QTensorLog" around the same QTensorProto, and read that again. Caffe2 knows no such type and
/// refuses the blob; one of type "QTensor" it would read as linear. What would be taken for a
/// linear tensor is refused with QTENSOR_UNSUPPORTED: channels, a bare QTensorProto and an
/// Int8TensorCPU.
///
/// QTENSOR_UNSUPPORTED where `logarithmic` is true and so is qtensor_is_multiparam().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_set_logarithmic(
    tensor: *mut qtensor_t,
    logarithmic: bool,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    change!(tensor, error, |t| t.set_logarithmic(logarithmic))
}

/// Whether the tensor is logarithmic, as qtensor_set_logarithmic() says; false for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_is_logarithmic(tensor: *const qtensor_t) -> bool {
    ask!(tensor, false, |t| t.is_logarithmic())
}
