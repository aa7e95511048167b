//! Which references of a block lie outside of what a tensor's codes reach.

use super::errors::Pairs;
use crate::kernels::Level;
use crate::kernels::errors::{Limits, Outside, outside, outside_magnitudes};
use crate::quantize::{Layout, Reach};

/// Rows of a channel that are worth a call of the kernel each.
const LONG_ROW: usize = 32;

/// Which elements of the tensor some pairs are.
#[derive(Clone, Copy)]
pub(super) enum Elements<'a> {
    /// Those from this one on.
    From(usize),
    /// One by one.
    At(&'a [usize]),
}

impl Elements<'_> {
    /// The element of a pair.
    pub(super) fn index(self, place: usize) -> usize {
        match self {
            Elements::From(first) => first.saturating_add(place),
            Elements::At(indices) => indices.get(place).copied().unwrap_or(usize::MAX),
        }
    }
}

impl Reach {
    /// Counts what is outside, of pairs whose references are from `low` to `high`.
    pub(super) fn outside(
        &self,
        elements: Elements<'_>,
        pairs: &Pairs<'_>,
        low: f32,
        high: f32,
    ) -> Outside {
        let Pairs { reference, values } = *pairs;
        let level = Level::best();
        match self {
            Reach::One(limits) if within(limits, low, high) => Outside::default(),
            Reach::One(limits) => outside(level, reference, values, *limits),
            Reach::Magnitudes { limits, signed } => {
                outside_magnitudes(level, reference, values, *limits, *signed)
            }
            Reach::Channels { all, .. } if within(all, low, high) => Outside::default(),
            Reach::Channels { layout, limits, .. } => {
                outside_channels(*layout, limits, elements, pairs)
            }
        }
    }
}

fn within(limits: &Limits, low: f32, high: f32) -> bool {
    low >= limits.low && high <= limits.high
}

fn outside_channels(
    layout: Layout,
    limits: &[Limits],
    elements: Elements<'_>,
    pairs: &Pairs<'_>,
) -> Outside {
    let mut found = Outside::default();
    let limits_of = |channel: usize| limits.get(channel).unwrap_or(&Limits::NONE);
    match elements {
        Elements::From(first) if layout.row >= LONG_ROW => {
            for (channel, at, length) in layout.rows(first, pairs.reference.len()) {
                let start = at.saturating_sub(first);
                let part = start..start.saturating_add(length);
                let reference = pairs.reference.get(part.clone()).unwrap_or_default();
                let values = pairs.values.get(part).unwrap_or_default();
                let limits = limits_of(channel);
                found.add(&outside(Level::best(), reference, values, *limits));
            }
        }
        Elements::From(first) => {
            // The next row is the next channel's: no division for each element.
            let mut channel = layout.channel(first);
            let into_row = first.checked_rem(layout.row).unwrap_or(0);
            let mut left = layout.row.saturating_sub(into_row);
            for (x, y) in pairs.reference.iter().zip(pairs.values) {
                found.add_pair(*x, *y, limits_of(channel));
                left = left.saturating_sub(1);
                if left == 0 {
                    left = layout.row;
                    channel = channel.saturating_add(1);
                    if channel >= limits.len() {
                        channel = 0;
                    }
                }
            }
        }
        Elements::At(indices) => {
            for ((x, y), index) in pairs.reference.iter().zip(pairs.values).zip(indices) {
                found.add_pair(*x, *y, limits_of(layout.channel(*index)));
            }
        }
    }
    found
}
