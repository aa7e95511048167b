//! The error of levels: by every set of instructions the same to the last bit, and that of the values
//! themselves where bins hold single ones.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "a test stops at the first thing that is not as it should be"
)]

#[path = "support/guard.rs"]
mod guard;
#[path = "support/random.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod random;

use caffe2_qtensor::kernels::Level;
use caffe2_qtensor::kernels::distortion::{
    Distribution, Levels, Near, Piece, Pieces, Sorted, Total, absolute, squared,
};
use guard::Guarded;
use random::Random;

/// Bins from `first` to `last`, those next to 0 halved again and again, with some values each.
struct Bins {
    pieces: Vec<Piece>,
    begin: f64,
    narrow: (usize, usize),
    near: Near,
    total: Total,
    values: Vec<f64>,
}

impl Bins {
    fn new(random: &mut Random, (first, last): (i32, i32), narrow: bool) -> Bins {
        let mut edges: Vec<(f64, f64)> = Vec::new();
        let mut halved = (0, 0);
        for bin in first..=last {
            let begin = f64::from(bin);
            if narrow && bin == -1 {
                halved.0 = edges.len();
                edges.extend((0..9).map(|step| (-(0.5_f64.powi(step)), -(0.5_f64.powi(step + 1)))));
                edges.push((-(0.5_f64.powi(9)), 0.0));
            } else if narrow && bin == 0 {
                edges.push((0.0, 0.5_f64.powi(9)));
                edges.extend((0..9).rev().map(|step| (0.5_f64.powi(step + 1), 0.5_f64.powi(step))));
                halved.1 = edges.len() - halved.0;
            } else {
                edges.push((begin, begin + 1.0));
            }
        }
        let mut bins = Bins {
            pieces: Vec::new(),
            begin: f64::from(first),
            narrow: halved,
            near: Near::NONE,
            total: Total::default(),
            values: Vec::new(),
        };
        for edges in edges {
            // None or one, which a bin knows exactly, or equal ones.
            let count = [0, 1, 1, 3][random.below(4)];
            let value = f64::from((edges.0 + (edges.1 - edges.0) * random.uniform()) as f32);
            bins.push(edges, count, value);
        }
        let end = f64::from(last) + 1.0;
        bins.push((end, f64::INFINITY), 0, end);
        bins.near = Near::new(&bins.pieces, bins.narrow);
        bins
    }

    fn push(&mut self, edges: (f64, f64), count: usize, value: f64) {
        let number = count as f64;
        self.pieces.push(Piece::new(self.pieces.last(), edges, number, value, 0.0));
        self.total.count += number;
        self.total.sum += number * value;
        self.total.squares += number * value * value;
        self.values.extend(std::iter::repeat_n(value, count));
    }

    fn at(&self, level: Level) -> Pieces<'_> {
        self.of(&self.pieces, level)
    }

    fn of<'a>(&'a self, pieces: &'a [Piece], level: Level) -> Pieces<'a> {
        Pieces::new(pieces, self.begin, (self.narrow, &self.near), self.total, level)
    }

    /// The pieces right behind a page that may not be touched, and right before one.
    fn beside_pages<'a>(&self, pages: &'a mut [Guarded; 2]) -> [&'a [Piece]; 2] {
        let bytes = size_of_val(&self.pieces[..]);
        let [first, second] = pages;
        *first = Guarded::new(bytes);
        *second = Guarded::new(bytes);
        [first.front(bytes), second.back(bytes)].map(|memory| {
            let start = memory.as_mut_ptr().cast::<Piece>();
            // SAFETY: so many bytes, aligned as pages and whole pieces are, of memory that is borrowed
            // as long, and that nobody else has.
            let memory = unsafe { std::slice::from_raw_parts_mut(start, self.pieces.len()) };
            memory.copy_from_slice(&self.pieces);
            &*memory
        })
    }
}

fn close(found: f64, expected: f64, size: f64) -> bool {
    (found - expected).abs() <= 1e-9 * size
}

#[test]
fn every_level_and_the_values_agree() {
    let mut random = Random::new(31);
    for round in 0..400 {
        let range = [(-40, 50), (-1, 0), (-200, 5), (3, 90), (-1, 700)][round % 5];
        let bins = Bins::new(&mut random, range, range.0 < 0);
        if bins.values.is_empty() {
            continue;
        }
        let values: Vec<f32> = bins.values.iter().map(|value| *value as f32).collect();
        let mut sums = vec![0.0];
        values.iter().for_each(|value| sums.push(sums[sums.len() - 1] + f64::from(*value)));
        let sorted =
            Sorted { values: &values, center: 0.0, sums: &sums, squares: bins.total.squares };
        let mut pages = [Guarded::new(1), Guarded::new(1)];
        let guarded = bins.beside_pages(&mut pages);
        for _ in 0..20 {
            let count = [1, 2, 7, 8, 9, 16, 255, 256, 511][random.below(9)];
            let width = f64::from(range.1 - range.0) * 2.0 * random.uniform() + 1e-3;
            let first = f64::from(range.0) + width * (random.uniform() - 0.5);
            let levels = Levels { first, step: width / f64::from(count), count };
            let portable = bins.at(Level::PORTABLE);
            let (fit, sum) = (squared(&portable, &levels), absolute(&portable, &levels));
            let each = Level::available().flat_map(|it| guarded.map(|on| (it, on)));
            for (level, pieces) in each {
                let pieces = bins.of(pieces, level);
                let other = squared(&pieces, &levels);
                assert_eq!(other.error.to_bits(), fit.error.to_bits(), "{levels:?}");
                assert_eq!(other.products.to_bits(), fit.products.to_bits(), "{levels:?}");
                assert_eq!(absolute(&pieces, &levels).to_bits(), sum.to_bits(), "{levels:?}");
            }
            // One value after the other.
            let nearest = |value: f64| {
                let last = f64::from(count - 1);
                let number = ((value - first) / levels.step).round().clamp(0.0, last);
                (value - first - levels.step * number).abs()
            };
            let errors = || bins.values.iter().map(|value| nearest(*value));
            let size = bins.total.squares + width * width * bins.total.count;
            let expected = errors().map(|error| error * error).sum::<f64>();
            assert!(close(fit.error, expected, size), "{} {expected}", fit.error);
            assert!(close(squared(&sorted, &levels).error, expected, size));
            let expected = errors().sum::<f64>();
            assert!(close(sum, expected, size.sqrt() * bins.total.count), "{sum} {expected}");
        }
    }
}

/// Points that are no place in the bins, or none at all.
#[test]
fn points_outside() {
    let mut random = Random::new(37);
    let bins = Bins::new(&mut random, (-20, 20), true);
    for level in Level::available() {
        let pieces = bins.at(level);
        assert_eq!(pieces.below(-1e300), (0.0, 0.0));
        assert_eq!(pieces.below(f64::NEG_INFINITY).0, 0.0);
        assert_eq!(pieces.below(1e300).0, bins.total.count);
        for first in [-1e300, 1e300, f64::NAN, f64::INFINITY, -1e18, 1e18] {
            let levels = Levels { first, step: 1e10, count: 20 };
            let along = pieces.along(&levels);
            assert!(along.counts.is_nan() || along.counts >= 0.0);
        }
    }
}
