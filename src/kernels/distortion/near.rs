//! Which of the bins next to 0 a point lies in, by its exponent.

use super::Piece;

/// As deep as the octaves below 1 go that are told apart.
const DEEPEST: usize = 255;
const SIDE: usize = DEEPEST + 1;
/// The exponent bits of 1.
const ONE: i64 = 1023;

/// Where each octave of the bins between -1 and 1 is, for points in them.
#[derive(Clone, Debug)]
pub struct Near {
    /// Those of the points in `[2^-k, 2^(1-k))` times -1 at `k`, those times 1 at `k + 256`; what is
    /// deeper counts as the last.
    places: [i64; 2 * SIDE],
}

impl Near {
    /// Where there are no such bins.
    pub const NONE: Near = Near { places: [0; 2 * SIDE] };

    /// For those of the pieces which lie between -1 and 1, the first and their number. They end at
    /// powers of two from `2^-254` on, times 1 or -1, or at 0.
    pub fn new(pieces: &[Piece], (first, count): (usize, usize)) -> Near {
        let mut near = Near::NONE;
        let (below, above) = near.places.split_at_mut(SIDE);
        let below = below.iter_mut().enumerate().map(|(octave, place)| (-1.0, octave, place));
        let above = above.iter_mut().enumerate().map(|(octave, place)| (1.0, octave, place));
        let mut at = first;
        for (side, octave, place) in below.chain(above.rev()) {
            let point = side * 1.5 * f64::from_bits(((ONE as u64) - octave as u64) << 52);
            while at + 1 < first + count && pieces[at].end <= point {
                at += 1;
            }
            *place = at as i64;
        }
        near
    }

    /// The piece in which a point from -1 to below 1 lies; of two that meet in it, the one farther
    /// from 0 on the left of 0, and so for every set of instructions.
    #[inline(always)]
    pub(super) fn find(&self, point: f64) -> usize {
        let exponent = (point.to_bits() >> 52 & 0x7ff) as i64;
        let octave = (ONE - exponent).clamp(0, DEEPEST as i64) as usize;
        self.places[octave + if point >= 0.0 { SIDE } else { 0 }] as usize
    }

    /// The places, for the kernels that look them up as `find` does.
    #[inline(always)]
    pub(super) fn places(&self) -> &[i64; 2 * SIDE] {
        &self.places
    }
}
