//! Products of matrices that are kept as bits: by AND and popcount, or with bytes on the left.
//!
//! A *word* is four bytes of a bit plane, 32 neighbors in a row: element `e` is bit
//! `0x80 >> (e % 8)` of byte `e / 8`, the least significant byte first. The right side is a *panel* of
//! [`LANES`] rows: for each word, and each plane from the least significant one on, that word of
//! every row. Sums are of 32 bits, which hold the products of [`MOST_WORDS`] words whatever they are.

#[cfg(target_arch = "x86_64")]
mod avx512;
mod portable;
mod read;
#[cfg(target_arch = "x86_64")]
mod unpacked;

pub use super::product::{LANES, Sums};
pub use read::{read, sum, twos_complement};

use super::cpu::{Kind, Level};
use super::product::DEPTH;

/// Elements of a word.
pub const WORD: usize = 32;

/// The most words of a row: 2^14 products of any bytes stay below 2^31, and so do those of magnitudes
/// up to 255, with what offsets add on the way: 255 times 383 at most.
pub const MOST_WORDS: usize = 512;

/// The most planes of a number: eight bits and a sign.
pub const MOST_PLANES: usize = 9;

/// The most planes of what becomes a byte.
pub const BYTE_PLANES: usize = 8;

/// Numbers of `count` bits, two's complement where there are signed ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planes {
    /// 1 to [`MOST_PLANES`].
    pub count: usize,
    /// Whether the most significant plane has a negative weight.
    pub is_signed: bool,
}

/// What a number from -1 to 1 has.
pub const TERNARY: Planes = Planes { count: 2, is_signed: true };

/// Neighboring planes of a panel, which become bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// How many planes the panel has.
    pub of: usize,
    /// The first of these, which weighs 1 here.
    pub first: usize,
    /// At most [`BYTE_PLANES`].
    pub planes: Planes,
}

impl Part {
    /// What a byte leaves out of its number: number = byte + offset.
    pub const fn offset(self) -> i64 {
        match (self.planes.count == BYTE_PLANES, self.planes.is_signed) {
            (false, true) => -(1 << (self.planes.count - 1)),
            (true, false) => 128,
            (false, false) | (true, true) => 0,
        }
    }
}

/// Rows of numbers on the left.
#[derive(Clone, Copy, Debug)]
pub struct Left<'a> {
    /// Plane `p` of row `i` begins at `(i * planes.count + p) * stride`.
    pub words: &'a [u32],
    /// What the rows have.
    pub planes: Planes,
    /// Words from one plane's start to the next one's.
    pub stride: usize,
}

/// Makes sum `i * LANES + j` that of the products of row `i` on the left, of which the first `words`
/// words count, with row `j` of the panel.
///
/// There are as many rows on the left as `sums` has.
pub fn popcount(
    level: Level,
    left: Left<'_>,
    panel: &[u32],
    right: Planes,
    words: usize,
    sums: Sums<'_>,
) {
    check(left, panel, right, words, &sums);
    match level.kind() {
        // SAFETY: a `Level` of this kind exists only where AVX-512 with F, BW and VPOPCNTDQ does, and
        // the sizes were checked.
        #[cfg(target_arch = "x86_64")]
        Kind::Avx512 => unsafe { avx512::popcount(left, panel, right, words, sums) },
        _ => portable::popcount(level, left, panel, right, words, sums.cleared()),
    }
}

/// [`popcount`] for numbers from -1 to 1, in two signed planes on both sides: half the work.
pub fn ternary(level: Level, left: Left<'_>, panel: &[u32], words: usize, sums: Sums<'_>) {
    check(left, panel, TERNARY, words, &sums);
    assert_eq!(left.planes, TERNARY, "numbers from -1 to 1");
    match level.kind() {
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Kind::Avx512 => unsafe { avx512::ternary(left, panel, words, sums) },
        _ => portable::ternary(level, left, panel, words, sums.cleared()),
    }
}

/// Makes sum `i * LANES + j` that of the products of row `i` of the bytes with the bytes that row `j` of
/// the panel stands for.
///
/// Rows of `x` begin `stride` bytes apart, and there are as many as `sums` has; each has [`WORD`]
/// bytes for each of `words` words.
pub fn unpacked(
    level: Level,
    x: &[u8],
    stride: usize,
    panel: &[u32],
    part: Part,
    words: usize,
    sums: Sums<'_>,
) {
    let rows = sums.rows();
    check_part(panel, part, words);
    let Some(last) = rows.checked_sub(1) else { return };
    let needed = last.checked_mul(stride).and_then(|last| last.checked_add(words * WORD));
    assert!(needed.is_some_and(|needed| needed <= x.len()), "the rows are there");
    match level.kind() {
        // SAFETY: a `Level` of this kind exists only where AVX-512 with F, BW, VL, VNNI and GFNI does,
        // and the sizes were checked.
        #[cfg(target_arch = "x86_64")]
        Kind::Avx512 => unsafe { unpacked::multiply(x, stride, panel, part, words, sums) },
        _ => portable::unpacked(level, x, stride, panel, part, words, sums.cleared()),
    }
}

/// Turns a panel of bits into one of bytes, as [`product`](super::product) takes it.
pub fn unpack_panel(level: Level, panel: &[u32], part: Part, bytes: &mut [i8]) {
    let words = bytes.len() / (WORD * LANES);
    assert!(bytes.len().is_multiple_of(WORD * LANES), "whole words");
    check_part(panel, part, words);
    match level.kind() {
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Kind::Avx512 => unsafe { unpacked::unpack(panel, part, bytes) },
        _ => portable::unpack_panel(level, panel, part, bytes),
    }
}

fn check_part(panel: &[u32], part: Part, words: usize) {
    let Part { of, first, planes } = part;
    assert!((1..=BYTE_PLANES).contains(&planes.count), "{} planes", planes.count);
    assert!(of <= MOST_PLANES && first <= of && planes.count <= of - first, "{part:?} of a panel");
    assert!(words <= MOST_WORDS, "{words} words");
    assert!(panel.len() >= words * of * LANES, "the panel has {LANES} rows");
}

fn check(left: Left<'_>, panel: &[u32], right: Planes, words: usize, sums: &Sums<'_>) {
    for planes in [left.planes, right] {
        assert!((1..=MOST_PLANES).contains(&planes.count), "{} planes", planes.count);
    }
    assert!(words <= MOST_WORDS, "{words} words");
    assert!(panel.len() >= words * right.count * LANES, "the panel has {LANES} rows");
    let rows = sums.rows() * left.planes.count;
    if let Some(last) = rows.checked_sub(1) {
        let needed = last.checked_mul(left.stride).and_then(|last| last.checked_add(words));
        assert!(needed.is_some_and(|needed| needed <= left.words.len()), "the rows are there");
    }
}
