//! The varint kernels in plain Rust, for machines without a SIMD kernel and for the pieces that
//! are too short or too unusual for one.
//!
//! Eight bytes at a time, without a branch that depends on the data except for the shortcut when
//! all eight are below 128. The bounds are those of fixed-size windows, so the inner loops have
//! no checks. The naive specification that this is proved against is in `tests/kernels_varint.rs`.

use super::{Decoded, Stop};
use core::mem::MaybeUninit;

/// The top bit of each of eight bytes.
const TOP_BITS: u64 = 0x8080_8080_8080_8080;
/// The byte that follows a byte of 128 or more, eight times.
const FOLLOWERS: u64 = 0x0101_0101_0101_0101;

pub(super) fn encoded_len(source: &[u8]) -> usize {
    // Sums of bytes vectorize well as long as they stay bytes: up to 255 summands.
    let high: usize = source
        .chunks(192)
        .map(|chunk| usize::from(chunk.iter().fold(0u8, |sum, byte| sum.wrapping_add(byte >> 7))))
        .sum();
    source.len() + high
}

pub(super) fn encode(source: &[u8], destination: &mut [u8]) -> usize {
    let (mut taken, mut at) = (0, 0);
    // The window may get one byte more than eight values need. A source byte behind the eight
    // makes sure that it lies inside the result.
    while source.len() - taken > 8
        && let Some(&bytes) = source[taken..].first_chunk::<8>()
        && let Some(window) = destination[at..].first_chunk_mut::<17>()
    {
        taken += 8;
        if u64::from_le_bytes(bytes) & TOP_BITS == 0 {
            window[..8].copy_from_slice(&bytes);
            at += 8;
            let run = copy_low(&source[taken..], &mut destination[at..]);
            taken += run;
            at += run;
            continue;
        }
        let mut filled = 0;
        for byte in bytes {
            // At most 14 before the last byte; the masks only tell the compiler.
            window[filled & 15] = byte;
            window[(filled & 15) + 1] = 1;
            filled += 1 + usize::from(byte >> 7);
        }
        at += filled;
    }
    for &byte in &source[taken..] {
        destination[at] = byte;
        at += 1;
        if byte >= 128 {
            destination[at] = 1;
            at += 1;
        }
    }
    at
}

/// Copies 64 bytes at a time as long as all of them are below 128 and both slices have room, and
/// returns how many were copied.
fn copy_low(source: &[u8], destination: &mut [u8]) -> usize {
    let mut copied = 0;
    for (from, to) in source.chunks_exact(64).zip(destination.chunks_exact_mut(64)) {
        if from.iter().fold(0, |all, byte| all | byte) >= 128 {
            break;
        }
        to.copy_from_slice(from);
        copied += 64;
    }
    copied
}

pub(super) fn decode(source: &[u8], destination: &mut [MaybeUninit<u8>]) -> Decoded {
    let mut decoded = Decoded { consumed: 0, produced: 0, stop: Stop::SourceEmpty };
    loop {
        decode_pairs(source, destination, &mut decoded);
        // A varint of another writer stopped the loop above, or an end is near. A few varints
        // one by one, so that neither loop is entered for every single one.
        let until = decoded.consumed + 8;
        if decode_general(source, destination, &mut decoded, until) {
            return decoded;
        }
    }
}

/// Decodes what [`encode`] writes, eight source bytes at a time, and stops at anything else.
fn decode_pairs(source: &[u8], destination: &mut [MaybeUninit<u8>], decoded: &mut Decoded) {
    while let (Some(&bytes), Some(window)) = (
        source[decoded.consumed..].first_chunk::<8>(),
        destination[decoded.produced..].first_chunk_mut::<8>(),
    ) {
        let word = u64::from_le_bytes(bytes);
        let high = word & TOP_BITS;
        if high == 0 {
            *window = bytes.map(MaybeUninit::new);
            decoded.consumed += 8;
            decoded.produced += 8;
            continue;
        }
        let followers = (high >> 7) << 8;
        if (word ^ FOLLOWERS) & (followers * 255) != 0 {
            return;
        }
        let mut filled = 0;
        for (position, byte) in bytes.into_iter().enumerate() {
            window[filled & 7] = MaybeUninit::new(byte);
            filled += 1 - ((followers >> (8 * position)) & 1) as usize;
        }
        // A last byte of 128 or more is left for the next round, which sees its follower.
        let split = (high >> 63) as usize;
        decoded.consumed += 8 - split;
        decoded.produced += filled - split;
    }
}

/// Decodes any varints, one by one, until `decoded.consumed` reaches `until`. Returns `true` when
/// there is nothing more to decode; `decoded.stop` then says why.
pub(super) fn decode_general(
    source: &[u8],
    destination: &mut [MaybeUninit<u8>],
    decoded: &mut Decoded,
    until: usize,
) -> bool {
    loop {
        let rest = &source[decoded.consumed..];
        if rest.is_empty() {
            decoded.stop = Stop::SourceEmpty;
            return true;
        }
        let Some(place) = destination.get_mut(decoded.produced) else {
            decoded.stop = Stop::DestinationFull;
            return true;
        };
        if decoded.consumed >= until {
            return false;
        }
        match read_varint(rest) {
            Ok((value, length)) => {
                place.write(value);
                decoded.produced += 1;
                decoded.consumed += length;
            }
            Err(stop) => {
                decoded.stop = stop;
                return true;
            }
        }
    }
}

/// The value of the varint at the front of `source` and its length.
fn read_varint(source: &[u8]) -> Result<(u8, usize), Stop> {
    let mut value = 0;
    for (position, &byte) in source.iter().take(10).enumerate() {
        value |= u64::from(byte & 127) << (7 * position);
        if byte < 128 {
            return match u8::try_from(value) {
                Ok(value) => Ok((value, position + 1)),
                Err(_) => Err(Stop::TooLarge(value)),
            };
        }
    }
    Err(if source.len() < 10 { Stop::Truncated } else { Stop::TooLong })
}
