//! Writing the protobuf wire format.
//!
//! A message describes itself to a [`Sink`]: once to a [`Counter`] for its size and once to a
//! [`Writer`] for its bytes, so that both come from one description.

use crate::error::{Error, Result};
use crate::kernels::{Level, varint};
use crate::planes::prefer_huge_pages;

/// The largest message that protobuf can write.
pub(crate) const MAX_MESSAGE: u64 = i32::MAX as u64;

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

    fn put_varint(&mut self, value: u64);

    /// The plane bytes of a tensor as varints, `encoded` bytes in all.
    fn put_varints(&mut self, planes: &[u8], encoded: u64);

    /// `count` zero bytes, which are also `count` varints of value 0.
    fn put_zeros(&mut self, count: u64);

    #[inline]
    fn varint_field(&mut self, number: u32, value: u64) {
        self.put_varint(tag(number, 0));
        self.put_varint(value);
    }

    #[inline]
    fn double_field(&mut self, number: u32, value: f64) {
        self.put_varint(tag(number, 1));
        self.put(&value.to_le_bytes());
    }

    /// The tag and length of a payload that follows.
    #[inline]
    fn length_field(&mut self, number: u32, length: u64) {
        self.put_varint(tag(number, 2));
        self.put_varint(length);
    }

    #[inline]
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
pub(crate) struct Counter {
    pub(crate) count: u64,
    /// The count in front of the plane bytes.
    pub(crate) planes_at: u64,
}

impl Counter {
    #[inline]
    fn add(&mut self, count: u64) {
        self.count = self.count.saturating_add(count);
    }
}

impl Sink for Counter {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    }

    #[inline]
    fn put_varint(&mut self, value: u64) {
        self.add(Varint::length(value));
    }

    fn put_varints(&mut self, _planes: &[u8], encoded: u64) {
        self.planes_at = self.count;
        self.add(encoded);
    }

    fn put_zeros(&mut self, count: u64) {
        self.add(count);
    }
}

/// Fills a buffer whose length a [`Counter`] found.
pub(crate) struct Writer<'a> {
    rest: &'a mut [u8],
    planes_are_there: bool,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(buffer: &'a mut [u8]) -> Writer<'a> {
        Writer { rest: buffer, planes_are_there: false }
    }

    /// Writes around plane bytes that are in their place already.
    pub(crate) fn around_planes(buffer: &'a mut [u8]) -> Writer<'a> {
        Writer { rest: buffer, planes_are_there: true }
    }

    /// The next `count` bytes; none if they are not there, which a right count rules out.
    #[inline]
    pub(crate) fn take(&mut self, count: usize) -> &'a mut [u8] {
        match core::mem::take(&mut self.rest).split_at_mut_checked(count) {
            Some((taken, rest)) => {
                self.rest = rest;
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

    #[inline]
    fn put_varint(&mut self, value: u64) {
        match (u8::try_from(value), core::mem::take(&mut self.rest)) {
            (Ok(byte @ 0..128), [slot, rest @ ..]) => {
                *slot = byte;
                self.rest = rest;
            }
            (_, rest) => {
                self.rest = rest;
                self.put(Varint::of(value).bytes());
            }
        }
    }

    fn put_varints(&mut self, planes: &[u8], encoded: u64) {
        let taken = self.take(usize::try_from(encoded).unwrap_or(usize::MAX));
        if !taken.is_empty() && !self.planes_are_there {
            varint::encode(Level::best(), planes, taken);
        }
    }

    fn put_zeros(&mut self, count: u64) {
        self.take(usize::try_from(count).unwrap_or(usize::MAX)).fill(0);
    }
}

/// A message that can be written.
pub(crate) trait Emit {
    fn emit(&self, sink: &mut impl Sink);

    /// The bytes that the message takes.
    fn length(&self) -> u64 {
        let mut counter = Counter::default();
        self.emit(&mut counter);
        counter.count
    }
}

/// The bytes that a message takes.
pub(crate) fn size_of_message(message: &impl Emit) -> Result<usize> {
    let length = message.length();
    usize::try_from(length).ok().filter(|_| length <= MAX_MESSAGE).ok_or(too_long())
}

/// Why a message is not written that protobuf would not read.
pub(crate) fn too_long() -> Error {
    Error::Overflow { what: "serialized message", limit: i128::from(MAX_MESSAGE) }
}

/// Writes a message to the front of `buffer`, which is left alone where it is too small.
pub(crate) fn write_message(message: &impl Emit, buffer: &mut [u8]) -> Result<usize> {
    let needed = size_of_message(message)?;
    let capacity = buffer.len();
    let Some(buffer) = buffer.get_mut(..needed) else {
        return Err(Error::BufferTooSmall { what: "buffer", capacity, needed });
    };
    message.emit(&mut Writer::new(buffer));
    Ok(needed)
}

/// A message in memory of its own.
pub(crate) fn message_to_vec(message: &impl Emit) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let needed = size_of_message(message)?;
    let failed = Error::OutOfMemory { what: "serialized message", bytes: needed };
    bytes.try_reserve_exact(needed).map_err(|_| failed)?;
    prefer_huge_pages(&mut bytes);
    bytes.resize(needed, 0);
    message.emit(&mut Writer::new(&mut bytes));
    Ok(bytes)
}
