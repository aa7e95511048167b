//! A channel's state as a distribution, from which the error of any codes can be told.

use super::channel::Channel;
use super::observer::reserved;
use super::state::Histogram;
use crate::error::Result;
use crate::kernels::Level;
use crate::kernels::distortion::{Near, Piece, Pieces, Total};
use crate::kernels::observe::{OCTAVES, OFFSET_BITS, Sums};

/// Numbers `u` that stand for values `(u + center) * unit`, so that neither large offsets nor small
/// scales cost any bits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    /// A power of two.
    pub(super) unit: f64,
    /// A whole number.
    pub(super) center: f64,
}

impl Frame {
    pub(super) fn value(&self, u: f64) -> f64 {
        (u + self.center) * self.unit
    }

    pub(super) fn of_value(&self, value: f64) -> f64 {
        value / self.unit - self.center
    }
}

/// The bins of a channel in order.
pub(super) struct Cells {
    pub(super) frame: Frame,
    pieces: Vec<Piece>,
    begin: f64,
    narrow: (usize, usize),
    near: Near,
    total: Total,
}

impl Cells {
    pub(super) fn pieces(&self) -> Pieces<'_> {
        Pieces::new(&self.pieces, self.begin, (self.narrow, &self.near), self.total, Level::best())
    }

    pub(super) fn new(channel: &Channel, histogram: &Histogram) -> Result<Cells> {
        let (exponent, (mut first, mut last)) = (histogram.exponent(), histogram.window());
        let across = first <= 0 && last >= -1;
        if across {
            (first, last) = (first.min(-1), last.max(0));
        }
        // Where 0 is among the bins, values next to it keep all their bits; elsewhere they are
        // counted from the middle.
        let center = if across { 0 } else { first.midpoint(last) };
        let room = usize::try_from(last.wrapping_sub(first)).unwrap_or(0);
        let mut cells = Cells {
            frame: Frame { unit: power_of_two(exponent), center: f64::from(center) },
            pieces: reserved(room.saturating_add(OCTAVES).saturating_add(4))?,
            begin: f64::from(first) - f64::from(center),
            narrow: (0, 0),
            near: Near::NONE,
            total: Total::default(),
        };
        let bins = histogram.bins.shared();
        let mask = i32::try_from(histogram.bins.width()).unwrap_or(0).wrapping_sub(1);
        let linear = |cells: &mut Cells, range: core::ops::RangeInclusive<i32>| {
            for index in range {
                let slot = usize::try_from(index & mask).unwrap_or(0);
                let sums = bins.at(slot);
                let (mean, variance) = moments(&sums);
                // The distance from 0 of the bin's inner edge.
                let inner = f64::from(index ^ (index >> 31));
                let mean = if index < 0 { -(inner + mean) } else { inner + mean };
                let begin = f64::from(index) - f64::from(center);
                cells.push((begin, begin + 1.0), &sums, mean - f64::from(center), variance);
            }
        };
        if !across {
            linear(&mut cells, first..=last);
            cells.close();
            return Ok(cells);
        }
        linear(&mut cells, first..=-2);
        let start = cells.pieces.len();
        let octave = |slot: usize| bins.at(histogram.bins.width().saturating_add(slot));
        cells.octaves(exponent, true, |bits| octave(bits.saturating_add(OCTAVES / 2)));
        let zeros = Sums { count: channel.scan.zeros, ..Sums::default() };
        cells.push((0.0, 0.0), &zeros, 0.0, 0.0);
        cells.octaves(exponent, false, octave);
        cells.narrow = (start, cells.pieces.len().saturating_sub(start));
        cells.near = Near::new(&cells.pieces, cells.narrow);
        linear(&mut cells, 1..=last);
        cells.close();
        Ok(cells)
    }

    /// Ends the bins with an empty one.
    fn close(&mut self) {
        let end = self.pieces.last().map_or(0.0, |piece| piece.end);
        self.push((end, f64::INFINITY), &Sums::default(), end, 0.0);
    }

    /// The bins on one side of 0 that are narrower than the others, from left to right and without
    /// gaps.
    fn octaves(&mut self, exponent: i32, negative: bool, of: impl Fn(usize) -> Sums) {
        let all = (0..OCTAVES / 2).filter(|bits| start_of(*bits) < power_of_two(exponent));
        let lowest = all.clone().find(|bits| of(*bits).count > 0);
        let lowest = lowest.unwrap_or_else(|| all.clone().count());
        let unit = power_of_two(exponent);
        let edge = |bits: usize| (start_of(bits) / unit).min(1.0);
        let side = if negative { -1.0 } else { 1.0 };
        let mut push = |begin: f64, end: f64, sums: &Sums, mean: f64, variance: f64| {
            let (begin, end) = if negative { (-end, -begin) } else { (begin, end) };
            self.push((begin, end), sums, side * mean, variance);
        };
        let nothing = Sums::default();
        if !negative {
            push(0.0, edge(lowest), &nothing, 0.0, 0.0);
        }
        let count = all.count();
        for step in lowest..count {
            let bits = if negative {
                count.wrapping_sub(1).wrapping_sub(step.wrapping_sub(lowest))
            } else {
                step
            };
            let sums = of(bits);
            let (mean, variance) = moments(&sums);
            // Subnormals have neither a leading 1 nor an octave of their own.
            let width = if bits == 0 { power_of_two(-126) } else { start_of(bits) } / unit;
            let base = if bits == 0 { 0.0 } else { width };
            let mean = base + mean * width;
            push(edge(bits), edge(bits.saturating_add(1)), &sums, mean, variance * width * width);
        }
        if negative {
            push(0.0, edge(lowest), &nothing, 0.0, 0.0);
        }
    }

    fn push(&mut self, edges: (f64, f64), sums: &Sums, mean: f64, variance: f64) {
        let count = sums.count as f64;
        let piece = Piece::new(self.pieces.last(), edges, count, mean, variance);
        self.total.count += count;
        self.total.sum = piece.sum_before + count * (piece.left + piece.half);
        self.total.squares += count * (mean * mean + variance);
        self.pieces.push(piece);
    }
}

/// The smallest magnitude in an octave; those with exponent bits 0 begin at 0.
fn start_of(bits: usize) -> f64 {
    match i32::try_from(bits).unwrap_or(0) {
        0 => 0.0,
        bits => power_of_two(bits.wrapping_sub(127)),
    }
}

/// A power of two that a double holds as a normal number.
pub(super) fn power_of_two(exponent: i32) -> f64 {
    let biased = u64::try_from(exponent.clamp(-1022, 1023).wrapping_add(1023)).unwrap_or(0);
    f64::from_bits(biased << 52)
}

/// Mean and variance of the offsets in a slot, as fractions of its width.
fn moments(sums: &Sums) -> (f64, f64) {
    const WIDTH: f64 = (1u32 << OFFSET_BITS) as f64;
    if sums.count == 0 {
        return (0.5, 0.0);
    }
    let count = sums.count as f64;
    let mean = sums.first as f64 / count;
    // Exact where it can be, so that equal values have no variance.
    let exact = u128::from(sums.count)
        .checked_mul(sums.second)
        .zip(sums.first.checked_mul(sums.first))
        .map(|(squares, square)| squares.saturating_sub(square) as f64 / (count * count));
    let variance = exact.unwrap_or_else(|| (sums.second as f64 / count - mean * mean).max(0.0));
    (mean / WIDTH, variance / (WIDTH * WIDTH))
}
