//! The specification: plain Rust, one pair at a time.

use super::{LANES, Sums, total};

pub(super) fn sums(reference: &[f32], values: &[f32]) -> Sums {
    let mut sums = Sums { low: f32::INFINITY, high: f32::NEG_INFINITY, ..Sums::default() };
    let mut lanes = Lanes::default();
    lanes.add(reference, values, &mut sums);
    lanes.finish(&mut sums);
    sums
}

/// The lanes of the six sums.
#[derive(Default)]
pub(super) struct Lanes {
    pub(super) error: [f64; LANES],
    pub(super) absolute: [f64; LANES],
    pub(super) squared: [f64; LANES],
    pub(super) xx: [f64; LANES],
    pub(super) xy: [f64; LANES],
    pub(super) yy: [f64; LANES],
}

impl Lanes {
    /// Adds pairs, of which the first belongs to the first lane; and to `sums` what is no sum.
    #[inline]
    pub(super) fn add(&mut self, reference: &[f32], values: &[f32], sums: &mut Sums) {
        for (references, values) in reference.chunks(LANES).zip(values.chunks(LANES)) {
            for (lane, (reference, value)) in references.iter().zip(values).enumerate() {
                let (x, y) = (f64::from(*reference), f64::from(*value));
                let e = y - x;
                self.error[lane] += e;
                self.absolute[lane] += e.abs();
                self.squared[lane] += e * e;
                self.xx[lane] += x * x;
                self.xy[lane] += x * y;
                self.yy[lane] += y * y;
                sums.max = sums.max.max(e.abs());
                sums.low = sums.low.min(*reference);
                sums.high = sums.high.max(*reference);
                sums.flushed += u64::from(*value == 0.0 && *reference != 0.0);
            }
        }
    }

    /// Adds up the lanes.
    pub(super) fn finish(self, sums: &mut Sums) {
        sums.error = total(self.error);
        sums.absolute = total(self.absolute);
        sums.squared = total(self.squared);
        (sums.xx, sums.xy, sums.yy) = (total(self.xx), total(self.xy), total(self.yy));
    }
}
