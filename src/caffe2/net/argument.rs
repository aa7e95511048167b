//! `Argument`: what an operator is told, by name.

use super::super::dims::Dims;
use super::super::wire::{Payload, Scanner, Source, Span};
use crate::error::Result;

pub(super) const MESSAGE: &str = "Argument";

/// The field numbers of the message.
pub(crate) mod field {
    pub(crate) const NAME: u32 = 1;
    pub(crate) const F: u32 = 2;
    pub(crate) const I: u32 = 3;
    pub(crate) const S: u32 = 4;
    pub(crate) const FLOATS: u32 = 5;
    pub(crate) const INTS: u32 = 6;
}

/// The arguments that count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
    Shape,
    ExtraShape,
    InputAsShape,
    Values,
    Value,
    Dtype,
    Scale,
    ZeroPoint,
}

/// The longest of their names, and a byte more.
const LONGEST: usize = 16;

impl Name {
    fn of(name: &[u8]) -> Option<Name> {
        Some(match name {
            b"shape" => Name::Shape,
            b"extra_shape" => Name::ExtraShape,
            b"input_as_shape" => Name::InputAsShape,
            b"values" => Name::Values,
            b"value" => Name::Value,
            b"dtype" => Name::Dtype,
            b"Y_scale" => Name::Scale,
            b"Y_zero_point" => Name::ZeroPoint,
            _ => return None,
        })
    }
}

/// One argument, without lists of values: those are looked up where they are wanted.
#[derive(Default)]
pub(super) struct Argument {
    pub(super) float: Option<f32>,
    pub(super) integer: Option<u64>,
    pub(super) string: Option<Span>,
    pub(super) ints: Dims,
}

impl Argument {
    /// An argument and which one it is; the first pass over a long list of values ends where it
    /// turns out to be one.
    pub(super) fn read<S: Source>(scanner: &mut Scanner<S>) -> Result<(Option<Name>, Argument)> {
        let (mut name, mut argument) = (None, Argument::default());
        while let Some(number) = scanner.next()? {
            let payload = scanner.payload();
            match (number, payload) {
                (field::NAME, Payload::Bytes(span)) => {
                    name = name_of(scanner, span)?;
                }
                (field::F, Payload::Fixed32(bits)) => argument.float = Some(f32::from_bits(bits)),
                (field::I, Payload::Varint(value)) => argument.integer = Some(value),
                (field::S, Payload::Bytes(span)) => argument.string = Some(span),
                (field::INTS, _) if name != Some(Name::Values) => {
                    argument.ints.add_from(payload, scanner)?;
                }
                (field::FLOATS | field::INTS, _) if name == Some(Name::Values) => break,
                (field::FLOATS, Payload::Bytes(span)) if !span.len().is_multiple_of(4) => {
                    let problem = "a packed field's length is no multiple of its values'";
                    return Err(scanner.error(problem));
                }
                _ => {}
            }
        }
        Ok((name, argument))
    }
}

fn name_of<S: Source>(scanner: &mut Scanner<S>, span: Span) -> Result<Option<Name>> {
    let mut bytes = [0u8; LONGEST];
    let length = usize::try_from(span.len()).unwrap_or(usize::MAX);
    let Some(bytes) = bytes.get_mut(..length) else { return Ok(None) };
    scanner.read_bytes(span, bytes)?;
    Ok(Name::of(bytes))
}
