//! The same pass, its errors by channel.

use super::codes::check_counted;
use super::errors::Errors;
use super::options::ErrorOptions;
use super::outside::Elements;
use super::pairs::Pairs;
use super::pass::{blocks, check_size, threads};
use crate::error::{Error, Result};
use crate::kernels::errors::BLOCK;
use crate::params::channel_axis;
use crate::quantize::{Layout, Reach};
use crate::tensor::QTensor;
use crate::threads::{both, share};

/// Rows from this length on are measured where they are, others gathered.
const LONG_ROW: usize = 128;

/// The fewest and the most elements among which the pairs of a channel are gathered.
const TILE: (usize, usize) = (1 << 16, 1 << 20);

impl QTensor {
    /// [`errors`](Self::errors) for each index along dimension `axis`, in order, whether or not the
    /// tensor has parameters for each of them.
    ///
    /// Indices of largest errors are those of elements of the whole tensor, so that all of them
    /// merged are what [`errors`](Self::errors) gives.
    ///
    /// ```
    /// use caffe2_qtensor::{QTensor, measure::ErrorOptions};
    ///
    /// let tensor = QTensor::with_shape(&[2, 3], 4, true)?;
    /// let weights = [1.0, 2.0, 3.0, 0.0, 0.0, 6.0];
    /// let columns = tensor.errors_per_channel(&weights, 1, &ErrorOptions::default())?;
    /// let squared: Vec<f64> = columns.iter().map(|errors| errors.sum_squared()).collect();
    /// assert_eq!(squared, [1.0, 4.0, 45.0]);
    /// # Ok::<(), caffe2_qtensor::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`errors`](Self::errors), and `OutOfRange` for an axis that is not there.
    pub fn errors_per_channel(
        &self,
        reference: &[f32],
        axis: usize,
        options: &ErrorOptions,
    ) -> Result<Vec<Errors>> {
        check_size("number of references", reference.len(), self.size())?;
        self.decoder()?;
        if options.code_histogram {
            // Without channels nothing else would look.
            check_counted(self.precision())?;
        }
        let (axis, channels) = channel_axis(i32::try_from(axis).unwrap_or(i32::MAX), self.dims())?;
        let channels = usize::try_from(channels).unwrap_or(0);
        let layout = Layout::new(self.dims(), axis, channels);
        let period = layout.row.saturating_mul(channels);
        let tile = period.saturating_mul(64).clamp(TILE.0, TILE.1);
        let gathers = layout.row < LONG_ROW && period <= tile;
        let reach = self.reach()?;
        let job = Job { tensor: self, reference, reach, options, layout, channels, tile, gathers };
        job.run(0, reference.len(), threads(reference.len(), options))
    }
}

struct Job<'a> {
    tensor: &'a QTensor,
    reference: &'a [f32],
    reach: Reach,
    options: &'a ErrorOptions,
    layout: Layout,
    channels: usize,
    /// Elements, a multiple of the block, that are dequantized before they are sorted by channel.
    tile: usize,
    gathers: bool,
}

impl Job<'_> {
    /// The errors of so many elements from `first` on, a multiple of the block, on as many threads.
    fn run(&self, first: usize, length: usize, threads: usize) -> Result<Vec<Errors>> {
        if threads <= 1 {
            let mut errors = self.empty()?;
            if self.gathers {
                self.gather(first, length, &mut errors)?;
            } else {
                self.look(first, length, &mut errors)?;
            }
            self.count_codes(first, length, &mut errors);
            return Ok(errors);
        }
        let later = threads / 2;
        let here = threads.saturating_sub(later);
        let near = share(length / BLOCK, here, threads).saturating_mul(BLOCK);
        let (middle, far) = (first.saturating_add(near), length.saturating_sub(near));
        let far = |()| self.run(middle, far, later);
        let (near, far) = both(|| self.run(first, near, here), (), far);
        let mut errors = near?;
        for (own, theirs) in errors.iter_mut().zip(&far?) {
            own.merge(theirs)?;
        }
        Ok(errors)
    }

    fn empty(&self) -> Result<Vec<Errors>> {
        let mut errors = Vec::new();
        let bytes = self.channels.saturating_mul(size_of::<Errors>());
        let no_memory = Error::OutOfMemory { what: "errors of channels", bytes };
        errors.try_reserve_exact(self.channels).map_err(|_| no_memory)?;
        for _ in 0..self.channels {
            errors.push(Errors::new(self.options, Some(self.tensor))?);
        }
        Ok(errors)
    }

    /// Long rows: measured block by block where they are.
    fn look(&self, first: usize, length: usize, errors: &mut [Errors]) -> Result<()> {
        let mut decoder = self.tensor.decoder()?;
        let mut values = [0.0; BLOCK];
        for (first, part) in blocks(first, length) {
            let reference = self.reference.get(part).unwrap_or_default();
            let values = values.get_mut(..reference.len()).unwrap_or_default();
            decoder.decode(first, values)?;
            for (channel, at, length) in self.layout.rows(first, reference.len()) {
                let start = at.saturating_sub(first);
                let part = start..start.saturating_add(length);
                let reference = reference.get(part.clone()).unwrap_or_default();
                let values = values.get(part).unwrap_or_default();
                self.record(channel, errors, Elements::From(at), &Pairs { reference, values })?;
            }
        }
        Ok(())
    }

    /// Short rows: those of a channel are put together, tile by tile.
    fn gather(&self, first: usize, length: usize, errors: &mut [Errors]) -> Result<()> {
        let mut decoder = self.tensor.decoder()?;
        let mut tile = Vec::new();
        let bytes = self.tile.saturating_mul(size_of::<f32>());
        let no_memory = Error::OutOfMemory { what: "values of channels", bytes };
        tile.try_reserve_exact(self.tile).map_err(|_| no_memory)?;
        tile.resize(self.tile.min(length), 0.0_f32);
        let end = first.saturating_add(length);
        for start in (first..end).step_by(self.tile) {
            let length = end.saturating_sub(start).min(self.tile);
            let values = tile.get_mut(..length).unwrap_or_default();
            decoder.decode(start, values)?;
            for channel in 0..self.channels {
                self.gather_channel(channel, start, values, errors)?;
            }
        }
        Ok(())
    }

    fn gather_channel(
        &self,
        channel: usize,
        start: usize,
        values: &[f32],
        errors: &mut [Errors],
    ) -> Result<()> {
        let end = start.saturating_add(values.len());
        let mut some = Gathered { count: 0, ..Gathered::EMPTY };
        // The first of the channel's rows that may reach into the tile, and all later ones.
        let row = self.layout.row;
        let period = row.saturating_mul(self.channels);
        let before = start.checked_rem(period).unwrap_or(0);
        let mut at = start.saturating_sub(before).saturating_add(channel.saturating_mul(row));
        while at < end {
            for index in at.max(start)..at.saturating_add(row).min(end) {
                let reference = self.reference.get(index).copied().unwrap_or_default();
                let place = index.saturating_sub(start);
                let value = values.get(place).copied().unwrap_or_default();
                if some.push(reference, value, index) {
                    self.record(channel, errors, some.elements(), &some.pairs())?;
                    some.count = 0;
                }
            }
            at = at.saturating_add(period);
        }
        if some.count > 0 {
            self.record(channel, errors, some.elements(), &some.pairs())?;
        }
        Ok(())
    }

    fn record(
        &self,
        channel: usize,
        errors: &mut [Errors],
        elements: Elements<'_>,
        pairs: &Pairs<'_>,
    ) -> Result<()> {
        let Some(errors) = errors.get_mut(channel) else { return Ok(()) };
        errors.record(pairs, elements, &self.reach)
    }

    fn count_codes(&self, first: usize, length: usize, errors: &mut [Errors]) {
        if !self.options.code_histogram {
            return;
        }
        let mut codes = [0_i64; BLOCK];
        for (first, part) in blocks(first, length) {
            let codes = codes.get_mut(..part.len()).unwrap_or_default();
            self.tensor.read_block(first, codes);
            let mut codes = codes.iter();
            for (channel, _, length) in self.layout.rows(first, part.len()) {
                let Some(errors) = errors.get_mut(channel) else { continue };
                let Some(counts) = &mut errors.codes else { continue };
                codes.by_ref().take(length).for_each(|code| counts.note(*code));
            }
        }
    }
}

/// Pairs of a channel, and which elements they are.
struct Gathered {
    reference: [f32; BLOCK],
    values: [f32; BLOCK],
    indices: [usize; BLOCK],
    count: usize,
}

impl Gathered {
    const EMPTY: Gathered =
        Gathered { reference: [0.0; BLOCK], values: [0.0; BLOCK], indices: [0; BLOCK], count: 0 };

    /// Adds a pair; whether that was the last that there is room for.
    #[inline]
    fn push(&mut self, reference: f32, value: f32, index: usize) -> bool {
        if let (Some(to_reference), Some(to_value), Some(to_index)) = (
            self.reference.get_mut(self.count),
            self.values.get_mut(self.count),
            self.indices.get_mut(self.count),
        ) {
            (*to_reference, *to_value, *to_index) = (reference, value, index);
        }
        self.count = self.count.saturating_add(1);
        self.count >= BLOCK
    }

    fn elements(&self) -> Elements<'_> {
        Elements::At(self.indices.get(..self.count).unwrap_or_default())
    }

    fn pairs(&self) -> Pairs<'_> {
        Pairs {
            reference: self.reference.get(..self.count).unwrap_or_default(),
            values: self.values.get(..self.count).unwrap_or_default(),
        }
    }
}
