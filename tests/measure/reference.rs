//! What errors should be: sums that lose nothing and are rounded once.

use caffe2_qtensor::measure::Errors;

/// A sum of doubles without any loss, as numbers that do not overlap. Source: J. Shewchuk, "Adaptive
/// Precision Floating-Point Arithmetic", 1997.
#[derive(Clone, Default)]
pub(crate) struct Exact(Vec<f64>);

impl Exact {
    pub(crate) fn add(&mut self, number: f64) {
        let mut rest = number;
        let mut kept = Vec::new();
        for part in self.0.drain(..) {
            let (large, small) = if rest.abs() < part.abs() { (part, rest) } else { (rest, part) };
            let sum = large + small;
            let lost = small - (sum - large);
            if lost != 0.0 {
                kept.push(lost);
            }
            rest = sum;
        }
        kept.push(rest);
        self.0 = kept;
    }

    /// Adds a product, in its two parts.
    pub(crate) fn add_product(&mut self, one: f64, other: f64) {
        let product = one * other;
        self.add(product);
        self.add(one.mul_add(other, -product));
    }

    pub(crate) fn value(&self) -> f64 {
        self.0.iter().sum()
    }
}

/// The sums of pairs, and what they are relative to: the sums of the terms' magnitudes.
#[derive(Clone, Default)]
pub(crate) struct Reference {
    pub(crate) finite: u64,
    pub(crate) count: u64,
    pub(crate) sums: [Exact; 6],
    pub(crate) magnitude_xy: Exact,
    pub(crate) max: f64,
    pub(crate) index: Option<u64>,
    pub(crate) flushed: u64,
}

impl Reference {
    pub(crate) fn of(reference: &[f32], values: &[f32]) -> Reference {
        let mut sums = Reference::default();
        for (index, (x, y)) in reference.iter().zip(values).enumerate() {
            sums.add(index as u64, *x, *y);
        }
        sums
    }

    pub(crate) fn add(&mut self, index: u64, x: f32, y: f32) {
        self.count += 1;
        if !x.is_finite() || !y.is_finite() {
            return;
        }
        self.finite += 1;
        let (wide_x, wide_y) = (f64::from(x), f64::from(y));
        let error = wide_y - wide_x;
        let [sum, absolute, squared, xx, xy, yy] = &mut self.sums;
        sum.add(wide_y);
        sum.add(-wide_x);
        absolute.add(error.abs());
        squared.add_product(error, error);
        xx.add(wide_x * wide_x);
        xy.add(wide_x * wide_y);
        yy.add(wide_y * wide_y);
        self.magnitude_xy.add((wide_x * wide_y).abs());
        if self.index.is_none() || error.abs() > self.max {
            (self.max, self.index) = (error.abs(), Some(index));
        }
        self.flushed += u64::from(y == 0.0 && x != 0.0);
    }

    /// Holds errors to this, sums within 1e-12 of the magnitudes of their terms.
    #[track_caller]
    pub(crate) fn check(&self, errors: &Errors, note: &str) {
        let found = [
            errors.sum_error(),
            errors.sum_absolute(),
            errors.sum_squared(),
            errors.sum_xx(),
            errors.sum_xy(),
            errors.sum_yy(),
        ];
        let sums = self.sums.clone().map(|sum| sum.value());
        let absolute = sums[1];
        let relative_to =
            [absolute, absolute, sums[2], sums[3], self.magnitude_xy.value(), sums[5]];
        for (which, ((found, sum), scale)) in found.iter().zip(sums).zip(relative_to).enumerate() {
            let close = (found - sum).abs() <= 1e-12 * scale;
            assert!(close, "{note}: sum {which} is {found:e} and not {sum:e}, of {scale:e}");
        }
        assert_eq!((errors.count(), errors.finite()), (self.count, self.finite), "{note}");
        assert_eq!(errors.non_finite(), self.count - self.finite, "{note}");
        assert_eq!((errors.max_absolute(), errors.max_index()), (self.max, self.index), "{note}");
    }
}
