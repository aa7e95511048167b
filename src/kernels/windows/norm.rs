//! The window with the smallest squared or absolute error.

use super::{Source, Window, coarse_least};
use crate::kernels::cpu::{Kind, Level};
use crate::kernels::distortion::{
    Distribution, Levels, Near, Piece, Pieces, Total, absolute, squared,
};

/// Which error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Norm {
    /// The sum of the magnitudes.
    Absolute,
    /// The sum of the squares.
    Squared,
}

/// How far the sums in single precision may be from the right ones. Within a window each of the
/// distances that are cubed is off by at most a few units in the last place of the window's width,
/// which is at most 256 times that of a code: some 2^-15 of what is cubed, or 2^-9 of the sum where
/// a code has eight bins. The additions, one after the other, contribute 2^-12.
const SLACK: f64 = 1.0 / 256.0;

impl Norm {
    /// Widths of bins for which sums in single precision stay within [`SLACK`]; others are searched as
    /// Caffe2 did it.
    ///
    /// The power of the smallest step between codes, a 256th of a bin, is then so large that what
    /// subnormal numbers round does not count; and that of the largest distance, 2^15 bins, times the
    /// number of values is below the largest number for up to 2^40 values.
    fn safe_widths(self) -> core::ops::RangeInclusive<f32> {
        match self {
            Norm::Absolute => 1e-16..=1e14,
            Norm::Squared => 1e-10..=1e6,
        }
    }
}

/// The window that Caffe2's exhaustive search finds. `bins` are the counts as floats, `pieces` is
/// working memory for one more.
///
/// Caffe2 looks for the best of each width and then for the best width; of equal ones the first
/// counts in both, so it is the first of the best.
pub fn least_norm(source: &Source<'_>, bins: &[f32], norm: Norm, pieces: &mut [Piece]) -> Window {
    if source.anchor.is_some() || !norm.safe_widths().contains(&source.width) {
        return exhaustive_norm(source, bins, norm);
    }
    let mut best = Best::new();
    let likely = Likely::new(source, norm, pieces);
    let least = coarse_least(
        bins.len(),
        |window| likely.left_of(window.start) + likely.right_of(window.start + window.width),
        |window| likely.error(window),
    );
    likely.each_within(source, least * (1.0 + SLACK), |window, limit| {
        let error = likely.error(window);
        if error <= limit {
            best.consider(error_of(source, bins, norm, window), window);
        }
        limit.min(error * (1.0 + SLACK))
    });
    best.window
}

/// [`least_norm`] as Caffe2 did it: the specification.
pub fn exhaustive_norm(source: &Source<'_>, bins: &[f32], norm: Norm) -> Window {
    let mut best = Best::new();
    for window in source.windows() {
        best.consider(error_of(source, bins, norm, window), window);
    }
    best.window
}

/// The first of the windows with the smallest error so far.
struct Best {
    error: f32,
    window: Window,
}

impl Best {
    fn new() -> Best {
        Best { error: f32::MAX, window: Window { start: 0, width: 1 } }
    }

    fn consider(&mut self, error: f32, window: Window) {
        if error < self.error {
            *self = Best { error, window };
        }
    }
}

/// Costs in double precision.
struct Likely<'a> {
    pieces: Pieces<'a>,
    codes: u32,
    norm: Norm,
}

impl<'a> Likely<'a> {
    fn new(source: &Source<'_>, norm: Norm, pieces: &'a mut [Piece]) -> Likely<'a> {
        let mut total = Total::default();
        let mut previous: Option<Piece> = None;
        let (all, last) = pieces.split_at_mut(source.counts.len());
        for (bin, (piece, count)) in all.iter_mut().zip(source.counts).enumerate() {
            let (begin, count) = (bin as f64, *count as f64);
            // The values of a bin are taken to lie evenly in it.
            *piece =
                Piece::new(previous.as_ref(), (begin, begin + 1.0), count, begin + 0.5, 1.0 / 12.0);
            previous = Some(*piece);
            total.count += count;
            total.sum += count * (begin + 0.5);
            total.squares += count * ((begin + 0.5) * (begin + 0.5) + 1.0 / 12.0);
        }
        let end = source.counts.len() as f64;
        last[0] = Piece::new(previous.as_ref(), (end, f64::INFINITY), 0.0, end, 0.0);
        let pieces = Pieces::new(pieces, 0.0, ((0, 0), &Near::NONE), total, Level::best());
        Likely { pieces, codes: source.codes(), norm }
    }

    fn levels(&self, window: Window) -> Levels {
        let step = f64::from(window.width) / f64::from(self.codes);
        Levels { first: f64::from(window.start) + 0.5 * step, step, count: self.codes }
    }

    fn error(&self, window: Window) -> f64 {
        match self.norm {
            Norm::Squared => squared(&self.pieces, &self.levels(window)).error,
            Norm::Absolute => absolute(&self.pieces, &self.levels(window)),
        }
    }

    /// What values on one side of a window cost at least, by their number and the sum of their
    /// distances from it.
    fn outside(&self, count: f64, distances: f64) -> f64 {
        match self.norm {
            Norm::Absolute => distances,
            // No sum of squares of distances is below the square of their sum over their number.
            Norm::Squared if count > 0.0 => distances * distances / count,
            Norm::Squared => 0.0,
        }
    }

    fn left_of(&self, start: i32) -> f64 {
        let start = f64::from(start);
        let (count, sum) = self.pieces.below(start);
        self.outside(count, start * count - sum)
    }

    fn right_of(&self, end: i32) -> f64 {
        let (end, total) = (f64::from(end), self.pieces.total());
        let (count, sum) = self.pieces.below(end);
        let (count, sum) = (total.count - count, total.sum - sum);
        self.outside(count, sum - end * count)
    }

    /// Windows outside which the values do not cost more than a limit, in Caffe2's order. What is
    /// done with a window returns the limit from there on.
    fn each_within(
        &self,
        source: &Source<'_>,
        mut limit: f64,
        mut then: impl FnMut(Window, f64) -> f64,
    ) {
        let bins = source.counts.len() as i32;
        // The farther in, the more is outside.
        let last_start = (0..bins).rev().find(|start| self.left_of(*start) <= limit).unwrap_or(0);
        let first_end = (1..=bins).find(|end| self.right_of(*end) <= limit).unwrap_or(bins);
        for width in 1..=bins {
            let starts = (first_end - width).max(0)..=last_start.min(bins - width);
            for start in starts {
                if self.left_of(start) + self.right_of(start + width) <= limit {
                    limit = then(Window { start, width }, limit);
                }
            }
        }
    }
}

/// The error of a window as Caffe2 adds it up.
fn error_of(source: &Source<'_>, bins: &[f32], norm: Norm, window: Window) -> f32 {
    let step = source.width * window.width as f32 / source.codes() as f32;
    match (norm, Level::best().kind()) {
        (Norm::Absolute, _) => absolute_error(source, bins, step, window.start),
        (_, Kind::Portable) => squared_error(source, bins, step, window.start),
        // SAFETY: levels above the portable one exist only where AVX2 and FMA do.
        #[cfg(target_arch = "x86_64")]
        _ => unsafe { squared_error_avx2(source, bins, step, window.start) },
    }
}

/// # Safety
/// The machine has AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn squared_error_avx2(source: &Source<'_>, bins: &[f32], step: f32, start: i32) -> f32 {
    squared_error(source, bins, step, start)
}

/// In eight sums side by side, with fused multiplications and reciprocals; what is left over by
/// divisions.
#[inline(always)]
fn squared_error(source: &Source<'_>, bins: &[f32], step: f32, start: i32) -> f32 {
    let (width, last) = (source.width, source.codes() as f32 - 1.0);
    let (per_width, per_step) = (1.0 / width, 1.0 / step);
    let (whole, half) = (step * step * step / 12.0, step / 2.0);
    let (groups, rest) = bins.as_chunks::<8>();
    let mut sums = [0.0_f32; 8];
    for (group, counts) in groups.iter().enumerate() {
        for lane in 0..8 {
            let begin = (8 * group as i32 + lane as i32 - start) as f32 * width;
            let end = begin + width;
            let code = |at: f32| (at * per_step).floor().min(last).max(0.0);
            let (first, second) = (code(begin), code(end));
            let from = begin - first.mul_add(step, half);
            let to = end - second.mul_add(step, half);
            let error = from * from * from * (-1.0 / 3.0);
            let error = (to * to * to).mul_add(1.0 / 3.0, error);
            let error = (second - first).mul_add(whole, error);
            sums[lane] = (counts[lane] * per_width).mul_add(error, sums[lane]);
        }
    }
    let mut sum = 0.0;
    for part in sums {
        sum += part;
    }
    for (bin, count) in rest.iter().enumerate() {
        let begin = (8 * groups.len() as i32 + bin as i32 - start) as f32 * width;
        let end = begin + width;
        let code = |at: f32| (at / step).floor().max(0.0).min(last);
        let (first, second) = (code(begin), code(end));
        let from = begin - first.mul_add(step, half);
        let mut error = -(from * from * from) / 3.0;
        if first != second {
            error = (second - first).mul_add(whole, error);
        }
        let to = end - second.mul_add(step, half);
        error += to * to * to / 3.0;
        sum = (count / width).mul_add(error, sum);
    }
    sum
}

/// In one sum, with divisions and without fused operations.
fn absolute_error(source: &Source<'_>, bins: &[f32], step: f32, start: i32) -> f32 {
    let (width, last) = (source.width, source.codes() as f32 - 1.0);
    let half = step / 2.0;
    let mut sum = 0.0_f32;
    for (bin, count) in bins.iter().enumerate() {
        let begin = (bin as i32 - start) as f32 * width;
        let end = begin + width;
        let code = |at: f32| (at / step).floor().max(0.0).min(last);
        let (first, second) = (code(begin), code(end));
        let density = count / width;
        let from = begin - (first * step + half);
        if first == second {
            sum += density * distance(from, end - (first * step + half));
        } else {
            sum += density * distance(from, half);
            sum += (second - first - 1.0) * (density * distance(-half, half));
            sum += density * distance(-half, end - (second * step + half));
        }
    }
    sum
}

/// The integral of the distance from 0.
fn distance(begin: f32, end: f32) -> f32 {
    let (left_begin, left_end) = (begin.min(0.0), end.min(0.0));
    let (right_begin, right_end) = (begin.max(0.0), end.max(0.0));
    let left = (left_begin * left_begin - left_end * left_end) / 2.0;
    left + (right_end * right_end - right_begin * right_begin) / 2.0
}

/// The window that Caffe2's approximate search for the squared error finds.
///
/// From the whole histogram on, a hundred-thousandth of the values is cut off on the side that gives
/// up more bins for it, as long as that makes the error smaller.
pub fn approximate_window(source: &Source<'_>) -> Window {
    const STEP: f64 = 0.00001;
    let bins = source.counts.len();
    let total: u64 = source.counts.iter().sum();
    let running = |to: usize| source.counts[..=to].iter().sum::<u64>() as f64;
    let (mut low, mut high) = (0.0, 1.0);
    let (mut start, mut end) = (0, bins.saturating_sub(1));
    // The numbers of values up to both ends, kept as the ends move.
    let (mut up_to_start, mut up_to_end) = (running(start), total as f64);
    let mut least = f64::MAX;
    while low < high {
        let (next_low, next_high) = (low + STEP, high - STEP);
        let (mut left, mut left_sum) = (start, up_to_start);
        while left < end && left_sum < next_low * total as f64 {
            left += 1;
            left_sum += source.counts[left] as f64;
        }
        let (mut right, mut right_sum) = (end, up_to_end);
        while right > start && right_sum > next_high * total as f64 {
            right_sum -= source.counts[right] as f64;
            right -= 1;
        }
        let (mut next_start, mut next_end) = (start, end);
        if left - start > end - right {
            (next_start, low) = (left, next_low);
        } else {
            (next_end, high) = (right, next_high);
        }
        if (next_start, next_end) == (start, end) {
            continue;
        }
        let error = approximate_error(source, next_start, next_end);
        if error > least {
            break;
        }
        least = error;
        (up_to_start, up_to_end) =
            if next_start == start { (up_to_start, right_sum) } else { (left_sum, up_to_end) };
        (start, end) = (next_start, next_end);
    }
    Window { start: start as i32, width: (end - start + 1) as i32 }
}

/// Distances in double precision, integrals in single precision.
fn approximate_error(source: &Source<'_>, start: usize, end: usize) -> f64 {
    let (width, last) = (source.width, f64::from(source.codes()) - 1.0);
    let step = f64::from(width * (end - start + 1) as f32 / source.codes() as f32);
    let half = step / 2.0;
    let square = |begin: f64, end: f64, density: f64| {
        let (begin, end) = (begin as f32, end as f32);
        f64::from(density as f32 * ((end * end * end - begin * begin * begin) / 3.0))
    };
    let mut sum = 0.0;
    for (bin, count) in source.counts.iter().enumerate() {
        let begin = f64::from((bin as i32 - start as i32) as f32 * width);
        let end = begin + f64::from(width);
        let code = |at: f64| (at / step).floor().max(0.0).min(last);
        let (first, second) = (code(begin), code(end));
        let density = f64::from(*count as f32 / width);
        let from = begin - (first * step + half);
        if first == second {
            sum += square(from, end - (first * step + half), density);
        } else {
            sum += square(from, half, density);
            sum += f64::from((second - first - 1.0) as f32 * square(-half, half, density) as f32);
            sum += square(-half, end - (second * step + half), density);
        }
    }
    sum
}
