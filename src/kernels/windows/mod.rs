//! Caffe2's searches: which window of a histogram's bins the codes should be spread over.
//!
//! Caffe2 tried every window of every width and added up, over all bins, what the window would cost;
//! so its answer depends on the last bit of long sums in single precision. Here each sum is
//! computed too, in its order and precision, but only for the windows that may have the smallest:
//! the cost in double precision is had from running sums, and windows that clip too much need not
//! even that.
//!
//! Lengths and positions are in bins where nothing else is said.

mod divergence;
mod norm;

pub use divergence::{divergence_memory, exhaustive_divergence, least_divergence};
pub use norm::{Norm, approximate_window, exhaustive_norm, least_norm};

/// A histogram and how it is to be divided.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// Numbers of values.
    pub counts: &'a [u64],
    /// The width of a bin in the values' unit.
    pub width: f32,
    /// Bits of a code.
    pub precision: u8,
    /// Of windows that are a number of bins wide, the only start to try; or nothing, for all.
    pub anchor: Option<Anchor>,
}

/// Where windows start that must map 0 to a code.
#[derive(Clone, Copy, Debug)]
pub enum Anchor {
    /// At the first bin.
    First,
    /// So that this bin is in the middle.
    Around(i32),
}

/// Some bins next to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first one; with an anchor it may lie before the first that there is.
    pub start: i32,
    /// How many.
    pub width: i32,
}

/// The smallest cost on a coarse net of windows, and around the best of it on finer ones: an upper
/// bound of the smallest cost of all. `bound` is a number that a window's cost is not below.
fn coarse_least(bins: usize, bound: impl Fn(Window) -> f64, cost: impl Fn(Window) -> f64) -> f64 {
    let bins = bins as i32;
    let mut best = (f64::INFINITY, Window { start: 0, width: bins });
    let consider = |window: Window, best: &mut (f64, Window)| {
        if bound(window) < best.0 {
            let cost = cost(window);
            if cost < best.0 {
                *best = (cost, window);
            }
        }
    };
    let mut stride = (bins / 64).max(1);
    for width in (1..=bins).rev().step_by(stride as usize) {
        for start in (0..=bins - width).step_by(stride as usize) {
            consider(Window { start, width }, &mut best);
        }
    }
    while stride > 1 {
        stride /= 2;
        let Window { start, width } = best.1;
        for ends in 0..25 {
            let low = (start + (ends % 5 - 2) * stride).max(0);
            let high = (start + width + (ends / 5 - 2) * stride).min(bins);
            if low < high {
                consider(Window { start: low, width: high - low }, &mut best);
            }
        }
    }
    best.0
}

impl Source<'_> {
    fn codes(&self) -> u32 {
        1 << self.precision
    }

    /// The windows of a width that are tried.
    fn starts(&self, width: i32) -> core::ops::Range<i32> {
        match self.anchor {
            None => 0..self.counts.len() as i32 - width + 1,
            Some(Anchor::First) => 0..1,
            Some(Anchor::Around(bin)) => bin - width / 2..bin - width / 2 + 1,
        }
    }

    /// All windows in Caffe2's order: of equal ones the first counts.
    fn windows(&self) -> impl Iterator<Item = Window> + '_ {
        (1..=self.counts.len() as i32)
            .flat_map(|width| self.starts(width).map(move |start| Window { start, width }))
    }
}
