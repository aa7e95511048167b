//! What codes a tensor has.

use crate::error::{Error, Result};
use crate::planes::codes::BLOCK;
use crate::tensor::QTensor;

/// The highest precision whose codes are counted one by one.
pub const MAX_COUNTED_PRECISION: u8 = 16;

/// Refuses to count the codes of a precision one by one.
pub(crate) fn check_counted(precision: u8) -> Result<()> {
    if precision <= MAX_COUNTED_PRECISION {
        return Ok(());
    }
    Err(Error::Unsupported {
        what: "precision",
        value: i128::from(precision),
        reason: "codes are counted one by one up to 16 bits",
    })
}

/// How often each code occurs.
#[derive(Debug)]
pub(super) struct CodeCounts {
    pub(super) lowest: i64,
    pub(super) counts: Vec<u64>,
}

impl CodeCounts {
    /// # Errors
    /// `Unsupported` for a precision above [`MAX_COUNTED_PRECISION`]; `OutOfMemory`.
    pub(super) fn new(tensor: &QTensor) -> Result<CodeCounts> {
        let precision = tensor.precision();
        check_counted(precision)?;
        let highest = 1_i64.wrapping_shl(u32::from(precision)).saturating_sub(1);
        let lowest = if tensor.is_signed() { highest.saturating_neg() } else { 0 };
        let length = highest.saturating_sub(lowest).saturating_add(1);
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let bytes = length.saturating_mul(size_of::<u64>());
        let no_memory = Error::OutOfMemory { what: "histogram of codes", bytes };
        let mut counts = Vec::new();
        counts.try_reserve_exact(length).map_err(|_| no_memory)?;
        counts.resize(length, 0);
        Ok(CodeCounts { lowest, counts })
    }

    #[inline]
    pub(super) fn note(&mut self, code: i64) {
        let place = usize::try_from(code.wrapping_sub(self.lowest)).ok();
        if let Some(count) = place.and_then(|place| self.counts.get_mut(place)) {
            *count = count.wrapping_add(1);
        }
    }

    pub(super) fn merge(&mut self, other: &CodeCounts) {
        for (own, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *own = own.saturating_add(*theirs);
        }
    }

    /// What a code tells on average, in bits.
    pub(super) fn entropy(&self) -> f64 {
        entropy(&self.counts)
    }
}

/// `-sum(p * log2(p))` in bits, of shares `p` of the counts; NaN of none. Source: Shannon, "A
/// Mathematical Theory of Communication", 1948.
fn entropy(counts: &[u64]) -> f64 {
    let total: u64 = counts.iter().fold(0, |sum, count| sum.saturating_add(*count));
    if total == 0 {
        return f64::NAN;
    }
    let total = total as f64;
    let bits = |count: u64| {
        let share = count as f64 / total;
        if count == 0 { 0.0 } else { -share * share.log2() }
    };
    // Not below 0, and no -0 where there is one code.
    counts.iter().map(|count| bits(*count)).sum::<f64>().max(0.0)
}

/// What codes a tensor has: see [`QTensor::code_statistics`].
#[derive(Debug)]
pub struct CodeStatistics {
    count: u64,
    range: Option<(i64, i64)>,
    zeros: u64,
    ones: Vec<u64>,
    counted: Option<CodeCounts>,
}

impl CodeStatistics {
    /// How many codes there are: the tensor's size.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The lowest and the highest code that occur; `None` of no elements.
    pub fn range(&self) -> Option<(i64, i64)> {
        self.range
    }

    /// How many codes are 0.
    pub fn zeros(&self) -> u64 {
        self.zeros
    }

    /// How many bits are set in each plane, of the least significant bit first, the signs last.
    /// Padding does not count.
    pub fn ones(&self) -> &[u64] {
        &self.ones
    }

    /// How often each code occurs, from [`lowest_code`](Self::lowest_code) on; empty above a
    /// precision of [`MAX_COUNTED_PRECISION`].
    pub fn histogram(&self) -> &[u64] {
        self.counted.as_ref().map(|codes| &*codes.counts).unwrap_or_default()
    }

    /// The lowest code that the histogram has a place for: `-(2^precision - 1)` with a sign and
    /// else 0.
    pub fn lowest_code(&self) -> i64 {
        self.counted.as_ref().map_or(0, |codes| codes.lowest)
    }

    /// Every code is 0.
    fn all_zero(&mut self) {
        self.range = (self.count > 0).then_some((0, 0));
        self.zeros = self.count;
        if let Some(counted) = &mut self.counted {
            let place = usize::try_from(counted.lowest.unsigned_abs()).ok();
            if let Some(count) = place.and_then(|place| counted.counts.get_mut(place)) {
                *count = self.count;
            }
        }
    }

    /// How many different codes occur; `None` where there is no histogram.
    pub fn distinct(&self) -> Option<u64> {
        let codes = self.counted.as_ref()?;
        u64::try_from(codes.counts.iter().filter(|count| **count > 0).count()).ok()
    }

    /// The entropy of the codes in bits, what an ideal coder would need for each; `None` where
    /// there is no histogram, NaN of no elements.
    pub fn entropy(&self) -> Option<f64> {
        self.counted.as_ref().map(CodeCounts::entropy)
    }
}

impl QTensor {
    /// What codes the tensor has. One that was never written holds zeros.
    ///
    /// ```
    /// # use caffe2_qtensor::QTensor;
    /// let mut tensor = QTensor::with_shape(&[4], 2, false)?;
    /// tensor.write_codes(&[0i64, 3, 3, 1])?;
    /// let codes = tensor.code_statistics()?;
    /// assert_eq!(codes.range(), Some((0, 3)));
    /// assert_eq!(codes.ones(), [3, 2]);
    /// assert_eq!(codes.histogram(), [1, 1, 0, 2]);
    /// assert_eq!(codes.entropy(), Some(1.5));
    /// # Ok::<(), caffe2_qtensor::Error>(())
    /// ```
    ///
    /// # Errors
    /// `Unsupported` above precision 63, where there are no codes; `OutOfMemory`.
    pub fn code_statistics(&self) -> Result<CodeStatistics> {
        if self.precision() > 63 {
            return Err(Error::Unsupported {
                what: "precision",
                value: i128::from(self.precision()),
                reason: "codes have at most 63 bits",
            });
        }
        let counted = self.precision() <= MAX_COUNTED_PRECISION;
        let mut found = CodeStatistics {
            count: u64::try_from(self.size()).unwrap_or(u64::MAX),
            range: None,
            zeros: 0,
            ones: self.plane_ones()?,
            counted: if counted { Some(CodeCounts::new(self)?) } else { None },
        };
        if found.ones.iter().all(|ones| *ones == 0) {
            // There may be more elements than anything could be stored for.
            found.all_zero();
            return Ok(found);
        }
        let mut codes = [0_i64; BLOCK];
        for first in (0..self.size()).step_by(BLOCK) {
            let length = self.size().saturating_sub(first).min(BLOCK);
            let codes = codes.get_mut(..length).unwrap_or_default();
            self.read_block(first, codes);
            for code in &*codes {
                let (low, high) = found.range.unwrap_or((*code, *code));
                found.range = Some((low.min(*code), high.max(*code)));
                found.zeros = found.zeros.saturating_add(u64::from(*code == 0));
                if let Some(counted) = &mut found.counted {
                    counted.note(*code);
                }
            }
        }
        Ok(found)
    }

    /// Bits that are set in each plane.
    fn plane_ones(&self) -> Result<Vec<u64>> {
        let view = self.view();
        let planes = usize::from(view.precision).saturating_add(usize::from(view.is_signed));
        let bytes = planes.saturating_mul(size_of::<u64>());
        let no_memory = Error::OutOfMemory { what: "counts of planes", bytes };
        let mut ones = Vec::new();
        ones.try_reserve_exact(planes).map_err(|_| no_memory)?;
        ones.resize(planes, 0_u64);
        let Some(data) = view.data.filter(|_| view.plane_stride > 0) else { return Ok(ones) };
        // The last byte's bits that belong to no element.
        let padding = view.plane_stride.saturating_mul(8).saturating_sub(view.size);
        let padding = 1_u8.wrapping_shl(u32::try_from(padding).unwrap_or(0)).wrapping_sub(1);
        for (ones, plane) in ones.iter_mut().zip(data.chunks_exact(view.plane_stride)) {
            let (words, rest) = plane.as_chunks::<8>();
            let of_words = words.iter().map(|word| u64::from_le_bytes(*word).count_ones());
            let all = of_words.chain(rest.iter().map(|byte| byte.count_ones()));
            let last = plane.last().map_or(0, |byte| (byte & padding).count_ones());
            *ones = all.fold(0_u64, |sum, ones| sum.saturating_add(u64::from(ones)));
            *ones = ones.saturating_sub(u64::from(last));
        }
        Ok(ones)
    }
}
