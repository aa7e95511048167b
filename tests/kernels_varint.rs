//! Every varint kernel against a naive specification: all short lengths, misalignments, data
//! classes, the varints of other writers, short destinations and protected pages.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    reason = "a test may fail by panicking"
)]

mod support;

use caffe2_qtensor::kernels::Level;
use caffe2_qtensor::kernels::varint::{self, Decoded, Stop};
use std::mem::MaybeUninit;
use support::guard::Guarded;

/// What kernels must not change or leave behind.
const UNTOUCHED: u8 = 0xA5;

// The specification.

fn naive_encode(source: &[u8]) -> Vec<u8> {
    let mut wire = Vec::with_capacity(2 * source.len());
    for &byte in source {
        wire.push(byte);
        if byte >= 128 {
            wire.push(1);
        }
    }
    wire
}

/// What decoding yields for a destination of `room` elements.
fn naive_decode(source: &[u8], room: usize) -> (Decoded, Vec<u8>) {
    let (mut consumed, mut values) = (0, Vec::with_capacity(room.min(source.len())));
    let stop = loop {
        if consumed == source.len() {
            break Stop::SourceEmpty;
        }
        if values.len() == room {
            break Stop::DestinationFull;
        }
        let (mut value, mut length) = (0u64, 0);
        let failure = loop {
            if length == 10 {
                break Some(Stop::TooLong);
            }
            let Some(&byte) = source.get(consumed + length) else {
                break Some(Stop::Truncated);
            };
            value |= u64::from(byte & 127) << (7 * length);
            length += 1;
            if byte < 128 {
                break None;
            }
        };
        match failure {
            Some(stop) => break stop,
            None if value > 255 => break Stop::TooLarge(value),
            None => values.push(value as u8),
        }
        consumed += length;
    };
    (Decoded { consumed, produced: values.len(), stop }, values)
}

// Data.

/// A small generator (xorshift): tests must not depend on a run's luck.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16
    }

    fn below(&mut self, bound: usize) -> usize {
        self.next() as usize % bound
    }

    fn byte(&mut self) -> u8 {
        self.next() as u8
    }
}

const CLASSES: usize = 6;

/// Plane bytes of a class: random, low, high, alternating either way, mostly low.
fn planes(class: usize, length: usize, random: &mut Random) -> Vec<u8> {
    (0..length)
        .map(|position| match class {
            0 => random.byte(),
            1 => random.byte() & 127,
            2 => random.byte() | 128,
            3 => random.byte() & 127 | (position as u8 & 1) << 7,
            4 => random.byte() & 127 | (!position as u8 & 1) << 7,
            _ if random.below(200) == 0 => random.byte(),
            _ => random.byte() & 3,
        })
        .collect()
}

/// Appends a varint of `value` with `padding` bytes more than it needs.
fn push_varint(mut value: u64, padding: usize, wire: &mut Vec<u8>) {
    while value > 127 {
        wire.push(value as u8 | 128);
        value >>= 7;
    }
    wire.push(value as u8);
    for _ in 0..padding {
        *wire.last_mut().unwrap() |= 128;
        wire.push(0);
    }
}

/// Varints that [`varint::encode`] would not write, one in `rarity`, among others. `failing`
/// allows some that no decoder takes.
fn foreign_wire(values: usize, rarity: usize, failing: bool, random: &mut Random) -> Vec<u8> {
    let mut wire = Vec::new();
    for _ in 0..values {
        let value = u64::from(random.byte());
        if random.below(rarity) != 0 {
            push_varint(value, 0, &mut wire);
            continue;
        }
        match random.below(if failing { 12 } else { 6 }) {
            0..=5 => push_varint(value, 1 + random.below(8), &mut wire),
            6 => push_varint(value + 256, 0, &mut wire),
            7 => push_varint(random.next() << 24, 0, &mut wire),
            8 => push_varint((random.below(1 << 31) as u64).wrapping_neg(), 0, &mut wire),
            9 => wire.extend(std::iter::repeat_n(128 | random.byte(), 11)),
            10 => wire.extend([0x80; 10]),
            _ => wire.extend((0..8).map(|_| random.byte())),
        }
    }
    wire
}

// Comparisons.

fn uninit(bytes: &mut [u8]) -> &mut [MaybeUninit<u8>] {
    // SAFETY: the same layout, and kernels write nothing but initialized bytes.
    unsafe { &mut *(bytes as *mut [u8] as *mut [MaybeUninit<u8>]) }
}

fn check_encode(level: Level, source: &[u8], wire: &[u8], destination: &mut [u8]) {
    destination.fill(UNTOUCHED);
    let length = varint::encode(level, source, destination);
    assert_eq!(length, wire.len(), "{level:?}, {source:?}");
    assert_eq!(&destination[..length], wire, "{level:?}, {source:?}");
    assert!(destination[length..].iter().all(|byte| *byte == UNTOUCHED), "{level:?}, {source:?}");
}

fn check_decode(level: Level, wire: &[u8], destination: &mut [u8]) {
    let (expected, values) = naive_decode(wire, destination.len());
    let decoded = varint::decode(level, wire, uninit(destination));
    assert_eq!(decoded, expected, "{level:?}, room for {}, {wire:?}", destination.len());
    assert_eq!(&destination[..values.len()], values, "{level:?}, {wire:?}");
}

/// Destination sizes worth trying for `count` values.
fn rooms(count: usize, random: &mut Random) -> [usize; 6] {
    let fewer = random.below(count + 1);
    [count, count + 1, count + 100, count.saturating_sub(1), count / 2, fewer]
}

#[test]
fn every_length_and_alignment() {
    let mut random = Random(1);
    let mut place = vec![0; 1024];
    let mut target = vec![0; 1024];
    for length in 0..=257 {
        for class in 0..CLASSES {
            let source = planes(class, length, &mut random);
            let wire = naive_encode(&source);
            for start in 0..64 {
                let target_start = start * 29 % 64;
                for level in Level::available() {
                    // Longer than needed by 0, 1 or more bytes.
                    let spare = [0, 1, 130][(start + class) % 3];
                    place[start..start + length].copy_from_slice(&source);
                    let from = &place[start..start + length];
                    assert_eq!(varint::encoded_len(level, from), wire.len());
                    let to = &mut target[target_start..target_start + wire.len() + spare];
                    check_encode(level, from, &wire, to);

                    place[start..start + wire.len()].copy_from_slice(&wire);
                    let from = &place[start..start + wire.len()];
                    let to = &mut target[target_start..target_start + length + spare];
                    let decoded = varint::decode(level, from, uninit(to));
                    let stop = Stop::SourceEmpty;
                    assert_eq!(decoded, Decoded { consumed: wire.len(), produced: length, stop });
                    assert_eq!(to[..length], source, "{level:?}");
                }
            }
        }
    }
}

#[test]
fn long_inputs() {
    let mut random = Random(2);
    for length in [1000, 4095, 4096, 4097, 70_001, 1 << 20] {
        for class in 0..CLASSES {
            let source = planes(class, length, &mut random);
            let wire = naive_encode(&source);
            for level in Level::available() {
                assert_eq!(varint::encoded_len(level, &source), wire.len());
                let mut target = vec![0; wire.len() + 1];
                check_encode(level, &source, &wire, &mut target);
                check_encode(level, &source, &wire, &mut target[..wire.len()]);
                check_decode(level, &wire, &mut target[..length]);
                check_decode(level, &wire, &mut target[..length - 1]);
            }
        }
    }
}

#[test]
fn encode_refuses_a_short_destination() {
    let mut random = Random(3);
    let mut accepted = Vec::new();
    for length in [1, 7, 8, 31, 32, 64, 65, 128, 130, 200, 257] {
        for class in 0..CLASSES {
            let source = planes(class, length, &mut random);
            let wire = naive_encode(&source);
            for room in [0, wire.len() / 2, wire.len().saturating_sub(70), wire.len() - 1] {
                for level in Level::available() {
                    let mut guarded = Guarded::new(1024);
                    let target = guarded.back(room);
                    let call = || varint::encode(level, &source, target);
                    if std::panic::catch_unwind(std::panic::AssertUnwindSafe(call)).is_ok() {
                        accepted.push((level, length, class, room));
                    }
                }
            }
        }
    }
    assert_eq!(accepted, []);
}

#[test]
fn decode_into_any_room() {
    let mut random = Random(4);
    let mut target = vec![0; 512];
    for length in (0..150).chain([191, 192, 193, 256, 300]) {
        for class in 0..CLASSES {
            let wire = naive_encode(&planes(class, length, &mut random));
            for level in Level::available() {
                for room in 0..=length + 1 {
                    check_decode(level, &wire, &mut target[..room]);
                }
            }
        }
    }
}

#[test]
fn decode_truncated_anywhere() {
    let mut random = Random(5);
    let mut target = vec![0; 1024];
    for class in 0..CLASSES {
        let own = naive_encode(&planes(class, 257, &mut random));
        let foreign = foreign_wire(100, 1 + 3 * class, false, &mut random);
        for wire in [own, foreign] {
            for length in 0..=wire.len() {
                for level in Level::available() {
                    check_decode(level, &wire[..length], &mut target);
                }
            }
        }
    }
}

#[test]
fn decode_what_other_writers_may_write() {
    let mut random = Random(6);
    let mut target = vec![0; 4096];
    for round in 0..3000 {
        let values = random.below(400);
        let rarity = [1, 2, 5, 20, 100, 400][round % 6];
        let wire = foreign_wire(values, rarity, round % 4 == 0, &mut random);
        let (expected, _) = naive_decode(&wire, usize::MAX);
        for room in rooms(expected.produced, &mut random) {
            for level in Level::available() {
                check_decode(level, &wire, &mut target[..room]);
            }
        }
    }
}

/// One unusual varint at every place of an otherwise ordinary wire.
#[test]
fn decode_one_oddity_anywhere() {
    let oddities: [&[u8]; 10] = [
        &[0x85, 0x80, 0x00],
        &[0x85, 0x00],
        &[0x85, 0x81, 0x00],
        &[0x85, 0x02],
        &[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00],
        &[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7F],
        &[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01],
        &[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01],
        &[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00],
        &[0xFF, 0x81, 0x01],
    ];
    let mut random = Random(7);
    let mut target = vec![0; 1024];
    for class in 0..CLASSES {
        let before = planes(class, 200, &mut random);
        let after = naive_encode(&planes(class, 150, &mut random));
        for oddity in oddities {
            for position in 0..=before.len() {
                let mut wire = naive_encode(&before[..position]);
                wire.extend(oddity);
                wire.extend(&after);
                for level in Level::available() {
                    check_decode(level, &wire, &mut target);
                    check_decode(level, &wire, &mut target[..position + 1]);
                }
            }
        }
    }
}

/// Nothing outside the slices is touched: both begin or end at a protected page.
#[test]
fn guard_pages() {
    let mut random = Random(8);
    let mut place = Guarded::new(16 << 10);
    let mut target = Guarded::new(16 << 10);
    for length in (0..=300).chain(3990..=4000).chain([4095, 4096, 4097, 4127, 4128, 4160]) {
        for class in 0..CLASSES {
            let source = planes(class, length, &mut random);
            let wire = naive_encode(&source);
            let foreign = foreign_wire(length.min(300), 1 + 4 * class, true, &mut random);
            let room = naive_decode(&foreign, usize::MAX).0.produced;
            for level in Level::available() {
                for at_back in [false, true] {
                    let side = if at_back { Guarded::back } else { Guarded::front };
                    let from = side(&mut place, length);
                    from.copy_from_slice(&source);
                    assert_eq!(varint::encoded_len(level, from), wire.len());
                    check_encode(level, from, &wire, side(&mut target, wire.len()));

                    let from = side(&mut place, wire.len());
                    from.copy_from_slice(&wire);
                    check_decode(level, from, side(&mut target, length));
                    check_decode(level, from, side(&mut target, length / 2));
                    check_decode(level, from, side(&mut target, length + 70));

                    let from = side(&mut place, foreign.len());
                    from.copy_from_slice(&foreign);
                    check_decode(level, from, side(&mut target, room));
                    check_decode(level, from, side(&mut target, room + 1));
                }
            }
        }
    }
}

/// Wires made of nothing but overlong varints must not cost more than time in proportion.
#[test]
fn decode_overlong_only() {
    for padding in [1, 2, 8] {
        let mut wire = Vec::new();
        for value in 0..100_000u32 {
            push_varint(u64::from(value as u8), padding, &mut wire);
        }
        let mut target = vec![0; 100_000];
        for level in Level::available() {
            check_decode(level, &wire, &mut target);
        }
    }
}
