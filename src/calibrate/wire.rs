//! The state as bytes, of one size for a configuration.
//!
//! All numbers are little-endian. First 64 bytes: the letters `QTOB`, the version, the kind, the
//! treatment of values that are not finite, the axis (or all ones) and the number of channels, the
//! number of bins, the weight of a batch. Then each channel: numbers of finite values, NaN,
//! infinities above and below, zeros; the bits of the smallest and the largest value that is not
//! 0; of an average its batches, smallest and largest value; of a histogram the number, the sum
//! and the sum of squares of each slot. Last a checksum of everything, in which every changed word
//! shows.

use super::channel::{Average, Channel, Rest, range_of};
use super::config::{Kind, Missing, ObserverConfig};
use super::observer::Observer;
use super::state::{Histogram, zeros};
use crate::error::{Error, Result};
use crate::kernels::observe::{OCTAVES, Scan};

const MAGIC: u32 = u32::from_le_bytes(*b"QTOB");
const VERSION: u32 = 1;
const HEADER: usize = 64;
const COUNTS: usize = 48;
const AVERAGE: usize = 24;
const SLOT: usize = 40;
const CHECKSUM: usize = 8;
/// Stands for no axis.
const NO_AXIS: u64 = u64::MAX;

fn malformed(problem: &'static str, offset: usize) -> Error {
    let offset = u64::try_from(offset).unwrap_or(u64::MAX);
    Error::Malformed { message: "observer's state", problem, offset }
}

/// The bytes of a channel.
fn channel_size(kind: Kind) -> usize {
    COUNTS.saturating_add(match kind {
        Kind::Range => 0,
        Kind::MovingAverage { .. } => AVERAGE,
        Kind::Histogram { bins } => bins.saturating_add(OCTAVES).saturating_mul(SLOT),
    })
}

/// The bytes of a whole state.
pub(super) fn state_size(config: &ObserverConfig) -> Result<usize> {
    let limit = i128::try_from(isize::MAX).unwrap_or(i128::MAX);
    config
        .states()
        .checked_mul(channel_size(config.kind))
        .and_then(|bytes| bytes.checked_add(HEADER.saturating_add(CHECKSUM)))
        .filter(|bytes| isize::try_from(*bytes).is_ok())
        .ok_or(Error::Overflow { what: "observer's state", limit })
}

/// A checksum of words: multiplication by an odd number loses nothing, so a word that changes
/// changes the sum.
#[derive(Clone, Copy)]
struct Checksum(u64);

impl Checksum {
    fn of(bytes: &[u8]) -> u64 {
        let mut sum = Checksum(0x9e37_79b9_7f4a_7c15);
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            sum.add(u64::from_le_bytes(*word));
        }
        for byte in rest {
            sum.add(u64::from(*byte));
        }
        sum.0 ^ (sum.0 >> 32)
    }

    fn add(&mut self, word: u64) {
        self.0 = (self.0 ^ word).wrapping_mul(0xd6e8_feb8_6659_fd93).rotate_left(23);
    }
}

/// Writes to the front of what is left.
struct Writer<'a>(&'a mut [u8]);

impl Writer<'_> {
    fn bytes(&mut self, bytes: &[u8]) {
        if let Some((front, rest)) = core::mem::take(&mut self.0).split_at_mut_checked(bytes.len())
        {
            front.copy_from_slice(bytes);
            self.0 = rest;
        }
    }
    fn u32(&mut self, value: u32) {
        self.bytes(&value.to_le_bytes());
    }
    fn u64(&mut self, value: u64) {
        self.bytes(&value.to_le_bytes());
    }
    fn u128(&mut self, value: u128) {
        self.bytes(&value.to_le_bytes());
    }
}

/// Reads from the front of what is left; the sizes were checked before.
struct Reader<'a> {
    left: &'a [u8],
    offset: usize,
}

impl Reader<'_> {
    fn bytes<const N: usize>(&mut self) -> Result<[u8; N]> {
        let Some((front, rest)) = self.left.split_first_chunk::<N>() else {
            return Err(malformed("it ends too early", self.offset));
        };
        self.left = rest;
        self.offset = self.offset.saturating_add(N);
        Ok(*front)
    }
    fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.bytes()?))
    }
    fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_le_bytes(self.bytes()?))
    }
    fn u128(&mut self) -> Result<u128> {
        Ok(u128::from_le_bytes(self.bytes()?))
    }
}

impl Observer {
    /// The bytes of the serialized state: the same for all observers of a configuration, whatever
    /// they have seen.
    ///
    /// # Errors
    /// `Overflow` beyond what memory can hold.
    pub fn serialized_size(&self) -> Result<usize> {
        state_size(&self.config)
    }

    /// The state, to be kept or sent. Observers that have seen the same values have the same bytes.
    ///
    /// # Errors
    /// `OutOfMemory`; `Overflow` beyond what memory can hold.
    pub fn serialize(&self) -> Result<Vec<u8>> {
        let mut bytes = zeros(self.serialized_size()?)?;
        self.serialize_into(&mut bytes)?;
        Ok(bytes)
    }

    /// [`serialize`](Self::serialize) into memory of the caller's. Returns how much was written.
    ///
    /// # Errors
    /// `BufferTooSmall`; then nothing is written.
    pub fn serialize_into(&self, buffer: &mut [u8]) -> Result<usize> {
        let needed = self.serialized_size()?;
        let capacity = buffer.len();
        let Some(state) = buffer.get_mut(..needed) else {
            return Err(Error::BufferTooSmall { what: "buffer for the state", capacity, needed });
        };
        let Some((content, checksum)) = state.split_last_chunk_mut::<CHECKSUM>() else {
            return Err(Error::BufferTooSmall { what: "buffer for the state", capacity, needed });
        };
        let mut writer = Writer(content);
        self.config.write(&mut writer);
        for channel in &self.channels {
            channel.write(&mut writer);
        }
        *checksum = Checksum::of(content).to_le_bytes();
        Ok(needed)
    }

    /// An observer with a state that was serialized, here or on another machine.
    ///
    /// # Errors
    /// `Unsupported` for another version; `Malformed` for what is no state: of another size than it
    /// says, with a changed bit, or with numbers that no values have. `OutOfMemory`. At most 16 bytes
    /// are allocated per byte present, and nothing for what is only claimed.
    pub fn deserialize(bytes: &[u8]) -> Result<Observer> {
        let mut reader = Reader { left: bytes, offset: 0 };
        let config = ObserverConfig::read(&mut reader)?;
        if state_size(&config) != Ok(bytes.len()) {
            return Err(malformed("it has another length than it says", bytes.len()));
        }
        let Some((content, checksum)) = bytes.split_last_chunk::<CHECKSUM>() else {
            return Err(malformed("it ends too early", bytes.len()));
        };
        if Checksum::of(content) != u64::from_le_bytes(*checksum) {
            return Err(malformed("its checksum is another", content.len()));
        }
        let mut observer = Observer::new(&config)?;
        for channel in &mut observer.channels {
            let offset = reader.offset;
            channel.read(&mut reader)?;
            channel.check().map_err(|problem| malformed(problem, offset))?;
        }
        Ok(observer)
    }
}

impl ObserverConfig {
    fn write(&self, writer: &mut Writer<'_>) {
        let (kind, bins, weight) = match self.kind {
            Kind::Range => (0, 0, 0.0),
            Kind::Histogram { bins } => (1, bins, 0.0),
            Kind::MovingAverage { weight } => (2, 0, weight),
        };
        let wide = |value: usize| u64::try_from(value).unwrap_or(u64::MAX);
        writer.u32(MAGIC);
        writer.u32(VERSION);
        writer.u32(kind);
        writer.u32(u32::from(self.missing == Missing::Skip));
        writer.u64(self.channels.map_or(NO_AXIS, |(axis, _)| wide(axis)));
        writer.u64(wide(self.states()));
        writer.u64(wide(bins));
        writer.u64(f64::to_bits(weight));
        writer.u64(0);
        writer.u64(0);
    }

    fn read(reader: &mut Reader<'_>) -> Result<ObserverConfig> {
        if reader.u32()? != MAGIC {
            return Err(malformed("it does not begin with QTOB", 0));
        }
        let version = reader.u32()?;
        if version != VERSION {
            return Err(Error::Unsupported {
                what: "version of the observer's state",
                value: i128::from(version),
                reason: "this library reads version 1",
            });
        }
        let (kind, missing) = (reader.u32()?, reader.u32()?);
        let (axis, channels) = (reader.u64()?, reader.u64()?);
        let (bins, weight) = (reader.u64()?, f64::from_bits(reader.u64()?));
        let narrow = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
        let config = ObserverConfig {
            kind: match (kind, bins, weight.to_bits()) {
                (0, 0, 0) => Kind::Range,
                (1, bins, 0) => Kind::Histogram { bins: narrow(bins) },
                (2, 0, _) => Kind::MovingAverage { weight },
                _ => return Err(malformed("it is of no known kind", 8)),
            },
            channels: match (axis, channels) {
                (NO_AXIS, 1) => None,
                (axis, channels) => Some((narrow(axis), narrow(channels))),
            },
            missing: match missing {
                0 => Missing::Refuse,
                1 => Missing::Skip,
                _ => return Err(malformed("its treatment of non-finite values is unknown", 12)),
            },
        };
        if (reader.u64()?, reader.u64()?) != (0, 0) {
            return Err(malformed("bytes that should be 0 are not", 48));
        }
        config.check().map_err(|_| malformed("no observer has its configuration", 8))?;
        Ok(config)
    }
}

impl Channel {
    fn write(&self, writer: &mut Writer<'_>) {
        let scan = &self.scan;
        for count in
            [self.finite, scan.nan, scan.positive_infinite, scan.negative_infinite, scan.zeros]
        {
            writer.u64(count);
        }
        writer.u32(scan.min.to_bits());
        writer.u32(scan.max.to_bits());
        match &self.rest {
            Rest::Nothing => {}
            Rest::Average(average) => {
                writer.u64(average.batches);
                writer.u64(average.min.to_bits());
                writer.u64(average.max.to_bits());
            }
            Rest::Histogram(Histogram { bins, .. }) => {
                for ((count, first), second) in
                    bins.counts.iter().zip(&bins.first).zip(&bins.second)
                {
                    writer.u64(*count);
                    writer.u128(*first);
                    writer.u128(*second);
                }
            }
        }
    }

    fn read(&mut self, reader: &mut Reader<'_>) -> Result<()> {
        self.finite = reader.u64()?;
        self.scan = Scan {
            nan: reader.u64()?,
            positive_infinite: reader.u64()?,
            negative_infinite: reader.u64()?,
            zeros: reader.u64()?,
            min: f32::from_bits(reader.u32()?),
            max: f32::from_bits(reader.u32()?),
        };
        match &mut self.rest {
            Rest::Nothing => {}
            Rest::Average(average) => {
                let batches = reader.u64()?;
                let (min, max) = (f64::from_bits(reader.u64()?), f64::from_bits(reader.u64()?));
                *average = Average { batches, min, max };
            }
            Rest::Histogram(histogram) => {
                if let Some((min, max)) = range_of(&self.scan) {
                    (histogram.min, histogram.max) = (min, max);
                }
                let bins = &mut histogram.bins;
                for ((count, first), second) in
                    bins.counts.iter_mut().zip(&mut bins.first).zip(&mut bins.second)
                {
                    (*count, *first, *second) = (reader.u64()?, reader.u128()?, reader.u128()?);
                }
            }
        }
        Ok(())
    }
}
