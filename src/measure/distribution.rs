//! Two histograms on the same bins, of the references and of the values, and how far apart they are.
//!
//! There are 4096 bins of width `2^e` around an edge at 0, where `e` is the smallest exponent, at
//! least -149, for which they hold all numbers seen. When a number arrives outside, the width doubles
//! and pairs of bins are merged: so the counts depend on the numbers alone, not on their order or on
//! how parts were merged.

use crate::error::{Error, Result};

/// Bins on each side of 0.
const HALF: i32 = 2048;
const BINS: usize = 4096;
/// The exponent of the smallest number of single precision.
const SMALLEST: i32 = -149;

pub(super) struct Distribution {
    exponent: i32,
    references: Vec<u64>,
    values: Vec<u64>,
}

impl Distribution {
    pub(super) fn new() -> Result<Distribution> {
        let mut one = [Vec::new(), Vec::new()];
        for bins in &mut one {
            let bytes = BINS.saturating_mul(size_of::<u64>());
            let no_memory = Error::OutOfMemory { what: "histogram of values", bytes };
            bins.try_reserve_exact(BINS).map_err(|_| no_memory)?;
            bins.resize(BINS, 0);
        }
        let [references, values] = one;
        Ok(Distribution { exponent: SMALLEST, references, values })
    }

    /// Takes in a block of finite pairs.
    pub(super) fn record(&mut self, references: &[f32], values: &[f32]) {
        let all = references.iter().chain(values);
        let (low, high) =
            all.fold((0.0_f32, 0.0_f32), |(low, high), v| (low.min(*v), high.max(*v)));
        let exponent = fitting(self.exponent, f64::from(low), f64::from(high));
        if exponent > self.exponent {
            self.widen(exponent);
        }
        let unit = power(self.exponent.saturating_neg());
        for (bins, numbers) in [(&mut self.references, references), (&mut self.values, values)] {
            for number in numbers {
                #[allow(clippy::cast_possible_truncation, reason = "within the bins")]
                let index = (f64::from(*number) * unit).floor() as i32;
                if let Some(bin) = bin(bins, index) {
                    *bin = bin.wrapping_add(1);
                }
            }
        }
    }

    pub(super) fn merge(&mut self, other: &Distribution) {
        if other.exponent > self.exponent {
            self.widen(other.exponent);
        }
        let by = self.exponent.saturating_sub(other.exponent);
        for (own, theirs) in
            [(&mut self.references, &other.references), (&mut self.values, &other.values)]
        {
            for (index, count) in (HALF.saturating_neg()..).zip(theirs) {
                if let Some(bin) = bin(own, shifted(index, by)) {
                    *bin = bin.saturating_add(*count);
                }
            }
        }
    }

    /// Merges bins until they have this width.
    fn widen(&mut self, exponent: i32) {
        let by = exponent.saturating_sub(self.exponent);
        self.exponent = exponent;
        for bins in [&mut self.references, &mut self.values] {
            // From 0 outwards: a bin's place was left before it is filled.
            for index in (0..HALF).chain((HALF.saturating_neg()..0).rev()) {
                let count = bin(bins, index).map(core::mem::take).unwrap_or(0);
                if let Some(bin) = bin(bins, shifted(index, by)) {
                    *bin = bin.saturating_add(count);
                }
            }
        }
    }

    /// The divergence of Kullback and Leibler, in bits, from the references to the values: see
    /// [`Errors::kl`](super::Errors::kl).
    pub(super) fn divergence(&self) -> Option<f64> {
        let total: u64 = self.references.iter().sum();
        if total == 0 {
            return None;
        }
        let total = total as f64;
        // For each bin of references, the mass that the values of its ranks leave there.
        let mut sources = self.references.iter().copied().filter(|count| *count > 0);
        let (mut bin, mut left, mut mass, mut divergence) = (0.0, 0.0, 0.0, 0.0);
        let end = |bin: f64, mass: f64| {
            if bin > 0.0 && mass > 0.0 { bin / total * (bin / mass).log2() } else { 0.0 }
        };
        for values in self.values.iter().copied().filter(|count| *count > 0) {
            let values = values as f64;
            // How many bins, as parts of them, hold the references of these ranks.
            let mut walk = sources.clone();
            let (mut taken, mut parts) = (0.0, 0.0);
            let (mut current, mut rest): (f64, f64) = (bin, left);
            while taken < values {
                if rest == 0.0 {
                    let Some(next) = walk.next() else { break };
                    (current, rest) = (next as f64, next as f64);
                }
                let step = rest.min(values - taken);
                (taken, rest) = (taken + step, rest - step);
                parts += step / current;
            }
            // The same walk again, giving each part its share.
            let mut taken = 0.0;
            while taken < values {
                if left == 0.0 {
                    let Some(next) = sources.next() else { break };
                    divergence += end(bin, mass);
                    (bin, left, mass) = (next as f64, next as f64, 0.0);
                }
                let step = left.min(values - taken);
                (taken, left) = (taken + step, left - step);
                mass += values * (step / bin) / parts;
            }
        }
        divergence += end(bin, mass);
        Some(divergence.max(0.0))
    }
}

fn bin(bins: &mut [u64], index: i32) -> Option<&mut u64> {
    bins.get_mut(usize::try_from(index.saturating_add(HALF)).ok()?)
}

/// The index of a bin after so many doublings of the width.
fn shifted(index: i32, by: i32) -> i32 {
    index.wrapping_shr(u32::try_from(by.min(31)).unwrap_or(0))
}

/// The smallest exponent, from one on, for which the bins hold a range around 0.
fn fitting(from: i32, low: f64, high: f64) -> i32 {
    let mut exponent = from;
    let half = f64::from(HALF);
    // The largest number of single precision has 277 binary orders below it.
    while low < -half * power(exponent) || high >= half * power(exponent) {
        exponent = exponent.saturating_add(1);
    }
    exponent
}

/// 2 to a power whose result is a normal number.
fn power(exponent: i32) -> f64 {
    f64::from_bits(u64::try_from(exponent.saturating_add(1023)).unwrap_or(0).wrapping_shl(52))
}
