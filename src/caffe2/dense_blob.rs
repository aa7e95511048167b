//! Ordinary tensors as blobs: whole ones, and chunks of large ones.

use super::blob::{self, Blob, BlobFields, TENSOR_TYPE};
use super::dense::DenseTensor;
use super::elements::{Element, ElementsRef};
use super::emit::{Emit, Sink, Varint, message_to_vec, size_of_message, write_message};
use super::tensor_proto::field;
use super::wire;
use crate::error::Result;
use crate::kernels::{Level, varint};

/// A range of a tensor's elements as a message.
pub(crate) struct TensorMessage<'a> {
    tensor: &'a DenseTensor,
    name: &'a [u8],
    range: core::ops::Range<usize>,
}

impl<'a> TensorMessage<'a> {
    /// A blob of the elements in `range`, which must lie within the tensor.
    pub(crate) fn blob(
        tensor: &'a DenseTensor,
        name: &'a [u8],
        range: core::ops::Range<usize>,
    ) -> Blob<'a, TensorMessage<'a>> {
        Blob::new(name, TENSOR_TYPE, blob::field::TENSOR, TensorMessage { tensor, name, range })
    }

    fn range_of<'b, T>(&self, values: &'b [T]) -> &'b [T] {
        values.get(self.range.clone()).unwrap_or_default()
    }
}

impl Emit for TensorMessage<'_> {
    fn emit(&self, sink: &mut impl Sink) {
        let elements = self.tensor.elements();
        super::qtensor_proto::emit_dims(self.tensor.dims(), sink);
        let number = elements.element_type() as i32;
        sink.varint_field(field::DATA_TYPE, wire::from_signed(i64::from(number)));
        match elements {
            ElementsRef::Float(v) => emit_fixed(field::FLOAT_DATA, self.range_of(v), sink),
            ElementsRef::Int32(v) => emit_integers(field::INT32_DATA, self.range_of(v), sink),
            ElementsRef::Int16(v) => emit_integers(field::INT32_DATA, self.range_of(v), sink),
            ElementsRef::Int8(v) => emit_integers(field::INT32_DATA, self.range_of(v), sink),
            ElementsRef::Uint16(v) | ElementsRef::Float16(v) => {
                emit_integers(field::INT32_DATA, self.range_of(v), sink);
            }
            ElementsRef::Uint8(v) | ElementsRef::Bool(v) => emit_bytes(self.range_of(v), sink),
            ElementsRef::Double(_) | ElementsRef::Int64(_) => {}
        }
        sink.bytes_field(field::NAME, self.name);
        // Device type 0: the memory of the processor.
        sink.bytes_field(field::DEVICE_DETAIL, &[8, 0]);
        match elements {
            ElementsRef::Double(v) => emit_fixed(field::DOUBLE_DATA, self.range_of(v), sink),
            ElementsRef::Int64(v) => emit_integers(field::INT64_DATA, self.range_of(v), sink),
            _ => {}
        }
        let begin = u64::try_from(self.range.start).unwrap_or(u64::MAX);
        let end = u64::try_from(self.range.end).unwrap_or(u64::MAX);
        let length = 2u64.saturating_add(Varint::length(begin)).saturating_add(Varint::length(end));
        sink.length_field(field::SEGMENT, length);
        sink.varint_field(field::BEGIN, begin);
        sink.varint_field(field::END, end);
    }
}

fn emit_fixed<T: Element>(number: u32, values: &[T], sink: &mut impl Sink) {
    if values.is_empty() {
        return;
    }
    sink.length_field(number, u64::try_from(size_of_val(values)).unwrap_or(u64::MAX));
    // A block at a time: a call for every value would cost more than the copy.
    const VALUES: usize = 512;
    let mut block = [0u8; VALUES * size_of::<f64>()];
    for values in values.chunks(VALUES) {
        for (bytes, value) in block.chunks_exact_mut(size_of::<T>()).zip(values) {
            value.put_little_endian(bytes);
        }
        sink.put(block.get(..size_of_val(values)).unwrap_or_default());
    }
}

fn emit_integers<T: Copy + Into<i64>>(number: u32, values: &[T], sink: &mut impl Sink) {
    if values.is_empty() {
        return;
    }
    let on_wire = |value: &T| wire::from_signed((*value).into());
    let lengths = values.iter().map(|value| Varint::length(on_wire(value)));
    sink.length_field(number, lengths.fold(0, u64::saturating_add));
    for value in values {
        sink.put(Varint::of(on_wire(value)).bytes());
    }
}

fn emit_bytes(values: &[u8], sink: &mut impl Sink) {
    if values.is_empty() {
        return;
    }
    let encoded = varint::encoded_len(Level::best(), values);
    let encoded = u64::try_from(encoded).unwrap_or(u64::MAX);
    sink.length_field(field::INT32_DATA, encoded);
    sink.put_varints(values, encoded);
}

/// Whole blobs, byte for byte as Caffe2 writes them.
impl DenseTensor {
    /// The bytes that [`DenseTensor::serialize`] writes.
    ///
    /// # Errors
    /// `Overflow` where the message would be longer than protobuf's 2^31 - 1 bytes.
    pub fn serialized_size(&self, name: &[u8]) -> Result<usize> {
        size_of_message(&self.whole(name))
    }

    /// Writes a `BlobProto` of type `Tensor` to the front of `buffer` and returns its length.
    ///
    /// # Errors
    /// `BufferTooSmall`, and then nothing is written; `Overflow` as for the size.
    pub fn serialize(&self, name: &[u8], buffer: &mut [u8]) -> Result<usize> {
        write_message(&self.whole(name), buffer)
    }

    /// A `BlobProto` of type `Tensor`.
    ///
    /// # Errors
    /// `Overflow` as for the size; `OutOfMemory`.
    pub fn to_blob(&self, name: &[u8]) -> Result<Vec<u8>> {
        message_to_vec(&self.whole(name))
    }

    /// Reads a `BlobProto` of type `Tensor` that holds a whole tensor.
    ///
    /// # Errors
    /// `Malformed` for damage and values that would lose something, `ShapeMismatch` where data
    /// and dimensions disagree, `Unsupported` for other types of blob or element and for a chunk
    /// of a larger tensor, `OutOfMemory`. At most 8 bytes are allocated per byte present.
    pub fn deserialize(bytes: &[u8]) -> Result<DenseTensor> {
        BlobFields::new(bytes).read()?.take_tensor_fields()?.into_dense(bytes)
    }

    fn whole<'a>(&'a self, name: &'a [u8]) -> Blob<'a, TensorMessage<'a>> {
        TensorMessage::blob(self, name, 0..self.elements().len())
    }
}
