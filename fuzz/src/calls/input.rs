//! A program's bytes as operands: mostly ordinary ones, and now and then the worst there are.

use super::status::Nulls;

/// What is left of a program.
pub(super) struct Input<'a>(&'a [u8]);

const DOUBLES: [f64; 12] =
    [1.0, 0.5, 0.25, 2.0, 0.1, 3.7, 0.007_812_5, 1.0 / 255.0, 1e-3, -0.5, 1e20, 0.0];
const BIASES: [f64; 8] = [0.0, -1.0, 7.0, -128.0, 0.5, -2.25, 100.0, 1e6];
const FLOATS: [f32; 12] =
    [0.0, -0.0, 1.0, -1.0, 0.5, 2.5, -3.5, 100.0, 1e-3, -7.3, 1e30, f32::MIN_POSITIVE];

impl<'a> Input<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Input<'a> {
        Input(bytes)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next byte; 0 behind the end.
    pub(super) fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    pub(super) fn flag(&mut self) -> bool {
        self.byte() & 1 != 0
    }

    /// A number from 0 to `end`, excluded; `end` is at most 256.
    pub(super) fn below(&mut self, end: usize) -> usize {
        usize::from(self.byte()) % end
    }

    pub(super) fn word(&mut self) -> u64 {
        u64::from_le_bytes(std::array::from_fn(|_| self.byte()))
    }

    pub(super) fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.byte()).collect()
    }

    /// Which pointers are NULL; mostly none.
    pub(super) fn nulls(&mut self) -> Nulls {
        let byte = self.byte();
        Nulls::new(if byte < 224 { 0 } else { self.byte() })
    }

    /// Up to three small dimensions, mostly.
    pub(super) fn dims(&mut self) -> Vec<i64> {
        const HOSTILE: [&[i64]; 8] = [
            &[-1],
            &[1 << 60],
            &[1 << 60, 1 << 60],
            &[i64::MIN, 0],
            &[i64::MAX],
            &[0, i64::MAX, 2],
            &[1; 65],
            &[1 << 31, 1 << 31, 1],
        ];
        let byte = self.byte();
        match byte {
            0..232 => (0..byte % 4).map(|_| i64::from(self.byte() % 12)).collect(),
            232..240 => vec![i64::from(self.byte()) * 8 + i64::from(byte % 8)],
            240..248 => vec![1; 64],
            _ => HOSTILE[usize::from(byte % 8)].to_vec(),
        }
    }

    pub(super) fn precision(&mut self) -> u8 {
        match self.byte() {
            byte @ 0..180 => byte % 10,
            byte @ 180..220 => byte % 34,
            _ => self.byte(),
        }
    }

    pub(super) fn scale(&mut self) -> f64 {
        match self.byte() {
            byte @ 0..240 => DOUBLES[usize::from(byte) % DOUBLES.len()],
            _ => f64::from_bits(self.word()),
        }
    }

    pub(super) fn bias(&mut self) -> f64 {
        match self.byte() {
            byte @ 0..240 => BIASES[usize::from(byte) % BIASES.len()],
            _ => f64::from_bits(self.word()),
        }
    }

    pub(super) fn float(&mut self) -> f32 {
        match self.byte() {
            byte @ 0..128 => FLOATS[usize::from(byte) % FLOATS.len()],
            byte @ 128..250 => f32::from(byte.wrapping_sub(189).cast_signed()) / 4.0,
            _ => f32::from_bits(self.word() as u32),
        }
    }

    pub(super) fn floats(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.float()).collect()
    }

    /// An index or axis, mostly small.
    pub(super) fn index(&mut self) -> i32 {
        match self.byte() {
            byte @ 0..128 => i32::from(byte % 5),
            byte @ 128..250 => i32::from(byte.cast_signed() % 5),
            _ => self.word() as u32 as i32,
        }
    }

    /// A count that mostly is the right one.
    pub(super) fn count(&mut self, right: usize) -> usize {
        match self.byte() {
            0..240 => right,
            byte => right.saturating_add(usize::from(byte % 4)).saturating_sub(2),
        }
    }

    /// A constant of an enumeration, mostly one that there is.
    pub(super) fn choice(&mut self, count: i32) -> i32 {
        match self.byte() {
            byte @ 0..248 => i32::from(byte) % count,
            _ => self.word() as u32 as i32,
        }
    }
}
