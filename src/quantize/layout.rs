//! Where the elements of each channel lie.

use crate::error::{Error, Result};
use crate::planes::fill::NARROW;
use crate::planes::product;

/// How the channels of a tensor follow each other.
#[derive(Clone, Copy)]
pub(crate) struct Layout {
    /// Elements next to each other that share a channel.
    pub(crate) row: usize,
    /// Channels before the first one comes again.
    channels: usize,
}

impl Layout {
    /// The layout of channels that are dimension `axis`.
    pub(crate) fn new(dims: &[i64], axis: usize, channels: usize) -> Layout {
        let inner = dims.get(axis..).and_then(|dims| dims.get(1..)).unwrap_or_default();
        let row = product(inner).and_then(|row| usize::try_from(row).ok()).unwrap_or(0);
        // Without elements there is no row to be cut into.
        Layout { row: row.max(1), channels }
    }

    /// The channel of an element.
    pub(crate) fn channel(self, element: usize) -> usize {
        // Neither divisor is 0 where there is an element.
        let row = element.checked_div(self.row).unwrap_or(0);
        row.checked_rem(self.channels).unwrap_or(0)
    }

    /// The rows, or parts of them, that `length` elements from `first` on are in: the channel, the
    /// first element and how many.
    pub(crate) fn rows(
        self,
        first: usize,
        length: usize,
    ) -> impl Iterator<Item = (usize, usize, usize)> {
        let end = first.saturating_add(length);
        let mut at = first;
        core::iter::from_fn(move || {
            let start = at;
            let into_row = start.checked_rem(self.row).unwrap_or(0);
            at = start.saturating_add(self.row.saturating_sub(into_row)).min(end);
            (start < end).then(|| (self.channel(start), start, at.saturating_sub(start)))
        })
    }
}

/// The most elements that [`Expansion::expand`] is asked for at a time. Their numbers, their values
/// and their codes fit the first-level cache together.
pub(super) const PART: usize = 1024;

/// The longest period that is kept whole.
const LONGEST: usize = NARROW;

/// Two numbers for each of some elements in a row, those of its channel, kept from call to call.
pub(super) struct Expansion<V> {
    first: Vec<V>,
    second: Vec<V>,
    /// Where in the period of the channels the first one is.
    begin: usize,
}

impl<V> Default for Expansion<V> {
    fn default() -> Expansion<V> {
        Expansion { first: Vec::new(), second: Vec::new(), begin: 0 }
    }
}

impl<V: Copy + Default> Expansion<V> {
    /// The numbers of `length` elements from `start` on, at most [`PART`]. `of` gives those of a
    /// channel.
    ///
    /// # Errors
    /// `OutOfMemory`, in the first call for a layout only.
    pub(super) fn expand(
        &mut self,
        layout: Layout,
        start: usize,
        length: usize,
        of: impl Fn(usize) -> Option<(V, V)>,
    ) -> Result<(&[V], &[V])> {
        let period = layout.row.saturating_mul(layout.channels).max(1);
        let phase = start.checked_rem(period).unwrap_or(0);
        // A short period is kept from its beginning, so that every later call finds what it needs.
        let kept = if period <= LONGEST { period } else { 0 };
        let begin = if kept == 0 { phase } else { 0 };
        for values in [&mut self.first, &mut self.second] {
            if self.begin != begin {
                values.clear();
            }
            let room = kept.saturating_add(PART);
            let bytes = room.saturating_mul(size_of::<V>());
            let no_memory = Error::OutOfMemory { what: "channels of elements", bytes };
            let missing = room.saturating_sub(values.len());
            values.try_reserve_exact(missing).map_err(|_| no_memory)?;
        }
        self.begin = begin;
        let from = phase.saturating_sub(begin);
        let end = from.saturating_add(length);
        self.extend(layout, period, end, of);
        let first = self.first.get(from..end).unwrap_or_default();
        Ok((first, self.second.get(from..end).unwrap_or_default()))
    }

    /// Goes on until there are `end` elements.
    fn extend(
        &mut self,
        layout: Layout,
        period: usize,
        end: usize,
        of: impl Fn(usize) -> Option<(V, V)>,
    ) {
        let present = self.first.len();
        let of_period = end.min(period).saturating_sub(present);
        for (channel, _, count) in layout.rows(self.begin.saturating_add(present), of_period) {
            let (first, second) = of(channel).unwrap_or_default();
            for (values, value) in [(&mut self.first, first), (&mut self.second, second)] {
                let start = values.len();
                values.resize(start.saturating_add(count), V::default());
                values.get_mut(start..).unwrap_or_default().fill(value);
            }
        }
        for values in [&mut self.first, &mut self.second] {
            // A period is there: on from where in it the values end, twice as far each time.
            while values.len() < end && values.len() >= period {
                let phase = values.len().checked_rem(period).unwrap_or(0);
                let missing = end.saturating_sub(values.len());
                let last = phase.saturating_add(missing).min(values.len());
                values.extend_from_within(phase..last);
            }
        }
    }
}
