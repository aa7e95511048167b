//! Values of which only some sums are known, bin by bin.

use super::{Along, Distribution, LANES, Levels, Near, Part, Parts, Total};
use crate::kernels::cpu::{Kind, Level};

/// The values of one bin, taken to lie evenly between two points: those that give them the mean and,
/// where the bin is wide enough, the variance that they have. A single value, or equal ones, lie at
/// a point.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, align(64))]
pub struct Piece {
    /// Values in the pieces before this one.
    pub before: f64,
    /// Their sum.
    pub sum_before: f64,
    /// Values in this one.
    pub count: f64,
    /// The lower point.
    pub left: f64,
    /// Half the distance of the two points.
    pub half: f64,
    /// The reciprocal of the distance, finite.
    pub slope: f64,
    /// The end of the bin.
    pub end: f64,
    /// By how much the variance is larger than that of values which lie evenly between the points.
    pub excess: f64,
}

impl Piece {
    /// A bin from `begin` to `end` with these values, behind `previous`.
    pub fn new(
        previous: Option<&Piece>,
        (begin, end): (f64, f64),
        count: f64,
        mean: f64,
        variance: f64,
    ) -> Piece {
        let (before, sum_before) = previous.map_or((0.0, 0.0), |piece| {
            let mean = piece.left + piece.half;
            (piece.before + piece.count, piece.sum_before + piece.count * mean)
        });
        let room = (mean - begin).min(end - mean).max(0.0);
        let half = (3.0 * variance).sqrt().min(room);
        let slope = if half > 0.0 { (0.5 / half).min(1e300) } else { 1e300 };
        let excess = (variance - half * half / 3.0).max(0.0);
        Piece { before, sum_before, count, left: mean - half, half, slope, end, excess }
    }
}

/// Bins in order, without gaps.
#[derive(Clone, Copy, Debug)]
pub struct Pieces<'a> {
    /// First the bins of width 1 below `-1`, then the narrower ones up to 1, then again those of
    /// width 1, and last one without values. Where there are no narrower ones, all have width 1.
    pieces: &'a [Piece],
    /// Where the first bin begins.
    begin: f64,
    /// The first of the narrower bins, and how many there are.
    narrow: (usize, usize),
    near: &'a Near,
    total: Total,
    level: Level,
}

impl<'a> Pieces<'a> {
    /// Bins in the order that the member `pieces` has (the function panics where there is none), the
    /// first from `begin` on, with some narrower than 1 among them, which `near` finds, or none.
    pub fn new(
        pieces: &'a [Piece],
        begin: f64,
        (narrow, near): ((usize, usize), &'a Near),
        total: Total,
        level: Level,
    ) -> Pieces<'a> {
        assert!(!pieces.is_empty() && narrow.0 + narrow.1 < pieces.len(), "the last one is empty");
        Pieces { pieces, begin, narrow, near, total, level }
    }

    /// The bins.
    pub(super) fn parts(&self) -> (&'a [Piece], f64, (usize, usize), &'a Near) {
        (self.pieces, self.begin, self.narrow, self.near)
    }

    #[inline(always)]
    fn find(&self, point: f64) -> usize {
        let (first, count) = self.narrow;
        let last = self.pieces.len() - 1;
        let bin = (point - self.begin).max(0.0).min(last as f64) as usize;
        let bin = if count == 0 || bin < first {
            bin
        } else if point >= 1.0 {
            // The two bins next to 0 are the narrower ones.
            bin - 2 + count
        } else {
            self.near.find(point)
        };
        bin.min(last)
    }
}

impl Distribution for Pieces<'_> {
    #[inline(always)]
    fn below(&self, point: f64) -> (f64, f64) {
        let piece = &self.pieces[self.find(point)];
        let part = ((point - piece.left) * piece.slope).clamp(0.0, 1.0);
        let count = piece.count * part;
        (piece.before + count, piece.sum_before + count * (piece.left + part * piece.half))
    }

    #[inline]
    fn total(&self) -> Total {
        self.total
    }

    fn along(&self, points: &Levels) -> Along {
        match self.level.kind() {
            // SAFETY: a `Level` of this kind exists only where AVX-512 F does.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => unsafe { super::avx512::along(self, points) },
            _ => {
                let mut along = [Along::default(); LANES];
                Along::one_by_one(self, points, 0, &mut along);
                Along::joined(&along)
            }
        }
    }
}

impl Parts for Pieces<'_> {
    fn each_part(&self, center: f64, mut look: impl FnMut(&Part)) {
        for piece in self.pieces.iter().filter(|piece| piece.count > 0.0) {
            let &Piece { count, left, half, excess, .. } = piece;
            look(&Part { count, middle: left + half + center, half, excess });
        }
    }

    fn quantile(&self, count: f64) -> f64 {
        let after = self.pieces.partition_point(|piece| piece.before < count);
        // The last one before that has values: otherwise the next would have as many before it.
        let piece = &self.pieces[after.saturating_sub(1)];
        let part = (count - piece.before) / piece.count.max(1.0);
        piece.left + 2.0 * piece.half * part.clamp(0.0, 1.0)
    }
}
