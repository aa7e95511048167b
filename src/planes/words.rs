//! Planes as the words that the kernels on bits take.

use super::Geometry;
use crate::kernels::{Level, bits};

/// Fills `words` with the bits of `count` elements in a plane, from element `first` on, and with zeros
/// behind them. A sign plane is the one behind the magnitudes.
pub(crate) fn read(
    geometry: Geometry,
    planes: &[u8],
    plane: usize,
    first: usize,
    count: usize,
    words: &mut [u32],
) {
    let start = plane.saturating_mul(geometry.stride());
    let end = start.saturating_add(geometry.stride());
    let plane = planes.get(start..end).unwrap_or_default();
    let bytes = plane.get(first / 8..).unwrap_or_default();
    bits::read(Level::best(), bytes, first % 8, count, words);
}
