//! Whole-tensor access: integer codes into the planes and out of them.
//!
//! Codes move in blocks, a byte of their magnitude at a time: the transposition kernels turn
//! each byte lane into up to eight planes. One-byte codes need no lanes and go straight through.

use super::Geometry;
use crate::error::{Error, Result};
use crate::kernels::lanes::{self, Integer};
use crate::kernels::{Level, Rows, transpose};

/// Elements per block: its lanes stay in the first-level cache. A multiple of 8, so that blocks
/// start on whole plane bytes.
pub(crate) const BLOCK: usize = 2048;

/// An integer type that codes can be read into and written from.
///
/// A code is the integer `x` of `scale * (x + bias)`, its sign applied.
pub trait Code: Integer + Into<i128> + sealed::Sealed {
    /// The type's name in C.
    #[doc(hidden)]
    const NAME: &'static str;
    /// Whether the type has negative values.
    #[doc(hidden)]
    const SIGNED: bool;
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

macro_rules! code {
    ($type:ty, $signed:literal, $name:literal) => {
        impl sealed::Sealed for $type {}
        impl Code for $type {
            const NAME: &'static str = $name;
            const SIGNED: bool = $signed;
        }
    };
}

code!(u16, false, "uint16_t");
code!(u32, false, "uint32_t");
code!(i8, true, "int8_t");
code!(i16, true, "int16_t");
code!(i32, true, "int32_t");
code!(i64, true, "int64_t");

impl sealed::Sealed for u8 {}
impl Code for u8 {
    const NAME: &'static str = "uint8_t";
    const SIGNED: bool = false;
    fn bytes(codes: &[u8]) -> Option<&[u8]> {
        Some(codes)
    }
    fn bytes_mut(codes: &mut [u8]) -> Option<&mut [u8]> {
        Some(codes)
    }
}

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
    if geometry.precision() >= T::MAGNITUDE_BITS && !T::SIGNED {
        return Ok(());
    }
    // The largest magnitude is all ones, so one bit above it in any code shows in the union.
    let largest = !(u64::MAX.wrapping_shl(u32::from(geometry.precision())));
    let (union, negative) = lanes::survey(Level::best(), codes);
    if union <= largest && (geometry.signed() || !negative) {
        return Ok(());
    }
    let min = if geometry.signed() { i128::from(largest).wrapping_neg() } else { 0 };
    let mut wide = codes.iter().map(|code| (*code).into());
    let refused = wide.find(|code: &i128| *code < min || *code > i128::from(largest));
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

/// The byte lanes of a precision: for each its first plane, the bit of a magnitude that lies
/// there, and how many planes it has.
fn byte_lanes(precision: u8) -> impl Iterator<Item = (usize, u32, usize)> {
    (0..precision)
        .step_by(8)
        .map(move |first| {
            (usize::from(first), u32::from(first), usize::from(precision.saturating_sub(first)))
        })
        .map(|(plane, shift, rest)| (plane, shift, rest.min(8)))
}

/// Writes codes that [`check_write`] would pass into rows of their length, all planes of the
/// geometry. Padding bits stay as they are.
pub(crate) fn write<T: Code>(geometry: Geometry, codes: &[T], rows: &mut Rows<'_>) {
    let level = Level::best();
    let precision = usize::from(geometry.precision());
    if codes.is_empty() {
        return;
    }
    if let (Some(bytes), false, 1..=8) = (T::bytes(codes), geometry.signed(), precision) {
        return transpose::pack_rows(level, bytes, rows.some(0, precision));
    }
    let mut lane_bytes = [0u8; BLOCK];
    for (block, codes) in codes.chunks(BLOCK).enumerate() {
        let offset = block.saturating_mul(BLOCK / 8);
        let mut rows = rows.part(offset, codes.len().div_ceil(8));
        let lane_bytes = lane_bytes.get_mut(..codes.len()).unwrap_or_default();
        for (plane, shift, count) in byte_lanes(geometry.precision()) {
            lanes::split(level, codes, shift, lane_bytes);
            transpose::pack_rows(level, lane_bytes, rows.some(plane, count));
        }
        if geometry.signed() {
            lanes::signs(level, codes, lane_bytes);
            transpose::pack_rows(level, lane_bytes, rows.some(precision, 1));
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
    let sign_plane = usize::from(geometry.precision());
    for (block, codes) in codes.chunks_mut(BLOCK).enumerate() {
        let offset = block.saturating_mul(BLOCK / 8).saturating_add(first / 8);
        let lane_bytes = lane_bytes.get_mut(..codes.len()).unwrap_or_default();
        if geometry.precision() == 0 {
            codes.fill(T::ZERO);
        }
        for (plane, shift, count) in byte_lanes(geometry.precision()) {
            if let Some(planes) = planes.get(from_plane(plane, stride, offset)) {
                transpose::unpack(level, planes, stride, count, lane_bytes);
            }
            lanes::join(level, lane_bytes, shift, codes);
        }
        let sign = planes.get(from_plane(sign_plane, stride, offset));
        if let Some(plane) = sign.filter(|_| geometry.signed()) {
            transpose::unpack(level, plane, stride, 1, lane_bytes);
            // A sign bit on magnitude 0 negates nothing.
            lanes::negate(level, lane_bytes, codes);
        }
    }
}
