//! What the tests of the kernels from floats to codes share: values that lie where it matters, and
//! the specification applied to them one by one.

use caffe2_qtensor::kernels::quantize::{Counts, Formula, Outcome, Rounding, Rules, Step};

pub(crate) const ROUNDINGS: [Rounding; 7] = [
    Rounding::NearestEven,
    Rounding::NearestAway,
    Rounding::Floor,
    Rounding::Ceil,
    Rounding::TowardZero,
    Rounding::Stochastic,
    Rounding::Caffe2,
];

pub(crate) const SCALES: [f64; 8] = [1.0, 0.5, 0.000_976_562_5, 0.1, 1.0 / 255.0, 3.7, 1e-20, 1e20];

pub(crate) const BIASES: [f64; 9] = [0.0, -128.0, -1.0, 7.0, -0.5, 0.3, -127.5, 1e3, 1e6];

/// Numbers that look random and are the same in every run.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number from 0 up to but not including 1.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}

/// The float that is `steps` floats above a finite one.
pub(crate) fn neighbor(value: f32, steps: i32) -> f32 {
    // Ordered as the floats are: the negative ones count down.
    let bits = value.to_bits() as i32;
    let place = if bits < 0 { i32::MIN.wrapping_sub(bits) } else { bits };
    let place = place + steps;
    f32::from_bits(if place < 0 { i32::MIN.wrapping_sub(place) } else { place } as u32)
}

/// Values at the border between two codes and next to it, values of codes, and values that have
/// no code.
pub(crate) fn nasty(formula: &Formula, random: &mut Random) -> Vec<f32> {
    let Formula { rules, step } = *formula;
    let (lowest, highest) = (rules.lowest(), rules.highest());
    let mut values = vec![
        0.0,
        -0.0,
        f32::MIN_POSITIVE,
        -f32::MIN_POSITIVE,
        f32::from_bits(1),
        -f32::from_bits(1),
        f32::from_bits(0x007f_ffff),
        f32::MAX,
        f32::MIN,
        1e30,
        -1e30,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::NAN,
        -f32::NAN,
        f32::from_bits(0x7f80_0001),
    ];
    let mut around = |code: f64| {
        for half in [0.0, 0.5] {
            let value = ((code + half + step.bias) * step.scale) as f32;
            if value.is_finite() && value.abs() < 1e38 {
                values.extend((-4..=4).map(|steps| neighbor(value, steps)));
            }
        }
    };
    for code in [lowest - 2, lowest - 1, lowest, highest - 1, highest, highest + 1] {
        around(code as f64);
    }
    // The code of 0, the number with a sign of its own, and where the fixed point ends.
    for code in [-step.bias.round(), 0.0, -1.0, 32767.0, 32768.0, -32768.0, -32769.0] {
        around(code);
    }
    let codes = (highest - lowest + 1) as f64;
    for _ in 0..12 {
        around((lowest as f64 + codes * random.unit()).floor());
    }
    for _ in 0..40 {
        values.push(f32::from_bits(random.next() as u32));
        let position = lowest as f64 + codes * (1.5 * random.unit() - 0.25);
        values.push(((position + step.bias) * step.scale) as f32);
    }
    // So that they meet each other in all kinds of groups.
    for last in (1..values.len()).rev() {
        values.swap(last, random.below(last + 1));
    }
    values
}

/// The code of each value, and what became of it.
pub(crate) fn specified(
    rules: &Rules,
    step: impl Fn(usize) -> Step,
    values: impl IntoIterator<Item = f64>,
    first: u64,
) -> Vec<(i64, Outcome)> {
    let codes = values.into_iter().enumerate().map(|(at, value)| {
        Formula { rules: *rules, step: step(at) }.code(value, first + at as u64)
    });
    codes.collect()
}

/// How often everything happened.
pub(crate) fn counted(codes: &[(i64, Outcome)]) -> Counts {
    let times = |asked| codes.iter().filter(|(_, outcome)| *outcome == asked).count() as u64;
    Counts {
        saturated_low: times(Outcome::Low),
        saturated_high: times(Outcome::High),
        flushed_to_zero: times(Outcome::Flushed),
        non_finite: times(Outcome::NonFinite),
    }
}

/// Room for elements of which the first can be put at any distance from a multiple of 64 bytes.
pub(crate) struct Aligned<T> {
    elements: Vec<T>,
    start: usize,
}

impl<T: Copy + Default> Aligned<T> {
    pub(crate) fn new(length: usize) -> Aligned<T> {
        let elements = vec![T::default(); length + 128];
        let start = elements.as_ptr().align_offset(64);
        assert!(start < 64);
        Aligned { elements, start }
    }

    /// A copy of the elements, the first `offset` elements behind a multiple of 64 bytes.
    pub(crate) fn copy_of(&mut self, elements: &[T], offset: usize) -> &mut [T] {
        let copy = &mut self.elements[self.start + offset..][..elements.len()];
        copy.copy_from_slice(elements);
        copy
    }
}

/// Bytes as elements of a type that may have any bits.
pub(crate) fn elements<T: Plain>(bytes: &mut [u8]) -> &mut [T] {
    // SAFETY: every pattern of bits is an element.
    let (before, elements, behind) = unsafe { bytes.align_to_mut::<T>() };
    assert!(before.is_empty() && behind.is_empty());
    elements
}

/// A type whose elements may have any bits.
pub(crate) trait Plain {}
impl Plain for f32 {}
impl Plain for f64 {}
impl Plain for i64 {}
