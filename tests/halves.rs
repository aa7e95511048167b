//! Half precision and bfloat16 against their definitions and against the processor.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "a test stops at the first thing that is not as it should be"
)]

#[path = "support/guard.rs"]
mod guard;

use caffe2_qtensor::kernels::{Level, widen};
use caffe2_qtensor::quantize::{
    HALF_MAX, bfloat16_to_f32, f32_to_bfloat16, f32_to_half, f64_to_bfloat16, f64_to_half,
    half_to_f32, saturate_to_half,
};
use guard::Guarded;

/// A format by its definition: how many bits of mantissa, and the exponent's bias.
struct Format {
    mantissa: i32,
    bias: i32,
}

const HALF: Format = Format { mantissa: 10, bias: 15 };
const BFLOAT16: Format = Format { mantissa: 7, bias: 127 };

impl Format {
    fn infinity(&self) -> u16 {
        ((2 * self.bias + 1) << self.mantissa) as u16
    }

    /// The value of a magnitude below infinity, or what infinity would be were it a number.
    fn value(&self, magnitude: u16) -> f64 {
        let exponent = i32::from(magnitude) >> self.mantissa;
        let fraction = f64::from(i32::from(magnitude) & ((1 << self.mantissa) - 1));
        if exponent == 0 {
            return fraction * 2f64.powi(1 - self.bias - self.mantissa);
        }
        let mantissa = 1.0 + fraction / f64::from(1 << self.mantissa);
        mantissa * 2f64.powi(exponent - self.bias)
    }

    /// The bits nearest to a number that is not NaN, found by looking among all of them.
    fn nearest(&self, value: f64) -> u16 {
        let sign = if value.is_sign_negative() { 0x8000 } else { 0 };
        let value = value.abs();
        let (mut low, mut high) = (0, self.infinity());
        if value >= self.value(high) {
            return sign | high;
        }
        while high - low > 1 {
            let middle = u16::midpoint(low, high);
            if self.value(middle) <= value { low = middle } else { high = middle }
        }
        // Both distances are exact: the neighbors are within a factor of two, or one of them is 0.
        let (down, up) = (value - self.value(low), self.value(high) - value);
        let even = if low % 2 == 0 { low } else { high };
        sign | if down < up {
            low
        } else if up < down {
            high
        } else {
            even
        }
    }
}

#[test]
fn every_half_has_its_value() {
    for bits in 0..=u16::MAX {
        let (value, magnitude) = (half_to_f32(bits), bits & 0x7fff);
        assert_eq!(value.is_sign_negative(), bits & 0x8000 != 0, "{bits:04x}");
        if magnitude > HALF.infinity() {
            assert!(value.is_nan());
            let payload = (u32::from(magnitude) & 0x3ff) << 13;
            assert_eq!(value.to_bits() & 0x7fff_ffff, 0x7fc0_0000 | payload, "{bits:04x}");
            // It is quiet, and else unchanged.
            assert_eq!(f32_to_half(value), bits | 0x200);
            assert_eq!(f64_to_half(f64::from(value)), bits | 0x200);
        } else {
            if magnitude == HALF.infinity() {
                assert!(value.is_infinite());
            } else {
                assert_eq!(f64::from(value.abs()), HALF.value(magnitude), "{bits:04x}");
            }
            assert_eq!(f32_to_half(value), bits);
            assert_eq!(f64_to_half(f64::from(value)), bits);
        }
    }
}

#[test]
fn every_bfloat16_has_its_value() {
    for bits in 0..=u16::MAX {
        let (value, magnitude) = (bfloat16_to_f32(bits), bits & 0x7fff);
        assert_eq!(value.to_bits(), u32::from(bits) << 16);
        if magnitude > BFLOAT16.infinity() {
            assert!(value.is_nan());
            assert_eq!(f32_to_bfloat16(value), bits | 0x40);
            assert_eq!(f64_to_bfloat16(f64::from(value)), bits | 0x40);
        } else {
            if magnitude < BFLOAT16.infinity() {
                assert_eq!(f64::from(value.abs()), BFLOAT16.value(magnitude), "{bits:04x}");
            }
            assert_eq!(f32_to_bfloat16(value), bits);
            assert_eq!(f64_to_bfloat16(f64::from(value)), bits);
        }
    }
}

type Narrow = (Format, fn(f32) -> u16, fn(f64) -> u16);

const BOTH: [Narrow; 2] =
    [(HALF, f32_to_half, f64_to_half), (BFLOAT16, f32_to_bfloat16, f64_to_bfloat16)];

/// Every number of the format, every tie between two of them, and the neighbors of these.
#[test]
fn narrowing_takes_the_nearest() {
    for (format, from_single, from_double) in BOTH {
        for magnitude in 0..format.infinity() {
            let (low, high) = (format.value(magnitude), format.value(magnitude + 1));
            let tie = f64::midpoint(low, high);
            for value in [low, low.next_up(), tie.next_down(), tie, tie.next_up(), high.next_down()]
            {
                for value in [value, -value] {
                    assert_eq!(from_double(value), format.nearest(value), "{value:e}");
                }
            }
            let (low, tie) = (low as f32, tie as f32);
            for value in [low, low.next_up(), tie.next_down(), tie, tie.next_up()] {
                for value in [value, -value] {
                    let nearest = format.nearest(f64::from(value));
                    assert_eq!(from_single(value), nearest, "{value:e}");
                }
            }
        }
        for value in [f64::INFINITY, f64::MAX, 1e39, f64::MIN_POSITIVE, 5e-324, 1e-60] {
            for value in [value, -value] {
                assert_eq!(from_double(value), format.nearest(value), "{value:e}");
                assert_eq!(from_single(value as f32), format.nearest(value as f32 as f64));
            }
        }
    }
}

/// Numbers that follow one another in no order; the same ones in every run.
fn scattered(count: usize) -> impl Iterator<Item = u64> {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    })
    .take(count)
}

#[test]
fn any_bits_are_narrowed() {
    for (format, from_single, from_double) in BOTH {
        for bits in scattered(200_000) {
            let double = f64::from_bits(bits);
            // Most doubles are beyond either format; these are not.
            let near = f64::from_bits((bits & !(0x7ff << 52)) | ((bits >> 5 & 0xff) + 896) << 52);
            let single = f32::from_bits(bits as u32);
            for double in [double, near, f64::from(single)] {
                if double.is_nan() {
                    continue;
                }
                assert_eq!(from_double(double), format.nearest(double), "{double:e}");
            }
            if single.is_nan() {
                let narrow = from_single(single);
                assert!(narrow & 0x7fff > format.infinity());
                assert_eq!(narrow & 0x8000 != 0, single.is_sign_negative());
            } else {
                assert_eq!(from_single(single), format.nearest(f64::from(single)), "{single:e}");
            }
        }
        for nan in [0x7ff0_0000_0000_0001, 0xfff0_0000_0000_0001, 0x7fff_ffff_ffff_ffff] {
            let narrow = from_double(f64::from_bits(nan));
            assert!(
                narrow & 0x7fff > format.infinity(),
                "a NaN whose payload is cut off stays one"
            );
            assert_eq!(narrow & 0x8000 != 0, nan >> 63 != 0);
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod processor {
    use super::{f32_to_half, half_to_f32, scattered};
    use core::arch::x86_64::{
        _MM_FROUND_TO_NEAREST_INT, _mm_cvtph_ps, _mm_cvtps_ph, _mm_cvtsi32_si128,
        _mm_cvtsi128_si32, _mm_cvtss_f32, _mm_set_ss,
    };

    #[target_feature(enable = "f16c,sse2")]
    fn widen(bits: u16) -> u32 {
        _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(i32::from(bits)))).to_bits()
    }

    #[target_feature(enable = "f16c,sse2")]
    fn narrow(bits: u32) -> u16 {
        let vector = _mm_set_ss(f32::from_bits(bits));
        _mm_cvtsi128_si32(_mm_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(vector)) as u16
    }

    /// NaNs included, bit for bit.
    #[test]
    fn agrees() {
        if !is_x86_feature_detected!("f16c") {
            return;
        }
        for bits in 0..=u16::MAX {
            // SAFETY: the processor has the instruction.
            let expected = unsafe { widen(bits) };
            assert_eq!(half_to_f32(bits).to_bits(), expected, "{bits:04x}");
        }
        let ties = (0..=u16::MAX).flat_map(|bits| {
            let bits = u32::from(bits) << 13 | 0x3000_0000;
            [bits, bits | 0xfff, bits | 0x1000, bits | 0x1001, bits | 0x8000_0000]
        });
        for bits in ties.chain(scattered(2_000_000).map(|bits| bits as u32)) {
            // SAFETY: the processor has the instruction.
            let expected = unsafe { narrow(bits) };
            assert_eq!(f32_to_half(f32::from_bits(bits)), expected, "{bits:08x}");
        }
    }
}

#[test]
fn values_are_brought_into_range() {
    let mut values = [
        0.0,
        -0.0,
        1e-30,
        65504.0,
        -65504.0,
        65504.0f32.next_up(),
        -65520.0,
        f32::MAX,
        f32::MIN,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::NAN,
    ];
    assert_eq!(HALF_MAX, half_to_f32(0x7bff));
    assert_eq!(saturate_to_half(&mut values), 6);
    let expected = [
        0.0, -0.0, 1e-30, HALF_MAX, -HALF_MAX, HALF_MAX, -HALF_MAX, HALF_MAX, -HALF_MAX, HALF_MAX,
        -HALF_MAX,
    ];
    let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&values[..11]), bits(&expected));
    assert!(values[11].is_nan());
    assert_eq!(saturate_to_half(&mut values), 0);
    assert_eq!(saturate_to_half(&mut []), 0);
}

type Widen<T> = fn(Level, &[T], &mut [f32]);

/// In bulk, between pages that may not be touched: every length, at both ends.
fn widens_in_bulk<T: Copy>(bulk: Widen<T>, of: fn(u16) -> T, one: fn(u16) -> f32) {
    const MOST: usize = 80;
    let (mut from, mut to) = (Guarded::new(2 * MOST), Guarded::new(4 * MOST));
    for level in Level::available() {
        for length in 0..=MOST {
            let bits: Vec<u16> = scattered(length).map(|bits| bits as u16).collect();
            for at_back in [false, true] {
                let place = |memory: &mut Guarded, bytes| {
                    let bytes = if at_back { memory.back(bytes) } else { memory.front(bytes) };
                    bytes.as_mut_ptr()
                };
                // SAFETY: as many numbers as there is room for, of types that all bits are good for,
                // at a multiple of their size; nothing else uses the memory meanwhile.
                let (values, floats) = unsafe {
                    let values = place(&mut from, 2 * length).cast::<T>();
                    let floats = place(&mut to, 4 * length).cast::<f32>();
                    (
                        std::slice::from_raw_parts_mut(values, length),
                        std::slice::from_raw_parts_mut(floats, length),
                    )
                };
                for (value, bits) in values.iter_mut().zip(&bits) {
                    *value = of(*bits);
                }
                floats.fill(77.0);
                bulk(level, values, floats);
                for (float, bits) in floats.iter().zip(&bits) {
                    let what = level.name();
                    assert_eq!(float.to_bits(), one(*bits).to_bits(), "{what} {length} {bits:04x}");
                }
            }
        }
    }
}

#[test]
fn many_are_widened() {
    widens_in_bulk(widen::halves, widen::Half, half_to_f32);
    widens_in_bulk(widen::bfloat16s, widen::Bfloat16, bfloat16_to_f32);
}
