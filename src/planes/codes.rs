//! Whole-tensor access: integer codes into the planes and out of them.
//!
//! Codes move in blocks, a byte of their magnitude at a time: the transposition kernels turn
//! each byte lane into up to eight planes. One-byte codes need no lanes and go straight through.

use super::Geometry;
use crate::error::{Error, Result};
use crate::kernels::{Level, transpose};

/// Elements per block: its lanes stay in the first-level cache. A multiple of 8, so that blocks
/// start on whole plane bytes.
pub(crate) const BLOCK: usize = 2048;

/// An integer type that codes can be read into and written from.
///
/// A code is the integer `x` of `scale * (x + bias)`, its sign applied.
pub trait Code: Copy + sealed::Sealed {
    /// The type's name in C.
    #[doc(hidden)]
    const NAME: &'static str;
    /// Bits of the largest magnitude that the type holds on both sides of zero.
    #[doc(hidden)]
    const MAGNITUDE_BITS: u8;
    /// Whether the type has negative values.
    #[doc(hidden)]
    const SIGNED: bool;
    #[doc(hidden)]
    fn magnitude(self) -> u64;
    #[doc(hidden)]
    fn negative(self) -> bool;
    #[doc(hidden)]
    fn wide(self) -> i128;
    /// The code of this magnitude and sign; the magnitude fits [`Code::MAGNITUDE_BITS`].
    #[doc(hidden)]
    fn from_parts(magnitude: u64, negative: bool) -> Self;
    /// The slice itself where a code is one unsigned byte.
    #[doc(hidden)]
    fn bytes(codes: &[Self]) -> Option<&[u8]> {
        let _ = codes;
        None
    }
    #[doc(hidden)]
    fn bytes_mut(codes: &mut [Self]) -> Option<&mut [u8]> {
        let _ = codes;
        None
    }
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! unsigned_code {
    ($type:ty, $bits:literal, $name:literal, { $($bytes:tt)* }) => {
        impl sealed::Sealed for $type {}
        impl Code for $type {
            const NAME: &'static str = $name;
            const MAGNITUDE_BITS: u8 = $bits;
            const SIGNED: bool = false;
            #[inline]
            fn magnitude(self) -> u64 {
                u64::from(self)
            }
            #[inline]
            fn negative(self) -> bool {
                false
            }
            fn wide(self) -> i128 {
                i128::from(self)
            }
            #[inline]
            #[allow(clippy::cast_possible_truncation, reason = "the magnitude fits the type")]
            fn from_parts(magnitude: u64, _negative: bool) -> Self {
                magnitude as $type
            }
            $($bytes)*
        }
    };
}

macro_rules! signed_code {
    ($type:ty, $bits:literal, $name:literal) => {
        impl sealed::Sealed for $type {}
        impl Code for $type {
            const NAME: &'static str = $name;
            const MAGNITUDE_BITS: u8 = $bits;
            const SIGNED: bool = true;
            #[inline]
            fn magnitude(self) -> u64 {
                u64::from(self.unsigned_abs())
            }
            #[inline]
            fn negative(self) -> bool {
                self < 0
            }
            fn wide(self) -> i128 {
                i128::from(self)
            }
            #[inline]
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_possible_wrap,
                reason = "the magnitude fits the type"
            )]
            fn from_parts(magnitude: u64, negative: bool) -> Self {
                let value = magnitude as $type;
                if negative { value.wrapping_neg() } else { value }
            }
        }
    };
}

unsigned_code!(u8, 8, "uint8_t", {
    fn bytes(codes: &[u8]) -> Option<&[u8]> {
        Some(codes)
    }
    fn bytes_mut(codes: &mut [u8]) -> Option<&mut [u8]> {
        Some(codes)
    }
});
unsigned_code!(u16, 16, "uint16_t", {});
unsigned_code!(u32, 32, "uint32_t", {});
signed_code!(i8, 7, "int8_t");
signed_code!(i16, 15, "int16_t");
signed_code!(i32, 31, "int32_t");
signed_code!(i64, 63, "int64_t");

/// Refuses a tensor whose codes the type cannot all hold.
fn check_type<T: Code>(geometry: Geometry) -> Result<()> {
    if geometry.precision() > T::MAGNITUDE_BITS {
        return Err(Error::Unsupported {
            what: "precision",
            value: i128::from(geometry.precision()),
            reason: match T::MAGNITUDE_BITS {
                63 => "codes of 64-bit integers have at most 63 bits",
                _ => "its codes do not fit the integer type asked for",
            },
        });
    }
    if geometry.signed() && !T::SIGNED {
        return Err(Error::UnsupportedName {
            what: "integer type",
            value: crate::error::Excerpt::new(T::NAME.as_bytes()),
            reason: "a signed tensor has negative codes",
        });
    }
    Ok(())
}

fn check_length(geometry: Geometry, count: usize) -> Result<()> {
    if count == geometry.size() {
        return Ok(());
    }
    Err(Error::ShapeMismatch {
        what: "number of codes",
        value: i128::try_from(count).unwrap_or(i128::MAX),
        expected: i128::try_from(geometry.size()).unwrap_or(i128::MAX),
    })
}

/// Everything that can be wrong with a read, so that nothing is done in vain.
pub(crate) fn check_read<T: Code>(geometry: Geometry, codes: &[T]) -> Result<()> {
    check_length(geometry, codes.len())?;
    check_type::<T>(geometry)
}

/// Everything that can be wrong with a write: the planes are touched only after it.
pub(crate) fn check_write<T: Code>(geometry: Geometry, codes: &[T]) -> Result<()> {
    check_length(geometry, codes.len())?;
    // Any type may be written; what counts is that each value has a code.
    if geometry.precision() > 63 {
        return check_type::<i64>(geometry);
    }
    // The largest magnitude is all ones, so one bit above it in any code shows in the union.
    let largest = !(u64::MAX.wrapping_shl(u32::from(geometry.precision())));
    let (mut union, mut negative) = (0, false);
    for code in codes {
        union |= code.magnitude();
        negative |= code.negative();
    }
    if union <= largest && (geometry.signed() || !negative) {
        return Ok(());
    }
    let min = if geometry.signed() { i128::from(largest).wrapping_neg() } else { 0 };
    let refused = codes
        .iter()
        .map(|code| code.wide())
        .find(|code| *code < min || *code > i128::from(largest));
    Err(Error::OutOfRange {
        what: "code",
        value: refused.unwrap_or_default(),
        min,
        max: i128::from(largest),
    })
}

/// The planes of one byte lane and the sign plane, each from a block's first byte on.
///
/// Yields nothing where the geometry and the slice disagree, which cannot happen: the caller has
/// checked them.
fn from_plane(plane: usize, stride: usize, offset: usize) -> core::ops::RangeFrom<usize> {
    plane.saturating_mul(stride).saturating_add(offset)..
}

/// The byte lanes of a precision: for each its number and how many planes it has.
fn lanes(precision: u8) -> impl Iterator<Item = (usize, usize)> {
    let precision = usize::from(precision);
    (0..precision.div_ceil(8))
        .map(move |lane| (lane, precision.saturating_sub(lane.saturating_mul(8)).min(8)))
}

/// Writes codes that [`check_write`] would pass into `planes`, which has the geometry's size,
/// from element `first` on, a multiple of 8. Padding bits stay as they are.
pub(crate) fn write<T: Code>(geometry: Geometry, first: usize, codes: &[T], planes: &mut [u8]) {
    let (level, stride) = (Level::best(), geometry.stride());
    if codes.is_empty() {
        return;
    }
    if let (Some(bytes), false, 1..=8) = (T::bytes(codes), geometry.signed(), geometry.precision())
    {
        let planes = planes.get_mut(first / 8..).unwrap_or_default();
        return transpose::pack(level, bytes, planes, stride, usize::from(geometry.precision()));
    }
    let mut lane_bytes = [0u8; BLOCK];
    let sign_plane = usize::from(geometry.precision());
    for (block, codes) in codes.chunks(BLOCK).enumerate() {
        let offset = block.saturating_mul(BLOCK / 8).saturating_add(first / 8);
        let lane_bytes = lane_bytes.get_mut(..codes.len()).unwrap_or_default();
        for (lane, count) in lanes(geometry.precision()) {
            let shift = u32::try_from(lane.saturating_mul(8)).unwrap_or(0);
            for (byte, code) in lane_bytes.iter_mut().zip(codes) {
                let [low, ..] = code.magnitude().wrapping_shr(shift).to_le_bytes();
                *byte = low;
            }
            if let Some(planes) = planes.get_mut(from_plane(lane.saturating_mul(8), stride, offset))
            {
                transpose::pack(level, lane_bytes, planes, stride, count);
            }
        }
        if geometry.signed() {
            for (byte, code) in lane_bytes.iter_mut().zip(codes) {
                *byte = u8::from(code.negative());
            }
            if let Some(plane) = planes.get_mut(from_plane(sign_plane, stride, offset)) {
                transpose::pack(level, lane_bytes, plane, stride, 1);
            }
        }
    }
}

/// Reads codes that [`check_read`] would pass from `planes`, which has the geometry's size, from
/// element `first` on, a multiple of 8.
pub(crate) fn read<T: Code>(geometry: Geometry, first: usize, planes: &[u8], codes: &mut [T]) {
    let (level, stride) = (Level::best(), geometry.stride());
    if codes.is_empty() {
        return;
    }
    if let (Some(bytes), false, 1..=8) =
        (T::bytes_mut(codes), geometry.signed(), geometry.precision())
    {
        let planes = planes.get(first / 8..).unwrap_or_default();
        return transpose::unpack(level, planes, stride, usize::from(geometry.precision()), bytes);
    }
    let mut lane_bytes = [0u8; BLOCK];
    let mut magnitudes = [0u64; BLOCK];
    let sign_plane = usize::from(geometry.precision());
    for (block, codes) in codes.chunks_mut(BLOCK).enumerate() {
        let offset = block.saturating_mul(BLOCK / 8).saturating_add(first / 8);
        let lane_bytes = lane_bytes.get_mut(..codes.len()).unwrap_or_default();
        let magnitudes = magnitudes.get_mut(..codes.len()).unwrap_or_default();
        magnitudes.fill(0);
        for (lane, count) in lanes(geometry.precision()) {
            let shift = u32::try_from(lane.saturating_mul(8)).unwrap_or(0);
            if let Some(planes) = planes.get(from_plane(lane.saturating_mul(8), stride, offset)) {
                transpose::unpack(level, planes, stride, count, lane_bytes);
            }
            for (magnitude, byte) in magnitudes.iter_mut().zip(lane_bytes.iter()) {
                *magnitude |= u64::from(*byte).wrapping_shl(shift);
            }
        }
        lane_bytes.fill(0);
        let sign = planes.get(from_plane(sign_plane, stride, offset));
        if let Some(plane) = sign.filter(|_| geometry.signed()) {
            transpose::unpack(level, plane, stride, 1, lane_bytes);
        }
        for ((code, magnitude), sign) in codes.iter_mut().zip(magnitudes).zip(lane_bytes) {
            // A sign bit on magnitude 0 negates nothing.
            *code = T::from_parts(*magnitude, *sign != 0);
        }
    }
}
