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
/// It takes some hundred bytes of memory for each record. The file must not be changed while it is
/// open.
///
/// ```no_run
/// use caffe2_qtensor::minidb::{Catalog, Value};
///
/// let catalog = Catalog::open("model.minidb".as_ref())?;
/// for blob in catalog.blobs() {
///     if let Value::Dense(tensor) = catalog.load(blob)? {
///         println!("{:?}: {:?}", blob.name(), tensor.dims());
///     }
/// }
/// # Ok::<(), caffe2_qtensor::Error>(())
/// ```
pub struct Catalog {
    reader: Reader,
    records: Vec<Indexed>,
    blobs: Vec<Listed>,
}

/// A blob of a [`Catalog`].
#[derive(Debug)]
pub struct Listed {
    name: Vec<u8>,
    kind: Vec<u8>,
    /// Which of the sorted records are the blob's.
    records: core::ops::Range<usize>,
    /// The place of its first record.
    order: usize,
    bytes: u64,
    damage: Option<Error>,
}

/// A record and its place in the file's order.
struct Indexed {
    key: Vec<u8>,
    /// The length of the key without the number of a chunk.
    name_length: usize,
    record: Record,
    order: usize,
    /// Whether it is an ordinary tensor or a chunk of one.
    is_tensor: bool,
    kind: Result<Vec<u8>>,
}

impl Indexed {
    fn name(&self) -> &[u8] {
        self.key.get(..self.name_length).unwrap_or_default()
    }
}

impl Listed {
    /// The blob's name: its key, without the number of a chunk where it is an ordinary tensor.
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// The blob's type, such as `QTensor`; empty where it has none or the blob is damaged.
    pub fn kind(&self) -> &[u8] {
        &self.kind
    }

    /// How many records hold it: more than one for a tensor in chunks.
    pub fn records(&self) -> usize {
        self.records.len()
    }

    /// The bytes of its messages, those of all chunks together.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What is wrong with the blob's message, where it has not even a type.
    pub fn damage(&self) -> Option<Error> {
        self.damage
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
            (a.name(), !a.is_tensor, a.order).cmp(&(b.name(), !b.is_tensor, b.order))
        });
        let same = |a: &Indexed, b: &Indexed| a.is_tensor && b.is_tensor && a.name() == b.name();
        let mut blobs: Vec<Listed> = Vec::new();
        reserve(&mut blobs, records.chunk_by(same).count())?;
        let mut start = 0usize;
        for group in records.chunk_by(same) {
            let end = start.saturating_add(group.len());
            if let [first, ..] = group {
                let name = if first.is_tensor { first.name() } else { &first.key };
                let bytes = group.iter().map(|it| it.record.length);
                let (kind, damage) = match &first.kind {
                    Ok(kind) => (try_copy(kind)?, None),
                    Err(error) => (Vec::new(), Some(*error)),
                };
                blobs.push(Listed {
                    name: try_copy(name)?,
                    kind,
                    records: start..end,
                    order: first.order,
                    bytes: bytes.fold(0, u64::saturating_add),
                    damage,
                });
            }
            start = end;
        }
        blobs.sort_unstable_by_key(|blob| blob.order);
        Ok(Catalog { reader, records, blobs })
    }

    /// The blobs, in the order of their first records.
    pub fn blobs(&self) -> &[Listed] {
        &self.blobs
    }

    /// Reads a blob of this catalog.
    ///
    /// # Errors
    /// What [`QTensor::deserialize`] and [`Reader::load_dense`] refuse; `Io`, `OutOfMemory`.
    pub fn load(&self, blob: &Listed) -> Result<Value> {
        if let Some(damage) = blob.damage {
            return Err(damage);
        }
        let records = self.records_of(blob);
        if blob.kind == TENSOR_TYPE.as_bytes() {
            let mut chunks = Vec::new();
            reserve(&mut chunks, records.len())?;
            chunks.extend(records.iter().map(|it| it.record));
            return match self.reader.assemble(&chunks) {
                Ok(tensor) => Ok(Value::Dense(tensor)),
                // Strings and undefined elements are somebody else's.
                Err(Error::Unsupported { what: "element type", .. }) => Ok(Value::Other),
                Err(error) => Err(error),
            };
        }
        match records {
            [it] if is_quantized(&blob.kind) => {
                let mut value = Vec::new();
                self.reader.read_value(it.record, &mut value)?;
                QTensor::deserialize(&value).map(Value::Quantized)
            }
            _ => Ok(Value::Other),
        }
    }

    /// Writes a blob of this catalog as it is: its records, byte for byte.
    ///
    /// # Errors
    /// What [`Writer::append_bytes`] refuses; `Io`, `OutOfMemory`.
    pub fn copy(&self, blob: &Listed, to: &mut Writer) -> Result<()> {
        let mut value = Vec::new();
        for it in self.records_of(blob) {
            self.reader.read_value(it.record, &mut value)?;
            to.append_bytes(&it.key, &value)?;
        }
        Ok(())
    }

    fn records_of(&self, blob: &Listed) -> &[Indexed] {
        self.records.get(blob.records.clone()).unwrap_or_default()
    }

    /// The list alone.
    pub(super) fn take_blobs(&mut self) -> Vec<Listed> {
        core::mem::take(&mut self.blobs)
    }
}

impl Listed {
    /// The name and the type, taken away.
    pub(super) fn into_names(self) -> (Vec<u8>, Vec<u8>) {
        (self.name, self.kind)
    }
}

fn index(reader: &Reader) -> Result<Vec<Indexed>> {
    let (mut records, mut next, mut key) = (Vec::new(), 0, Vec::new());
    while let Some(record) = reader.record_at(next, &mut key)? {
        let kind = match reader.kind(record) {
            Err(error) if error.kind() != ErrorKind::Malformed => return Err(error),
            kind => kind,
        };
        let is_tensor = kind.as_ref().is_ok_and(|kind| kind == TENSOR_TYPE.as_bytes());
        reserve(&mut records, 1)?;
        let (name_length, order) = (blob_name(&key).len(), records.len());
        records.push(Indexed { key: try_copy(&key)?, name_length, record, order, is_tensor, kind });
        next = record.end;
    }
    Ok(records)
}

pub(super) fn reserve<T>(values: &mut Vec<T>, more: usize) -> Result<()> {
    let bytes = values.len().saturating_add(more).saturating_mul(size_of::<T>());
    let failed = Error::OutOfMemory { what: "list of blobs", bytes };
    values.try_reserve(more).map_err(|_| failed)
}
