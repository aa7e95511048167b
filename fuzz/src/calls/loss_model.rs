//! What was lost, pair by pair: every number of a loss is made anew from all pairs that are in it.

use super::status::*;
use caffe2_qtensor::capi::loss::*;
use caffe2_qtensor::capi::loss_metrics::*;
use std::collections::BTreeMap;

/// A reference and a value.
#[derive(Clone, Copy)]
pub(super) struct Pair {
    pub(super) x: f32,
    pub(super) y: f32,
    /// Where it is in its array.
    pub(super) index: u64,
    pub(super) code: i64,
    pub(super) place: Place,
}

/// Where a reference lies, beside what the codes reach.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Place {
    Below,
    Within,
    Above,
}

#[derive(Clone, Default)]
pub(super) struct Model {
    /// The pairs of each channel.
    pub(super) channels: Vec<Vec<Pair>>,
    /// The lowest and the highest code there may be, where codes are counted.
    pub(super) codes: Option<(i64, i64)>,
    /// Whether magnitudes of errors are counted.
    pub(super) errors: bool,
    /// Whether references and values are counted.
    pub(super) values: bool,
}

/// A sum, and what it may be wrong by: of the magnitudes of its terms.
#[derive(Default)]
struct Sum {
    high: f64,
    low: f64,
    magnitude: f64,
}

impl Sum {
    fn of(terms: impl Iterator<Item = f64>) -> Sum {
        let mut sum = Sum::default();
        for term in terms {
            let next = sum.high + term;
            let (large, small) =
                if sum.high.abs() < term.abs() { (term, sum.high) } else { (sum.high, term) };
            sum.low += (large - next) + small;
            sum.high = next;
            sum.magnitude += term.abs();
        }
        sum
    }

    #[track_caller]
    fn check(&self, found: f64) {
        let sum = self.high + self.low;
        assert!((found - sum).abs() <= 3e-14 * self.magnitude, "{found:e} for {sum:e}");
    }
}

/// NaN is NaN, infinities are themselves, and all else is as near as rounding leaves it.
#[track_caller]
pub(super) fn check_close(found: f64, expected: f64, tolerance: f64) {
    let same = found == expected || (found.is_nan() && expected.is_nan());
    let near = (found - expected).abs() <= tolerance;
    assert!(same || near, "{found:e} for {expected:e}");
}

/// The entropy in bits of so many things of each kind; NaN of none.
pub(super) fn entropy(counts: impl Iterator<Item = u64>) -> f64 {
    let counts: Vec<u64> = counts.filter(|count| *count > 0).collect();
    let total = counts.iter().sum::<u64>() as f64;
    let bits = |count: &u64| *count as f64 * (total / *count as f64).log2();
    if counts.is_empty() { f64::NAN } else { counts.iter().map(bits).sum::<f64>() / total }
}

impl Model {
    pub(super) fn size(&self) -> usize {
        self.channels.iter().map(Vec::len).sum()
    }

    /// How many codes have places in the histogram of each channel.
    pub(super) fn code_bins(&self) -> usize {
        self.codes.map_or(0, |(lowest, highest)| (highest - lowest + 1) as usize)
    }

    /// The bins of a channel's errors: the lower and the upper end, and how many there are.
    pub(super) fn error_bins(&self, channel: usize) -> Vec<(f64, f64, u64)> {
        if !self.errors {
            return Vec::new();
        }
        let mut bins = BTreeMap::new();
        for error in errors(&self.channels[channel]) {
            // 5 bits behind the leading one: 32 bins in each octave.
            *bins.entry(error.to_bits() >> 47).or_insert(0u64) += 1;
        }
        let edge = |bits: u64| f64::from_bits(bits << 47);
        let ends = |bits: u64| if bits == 0 { (0.0, 0.0) } else { (edge(bits), edge(bits + 1)) };
        bins.into_iter().map(|(bits, count)| (ends(bits).0, ends(bits).1, count)).collect()
    }

    /// The magnitude of the error of a rank, and none where there are no errors or no bins.
    pub(super) fn quantile(&self, channel: usize, p: f64) -> Option<f64> {
        if !self.errors {
            return None;
        }
        let mut errors = errors(&self.channels[channel]);
        let rank = (p * errors.len() as f64).ceil().max(1.0) as usize;
        let there = !errors.is_empty();
        there.then(|| *errors.select_nth_unstable_by(rank - 1, f64::total_cmp).1)
    }

    /// Everything that the interface says of a loss is what the pairs say.
    pub(super) fn check(&self, handle: *const qtensor_loss_t) {
        // SAFETY: a live handle.
        unsafe {
            assert_eq!(qtensor_loss_channels(handle), self.channels.len());
            for channel in 0..self.channels.len() {
                let mut out = qtensor_loss_metrics_t {
                    struct_size: size_of::<qtensor_loss_metrics_t>(),
                    ..qtensor_loss_metrics_t::default()
                };
                let null = std::ptr::null_mut();
                assert_eq!(qtensor_loss_get(handle, channel, &raw mut out, null), QTENSOR_OK);
                self.check_metrics(channel, &out);
                assert_eq!(qtensor_loss_code_bins(handle, channel), self.code_bins());
                let bins = self.error_bins(channel).len();
                assert_eq!(qtensor_loss_error_bins(handle, channel), bins);
            }
        }
    }

    #[track_caller]
    pub(super) fn check_metrics(&self, channel: usize, out: &qtensor_loss_metrics_t) {
        let pairs = &self.channels[channel];
        let finite = finite(pairs);
        let count = |which: fn(&Pair) -> bool| finite.iter().filter(|it| which(it)).count() as u64;
        assert_eq!(out.count, pairs.len() as u64);
        assert_eq!(out.non_finite, (pairs.len() - finite.len()) as u64);
        assert_eq!(out.saturated_low, count(|it| it.place == Place::Below));
        assert_eq!(out.saturated_high, count(|it| it.place == Place::Above));
        let flushed = |it: &Pair| it.place == Place::Within && it.x != 0.0 && it.y == 0.0;
        assert_eq!(out.flushed, count(flushed));
        let wide = || finite.iter().map(|it| (f64::from(it.x), f64::from(it.y)));
        let worst = errors(pairs).into_iter().fold(0.0, f64::max);
        let is_worst = |it: &&Pair| (f64::from(it.y) - f64::from(it.x)).abs() == worst;
        let index = finite.iter().filter(is_worst).map(|it| it.index).min();
        assert_eq!((out.max_absolute, out.max_index), (worst, index.unwrap_or(u64::MAX)));
        Sum::of(wide().map(|(x, y)| y - x)).check(out.sum_error);
        Sum::of(wide().map(|(x, y)| (y - x).abs())).check(out.sum_absolute);
        Sum::of(wide().map(|(x, y)| (y - x) * (y - x))).check(out.sum_squared);
        Sum::of(wide().map(|(x, _)| x * x)).check(out.sum_xx);
        Sum::of(wide().map(|(x, y)| x * y)).check(out.sum_xy);
        Sum::of(wide().map(|(_, y)| y * y)).check(out.sum_yy);
        // What follows from these follows from those that were found.
        let number = finite.len() as f64;
        let relative = |found: f64, expected: f64| {
            check_close(found, expected, 1e-12 * expected.abs());
        };
        relative(out.mean_error, out.sum_error / number);
        relative(out.mse, out.sum_squared / number);
        relative(out.rmse, (out.sum_squared / number).sqrt());
        relative(out.mae, out.sum_absolute / number);
        let sqnr = match out.sum_squared {
            _ if finite.is_empty() => f64::NAN,
            0.0 => f64::INFINITY,
            noise => 10.0 * (out.sum_xx.log10() - noise.log10()),
        };
        check_close(out.sqnr, sqnr, 1e-9);
        check_close(out.effective_bits, (sqnr - 1.76) / 6.02, 1e-9);
        let cosine = match (out.sum_xx == 0.0, out.sum_yy == 0.0) {
            _ if finite.is_empty() => f64::NAN,
            (true, true) => 1.0,
            (true, false) | (false, true) => 0.0,
            _ => out.sum_xy / out.sum_xx.sqrt() / out.sum_yy.sqrt(),
        };
        check_close(out.cosine, cosine, 1e-12);
        assert!(out.cosine.is_nan() || out.cosine.abs() <= 1.0);
        let histogram = self.code_histogram(channel).unwrap_or_default();
        check_close(out.code_entropy, entropy(histogram.into_iter()), 1e-9);
        for (p, found) in [(0.5, out.p50), (0.95, out.p95), (0.99, out.p99)] {
            self.check_quantile(channel, p, found);
        }
        let kl = if self.values { divergence(&finite) } else { f64::NAN };
        check_close(out.kl, kl, 1e-9);
    }

    #[track_caller]
    pub(super) fn check_quantile(&self, channel: usize, p: f64, found: f64) {
        let exact = self.quantile(channel, p).unwrap_or(f64::NAN);
        check_close(found, exact, exact / 64.0 * (1.0 + 1e-12));
    }

    /// How often each code occurs in a channel, where codes are counted.
    pub(super) fn code_histogram(&self, channel: usize) -> Option<Vec<u64>> {
        let (lowest, _) = self.codes?;
        let mut histogram = vec![0; self.code_bins()];
        for pair in &self.channels[channel] {
            histogram[(pair.code - lowest) as usize] += 1;
        }
        Some(histogram)
    }
}

fn finite(pairs: &[Pair]) -> Vec<Pair> {
    pairs.iter().copied().filter(|it| it.x.is_finite() && it.y.is_finite()).collect()
}

/// The magnitudes of the errors of pairs.
fn errors(pairs: &[Pair]) -> Vec<f64> {
    finite(pairs).iter().map(|it| (f64::from(it.y) - f64::from(it.x)).abs()).collect()
}

/// The divergence of what the values keep of the references' distribution, rank by rank; NaN of no
/// pairs.
fn divergence(pairs: &[Pair]) -> f64 {
    let all = || pairs.iter().flat_map(|it| [f64::from(it.x), f64::from(it.y)]);
    let width = (-149..)
        .map(|exponent| 2f64.powi(exponent))
        .find(|width| all().all(|it| (-2048.0 * width..2048.0 * width).contains(&it)))
        .expect("some width holds numbers of single precision");
    let places = |number: fn(&Pair) -> f32| -> Vec<i64> {
        let place = |it| (f64::from(number(it)) / width).floor() as i64;
        let mut places: Vec<i64> = pairs.iter().map(place).collect();
        places.sort_unstable();
        places
    };
    let (references, values) = (places(|it| it.x), places(|it| it.y));
    let mut counts = BTreeMap::new();
    references.iter().for_each(|place| *counts.entry(*place).or_insert(0.0) += 1.0);
    let mut masses: BTreeMap<i64, f64> = BTreeMap::new();
    let mut start = 0;
    for ranks in values.chunk_by(|one, other| one == other) {
        let held = &references[start..start + ranks.len()];
        let parts: f64 = held.iter().map(|place| 1.0 / counts[place]).sum();
        for place in held {
            *masses.entry(*place).or_default() += ranks.len() as f64 / counts[place] / parts;
        }
        start += ranks.len();
    }
    let total = pairs.len() as f64;
    let bits = |(place, count): (&i64, &f64)| count * (count / masses[place]).log2();
    let sum: f64 = counts.iter().map(bits).sum();
    if pairs.is_empty() { f64::NAN } else { (sum / total).max(0.0) }
}
