//! The protobuf wire format, as strict and as liberal as libprotobuf 3.11 reads proto2.
//!
//! A [`Scanner`] walks the fields of one message without allocating, over bytes in memory or in a
//! file.

mod parts;

use super::emit::MAX_MESSAGE;
use crate::error::{Error, Result};

/// How deep messages and groups may nest below the outermost message.
pub(crate) const MAX_DEPTH: u32 = 100;

/// libprotobuf refuses lengths this close to 2 GiB: its reader keeps 16 bytes of slack.
const MAX_LENGTH: u64 = MAX_MESSAGE - 16;

/// Bytes that can be looked at one by one.
pub(crate) trait Source {
    /// The byte at this offset, or `None` behind the end.
    fn byte(&mut self, at: u64) -> Result<Option<u8>>;

    /// The bytes from this offset on that are at hand; none is a right answer.
    fn at_hand(&self, at: u64) -> &[u8];
}

impl Source for &[u8] {
    #[inline]
    fn byte(&mut self, at: u64) -> Result<Option<u8>> {
        Ok(self.at_hand(at).first().copied())
    }

    #[inline]
    fn at_hand(&self, at: u64) -> &[u8] {
        usize::try_from(at).ok().and_then(|at| self.get(at..)).unwrap_or_default()
    }
}

impl<S: Source> Source for &mut S {
    #[inline]
    fn byte(&mut self, at: u64) -> Result<Option<u8>> {
        S::byte(self, at)
    }

    #[inline]
    fn at_hand(&self, at: u64) -> &[u8] {
        S::at_hand(self, at)
    }
}

/// Where a length-delimited field's payload lies in the outermost message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u64,
    pub(crate) end: u64,
}

impl Span {
    pub(crate) fn len(self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// The payload in the bytes that the scanner ran over.
    pub(crate) fn of(self, bytes: &[u8]) -> &[u8] {
        let range = usize::try_from(self.start).ok().zip(usize::try_from(self.end).ok());
        range.and_then(|(start, end)| bytes.get(start..end)).unwrap_or_default()
    }
}

/// A field's payload, by wire type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Payload {
    Varint(u64),
    Fixed64(u64),
    Fixed32(u32),
    Bytes(Span),
}

/// Walks the fields of one message.
pub(crate) struct Scanner<S> {
    source: S,
    at: u64,
    end: u64,
    depth: u32,
    message: &'static str,
    /// The current field's wire type and payload: a number, or a start and an end. Kept as plain
    /// integers because an enumeration would be copied as a whole at every step.
    wire_type: u32,
    first: u64,
    second: u64,
}

impl<S: Source> Scanner<S> {
    /// Scans the outermost message: the bytes of `source` in `span`.
    pub(crate) fn new(source: S, span: Span, message: &'static str) -> Scanner<S> {
        Scanner::at_depth(source, span, message, MAX_DEPTH)
    }

    #[inline]
    fn at_depth(source: S, span: Span, message: &'static str, depth: u32) -> Scanner<S> {
        let (at, end) = (span.start, span.end);
        Scanner { source, at, end, depth, message, wire_type: 0, first: 0, second: 0 }
    }

    #[cold]
    pub(crate) fn error(&self, problem: &'static str) -> Error {
        Error::Malformed { message: self.message, problem, offset: self.at }
    }

    /// Steps to the next field and returns its number, or `None` at the end of the message.
    /// Groups are checked and passed over: no message here has one.
    #[inline]
    pub(crate) fn next(&mut self) -> Result<Option<u32>> {
        while self.at != self.end {
            let (number, wire_type) = self.tag()?;
            match wire_type {
                3 => self.skip_group(number)?,
                4 => return Err(self.error("a group ends that was not begun")),
                _ => {
                    self.read_payload(wire_type)?;
                    return Ok(Some(number));
                }
            }
        }
        Ok(None)
    }

    /// The payload of the field that [`Scanner::next`] stepped to.
    #[inline(always)]
    pub(crate) fn payload(&self) -> Payload {
        match self.wire_type {
            0 => Payload::Varint(self.first),
            1 => Payload::Fixed64(self.first),
            2 => Payload::Bytes(Span { start: self.first, end: self.second }),
            _ => Payload::Fixed32(u32::try_from(self.first).unwrap_or(0)),
        }
    }

    #[inline]
    fn read_payload(&mut self, wire_type: u32) -> Result<()> {
        self.wire_type = wire_type;
        match wire_type {
            0 => self.first = self.varint()?,
            1 => self.first = self.fixed64()?,
            2 => {
                let span = self.span()?;
                self.first = span.start;
                self.second = span.end;
            }
            5 => self.first = self.fixed32()?,
            _ => return Err(self.error("a field has a wire type that does not exist")),
        }
        Ok(())
    }

    /// The bytes at hand that belong to this message.
    #[inline]
    fn at_hand(&self) -> &[u8] {
        let bytes = self.source.at_hand(self.at);
        let left = usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(usize::MAX);
        bytes.get(..left).unwrap_or(bytes)
    }

    /// A varint that is at hand and ends within `longest` bytes. Anything else is left to the
    /// byte-by-byte way, which finds out what is wrong with it.
    #[inline]
    fn quick_varint(&mut self, longest: usize) -> Option<u64> {
        let (mut value, mut length) = (0u64, 0u32);
        for byte in self.at_hand().iter().take(longest) {
            value |= u64::from(byte & 127).wrapping_shl(length.wrapping_mul(7));
            length = length.saturating_add(1);
            if *byte < 128 {
                self.at = self.at.saturating_add(u64::from(length));
                return Some(value);
            }
        }
        None
    }

    fn next_byte(&mut self) -> Result<u8> {
        if self.at >= self.end {
            return Err(self.error("it ends inside a field"));
        }
        match self.source.byte(self.at)? {
            Some(byte) => {
                self.at = self.at.saturating_add(1);
                Ok(byte)
            }
            None => Err(self.error("it ends inside a field")),
        }
    }

    /// A field's number and wire type: a varint of at most five bytes, cut to 32 bits.
    #[inline]
    fn tag(&mut self) -> Result<(u32, u32)> {
        let tag = match self.quick_varint(5) {
            Some(tag) => tag,
            None => self.slow_varint(5, "a field's tag is longer than 5 bytes")?,
        };
        let tag = u32::try_from(tag & u64::from(u32::MAX)).unwrap_or(0);
        match tag.wrapping_shr(3) {
            0 => Err(self.error("a field has the number 0")),
            number => Ok((number, tag & 7)),
        }
    }

    #[cold]
    fn slow_varint(&mut self, longest: u32, too_long: &'static str) -> Result<u64> {
        let mut value = 0u64;
        for place in 0..longest {
            let byte = self.next_byte()?;
            // The tenth byte has room for one bit; protobuf drops the others.
            value |= u64::from(byte & 127).wrapping_shl(place.wrapping_mul(7));
            if byte < 128 {
                return Ok(value);
            }
        }
        Err(self.error(too_long))
    }

    /// A varint of at most ten bytes, cut to 64 bits.
    #[inline]
    fn varint(&mut self) -> Result<u64> {
        match self.quick_varint(10) {
            Some(value) => Ok(value),
            None => self.slow_varint(10, "a varint is longer than 10 bytes"),
        }
    }

    fn fixed(&mut self, length: u32) -> Result<u64> {
        let mut value = 0u64;
        for place in 0..length {
            let byte = self.next_byte()?;
            value |= u64::from(byte).wrapping_shl(place.wrapping_mul(8));
        }
        Ok(value)
    }

    fn fixed64(&mut self) -> Result<u64> {
        if let Some(bytes) = self.at_hand().first_chunk() {
            let value = u64::from_le_bytes(*bytes);
            self.at = self.at.saturating_add(8);
            return Ok(value);
        }
        self.fixed(8)
    }

    #[inline]
    fn fixed32(&mut self) -> Result<u64> {
        if let Some(bytes) = self.at_hand().first_chunk() {
            let value = u64::from(u32::from_le_bytes(*bytes));
            self.at = self.at.saturating_add(4);
            return Ok(value);
        }
        self.fixed(4)
    }

    /// A length of at most five bytes and the payload behind it, which must be there.
    #[inline]
    fn span(&mut self) -> Result<Span> {
        let length = match self.quick_varint(5) {
            Some(length) => length,
            None => self.slow_varint(5, "a length is longer than 5 bytes")?,
        };
        let start = self.at;
        match start.checked_add(length) {
            _ if length > MAX_LENGTH => Err(self.error("a length is 2 GiB or more")),
            Some(end) if end <= self.end => {
                self.at = end;
                Ok(Span { start, end })
            }
            _ => Err(self.error("a field is longer than what is left")),
        }
    }

    /// Passes over a group whose start was just read, and all groups inside it.
    #[cold]
    #[inline(never)]
    fn skip_group(&mut self, number: u32) -> Result<()> {
        let mut open = [0u32; MAX_DEPTH as usize];
        let mut depth = 0usize;
        let too_deep = "groups are nested too deep";
        let allowed = usize::try_from(self.depth).unwrap_or(0);
        *open.get_mut(depth).filter(|_| allowed > 0).ok_or(self.error(too_deep))? = number;
        depth = depth.saturating_add(1);
        while let Some(innermost) = depth.checked_sub(1) {
            let (number, wire_type) = self.tag()?;
            match wire_type {
                3 => {
                    let slot = open.get_mut(depth).filter(|_| depth < allowed);
                    *slot.ok_or(self.error(too_deep))? = number;
                    depth = depth.saturating_add(1);
                }
                4 if open.get(innermost) == Some(&number) => depth = innermost,
                4 => return Err(self.error("a group ends with another number than it began")),
                _ => self.read_payload(wire_type)?,
            }
        }
        Ok(())
    }
}

impl<'a> Scanner<&'a [u8]> {
    /// Scans an outermost message, which protobuf limits to 2^31 - 1 bytes.
    pub(crate) fn outermost(bytes: &'a [u8], message: &'static str) -> Result<Scanner<&'a [u8]>> {
        let scanner = Scanner::of(bytes, message);
        if scanner.end > MAX_MESSAGE {
            return Err(scanner.error("it is longer than 2^31 - 1 bytes"));
        }
        Ok(scanner)
    }

    /// Scans a whole message in memory.
    pub(crate) fn of(bytes: &'a [u8], message: &'static str) -> Scanner<&'a [u8]> {
        let end = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Scanner::new(bytes, Span { start: 0, end }, message)
    }

    /// Scans a message inside this one.
    pub(crate) fn inner(&self, span: Span, message: &'static str) -> Result<Scanner<&'a [u8]>> {
        match self.depth.checked_sub(1) {
            Some(depth) => Ok(Scanner::at_depth(self.source, span, message, depth)),
            None => Err(self.error("messages are nested too deep")),
        }
    }

    /// Scans the varints of a packed field.
    pub(crate) fn packed(&self, span: Span) -> Packed<'a> {
        Packed(Scanner::at_depth(self.source, span, self.message, 0))
    }

    pub(crate) fn bytes(&self) -> &'a [u8] {
        self.source
    }
}

/// The varints of a packed field, one after another.
pub(crate) struct Packed<'a>(Scanner<&'a [u8]>);

impl Iterator for Packed<'_> {
    type Item = Result<u64>;

    fn next(&mut self) -> Option<Result<u64>> {
        if self.0.at >= self.0.end {
            return None;
        }
        let value = self.0.varint();
        if value.is_err() {
            self.0.at = self.0.end;
        }
        Some(value)
    }
}

impl Packed<'_> {
    /// Reads every varint for its form alone, and counts them.
    pub(crate) fn count_checked(self) -> Result<u64> {
        let mut count = 0u64;
        for value in self {
            value?;
            count = count.saturating_add(1);
        }
        Ok(count)
    }
}

/// The values of a packed field of 64-bit numbers.
pub(crate) fn packed_fixed64(payload: &[u8]) -> impl Iterator<Item = u64> {
    payload.as_chunks::<8>().0.iter().map(|chunk| u64::from_le_bytes(*chunk))
}

/// A varint as the signed number that protobuf's `int32` and `int64` fields hold.
pub(crate) const fn as_signed(value: u64) -> i64 {
    value.cast_signed()
}

/// A signed number as protobuf's `int32` and `int64` fields write it.
pub(crate) const fn from_signed(value: i64) -> u64 {
    value.cast_unsigned()
}
