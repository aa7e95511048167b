//! `Int8TensorCPU`: the tensors of Caffe2's int8 operators, in the same message.
//!
//! They hold one varint per element, bytes or 32-bit integers, and stand for
//! `scale * (q - zero_point)`. As quantized tensors they have the bias `-zero_point`.

use super::blob::field;
use super::data::{Piece, used_up};
use super::emit::{Counter, Emit, MAX_MESSAGE, Sink, Varint, too_long};
use super::qtensor_proto::{self, Fields, data_path, emit_dims};
use super::wire::{self, Scanner};
use crate::error::{Error, Result};
use crate::kernels::{Level, Rows, varint};
use crate::planes::codes::{self, BLOCK, Code};
use crate::planes::{Geometry, Storage};
use crate::quantize::{as_int32, bias_of_zero_point};
use crate::shape::checked_geometry;
use crate::tensor::QTensor;

/// Element types, as `TensorProto.DataType` counts them.
const INT32: i32 = 2;
const UINT8: i32 = 6;

/// Why a tensor with channels cannot be one.
pub(super) const ONE_SCALE: &str = "an Int8TensorCPU has one scale for the whole tensor";

/// What the elements are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Element {
    Byte,
    Int32,
}

impl Element {
    pub(super) fn geometry(self, dims: &[i64]) -> Result<Geometry> {
        match self {
            Element::Byte => checked_geometry(dims, 8, false),
            Element::Int32 => checked_geometry(dims, 32, true),
        }
    }

    pub(super) const fn data_type(self) -> i32 {
        match self {
            Element::Byte => UINT8,
            Element::Int32 => INT32,
        }
    }
}

/// The tensor that an `Int8TensorCPU` message in the blob `bytes` describes. Its precision and
/// sign fields say nothing, as in Caffe2.
pub(crate) fn read(fields: &mut Fields, bytes: &[u8]) -> Result<QTensor> {
    let element = match fields.data_type() {
        Some(UINT8) => Element::Byte,
        // 32-bit integers are the message's default type.
        Some(INT32) | None => Element::Int32,
        Some(other) => {
            return Err(Error::Unsupported {
                what: "data type of the Int8TensorCPU",
                value: i128::from(other),
                reason: "its elements are UINT8 (6) or INT32 (2)",
            });
        }
    };
    let (scale, zero_point) = fields.scale_and_bias();
    let zero_point = as_int32(zero_point).ok_or(Error::MalformedNumber {
        field: "bias",
        value: zero_point,
        rule: "a zero point, which is a 32-bit integer",
    })?;
    let mut dims = fields.dims.take()?;
    if dims.is_empty() {
        // There a tensor without dimensions holds one value.
        let failed = Error::OutOfMemory { what: "dimensions", bytes: size_of::<i64>() };
        dims.try_reserve_exact(1).map_err(|_| failed)?;
        dims.push(1);
    }
    let geometry = element.geometry(&dims)?;
    let kept = fields.take_kept()?;
    let path = data_path(Some(field::QTENSOR));
    fields.data.check_count(bytes, path, geometry.size())?;
    let mut storage = Storage::zeroed(geometry.nbytes())?;
    let filled = match element {
        Element::Byte => {
            let mut blocks = Blocks::<u8>::new(geometry, &mut storage);
            fields.data.each_piece(bytes, path, &mut |piece| blocks.add_bytes(piece, bytes))?;
            blocks.finish()
        }
        Element::Int32 => {
            let mut blocks = Blocks::<i64>::new(geometry, &mut storage);
            fields.data.each_piece(bytes, path, &mut |piece| blocks.add_int32(piece, bytes))?;
            blocks.finish()
        }
    };
    if !filled {
        return Err(fields.data.count_error(bytes, path, geometry.size()));
    }
    let bias = bias_of_zero_point(zero_point);
    Ok(QTensor::from_parts(dims, geometry, (scale, bias), kept, storage))
}

/// Values on their way into the planes, collected into whole blocks.
struct Blocks<'a, T> {
    geometry: Geometry,
    rows: Rows<'a>,
    /// Elements that the planes hold already.
    first: usize,
    block: [T; BLOCK],
    length: usize,
    too_many: bool,
}

impl<'a, T: Code> Blocks<'a, T> {
    fn new(geometry: Geometry, storage: &'a mut Storage) -> Blocks<'a, T> {
        let block = [T::ZERO; BLOCK];
        Blocks {
            geometry,
            rows: storage.rows(geometry),
            first: 0,
            block,
            length: 0,
            too_many: false,
        }
    }

    /// The part of the block that is free and has elements to come.
    fn room(&mut self) -> &mut [T] {
        let missing = self.geometry.size().saturating_sub(self.first);
        let end = missing.min(BLOCK);
        self.block.get_mut(self.length..end).unwrap_or_default()
    }

    fn advance(&mut self, count: usize) {
        self.length = self.length.saturating_add(count);
        if self.length == BLOCK {
            self.flush();
        }
    }

    fn flush(&mut self) {
        let codes = self.block.get(..self.length).unwrap_or_default();
        let mut part = self.rows.part(self.first / 8, codes.len().div_ceil(8));
        codes::write(self.geometry, codes, &mut part);
        self.first = self.first.saturating_add(self.length);
        self.length = 0;
    }

    /// Writes what is left; whether there was exactly one value for every element.
    fn finish(mut self) -> bool {
        self.flush();
        self.first == self.geometry.size() && !self.too_many
    }
}

impl Blocks<'_, u8> {
    fn add_bytes(&mut self, piece: Piece, bytes: &[u8]) -> Result<()> {
        match piece {
            Piece::Packed(span) => self.add_packed(span.of(bytes), span.start),
            Piece::One(value) => self.add_packed(Varint::of(value).bytes(), 0),
        }
    }

    fn add_packed(&mut self, mut source: &[u8], mut offset: u64) -> Result<()> {
        while !source.is_empty() && !self.too_many {
            let room = self.room();
            let full = room.is_empty();
            let decoded = varint::decode_into(Level::best(), source, room);
            used_up(decoded, offset)?;
            self.too_many = full;
            source = source.get(decoded.consumed..).unwrap_or_default();
            offset = offset.saturating_add(u64::try_from(decoded.consumed).unwrap_or(0));
            self.advance(decoded.produced);
        }
        Ok(())
    }
}

impl Blocks<'_, i64> {
    fn add_int32(&mut self, piece: Piece, bytes: &[u8]) -> Result<()> {
        match piece {
            Piece::Packed(span) => {
                for value in Scanner::of(bytes, qtensor_proto::MESSAGE).packed(span) {
                    self.add_one(value?)?;
                }
                Ok(())
            }
            Piece::One(value) => self.add_one(value),
        }
    }

    fn add_one(&mut self, value: u64) -> Result<()> {
        let value = wire::as_signed(value);
        if i32::try_from(value).is_err() {
            return Err(Error::MalformedValue {
                field: "data",
                value: i128::from(value),
                rule: "a 32-bit integer",
            });
        }
        match self.room() {
            [slot, ..] => {
                *slot = value;
                self.advance(1);
            }
            [] => self.too_many = true,
        }
        Ok(())
    }
}

/// A tensor as the message of an `Int8TensorCPU`.
pub(crate) struct Int8Message<'a> {
    tensor: &'a QTensor,
    name: &'a [u8],
    element: Element,
    zero_point: i32,
    payload: u64,
}

impl<'a> Int8Message<'a> {
    pub(crate) fn new(tensor: &'a QTensor, name: &'a [u8]) -> Result<Int8Message<'a>> {
        tensor.refuse_logarithmic("an Int8TensorCPU is linear")?;
        let element = match (tensor.precision(), tensor.is_signed()) {
            (8, false) => Element::Byte,
            (32, true) => Element::Int32,
            (precision, _) => {
                return Err(Error::Unsupported {
                    what: "precision",
                    value: i128::from(precision),
                    reason: "an Int8TensorCPU has 8 bits unsigned or 32 bits signed",
                });
            }
        };
        tensor.refuse_channels(ONE_SCALE)?;
        let zero_point = tensor.zero_point()?;
        // Each element takes a byte at least; so many, of a tensor never written, take ages to count.
        if u64::try_from(tensor.size()).unwrap_or(u64::MAX) > MAX_MESSAGE {
            return Err(too_long());
        }
        let mut message = Int8Message { tensor, name, element, zero_point, payload: 0 };
        message.check_codes()?;
        let mut counter = Counter::default();
        message.emit_data(&mut counter);
        message.payload = counter.count;
        Ok(message)
    }

    /// Refuses codes that 32 bits in two's complement do not hold.
    fn check_codes(&self) -> Result<()> {
        let mut refused = None;
        if self.element == Element::Int32 {
            self.each_block(|codes: &[i64]| {
                refused =
                    refused.or(codes.iter().find(|code| i32::try_from(**code).is_err()).copied());
            });
        }
        match refused {
            None => Ok(()),
            Some(code) => Err(Error::OutOfRange {
                what: "code",
                value: i128::from(code),
                min: i128::from(i32::MIN),
                max: i128::from(i32::MAX),
            }),
        }
    }

    fn each_block<T: Code>(&self, mut visit: impl FnMut(&[T])) {
        let mut block = [T::ZERO; BLOCK];
        let size = self.tensor.size();
        for first in (0..size).step_by(BLOCK) {
            let length = size.saturating_sub(first).min(BLOCK);
            let codes = block.get_mut(..length).unwrap_or_default();
            self.tensor.read_block(first, codes);
            visit(codes);
        }
    }

    fn emit_data(&self, sink: &mut impl Sink) {
        match self.element {
            Element::Byte => self.each_block(|codes: &[u8]| {
                let encoded = varint::encoded_len(Level::best(), codes);
                sink.put_varints(codes, u64::try_from(encoded).unwrap_or(u64::MAX));
            }),
            Element::Int32 => self.each_block(|codes: &[i64]| {
                for code in codes {
                    sink.put(Varint::of(wire::from_signed(*code)).bytes());
                }
            }),
        }
    }
}

impl Emit for Int8Message<'_> {
    fn emit(&self, sink: &mut impl Sink) {
        use qtensor_proto::field;
        // A tensor without dimensions is empty here and one value there.
        let no_values: &[i64] = &[0];
        let dims = self.tensor.dims();
        emit_dims(if dims.is_empty() { no_values } else { dims }, sink);
        sink.varint_field(field::PRECISION, 8);
        sink.double_field(field::SCALE, self.tensor.scale());
        sink.double_field(field::BIAS, f64::from(self.zero_point));
        sink.varint_field(field::IS_SIGNED, 0);
        if self.payload != 0 {
            sink.length_field(field::DATA, self.payload);
            self.emit_data(sink);
        }
        sink.bytes_field(field::NAME, self.name);
        let data_type = i64::from(self.element.data_type());
        sink.varint_field(field::DATA_TYPE, wire::from_signed(data_type));
    }
}
