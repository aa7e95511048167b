//! The histogram of one channel.

use super::channel::range_of;
use crate::error::{Error, Result};
use crate::kernels::Level;
use crate::kernels::observe::{
    BinsMut, BinsRef, Grid, MOST_VALUES, OCTAVES, Pair, Scan, index, scan, smallest_exponent, tally,
};

/// Values that are looked at together for a new range.
const BLOCK: usize = 1 << 14;

/// Counts and sums of all slots: the bins and then the octaves.
pub(super) struct Bins {
    pub(super) counts: Vec<u64>,
    pub(super) first: Vec<u128>,
    pub(super) second: Vec<u128>,
}

impl Bins {
    /// All zero.
    pub(super) fn new(bins: usize) -> Result<Bins> {
        let slots = bins.saturating_add(OCTAVES);
        Ok(Bins { counts: zeros(slots)?, first: zeros(slots)?, second: zeros(slots)? })
    }

    pub(super) fn try_clone(&self) -> Result<Bins> {
        use crate::params::try_copy;
        let (counts, first) = (try_copy(&self.counts)?, try_copy(&self.first)?);
        Ok(Bins { counts, first, second: try_copy(&self.second)? })
    }

    pub(super) fn clear(&mut self) {
        self.counts.fill(0);
        self.first.fill(0);
        self.second.fill(0);
    }

    /// Takes over the sums of as many slots.
    pub(super) fn copy_from(&mut self, other: &Bins) {
        for (to, from) in self.counts.iter_mut().zip(&other.counts) {
            *to = *from;
        }
        for (to, from) in self.first.iter_mut().zip(&other.first) {
            *to = *from;
        }
        for (to, from) in self.second.iter_mut().zip(&other.second) {
            *to = *from;
        }
    }

    pub(super) fn shared(&self) -> BinsRef<'_> {
        BinsRef { counts: &self.counts, first: &self.first, second: &self.second }
    }

    pub(super) fn exclusive(&mut self) -> BinsMut<'_> {
        BinsMut { counts: &mut self.counts, first: &mut self.first, second: &mut self.second }
    }

    /// The number of bins, the octaves aside.
    pub(super) fn width(&self) -> usize {
        self.counts.len().saturating_sub(OCTAVES)
    }
}

/// So many zeros, fallibly allocated.
pub(super) fn zeros<T: Copy + Default>(length: usize) -> Result<Vec<T>> {
    let mut vector = Vec::new();
    let bytes = length.saturating_mul(size_of::<T>());
    vector
        .try_reserve_exact(length)
        .map_err(|_| Error::OutOfMemory { what: "calibration state", bytes })?;
    vector.resize(length, T::default());
    Ok(vector)
}

/// A histogram and where its bins lie.
pub(super) struct Histogram {
    pub(super) bins: Bins,
    /// The smallest and the largest value that were seen, zeros included, or infinities the wrong
    /// way round.
    pub(super) min: f32,
    pub(super) max: f32,
}

impl Histogram {
    pub(super) fn new(bins: usize) -> Result<Histogram> {
        Ok(Histogram { bins: Bins::new(bins)?, min: Scan::EMPTY.min, max: Scan::EMPTY.max })
    }

    pub(super) fn try_clone(&self) -> Result<Histogram> {
        Ok(Histogram { bins: self.bins.try_clone()?, ..*self })
    }

    pub(super) fn clear(&mut self) {
        self.bins.clear();
        (self.min, self.max) = (Scan::EMPTY.min, Scan::EMPTY.max);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.min > self.max
    }

    /// The exponent of the bins' width; that of nothing is the smallest there is.
    pub(super) fn exponent(&self) -> i32 {
        if self.is_empty() {
            return -149;
        }
        smallest_exponent(self.min, self.max, self.bins.width())
    }

    /// The first index of the window.
    pub(super) fn first_index(&self) -> i32 {
        if self.is_empty() { 0 } else { index(self.min, self.exponent()) }
    }

    pub(super) fn grid(&self) -> Grid {
        Grid::new(self.exponent(), self.bins.width())
    }

    /// Whether values of this range need wider bins.
    pub(super) fn must_widen(&self, (min, max): (f32, f32)) -> bool {
        let (min, max) = (self.min.min(min), self.max.max(max));
        smallest_exponent(min, max, self.bins.width()) != self.exponent()
    }

    /// Makes room for values of this range. `spare` is as large as the bins, and zero.
    pub(super) fn widen(&mut self, (min, max): (f32, f32), spare: &mut Bins) {
        let (exponent, from, empty) = (self.exponent(), self.first_index(), self.is_empty());
        (self.min, self.max) = (self.min.min(min), self.max.max(max));
        let wider = self.exponent();
        if wider != exponent && !empty {
            core::mem::swap(&mut self.bins, spare);
            self.bins.exclusive().deposit(&spare.shared(), exponent, from, wider);
            spare.clear();
        }
    }

    /// Makes room for what a scan found.
    pub(super) fn admit(&mut self, seen: &Scan, spare: &mut Bins) {
        if let Some(range) = range_of(seen) {
            self.widen(range, spare);
        }
    }

    /// Adds values by way of a table. Returns what a scan of them finds.
    pub(super) fn take(&mut self, values: &[f32], spare: &mut Bins, table: &mut [Pair]) -> Scan {
        let (level, mut found) = (Level::best(), Scan::EMPTY);
        let (mut left, mut held) = (values, 0_usize);
        while !left.is_empty() {
            let room = MOST_VALUES.saturating_sub(held).min(left.len());
            let ready = left.get(..room).unwrap_or_default();
            let range = (self.min, self.max);
            let (taken, seen) = tally(level, ready, &self.grid(), range, table);
            found.add(&seen);
            held = held.saturating_add(taken);
            left = left.get(taken..).unwrap_or_default();
            let next = left.get(..left.len().min(BLOCK)).unwrap_or_default();
            let seen = if taken < room { range_of(&scan(level, next)) } else { None };
            // What the table holds was sorted into narrower bins, and must be in them before they
            // are merged.
            if taken == room || seen.is_some_and(|range| self.must_widen(range)) {
                self.bins.exclusive().empty(table);
                held = 0;
            }
            if let Some(range) = seen {
                self.widen(range, spare);
            }
        }
        found
    }

    /// Adds the values of another histogram of as many bins. `spare` as above.
    pub(super) fn merge(&mut self, other: &Histogram, spare: &mut Bins) {
        if other.is_empty() {
            return;
        }
        self.widen((other.min, other.max), spare);
        let (from, exponent) = (other.first_index(), self.exponent());
        self.bins.exclusive().deposit(&other.bins.shared(), other.exponent(), from, exponent);
    }

    /// The indices of the window's bins that can hold values, the first and the last.
    pub(super) fn window(&self) -> (i32, i32) {
        if self.is_empty() {
            return (0, -1);
        }
        (self.first_index(), index(self.max, self.exponent()))
    }
}
