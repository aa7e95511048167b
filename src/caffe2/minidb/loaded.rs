//! A whole database in memory.

use super::blob_name;
use super::reader::{Reader, Record};
use crate::caffe2::blob::{TENSOR_TYPE, is_quantized};
use crate::caffe2::dense::DenseTensor;
use crate::error::{Error, Result};
use crate::params::try_copy;
use crate::tensor::QTensor;
use std::path::Path;

/// A blob of a database, decoded.
#[derive(Debug)]
pub struct LoadedBlob {
    /// The blob's name: its key, without the number of a chunk.
    pub name: Vec<u8>,
    /// The blob's type, such as `QTensor`.
    pub kind: Vec<u8>,
    /// What it holds.
    pub value: Value,
    /// The place of its first record.
    order: usize,
}

/// What a blob holds.
#[derive(Debug)]
pub enum Value {
    /// A quantized tensor, of type `QTensor`, `QTensorLog` or `Int8TensorCPU`.
    Quantized(QTensor),
    /// An ordinary tensor, put together from its chunks.
    Dense(DenseTensor),
    /// A blob of a type that is not read here, or an ordinary tensor of strings.
    Other,
}

/// A record and its place in the file's order.
struct Indexed {
    key: Vec<u8>,
    /// The length of the key without the number of a chunk.
    name_length: usize,
    record: Record,
    order: usize,
}

impl Indexed {
    fn name(&self) -> &[u8] {
        self.key.get(..self.name_length).unwrap_or_default()
    }
}

/// Reads every blob of a database, in the order of their first records.
///
/// ```no_run
/// use caffe2_qtensor::minidb::{Value, load_all};
///
/// for blob in load_all("model.minidb".as_ref())? {
///     if let Value::Quantized(tensor) = blob.value {
///         println!("{:?}: {tensor:?}", blob.name);
///     }
/// }
/// # Ok::<(), caffe2_qtensor::Error>(())
/// ```
///
/// # Errors
/// What [`Reader::next_entry`], [`QTensor::deserialize`] and [`Reader::load_dense`] refuse, for
/// any blob: a damaged one is not passed over.
pub fn load_all(path: &Path) -> Result<Vec<LoadedBlob>> {
    let reader = Reader::open(path)?;
    let mut records = index(&reader)?;
    // Chunks of one tensor become neighbors; a search for each name would be quadratic.
    records.sort_unstable_by(|a, b| (a.name(), a.order).cmp(&(b.name(), b.order)));
    let mut blobs: Vec<LoadedBlob> = Vec::new();
    reserve(&mut blobs, expected_blobs(&records))?;
    for same_name in records.chunk_by(|a, b| a.name() == b.name()) {
        let mut chunks: Vec<Record> = Vec::new();
        let mut first_chunk = None;
        for Indexed { key, record, order, .. } in same_name {
            let kind = reader.kind(*record)?;
            if kind == TENSOR_TYPE.as_bytes() {
                reserve(&mut chunks, 1)?;
                chunks.push(*record);
                first_chunk = first_chunk.or(Some((*order, kind)));
            } else {
                let value = load(&reader, *record, &kind)?;
                reserve(&mut blobs, 1)?;
                blobs.push(LoadedBlob { name: try_copy(key)?, kind, value, order: *order });
            }
        }
        if let (Some((order, kind)), [first, ..]) = (first_chunk, same_name) {
            let value = match reader.assemble(&chunks) {
                Ok(tensor) => Value::Dense(tensor),
                // Strings and undefined elements are somebody else's.
                Err(Error::Unsupported { what: "element type", .. }) => Value::Other,
                Err(error) => return Err(error),
            };
            let name = try_copy(first.name())?;
            reserve(&mut blobs, 1)?;
            blobs.push(LoadedBlob { name, kind, value, order });
        }
    }
    blobs.sort_unstable_by_key(|blob| blob.order);
    Ok(blobs)
}

/// How many blobs sorted records make up, if every chunk is one: too few only where a key that
/// looks like a chunk's is something else.
fn expected_blobs(records: &[Indexed]) -> usize {
    let is_chunk = |record: &Indexed| record.name_length != record.key.len();
    let whole = records.iter().filter(|record| !is_chunk(record)).count();
    let chunked = records
        .chunk_by(|a, b| a.name() == b.name())
        .filter(|same_name| same_name.iter().any(is_chunk))
        .count();
    whole.saturating_add(chunked)
}

fn index(reader: &Reader) -> Result<Vec<Indexed>> {
    let (mut records, mut next, mut key) = (Vec::new(), 0, Vec::new());
    while let Some(record) = reader.record_at(next, &mut key)? {
        reserve(&mut records, 1)?;
        let name_length = blob_name(&key).len();
        records.push(Indexed { key: try_copy(&key)?, name_length, record, order: records.len() });
        next = record.end;
    }
    Ok(records)
}

fn load(reader: &Reader, record: Record, kind: &[u8]) -> Result<Value> {
    if is_quantized(kind) {
        let mut value = Vec::new();
        reader.read_value(record, &mut value)?;
        return QTensor::deserialize(&value).map(Value::Quantized);
    }
    Ok(Value::Other)
}

fn reserve<T>(values: &mut Vec<T>, more: usize) -> Result<()> {
    let bytes = values.len().saturating_add(more).saturating_mul(size_of::<T>());
    let failed = Error::OutOfMemory { what: "list of blobs", bytes };
    values.try_reserve(more).map_err(|_| failed)
}
