//! Which references of a block lie outside of what a tensor's codes reach.

use super::pairs::Pairs;
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
    /// Limits to count by first, and whether that counts only if nothing is outside of them.
    pub(super) fn limits(&self) -> (Limits, bool) {
        match self {
            Reach::One(limits) => (*limits, false),
            // By magnitudes, whatever the signs.
            Reach::Magnitudes { .. } => (Limits { low: f32::INFINITY, high: f32::INFINITY }, true),
            Reach::Channels { all, .. } => (*all, true),
        }
    }

    /// Counts what is outside; pairs that are not finite are left out.
    pub(super) fn outside(&self, elements: Elements<'_>, pairs: &Pairs<'_>) -> Outside {
        let Pairs { reference, values } = *pairs;
        let level = Level::best();
        match self {
            Reach::One(limits) => outside(level, reference, values, *limits),
            Reach::Magnitudes { limits, signed } => {
                outside_magnitudes(level, reference, values, *limits, *signed)
            }
            Reach::Channels { layout, limits, .. } => {
                outside_channels(*layout, limits, elements, pairs)
            }
        }
    }
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
        Elements::From(first) if layout.row == 1 => {
            let (mut references, mut values) = (pairs.reference, pairs.values);
            let mut channel = layout.channel(first);
            while !references.is_empty() {
                let these = limits.get(channel..).unwrap_or_default();
                let count = these.len().min(references.len()).max(1);
                let (some, later) = references.split_at_checked(count).unwrap_or_default();
                let (some_values, later_values) =
                    values.split_at_checked(count).unwrap_or_default();
                for ((x, y), limits) in some.iter().zip(some_values).zip(these) {
                    found.add_pair(*x, *y, limits);
                }
                (references, values, channel) = (later, later_values, 0);
            }
        }
        Elements::From(first) => {
            for (channel, at, length) in layout.rows(first, pairs.reference.len()) {
                let start = at.saturating_sub(first);
                let part = start..start.saturating_add(length);
                let reference = pairs.reference.get(part.clone()).unwrap_or_default();
                let values = pairs.values.get(part).unwrap_or_default();
                for (x, y) in reference.iter().zip(values) {
                    found.add_pair(*x, *y, limits_of(channel));
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
