//! Sizes, data and buffers that every benchmark shares.

use std::ops::{Deref, DerefMut};

/// How much data a case has.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    /// As it stands in the name of a case.
    pub(crate) name: &'static str,
    /// Plane bytes, or codes of a byte each.
    pub(crate) bytes: usize,
}

/// L1, L3 and DRAM. The first is what a test run makes do with.
pub(crate) const SIZES: [Size; 3] = [
    Size { name: "4KiB", bytes: 4 << 10 },
    Size { name: "1MiB", bytes: 1 << 20 },
    Size { name: "64MiB", bytes: 64 << 20 },
];

/// From this size on a batch is a single pass over the data.
pub(crate) const LARGE: usize = 16 << 20;

/// What plane bytes look like: it decides the length of their varints.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// Half of the bytes take two wire bytes, in no order that a branch predictor could learn.
    Random,
    /// Every byte is one wire byte.
    Below128,
}

impl Kind {
    pub(crate) const ALL: [Kind; 2] = [Kind::Random, Kind::Below128];

    /// As it stands in the name of a case.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Kind::Random => "random",
            Kind::Below128 => "below128",
        }
    }

    /// `len` bytes, the same in every run.
    pub(crate) fn bytes(self, len: usize) -> Buffer {
        let mask = match self {
            Kind::Random => u64::MAX,
            Kind::Below128 => 0x7f7f_7f7f_7f7f_7f7f,
        };
        let mut buffer = Buffer::filled(len, 0);
        let mut state = 0u64;
        for chunk in buffer.chunks_mut(8) {
            let word = splitmix(&mut state) & mask;
            chunk.copy_from_slice(&word.to_le_bytes()[..chunk.len()]);
        }
        buffer
    }
}

/// The next number of Vigna's `SplitMix64`.
fn splitmix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut word = *state;
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// Fills `values` with numbers between two others, the same in every run.
pub(crate) fn uniform(values: &mut [f32], from: f32, to: f32) {
    let mut state = 0;
    for value in values {
        // As many bits as a float has behind its leading one.
        let unit = (splitmix(&mut state) >> 40) as f32 / (1_u32 << 24) as f32;
        *value = from + (to - from) * unit;
    }
}

/// The bytes of floats.
pub(crate) fn bytes_of(values: &[f32]) -> &[u8] {
    // SAFETY: every byte of a float is initialized, and a byte has no alignment.
    unsafe { std::slice::from_raw_parts(values.as_ptr().cast(), size_of_val(values)) }
}

/// Numbers that start on a cache line, so that a ratio does not depend on what the allocator
/// happened to return, and whose pages are all there before the first round.
pub(crate) struct Aligned<T> {
    storage: Vec<T>,
    start: usize,
    len: usize,
}

/// Bytes.
pub(crate) type Buffer = Aligned<u8>;

impl<T: Copy> Aligned<T> {
    /// `len` times `value`.
    pub(crate) fn filled(len: usize, value: T) -> Aligned<T> {
        let mut storage = vec![value; len + 64];
        // Zeros come from the system untouched; written pages are really there.
        storage.fill(std::hint::black_box(value));
        let start = storage.as_ptr().align_offset(64);
        Aligned { storage, start, len }
    }
}

impl<T> Deref for Aligned<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.storage[self.start..self.start + self.len]
    }
}

impl<T> DerefMut for Aligned<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.storage[self.start..self.start + self.len]
    }
}
