//! Plain Rust: the specification, compiled once for every machine and once for AVX2.

use super::{DEPTH, LANES, Left, Part, Planes, Sums, WORD};
use crate::kernels::compiled::{Step, compiled_for};
use crate::kernels::cpu::Level;
use crate::kernels::product::{self, Bounds, Unit};

/// Every kernel here adds to the sums, whose rows begin so many numbers apart.
fn rows(sums: &mut [i32], stride: usize) -> impl Iterator<Item = &mut [i32]> {
    sums.chunks_mut(stride).map(|row| &mut row[..LANES])
}

struct Popcount<'a> {
    left: Left<'a>,
    panel: &'a [u32],
    right: Planes,
    words: usize,
    stride: usize,
}

pub(super) fn popcount(
    level: Level,
    left: Left<'_>,
    panel: &[u32],
    right: Planes,
    words: usize,
    sums: Sums<'_>,
) {
    let stride = sums.stride;
    compiled_for(level, Popcount { left, panel, right, words, stride }, sums.numbers);
}

impl Step<i32> for Popcount<'_> {
    #[inline(always)]
    fn run(self, sums: &mut [i32]) {
        let Popcount { left, panel, right, words, stride } = self;
        for (i, sums) in rows(sums, stride).enumerate() {
            for p in 0..left.planes.count {
                let row = &left.words[(i * left.planes.count + p) * left.stride..][..words];
                for q in 0..right.count {
                    let mut totals = [0i32; LANES];
                    for (x, group) in row.iter().zip(panel.chunks_exact(right.count * LANES)) {
                        for (total, w) in totals.iter_mut().zip(&group[q * LANES..]) {
                            *total += (x & w).count_ones() as i32;
                        }
                    }
                    let negative = is_negative(left.planes, p) != is_negative(right, q);
                    for (sum, total) in sums.iter_mut().zip(totals) {
                        let total = if negative { -total } else { total };
                        *sum = sum.wrapping_add(total << (p + q));
                    }
                }
            }
        }
    }
}

fn is_negative(planes: Planes, plane: usize) -> bool {
    planes.is_signed && plane == planes.count - 1
}

struct Ternary<'a> {
    left: Left<'a>,
    panel: &'a [u32],
    words: usize,
    stride: usize,
}

pub(super) fn ternary(level: Level, left: Left<'_>, panel: &[u32], words: usize, sums: Sums<'_>) {
    let stride = sums.stride;
    compiled_for(level, Ternary { left, panel, words, stride }, sums.numbers);
}

impl Step<i32> for Ternary<'_> {
    #[inline(always)]
    fn run(self, sums: &mut [i32]) {
        let Ternary { left, panel, words, stride } = self;
        for (i, sums) in rows(sums, stride).enumerate() {
            let row = &left.words[i * 2 * left.stride..];
            let signs = &row[left.stride..][..words];
            for ((x, sign), group) in
                row[..words].iter().zip(signs).zip(panel.chunks_exact(2 * LANES))
            {
                let (magnitudes, signs) = group.split_at(LANES);
                for ((sum, w), w_sign) in sums.iter_mut().zip(magnitudes).zip(signs) {
                    let both = x & w;
                    let negative = both & (sign ^ w_sign);
                    *sum += both.count_ones() as i32 - 2 * negative.count_ones() as i32;
                }
            }
        }
    }
}

/// A word of a panel at a time: its bytes, and their products.
pub(super) fn unpacked(
    level: Level,
    x: &[u8],
    stride: usize,
    panel: &[u32],
    part: Part,
    words: usize,
    sums: Sums<'_>,
) {
    let (unit, mut bytes) = (Unit::of(level), [0; WORD * LANES]);
    for (word, group) in panel.chunks_exact(part.of * LANES).take(words).enumerate() {
        unpack_panel(level, group, part, &mut bytes);
        let again = Sums::more(sums.numbers).apart(sums.stride);
        product::multiply(unit, Bounds::ANY, &x[word * WORD..], stride, &bytes, WORD, again);
    }
}

struct Unpack<'a>(&'a [u32], Part);

pub(super) fn unpack_panel(level: Level, panel: &[u32], part: Part, bytes: &mut [i8]) {
    compiled_for(level, Unpack(panel, part), bytes);
}

impl Step<i8> for Unpack<'_> {
    #[inline(always)]
    fn run(self, bytes: &mut [i8]) {
        let Unpack(panel, part) = self;
        // A byte with its offset in it is what the number's bits are, but for the highest.
        let flip =
            if part.offset() == 0 { 0 } else { 1u32 << (part.planes.count - 1) } * 0x0101_0101;
        let words = panel.chunks_exact(part.of * LANES).zip(bytes.chunks_exact_mut(WORD * LANES));
        for (group, bytes) in words {
            let planes = group.chunks_exact(LANES).skip(part.first).take(part.planes.count);
            for (quad, bytes) in bytes.chunks_exact_mut(DEPTH * LANES).enumerate() {
                // Four neighbors are half of a byte, the first of them its most significant bit.
                let place = quad / 2 * 8 + 4 * (1 - quad % 2);
                let mut numbers = [flip; LANES];
                for (plane, words) in planes.clone().enumerate() {
                    for (number, word) in numbers.iter_mut().zip(words) {
                        let bits = word >> place & 0xf;
                        let spread = bits >> 3 | bits << 6 | bits << 15 | bits << 24;
                        *number ^= (spread & 0x0101_0101) << plane;
                    }
                }
                for (to, number) in bytes.chunks_exact_mut(DEPTH).zip(numbers) {
                    to.copy_from_slice(&number.to_le_bytes().map(u8::cast_signed));
                }
            }
        }
    }
}
