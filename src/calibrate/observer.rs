//! Watching values, and putting together what several have watched.

use super::channel::{Channel, Workshop};
use super::config::{Kind, Missing, ObserverConfig};
use super::wire::state_size;
use crate::error::{Error, Excerpt, Result};
use crate::kernels::Level;
use crate::kernels::observe::{Scan, scan};
use crate::planes::product;
use crate::shape::{check_dims, checked_product};

/// Remembers of values what a choice of scale and bias needs.
///
/// ```
/// use caffe2_qtensor::calibrate::{Observer, ObserverConfig};
///
/// let config = ObserverConfig::default();
/// let (mut here, mut there) = (Observer::new(&config)?, Observer::new(&config)?);
/// here.observe(&[0.5, -1.0, 2.0], &[])?;
/// there.observe(&[0.25, 3.0], &[])?;
/// here.merge(&there)?;
///
/// // The same as one that saw everything.
/// let mut alone = Observer::new(&config)?;
/// alone.observe(&[3.0, 2.0, -1.0, 0.25, 0.5], &[])?;
/// assert_eq!(here.serialize()?, alone.serialize()?);
/// # Ok::<(), caffe2_qtensor::Error>(())
/// ```
///
/// Several threads observe by an observer each, whose states are then merged.
pub struct Observer {
    pub(super) config: ObserverConfig,
    pub(super) channels: Vec<Channel>,
    workshop: Workshop,
}

/// Where the values of channels lie in a batch.
pub(super) struct Shape {
    outer: usize,
    channels: usize,
    row: usize,
}

/// Values of a channel that are gathered before they are looked at.
const GATHERED: usize = 4096;

/// Rows from this length on are looked at where they are.
const LONG_ROW: usize = 1024;

impl Observer {
    /// An observer that has seen nothing. All the memory that it will ever have is taken here.
    ///
    /// # Errors
    /// `InvalidArgument` for a number of bins or a weight that there is not; `OutOfRange` for no
    /// channels, more than 2^24 or an axis that no tensor has; `OutOfMemory`.
    pub fn new(config: &ObserverConfig) -> Result<Observer> {
        config.check()?;
        // A system that promises memory which it does not have refuses what no machine has if it is
        // asked for all at once, and ends the process if it is asked for it channel by channel.
        drop(core::hint::black_box(reserved::<u8>(state_size(config)?)?));
        let mut channels = reserved(config.states())?;
        for _ in 0..config.states() {
            channels.push(Channel::new(config)?);
        }
        Ok(Observer { config: *config, channels, workshop: Workshop::new(config)? })
    }

    /// What it was made for.
    pub fn config(&self) -> &ObserverConfig {
        &self.config
    }

    /// How many channels there are; 1 where there is one scale for all values.
    pub fn channels(&self) -> usize {
        self.channels.len()
    }

    /// A second observer with the same state.
    ///
    /// # Errors
    /// `OutOfMemory`.
    pub fn try_clone(&self) -> Result<Observer> {
        let mut channels = reserved(self.channels.len())?;
        for channel in &self.channels {
            channels.push(channel.try_clone()?);
        }
        Ok(Observer { config: self.config, channels, workshop: Workshop::new(&self.config)? })
    }

    /// Forgets everything it has seen.
    pub fn reset(&mut self) {
        for channel in &mut self.channels {
            channel.clear();
        }
    }

    /// Sees a batch of values. `dims` are their dimensions, of which one may be the channels;
    /// without channels they may be left out.
    ///
    /// # Errors
    /// `NonFinite` for a NaN or an infinity unless the configuration skips them; `ShapeMismatch`
    /// for another number of values than the dimensions have, or of channels than the observer has;
    /// `OutOfRange` for an axis that is not there; `InvalidArgument` for a negative dimension;
    /// `Overflow` beyond 2^62 values in a channel, and for dimensions whose product is 2^63 or more. The
    /// observer stays as it was.
    pub fn observe(&mut self, values: &[f32], dims: &[i64]) -> Result<()> {
        let shape = self.shape(values.len(), dims)?;
        let more = u64::try_from(shape.outer.saturating_mul(shape.row)).unwrap_or(u64::MAX);
        for channel in &self.channels {
            channel.check_room(more)?;
        }
        let weight = match self.config.kind {
            Kind::MovingAverage { weight } => weight,
            _ => 0.0,
        };
        let refuse = self.config.missing == Missing::Refuse;
        if let ([channel], None, true) = (&mut *self.channels, self.config.channels, refuse) {
            let found = channel.take_finite(values, &mut self.workshop);
            if found.non_finite() > 0 {
                return refuse_non_finite(values);
            }
            channel.end_batch(&found, weight);
            return Ok(());
        }
        if refuse {
            refuse_non_finite(values)?;
        }
        let workshop = &mut self.workshop;
        for (index, channel) in self.channels.iter_mut().enumerate() {
            let mut batch = Scan::EMPTY;
            shape.each_part(index, values, |part| {
                batch.add(&channel.take(part, workshop));
                Ok(())
            })?;
            channel.end_batch(&batch, weight);
        }
        Ok(())
    }

    /// Adds what another observer has seen, which may have been on another machine.
    ///
    /// # Errors
    /// `Unsupported` for moving averages and for another kind or treatment of values that are not
    /// finite; `ShapeMismatch` for another number of channels or bins or another axis; `Overflow`
    /// beyond 2^62 values in a channel. The observer stays as it was.
    pub fn merge(&mut self, other: &Observer) -> Result<()> {
        self.config.check_same(&other.config)?;
        for (own, theirs) in self.channels.iter().zip(&other.channels) {
            own.check_room(theirs.total())?;
        }
        for (own, theirs) in self.channels.iter_mut().zip(&other.channels) {
            own.merge(theirs, &mut self.workshop);
        }
        Ok(())
    }

    fn shape(&self, values: usize, dims: &[i64]) -> Result<Shape> {
        check_dims(dims)?;
        let mismatch = |what, value: usize, expected: i128| Error::ShapeMismatch {
            what,
            value: i128::try_from(value).unwrap_or(i128::MAX),
            expected,
        };
        if !dims.is_empty() {
            let size = checked_product(dims)?;
            if usize::try_from(size) != Ok(values) {
                return Err(mismatch("number of values", values, i128::from(size)));
            }
        }
        let Some((axis, channels)) = self.config.channels else {
            return Ok(Shape { outer: 1, channels: 1, row: values });
        };
        let Some(extent) = dims.get(axis) else {
            return Err(Error::OutOfRange {
                what: "channel axis",
                value: i128::try_from(axis).unwrap_or(i128::MAX),
                min: 0,
                max: i128::try_from(dims.len()).unwrap_or(i128::MAX).saturating_sub(1),
            });
        };
        if usize::try_from(*extent) != Ok(channels) {
            let found = usize::try_from(*extent).unwrap_or(usize::MAX);
            let expected = i128::try_from(channels).unwrap_or(i128::MAX);
            return Err(mismatch("number of channels", found, expected));
        }
        Ok(Shape::new(dims, axis, channels, values))
    }
}

impl Shape {
    /// So many values, of which dimension `axis` are the channels.
    pub(super) fn new(dims: &[i64], axis: usize, channels: usize, values: usize) -> Shape {
        let inner = dims.get(axis..).and_then(|dims| dims.get(1..)).unwrap_or_default();
        let row = product(inner).and_then(|row| usize::try_from(row).ok()).unwrap_or(0);
        let outer = values.checked_div(row.saturating_mul(channels)).unwrap_or(0);
        Shape { outer, channels, row }
    }

    /// The values of a channel in parts that are worth a look: long rows where they are, others
    /// gathered.
    pub(super) fn each_part(
        &self,
        channel: usize,
        values: &[f32],
        mut look: impl FnMut(&[f32]) -> Result<()>,
    ) -> Result<()> {
        let mut rows = self.rows(channel, values);
        if self.row >= LONG_ROW {
            return rows.try_for_each(look);
        }
        let mut some = rows.flatten().copied();
        let mut gathered = [0.0; GATHERED];
        loop {
            let mut count = 0_usize;
            for (to, value) in gathered.iter_mut().zip(&mut some) {
                *to = value;
                count = count.saturating_add(1);
            }
            look(gathered.get(..count).unwrap_or_default())?;
            if count < GATHERED {
                return Ok(());
            }
        }
    }

    /// The rows of a channel.
    fn rows<'a>(&self, channel: usize, values: &'a [f32]) -> impl Iterator<Item = &'a [f32]> {
        let period = self.row.saturating_mul(self.channels);
        let (first, row) = (channel.saturating_mul(self.row), self.row);
        (0..self.outer).map(move |outer| {
            let start = outer.saturating_mul(period).saturating_add(first);
            values.get(start..start.saturating_add(row)).unwrap_or_default()
        })
    }
}

impl ObserverConfig {
    /// Refuses what cannot be merged.
    fn check_same(&self, other: &ObserverConfig) -> Result<()> {
        let different = |what, value: usize, expected: usize| {
            Err(Error::ShapeMismatch {
                what,
                value: i128::try_from(value).unwrap_or(i128::MAX),
                expected: i128::try_from(expected).unwrap_or(i128::MAX),
            })
        };
        let unlike = |what, value: &[u8], reason| {
            Err(Error::UnsupportedName { what, value: Excerpt::new(value), reason })
        };
        match (self.kind, other.kind) {
            (Kind::MovingAverage { .. }, Kind::MovingAverage { .. }) => {
                return Err(Error::Unsupported {
                    what: "number of moving averages to merge",
                    value: 2,
                    reason: "one depends on the order of its batches, which two do not have",
                });
            }
            (Kind::Histogram { bins: own }, Kind::Histogram { bins: theirs }) if own != theirs => {
                return different("number of bins", theirs, own);
            }
            (Kind::Histogram { .. }, Kind::Histogram { .. }) | (Kind::Range, Kind::Range) => {}
            _ => {
                let reason = "observers that are merged are of one kind";
                return unlike("kind of the other observer", other.kind.name(), reason);
            }
        }
        if self.missing != other.missing {
            let reason = "observers that are merged treat such values alike";
            let name: &[u8] = if other.missing == Missing::Skip { b"skip" } else { b"refuse" };
            return unlike("other observer's treatment of non-finite values", name, reason);
        }
        let (axis, other_axis) =
            (self.channels.unwrap_or((0, 0)), other.channels.unwrap_or((0, 0)));
        if axis.1 != other_axis.1 {
            return different("number of channels", other_axis.1, axis.1);
        }
        if axis.0 != other_axis.0 {
            return different("channel axis", other_axis.0, axis.0);
        }
        Ok(())
    }
}

/// Names the first value that is not finite.
pub(super) fn refuse_non_finite(values: &[f32]) -> Result<()> {
    const BLOCK: usize = 1 << 16;
    for (block, values) in values.chunks(BLOCK).enumerate() {
        if scan(Level::best(), values).non_finite() == 0 {
            continue;
        }
        if let Some((index, value)) = values.iter().enumerate().find(|(_, v)| !v.is_finite()) {
            let index = block.saturating_mul(BLOCK).saturating_add(index);
            return Err(Error::NonFinite { index, value: f64::from(*value) });
        }
    }
    Ok(())
}

/// An empty vector with room.
pub(super) fn reserved<T>(length: usize) -> Result<Vec<T>> {
    let mut vector = Vec::new();
    let bytes = length.saturating_mul(size_of::<T>());
    vector
        .try_reserve_exact(length)
        .map_err(|_| Error::OutOfMemory { what: "calibration channels", bytes })?;
    Ok(vector)
}
