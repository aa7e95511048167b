//! What codes stand for, one at a time, and codes to try it on.

use caffe2_qtensor::kernels::dequantize::Output;
use caffe2_qtensor::kernels::quantize::Step;
use caffe2_qtensor::quantize::{Bfloat16, Half, f64_to_bfloat16, f64_to_half};

/// A type of values, with what a test needs to know of it.
pub(crate) trait Number: Output {
    /// The definition's last step.
    fn rounded(value: f64) -> Self;
    /// The bits; the same ones for every NaN.
    fn bits(self) -> u64;
    /// The contents of memory before a call.
    const FILL: Self;
}

impl Number for f32 {
    fn rounded(value: f64) -> f32 {
        value as f32
    }
    fn bits(self) -> u64 {
        if self.is_nan() { u64::MAX } else { u64::from(self.to_bits()) }
    }
    const FILL: f32 = -1234.5;
}

impl Number for f64 {
    fn rounded(value: f64) -> f64 {
        value
    }
    fn bits(self) -> u64 {
        if self.is_nan() { u64::MAX } else { self.to_bits() }
    }
    const FILL: f64 = -1234.5;
}

impl Number for Half {
    fn rounded(value: f64) -> Half {
        Half(f64_to_half(value))
    }
    fn bits(self) -> u64 {
        if self.0 & 0x7fff > 0x7c00 { u64::MAX } else { u64::from(self.0) }
    }
    const FILL: Half = Half(0x9999);
}

impl Number for Bfloat16 {
    fn rounded(value: f64) -> Bfloat16 {
        Bfloat16(f64_to_bfloat16(value))
    }
    fn bits(self) -> u64 {
        if self.0 & 0x7fff > 0x7f80 { u64::MAX } else { u64::from(self.0) }
    }
    const FILL: Bfloat16 = Bfloat16(0x9999);
}

/// The definition. A sign on magnitude 0 negates nothing.
pub(crate) fn value<T: Number>(step: &Step, magnitude: u64, negative: bool) -> T {
    let code = if negative && magnitude != 0 { -(magnitude as f64) } else { magnitude as f64 };
    T::rounded(step.scale * (code + step.bias))
}

pub(crate) const ORDINARY: Step = Step { scale: 0.017, bias: -3.3 };

pub(crate) fn steps() -> Vec<Step> {
    let scales =
        [1.0, 0.1, -0.37, 5e-324, 1e-310, 1e-40, 1e38, 1e300, f64::NAN, f64::INFINITY, 0.0];
    let biases = [0.0, -0.0, 0.3, -128.0, 1e300, f64::NAN, f64::NEG_INFINITY];
    let with = |scale| biases.map(|bias| Step { scale, bias });
    scales.into_iter().flat_map(with).collect()
}

/// Every precision, with a sign and without.
pub(crate) fn kinds() -> impl Iterator<Item = (u8, bool)> {
    (1..=8).flat_map(|precision| [(precision, false), (precision, true)])
}

/// The code of a byte and a sign beside it.
fn parts(byte: u8, sign: u8, precision: u8, signed: bool) -> (u64, bool) {
    match (signed, precision) {
        (true, 8) => (u64::from(byte), sign != 0),
        (true, _) => (u64::from(byte) & ((1 << precision) - 1), byte >> precision != 0),
        (false, _) => (u64::from(byte), false),
    }
}

/// Bytes with all the codes there are, and signs where they lie beside them. No part is like
/// another, so that parts in the wrong place show.
pub(crate) fn codes(length: usize, precision: u8, signed: bool) -> (Vec<u8>, Vec<u8>) {
    let bits = (u32::from(precision) + u32::from(signed)).min(8);
    let mask = 0xff >> (8 - bits);
    let noise = |i: usize| ((i as u32).wrapping_mul(0x9e37_79b9) >> 24) as u8;
    let byte = |i: usize| (i.wrapping_mul(167) as u8 ^ noise(i >> bits)) & mask;
    let apart = if signed && precision == 8 { length } else { 0 };
    let signs = (0..apart).map(|i| noise(i) >> 7).collect();
    ((0..length).map(byte).collect(), signs)
}

pub(crate) fn expected<T: Number>(
    bytes: &[u8],
    signs: &[u8],
    precision: u8,
    signed: bool,
    step: impl Fn(usize) -> Step,
) -> Vec<u64> {
    let value = |(index, byte): (usize, &u8)| {
        let sign = signs.get(index).copied().unwrap_or(0);
        let (magnitude, negative) = parts(*byte, sign, precision, signed);
        value::<T>(&step(index), magnitude, negative).bits()
    };
    bytes.iter().enumerate().map(value).collect()
}

pub(crate) fn same<T: Number>(values: &[T], expected: &[u64]) -> bool {
    values.len() == expected.len() && values.iter().zip(expected).all(|(v, e)| v.bits() == *e)
}
