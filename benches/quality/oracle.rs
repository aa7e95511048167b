//! The best parameters by exhaustion, on the sorted values themselves.
//!
//! All pairs of ends on a dense grid, then, around each of the best, all pairs in steps of a fraction
//! of the distance between codes, and an alternating fit of each of the best of those.

use caffe2_qtensor::calibrate::Zero;
use caffe2_qtensor::kernels::distortion::{Distribution, Levels, Total, squared};

/// Sorted values with running sums, and an index into them by value.
pub(crate) struct Oracle {
    values: Vec<f64>,
    sums: Vec<f64>,
    squares: f64,
    starts: Vec<u32>,
    buckets_per_unit: f64,
}

const BUCKETS: usize = 1 << 17;

impl Oracle {
    pub(crate) fn new(values: &[f32]) -> Oracle {
        let mut values: Vec<f64> = values.iter().map(|value| f64::from(*value)).collect();
        values.sort_by(f64::total_cmp);
        let mut sums = vec![0.0];
        values.iter().for_each(|value| sums.push(sums[sums.len() - 1] + value));
        let squares = values.iter().map(|value| value * value).sum();
        let (min, max) = (values[0], values[values.len() - 1]);
        let buckets_per_unit = (BUCKETS - 1) as f64 / (max - min).max(1e-300);
        let starts = (0..=BUCKETS)
            .map(|bucket| {
                let edge = min + bucket as f64 / buckets_per_unit;
                values.partition_point(|value| *value < edge) as u32
            })
            .collect();
        Oracle { values, sums, squares, starts, buckets_per_unit }
    }

    fn range(&self) -> (f64, f64) {
        (self.values[0], self.values[self.values.len() - 1])
    }

    /// The mean squared error of unsigned codes with these parameters.
    pub(crate) fn error(&self, precision: u8, scale: f64, bias: f64) -> f64 {
        let count = 1 << precision;
        let levels = Levels { first: scale * bias, step: scale, count };
        squared(self, &levels).error / self.values.len() as f64
    }

    /// The smallest mean squared error of unsigned codes.
    pub(crate) fn best(&self, precision: u8, zero: Zero) -> f64 {
        let count = 1_u32 << precision;
        let steps = f64::from(count - 1);
        let (min, max) = self.range();
        let whole = zero == Zero::Exact;
        let (min, max) = if whole { (min.min(0.0), max.max(0.0)) } else { (min, max) };
        let keep = |first: f64, step: f64| {
            let bias = first / step;
            let bias = if whole { bias.round().clamp(-steps, 0.0) } else { bias };
            Levels { first: step * bias, step, count }
        };
        let cost = |levels: &Levels| squared(self, levels).error;
        let mut pool = Pool::new(100);
        let deviation = {
            let n = self.values.len() as f64;
            let mean = self.sums[self.values.len()] / n;
            (self.squares / n - mean * mean).sqrt()
        };
        let mean = self.sums[self.values.len()] / self.values.len() as f64;
        let grid = if precision <= 4 { 160 } else { 90 };
        let ends = |far: f64| {
            let near = (0.2 * deviation / far.abs()).clamp(1e-9, 1.0);
            (0..grid).map(move |i| mean + far * near.powf(f64::from(i) / f64::from(grid - 1)))
        };
        for low in ends(min - mean) {
            for high in ends(max - mean) {
                if high > low {
                    let levels = keep(low, (high - low) / steps);
                    pool.offer(cost(&levels), levels);
                }
            }
        }
        for (_, levels) in pool.take() {
            self.fit(levels, whole, &mut pool);
        }
        // The ripple, in three finer and finer nets around the best.
        for (reach, spacing) in [(20.0, 0.25), (4.0, 0.08), (1.0, 0.02), (0.2, 0.005)] {
            let (_, best) = pool.best();
            let last = best.first + best.step * steps;
            let points = (2.0 * reach / spacing) as i32;
            for low in 0..=points {
                for high in 0..=points {
                    let at = |i: i32| best.step * (f64::from(i) * spacing - reach);
                    let (low, high) = (best.first + at(low), last + at(high));
                    if high > low {
                        let levels = keep(low, (high - low) / steps);
                        pool.offer(cost(&levels), levels);
                    }
                }
            }
            for (_, levels) in pool.take() {
                self.fit(levels, whole, &mut pool);
            }
        }
        pool.best().0 / self.values.len() as f64
    }

    /// Fits levels and values to each other in turn until nothing changes.
    fn fit(&self, mut levels: Levels, whole: bool, pool: &mut Pool) {
        let n = self.values.len() as f64;
        let sum = self.sums[self.values.len()];
        let mut before = f64::INFINITY;
        for _ in 0..60 {
            let fit = squared(self, &levels);
            pool.offer(fit.error, levels);
            if fit.error >= before * (1.0 - 1e-9) {
                return;
            }
            before = fit.error;
            if whole {
                let bias = (levels.first / levels.step).round();
                let products = fit.products + bias * sum;
                let squares = fit.squares + bias * (2.0 * fit.numbers + bias * n);
                levels.step = products / squares;
                levels.first = levels.step * bias;
            } else {
                let spread = n * fit.squares - fit.numbers * fit.numbers;
                levels.step = (n * fit.products - fit.numbers * sum) / spread;
                levels.first = (sum - levels.step * fit.numbers) / n;
            }
            if !(levels.step > 0.0 && levels.step.is_finite()) {
                return;
            }
        }
    }
}

impl Distribution for Oracle {
    fn below(&self, point: f64) -> (f64, f64) {
        let bucket = ((point - self.values[0]) * self.buckets_per_unit).max(0.0) as usize;
        // One to either side, for what the multiplication rounded.
        let first = self.starts[bucket.saturating_sub(1).min(BUCKETS)] as usize;
        let last = self.starts.get(bucket + 2).map_or(self.values.len(), |end| *end as usize);
        let count = first + self.values[first..last].partition_point(|value| *value < point);
        (count as f64, self.sums[count])
    }

    fn total(&self) -> Total {
        let count = self.values.len();
        Total { count: count as f64, sum: self.sums[count], squares: self.squares }
    }
}

/// The best of what was tried.
struct Pool {
    kept: Vec<(f64, Levels)>,
    most: usize,
}

impl Pool {
    fn new(most: usize) -> Pool {
        Pool { kept: Vec::new(), most }
    }

    fn offer(&mut self, error: f64, levels: Levels) {
        if self.kept.len() == self.most && error >= self.kept[self.most - 1].0 {
            return;
        }
        let at = self.kept.partition_point(|(there, _)| *there < error);
        self.kept.insert(at, (error, levels));
        self.kept.truncate(self.most);
    }

    /// All of them, which stay.
    fn take(&self) -> Vec<(f64, Levels)> {
        self.kept.clone()
    }

    fn best(&self) -> (f64, Levels) {
        self.kept[0]
    }
}
