//! The window with the smallest Kullback-Leibler divergence.
//!
//! `P` are the bins inside the window, with the values outside it added to its ends; `Q` has each
//! code's values spread evenly over those of its bins that are not empty. Of a bin that a code has
//! only a part of, Caffe2 counts that part of the values in whole numbers, rounded down, so the
//! divergence can come out below 0.

use super::{Source, Window, coarse_least};

/// How far two ways of adding up may be apart.
const SLACK: f64 = 1e-9;

/// Numbers whose logarithms are kept.
const TABLE: usize = 4096;

/// Working memory: three numbers for each bin and one more, all 0, and the logarithms.
struct Running<'a> {
    counts: &'a mut [f64],
    entropies: &'a mut [f64],
    present: &'a mut [f64],
    logarithms: &'a mut [f64],
    /// The logarithm of the number of parts.
    parts: f64,
}

/// How many numbers of working memory [`least_divergence`] wants for so many bins.
pub const fn divergence_memory(bins: usize) -> usize {
    3 * (bins + 1) + TABLE
}

/// The window that Caffe2's exhaustive search finds. `memory` has [`divergence_memory`] numbers.
pub fn least_divergence(source: &Source<'_>, memory: &mut [f64]) -> Window {
    let bins = source.counts.len();
    if source.anchor.is_some() {
        return exhaustive_divergence(source);
    }
    let mut best = Best::new(source);
    assert_eq!(memory.len(), divergence_memory(bins), "the memory that it wants");
    let (counts, rest) = memory.split_at_mut(bins + 1);
    let (entropies, rest) = rest.split_at_mut(bins + 1);
    let (present, logarithms) = rest.split_at_mut(bins + 1);
    let mut running = Running { counts, entropies, present, logarithms, parts: 0.0 };
    running.fill(source);
    let bound = |window| running.least_possible(source, window);
    let least = coarse_least(bins, bound, |window| running.divergence(source, window));
    let with_slack = |divergence: f64| divergence + SLACK * divergence.abs().max(1.0);
    let mut limit = with_slack(least);
    for window in source.windows() {
        if bound(window) <= limit {
            let divergence = running.divergence(source, window);
            if divergence <= limit {
                best.consider(source, window);
            }
            limit = limit.min(with_slack(divergence));
        }
    }
    best.window
}

/// [`least_divergence`] as Caffe2 did it: the specification.
pub fn exhaustive_divergence(source: &Source<'_>) -> Window {
    let mut best = Best::new(source);
    for window in source.windows() {
        best.consider(source, window);
    }
    best.window
}

/// The first of the windows with the smallest divergence so far.
struct Best {
    divergence: f64,
    window: Window,
}

impl Best {
    fn new(source: &Source<'_>) -> Best {
        let window = Window { start: 0, width: source.codes() as i32 };
        Best { divergence: f64::MAX, window }
    }

    fn consider(&mut self, source: &Source<'_>, window: Window) {
        let divergence = divergence_of(source, window);
        if divergence < self.divergence {
            *self = Best { divergence, window };
        }
    }
}

impl Running<'_> {
    fn fill(&mut self, source: &Source<'_>) {
        for (number, logarithm) in self.logarithms.iter_mut().enumerate() {
            *logarithm = if number == 0 { 0.0 } else { (number as f64).ln() };
        }
        self.parts = f64::from(source.codes()).ln();
        let (mut count, mut entropy, mut present) = (0.0, 0.0, 0.0);
        for bin in 0..=source.counts.len() {
            self.counts[bin] = count;
            self.entropies[bin] = entropy;
            self.present[bin] = present;
            if let Some(values) = source.counts.get(bin).filter(|values| **values > 0) {
                count += *values as f64;
                entropy += *values as f64 * self.logarithm(*values);
                present += 1.0;
            }
        }
    }

    fn logarithm(&self, number: u64) -> f64 {
        match self.logarithms.get(number as usize) {
            Some(logarithm) => *logarithm,
            None => (number as f64).ln(),
        }
    }

    fn total(&self) -> f64 {
        self.counts[self.counts.len() - 1]
    }

    /// A number that the divergence is not below.
    ///
    /// By the log-sum inequality no grouping of bins has a larger divergence. Here there are three
    /// groups: the two bins at the ends, which the values outside are added to, and all between
    /// them. At most two bins of each code lose less than one value each to rounding.
    fn least_possible(&self, source: &Source<'_>, window: Window) -> f64 {
        let (codes, total) = (source.codes() as i32, self.total());
        let (start, end) = (window.start as usize, (window.start + window.width) as usize);
        let inside = (self.counts[end] - self.counts[start]) / total;
        if inside <= 0.0 {
            return f64::INFINITY;
        }
        let present = self.present[end] - self.present[start];
        let cuts = f64::from(2 * codes).min(2.0 * present + f64::from(codes));
        let lost = if window.width % codes == 0 { 0.0 } else { cuts / total };
        // x ln(x / q) is smallest at q / e and grows from there on.
        let group = |x: f64, q: f64| {
            let x = x.max(q / core::f64::consts::E);
            if q > 0.0 { x * (x / q).ln() } else { 0.0 }
        };
        if window.width < 2 * codes {
            return group(1.0 - lost, inside);
        }
        // Each code has two bins or more, so that the ends are whole ones.
        let (whole, part) =
            (window.width / codes, f64::from(window.width % codes) / f64::from(codes));
        let whole = whole as usize;
        let at = |running: &[f64], bin: usize| running[bin + 1] - running[bin];
        let mean = |running: &[f64], from: usize, cut: usize| {
            let full = running[from + whole] - running[from];
            if part > 0.0 { full + part * at(running, cut) } else { full }
        };
        // What the first and the last code spread over each of their bins.
        let first =
            (mean(self.counts, start, start + whole), mean(self.present, start, start + whole));
        let last_from = end - whole;
        let cut = last_from - usize::from(part > 0.0);
        let last = (mean(self.counts, last_from, cut), mean(self.present, last_from, cut));
        let left = (self.counts[start] + at(self.counts, start)) / total;
        let right = (total - self.counts[end] + at(self.counts, end - 1)) / total;
        let spread = |(values, present): (f64, f64), own: f64, outside: f64| {
            // A bin that only values outside are added to is present too.
            let present = if own == 0.0 && outside > 0.0 { present + 1.0 } else { present };
            if present > 0.0 { values / present / total } else { 0.0 }
        };
        let (q_left, q_right) = (
            spread(first, at(self.present, start), left),
            spread(last, at(self.present, end - 1), right),
        );
        let end_group = |p: f64, q: f64| match (p > 0.0, q > 0.0) {
            (false, _) => 0.0,
            (true, false) => f64::INFINITY,
            (true, true) => p * (p / q).ln(),
        };
        let between = (inside - q_left - q_right).max(0.0);
        end_group(left, q_left)
            + end_group(right, q_right)
            + group(1.0 - left - right - lost, between)
    }

    /// The divergence, by running sums.
    fn divergence(&self, source: &Source<'_>, window: Window) -> f64 {
        let Window { start, width } = window;
        let last = (start + width - 1) as usize;
        let total = self.total();
        let left = self.counts[start as usize];
        let right = total - self.counts[last + 1];
        let codes = source.codes() as i64;
        let mut sum = 0.0;
        for code in 0..codes {
            // In units of a part of a bin, of which it has as many as there are codes.
            let (from, to) = (code * i64::from(width), (code + 1) * i64::from(width));
            let (first, end) = (start as usize + (from / codes) as usize, (to + codes - 1) / codes);
            let end = start as usize + end as usize;
            let (mut values, mut present) = (0.0, 0.0);
            let (mut number, mut entropy) = (0.0, 0.0);
            let mut note = |bin: usize, parts: i64| {
                let part = parts as f64 / codes as f64;
                let own = source.counts[bin] as f64;
                values += own * part;
                let mut extra = 0.0;
                if bin == start as usize {
                    extra += left;
                }
                if bin == last {
                    extra += right;
                }
                if own * part + extra > 0.0 {
                    present += part;
                }
                let whole = ((own + extra) * part) as u64;
                if whole > 0 {
                    number += whole as f64;
                    entropy += whole as f64
                        * (self.logarithm(whole) - self.logarithm(parts as u64) + self.parts);
                }
            };
            if end - first == 1 {
                note(first, to - from);
            } else {
                note(first, codes - from % codes);
                let over = to % codes;
                note(end - 1, if over == 0 { codes } else { over });
                let between = (first + 1, end - 1);
                values += self.counts[between.1] - self.counts[between.0];
                present += self.present[between.1] - self.present[between.0];
                number += self.counts[between.1] - self.counts[between.0];
                entropy += self.entropies[between.1] - self.entropies[between.0];
            }
            if number > 0.0 {
                sum += entropy - number * (values / present).ln();
            }
        }
        sum / total
    }
}

/// The divergence of a window as Caffe2 adds it up.
fn divergence_of(source: &Source<'_>, window: Window) -> f64 {
    let Window { start, width } = window;
    let bins = source.counts.len() as i32;
    let sum_of = |range: &[u64]| range.iter().sum::<u64>();
    let within = |bin: i32| bin.clamp(0, bins) as usize;
    let left = sum_of(&source.counts[..within(start)]);
    let right = sum_of(&source.counts[within(start + width)..]);
    let (head, tail) = (start.max(0), (start + width - 1).min(bins - 1));
    let total = source.counts.iter().fold(0.0, |sum, count| sum + *count as f64);
    let codes = source.codes();
    let mut divergence = 0.0;
    for code in 0..codes {
        let edge =
            |code: u32| f64::from(start) + f64::from(code) * f64::from(width) / f64::from(codes);
        let (from, to) = (edge(code), edge(code + 1));
        let (first, end) = (from as i32, to.ceil() as i32);
        let part = |bin: i32| {
            if bin == first && bin == end - 1 {
                to - from
            } else if bin == first {
                f64::from(first + 1) - from
            } else if bin == end - 1 {
                to - f64::from(end - 1)
            } else {
                1.0
            }
        };
        let there = || (first..end).filter(|bin| (0..bins).contains(bin));
        let (mut present, mut sum) = (0.0, 0.0);
        for bin in there() {
            let mut values = source.counts[bin as usize] as f64 * part(bin);
            sum += values;
            if bin == head {
                values += left as f64;
            }
            if bin == tail {
                values += right as f64;
            }
            if values > 0.0 {
                present += part(bin);
            }
        }
        for bin in there() {
            let mut values = source.counts[bin as usize];
            if bin == head {
                values += left;
            }
            if bin == tail {
                values += right;
            }
            let values = (values as f64 * part(bin)) as u64;
            if values > 0 {
                let p = values as f64 / total;
                let q = sum * part(bin) / present / total;
                divergence += p * (p / q).ln();
            }
        }
    }
    divergence
}
