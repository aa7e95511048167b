//! `BlobProto`: the envelope around every tensor, and the calls that read and write whole blobs.

use super::emit::{
    Counter, Emit, MAX_MESSAGE, Sink, Varint, Writer, message_to_vec, size_of_message,
    write_message,
};
use super::int8_tensor::{self, Int8Message};
use super::qtensor_proto::{self, Fields, Message};
use super::tensor_proto::TensorFields;
use super::wire::{Payload, Scanner, Source, Span};
use crate::error::{Error, Excerpt, Result};
use crate::kernels::{Level, varint};
use crate::tensor::QTensor;

pub(crate) const MESSAGE: &str = "BlobProto";

/// The type name of a quantized tensor's blob.
pub const QTENSOR_TYPE: &str = "QTensor";
/// The type name of a logarithmic tensor's blob. Caffe2 has no such type and refuses it, where it
/// would read one of type `QTensor` as linear. The message inside is the same.
pub const QTENSOR_LOG_TYPE: &str = "QTensorLog";
/// The type name of an 8-bit tensor's blob, as Caffe2's int8 operators write it.
pub const INT8_TYPE: &str = "Int8TensorCPU";
/// The type name of an ordinary tensor's blob.
pub const TENSOR_TYPE: &str = "Tensor";

/// The field numbers of the message.
pub(crate) mod field {
    pub(crate) const NAME: u32 = 1;
    pub(crate) const TYPE: u32 = 2;
    pub(crate) const TENSOR: u32 = 3;
    pub(crate) const QTENSOR: u32 = 5;
}

/// What a blob says of itself before anything in it is decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlobInfo<'a> {
    /// The blob's name, any bytes; empty where it has none.
    pub name: &'a [u8],
    /// The blob's type, such as `QTensor`; empty where it has none.
    pub kind: &'a [u8],
}

/// Reads a blob's name and type without decoding what it holds.
///
/// ```
/// use caffe2_qtensor::{QTensor, peek};
///
/// let blob = QTensor::with_shape(&[3], 2, false)?.to_blob(b"w")?;
/// assert_eq!(peek(&blob)?.name, b"w");
/// assert_eq!(peek(&blob)?.kind, b"QTensor");
/// # Ok::<(), caffe2_qtensor::Error>(())
/// ```
///
/// # Errors
/// `Malformed` where the bytes are no protobuf message.
pub fn peek(bytes: &[u8]) -> Result<BlobInfo<'_>> {
    let (name, kind) = peek_spans(&mut Scanner::outermost(bytes, MESSAGE)?)?;
    Ok(BlobInfo { name: name.of(bytes), kind: kind.of(bytes) })
}

/// Where a blob's name and type lie; the last occurrence of each counts.
pub(crate) fn peek_spans<S: Source>(scanner: &mut Scanner<S>) -> Result<(Span, Span)> {
    let nothing = Span { start: 0, end: 0 };
    let (mut name, mut kind) = (nothing, nothing);
    while let Some(number) = scanner.next()? {
        let payload = scanner.payload();
        match (number, payload) {
            (field::NAME, Payload::Bytes(span)) => name = span,
            (field::TYPE, Payload::Bytes(span)) => kind = span,
            _ => {}
        }
    }
    Ok((name, kind))
}

/// The fields of a blob that holds an ordinary tensor of floats, written one after another, and
/// nothing else, and where the floats lie; nothing for any other blob.
pub(crate) fn plain_floats<S: Source>(
    scanner: &mut Scanner<S>,
) -> Result<Option<(TensorFields, Span)>> {
    let (mut is_tensor, mut found) = (false, None);
    while let Some(number) = scanner.next()? {
        match (number, scanner.payload()) {
            (field::TYPE, Payload::Bytes(span)) => {
                let mut kind = [0u8; TENSOR_TYPE.len()];
                is_tensor = span.len() == TENSOR_TYPE.len() as u64;
                if is_tensor {
                    scanner.read_bytes(span, &mut kind)?;
                    is_tensor = kind == TENSOR_TYPE.as_bytes();
                }
            }
            (field::TENSOR, Payload::Bytes(_)) if found.is_some() => return Ok(None),
            (field::TENSOR, Payload::Bytes(span)) => {
                let mut fields = TensorFields::default();
                fields.merge(&mut scanner.lend(span, super::tensor_proto::MESSAGE)?)?;
                fields.check_required()?;
                found = Some(fields);
            }
            (field::QTENSOR, _) => return Ok(None),
            _ => {}
        }
    }
    let found = found.filter(|_| is_tensor);
    Ok(found.and_then(|fields| fields.plain_floats().map(|span| (fields, span))))
}

/// A blob whose form has been checked, messages inside it included.
pub(crate) struct BlobFields<'a> {
    bytes: &'a [u8],
    kind: Option<&'a [u8]>,
    tensor: Option<TensorFields>,
    qtensor: Option<Fields>,
}

impl<'a> BlobFields<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> BlobFields<'a> {
        BlobFields { bytes, kind: None, tensor: None, qtensor: None }
    }

    /// Reads all fields, in place: a blob's fields are too many to be moved for nothing.
    pub(crate) fn read(&mut self) -> Result<&mut BlobFields<'a>> {
        let bytes = self.bytes;
        let blob = &mut *self;
        let mut scanner = Scanner::outermost(bytes, MESSAGE)?;
        while let Some(number) = scanner.next()? {
            let payload = scanner.payload();
            match (number, payload) {
                (field::TYPE, Payload::Bytes(span)) => blob.kind = Some(span.of(bytes)),
                (field::TENSOR, Payload::Bytes(span)) => {
                    let mut inner = scanner.inner(span, super::tensor_proto::MESSAGE)?;
                    blob.tensor.get_or_insert_default().merge(&mut inner)?;
                }
                (field::QTENSOR, Payload::Bytes(span)) => {
                    let mut inner = scanner.inner(span, qtensor_proto::MESSAGE)?;
                    blob.qtensor.get_or_insert_default().merge(&mut inner)?;
                }
                _ => {}
            }
        }
        if let Some(qtensor) = &blob.qtensor {
            qtensor.check_required()?;
        }
        if let Some(tensor) = &blob.tensor {
            tensor.check_required()?;
        }
        Ok(self)
    }

    fn missing(field: &'static str) -> Error {
        Error::MissingField { message: MESSAGE, field }
    }

    /// Checks the form of the tensor message where nothing is going to read it.
    fn check_tensor(&self) -> Result<()> {
        self.tensor.as_ref().map_or(Ok(()), |tensor| tensor.check_form(self.bytes, None))
    }

    fn take_qtensor(&mut self) -> Result<QTensor> {
        self.check_tensor()?;
        let qtensor = self.qtensor.as_mut();
        let outer = Some(field::QTENSOR);
        match self.kind.ok_or(Self::missing("type"))? {
            kind if kind == QTENSOR_TYPE.as_bytes() => {
                qtensor.ok_or(Self::missing("qtensor"))?.take_tensor(self.bytes, outer)
            }
            kind if kind == QTENSOR_LOG_TYPE.as_bytes() => {
                let fields = qtensor.ok_or(Self::missing("qtensor"))?;
                let mut tensor = fields.take_tensor(self.bytes, outer)?;
                tensor.logarithmic = true;
                Ok(tensor)
            }
            kind if kind == INT8_TYPE.as_bytes() => {
                int8_tensor::read(qtensor.ok_or(Self::missing("qtensor"))?, self.bytes)
            }
            kind => {
                if let Some(qtensor) = qtensor {
                    qtensor.data.check_form(self.bytes, qtensor_proto::data_path(outer))?;
                }
                let reason =
                    "only QTensor, QTensorLog and Int8TensorCPU blobs hold a quantized tensor";
                let value = Excerpt::new(kind);
                Err(Error::UnsupportedName { what: "type of the blob", value, reason })
            }
        }
    }

    /// The ordinary tensor's fields, everything else checked for its form.
    pub(crate) fn take_tensor_fields(&mut self) -> Result<TensorFields> {
        if let Some(qtensor) = &self.qtensor {
            let path = qtensor_proto::data_path(Some(field::QTENSOR));
            qtensor.data.check_form(self.bytes, path)?;
        }
        let kind = self.kind.ok_or(Self::missing("type"))?;
        if kind != TENSOR_TYPE.as_bytes() {
            self.check_tensor()?;
            let reason = "only Tensor blobs hold an ordinary tensor";
            let value = Excerpt::new(kind);
            return Err(Error::UnsupportedName { what: "type of the blob", value, reason });
        }
        self.tensor.take().ok_or(Self::missing("tensor"))
    }
}

/// A blob around a message, as Caffe2 writes it.
pub(crate) struct Blob<'a, M> {
    name: &'a [u8],
    kind: &'static str,
    field: u32,
    message: M,
    /// The message's own length, which stands before it.
    inner: u64,
}

impl<'a, M: Emit> Blob<'a, M> {
    pub(crate) fn new(name: &'a [u8], kind: &'static str, field: u32, message: M) -> Blob<'a, M> {
        let inner = message.length();
        Blob { name, kind, field, message, inner }
    }

    fn emit_front(&self, sink: &mut impl Sink) {
        sink.bytes_field(field::NAME, self.name);
        sink.bytes_field(field::TYPE, self.kind.as_bytes());
        sink.length_field(self.field, self.inner);
    }
}

impl<M: Emit> Emit for Blob<'_, M> {
    fn emit(&self, sink: &mut impl Sink) {
        self.emit_front(sink);
        self.message.emit(sink);
    }

    fn length(&self) -> u64 {
        let mut front = Counter::default();
        self.emit_front(&mut front);
        front.count.saturating_add(self.inner)
    }
}

/// Whether a blob of this type holds a quantized tensor.
pub(crate) fn is_quantized(kind: &[u8]) -> bool {
    [QTENSOR_TYPE, QTENSOR_LOG_TYPE, INT8_TYPE].iter().any(|known| known.as_bytes() == kind)
}

/// The type of the blob that a tensor is written as.
fn type_of(tensor: &QTensor) -> &'static str {
    if tensor.is_logarithmic() { QTENSOR_LOG_TYPE } else { QTENSOR_TYPE }
}

fn qtensor_blob<'a>(tensor: &'a QTensor, name: &'a [u8]) -> Blob<'a, Message<'a>> {
    Blob::new(name, type_of(tensor), field::QTENSOR, Message::new(tensor, name))
}

fn int8_blob<'a>(tensor: &'a QTensor, name: &'a [u8]) -> Result<Blob<'a, Int8Message<'a>>> {
    Ok(Blob::new(name, INT8_TYPE, field::QTENSOR, Int8Message::new(tensor, name)?))
}

/// Whole blobs, byte for byte as Caffe2 writes them.
impl QTensor {
    /// The bytes that [`QTensor::serialize`] writes.
    ///
    /// # Errors
    /// `Overflow` where the message would be longer than protobuf's 2^31 - 1 bytes.
    pub fn serialized_size(&self, name: &[u8]) -> Result<usize> {
        size_of_message(&qtensor_blob(self, name))
    }

    /// Writes a `BlobProto` of type `QTensor`, or `QTensorLog` for a logarithmic tensor, to the
    /// front of `buffer` and returns its length.
    ///
    /// # Errors
    /// `BufferTooSmall`, and then nothing is written; `Overflow` as for the size.
    ///
    /// A buffer with room for two bytes per plane byte is filled in one pass over the planes;
    /// with less room they are read twice.
    pub fn serialize(&self, name: &[u8], buffer: &mut [u8]) -> Result<usize> {
        match self.serialize_in_one_pass(name, buffer) {
            Some(length) => Ok(length),
            None => write_message(&qtensor_blob(self, name), buffer),
        }
    }

    /// Writes the planes first and the rest around them. That needs to know where they begin
    /// before their length is known, so every length in front of them must take as many bytes for
    /// the shortest planes as for the longest, and the longest must fit.
    fn serialize_in_one_pass(&self, name: &[u8], buffer: &mut [u8]) -> Option<usize> {
        let planes = self.data()?;
        let shortest = u64::try_from(planes.len()).ok()?;
        let message = Message::with_payload(self, name, shortest);
        let mut inner = Counter::default();
        message.emit(&mut inner);
        let same_width =
            |length: u64| Varint::length(length) == Varint::length(length.saturating_add(shortest));
        let (kind, field, inner_length) = (type_of(self), field::QTENSOR, inner.count);
        let mut blob = Blob { name, kind, field, message, inner: inner_length };
        let mut front = Counter::default();
        blob.emit_front(&mut front);
        let most = front.count.checked_add(inner.count)?.checked_add(shortest)?;
        let fits = usize::try_from(most).is_ok_and(|most| most <= buffer.len());
        if !(fits && most <= MAX_MESSAGE && same_width(shortest) && same_width(inner.count)) {
            return None;
        }
        let start = usize::try_from(front.count.checked_add(inner.planes_at)?).ok()?;
        let room = start.checked_add(planes.len().checked_mul(2)?)?;
        let encoded = varint::encode(Level::best(), planes, buffer.get_mut(start..room)?);
        let more = u64::try_from(encoded).ok()?.checked_sub(shortest)?;
        blob.inner = blob.inner.checked_add(more)?;
        blob.message = Message::with_payload(self, name, shortest.checked_add(more)?);
        let length = usize::try_from(most.checked_sub(shortest)?.checked_add(more)?).ok()?;
        blob.emit(&mut Writer::around_planes(buffer.get_mut(..length)?));
        Some(length)
    }

    /// A `BlobProto` of type `QTensor`, or `QTensorLog` for a logarithmic tensor.
    ///
    /// # Errors
    /// `Overflow` as for the size; `OutOfMemory`.
    pub fn to_blob(&self, name: &[u8]) -> Result<Vec<u8>> {
        message_to_vec(&qtensor_blob(self, name))
    }

    /// Reads a `BlobProto` of type `QTensor`, `QTensorLog` or `Int8TensorCPU`.
    ///
    /// ```
    /// use caffe2_qtensor::QTensor;
    ///
    /// let mut tensor = QTensor::with_shape(&[4], 3, true)?;
    /// tensor.write_codes(&[7i64, -7, 0, 1])?;
    /// let copy = QTensor::deserialize(&tensor.to_blob(b"w")?)?;
    /// assert_eq!(copy.data(), tensor.data());
    /// # Ok::<(), caffe2_qtensor::Error>(())
    /// ```
    ///
    /// An `Int8TensorCPU` of bytes becomes 8 bits unsigned, one of 32-bit integers 32 bits
    /// signed; its bias is minus the zero point.
    ///
    /// # Errors
    /// `Malformed` for damage, missing fields and values that would lose something,
    /// `ShapeMismatch` where data and dimensions disagree, `Unsupported` for other types of
    /// blob, `OutOfMemory`. At most 8 bytes are allocated per byte present.
    pub fn deserialize(bytes: &[u8]) -> Result<QTensor> {
        BlobFields::new(bytes).read()?.take_qtensor()
    }

    /// The bytes that [`QTensor::serialize_int8`] writes.
    ///
    /// # Errors
    /// What [`QTensor::serialize_int8`] refuses, but for the buffer.
    pub fn int8_serialized_size(&self, name: &[u8]) -> Result<usize> {
        size_of_message(&int8_blob(self, name)?)
    }

    /// Writes a `BlobProto` of type `Int8TensorCPU` to the front of `buffer` and returns its
    /// length. An unsigned tensor of precision 8 becomes one of bytes, a signed one of precision
    /// 32 becomes one of 32-bit integers; the zero point is minus the bias.
    ///
    /// # Errors
    /// `Unsupported` for other precisions, a tensor with channels and a logarithmic one;
    /// `OutOfRange` where the zero point is no 32-bit integer or a code does not fit one;
    /// `BufferTooSmall`; `Overflow`.
    pub fn serialize_int8(&self, name: &[u8], buffer: &mut [u8]) -> Result<usize> {
        write_message(&int8_blob(self, name)?, buffer)
    }

    /// A `BlobProto` of type `Int8TensorCPU`.
    ///
    /// # Errors
    /// What [`QTensor::serialize_int8`] refuses, but for the buffer; `OutOfMemory`.
    pub fn to_int8_blob(&self, name: &[u8]) -> Result<Vec<u8>> {
        message_to_vec(&int8_blob(self, name)?)
    }
}
