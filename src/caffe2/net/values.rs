//! The values that an operator fills a tensor with.

use super::super::dense::{DenseTensor, dense_size};
use super::super::elements::{ElementType, Elements};
use super::super::emit::MAX_MESSAGE;
use super::super::wire::{self, Payload, Scanner, Span};
use super::View;
use super::argument::{MESSAGE, field};
use super::fill::Filling;
use crate::caffe2::minidb::Value;
use crate::error::{Error, Result};
use crate::params::try_copy;
use crate::tensor::QTensor;

/// One value for all elements.
#[derive(Clone, Copy, Debug)]
pub(super) struct Constant {
    pub(super) element: ElementType,
    pub(super) float: f32,
    pub(super) integer: i64,
}

/// Reads what an operator fills its tensor with.
pub(super) fn load(view: &mut View<'_>, dims: &[i64], filling: Filling) -> Result<Value> {
    let size = dense_size(dims)?;
    match filling {
        Filling::Strings => Ok(Value::Other),
        Filling::Given(element, span) => {
            check_present(size, element, span)?;
            let mut elements = Elements::zeroed(element, size)?;
            fill(view, span, &mut elements)?;
            DenseTensor::new(dims, elements).map(Value::Dense)
        }
        Filling::Constant(constant) => {
            check_constant(size, constant.element)?;
            let mut elements = Elements::zeroed(constant.element, size)?;
            constant.fill(&mut elements)?;
            DenseTensor::new(dims, elements).map(Value::Dense)
        }
        Filling::Int8(span, scale, zero_point) => {
            check_count(size, span.len())?;
            let bytes = Scanner::new(view, span, MESSAGE).copy_of(span, "values of an operator")?;
            let dims = dims_of_int8(dims)?;
            QTensor::from_int8(&dims, &bytes, scale, zero_point).map(Value::Quantized)
        }
        Filling::Int32(span, scale, zero_point) => {
            check_present(size, ElementType::Int32, span)?;
            let mut elements = Elements::zeroed(ElementType::Int32, size)?;
            fill(view, span, &mut elements)?;
            let Elements::Int32(values) = &elements else { return Ok(Value::Other) };
            let dims = dims_of_int8(dims)?;
            QTensor::from_int32(&dims, values, scale, zero_point).map(Value::Quantized)
        }
    }
}

/// There a tensor without dimensions holds one value.
fn dims_of_int8(dims: &[i64]) -> Result<Vec<i64>> {
    try_copy(if dims.is_empty() { &[1] } else { dims })
}

fn mismatch(count: u64, size: usize) -> Error {
    let expected = i128::try_from(size).unwrap_or(i128::MAX);
    Error::ShapeMismatch { what: "number of values", value: i128::from(count), expected }
}

fn check_count(size: usize, count: u64) -> Result<()> {
    match u64::try_from(size) == Ok(count) {
        true => Ok(()),
        false => Err(mismatch(count, size)),
    }
}

/// Refuses more elements than there can be values in an argument, before memory is taken for them.
fn check_present(size: usize, element: ElementType, span: Span) -> Result<()> {
    let bytes: u64 = if is_float(element) { 4 } else { 1 };
    let most = span.len().checked_div(bytes).unwrap_or(0);
    if u64::try_from(size).unwrap_or(u64::MAX) <= most {
        return Ok(());
    }
    Err(Error::ShapeMismatch {
        what: "number of values that the operator can hold",
        value: i128::from(most),
        expected: i128::try_from(size).unwrap_or(i128::MAX),
    })
}

/// Nothing stands for the elements of a constant tensor, so that it is held to what a message of it
/// could hold.
fn check_constant(size: usize, element: ElementType) -> Result<()> {
    let bytes = size.checked_mul(element.size()).and_then(|bytes| u64::try_from(bytes).ok());
    match bytes.is_some_and(|bytes| bytes <= MAX_MESSAGE) {
        true => Ok(()),
        false => Err(Error::Overflow {
            what: "size of a constant tensor in bytes",
            limit: i128::from(MAX_MESSAGE),
        }),
    }
}

const fn is_float(element: ElementType) -> bool {
    matches!(element, ElementType::Float | ElementType::Double)
}

impl Constant {
    fn fill(&self, elements: &mut Elements) -> Result<()> {
        let integer = self.integer;
        match elements {
            Elements::Float(to) => to.fill(self.float),
            Elements::Double(to) => to.fill(f64::from(self.float)),
            Elements::Bool(to) => to.fill(u8::from(integer != 0)),
            Elements::Uint8(to) => to.fill(narrow(integer)?),
            Elements::Int8(to) => to.fill(narrow(integer)?),
            Elements::Uint16(to) | Elements::Float16(to) => to.fill(narrow(integer)?),
            Elements::Int16(to) => to.fill(narrow(integer)?),
            Elements::Int32(to) => to.fill(narrow(integer)?),
            Elements::Int64(to) => to.fill(integer),
        }
        Ok(())
    }
}

fn narrow<T: TryFrom<i64>>(value: i64) -> Result<T> {
    T::try_from(value).map_err(|_| Error::MalformedValue {
        field: "ints",
        value: i128::from(value),
        rule: "within the range of the tensor's element type",
    })
}

/// Puts the values of an argument, floats or integers, into the elements, of which there must be as
/// many.
fn fill(view: &mut View<'_>, span: Span, elements: &mut Elements) -> Result<()> {
    match elements {
        Elements::Float(to) => put(to, |visit| each_float(view, span, visit)),
        Elements::Double(to) => {
            put(to, |visit| each_float(view, span, |value| visit(f64::from(value))))
        }
        Elements::Bool(to) => {
            put(to, |visit| each_integer(view, span, |value| visit(u8::from(value != 0))))
        }
        Elements::Uint8(to) => narrowed(view, span, to),
        Elements::Int8(to) => narrowed(view, span, to),
        Elements::Uint16(to) | Elements::Float16(to) => narrowed(view, span, to),
        Elements::Int16(to) => narrowed(view, span, to),
        Elements::Int32(to) => narrowed(view, span, to),
        Elements::Int64(to) => narrowed(view, span, to),
    }
}

fn narrowed<T: TryFrom<i64>>(view: &mut View<'_>, span: Span, to: &mut [T]) -> Result<()> {
    put(to, |visit| each_integer(view, span, |value| visit(narrow(value)?)))
}

/// Fills a slice with what `each` shows, which must be as many.
fn put<T>(
    to: &mut [T],
    each: impl FnOnce(&mut dyn FnMut(T) -> Result<()>) -> Result<()>,
) -> Result<()> {
    let size = to.len();
    let (mut slots, mut count) = (to.iter_mut(), 0u64);
    each(&mut |value| {
        count = count.saturating_add(1);
        if let Some(slot) = slots.next() {
            *slot = value;
        }
        Ok(())
    })?;
    check_count(size, count)
}

fn each_float(
    view: &mut View<'_>,
    span: Span,
    mut visit: impl FnMut(f32) -> Result<()>,
) -> Result<()> {
    let mut scanner = Scanner::new(view, span, MESSAGE);
    while let Some(number) = scanner.next()? {
        match (number, scanner.payload()) {
            (field::FLOATS, Payload::Fixed32(bits)) => visit(f32::from_bits(bits))?,
            (field::FLOATS, Payload::Bytes(span)) => {
                if !span.len().is_multiple_of(4) {
                    let problem = "a packed field's length is no multiple of its values'";
                    return Err(scanner.error(problem));
                }
                scanner.each_part(span, 4, |part| {
                    let values = part.as_chunks::<4>().0.iter();
                    values.map(|bytes| f32::from_le_bytes(*bytes)).try_for_each(&mut visit)
                })?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn each_integer(
    view: &mut View<'_>,
    span: Span,
    mut visit: impl FnMut(i64) -> Result<()>,
) -> Result<()> {
    let mut scanner = Scanner::new(view, span, MESSAGE);
    while let Some(number) = scanner.next()? {
        match (number, scanner.payload()) {
            (field::INTS, Payload::Varint(value)) => visit(wire::as_signed(value))?,
            (field::INTS, Payload::Bytes(span)) => {
                scanner.each_varint(span, |value| visit(wire::as_signed(value)))?;
            }
            _ => {}
        }
    }
    Ok(())
}
