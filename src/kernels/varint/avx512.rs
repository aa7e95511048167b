//! The varint kernels for AVX-512 with VBMI2: 64 plane bytes or 64 wire bytes a round.
//!
//! Encoding gives each of 32 bytes a follower `0x01` and drops those that are not due with one
//! `vpcompressb`; decoding drops the followers with one. Both stay in registers and are stored in
//! full, because the forms that write to memory are microcoded on AMD. What lies beyond the valid
//! part of such a store is overwritten by the next one; near the end of a slice masked stores
//! take over, which touch nothing but the valid part.

use super::{Decoded, Stop, portable};
use core::arch::x86_64::*;
use core::mem::MaybeUninit;

/// Even bits: where a byte goes when every byte has a place for a follower behind it.
const EVEN: u64 = 0x5555_5555_5555_5555;

/// A mask of the lowest `count` bits, for counts up to 64.
#[inline]
#[target_feature(enable = "bmi2")]
fn lowest(count: usize) -> u64 {
    debug_assert!(count <= 64);
    _bzhi_u64(u64::MAX, count as u32)
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,bmi2,popcnt")]
pub(super) fn encoded_len(source: &[u8]) -> usize {
    let mut blocks = source.chunks_exact(256);
    let mut high = 0;
    for block in &mut blocks {
        for quarter in 0..4 {
            // SAFETY: a block has 256 bytes, and the quarter's 64 bytes lie inside.
            let bytes = unsafe { _mm512_loadu_si512(block.as_ptr().add(64 * quarter).cast()) };
            high += _mm512_movepi8_mask(bytes).count_ones() as usize;
        }
    }
    for piece in blocks.remainder().chunks(64) {
        // SAFETY: the mask selects the bytes of the piece, at most 64, and no others are read.
        let bytes = unsafe { _mm512_maskz_loadu_epi8(lowest(piece.len()), piece.as_ptr().cast()) };
        high += _mm512_movepi8_mask(bytes).count_ones() as usize;
    }
    source.len() + high
}

/// The varints of 32 bytes whose top bits are `high`, followed by bytes with no meaning. There
/// are as many valid ones as 32 plus the number of set bits.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi2,bmi2")]
fn spread(bytes: __m256i, high: u32) -> __m512i {
    let pairs = _mm512_or_si512(_mm512_cvtepu8_epi16(bytes), _mm512_set1_epi16(0x0100));
    _mm512_maskz_compress_epi8(_pdep_u64(u64::from(high), !EVEN) | EVEN, pairs)
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi2,bmi2,popcnt")]
pub(super) fn encode(source: &[u8], destination: &mut [u8]) -> usize {
    let (mut taken, mut at) = (0, 0);
    // Room for two stores of 64 bytes each, and a following block that will overwrite what they
    // leave behind the valid part: the result is at least as long as the source. A half advances
    // by at most the 64 bytes that it writes.
    while source.len() - taken >= 128 && destination.len() - at >= 128 {
        // SAFETY: 128 bytes are left in both slices.
        unsafe {
            let from = source.as_ptr().add(taken);
            let to = destination.as_mut_ptr().add(at);
            let bytes = _mm512_loadu_si512(from.cast());
            let high = _mm512_movepi8_mask(bytes);
            taken += 64;
            if high == 0 {
                _mm512_storeu_si512(to.cast(), bytes);
                at += 64;
                let run = copy_low(&source[taken..], to.add(64), destination.len() - at);
                taken += run;
                at += run;
                continue;
            }
            let first = spread(_mm512_castsi512_si256(bytes), high as u32);
            let second = spread(_mm512_extracti64x4_epi64::<1>(bytes), (high >> 32) as u32);
            let split = 32 + (high as u32).count_ones() as usize;
            _mm512_storeu_si512(to.cast(), first);
            _mm512_storeu_si512(to.add(split).cast(), second);
            at += 64 + high.count_ones() as usize;
        }
    }
    // The same by halves: 32 bytes and another 32 behind them.
    while source.len() - taken >= 64 && destination.len() - at >= 64 {
        // SAFETY: the loop condition leaves 64 bytes in both slices.
        unsafe {
            let bytes = _mm256_loadu_si256(source.as_ptr().add(taken).cast());
            let high = _mm256_movemask_epi8(bytes) as u32;
            _mm512_storeu_si512(destination.as_mut_ptr().add(at).cast(), spread(bytes, high));
            at += 32 + high.count_ones() as usize;
        }
        taken += 32;
    }
    for piece in source[taken..].chunks(32) {
        // SAFETY: the mask selects the bytes of the piece, at most 32, and no others are read.
        let bytes =
            unsafe { _mm256_maskz_loadu_epi8(lowest(piece.len()) as u32, piece.as_ptr().cast()) };
        let high = _mm256_movemask_epi8(bytes) as u32;
        let length = piece.len() + high.count_ones() as usize;
        let place = &mut destination[at..at + length];
        // SAFETY: the mask selects the bytes of the place, at most 64, and no others are written.
        unsafe {
            let valid = lowest(length);
            _mm512_mask_storeu_epi8(place.as_mut_ptr().cast(), valid, spread(bytes, high));
        }
        at += length;
    }
    at
}

/// Copies 256 bytes at a time from `source` to `destination` as long as all of them are below
/// 128 and both have room, and returns how many were copied.
///
/// # Safety
///
/// `room` bytes can be written at `destination`, which does not overlap `source`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
unsafe fn copy_low(source: &[u8], destination: *mut u8, room: usize) -> usize {
    let limit = source.len().min(room);
    let mut copied = 0;
    while limit - copied >= 256 {
        // SAFETY: the loop condition leaves 256 bytes in both places.
        unsafe {
            let from = source.as_ptr().add(copied);
            let to = destination.add(copied);
            let first = _mm512_loadu_si512(from.cast());
            let second = _mm512_loadu_si512(from.add(64).cast());
            let third = _mm512_loadu_si512(from.add(128).cast());
            let fourth = _mm512_loadu_si512(from.add(192).cast());
            let three = _mm512_ternarylogic_epi64::<0xFE>(first, second, third);
            if _mm512_movepi8_mask(_mm512_or_si512(three, fourth)) != 0 {
                break;
            }
            _mm512_storeu_si512(to.cast(), first);
            _mm512_storeu_si512(to.add(64).cast(), second);
            _mm512_storeu_si512(to.add(128).cast(), third);
            _mm512_storeu_si512(to.add(192).cast(), fourth);
        }
        copied += 256;
    }
    copied
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi2,bmi1,bmi2,popcnt")]
pub(super) fn decode(source: &[u8], destination: &mut [MaybeUninit<u8>]) -> Decoded {
    let mut decoded = Decoded { consumed: 0, produced: 0, stop: Stop::SourceEmpty };
    loop {
        if decode_pairs(source, destination, &mut decoded) {
            return decoded;
        }
        // As many source bytes as the failed round has looked at: the time stays linear however
        // often this happens.
        let until = decoded.consumed + 64;
        if portable::decode_general(source, destination, &mut decoded, until) {
            return decoded;
        }
    }
}

/// Decodes what [`encode`] writes. Returns `true` at an end of a slice, with `decoded` complete,
/// and `false` before a varint that [`encode`] does not write.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi2,bmi1,bmi2,popcnt")]
fn decode_pairs(source: &[u8], destination: &mut [MaybeUninit<u8>], decoded: &mut Decoded) -> bool {
    let Decoded { mut consumed, mut produced, .. } = *decoded;
    let one = _mm512_set1_epi8(1);
    // 1 when the last byte consumed is above 127, already stored, its follower not yet seen.
    let mut pending = 0;
    let regular = loop {
        let left = source.len() - consumed;
        let room = destination.len() - produced;
        if left < 64 || room < 64 {
            break true;
        }
        // SAFETY: 64 bytes are left in both slices.
        unsafe {
            let from = source.as_ptr().add(consumed);
            let to = destination.as_mut_ptr().add(produced);
            let bytes = _mm512_loadu_si512(from.cast());
            let high = _mm512_movepi8_mask(bytes);
            let followers = high << 1 | pending;
            if _mm512_mask_cmpneq_epi8_mask(followers, bytes, one) != 0 {
                break false;
            }
            pending = high >> 63;
            consumed += 64;
            if followers == 0 {
                _mm512_storeu_si512(to.cast(), bytes);
                produced += 64;
                if pending == 0 {
                    let run = copy_low(&source[consumed..], to.add(64).cast(), room - 64);
                    consumed += run;
                    produced += run;
                }
            } else {
                _mm512_storeu_si512(to.cast(), _mm512_maskz_compress_epi8(!followers, bytes));
                produced += 64 - followers.count_ones() as usize;
            }
        }
    };
    let mut finished = false;
    if regular {
        // At most 63 bytes of source, or room for at most 63 values, which come from 126 bytes.
        finished = loop {
            let room = destination.len() - produced;
            let mut length = (source.len() - consumed).min(64);
            if length == 0 || room == 0 && pending == 0 {
                break true;
            }
            // SAFETY: the mask selects no more bytes than the source has left.
            let bytes = unsafe {
                let from = source.as_ptr().add(consumed);
                _mm512_maskz_loadu_epi8(lowest(length), from.cast())
            };
            let high = _mm512_movepi8_mask(bytes);
            let followers = high << 1 | pending;
            let mut values = !followers & lowest(length);
            if values.count_ones() as usize > room {
                // Up to the first value that has no room.
                length = _pdep_u64(1 << room, values).trailing_zeros() as usize;
                values &= lowest(length);
            }
            let followers = followers & lowest(length);
            if _mm512_mask_cmpneq_epi8_mask(followers, bytes, one) != 0 {
                break false;
            }
            let count = values.count_ones() as usize;
            // SAFETY: the mask selects no more bytes than the destination has room for.
            unsafe {
                let to = destination.as_mut_ptr().add(produced);
                let packed = _mm512_maskz_compress_epi8(values, bytes);
                _mm512_mask_storeu_epi8(to.cast(), lowest(count), packed);
            }
            consumed += length;
            produced += count;
            pending = high >> (length - 1) & 1;
        };
    }
    decoded.stop = match (pending, source.len() - consumed) {
        (0, 0) => Stop::SourceEmpty,
        (0, _) => Stop::DestinationFull,
        _ => Stop::Truncated,
    };
    decoded.consumed = consumed - pending as usize;
    decoded.produced = produced - pending as usize;
    finished
}
