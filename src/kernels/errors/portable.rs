//! The specification: plain Rust, one pair at a time.

use super::{LANES, Sums, total};

pub(super) fn sums(reference: &[f32], values: &[f32]) -> Sums {
    let zero = [0.0_f64; LANES];
    let (mut error, mut absolute, mut squared) = (zero, zero, zero);
    let (mut xx, mut xy, mut yy) = (zero, zero, zero);
    let mut sums = Sums { low: f32::INFINITY, high: f32::NEG_INFINITY, ..Sums::default() };
    let groups = reference.chunks(LANES).zip(values.chunks(LANES));
    for (references, values) in groups {
        for (lane, (reference, value)) in references.iter().zip(values).enumerate() {
            let (x, y) = (f64::from(*reference), f64::from(*value));
            let e = y - x;
            error[lane] += e;
            absolute[lane] += e.abs();
            squared[lane] += e * e;
            xx[lane] += x * x;
            xy[lane] += x * y;
            yy[lane] += y * y;
            sums.max = sums.max.max(e.abs());
            sums.low = sums.low.min(*reference);
            sums.high = sums.high.max(*reference);
            sums.flushed += u64::from(*value == 0.0 && *reference != 0.0);
        }
    }
    sums.error = total(error);
    sums.absolute = total(absolute);
    sums.squared = total(squared);
    (sums.xx, sums.xy, sums.yy) = (total(xx), total(xy), total(yy));
    sums
}
