//! What is remembered of one channel.

use super::config::{Kind, ObserverConfig};
use super::state::{Bins, Histogram, zeros};
use crate::error::{Error, Result};
use crate::kernels::Level;
use crate::kernels::observe::{NOWHERE, OCTAVES, Pair, Scan, scan};

/// The most values that a channel counts, so that no sum of sums overflows.
pub(super) const MOST: u64 = 1 << 62;

/// Fewer values than this are worth neither a table nor a copy of the bins.
const FEW: usize = 1 << 13;

/// The state of a channel.
pub(super) struct Channel {
    /// How many values were finite, zeros included.
    pub(super) finite: u64,
    /// Zeros, special values, and the range of the rest.
    pub(super) scan: Scan,
    pub(super) rest: Rest,
}

/// What there is beyond counts and range.
pub(super) enum Rest {
    Nothing,
    Histogram(Histogram),
    Average(Average),
}

/// Averages of the batches' ranges.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Average {
    pub(super) batches: u64,
    pub(super) min: f64,
    pub(super) max: f64,
}

/// Memory that an observer works with, whatever the channel.
pub(super) struct Workshop {
    bins: Option<WorkBins>,
    /// All zero between calls.
    table: Vec<Pair>,
}

/// As large as a channel's bins.
struct WorkBins {
    /// All zero between calls.
    spare: Bins,
    /// What a channel had before a batch that may be refused.
    before: Bins,
}

impl Workshop {
    pub(super) fn new(config: &ObserverConfig) -> Result<Workshop> {
        let Kind::Histogram { bins } = config.kind else {
            return Ok(Workshop { bins: None, table: Vec::new() });
        };
        let slots = bins.saturating_add(OCTAVES).saturating_add(NOWHERE);
        let work = WorkBins { spare: Bins::new(bins)?, before: Bins::new(bins)? };
        Ok(Workshop { bins: Some(work), table: zeros(slots.saturating_mul(2))? })
    }
}

impl Channel {
    pub(super) fn new(config: &ObserverConfig) -> Result<Channel> {
        let rest = match config.kind {
            Kind::Range => Rest::Nothing,
            Kind::Histogram { bins } => Rest::Histogram(Histogram::new(bins)?),
            Kind::MovingAverage { .. } => Rest::Average(Average::default()),
        };
        Ok(Channel { finite: 0, scan: Scan::EMPTY, rest })
    }

    pub(super) fn try_clone(&self) -> Result<Channel> {
        let rest = match &self.rest {
            Rest::Nothing => Rest::Nothing,
            Rest::Histogram(histogram) => Rest::Histogram(histogram.try_clone()?),
            Rest::Average(average) => Rest::Average(*average),
        };
        Ok(Channel { rest, ..*self })
    }

    pub(super) fn clear(&mut self) {
        (self.finite, self.scan) = (0, Scan::EMPTY);
        match &mut self.rest {
            Rest::Nothing => {}
            Rest::Histogram(histogram) => histogram.clear(),
            Rest::Average(average) => *average = Average::default(),
        }
    }

    /// Values of every kind.
    pub(super) fn total(&self) -> u64 {
        self.finite.saturating_add(self.scan.non_finite())
    }

    /// The smallest and the largest finite value, zeros included.
    pub(super) fn range(&self) -> Option<(f32, f32)> {
        range_of(&self.scan)
    }

    /// Refuses more values than a channel counts.
    pub(super) fn check_room(&self, more: u64) -> Result<()> {
        match self.total().checked_add(more) {
            Some(total) if total <= MOST => Ok(()),
            _ => Err(Error::Overflow { what: "number of values", limit: i128::from(MOST) }),
        }
    }

    /// Takes values in; there is room for them. Returns what a scan of them finds.
    pub(super) fn take(&mut self, values: &[f32], workshop: &mut Workshop) -> Scan {
        let found;
        let level = Level::best();
        let Rest::Histogram(histogram) = &mut self.rest else {
            found = scan(level, values);
            self.note(&found, values.len());
            return found;
        };
        // A histogram's workshop has it.
        let Some(WorkBins { spare, .. }) = &mut workshop.bins else { return Scan::EMPTY };
        if values.len() < FEW {
            found = scan(level, values);
            histogram.admit(&found, spare);
            let grid = histogram.grid();
            histogram.bins.exclusive().note(values.iter().copied(), &grid);
        } else {
            found = histogram.take(values, spare, &mut workshop.table);
        }
        self.note(&found, values.len());
        found
    }

    /// [`take`](Self::take), or nothing, and what a scan finds anyway, where a value is not finite.
    /// One pass finds that and takes the values in: what was there before is kept aside meanwhile.
    pub(super) fn take_finite(&mut self, values: &[f32], workshop: &mut Workshop) -> Scan {
        let (finite, seen) = (self.finite, self.scan);
        let mut range = (seen.min, seen.max);
        if let (Rest::Histogram(histogram), Some(work)) = (&self.rest, &mut workshop.bins) {
            if values.len() < FEW {
                let found = scan(Level::best(), values);
                return if found.non_finite() > 0 { found } else { self.take(values, workshop) };
            }
            work.before.copy_from(&histogram.bins);
            range = (histogram.min, histogram.max);
        }
        let found = self.take(values, workshop);
        if found.non_finite() > 0 {
            (self.finite, self.scan) = (finite, seen);
            if let (Rest::Histogram(histogram), Some(work)) = (&mut self.rest, &mut workshop.bins) {
                histogram.bins.copy_from(&work.before);
                (histogram.min, histogram.max) = range;
            }
        }
        found
    }

    fn note(&mut self, found: &Scan, values: usize) {
        let values = u64::try_from(values).unwrap_or(u64::MAX);
        self.finite = self.finite.saturating_add(values.saturating_sub(found.non_finite()));
        self.scan.add(found);
    }

    /// Ends a batch, whose values were taken in: only an average knows batches.
    pub(super) fn end_batch(&mut self, batch: &Scan, weight: f64) {
        let seen = self.range();
        let (Rest::Average(average), Some((min, max)), Some((least, most))) =
            (&mut self.rest, range_of(batch), seen)
        else {
            return;
        };
        let (min, max) = (f64::from(min), f64::from(max));
        if average.batches == 0 {
            (average.min, average.max) = (min, max);
        } else {
            average.min += weight * (min - average.min);
            average.max += weight * (max - average.max);
            // Each is rounded by itself, which may swap them, or take them past all values.
            average.min = average.min.max(f64::from(least)).min(f64::from(most));
            average.max = average.max.max(average.min).min(f64::from(most));
        }
        average.batches = average.batches.saturating_add(1);
    }

    /// Adds what another channel of the same kind has seen; there is room for it.
    pub(super) fn merge(&mut self, other: &Channel, workshop: &mut Workshop) {
        self.finite = self.finite.saturating_add(other.finite);
        self.scan.add(&other.scan);
        if let (Rest::Histogram(own), Rest::Histogram(theirs), Some(work)) =
            (&mut self.rest, &other.rest, &mut workshop.bins)
        {
            own.merge(theirs, &mut work.spare);
        }
    }
}

/// The range that a scan found, zeros included.
pub(super) fn range_of(scan: &Scan) -> Option<(f32, f32)> {
    let (min, max) = match scan.zeros {
        0 => (scan.min, scan.max),
        _ => (scan.min.min(0.0), scan.max.max(0.0)),
    };
    (min <= max).then_some((min, max))
}
