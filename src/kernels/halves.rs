//! Half precision and bfloat16, one number at a time, as the bits of an unsigned integer.
//!
//! Narrowing rounds to the nearest, ties to even; what is too large becomes infinite. It goes from
//! the number's own format at once: a double that passes through a float is rounded twice, which
//! now and then gives its neighbor. The results do not depend on the processor's mode for
//! subnormal numbers, and agree with what F16C instructions give.
//!
//! A NaN stays one: it keeps its sign and as much of its payload as fits, and is made quiet, except
//! that a bfloat16 is widened as it is, being the upper half of a float.

/// Where the parts of a binary floating point format lie: bits of the mantissa as it is stored, and
/// the exponent's bias, which is also its largest value.
#[derive(Clone, Copy)]
struct Format {
    mantissa: u32,
    bias: u32,
}

const HALF: Format = Format { mantissa: 10, bias: 15 };
const BFLOAT16: Format = Format { mantissa: 7, bias: 127 };
const SINGLE: Format = Format { mantissa: 23, bias: 127 };
const DOUBLE: Format = Format { mantissa: 52, bias: 1023 };

impl Format {
    /// The bits of infinity; those of a NaN are larger.
    const fn infinity(self) -> u64 {
        (2 * self.bias as u64 + 1) << self.mantissa
    }
}

/// `value / 2^shift`, rounded to the nearest integer, ties to even. `value` is below 2^63, and
/// `shift` lies between 1 and 63.
#[inline(always)]
const fn shift_right_rounded(value: u64, shift: u32) -> u64 {
    let below_half = (1 << (shift - 1)) - 1;
    (value + below_half + ((value >> shift) & 1)) >> shift
}

/// The bits of a magnitude, those of a number without its sign, in a narrower format.
#[inline(always)]
const fn narrow(magnitude: u64, from: Format, to: Format) -> u16 {
    let shift = from.mantissa - to.mantissa;
    let rebias = from.bias - to.bias;
    let smallest_normal = (rebias as u64 + 1) << from.mantissa;
    let bits = if magnitude > from.infinity() {
        let payload = (magnitude >> shift) & ((1 << to.mantissa) - 1);
        to.infinity() | 1 << (to.mantissa - 1) | payload
    } else if magnitude >= smallest_normal {
        // A mantissa that is rounded up to 2 raises the exponent, in the end to infinity's.
        let rounded = shift_right_rounded(magnitude - ((rebias as u64) << from.mantissa), shift);
        if rounded < to.infinity() { rounded } else { to.infinity() }
    } else {
        // A subnormal result counts in units of the smallest one; 2^mantissa of them are normal.
        let exponent = magnitude >> from.mantissa;
        let leading = ((exponent != 0) as u64) << from.mantissa;
        let mantissa = leading | (magnitude & ((1 << from.mantissa) - 1));
        let exponent = if exponent == 0 { 1 } else { exponent as u32 };
        let shift = shift + rebias + 1 - exponent;
        shift_right_rounded(mantissa, if shift < 63 { shift } else { 63 })
    };
    bits as u16
}

/// The value of half-precision bits; exact. Unlike Caffe2's own, which decodes normal numbers only,
/// it takes all of them.
///
/// ```
/// # use caffe2_qtensor::quantize::half_to_f32;
/// assert_eq!(half_to_f32(0x3c00), 1.0);
/// assert_eq!(half_to_f32(0x8001), -(2f32.powi(-24)));
/// assert_eq!(half_to_f32(0x7c00), f32::INFINITY);
/// ```
#[inline]
pub const fn half_to_f32(bits: u16) -> f32 {
    const SUBNORMAL: u16 = 1 << HALF.mantissa;
    const INFINITY: u16 = 0x7c00;
    let sign = ((bits & 0x8000) as u32) << 16;
    let magnitude = bits & 0x7fff;
    let wide = (magnitude as u32) << (SINGLE.mantissa - HALF.mantissa);
    let value = if magnitude < SUBNORMAL {
        // Units of 2^-24: exact, and normal numbers in single precision.
        (magnitude as f32 * (1.0 / 16_777_216.0)).to_bits()
    } else if magnitude < INFINITY {
        wide + ((SINGLE.bias - HALF.bias) << SINGLE.mantissa)
    } else {
        let quiet = ((magnitude > INFINITY) as u32) << (SINGLE.mantissa - 1);
        wide | 0xff << SINGLE.mantissa | quiet
    };
    f32::from_bits(sign | value)
}

/// The half-precision bits nearest to a float, ties to even; infinity from 65520 on.
///
/// ```
/// # use caffe2_qtensor::quantize::f32_to_half;
/// assert_eq!(f32_to_half(-2.0), 0xc000);
/// assert_eq!((f32_to_half(65519.0), f32_to_half(65520.0)), (0x7bff, 0x7c00));
/// ```
#[inline]
pub const fn f32_to_half(value: f32) -> u16 {
    let bits = value.to_bits();
    let sign = (bits >> 16) as u16 & 0x8000;
    sign | narrow((bits & 0x7fff_ffff) as u64, SINGLE, HALF)
}

/// The half-precision bits nearest to a double, ties to even; infinity from 65520 on.
///
/// ```
/// # use caffe2_qtensor::quantize::{f32_to_half, f64_to_half};
/// // Just above a tie, which a float would round it to.
/// let value = 1.0 + 2f64.powi(-11) + 2f64.powi(-40);
/// assert_eq!((f64_to_half(value), f32_to_half(value as f32)), (0x3c01, 0x3c00));
/// ```
#[inline]
pub const fn f64_to_half(value: f64) -> u16 {
    let bits = value.to_bits();
    let sign = (bits >> 48) as u16 & 0x8000;
    sign | narrow(bits & 0x7fff_ffff_ffff_ffff, DOUBLE, HALF)
}

/// The value of bfloat16 bits, the upper half of a float; exact.
///
/// ```
/// # use caffe2_qtensor::quantize::bfloat16_to_f32;
/// assert_eq!(bfloat16_to_f32(0xc020), -2.5);
/// ```
#[inline]
pub const fn bfloat16_to_f32(bits: u16) -> f32 {
    f32::from_bits((bits as u32) << 16)
}

/// The bfloat16 bits nearest to a float, ties to even.
///
/// ```
/// # use caffe2_qtensor::quantize::f32_to_bfloat16;
/// assert_eq!(f32_to_bfloat16(-2.5), 0xc020);
/// assert_eq!(f32_to_bfloat16(f32::MAX), 0x7f80);
/// ```
#[inline]
pub const fn f32_to_bfloat16(value: f32) -> u16 {
    let bits = value.to_bits();
    let sign = (bits >> 16) as u16 & 0x8000;
    sign | narrow((bits & 0x7fff_ffff) as u64, SINGLE, BFLOAT16)
}

/// The bfloat16 bits nearest to a double, ties to even.
///
/// ```
/// # use caffe2_qtensor::quantize::f64_to_bfloat16;
/// assert_eq!(f64_to_bfloat16(1.0 + 2f64.powi(-8) + 2f64.powi(-40)), 0x3f81);
/// ```
#[inline]
pub const fn f64_to_bfloat16(value: f64) -> u16 {
    let bits = value.to_bits();
    let sign = (bits >> 48) as u16 & 0x8000;
    sign | narrow(bits & 0x7fff_ffff_ffff_ffff, DOUBLE, BFLOAT16)
}
