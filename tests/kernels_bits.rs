//! Every kernel on bits against the definition, next to memory that faults.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "a test that fails may panic, and its numbers are its own"
)]

#[path = "support/guard.rs"]
mod guard;

use caffe2_qtensor::kernels::Level;
use caffe2_qtensor::kernels::bits::{
    BYTE_PLANES, LANES, Left, MOST_PLANES, MOST_WORDS, Part, Planes, Sums, TERNARY, WORD, popcount,
    read, sum, ternary, twos_complement, unpack_panel, unpacked,
};
use caffe2_qtensor::kernels::product::DEPTH;
use guard::Guarded;

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 8
    }

    fn words(&mut self, count: usize) -> Vec<u32> {
        (0..count).map(|_| self.next() as u32).collect()
    }
}

/// All kinds of numbers of at most so many planes.
fn kinds(most: usize) -> impl Iterator<Item = Planes> {
    (1..=most).flat_map(|count| [false, true].map(|is_signed| Planes { count, is_signed }))
}

/// Element `e` of words that are four bytes of a plane each.
fn bit(words: &[u32], e: usize) -> i64 {
    let byte = words[e / WORD].to_le_bytes()[e % WORD / 8];
    i64::from(byte >> (7 - e % 8) & 1)
}

/// The number that bits from the least significant one on are.
fn number(planes: Planes, bits: impl Iterator<Item = i64>) -> i64 {
    let top = planes.count - 1;
    bits.enumerate()
        .map(|(p, bit)| if p == top && planes.is_signed { -bit << p } else { bit << p })
        .sum()
}

/// Element `e` of row `i` on the left.
fn left_number(left: Left<'_>, i: usize, e: usize) -> i64 {
    let Left { words, planes, stride } = left;
    number(planes, (0..planes.count).map(|p| bit(&words[(i * planes.count + p) * stride..], e)))
}

/// Element `e` of row `j` of a panel of `of` planes.
fn right_number(panel: &[u32], of: usize, first: usize, planes: Planes, j: usize, e: usize) -> i64 {
    let word = |q: usize| panel[(e / WORD * of + first + q) * LANES + j];
    number(planes, (0..planes.count).map(|q| bit(&[word(q)], e % WORD)))
}

fn definition(left: Left<'_>, panel: &[u32], right: Planes, words: usize, sums: &mut [i32]) {
    for (at, sum) in sums.iter_mut().enumerate() {
        let (i, j) = (at / LANES, at % LANES);
        let products = (0..words * WORD)
            .map(|e| left_number(left, i, e) * right_number(panel, right.count, 0, right, j, e));
        *sum = sum.wrapping_add(products.sum::<i64>() as i32);
    }
}

#[test]
fn popcounts() {
    let mut random = Random(1);
    for left in kinds(MOST_PLANES) {
        for right in kinds(MOST_PLANES) {
            let (rows, words) = (random.next() as usize % 8 + 1, random.next() as usize % 4);
            let stride = words + random.next() as usize % 3;
            let x = random.words(rows * left.count * stride);
            let panel = random.words(words * right.count * LANES);
            let left = Left { words: &x, planes: left, stride };
            let mut expected = vec![7; rows * LANES];
            definition(left, &panel, right, words, &mut expected);
            for level in Level::available() {
                let mut sums = vec![7; rows * LANES];
                popcount(level, left, &panel, right, words, Sums::more(&mut sums));
                assert!(sums == expected, "{} {left:?} {right:?}", level.name());
                popcount(level, left, &panel, right, words, Sums::new(&mut sums));
                let replaced = sums.iter().zip(&expected).all(|(sum, more)| sum + 7 == *more);
                assert!(replaced, "{} {left:?} {right:?}", level.name());
            }
        }
    }
}

#[test]
fn popcounts_of_every_number_of_rows() {
    let mut random = Random(2);
    for rows in 0..=13 {
        for words in [0, 1, 2, 31, 33] {
            let planes = Planes { count: 2, is_signed: true };
            let x = random.words(rows * 2 * words);
            let panel = random.words(words * 2 * LANES);
            let left = Left { words: &x, planes, stride: words };
            let mut expected = vec![-3; rows * LANES];
            definition(left, &panel, planes, words, &mut expected);
            for level in Level::available() {
                let mut sums = vec![-3; rows * LANES];
                popcount(level, left, &panel, planes, words, Sums::more(&mut sums));
                assert!(sums == expected, "{} {rows} {words}", level.name());
            }
        }
    }
}

#[test]
fn numbers_from_minus_one_to_one() {
    let mut random = Random(3);
    for rows in 0..=13 {
        for words in [0, 1, 3, 40] {
            // Zero has no sign: two's complement has no other zero.
            let mut x = random.words(rows * 2 * words);
            for row in x.chunks_exact_mut(2 * words.max(1)) {
                let (magnitudes, signs) = row.split_at_mut(words);
                signs.iter_mut().zip(magnitudes).for_each(|(sign, word)| *sign &= *word);
            }
            let mut panel = random.words(words * 2 * LANES);
            for group in panel.chunks_exact_mut(2 * LANES) {
                let (magnitudes, signs) = group.split_at_mut(LANES);
                signs.iter_mut().zip(magnitudes).for_each(|(sign, word)| *sign &= *word);
            }
            let left = Left { words: &x, planes: TERNARY, stride: words };
            let mut expected = vec![9; rows * LANES];
            definition(left, &panel, TERNARY, words, &mut expected);
            for level in Level::available() {
                let mut sums = vec![9; rows * LANES];
                ternary(level, left, &panel, words, Sums::more(&mut sums));
                assert!(sums == expected, "{} {rows} {words}", level.name());
            }
        }
    }
}

/// Every part of every panel.
fn parts() -> impl Iterator<Item = Part> {
    (1..=MOST_PLANES).flat_map(|of| {
        (0..of).flat_map(move |first| {
            let most = BYTE_PLANES.min(of - first);
            kinds(most).map(move |planes| Part { of, first, planes })
        })
    })
}

fn byte(panel: &[u32], part: Part, j: usize, e: usize) -> i64 {
    right_number(panel, part.of, part.first, part.planes, j, e) - part.offset()
}

#[test]
fn panels_become_bytes() {
    let mut random = Random(4);
    for part in parts() {
        let words = random.next() as usize % 3 + 1;
        let panel = random.words(words * part.of * LANES);
        for level in Level::available() {
            let mut bytes = vec![0x55; words * WORD * LANES];
            unpack_panel(level, &panel, part, &mut bytes);
            for (at, found) in bytes.iter().enumerate() {
                let e = at / (DEPTH * LANES) * DEPTH + at % DEPTH;
                let j = at / DEPTH % LANES;
                let expected = byte(&panel, part, j, e);
                assert_eq!(i64::from(*found), expected, "{} {part:?} {j}, {e}", level.name());
            }
        }
    }
}

#[test]
fn bytes_with_bits() {
    let mut random = Random(5);
    for part in parts() {
        let (rows, words) = (random.next() as usize % 10, random.next() as usize % 3 + 1);
        let stride = words * WORD + random.next() as usize % 9;
        let x: Vec<u8> = (0..rows * stride).map(|_| random.next() as u8).collect();
        let panel = random.words(words * part.of * LANES);
        let mut expected = vec![11; rows * LANES];
        for (at, sum) in expected.iter_mut().enumerate() {
            let (row, j) = (&x[at / LANES * stride..], at % LANES);
            let products = (0..words * WORD).map(|e| i64::from(row[e]) * byte(&panel, part, j, e));
            *sum += products.sum::<i64>() as i32;
        }
        for level in Level::available() {
            let mut sums = vec![11; rows * LANES];
            unpacked(level, &x, stride, &panel, part, words, Sums::more(&mut sums));
            assert!(sums == expected, "{} {rows} {words} {part:?}", level.name());
        }
    }
}

#[test]
fn words_from_any_bit_on() {
    let mut random = Random(6);
    let bytes: Vec<u8> = (0..40).map(|_| random.next() as u8).collect();
    for length in 0..=bytes.len() {
        for skip in 0..8 {
            for count in 0..=(8 * length).saturating_sub(skip) {
                let expected: Vec<bool> =
                    (skip..skip + count).map(|e| bytes[e / 8] >> (7 - e % 8) & 1 == 1).collect();
                for level in Level::available() {
                    let mut words = vec![u32::MAX; count.div_ceil(WORD) + 2];
                    read(level, &bytes[..length], skip, count, &mut words);
                    for e in 0..words.len() * WORD {
                        let expected = expected.get(e).copied().unwrap_or(false);
                        assert_eq!(bit(&words, e) == 1, expected, "{skip} {count} {e}");
                    }
                }
            }
        }
    }
}

#[test]
fn magnitudes_and_signs_become_twos_complement() {
    let mut random = Random(7);
    for count in 1..=MOST_PLANES {
        for stride in [0, 1, 15, 16, 17, 40] {
            let before = random.words(count * stride);
            for level in Level::available() {
                let mut words = before.clone();
                twos_complement(level, &mut words, count, stride);
                let mut total = 0;
                for e in 0..stride * WORD {
                    let bits = |words: &[u32], p: usize| bit(&words[p * stride..], e);
                    let magnitude: i64 = (0..count - 1).map(|p| bits(&before, p) << p).sum();
                    let sign = bits(&before, count - 1);
                    let expected = if sign == 1 { -magnitude } else { magnitude };
                    let planes = Planes { count, is_signed: true };
                    let found = number(planes, (0..count).map(|p| bits(&words, p)));
                    assert_eq!(found, expected, "{} {count} {stride} {e}", level.name());
                    total += expected;
                }
                let planes = Planes { count, is_signed: true };
                assert_eq!(sum(level, &words, planes, stride), total, "{}", level.name());
            }
        }
    }
}

#[test]
fn the_longest_rows_of_the_largest_numbers() {
    let planes = Planes { count: MOST_PLANES, is_signed: true };
    // -255 on both sides.
    let bits = [1, 0, 0, 0, 0, 0, 0, 0, 1u32].map(|bit| 0u32.wrapping_sub(bit));
    let x: Vec<u32> = bits.iter().flat_map(|word| [*word; MOST_WORDS]).collect();
    let group: Vec<u32> = bits.iter().flat_map(|word| [*word; LANES]).collect();
    let panel = group.repeat(MOST_WORDS);
    for level in Level::available() {
        let mut sums = vec![-1; LANES];
        let left = Left { words: &x, planes, stride: MOST_WORDS };
        popcount(level, left, &panel, planes, MOST_WORDS, Sums::new(&mut sums));
        let expected = 255 * 255 * (MOST_WORDS * WORD) as i32;
        assert!(sums.iter().all(|sum| *sum == expected), "{}", level.name());
    }
}

/// `count` integers at the start or end of a guarded page.
fn placed<T>(pages: &mut Guarded, count: usize, at_end: bool) -> &mut [T] {
    let size = count * size_of::<T>();
    let bytes = if at_end { pages.back(size) } else { pages.front(size) };
    // SAFETY: what is asked for are integers, aligned at the start and the end of a page.
    unsafe { bytes.align_to_mut::<T>().1 }
}

#[test]
fn nothing_outside_the_slices_is_touched() {
    for (rows, words) in [(1, 1), (4, 3), (6, 2), (13, 17)] {
        for planes in
            [TERNARY, Planes { count: 1, is_signed: false }, Planes { count: 8, is_signed: true }]
        {
            let (left, right) = (rows * planes.count * words, words * planes.count * LANES);
            let mut x = Guarded::new(4 * left);
            let mut w = Guarded::new(4 * right);
            let mut out = Guarded::new(4 * rows * LANES);
            let mut codes = Guarded::new(rows * words * WORD);
            let mut bytes = Guarded::new(words * WORD * LANES);
            for at_end in [false, true] {
                let x: &mut [u32] = placed(&mut x, left, at_end);
                let w: &mut [u32] = placed(&mut w, right, at_end);
                x.fill(0);
                w.fill(u32::MAX);
                let sums: &mut [i32] = placed(&mut out, rows * LANES, at_end);
                let codes: &mut [u8] = placed(&mut codes, rows * words * WORD, at_end);
                codes.fill(1);
                let bytes: &mut [i8] = placed(&mut bytes, words * WORD * LANES, at_end);
                for level in Level::available() {
                    sums.fill(-1);
                    let left = Left { words: x, planes, stride: words };
                    popcount(level, left, w, planes, words, Sums::new(sums));
                    if planes == TERNARY {
                        ternary(level, left, w, words, Sums::new(sums));
                    }
                    assert!(sums.iter().all(|sum| *sum == 0), "{}", level.name());
                    let part = Part { of: planes.count, first: 0, planes };
                    unpacked(level, codes, words * WORD, w, part, words, Sums::new(sums));
                    unpack_panel(level, w, part, bytes);
                    let one = number(planes, std::iter::repeat_n(1, planes.count)) - part.offset();
                    assert!(bytes.iter().all(|byte| i64::from(*byte) == one), "{}", level.name());
                    let expected = (one * (words * WORD) as i64) as i32;
                    assert!(sums.iter().all(|sum| *sum == expected), "{}", level.name());
                }
            }
        }
    }
}

/// Rows of sums far from each other are the same as those next to each other, and nothing between them
/// is touched.
#[test]
fn rows_apart() {
    let mut random = Random(8);
    let planes = TERNARY;
    for rows in [1, 2, 5, 6, 7, 13] {
        for gap in [0, 1, 64, 100] {
            let (words, stride) = (3, LANES + gap);
            let mut x = random.words(rows * 2 * words);
            let mut panel = random.words(words * 2 * LANES);
            for row in x.chunks_exact_mut(2 * words) {
                let (magnitudes, signs) = row.split_at_mut(words);
                signs.iter_mut().zip(magnitudes).for_each(|(sign, word)| *sign &= *word);
            }
            for group in panel.chunks_exact_mut(2 * LANES) {
                let (magnitudes, signs) = group.split_at_mut(LANES);
                signs.iter_mut().zip(magnitudes).for_each(|(sign, word)| *sign &= *word);
            }
            let left = Left { words: &x, planes, stride: words };
            let bytes: Vec<u8> = (0..rows * words * WORD).map(|_| random.next() as u8).collect();
            let part = Part { of: 2, first: 0, planes };
            let mut sums = vec![0; rows * LANES];
            definition(left, &panel, planes, words, &mut sums);
            for level in Level::available() {
                let mut of_bytes = vec![0; rows * LANES];
                let new = Sums::new(&mut of_bytes);
                unpacked(level, &bytes, words * WORD, &panel, part, words, new);
                for kernel in 0..3 {
                    let mut out = vec![77; (rows - 1) * stride + LANES];
                    let new = Sums::new(&mut out).apart(stride);
                    match kernel {
                        0 => popcount(level, left, &panel, planes, words, new),
                        1 => ternary(level, left, &panel, words, new),
                        _ => unpacked(level, &bytes, words * WORD, &panel, part, words, new),
                    }
                    let all = if kernel == 2 { &of_bytes } else { &sums };
                    for (at, found) in out.iter().enumerate() {
                        let (row, lane) = (at / stride, at % stride);
                        let due = if lane < LANES { all[row * LANES + lane] } else { 77 };
                        assert_eq!(*found, due, "{} {rows} {gap} {kernel}", level.name());
                    }
                }
            }
        }
    }
}
