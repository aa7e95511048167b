//! Where the elements of each channel lie.

use crate::error::{Error, Result};
use crate::planes::fill::NARROW;
use crate::planes::product;

/// How the channels of a tensor follow each other.
#[derive(Clone, Copy)]
pub(super) struct Layout {
    /// Elements next to each other that share a channel.
    pub(super) row: usize,
    /// Channels before the first one comes again.
    channels: usize,
}

impl Layout {
    /// The layout of channels that are dimension `axis`.
    pub(super) fn new(dims: &[i64], axis: usize, channels: usize) -> Layout {
        let inner = dims.get(axis..).and_then(|dims| dims.get(1..)).unwrap_or_default();
        let row = product(inner).and_then(|row| usize::try_from(row).ok()).unwrap_or(0);
        // Without elements there is no row to be cut into.
        Layout { row: row.max(1), channels }
    }

    /// The channel of an element.
    pub(super) fn channel(self, element: usize) -> usize {
        // Neither divisor is 0 where there is an element.
        let row = element.checked_div(self.row).unwrap_or(0);
        row.checked_rem(self.channels).unwrap_or(0)
    }

    /// The rows, or parts of them, that `length` elements from `first` on are in: the channel, the
    /// first element and how many.
    pub(super) fn rows(
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

/// Two numbers for each element of a block, those of its channel, kept from block to block.
pub(super) struct Expansion<V> {
    first: Vec<V>,
    second: Vec<V>,
    /// Where the channels were at the block's first element.
    phase: usize,
}

impl<V> Default for Expansion<V> {
    fn default() -> Expansion<V> {
        Expansion { first: Vec::new(), second: Vec::new(), phase: 0 }
    }
}

impl<V: Copy> Expansion<V> {
    /// The numbers of `length` elements from `start` on, at most a block of them. `of` gives those
    /// of a channel.
    pub(super) fn expand(
        &mut self,
        layout: Layout,
        start: usize,
        length: usize,
        of: impl Fn(usize) -> Option<(V, V)>,
    ) -> Result<(&[V], &[V])> {
        let period = layout.row.saturating_mul(layout.channels).max(1);
        let phase = start.checked_rem(period).unwrap_or(0);
        if self.phase != phase || self.first.len() < length {
            self.phase = phase;
            for values in [&mut self.first, &mut self.second] {
                let bytes = NARROW.saturating_mul(size_of::<V>());
                let no_memory = Error::OutOfMemory { what: "channels of a block", bytes };
                values.clear();
                values.try_reserve_exact(NARROW).map_err(|_| no_memory)?;
            }
            for (channel, _, count) in layout.rows(start, length.min(period)) {
                if let Some((first, second)) = of(channel) {
                    self.first.extend(core::iter::repeat_n(first, count));
                    self.second.extend(core::iter::repeat_n(second, count));
                }
            }
            for values in [&mut self.first, &mut self.second] {
                // What is there is whole periods: twice as many each time.
                while values.len() < length && !values.is_empty() {
                    let missing = length.saturating_sub(values.len());
                    values.extend_from_within(..missing.min(values.len()));
                }
            }
        }
        let first = self.first.get(..length).unwrap_or_default();
        Ok((first, self.second.get(..length).unwrap_or_default()))
    }
}
