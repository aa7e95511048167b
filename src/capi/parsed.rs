//! Messages that protobuf has read already.

use super::error::qtensor_error_t;
use super::handle::{Extensible, Options, give, options, output, shared, slice};
use super::panic::call;
use super::status::qtensor_status;
use super::tensor::qtensor_t;
use crate::caffe2::parsed_proto::ParsedProto;
use core::ptr;

/// The fields of a QTensorProto as protobuf gives them. All its required fields are there.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct qtensor_parsed_t {
    /// The caller's sizeof(qtensor_parsed_t).
    pub struct_size: usize,
    /// The dimensions, outermost first; may be NULL where there are none.
    pub dims: *const i64,
    /// The number of dimensions.
    pub ndim: usize,
    /// The bytes of the planes, one in each value; may be NULL where there are none.
    pub data: *const i32,
    /// The number of values in data.
    pub data_count: usize,
    /// One scale a channel; may be NULL where there are none.
    pub scales: *const f64,
    /// The number of scales.
    pub scale_count: usize,
    /// One bias a channel; may be NULL where there are none.
    pub biases: *const f64,
    /// The number of biases.
    pub bias_count: usize,
    /// The scale of all elements.
    pub scale: f64,
    /// The bias of all elements, in units of codes.
    pub bias: f64,
    /// Magnitude planes, 0 to 255.
    pub precision: i32,
    /// Not 0 where a sign plane follows the others.
    pub is_signed: i32,
    /// Not 0 where the message has an axis.
    pub has_axis: i32,
    /// Which dimension the channels are.
    pub axis: i32,
    /// Not 0 where the message says whether there are channels.
    pub has_is_multiparam: i32,
    /// Not 0 where there are channels.
    pub is_multiparam: i32,
    /// Not 0 where the message has a data type.
    pub has_data_type: i32,
    /// A number of TensorProto.DataType; one that it does not have counts as absent.
    pub data_type: i32,
}

// SAFETY: repr(C), the size first, then words and an even number of 32-bit members.
unsafe impl Extensible for qtensor_parsed_t {
    const FIRST_SIZE: usize = size_of::<qtensor_parsed_t>();
}
const _: () = assert!(usize::BITS != 64 || size_of::<qtensor_parsed_t>() == 120);

// SAFETY: integers, floats, and pointers that are looked at only as those of any caller are.
unsafe impl Options for qtensor_parsed_t {}

impl Default for qtensor_parsed_t {
    fn default() -> Self {
        qtensor_parsed_t {
            struct_size: size_of::<Self>(),
            dims: ptr::null(),
            ndim: 0,
            data: ptr::null(),
            data_count: 0,
            scales: ptr::null(),
            scale_count: 0,
            biases: ptr::null(),
            bias_count: 0,
            scale: 0.0,
            bias: 0.0,
            precision: 0,
            is_signed: 0,
            has_axis: 0,
            axis: 0,
            has_is_multiparam: 0,
            is_multiparam: 0,
            has_data_type: 0,
            data_type: 0,
        }
    }
}

/// The tensor that a message describes which protobuf has read: the one that
/// qtensor_deserialize_proto() reads from its bytes, without a second time through these.
///
/// `*out` receives the tensor, to be freed with qtensor_free(). What the structure points to is
/// borrowed for the call.
///
/// QTENSOR_MALFORMED for values that would lose something; QTENSOR_SHAPE_MISMATCH where data and
/// dimensions disagree; QTENSOR_UNSUPPORTED for more than 64 dimensions; QTENSOR_OVERFLOW where
/// their product does not fit int64_t. QTENSOR_BUFFER_TOO_SMALL where struct_size is below that of
/// the first version; QTENSOR_UNSUPPORTED where it says of a member that this library does not have
/// that it is not 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_create_parsed(
    parsed: *const qtensor_parsed_t,
    out: *mut *mut qtensor_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the caller passes pointers that are NULL or valid as documented.
    unsafe {
        call(error, || {
            // Where options would be the defaults, a message has to be there.
            shared(parsed.cast::<u8>(), "parsed")?;
            let parsed = options(parsed, "parsed")?;
            let out = output(out, "out")?;
            let said = |present: i32, value: i32| (present != 0).then_some(value);
            let proto = ParsedProto {
                dims: slice(parsed.dims, parsed.ndim, "dims")?,
                precision: parsed.precision,
                scale: parsed.scale,
                bias: parsed.bias,
                is_signed: parsed.is_signed != 0,
                data: slice(parsed.data, parsed.data_count, "data")?,
                scales: slice(parsed.scales, parsed.scale_count, "scales")?,
                biases: slice(parsed.biases, parsed.bias_count, "biases")?,
                axis: said(parsed.has_axis, parsed.axis),
                is_multiparam: said(parsed.has_is_multiparam, parsed.is_multiparam)
                    .map(|value| value != 0),
                data_type: said(parsed.has_data_type, parsed.data_type),
            };
            give(qtensor_t(proto.to_tensor()?), out)
        })
    }
}
