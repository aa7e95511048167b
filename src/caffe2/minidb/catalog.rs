//! The blobs of a database by name: an index of its records, by which each is read when wanted.

use super::reader::{Reader, Record};
use super::writer::Writer;
use super::{blob_name, loaded::Value};
use crate::caffe2::blob::{TENSOR_TYPE, is_quantized};
use crate::error::{Error, ErrorKind, Result};
use crate::params::try_copy;
use crate::tensor::QTensor;
use std::path::Path;

/// What a database holds, without its blobs themselves: names, types and places.
///
/// It takes some hundred bytes of memory for each record, and at most 64 for each byte of the file. The file must not be changed while it is
/// open.
///
/// ```no_run
/// use caffe2_qtensor::minidb::{Catalog, Value};
///
/// let catalog = Catalog::open("model.minidb".as_ref())?;
/// for blob in catalog.blobs() {
///     if let Value::Dense(tensor) = blob.load()? {
///         println!("{:?}: {:?}", blob.name(), tensor.dims());
///     }
/// }
/// # Ok::<(), caffe2_qtensor::Error>(())
/// ```
pub struct Catalog {
    reader: Reader,
    records: Vec<Indexed>,
    /// In the order of their first records.
    blobs: Vec<Place>,
}

/// A blob of a [`Catalog`].
#[derive(Clone, Copy)]
pub struct Listed<'a> {
    reader: &'a Reader,
    /// One, or the chunks of a tensor.
    records: &'a [Indexed],
}

/// Which of the sorted records are a blob's.
struct Place {
    start: usize,
    count: usize,
}

/// A record and its place in the file's order.
struct Indexed {
    key: Vec<u8>,
    record: Record,
    order: usize,
    kind: Kind,
}

/// The type of a record's blob.
#[derive(PartialEq, Eq)]
enum Kind {
    Tensor,
    Other(Vec<u8>),
    /// The blob is damaged so far that it has none.
    Damaged,
}

impl Indexed {
    fn is_tensor(&self) -> bool {
        self.kind == Kind::Tensor
    }

    /// What the record's blob is called: chunks by the name of their tensor.
    fn name(&self) -> &[u8] {
        if self.is_tensor() { blob_name(&self.key) } else { &self.key }
    }
}

impl<'a> Listed<'a> {
    /// The blob's name: its key, without the number of a chunk where it is an ordinary tensor.
    pub fn name(&self) -> &'a [u8] {
        self.records.first().map_or(&[], Indexed::name)
    }

    /// The blob's type, such as `QTensor`; empty where it has none or the blob is damaged.
    pub fn kind(&self) -> &'a [u8] {
        match self.records.first().map(|it| &it.kind) {
            Some(Kind::Tensor) => TENSOR_TYPE.as_bytes(),
            Some(Kind::Other(kind)) => kind,
            Some(Kind::Damaged) | None => &[],
        }
    }

    /// How many records hold it: more than one for a tensor in chunks.
    pub fn records(&self) -> usize {
        self.records.len()
    }

    /// The bytes of its messages, those of all chunks together.
    pub fn bytes(&self) -> u64 {
        self.records.iter().map(|it| it.record.length).fold(0, u64::saturating_add)
    }

    /// Reads the blob.
    ///
    /// # Errors
    /// What [`QTensor::deserialize`] and [`Reader::load_dense`] refuse; `Io`, `OutOfMemory`.
    pub fn load(&self) -> Result<Value> {
        self.load_reusing(Vec::new())
    }

    /// [`load`](Self::load) with the memory of floats that are no longer needed, in which those of an
    /// ordinary tensor are read if they fit: for many tensors one after another, as new memory costs
    /// more than reading into it. [`DenseTensor::into_elements`](crate::DenseTensor::into_elements)
    /// gives it back.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn load_reusing(&self, floats: Vec<f32>) -> Result<Value> {
        let [first, ..] = self.records else { return Ok(Value::Other) };
        match &first.kind {
            Kind::Tensor => {
                match self.reader.assemble(self.records.iter().map(|it| it.record), floats) {
                    Ok(tensor) => Ok(Value::Dense(tensor)),
                    // Strings and undefined elements are somebody else's.
                    Err(Error::Unsupported { what: "element type", .. }) => Ok(Value::Other),
                    Err(error) => Err(error),
                }
            }
            Kind::Other(kind) if is_quantized(kind) => {
                let mut value = Vec::new();
                self.reader.read_value(first.record, &mut value)?;
                QTensor::deserialize(&value).map(Value::Quantized)
            }
            Kind::Other(_) => Ok(Value::Other),
            // Says what is wrong with it.
            Kind::Damaged => self.reader.kind(first.record).map(|_| Value::Other),
        }
    }

    /// Writes the blob as it is: its records, byte for byte.
    ///
    /// # Errors
    /// What [`Writer::append_bytes`] refuses; `Io`, `OutOfMemory`.
    pub fn copy(&self, to: &mut Writer) -> Result<()> {
        let mut value = Vec::new();
        for it in self.records {
            self.reader.read_value(it.record, &mut value)?;
            to.append_bytes(&it.key, &value)?;
        }
        Ok(())
    }
}

impl Catalog {
    /// Opens a database and lists its blobs in the order of their first records.
    ///
    /// # Errors
    /// What [`Reader::open`] refuses, and what [`Reader::next_entry`] refuses for a record; a blob
    /// that is damaged is listed all the same. `OutOfMemory`.
    pub fn open(path: &Path) -> Result<Catalog> {
        let reader = Reader::open(path)?;
        let mut records = index(&reader)?;
        // Chunks of one tensor become neighbors; a search for each name would be quadratic.
        records.sort_unstable_by(|a, b| {
            (a.name(), a.is_tensor(), a.order).cmp(&(b.name(), b.is_tensor(), b.order))
        });
        let same =
            |a: &Indexed, b: &Indexed| a.is_tensor() && b.is_tensor() && a.name() == b.name();
        let (mut blobs, mut start) = (Vec::new(), 0usize);
        reserve(&mut blobs, records.chunk_by(same).count())?;
        for group in records.chunk_by(same) {
            blobs.push(Place { start, count: group.len() });
            start = start.saturating_add(group.len());
        }
        blobs.sort_unstable_by_key(|place| records.get(place.start).map(|first| first.order));
        Ok(Catalog { reader, records, blobs })
    }

    /// How many blobs there are.
    pub fn len(&self) -> usize {
        self.blobs.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.blobs.is_empty()
    }

    /// The blob at a place in the order of the blobs' first records.
    pub fn blob(&self, index: usize) -> Option<Listed<'_>> {
        let Place { start, count } = *self.blobs.get(index)?;
        let records = self.records.get(start..start.saturating_add(count))?;
        Some(Listed { reader: &self.reader, records })
    }

    /// The blobs, in the order of their first records.
    pub fn blobs(&self) -> impl Iterator<Item = Listed<'_>> {
        (0..self.len()).filter_map(|index| self.blob(index))
    }
}

fn index(reader: &Reader) -> Result<Vec<Indexed>> {
    let (mut records, mut next, mut key) = (Vec::new(), 0, Vec::new());
    while let Some(record) = reader.record_at(next, &mut key)? {
        let kind = match reader.kind(record) {
            Ok(kind) if kind == TENSOR_TYPE.as_bytes() => Kind::Tensor,
            Ok(kind) => Kind::Other(kind),
            Err(error) if error.kind() == ErrorKind::Malformed => Kind::Damaged,
            Err(error) => return Err(error),
        };
        reserve(&mut records, 1)?;
        records.push(Indexed { key: try_copy(&key)?, record, order: records.len(), kind });
        next = record.end;
    }
    Ok(records)
}

pub(super) fn reserve<T>(values: &mut Vec<T>, more: usize) -> Result<()> {
    let bytes = values.len().saturating_add(more).saturating_mul(size_of::<T>());
    let failed = Error::OutOfMemory { what: "list of blobs", bytes };
    values.try_reserve(more).map_err(|_| failed)
}
