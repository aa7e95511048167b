//! `OperatorDef`: an operator that gives a tensor, and what of it is known before its values are
//! read.

use super::super::dense::dense_size;
use super::super::elements::ElementType;
use super::super::wire::{self, Payload, Scanner, Source, Span};
use super::View;
use super::argument::{self, Argument, Name};
use super::values::{self, Constant};
use crate::caffe2::minidb::Value;
use crate::error::{Error, Excerpt, Result};
use crate::params::is_data_type;

pub(super) const MESSAGE: &str = "OperatorDef";

/// The field numbers of the message.
mod field {
    pub(super) const INPUT: u32 = 1;
    pub(super) const OUTPUT: u32 = 2;
    pub(super) const TYPE: u32 = 4;
    pub(super) const ARG: u32 = 5;
}

/// The number that strings have among the element types.
const STRING: i64 = 4;

/// An operator of a [`Net`](super::Net).
#[derive(Debug)]
pub struct Fill {
    output: Vec<u8>,
    kind: Vec<u8>,
    dims: Vec<i64>,
    bytes: u64,
    filling: Result<Filling>,
}

/// How the values are told.
#[derive(Clone, Copy, Debug)]
pub(super) enum Filling {
    /// One by one, in the argument at this place.
    Given(ElementType, Span),
    /// All the same.
    Constant(Constant),
    /// Bytes, of which each is a quantized value, with their scale and zero point.
    Int8(Span, f64, i32),
    /// 32-bit integers, likewise.
    Int32(Span, f64, i32),
    /// Strings, which are not read.
    Strings,
}

/// All that an operator says, before it is judged.
#[derive(Default)]
struct Said {
    inputs: usize,
    outputs: usize,
    output: Vec<u8>,
    kind: Vec<u8>,
    shape: Option<Argument>,
    value: Option<Argument>,
    dtype: Option<Argument>,
    scale: Option<Argument>,
    zero_point: Option<Argument>,
    values: Option<(Argument, Span)>,
    by_input: bool,
}

impl Fill {
    /// The name of the tensor that the operator gives, any bytes; empty where it gives none.
    pub fn output(&self) -> &[u8] {
        &self.output
    }

    /// The operator's type, such as `GivenTensorFill`.
    pub fn kind(&self) -> &[u8] {
        &self.kind
    }

    /// The tensor's dimensions, outermost first.
    pub fn dims(&self) -> &[i64] {
        &self.dims
    }

    /// The bytes that the operator takes in the network.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Why the operator's tensor cannot be read, as far as that is known without its values.
    pub fn refusal(&self) -> Option<Error> {
        self.filling.err()
    }

    /// Whether the values are written out, so that the tensor is about as large as the operator, and
    /// not one value for as many elements as the shape says.
    pub fn is_written_out(&self) -> bool {
        !matches!(self.filling, Ok(Filling::Constant(_)))
    }

    pub(super) fn read<S: Source>(scanner: &mut Scanner<S>, span: Span) -> Result<Fill> {
        let mut said = Said::read(scanner)?;
        let dims = match said.shape.as_mut().map(|shape| shape.ints.take()) {
            None => Ok(Vec::new()),
            Some(dims) => dims,
        };
        let (dims, filling) = match dims {
            Ok(dims) => {
                let size = dense_size(&dims);
                (dims, size.and_then(|_| said.filling()))
            }
            Err(error @ Error::OutOfMemory { .. }) => return Err(error),
            Err(error) => (Vec::new(), Err(error)),
        };
        let Said { output, kind, .. } = said;
        Ok(Fill { output, kind, dims, bytes: span.len(), filling })
    }

    pub(super) fn load(&self, view: &mut View<'_>) -> Result<Value> {
        values::load(view, &self.dims, self.filling?)
    }
}

impl Said {
    fn read<S: Source>(scanner: &mut Scanner<S>) -> Result<Said> {
        let mut said = Said::default();
        while let Some(number) = scanner.next()? {
            let payload = scanner.payload();
            match (number, payload) {
                (field::INPUT, Payload::Bytes(_)) => said.inputs = said.inputs.saturating_add(1),
                (field::OUTPUT, Payload::Bytes(span)) => {
                    if said.outputs == 0 {
                        said.output = scanner.copy_of(span, "name of an operator's output")?;
                    }
                    said.outputs = said.outputs.saturating_add(1);
                }
                (field::TYPE, Payload::Bytes(span)) => {
                    said.kind = scanner.copy_of(span, "type of an operator")?;
                }
                (field::ARG, Payload::Bytes(span)) => {
                    let read = Argument::read(&mut scanner.lend(span, argument::MESSAGE)?)?;
                    if said.add(read, span) {
                        return Err(scanner.error("an operator has an argument twice"));
                    }
                }
                _ => {}
            }
        }
        Ok(said)
    }

    /// Notes an argument; whether it was there already.
    fn add(&mut self, (name, argument): (Option<Name>, Argument), span: Span) -> bool {
        match name {
            Some(Name::Shape) => self.shape.replace(argument).is_some(),
            Some(Name::Value) => self.value.replace(argument).is_some(),
            Some(Name::Dtype) => self.dtype.replace(argument).is_some(),
            Some(Name::Scale) => self.scale.replace(argument).is_some(),
            Some(Name::ZeroPoint) => self.zero_point.replace(argument).is_some(),
            Some(Name::Values) => self.values.replace((argument, span)).is_some(),
            Some(Name::ExtraShape | Name::InputAsShape) => {
                self.by_input = true;
                false
            }
            None => false,
        }
    }

    fn filling(&self) -> Result<Filling> {
        let known = self.filling_of_kind()?;
        let unsupported = |what, value: usize, reason| {
            let value = i128::try_from(value).unwrap_or(i128::MAX);
            Err(Error::Unsupported { what, value, reason })
        };
        if self.inputs > 0 || self.by_input {
            let reason = "only a shape that is written in the operator is read";
            return unsupported("number of inputs of the operator", self.inputs, reason);
        }
        if self.outputs != 1 {
            let reason = "an operator that fills a tensor has one";
            return unsupported("number of outputs of the operator", self.outputs, reason);
        }
        Ok(known)
    }

    fn filling_of_kind(&self) -> Result<Filling> {
        let missing = |field| Error::MissingField { message: MESSAGE, field };
        let values = self.values.as_ref().ok_or(missing("arg 'values'"));
        let given = |element| values.map(|(_, span)| Filling::Given(element, *span));
        match &*self.kind {
            b"GivenTensorFill" => match self.data_type()? {
                None => given(ElementType::Float),
                Some(STRING) => Ok(Filling::Strings),
                Some(number) => given(given_type(number)?),
            },
            b"GivenTensorDoubleFill" => given(ElementType::Double),
            b"GivenTensorBoolFill" => given(ElementType::Bool),
            b"GivenTensorInt16Fill" => given(ElementType::Int16),
            b"GivenTensorIntFill" => given(ElementType::Int32),
            b"GivenTensorInt64Fill" => given(ElementType::Int64),
            b"GivenTensorStringFill" | b"GivenTensorByteStringToUInt8Fill" => Ok(Filling::Strings),
            b"ConstantFill" => self.constant(),
            b"Int8GivenTensorFill" => {
                let string = values?.0.string.ok_or(missing("arg 'values'"))?;
                let (scale, zero_point) = self.scale_and_zero_point()?;
                Ok(Filling::Int8(string, scale, zero_point))
            }
            b"Int8GivenIntTensorFill" => {
                let (scale, zero_point) = self.scale_and_zero_point()?;
                Ok(Filling::Int32(values?.1, scale, zero_point))
            }
            kind => Err(Error::UnsupportedName {
                what: "type of the operator",
                value: Excerpt::new(kind),
                reason: "only operators that fill a tensor with fixed values are read",
            }),
        }
    }

    /// The number of an element type that the operator names.
    fn data_type(&self) -> Result<Option<i64>> {
        let Some(argument) = &self.dtype else { return Ok(None) };
        let number = wire::as_signed(argument.integer.unwrap_or(0));
        if !is_data_type(number) {
            let (field, value) = ("arg 'dtype'", i128::from(number));
            return Err(Error::MalformedValue {
                field,
                value,
                rule: "a number of TensorProto.DataType",
            });
        }
        Ok(Some(number))
    }

    fn constant(&self) -> Result<Filling> {
        let value = self.value.as_ref();
        let element = match (self.data_type()?, value) {
            (Some(STRING), _) => return Ok(Filling::Strings),
            (Some(number), _) => given_type(number)?,
            // Without a type, the value's own counts.
            (None, Some(Argument { float: None, integer: Some(_), .. })) => ElementType::Int64,
            (None, Some(Argument { float: None, string: Some(_), .. })) => {
                return Ok(Filling::Strings);
            }
            (None, _) => ElementType::Float,
        };
        let float = value.and_then(|value| value.float).unwrap_or(0.0);
        let integer = wire::as_signed(value.and_then(|value| value.integer).unwrap_or(0));
        Ok(Filling::Constant(Constant { element, float, integer }))
    }

    fn scale_and_zero_point(&self) -> Result<(f64, i32)> {
        let scale = self.scale.as_ref().map_or(Some(1.0), |argument| argument.float);
        let zero_point = self.zero_point.as_ref().map_or(Some(0), |argument| argument.integer);
        let scale = scale.ok_or(Error::MissingField { message: argument::MESSAGE, field: "f" })?;
        let zero_point =
            zero_point.ok_or(Error::MissingField { message: argument::MESSAGE, field: "i" })?;
        let zero_point = wire::as_signed(zero_point);
        let zero_point = i32::try_from(zero_point).map_err(|_| Error::MalformedValue {
            field: "arg 'Y_zero_point'",
            value: i128::from(zero_point),
            rule: "a 32-bit integer",
        })?;
        Ok((f64::from(scale), zero_point))
    }
}

/// An element type that is filled.
fn given_type(number: i64) -> Result<ElementType> {
    let unsupported = Error::Unsupported {
        what: "element type",
        value: i128::from(number),
        reason: "no operator fills a tensor of it",
    };
    let element = i32::try_from(number).ok().map(ElementType::from_number);
    match element.transpose()? {
        Some(ElementType::Float16) | None => Err(unsupported),
        Some(element) => Ok(element),
    }
}
