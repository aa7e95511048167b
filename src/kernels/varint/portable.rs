//! The specification of the varint kernels, in plain Rust.

use super::{Decoded, Stop};
use core::mem::MaybeUninit;

pub(super) fn encoded_len(source: &[u8]) -> usize {
    source.iter().map(|byte| 1 + usize::from(byte >> 7)).sum()
}

pub(super) fn encode(source: &[u8], destination: &mut [u8]) -> usize {
    let mut at = 0;
    for &byte in source {
        destination[at] = byte;
        at += 1;
        if byte >= 128 {
            destination[at] = 1;
            at += 1;
        }
    }
    at
}

pub(super) fn decode(source: &[u8], destination: &mut [MaybeUninit<u8>]) -> Decoded {
    let (mut consumed, mut produced) = (0, 0);
    let stop = loop {
        if consumed == source.len() {
            break Stop::SourceEmpty;
        }
        if produced == destination.len() {
            break Stop::DestinationFull;
        }
        let (mut value, mut length) = (0u64, 0);
        let end = loop {
            if length == 10 {
                break Some(Stop::TooLong);
            }
            let Some(&byte) = source.get(consumed + length) else {
                break Some(Stop::Truncated);
            };
            value |= u64::from(byte & 127) << (7 * length as u32);
            length += 1;
            if byte < 128 {
                break None;
            }
        };
        match end {
            Some(stop) => break stop,
            None if value > 255 => break Stop::TooLarge(value),
            None => destination[produced].write(value as u8),
        };
        produced += 1;
        consumed += length;
    };
    Decoded { consumed, produced, stop }
}
