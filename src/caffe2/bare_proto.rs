//! A `QTensorProto` that stands alone, without the blob that would say what type of tensor it is.

use super::emit::{message_to_vec, size_of_message, write_message};
use super::qtensor_proto::{Fields, MESSAGE, Message, field};
use super::wire::{Payload, Scanner};
use crate::error::Result;
use crate::tensor::QTensor;

/// The message of a linear tensor.
fn bare_message<'a>(tensor: &'a QTensor, name: &'a [u8]) -> Result<Message<'a>> {
    tensor.refuse_logarithmic("a bare QTensorProto would be read as a linear tensor")?;
    Ok(Message::new(tensor, name))
}

/// Bare messages, as Caffe2 writes them inside others.
impl QTensor {
    /// The bytes that [`QTensor::serialize_proto`] writes.
    ///
    /// # Errors
    /// `Overflow` where the message would be longer than protobuf's 2^31 - 1 bytes; `Unsupported`
    /// for a logarithmic tensor, because a bare message would be read as a linear one.
    pub fn proto_serialized_size(&self, name: &[u8]) -> Result<usize> {
        size_of_message(&bare_message(self, name)?)
    }

    /// Writes a bare `QTensorProto` to the front of `buffer` and returns its length.
    ///
    /// # Errors
    /// `BufferTooSmall`, and then nothing is written; `Overflow` and `Unsupported` as for the size.
    pub fn serialize_proto(&self, name: &[u8], buffer: &mut [u8]) -> Result<usize> {
        write_message(&bare_message(self, name)?, buffer)
    }

    /// A bare `QTensorProto`.
    ///
    /// # Errors
    /// `Overflow` and `Unsupported` as for the size; `OutOfMemory`.
    pub fn to_proto(&self, name: &[u8]) -> Result<Vec<u8>> {
        message_to_vec(&bare_message(self, name)?)
    }

    /// Reads a bare `QTensorProto` as a quantized tensor, a linear one.
    ///
    /// # Errors
    /// As for [`QTensor::deserialize`].
    pub fn deserialize_proto(bytes: &[u8]) -> Result<QTensor> {
        let mut fields = Fields::default();
        fields.merge(&mut Scanner::outermost(bytes, MESSAGE)?)?;
        fields.check_required()?;
        fields.take_tensor(bytes, None)
    }
}

/// The name inside a bare `QTensorProto`; empty where it has none.
///
/// # Errors
/// `Malformed` where the bytes are no protobuf message.
pub fn peek_proto(bytes: &[u8]) -> Result<&[u8]> {
    let mut scanner = Scanner::outermost(bytes, MESSAGE)?;
    let mut name: &[u8] = &[];
    while let Some(number) = scanner.next()? {
        let payload = scanner.payload();
        if let (field::NAME, Payload::Bytes(span)) = (number, payload) {
            name = span.of(bytes);
        }
    }
    Ok(name)
}
