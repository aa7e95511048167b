//! Plane bytes to protobuf varints and back.
//!
//! A byte below 128 is one wire byte; any other is two, itself followed by `0x01`. Encoding is
//! therefore "insert `0x01` after every byte that has its top bit set" and decoding deletes it.
//! Decoding also takes what other writers may have put there: overlong varints of up to ten
//! bytes, as protobuf reads them.

use super::cpu::{Kind, Level};
use core::mem::MaybeUninit;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod portable;

/// How far [`decode`] came and why it stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// Source bytes that were turned into values: the start of the first varint not taken.
    pub consumed: usize,
    /// Values written to the front of the destination.
    pub produced: usize,
    /// Why decoding stopped there.
    pub stop: Stop,
}

/// Why [`decode`] stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Every source byte was used.
    SourceEmpty,
    /// The destination is full and source bytes are left.
    DestinationFull,
    /// The source ends inside a varint.
    Truncated,
    /// A varint has no end within ten bytes.
    TooLong,
    /// A varint holds this value, which is above 255.
    TooLarge(u64),
}

/// The number of bytes that [`encode`] writes for `source`: its length plus one for every byte
/// of 128 or more.
pub fn encoded_len(level: Level, source: &[u8]) -> usize {
    match level.kind() {
        Kind::Portable => portable::encoded_len(source),
        // SAFETY: a level of this kind exists only where the machine has what the kernel needs.
        #[cfg(target_arch = "x86_64")]
        Kind::Avx2 => unsafe { avx2::encoded_len(source) },
        // SAFETY: a level of this kind exists only where the machine has what the kernel needs.
        #[cfg(target_arch = "x86_64")]
        Kind::Avx512 => unsafe { avx512::encoded_len(source) },
    }
}

/// Writes the varints of `source` to the front of `destination` and returns their length.
///
/// `destination` must hold [`encoded_len`] bytes (the function panics otherwise, having written
/// only inside it); bytes behind the returned length are left as they were.
pub fn encode(level: Level, source: &[u8], destination: &mut [u8]) -> usize {
    match level.kind() {
        Kind::Portable => portable::encode(source, destination),
        // SAFETY: a level of this kind exists only where the machine has what the kernel needs.
        #[cfg(target_arch = "x86_64")]
        Kind::Avx2 => unsafe { avx2::encode(source, destination) },
        // SAFETY: a level of this kind exists only where the machine has what the kernel needs.
        #[cfg(target_arch = "x86_64")]
        Kind::Avx512 => unsafe { avx512::encode(source, destination) },
    }
}

/// Reads varints from `source` until it is used up, `destination` is full or a varint cannot be
/// a plane byte.
///
/// On return the first `produced` elements of `destination` are initialized; the others may have
/// been written to, with no meaning.
pub fn decode(level: Level, source: &[u8], destination: &mut [MaybeUninit<u8>]) -> Decoded {
    match level.kind() {
        Kind::Portable => portable::decode(source, destination),
        // SAFETY: a level of this kind exists only where the machine has what the kernel needs.
        #[cfg(target_arch = "x86_64")]
        Kind::Avx2 => unsafe { avx2::decode(source, destination) },
        // SAFETY: a level of this kind exists only where the machine has what the kernel needs.
        #[cfg(target_arch = "x86_64")]
        Kind::Avx512 => unsafe { avx512::decode(source, destination) },
    }
}

/// [`decode`] into bytes that are initialized already.
pub fn decode_into(level: Level, source: &[u8], destination: &mut [u8]) -> Decoded {
    // SAFETY: the same memory under a type that asks for less; `decode` writes initialized bytes
    // only, so the slice stays initialized.
    let destination = unsafe {
        core::slice::from_raw_parts_mut(destination.as_mut_ptr().cast(), destination.len())
    };
    decode(level, source, destination)
}
