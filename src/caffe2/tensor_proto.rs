//! `TensorProto`: an ordinary tensor's message, or a segment of one, read.

use super::blob;
use super::data::{Data, Path, Piece, Width, used_up};
use super::dense::{DenseTensor, dense_size};
use super::dims::Dims;
use super::elements::{Element, ElementType, Elements, each_type};
use super::emit::Varint;
use super::wire::{self, Payload, Scanner, Source, Span};
use crate::error::{Error, Result};
use crate::kernels::{Level, varint};
use crate::params::is_data_type;

pub(crate) const MESSAGE: &str = "TensorProto";

/// The field numbers of the message.
pub(crate) mod field {
    pub(crate) const DIMS: u32 = super::super::dims::FIELD;
    pub(crate) const DATA_TYPE: u32 = 2;
    pub(crate) const FLOAT_DATA: u32 = 3;
    pub(crate) const INT32_DATA: u32 = 4;
    pub(crate) const BYTE_DATA: u32 = 5;
    pub(crate) const NAME: u32 = 7;
    pub(crate) const DEVICE_DETAIL: u32 = 8;
    pub(crate) const DOUBLE_DATA: u32 = 9;
    pub(crate) const INT64_DATA: u32 = 10;
    pub(crate) const SEGMENT: u32 = 11;
    pub(crate) const RAW_DATA: u32 = 13;
    /// In the segment's own message.
    pub(crate) const BEGIN: u32 = 1;
    pub(crate) const END: u32 = 2;
}

/// A deprecated element type: bytes, always in the byte field.
const BYTE: i32 = 3;

/// What one or more occurrences of the message say together.
#[derive(Default)]
pub(crate) struct TensorFields {
    dims: Dims,
    data_type: Option<i32>,
    floats: Data,
    int32s: Data,
    doubles: Data,
    int64s: Data,
    bytes: Option<Span>,
    raw: Option<Span>,
    segment: Option<Segment>,
}

/// The elements of the whole tensor that a message holds.
#[derive(Clone, Copy, Default)]
struct Segment {
    begin: Option<i64>,
    end: Option<i64>,
}

impl TensorFields {
    /// Adds one occurrence of the message.
    pub(crate) fn merge<S: Source>(&mut self, scanner: &mut Scanner<S>) -> Result<()> {
        while let Some(number) = scanner.next()? {
            let payload = scanner.payload();
            match (number, payload) {
                (field::DIMS, _) => self.dims.add_from(payload, scanner)?,
                (field::DATA_TYPE, Payload::Varint(value))
                    if is_data_type(wire::as_signed(value)) =>
                {
                    self.data_type = i32::try_from(value).ok();
                }
                (field::FLOAT_DATA, _) => self.floats.add(Width::Fixed32, payload, scanner)?,
                (field::INT32_DATA, _) => self.int32s.add(Width::Varint, payload, scanner)?,
                (field::DOUBLE_DATA, _) => self.doubles.add(Width::Fixed64, payload, scanner)?,
                (field::INT64_DATA, _) => self.int64s.add(Width::Varint, payload, scanner)?,
                (field::BYTE_DATA, Payload::Bytes(span)) => self.bytes = Some(span),
                (field::RAW_DATA, Payload::Bytes(span)) => self.raw = Some(span),
                (field::DEVICE_DETAIL, Payload::Bytes(span)) => {
                    let mut device = scanner.lend(span, "DeviceOption")?;
                    while device.next()?.is_some() {}
                }
                (field::SEGMENT, Payload::Bytes(span)) => {
                    let segment = self.segment.get_or_insert_default();
                    segment.merge(&mut scanner.lend(span, "TensorProto.Segment")?)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Refuses a segment that lacks a required field.
    pub(crate) fn check_required(&self) -> Result<()> {
        let missing = |field| Err(Error::MissingField { message: "TensorProto.Segment", field });
        match self.segment {
            Some(Segment { begin: None, .. }) => missing("begin"),
            Some(Segment { end: None, .. }) => missing("end"),
            _ => Ok(()),
        }
    }

    /// Checks the form of every data field but the one that is going to be decoded.
    pub(crate) fn check_form(&self, bytes: &[u8], decoded: Option<u32>) -> Result<()> {
        let fields = [
            (&self.floats, path(field::FLOAT_DATA, Width::Fixed32)),
            (&self.int32s, path(field::INT32_DATA, Width::Varint)),
            (&self.doubles, path(field::DOUBLE_DATA, Width::Fixed64)),
            (&self.int64s, path(field::INT64_DATA, Width::Varint)),
        ];
        for (data, path) in fields {
            if decoded != Some(path.field) {
                data.check_form(bytes, path)?;
            }
        }
        Ok(())
    }

    pub(crate) fn dims(&self) -> Result<&[i64]> {
        self.dims.get()
    }

    pub(crate) fn element_type(&self) -> Result<ElementType> {
        match self.data_type {
            None => Ok(ElementType::Float),
            Some(BYTE) => Ok(ElementType::Uint8),
            Some(number) => ElementType::from_number(number),
        }
    }

    /// Which elements of a tensor of `size` the message holds.
    pub(crate) fn range(&self, size: usize) -> Result<core::ops::Range<usize>> {
        let Some(Segment { begin: Some(begin), end: Some(end) }) = self.segment else {
            return Ok(0..size);
        };
        let range = usize::try_from(begin).ok().zip(usize::try_from(end).ok());
        match range {
            Some((begin, end)) if begin <= end && end <= size => Ok(begin..end),
            _ => Err(Error::MalformedValue {
                field: if begin < 0 || begin > end { "segment.begin" } else { "segment.end" },
                value: i128::from(if begin < 0 || begin > end { begin } else { end }),
                rule: "within the tensor's elements, begin before end",
            }),
        }
    }

    /// The most elements that the message can hold, by its length.
    pub(crate) fn most_elements(&self) -> Result<u64> {
        let element_type = self.element_type()?;
        if let Some(raw) = self.raw_bytes(element_type) {
            let size = u64::try_from(element_type.size()).unwrap_or(1);
            return Ok(raw.len().checked_div(size).unwrap_or(0));
        }
        Ok(self.typed(element_type).0.most())
    }

    /// Where the elements lie, if they are floats one after another and there is no other data.
    pub(crate) fn plain_floats(&self) -> Option<Span> {
        let others = [&self.int32s, &self.doubles, &self.int64s];
        let alone = others.iter().all(|data| data.is_empty());
        let alone = alone && self.bytes.is_none() && self.raw.is_none();
        let is_float = matches!(self.data_type, None | Some(1));
        self.floats.single().filter(|_| alone && is_float)
    }

    /// Elements as bytes, little-endian, where they are kept so.
    fn raw_bytes(&self, element_type: ElementType) -> Option<Span> {
        let (data, _) = self.typed(element_type);
        self.bytes.or(self.raw).filter(|_| data.is_empty() || self.data_type == Some(BYTE))
    }

    fn typed(&self, element_type: ElementType) -> (&Data, Path) {
        match element_type {
            ElementType::Float => (&self.floats, path(field::FLOAT_DATA, Width::Fixed32)),
            ElementType::Double => (&self.doubles, path(field::DOUBLE_DATA, Width::Fixed64)),
            ElementType::Int64 => (&self.int64s, path(field::INT64_DATA, Width::Varint)),
            _ => (&self.int32s, path(field::INT32_DATA, Width::Varint)),
        }
    }

    /// Decodes the elements of `range` in the blob `bytes` into their place.
    pub(crate) fn decode(
        &self,
        bytes: &[u8],
        elements: &mut Elements,
        range: core::ops::Range<usize>,
    ) -> Result<()> {
        let element_type = elements.view().element_type();
        let count = range.len();
        if let Some(raw) = self.raw_bytes(element_type) {
            self.check_form(bytes, None)?;
            let raw = raw.of(bytes);
            if count.checked_mul(element_type.size()) != Some(raw.len()) {
                return Err(Error::ShapeMismatch {
                    what: "size of the elements in bytes",
                    value: i128::try_from(raw.len()).unwrap_or(i128::MAX),
                    expected: i128::try_from(count.saturating_mul(element_type.size()))
                        .unwrap_or(i128::MAX),
                });
            }
            let at = range.clone();
            each_type!(Elements, elements, vector => copy_raw(raw, vector.get_mut(at).unwrap_or_default()));
            if let Elements::Bool(values) = elements {
                // Any byte but 0 is true, and true is 1.
                let values = values.get_mut(range).unwrap_or_default();
                values.iter_mut().for_each(|value| *value = u8::from(*value != 0));
            }
            return Ok(());
        }
        let (data, path) = self.typed(element_type);
        self.check_form(bytes, Some(path.field))?;
        data.check_count(bytes, path, count)?;
        let mut target = Target { data, bytes, path };
        match elements {
            Elements::Float(to) => target.fill(to.get_mut(range), |bits| {
                Ok(f32::from_bits(u32::try_from(bits).unwrap_or(0)))
            }),
            Elements::Double(to) => target.fill(to.get_mut(range), |bits| Ok(f64::from_bits(bits))),
            Elements::Int64(to) => {
                target.fill(to.get_mut(range), |value| Ok(wire::as_signed(value)))
            }
            Elements::Int32(to) => target.fill(to.get_mut(range), integer),
            Elements::Int16(to) => target.fill(to.get_mut(range), integer),
            Elements::Int8(to) => target.fill(to.get_mut(range), integer),
            Elements::Uint16(to) | Elements::Float16(to) => target.fill(to.get_mut(range), integer),
            Elements::Uint8(to) => target.fill_bytes(to.get_mut(range)),
            Elements::Bool(to) => target.fill(to.get_mut(range), |value| Ok(u8::from(value != 0))),
        }
    }

    /// Reads floats that lie one after another at `floats` into their place.
    pub(crate) fn stream<S: Source>(
        &self,
        scanner: &mut Scanner<S>,
        floats: Span,
        to: &mut [f32],
    ) -> Result<()> {
        let count = floats.len() / 4;
        if u64::try_from(to.len()) != Ok(count) {
            return Err(Error::ShapeMismatch {
                what: "number of data values",
                value: i128::from(count),
                expected: i128::try_from(to.len()).unwrap_or(i128::MAX),
            });
        }
        let mut rest = to;
        scanner.each_part(floats, 4, |part| {
            let (here, later) =
                core::mem::take(&mut rest).split_at_mut_checked(part.len() / 4).unwrap_or_default();
            copy_raw(part, here);
            rest = later;
            Ok(())
        })
    }

    /// The tensor that a whole blob holds.
    pub(crate) fn into_dense(mut self, bytes: &[u8]) -> Result<DenseTensor> {
        let element_type = self.element_type()?;
        let size = dense_size(self.dims()?)?;
        let range = self.range(size)?;
        if range.len() != size {
            return Err(Error::Unsupported {
                what: "number of elements in the blob",
                value: i128::try_from(range.len()).unwrap_or(i128::MAX),
                reason: "it is one chunk of a larger tensor, which a database reader puts together",
            });
        }
        let claimed = u64::try_from(size).unwrap_or(u64::MAX);
        if claimed > self.most_elements()? {
            return Err(Error::ShapeMismatch {
                what: "number of elements that the data can hold",
                value: i128::from(self.most_elements()?),
                expected: i128::from(claimed),
            });
        }
        let mut elements = Elements::zeroed(element_type, size)?;
        self.decode(bytes, &mut elements, range)?;
        Ok(DenseTensor::from_parts(self.dims.take()?, elements))
    }
}

impl Segment {
    fn merge<S: Source>(&mut self, scanner: &mut Scanner<S>) -> Result<()> {
        while let Some(number) = scanner.next()? {
            let payload = scanner.payload();
            match (number, payload) {
                (field::BEGIN, Payload::Varint(value)) => self.begin = Some(wire::as_signed(value)),
                (field::END, Payload::Varint(value)) => self.end = Some(wire::as_signed(value)),
                _ => {}
            }
        }
        Ok(())
    }
}

const fn path(field: u32, width: Width) -> Path {
    Path { outer: Some(blob::field::TENSOR), field, width }
}

fn integer<T: TryFrom<i64>>(value: u64) -> Result<T> {
    let value = wire::as_signed(value);
    T::try_from(value).map_err(|_| Error::MalformedValue {
        field: "int32_data",
        value: i128::from(value),
        rule: "within the range of the tensor's data type",
    })
}

fn copy_raw<T: Element>(raw: &[u8], values: &mut [T]) {
    for (value, bytes) in values.iter_mut().zip(raw.chunks_exact(size_of::<T>())) {
        *value = T::from_little_endian(bytes);
    }
}

/// A data field on its way into a slice.
struct Target<'a> {
    data: &'a Data,
    bytes: &'a [u8],
    path: Path,
}

impl Target<'_> {
    fn fill<T>(&mut self, to: Option<&mut [T]>, convert: impl Fn(u64) -> Result<T>) -> Result<()> {
        let to = to.unwrap_or_default();
        let count = to.len();
        let (mut slots, mut too_many) = (to.iter_mut(), false);
        let mut put = |value: u64| {
            let value = convert(value)?;
            match slots.next() {
                Some(slot) => *slot = value,
                None => too_many = true,
            }
            Ok(())
        };
        self.data.each_piece(
            self.bytes,
            self.path,
            &mut |piece| match (piece, self.path.width) {
                (Piece::One(value), _) => put(value),
                (Piece::Packed(span), Width::Varint) => {
                    let mut values = Scanner::of(self.bytes, MESSAGE).packed(span);
                    values.try_for_each(|value| put(value?))
                }
                (Piece::Packed(span), Width::Fixed32) => {
                    let values = span.of(self.bytes).as_chunks::<4>().0.iter();
                    values.map(|bytes| u64::from(u32::from_le_bytes(*bytes))).try_for_each(&mut put)
                }
                (Piece::Packed(span), Width::Fixed64) => {
                    wire::packed_fixed64(span.of(self.bytes)).try_for_each(&mut put)
                }
            },
        )?;
        if slots.len() == 0 && !too_many {
            return Ok(());
        }
        Err(self.data.count_error(self.bytes, self.path, count))
    }

    fn fill_bytes(&mut self, to: Option<&mut [u8]>) -> Result<()> {
        let mut rest = to.unwrap_or_default();
        let (count, mut fits) = (rest.len(), true);
        self.data.each_piece(self.bytes, self.path, &mut |piece| {
            let one;
            let (source, start) = match piece {
                Piece::Packed(span) => (span.of(self.bytes), span.start),
                Piece::One(value) => {
                    one = Varint::of(value);
                    (one.bytes(), 0)
                }
            };
            let decoded = varint::decode_into(Level::best(), source, rest);
            fits = used_up(decoded, start)? && fits;
            rest = core::mem::take(&mut rest).get_mut(decoded.produced..).unwrap_or_default();
            Ok(())
        })?;
        if fits && rest.is_empty() {
            return Ok(());
        }
        Err(self.data.count_error(self.bytes, self.path, count))
    }
}
