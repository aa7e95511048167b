//! The sums of all slots, as wide as they need to be, and their passage to wider bins.

use super::{Grid, OFFSET_BITS, Pair};

/// Octaves: one for each sign and exponent that a float can have.
pub const OCTAVES: usize = 512;

/// The exponent of the smallest normal number. Below it the mantissa has no leading 1 to leave out.
const SMALLEST_NORMAL: i32 = -126;

/// What is known of the values in one slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// How many they are.
    pub count: u64,
    /// The sum of their offsets.
    pub first: u128,
    /// The sum of the squares of their offsets.
    pub second: u128,
}

/// The sums of the slots of a grid, an array for each kind.
#[derive(Clone, Copy, Debug)]
pub struct BinsRef<'a> {
    /// Numbers of values.
    pub counts: &'a [u64],
    /// Sums of offsets.
    pub first: &'a [u128],
    /// Sums of squares of offsets.
    pub second: &'a [u128],
}

/// [`BinsRef`], to be changed. The arrays are of one length, the bins' number and [`OCTAVES`].
#[derive(Debug)]
pub struct BinsMut<'a> {
    /// Numbers of values.
    pub counts: &'a mut [u64],
    /// Sums of offsets.
    pub first: &'a mut [u128],
    /// Sums of squares of offsets.
    pub second: &'a mut [u128],
}

impl BinsRef<'_> {
    /// The sums of one slot.
    pub fn at(&self, slot: usize) -> Sums {
        Sums { count: self.counts[slot], first: self.first[slot], second: self.second[slot] }
    }
}

impl BinsMut<'_> {
    /// Adds to a slot. Sums of fewer than 2^63 values do not overflow.
    fn add(&mut self, slot: usize, sums: &Sums) {
        self.counts[slot] += sums.count;
        self.first[slot] += sums.first;
        self.second[slot] += sums.second;
    }

    /// Adds values one by one, for which a table would not be worth it.
    pub fn note(&mut self, values: impl Iterator<Item = f32>, grid: &Grid) {
        for value in values {
            let (slot, offset) = grid.place(value);
            if slot < self.counts.len() {
                let offset = u128::from(offset);
                self.add(slot, &Sums { count: 1, first: offset, second: offset * offset });
            }
        }
    }

    /// Takes over what a table holds, and clears it.
    pub fn empty(&mut self, table: &mut [Pair]) {
        let (first, second) = table.split_at_mut(table.len() / 2);
        let slots = self.counts.len();
        for (slot, (first, second)) in first.iter_mut().zip(second).enumerate() {
            // The last ones hold what has no slot.
            if (first.packed | second.packed) != 0 && slot < slots {
                self.add(slot, &first.sums());
                self.add(slot, &second.sums());
            }
            *first = Pair::default();
            *second = Pair::default();
        }
    }

    /// Adds the sums of another grid, whose bins are at most as wide. `from` is the first index of
    /// its window.
    ///
    /// In wider bins the offset of a value counts from the wider bin's beginning in wider units. It
    /// is a whole number of them, so each halving below leaves no rest.
    pub fn deposit(&mut self, other: &BinsRef<'_>, other_exponent: i32, from: i32, exponent: i32) {
        let bins = self.counts.len() - OCTAVES;
        let mask = bins as i32 - 1;
        for slot in bins..self.counts.len() {
            self.add(slot, &other.at(slot));
        }
        for index in from..from + bins as i32 {
            let mut sums = other.at((index & mask) as usize);
            if sums.count == 0 {
                continue;
            }
            let (mut magnitude, sign) = ((index ^ (index >> 31)) as u32, index >> 31);
            let mut at = other_exponent;
            while at < exponent && magnitude > 1 {
                sums = sums.halved(magnitude & 1);
                magnitude >>= 1;
                at += 1;
            }
            let slot = if at < exponent {
                // The bin from 2^at to twice that is an octave, or in the one of all subnormals.
                for step in at..SMALLEST_NORMAL {
                    sums = sums.halved(u32::from(step == at));
                }
                let exponent_bits = (at.max(SMALLEST_NORMAL - 1) + 127) as usize;
                bins + if sign == 0 { exponent_bits } else { OCTAVES / 2 + exponent_bits }
            } else {
                ((magnitude as i32 ^ sign) & mask) as usize
            };
            self.add(slot, &sums);
        }
    }
}

impl Sums {
    /// The same values in a bin twice as wide, whose second half theirs was where `upper` is 1.
    fn halved(&self, upper: u32) -> Sums {
        let Sums { count, first, second } = *self;
        if upper == 0 {
            return Sums { count, first: first >> 1, second: second >> 2 };
        }
        let moved = u128::from(count) << OFFSET_BITS;
        let second = (moved << OFFSET_BITS) + (first << (OFFSET_BITS + 1)) + second;
        Sums { count, first: (moved + first) >> 1, second: second >> 2 }
    }
}

/// The index of a finite value in bins of width `2^exponent`. The exponent is
/// at least -149 and at least that of the value's lowest bit. A zero has no sign.
pub fn index(value: f32, exponent: i32) -> i32 {
    let bits = value.to_bits();
    let (mantissa, lowest) = match (bits >> OFFSET_BITS & 0xff, bits & 0x007f_ffff) {
        (0, mantissa) => (mantissa, -149),
        (biased, mantissa) => (mantissa | 0x0080_0000, biased as i32 - 150),
    };
    let magnitude = mantissa >> (exponent - lowest).clamp(0, 31);
    magnitude as i32 ^ (bits as i32 >> 31)
}

/// The exponent of the narrowest bins in which values from `min` to `max`, both finite, lie
/// within a window of `bins`. It depends on these two alone, and a wider range never has a smaller
/// one; so neither does it depend on the order in which values come.
pub fn smallest_exponent(min: f32, max: f32, bins: usize) -> i32 {
    let largest = min.abs().max(max.abs()).to_bits() >> OFFSET_BITS;
    let mut exponent = (largest as i32 - 150).max(-149);
    // 25 steps at most: the indices have 24 bits.
    while i64::from(index(max, exponent)) - i64::from(index(min, exponent)) >= bins as i64 {
        exponent += 1;
    }
    exponent
}
