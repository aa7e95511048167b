//! All codes of a tensor from a source that makes them block by block, on one thread or several.

use super::Geometry;
use super::codes::{self, BLOCK};
use crate::error::Result;
use crate::kernels::quantize::Codes;
use crate::kernels::{Level, Rows, stream, transpose};
use crate::threads::{MAX_THREADS, THREAD_ELEMENTS, both, share};

/// Elements of a block of narrow codes: its bytes stay in the first-level cache.
pub(crate) const NARROW: usize = 4096;

/// Elements of a block where there are no more.
const SHORT: usize = 512;

/// Elements that are a single block of any source: wide codes have shorter blocks.
pub(crate) fn single_block<S: Source>(source: &S) -> usize {
    if source.narrow() { NARROW } else { BLOCK }
}

/// The most planes that a source fills: 32 bits and the sign.
const PLANES: usize = 33;

/// The most that narrow codes have: 8 bits and the sign.
const NARROW_PLANES: usize = 9;

/// Where the codes of a block go.
pub(crate) enum Block<'a> {
    /// At most 8 bits, and the sign.
    Narrow(Codes<'a>),
    /// Any number of bits.
    Wide(&'a mut [i64]),
}

/// What makes codes.
pub(crate) trait Source: Sync {
    /// What a source notes as it goes.
    type Tally: Default + Send;

    /// Adds the notes of later elements.
    fn merge(tally: &mut Self::Tally, later: &Self::Tally);

    /// Whether the codes are asked for as [`Block::Narrow`]: only up to precision 8.
    fn narrow(&self) -> bool;

    /// The bytes of the values that codes are made from: above what a cache holds, the planes are
    /// written around it.
    fn value_bytes(&self) -> usize;

    /// The codes of the elements from `first` on, as many as the block has. Each is in the range of
    /// the tensor. On an error the block is not used.
    fn codes(&self, first: usize, block: Block<'_>, tally: &mut Self::Tally) -> Result<()>;
}

/// The bits behind the last element, for each plane: they share its byte.
pub(crate) struct Padding([u8; PLANES]);

impl Padding {
    /// Zeros.
    pub(crate) const ZERO: Padding = Padding([0; PLANES]);

    /// Those of planes that are there.
    pub(crate) fn of(geometry: Geometry, planes: &[u8]) -> Padding {
        let mut padding = Padding::ZERO;
        let used = u32::try_from(geometry.size() % 8).unwrap_or(0);
        if used == 0 {
            return padding;
        }
        let rows = planes.chunks_exact(geometry.stride().max(1));
        for (to, row) in padding.0.iter_mut().zip(rows) {
            *to = row.last().copied().unwrap_or(0) & 0xff_u8.wrapping_shr(used);
        }
        padding
    }
}

/// Writes every byte of `rows`, which are all planes of the geometry, at most 33. Where the source
/// reports errors, that of the first elements is returned, and what was written is unspecified:
/// nothing at all where the source has a single block of elements.
pub(crate) fn fill<S: Source>(
    geometry: Geometry,
    rows: Rows<'_>,
    padding: &Padding,
    source: &S,
    threads: usize,
) -> Result<S::Tally> {
    let bytes = source.value_bytes().saturating_add(geometry.nbytes());
    let job = Job { geometry, padding, source, streaming: bytes > stream::FROM_BYTES };
    let most = geometry.size() / THREAD_ELEMENTS;
    job.split(0, rows, threads.min(most).clamp(1, MAX_THREADS))
}

/// Whole cache lines.
#[repr(align(64))]
struct Aligned<const LENGTH: usize>([u8; LENGTH]);

struct Job<'a, S> {
    geometry: Geometry,
    padding: &'a Padding,
    source: &'a S,
    streaming: bool,
}

impl<S: Source> Job<'_, S> {
    /// The rows, which begin with element `first`, on as many threads.
    fn split(&self, first: usize, rows: Rows<'_>, threads: usize) -> Result<S::Tally> {
        if threads <= 1 {
            return self.run(first, rows);
        }
        let later = threads / 2;
        let here = threads.saturating_sub(later);
        // Whole blocks, so that every part of a plane starts on a cache line.
        let blocks = rows.bytes() / (NARROW / 8);
        let bytes = share(blocks, here, threads).saturating_mul(NARROW / 8);
        let (near, far) = rows.split_at(bytes);
        let middle = first.saturating_add(bytes.saturating_mul(8));
        let (near, far) =
            both(|| self.split(first, near, here), far, |far| self.split(middle, far, later));
        let mut tally = near?;
        S::merge(&mut tally, &far?);
        Ok(tally)
    }

    fn run(&self, first: usize, rows: Rows<'_>) -> Result<S::Tally> {
        let signed_bytes = self.geometry.signed() && self.geometry.precision() == 8;
        // No larger buffers than are needed: for a small tensor, setting them to 0 would show.
        let short = rows.bytes() <= SHORT / 8;
        match (self.source.narrow(), self.streaming, signed_bytes) {
            (true, false, false) if short => {
                self.run_narrow::<SHORT>(first, rows, &mut [], &mut [])
            }
            (true, false, false) => self.run_narrow::<NARROW>(first, rows, &mut [], &mut []),
            (true, false, true) => {
                self.run_narrow::<NARROW>(first, rows, &mut [0; NARROW], &mut [])
            }
            (true, true, _) => self.run_streaming(first, rows),
            (false, ..) => self.run_wide(first, rows),
        }
    }

    #[inline(never)]
    fn run_streaming(&self, first: usize, rows: Rows<'_>) -> Result<S::Tally> {
        let mut staged = Aligned([0; NARROW_PLANES * NARROW / 8]);
        let tally = self.run_narrow::<NARROW>(first, rows, &mut [0; NARROW], &mut staged.0);
        stream::fence();
        tally
    }

    /// With room for a block's signs where they have a plane of their own, and for its planes where
    /// they are to be stored around the caches.
    fn run_narrow<const SIZE: usize>(
        &self,
        first: usize,
        mut rows: Rows<'_>,
        signs: &mut [u8],
        staged: &mut [u8],
    ) -> Result<S::Tally> {
        let level = Level::best();
        let mut tally = S::Tally::default();
        let mut bytes = Aligned([0; SIZE]);
        let planes = self.geometry.planes();
        self.each_block(SIZE, first, rows.bytes(), |first, at, length| {
            let bytes = bytes.0.get_mut(..length).unwrap_or_default();
            let signs_length = if planes > 8 { length } else { 0 };
            let signs = signs.get_mut(..signs_length).unwrap_or_default();
            let codes = Codes { bytes: &mut *bytes, signs: &mut *signs };
            self.source.codes(first, Block::Narrow(codes), &mut tally)?;
            let mut rows = rows.part(at, length.div_ceil(8));
            if length == NARROW && !staged.is_empty() {
                // Packed where it is cached, then sent off. A whole block has no padding.
                let packed = Rows::new(staged, NARROW / 8, planes, NARROW / 8);
                pack(level, bytes, signs, packed);
                for (row, staged) in staged.chunks_exact(NARROW / 8).take(planes).enumerate() {
                    rows.store_streaming(level, row, staged);
                }
                return Ok(());
            }
            self.pad(first, length, &mut rows);
            pack(level, bytes, signs, rows);
            Ok(())
        })?;
        Ok(tally)
    }

    fn run_wide(&self, first: usize, mut rows: Rows<'_>) -> Result<S::Tally> {
        let mut tally = S::Tally::default();
        let mut codes = [0; BLOCK];
        self.each_block(BLOCK, first, rows.bytes(), |first, at, length| {
            let codes = codes.get_mut(..length).unwrap_or_default();
            self.source.codes(first, Block::Wide(&mut *codes), &mut tally)?;
            let mut rows = rows.part(at, length.div_ceil(8));
            self.pad(first, length, &mut rows);
            codes::write(self.geometry, codes, &mut rows);
            Ok(())
        })?;
        Ok(tally)
    }

    /// Calls `block` with the index of a block's first element, its first byte in the rows, and its
    /// length, for `row_bytes` bytes of elements from `first` on.
    fn each_block(
        &self,
        size: usize,
        first: usize,
        row_bytes: usize,
        mut block: impl FnMut(usize, usize, usize) -> Result<()>,
    ) -> Result<()> {
        let end = first.saturating_add(row_bytes.saturating_mul(8)).min(self.geometry.size());
        for start in (first..end).step_by(size) {
            let length = end.saturating_sub(start).min(size);
            block(start, start.saturating_sub(first) / 8, length)?;
        }
        Ok(())
    }

    /// Puts the padding in place before the codes that it shares a byte with are written.
    fn pad(&self, first: usize, length: usize, rows: &mut Rows<'_>) {
        let ends = first.saturating_add(length) == self.geometry.size();
        if ends && !length.is_multiple_of(8) {
            let last = rows.bytes().saturating_sub(1);
            for (row, padding) in self.padding.0.iter().enumerate().take(rows.count()) {
                rows.set(row, last, *padding);
            }
        }
    }
}

/// The planes of the bytes, and behind them that of the signs where there are more than 8.
fn pack(level: Level, bytes: &[u8], signs: &[u8], mut rows: Rows<'_>) {
    let planes = rows.count();
    transpose::pack_rows(level, bytes, rows.some(0, planes.min(8)));
    if planes > 8 {
        transpose::pack_rows(level, signs, rows.some(8, 1));
    }
}
