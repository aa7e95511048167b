//! The protobuf wire format, as strict and as liberal as libprotobuf 3.11 reads proto2.
//!
//! A [`Scanner`] walks the fields of one message without allocating, over bytes in memory or in a
//! file. A message is written through a [`Sink`]: once into a [`Counter`] for its size and once
//! into a [`Writer`], so that size and bytes come from one description.

use crate::error::{Error, Result};
use crate::kernels::{Level, varint};

/// How deep messages and groups may nest below the outermost message.
pub(crate) const MAX_DEPTH: u32 = 100;

/// The largest message that protobuf can write.
pub(crate) const MAX_MESSAGE: u64 = i32::MAX as u64;

/// libprotobuf refuses lengths this close to 2 GiB: its reader keeps 16 bytes of slack.
const MAX_LENGTH: u64 = MAX_MESSAGE - 16;

/// Bytes that can be looked at one by one.
pub(crate) trait Source {
    /// The byte at this offset, or `None` behind the end.
    fn byte(&mut self, at: u64) -> Result<Option<u8>>;
}

impl Source for &[u8] {
    #[inline]
    fn byte(&mut self, at: u64) -> Result<Option<u8>> {
        Ok(usize::try_from(at).ok().and_then(|at| self.get(at)).copied())
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
}

impl<S: Source> Scanner<S> {
    /// Scans the outermost message: bytes `start..end` of `source`.
    pub(crate) fn new(source: S, span: Span, message: &'static str) -> Scanner<S> {
        Scanner { source, at: span.start, end: span.end, depth: MAX_DEPTH, message }
    }

    pub(crate) fn error(&self, problem: &'static str) -> Error {
        Error::Malformed { message: self.message, problem, offset: self.at }
    }

    /// The number and payload of the next field, or `None` at the end of the message. Groups are
    /// checked and passed over: no message here has one.
    pub(crate) fn next(&mut self) -> Result<Option<(u32, Payload)>> {
        loop {
            if self.at == self.end {
                return Ok(None);
            }
            let (number, wire_type) = self.tag()?;
            match wire_type {
                3 => self.skip_group(number)?,
                4 => return Err(self.error("a group ends that was not begun")),
                _ => return self.payload(wire_type).map(|payload| Some((number, payload))),
            }
        }
    }

    fn payload(&mut self, wire_type: u32) -> Result<Payload> {
        match wire_type {
            0 => self.varint().map(Payload::Varint),
            1 => self.fixed(8).map(Payload::Fixed64),
            2 => self.span().map(Payload::Bytes),
            5 => {
                let value = self.fixed(4)?;
                Ok(Payload::Fixed32(u32::try_from(value).unwrap_or(0)))
            }
            _ => Err(self.error("a field has a wire type that does not exist")),
        }
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
    fn tag(&mut self) -> Result<(u32, u32)> {
        let mut tag = 0u32;
        for place in 0..5u32 {
            let byte = self.next_byte()?;
            tag |= u32::from(byte & 127).wrapping_shl(place.wrapping_mul(7));
            if byte < 128 {
                return match tag.wrapping_shr(3) {
                    0 => Err(self.error("a field has the number 0")),
                    number => Ok((number, tag & 7)),
                };
            }
        }
        Err(self.error("a field's tag is longer than 5 bytes"))
    }

    /// A varint of at most ten bytes, cut to 64 bits.
    fn varint(&mut self) -> Result<u64> {
        let mut value = 0u64;
        for place in 0..10u32 {
            let byte = self.next_byte()?;
            // The tenth byte has room for one bit; protobuf drops the others.
            value |= u64::from(byte & 127).wrapping_shl(place.wrapping_mul(7));
            if byte < 128 {
                return Ok(value);
            }
        }
        Err(self.error("a varint is longer than 10 bytes"))
    }

    fn fixed(&mut self, length: u32) -> Result<u64> {
        let mut value = 0u64;
        for place in 0..length {
            let byte = self.next_byte()?;
            value |= u64::from(byte).wrapping_shl(place.wrapping_mul(8));
        }
        Ok(value)
    }

    /// A length of at most five bytes and the payload behind it, which must be there.
    fn span(&mut self) -> Result<Span> {
        let mut length = 0u64;
        for place in 0..5u32 {
            let byte = self.next_byte()?;
            length |= u64::from(byte & 127).wrapping_shl(place.wrapping_mul(7));
            if byte < 128 {
                let start = self.at;
                return match start.checked_add(length) {
                    _ if length > MAX_LENGTH => Err(self.error("a length is 2 GiB or more")),
                    Some(end) if end <= self.end => {
                        self.at = end;
                        Ok(Span { start, end })
                    }
                    _ => Err(self.error("a field is longer than what is left")),
                };
            }
        }
        Err(self.error("a length is longer than 5 bytes"))
    }

    /// Passes over a group whose start was just read, and all groups inside it.
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
                _ => drop(self.payload(wire_type)?),
            }
        }
        Ok(())
    }
}

impl<'a> Scanner<&'a [u8]> {
    /// Scans a whole message in memory.
    pub(crate) fn of(bytes: &'a [u8], message: &'static str) -> Scanner<&'a [u8]> {
        let end = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Scanner::new(bytes, Span { start: 0, end }, message)
    }

    /// Scans a message inside this one.
    pub(crate) fn inner(&self, span: Span, message: &'static str) -> Result<Scanner<&'a [u8]>> {
        let depth = self.depth.checked_sub(1).ok_or(self.error("messages are nested too deep"))?;
        Ok(Scanner { source: self.source, at: span.start, end: span.end, depth, message })
    }

    /// Scans the varints of a packed field.
    pub(crate) fn packed(&self, span: Span) -> Packed<'a> {
        Packed(Scanner {
            source: self.source,
            at: span.start,
            end: span.end,
            depth: 0,
            message: self.message,
        })
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

/// The wire bytes of one varint.
pub(crate) struct Varint {
    bytes: [u8; 10],
    length: usize,
}

impl Varint {
    #[inline]
    pub(crate) fn of(mut value: u64) -> Varint {
        let mut varint = Varint { bytes: [0; 10], length: 0 };
        for slot in &mut varint.bytes {
            let [low, ..] = value.to_le_bytes();
            varint.length = varint.length.saturating_add(1);
            value = value.wrapping_shr(7);
            if value == 0 {
                *slot = low;
                break;
            }
            *slot = low | 128;
        }
        varint
    }

    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// The number of bytes that a value takes.
    #[inline]
    pub(crate) const fn length(value: u64) -> u64 {
        let bits = 64u32.saturating_sub((value | 1).leading_zeros());
        bits.div_ceil(7) as u64
    }
}

/// What a message is written into.
pub(crate) trait Sink {
    fn put(&mut self, bytes: &[u8]);

    /// The plane bytes of a tensor as varints, `encoded` bytes in all.
    fn put_varints(&mut self, planes: &[u8], encoded: u64);

    /// `count` zero bytes, which are also `count` varints of value 0.
    fn put_zeros(&mut self, count: u64);

    fn varint_field(&mut self, number: u32, value: u64) {
        self.put(Varint::of(tag(number, 0)).bytes());
        self.put(Varint::of(value).bytes());
    }

    fn double_field(&mut self, number: u32, value: f64) {
        self.put(Varint::of(tag(number, 1)).bytes());
        self.put(&value.to_le_bytes());
    }

    /// The tag and length of a payload that follows.
    fn length_field(&mut self, number: u32, length: u64) {
        self.put(Varint::of(tag(number, 2)).bytes());
        self.put(Varint::of(length).bytes());
    }

    fn bytes_field(&mut self, number: u32, bytes: &[u8]) {
        self.length_field(number, u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        self.put(bytes);
    }
}

const fn tag(number: u32, wire_type: u32) -> u64 {
    (number.wrapping_shl(3) | wire_type) as u64
}

/// Counts what would be written.
#[derive(Default)]
pub(crate) struct Counter(pub(crate) u64);

impl Counter {
    fn add(&mut self, count: u64) {
        self.0 = self.0.saturating_add(count);
    }
}

impl Sink for Counter {
    fn put(&mut self, bytes: &[u8]) {
        self.add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    }

    fn put_varints(&mut self, _planes: &[u8], encoded: u64) {
        self.add(encoded);
    }

    fn put_zeros(&mut self, count: u64) {
        self.add(count);
    }
}

/// Fills a buffer whose length a [`Counter`] found.
pub(crate) struct Writer<'a>(&'a mut [u8]);

impl<'a> Writer<'a> {
    pub(crate) fn new(buffer: &'a mut [u8]) -> Writer<'a> {
        Writer(buffer)
    }

    /// The next `count` bytes; none if they are not there, which a right count rules out.
    pub(crate) fn take(&mut self, count: usize) -> &'a mut [u8] {
        match core::mem::take(&mut self.0).split_at_mut_checked(count) {
            Some((taken, rest)) => {
                self.0 = rest;
                taken
            }
            None => {
                debug_assert!(false, "the message is longer than its counted size");
                &mut []
            }
        }
    }
}

impl Sink for Writer<'_> {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        let taken = self.take(bytes.len());
        if taken.len() == bytes.len() {
            taken.copy_from_slice(bytes);
        }
    }

    fn put_varints(&mut self, planes: &[u8], encoded: u64) {
        let taken = self.take(usize::try_from(encoded).unwrap_or(usize::MAX));
        if !taken.is_empty() {
            varint::encode(Level::best(), planes, taken);
        }
    }

    fn put_zeros(&mut self, count: u64) {
        self.take(usize::try_from(count).unwrap_or(usize::MAX)).fill(0);
    }
}
