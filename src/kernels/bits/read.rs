//! Words out of bit planes, wherever a row begins in them: plain Rust that compilers vectorize.

use super::{Planes, WORD};
use crate::kernels::compiled::{Step, compiled_for};
use crate::kernels::cpu::Level;

/// Fills `words` with the bits of `bytes` from bit `skip` of its first byte on, 0 being the most
/// significant; with zeros from bit `count` of the words on and where there are no bytes.
pub fn read(level: Level, bytes: &[u8], skip: usize, count: usize, words: &mut [u32]) {
    assert!(skip < 8, "skips {skip} bits");
    compiled_for(level, Read { bytes, skip: skip as u32, count }, words);
}

struct Read<'a> {
    bytes: &'a [u8],
    skip: u32,
    count: usize,
}

impl Step<u32> for Read<'_> {
    #[inline(always)]
    fn run(self, words: &mut [u32]) {
        let Read { bytes, skip, count } = self;
        let needed = count.div_ceil(WORD).min(words.len());
        let (words, beyond) = words.split_at_mut(needed);
        beyond.fill(0);
        // All but those near the end have four bytes, and four more for the bits that come next.
        let later = bytes.get(4..).unwrap_or_default();
        let whole = (later.len() / 4).min(needed);
        let pairs = bytes.chunks_exact(4).zip(later.chunks_exact(4));
        if skip == 0 {
            for (word, bytes) in words[..whole].iter_mut().zip(bytes.chunks_exact(4)) {
                *word = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
            }
        } else {
            for (word, (bytes, next)) in words[..whole].iter_mut().zip(pairs) {
                let bits = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
                let next = u32::from_be_bytes([next[0], next[1], next[2], next[3]]);
                *word = (bits << skip | next >> (32 - skip)).swap_bytes();
            }
        }
        for (at, word) in words.iter_mut().enumerate().skip(whole) {
            let mut last = [0; 8];
            for (to, byte) in last.iter_mut().zip(bytes.get(at * 4..).unwrap_or_default()) {
                *to = *byte;
            }
            *word = ((u64::from_be_bytes(last) << skip >> 32) as u32).swap_bytes();
        }
        let within = count % WORD;
        if let (Some(word), true) = (words.last_mut(), within != 0 && needed * WORD > count) {
            *word &= (!(u32::MAX >> within)).swap_bytes();
        }
    }
}

/// Turns magnitudes and a sign into two's complement: of `planes` rows of `stride` words the last is
/// that of the signs, which becomes the most significant plane.
pub fn twos_complement(level: Level, words: &mut [u32], planes: usize, stride: usize) {
    assert!(planes != 0 && words.len() >= planes * stride, "the planes are there");
    compiled_for(level, TwosComplement { planes, stride }, words);
}

struct TwosComplement {
    planes: usize,
    stride: usize,
}

impl Step<u32> for TwosComplement {
    #[inline(always)]
    fn run(self, words: &mut [u32]) {
        /// Words that stay in registers while the carry goes up.
        const PART: usize = 16;
        let (magnitudes, signs) = words.split_at_mut((self.planes - 1) * self.stride);
        let signs = &mut signs[..self.stride];
        for (part, signs) in signs.chunks_mut(PART).enumerate() {
            let (mut carry, count) = ([0; PART], signs.len());
            carry[..count].copy_from_slice(signs);
            for plane in magnitudes.chunks_exact_mut(self.stride.max(1)) {
                let plane = &mut plane[part * PART..][..count];
                for ((word, sign), carry) in plane.iter_mut().zip(&*signs).zip(&mut carry) {
                    let flipped = *word ^ sign;
                    *word = flipped ^ *carry;
                    *carry &= flipped;
                }
            }
            // What is negative and not 0.
            for (sign, carry) in signs.iter_mut().zip(carry) {
                *sign ^= carry;
            }
        }
    }
}

/// The sum of the numbers that planes of `stride` words each are.
pub fn sum(level: Level, words: &[u32], planes: Planes, stride: usize) -> i64 {
    let mut sums = [0i64; super::MOST_PLANES];
    let sums = &mut sums[..planes.count];
    compiled_for(level, Sum { words, stride }, sums);
    let weigh = |(plane, sum): (usize, &i64)| {
        let negative = planes.is_signed && plane + 1 == planes.count;
        if negative { -(sum << plane) } else { sum << plane }
    };
    sums.iter().enumerate().map(weigh).sum()
}

struct Sum<'a> {
    words: &'a [u32],
    stride: usize,
}

impl Step<i64> for Sum<'_> {
    #[inline(always)]
    fn run(self, sums: &mut [i64]) {
        for (plane, sum) in sums.iter_mut().enumerate() {
            let words = &self.words[plane * self.stride..][..self.stride];
            // 2^15 words of 32 bits stay far below 2^31.
            for words in words.chunks(1 << 15) {
                *sum += i64::from(words.iter().map(|word| word.count_ones()).sum::<u32>());
            }
        }
    }
}
