//! `QTensorProto`: a quantized tensor's message, read and written.
//!
//! Reading has two steps. [`Fields`] collects what a message says, checked for its form only and
//! merged over repeated occurrences as protobuf does. Building a tensor from it then checks the
//! values, and allocates planes only after the bytes for them were seen to be there.

use super::data::{Data, Path, Width};
use super::dims::Dims;
use super::emit::{Emit, Sink};
use super::wire::{self, Payload, Scanner};
use crate::error::{Error, Result};
use crate::kernels::{Level, varint};
use crate::params::{Kept, is_data_type};
use crate::planes::Geometry;
use crate::tensor::QTensor;

pub(crate) const MESSAGE: &str = "QTensorProto";

/// The field numbers of the message.
pub(crate) mod field {
    pub(crate) const DIMS: u32 = super::super::dims::FIELD;
    pub(crate) const PRECISION: u32 = 2;
    pub(crate) const SCALE: u32 = 3;
    pub(crate) const BIAS: u32 = 4;
    pub(crate) const IS_SIGNED: u32 = 5;
    pub(crate) const DATA: u32 = 6;
    pub(crate) const NAME: u32 = 7;
    pub(crate) const DATA_TYPE: u32 = 8;
    pub(crate) const SCALES: u32 = 9;
    pub(crate) const BIASES: u32 = 10;
    pub(crate) const AXIS: u32 = 11;
    pub(crate) const IS_MULTIPARAM: u32 = 12;
}

/// What one or more occurrences of the message say together.
#[derive(Default)]
pub(crate) struct Fields {
    pub(crate) dims: Dims,
    precision: Option<u64>,
    scale: Option<f64>,
    bias: Option<f64>,
    is_signed: Option<bool>,
    data_type: Option<i32>,
    scales: Vec<f64>,
    biases: Vec<f64>,
    axis: Option<i64>,
    is_multiparam: Option<bool>,
    pub(crate) data: Data,
}

fn push<T>(values: &mut Vec<T>, value: T) -> Result<()> {
    let failed = Error::OutOfMemory { what: "message fields", bytes: size_of::<T>() };
    values.try_reserve(1).map_err(|_| failed)?;
    values.push(value);
    Ok(())
}

/// Where the data lie in a message that is field `outer` of the bytes, or all of them.
pub(crate) const fn data_path(outer: Option<u32>) -> Path {
    Path { outer, field: field::DATA, width: Width::Varint }
}

impl Fields {
    /// Adds one occurrence of the message.
    pub(crate) fn merge(&mut self, scanner: &mut Scanner<&[u8]>) -> Result<()> {
        while let Some(number) = scanner.next()? {
            let payload = scanner.payload();
            match (number, payload) {
                (field::DIMS, _) => self.dims.add(payload, scanner)?,
                (field::PRECISION, Payload::Varint(value)) => self.precision = Some(value),
                (field::SCALE, Payload::Fixed64(bits)) => self.scale = Some(f64::from_bits(bits)),
                (field::BIAS, Payload::Fixed64(bits)) => self.bias = Some(f64::from_bits(bits)),
                (field::IS_SIGNED, Payload::Varint(value)) => self.is_signed = Some(value != 0),
                (field::DATA, _) => self.data.add(Width::Varint, payload, scanner)?,
                // A value that the enumeration lacks is an unknown field, which is dropped.
                (field::DATA_TYPE, Payload::Varint(value))
                    if is_data_type(wire::as_signed(value)) =>
                {
                    self.data_type = i32::try_from(value).ok();
                }
                (field::SCALES, _) => add_doubles(&mut self.scales, payload, scanner)?,
                (field::BIASES, _) => add_doubles(&mut self.biases, payload, scanner)?,
                (field::AXIS, Payload::Varint(value)) => self.axis = Some(wire::as_signed(value)),
                (field::IS_MULTIPARAM, Payload::Varint(value)) => {
                    self.is_multiparam = Some(value != 0);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Refuses a message that lacks a required field.
    pub(crate) fn check_required(&self) -> Result<()> {
        let missing = |field| Err(Error::MissingField { message: MESSAGE, field });
        match () {
            () if self.precision.is_none() => missing("precision"),
            () if self.scale.is_none() => missing("scale"),
            () if self.bias.is_none() => missing("bias"),
            () if self.is_signed.is_none() => missing("is_signed"),
            () => Ok(()),
        }
    }

    pub(crate) fn data_type(&self) -> Option<i32> {
        self.data_type
    }

    /// Scale and bias; [`Fields::check_required`] saw that they are there.
    pub(crate) fn scale_and_bias(&self) -> (f64, f64) {
        (self.scale.unwrap_or(1.0), self.bias.unwrap_or(0.0))
    }

    /// The optional fields that a tensor keeps.
    pub(crate) fn take_kept(&mut self) -> Result<Kept> {
        let axis = match self.axis.map(|axis| i32::try_from(axis).map_err(|_| axis)).transpose() {
            Ok(axis) => axis,
            Err(axis) => {
                return Err(Error::MalformedValue {
                    field: "axis",
                    value: i128::from(axis),
                    rule: "a 32-bit integer",
                });
            }
        };
        Ok(Kept {
            scales: core::mem::take(&mut self.scales),
            biases: core::mem::take(&mut self.biases),
            axis,
            is_multiparam: self.is_multiparam,
            data_type: self.data_type,
        })
    }

    /// The tensor that the message in `bytes` describes.
    pub(crate) fn take_tensor(&mut self, bytes: &[u8], outer: Option<u32>) -> Result<QTensor> {
        let precision = precision_of(wire::as_signed(self.precision.unwrap_or(0)))?;
        let dims = self.dims.take()?;
        let geometry = Geometry::new(&dims, precision, self.is_signed == Some(true))?;
        let kept = self.take_kept()?;
        let storage = self.data.decode(bytes, data_path(outer), geometry.nbytes())?;
        Ok(QTensor::from_parts(dims, geometry, self.scale_and_bias(), kept, storage))
    }
}

/// A precision that a message says.
pub(crate) fn precision_of(said: i64) -> Result<u8> {
    u8::try_from(said).map_err(|_| Error::MalformedValue {
        field: "precision",
        value: i128::from(said),
        rule: "between 0 and 255",
    })
}

fn add_doubles(values: &mut Vec<f64>, payload: Payload, scanner: &Scanner<&[u8]>) -> Result<()> {
    match payload {
        Payload::Fixed64(bits) => push(values, f64::from_bits(bits)),
        Payload::Bytes(span) if span.len() % 8 != 0 => {
            Err(scanner.error("packed doubles have a length that is no multiple of 8"))
        }
        Payload::Bytes(span) => {
            for bits in wire::packed_fixed64(span.of(scanner.bytes())) {
                push(values, f64::from_bits(bits))?;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// A tensor's message as it is written: fields in ascending order, those that were absent in what
/// the tensor was read from left out.
pub(crate) struct Message<'a> {
    tensor: &'a QTensor,
    name: &'a [u8],
    /// The length of the plane bytes as varints.
    payload: u64,
}

impl<'a> Message<'a> {
    pub(crate) fn new(tensor: &'a QTensor, name: &'a [u8]) -> Message<'a> {
        let payload = match tensor.data() {
            Some(planes) => varint::encoded_len(Level::best(), planes),
            None => tensor.nbytes(),
        };
        Message::with_payload(tensor, name, u64::try_from(payload).unwrap_or(u64::MAX))
    }

    /// The message for plane bytes whose length as varints is known.
    pub(crate) fn with_payload(tensor: &'a QTensor, name: &'a [u8], payload: u64) -> Message<'a> {
        Message { tensor, name, payload }
    }
}

impl Emit for Message<'_> {
    fn emit(&self, sink: &mut impl Sink) {
        let (tensor, kept) = (self.tensor, self.tensor.kept());
        emit_dims(tensor.dims(), sink);
        sink.varint_field(field::PRECISION, u64::from(tensor.precision()));
        sink.double_field(field::SCALE, tensor.scale());
        sink.double_field(field::BIAS, tensor.bias());
        sink.varint_field(field::IS_SIGNED, u64::from(tensor.is_signed()));
        if self.payload != 0 {
            sink.length_field(field::DATA, self.payload);
            match tensor.data() {
                Some(planes) => sink.put_varints(planes, self.payload),
                None => sink.put_zeros(self.payload),
            }
        }
        sink.bytes_field(field::NAME, self.name);
        if let Some(data_type) = kept.data_type {
            sink.varint_field(field::DATA_TYPE, wire::from_signed(i64::from(data_type)));
        }
        for scale in &kept.scales {
            sink.double_field(field::SCALES, *scale);
        }
        for bias in &kept.biases {
            sink.double_field(field::BIASES, *bias);
        }
        if let Some(axis) = kept.axis {
            sink.varint_field(field::AXIS, wire::from_signed(i64::from(axis)));
        }
        if let Some(is_multiparam) = kept.is_multiparam {
            sink.varint_field(field::IS_MULTIPARAM, u64::from(is_multiparam));
        }
    }
}

/// The dimensions, which Caffe2 writes unpacked.
pub(crate) fn emit_dims(dims: &[i64], sink: &mut impl Sink) {
    for dim in dims {
        sink.varint_field(field::DIMS, wire::from_signed(*dim));
    }
}
