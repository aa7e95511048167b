//! Repeated fields of numbers: packed or not, in any number of pieces.
//!
//! The data field of `QTensorProto` holds one varint per plane byte; `TensorProto` has a field of
//! this kind for every sort of element.

use super::emit::Varint;
use super::wire::{self, Payload, Scanner, Source, Span};
use crate::error::{Error, Result};
use crate::kernels::varint::{Decoded, Stop};
use crate::planes::{Filler, Storage};

/// Where a repeated field of numbers lies and how its values are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Path {
    /// The message's field number in `BlobProto`, or `None` where the message stands alone.
    pub(crate) outer: Option<u32>,
    pub(crate) field: u32,
    pub(crate) width: Width,
}

/// How a value is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Width {
    Varint,
    Fixed32,
    Fixed64,
}

/// What is known of the field before it is decoded.
#[derive(Default)]
pub(crate) struct Data {
    pieces: usize,
    /// The first piece, if it was a packed one.
    first: Option<Span>,
    /// By their length in bytes, the values are at least this many and at most that many.
    fewest: u64,
    most: u64,
}

/// One occurrence of the field.
#[derive(Clone, Copy)]
pub(crate) enum Piece {
    Packed(Span),
    One(u64),
}

impl Piece {
    fn count(self, bytes: &[u8], width: Width) -> Result<u64> {
        match self {
            Piece::Packed(span) => width.count(bytes, span),
            Piece::One(_) => Ok(1),
        }
    }
}

impl Width {
    /// The field's payload as a piece, or `None` where its wire type makes it an unknown field.
    pub(crate) fn piece(self, payload: Payload) -> Option<Piece> {
        match (self, payload) {
            (_, Payload::Bytes(span)) => Some(Piece::Packed(span)),
            (Width::Varint, Payload::Varint(value)) => Some(Piece::One(value)),
            (Width::Fixed64, Payload::Fixed64(value)) => Some(Piece::One(value)),
            (Width::Fixed32, Payload::Fixed32(value)) => Some(Piece::One(u64::from(value))),
            _ => None,
        }
    }

    /// What the length of a packed payload is a multiple of.
    const fn bytes(self) -> u64 {
        match self {
            Width::Varint => 1,
            Width::Fixed32 => 4,
            Width::Fixed64 => 8,
        }
    }

    /// The fewest and the most values that a packed payload of this length can hold.
    const fn bounds(self, length: u64) -> (u64, u64) {
        match self {
            Width::Varint => (length.div_ceil(10), length),
            Width::Fixed32 => (length / 4, length / 4),
            Width::Fixed64 => (length / 8, length / 8),
        }
    }

    /// Reads a packed payload for its form alone, and counts its values. [`Data::add`] saw that
    /// values of fixed width fill theirs.
    fn count(self, bytes: &[u8], span: Span) -> Result<u64> {
        match self {
            Width::Varint => Scanner::of(bytes, "message").packed(span).count_checked(),
            Width::Fixed32 => Ok(span.len() / 4),
            Width::Fixed64 => Ok(span.len() / 8),
        }
    }
}

impl Data {
    /// Whether there is no value: a packed field without any is as good as absent.
    pub(crate) fn is_empty(&self) -> bool {
        self.most == 0
    }

    /// The payload, if it is in one packed piece.
    pub(crate) fn single(&self) -> Option<Span> {
        self.first.filter(|_| self.pieces == 1)
    }

    /// Notes one occurrence; a payload of another wire type is an unknown field.
    pub(crate) fn add<S: Source>(
        &mut self,
        width: Width,
        payload: Payload,
        scanner: &Scanner<S>,
    ) -> Result<()> {
        let Some(piece) = width.piece(payload) else { return Ok(()) };
        let (fewest, most) = match piece {
            Piece::Packed(span) if !span.len().is_multiple_of(width.bytes()) => {
                return Err(scanner.error("a packed field's length is no multiple of its values'"));
            }
            Piece::Packed(span) => width.bounds(span.len()),
            Piece::One(_) => (1, 1),
        };
        if let (0, Piece::Packed(span)) = (self.pieces, piece) {
            self.first = Some(span);
        }
        self.pieces = self.pieces.saturating_add(1);
        self.fewest = self.fewest.saturating_add(fewest);
        self.most = self.most.saturating_add(most);
        Ok(())
    }

    /// The most values that the field can hold.
    pub(crate) fn most(&self) -> u64 {
        self.most
    }

    /// Shows every piece in order. The usual single one is at hand; others are looked up again,
    /// so that no list of them has to be kept.
    pub(crate) fn each_piece(
        &self,
        bytes: &[u8],
        path: Path,
        visit: &mut dyn FnMut(Piece) -> Result<()>,
    ) -> Result<()> {
        match (self.pieces, self.first, path.outer) {
            (0, _, _) => Ok(()),
            (1, Some(span), _) => visit(Piece::Packed(span)),
            (_, _, None) => pieces_of(&mut Scanner::of(bytes, "message"), path, visit),
            (_, _, Some(outer)) => {
                let mut blob = Scanner::of(bytes, "BlobProto");
                while let Some(number) = blob.next()? {
                    let payload = blob.payload();
                    if let Payload::Bytes(span) = payload
                        && number == outer
                    {
                        pieces_of(&mut blob.inner(span, "message")?, path, visit)?;
                    }
                }
                Ok(())
            }
        }
    }

    /// Refuses data whose number of values cannot be `expected`, before anything is allocated.
    pub(crate) fn check_count(&self, bytes: &[u8], path: Path, expected: usize) -> Result<()> {
        let wanted = u64::try_from(expected).unwrap_or(u64::MAX);
        if (self.fewest..=self.most).contains(&wanted) {
            return Ok(());
        }
        Err(self.count_error(bytes, path, expected))
    }

    /// Why the data do not fit: damage if there is some, else their number.
    pub(crate) fn count_error(&self, bytes: &[u8], path: Path, expected: usize) -> Error {
        let mut count = 0u64;
        let counted = self.each_piece(bytes, path, &mut |piece| {
            count = count.saturating_add(piece.count(bytes, path.width)?);
            Ok(())
        });
        counted.err().unwrap_or(Error::ShapeMismatch {
            what: "number of data values",
            value: i128::from(count),
            expected: i128::try_from(expected).unwrap_or(i128::MAX),
        })
    }

    /// Checks the form of every value, where nothing else reads them.
    pub(crate) fn check_form(&self, bytes: &[u8], path: Path) -> Result<()> {
        self.each_piece(bytes, path, &mut |piece| piece.count(bytes, path.width).map(drop))
    }

    /// The planes, which take `length` bytes.
    pub(crate) fn decode(&self, bytes: &[u8], path: Path, length: usize) -> Result<Storage> {
        self.check_count(bytes, path, length)?;
        let mut filler = Filler::new(length)?;
        let mut fits = true;
        self.each_piece(bytes, path, &mut |piece| {
            fits = fits
                && match piece {
                    Piece::Packed(span) => {
                        used_up(filler.push_varints(span.of(bytes)), span.start)?
                    }
                    Piece::One(value) => {
                        used_up(filler.push_varints(Varint::of(value).bytes()), 0)?
                    }
                };
            Ok(())
        })?;
        match filler.finish() {
            Some(storage) if fits => Ok(storage),
            _ => Err(self.count_error(bytes, path, length)),
        }
    }
}

fn pieces_of(
    message: &mut Scanner<&[u8]>,
    path: Path,
    visit: &mut dyn FnMut(Piece) -> Result<()>,
) -> Result<()> {
    while let Some(number) = message.next()? {
        let payload = message.payload();
        if let Some(piece) = path.width.piece(payload).filter(|_| number == path.field) {
            visit(piece)?;
        }
    }
    Ok(())
}

/// Whether a piece that starts at `start` was decoded to its end; an error where it holds what no
/// plane byte can be.
pub(crate) fn used_up(decoded: Decoded, start: u64) -> Result<bool> {
    let offset = start.saturating_add(u64::try_from(decoded.consumed).unwrap_or(u64::MAX));
    let malformed = |problem| Err(Error::Malformed { message: "QTensorProto", problem, offset });
    match decoded.stop {
        Stop::SourceEmpty => Ok(true),
        Stop::DestinationFull => Ok(false),
        Stop::Truncated => malformed("the data end inside a varint"),
        Stop::TooLong => malformed("a varint is longer than 10 bytes"),
        Stop::TooLarge(value) => Err(Error::MalformedValue {
            field: "data",
            value: i128::from(wire::as_signed(value)),
            rule: "between 0 and 255",
        }),
    }
}
