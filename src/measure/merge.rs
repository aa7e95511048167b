//! Errors put together.

use super::errors::Errors;
use crate::error::{Error, Excerpt, Result};

/// The most pairs that are counted.
const MOST: u64 = 1 << 62;

impl Errors {
    /// Adds the errors of other pairs. Merging commutes, and gives what a measurement of all pairs
    /// would have, histograms and counts exactly and sums as exactly as those are.
    ///
    /// The index of the largest error stays that in the array where it was found; of equal errors the
    /// one with the lower index counts.
    ///
    /// # Errors
    /// `Unsupported` where one has a histogram that the other has not; `ShapeMismatch` for
    /// histograms of codes of another precision or sign; `Overflow` beyond 2^62 pairs; `OutOfMemory`.
    /// Nothing is changed then.
    pub fn merge(&mut self, other: &Errors) -> Result<()> {
        self.check_same(other)?;
        self.make_room(other)?;
        if let (Some(own), Some(theirs)) = (&mut self.magnitudes, &other.magnitudes) {
            own.add(theirs);
        }
        if let (Some(own), Some(theirs)) = (&mut self.codes, &other.codes) {
            own.merge(theirs);
        }
        if let (Some(own), Some(theirs)) = (&mut self.distribution, &other.distribution) {
            own.merge(theirs);
        }
        self.count = self.count.saturating_add(other.count);
        self.non_finite = self.non_finite.saturating_add(other.non_finite);
        self.error.merge(&other.error);
        self.absolute.merge(&other.absolute);
        self.squared.merge(&other.squared);
        self.xx.merge(&other.xx);
        self.xy.merge(&other.xy);
        self.yy.merge(&other.yy);
        self.saturated_low = self.saturated_low.saturating_add(other.saturated_low);
        self.saturated_high = self.saturated_high.saturating_add(other.saturated_high);
        self.flushed = self.flushed.saturating_add(other.flushed);
        if let Some(worst) = other.worst {
            self.offer_worst(worst);
        }
        Ok(())
    }

    /// [`merge`](Self::merge) for each channel, or for none.
    #[cfg_attr(not(feature = "capi"), allow(dead_code, reason = "the C interface's"))]
    pub(crate) fn merge_all(own: &mut [Errors], others: &[Errors]) -> Result<()> {
        if own.len() != others.len() {
            return Err(Error::ShapeMismatch {
                what: "number of channels",
                value: i128::try_from(others.len()).unwrap_or(i128::MAX),
                expected: i128::try_from(own.len()).unwrap_or(i128::MAX),
            });
        }
        for (own, other) in own.iter_mut().zip(others) {
            own.check_same(other)?;
            own.make_room(other)?;
        }
        own.iter_mut().zip(others).try_for_each(|(own, other)| own.merge(other))
    }

    /// Bins for all that another histogram has.
    fn make_room(&mut self, other: &Errors) -> Result<()> {
        if let (Some(own), Some(theirs)) = (&mut self.magnitudes, &other.magnitudes)
            && let Some((first, end)) = theirs.covered()
        {
            own.cover(first, end.saturating_sub(1))?;
        }
        Ok(())
    }

    fn check_same(&self, other: &Errors) -> Result<()> {
        let histograms = [
            (self.codes.is_some(), other.codes.is_some(), "codes"),
            (self.magnitudes.is_some(), other.magnitudes.is_some(), "errors"),
            (self.distribution.is_some(), other.distribution.is_some(), "values"),
        ];
        for (own, theirs, name) in histograms {
            if own != theirs {
                return Err(Error::UnsupportedName {
                    what: "histogram that one has and the other has not",
                    value: Excerpt::new(name.as_bytes()),
                    reason: "errors that are merged have the same ones",
                });
            }
        }
        if let (Some(own), Some(theirs)) = (&self.codes, &other.codes) {
            let (value, expected) = (theirs.counts.len(), own.counts.len());
            if (value, theirs.lowest) != (expected, own.lowest) {
                return Err(Error::ShapeMismatch {
                    what: "number of codes in the other histogram",
                    value: i128::try_from(value).unwrap_or(i128::MAX),
                    expected: i128::try_from(expected).unwrap_or(i128::MAX),
                });
            }
        }
        match self.count.checked_add(other.count) {
            Some(count) if count <= MOST => Ok(()),
            _ => Err(Error::Overflow { what: "number of pairs", limit: i128::from(MOST) }),
        }
    }
}
