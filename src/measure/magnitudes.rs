//! A histogram of the magnitudes of errors, and the quantiles that it knows.
//!
//! The bins are those of [`crate::kernels::errors::indices`]: the same whatever the data, so that
//! histograms merge without loss. Only as many octaves are kept as errors were seen in.

use crate::error::{Error, Result};
use crate::kernels::Level;
use crate::kernels::errors::{BLOCK, NO_ERROR, OCTAVE_BINS, bin_range, indices};

/// How many errors have what magnitude.
#[derive(Debug, Default)]
pub(super) struct Magnitudes {
    zeros: u64,
    /// The number of the first bin there is; it begins an octave.
    first: u16,
    counts: Vec<u64>,
}

/// A bin of a histogram: errors of a magnitude from `low` on and below `high`, or of exactly 0
/// where both are 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bin {
    /// The lower end, which is in the bin.
    pub low: f64,
    /// The upper end, which is not.
    pub high: f64,
    /// How many there are.
    pub count: u64,
}

impl Magnitudes {
    /// Takes in the errors of a block of finite pairs.
    pub(super) fn record(&mut self, level: Level, reference: &[f32], values: &[f32]) -> Result<()> {
        let mut numbers = [0_u16; BLOCK];
        let numbers = numbers.get_mut(..reference.len()).unwrap_or_default();
        let range = indices(level, reference, values, numbers);
        if range.high != NO_ERROR {
            self.cover(range.low, range.high)?;
        }
        let first = self.first;
        for number in numbers {
            let bin = match *number {
                NO_ERROR => Some(&mut self.zeros),
                number => self.counts.get_mut(usize::from(number.wrapping_sub(first))),
            };
            if let Some(bin) = bin {
                *bin = bin.wrapping_add(1);
            }
        }
        Ok(())
    }

    /// Makes room for bins, or changes nothing.
    pub(super) fn cover(&mut self, low: u16, high: u16) -> Result<()> {
        let begin = |bin: u16| {
            let bin = bin.saturating_sub(1);
            bin.saturating_sub(bin.checked_rem(OCTAVE_BINS).unwrap_or(0)).saturating_add(1)
        };
        let end = |bin: u16| begin(bin).saturating_add(OCTAVE_BINS);
        let (mut first, mut last) = (begin(low), end(high));
        if let Some((own_first, own_end)) = self.covered() {
            first = first.min(own_first);
            last = last.max(own_end);
            if (first, last) == (own_first, own_end) {
                return Ok(());
            }
        }
        let length = usize::from(last.saturating_sub(first));
        let bytes = length.saturating_mul(size_of::<u64>());
        let no_memory = Error::OutOfMemory { what: "histogram of errors", bytes };
        let mut counts = Vec::new();
        counts.try_reserve_exact(length).map_err(|_| no_memory)?;
        counts.resize(length, 0);
        let before = usize::from(self.first.saturating_sub(first));
        let kept = counts.get_mut(before..).unwrap_or_default();
        for (to, count) in kept.iter_mut().zip(&self.counts) {
            *to = *count;
        }
        (self.first, self.counts) = (first, counts);
        Ok(())
    }

    /// The numbers of the first bin and of that behind the last one.
    pub(super) fn covered(&self) -> Option<(u16, u16)> {
        let length = u16::try_from(self.counts.len()).ok().filter(|length| *length > 0)?;
        Some((self.first, self.first.saturating_add(length)))
    }

    /// Adds what another histogram counted; its bins are covered.
    pub(super) fn add(&mut self, other: &Magnitudes) {
        self.zeros = self.zeros.saturating_add(other.zeros);
        let before = usize::from(other.first.saturating_sub(self.first));
        let own = self.counts.get_mut(before..).unwrap_or_default();
        for (to, count) in own.iter_mut().zip(&other.counts) {
            *to = to.saturating_add(*count);
        }
    }

    /// The bins that are not empty, in order.
    pub(super) fn bins(&self) -> impl Iterator<Item = Bin> {
        let zeros = Bin { low: 0.0, high: 0.0, count: self.zeros };
        let others = (self.first..).zip(&self.counts).map(|(number, count)| {
            let (low, high) = bin_range(number);
            Bin { low, high, count: *count }
        });
        core::iter::once(zeros).chain(others).filter(|bin| bin.count > 0)
    }

    /// The magnitude of the error that so many of `count` are at most as large as: the middle of its
    /// bin.
    pub(super) fn quantile(&self, share: f64, count: u64) -> Option<f64> {
        // The rank, from 1 on; counts of errors are far below 2^53.
        let rank = (share * count as f64).ceil().max(1.0);
        let mut seen = 0_u64;
        let found = self.bins().find(|bin| {
            seen = seen.saturating_add(bin.count);
            seen as f64 >= rank
        });
        found.or_else(|| self.bins().last()).map(|bin| bin.low.midpoint(bin.high))
    }
}
