//! The varint kernels for AVX2: blocks of 32 bytes, groups of eight.
//!
//! The top bits of a group choose a shuffle from a table that inserts the followers or deletes
//! them. A block without a top bit is copied. The ends of slices and the varints of other
//! writers are left to the portable kernels.

use super::{Decoded, Stop, portable};
use core::arch::x86_64::*;
use core::mem::MaybeUninit;

/// For each set of top bits the shuffle that inserts followers: a source byte, or 8, where the
/// `0x01` is. Places beyond the result hold 8 too.
static INSERT: [[u8; 16]; 256] = insert_table();
/// For each set of followers the shuffle that deletes them. Places beyond the result hold 0.
static DELETE: [[u8; 8]; 256] = delete_table();

const fn insert_table() -> [[u8; 16]; 256] {
    let mut table = [[8; 16]; 256];
    let mut high = 0;
    while high < 256 {
        let (mut byte, mut at) = (0, 0);
        while byte < 8 {
            table[high][at] = byte;
            at += 1 + (high >> byte & 1);
            byte += 1;
        }
        high += 1;
    }
    table
}

const fn delete_table() -> [[u8; 8]; 256] {
    let mut table = [[0; 8]; 256];
    let mut followers = 0;
    while followers < 256 {
        let (mut byte, mut at) = (0, 0);
        while byte < 8 {
            if followers >> byte & 1 == 0 {
                table[followers][at] = byte;
                at += 1;
            }
            byte += 1;
        }
        followers += 1;
    }
    table
}

#[target_feature(enable = "avx2,popcnt")]
pub(super) fn encoded_len(source: &[u8]) -> usize {
    let mut blocks = source.chunks_exact(128);
    let mut high = 0;
    for block in &mut blocks {
        for quarter in 0..4 {
            // SAFETY: a block has 128 bytes, and the quarter's 32 bytes lie inside.
            let bytes = unsafe { _mm256_loadu_si256(block.as_ptr().add(32 * quarter).cast()) };
            high += _mm256_movemask_epi8(bytes).count_ones() as usize;
        }
    }
    128 * (source.len() / 128) + high + portable::encoded_len(blocks.remainder())
}

/// The varints of the eight bytes at `from`, whose top bits are the lowest eight of `high`,
/// followed by bytes with no meaning.
///
/// # Safety
///
/// Eight bytes can be read at `from`.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn spread(from: *const u8, high: u32) -> __m128i {
    let shuffle = INSERT[(high & 255) as usize].as_ptr();
    // SAFETY: the caller vouches for `from`; a row of the table has 16 bytes.
    let (bytes, shuffle) =
        unsafe { (_mm_loadl_epi64(from.cast()), _mm_loadu_si128(shuffle.cast())) };
    _mm_shuffle_epi8(_mm_unpacklo_epi64(bytes, _mm_set1_epi8(1)), shuffle)
}

#[target_feature(enable = "avx2,ssse3,bmi1,bmi2,popcnt")]
pub(super) fn encode(source: &[u8], destination: &mut [u8]) -> usize {
    let (mut taken, mut at) = (0, 0);
    // What the stores leave behind their valid part is overwritten by the next block: the
    // result is at least as long as the source.
    while source.len() - taken >= 64 && destination.len() - at >= 64 {
        // SAFETY: the loop condition leaves 64 bytes in both slices. A group writes 16 bytes and
        // advances by at most as many, so that four of them stay inside.
        unsafe {
            let from = source.as_ptr().add(taken);
            let to = destination.as_mut_ptr().add(at);
            let bytes = _mm256_loadu_si256(from.cast());
            let high = _mm256_movemask_epi8(bytes) as u32;
            taken += 32;
            if high == 0 {
                _mm256_storeu_si256(to.cast(), bytes);
                at += 32;
                let run = copy_low(&source[taken..], to.add(32), destination.len() - at);
                taken += run;
                at += run;
            } else {
                // Each place is computed from the start, not from the place before: shorter
                // chains of dependent instructions.
                let second = 8 + (high & 0xFF).count_ones() as usize;
                let third = 16 + (high & 0xFFFF).count_ones() as usize;
                let fourth = 24 + (high & 0xFF_FFFF).count_ones() as usize;
                _mm_storeu_si128(to.cast(), spread(from, high));
                _mm_storeu_si128(to.add(second).cast(), spread(from.add(8), high >> 8));
                _mm_storeu_si128(to.add(third).cast(), spread(from.add(16), high >> 16));
                _mm_storeu_si128(to.add(fourth).cast(), spread(from.add(24), high >> 24));
                at += 32 + high.count_ones() as usize;
            }
        }
    }
    // The same by groups: eight bytes and another eight behind them.
    while source.len() - taken >= 16 && destination.len() - at >= 16 {
        // SAFETY: the loop condition leaves 16 bytes in both slices.
        unsafe {
            let from = source.as_ptr().add(taken);
            let high = _mm_movemask_epi8(_mm_loadl_epi64(from.cast())) as u32;
            _mm_storeu_si128(destination.as_mut_ptr().add(at).cast(), spread(from, high));
            at += 8 + high.count_ones() as usize;
        }
        taken += 8;
    }
    at + portable::encode(&source[taken..], &mut destination[at..])
}

/// Copies 128 bytes at a time from `source` to `destination` as long as all of them are below
/// 128 and both have room, and returns how many were copied.
///
/// # Safety
///
/// `room` bytes can be written at `destination`, which does not overlap `source`.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn copy_low(source: &[u8], destination: *mut u8, room: usize) -> usize {
    let limit = source.len().min(room);
    let mut copied = 0;
    while limit - copied >= 128 {
        // SAFETY: the loop condition leaves 128 bytes in both places.
        unsafe {
            let from = source.as_ptr().add(copied);
            let to = destination.add(copied);
            let first = _mm256_loadu_si256(from.cast());
            let second = _mm256_loadu_si256(from.add(32).cast());
            let third = _mm256_loadu_si256(from.add(64).cast());
            let fourth = _mm256_loadu_si256(from.add(96).cast());
            let either = _mm256_or_si256(first, second);
            let all = _mm256_or_si256(either, _mm256_or_si256(third, fourth));
            if _mm256_movemask_epi8(all) != 0 {
                break;
            }
            _mm256_storeu_si256(to.cast(), first);
            _mm256_storeu_si256(to.add(32).cast(), second);
            _mm256_storeu_si256(to.add(64).cast(), third);
            _mm256_storeu_si256(to.add(96).cast(), fourth);
        }
        copied += 128;
    }
    copied
}

/// Stores the eight bytes at `from` without those that the lowest eight bits of `followers`
/// select; behind the valid part it stores bytes with no meaning, eight in all.
///
/// # Safety
///
/// Eight bytes can be read at `from` and written at `to`.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn pack(from: *const u8, followers: u32, to: *mut u8) {
    let shuffle = DELETE[(followers & 255) as usize].as_ptr();
    // SAFETY: the caller vouches for `from` and `to`; a row of the table has eight bytes.
    unsafe {
        let bytes = _mm_loadl_epi64(from.cast());
        let packed = _mm_shuffle_epi8(bytes, _mm_loadl_epi64(shuffle.cast()));
        _mm_storel_epi64(to.cast(), packed);
    }
}

#[target_feature(enable = "avx2,ssse3,bmi1,bmi2,popcnt")]
pub(super) fn decode(source: &[u8], destination: &mut [MaybeUninit<u8>]) -> Decoded {
    let mut decoded = Decoded { consumed: 0, produced: 0, stop: Stop::SourceEmpty };
    while decode_pairs(source, destination, &mut decoded) {
        // As many source bytes as the failed round has looked at: the time stays linear however
        // often this happens.
        let until = decoded.consumed + 32;
        if portable::decode_general(source, destination, &mut decoded, until) {
            return decoded;
        }
    }
    let rest = portable::decode(&source[decoded.consumed..], &mut destination[decoded.produced..]);
    Decoded {
        consumed: decoded.consumed + rest.consumed,
        produced: decoded.produced + rest.produced,
        stop: rest.stop,
    }
}

/// Decodes what [`encode`] writes. Returns `true` before a varint that [`encode`] does not write
/// and `false` near an end of a slice; `decoded` has no stop yet in both cases.
#[inline]
#[target_feature(enable = "avx2,ssse3,bmi1,bmi2,popcnt")]
fn decode_pairs(source: &[u8], destination: &mut [MaybeUninit<u8>], decoded: &mut Decoded) -> bool {
    let Decoded { mut consumed, mut produced, .. } = *decoded;
    let one = _mm256_set1_epi8(1);
    // 1 when the last byte consumed is above 127, already stored, its follower not yet seen.
    let mut pending = 0;
    let irregular = loop {
        let left = source.len() - consumed;
        let room = destination.len() - produced;
        if left < 32 || room < 32 {
            break false;
        }
        // SAFETY: 32 bytes are left in both slices. A group writes eight bytes and advances by
        // at most as many, so that four of them stay inside.
        unsafe {
            let from = source.as_ptr().add(consumed);
            let to: *mut u8 = destination.as_mut_ptr().add(produced).cast();
            let bytes = _mm256_loadu_si256(from.cast());
            let high = _mm256_movemask_epi8(bytes) as u32;
            let ones = _mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, one)) as u32;
            let followers = high << 1 | pending;
            if followers & !ones != 0 {
                break true;
            }
            pending = high >> 31;
            consumed += 32;
            if followers == 0 {
                _mm256_storeu_si256(to.cast(), bytes);
                produced += 32;
                if pending == 0 {
                    let run = copy_low(&source[consumed..], to.add(32), room - 32);
                    consumed += run;
                    produced += run;
                }
            } else {
                let second = 8 - (followers & 0xFF).count_ones() as usize;
                let third = 16 - (followers & 0xFFFF).count_ones() as usize;
                let fourth = 24 - (followers & 0xFF_FFFF).count_ones() as usize;
                pack(from, followers, to);
                pack(from.add(8), followers >> 8, to.add(second));
                pack(from.add(16), followers >> 16, to.add(third));
                pack(from.add(24), followers >> 24, to.add(fourth));
                produced += 32 - followers.count_ones() as usize;
            }
        }
    };
    decoded.consumed = consumed - pending as usize;
    decoded.produced = produced - pending as usize;
    irregular
}
