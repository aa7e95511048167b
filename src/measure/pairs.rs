//! Blocks of pairs of a reference and a value.

use crate::kernels::errors::BLOCK;

/// A block of pairs that is to be taken in.
pub(super) struct Pairs<'a> {
    pub(super) reference: &'a [f32],
    pub(super) values: &'a [f32],
}

/// The finite ones of a block of pairs.
pub(super) struct Finite {
    reference: [f32; BLOCK],
    values: [f32; BLOCK],
    length: usize,
}

impl Finite {
    pub(super) const EMPTY: Finite =
        Finite { reference: [0.0; BLOCK], values: [0.0; BLOCK], length: 0 };

    #[cold]
    pub(super) fn fill(&mut self, pairs: &Pairs<'_>) {
        let finite = pairs.reference.iter().zip(pairs.values);
        let finite = finite.filter(|(x, y)| x.is_finite() && y.is_finite());
        let room = self.reference.iter_mut().zip(&mut self.values);
        for ((x, y), (to_x, to_y)) in finite.zip(room) {
            (*to_x, *to_y) = (*x, *y);
            self.length = self.length.saturating_add(1);
        }
    }

    pub(super) fn pairs(&self) -> Pairs<'_> {
        Pairs {
            reference: self.reference.get(..self.length).unwrap_or_default(),
            values: self.values.get(..self.length).unwrap_or_default(),
        }
    }
}
