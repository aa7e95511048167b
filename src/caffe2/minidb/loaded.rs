//! A whole database in memory.

use super::blob_name;
use super::reader::{Reader, Record};
use crate::caffe2::blob::{INT8_TYPE, QTENSOR_TYPE, TENSOR_TYPE};
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
}

/// What a blob holds.
#[derive(Debug)]
pub enum Value {
    /// A quantized tensor, of type `QTensor` or `Int8TensorCPU`.
    Quantized(QTensor),
    /// An ordinary tensor, put together from its chunks.
    Dense(DenseTensor),
    /// A blob of a type that is not read here, or an ordinary tensor of strings.
    Other,
}

/// A record and its place in the file's order.
struct Indexed {
    key: Vec<u8>,
    record: Record,
    order: usize,
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
    records
        .sort_unstable_by(|a, b| (blob_name(&a.key), a.order).cmp(&(blob_name(&b.key), b.order)));
    let mut blobs: Vec<(usize, LoadedBlob)> = Vec::new();
    reserve(&mut blobs, records.len())?;
    for same_name in records.chunk_by(|a, b| blob_name(&a.key) == blob_name(&b.key)) {
        let mut chunks: Vec<Record> = Vec::new();
        let mut first_chunk = None;
        for Indexed { key, record, order } in same_name {
            let kind = reader.kind(*record)?;
            if kind == TENSOR_TYPE.as_bytes() {
                reserve(&mut chunks, 1)?;
                chunks.push(*record);
                first_chunk = first_chunk.or(Some((*order, kind)));
            } else {
                let value = load(&reader, *record, &kind)?;
                blobs.push((*order, LoadedBlob { name: try_copy(key)?, kind, value }));
            }
        }
        if let (Some((order, kind)), [Indexed { key, .. }, ..]) = (first_chunk, same_name) {
            let value = match reader.assemble(&chunks) {
                Ok(tensor) => Value::Dense(tensor),
                // Strings and undefined elements are somebody else's.
                Err(Error::Unsupported { what: "element type", .. }) => Value::Other,
                Err(error) => return Err(error),
            };
            let name = try_copy(blob_name(key))?;
            blobs.push((order, LoadedBlob { name, kind, value }));
        }
    }
    blobs.sort_unstable_by_key(|(order, _)| *order);
    let mut in_order = Vec::new();
    reserve(&mut in_order, blobs.len())?;
    in_order.extend(blobs.into_iter().map(|(_, blob)| blob));
    Ok(in_order)
}

fn index(reader: &Reader) -> Result<Vec<Indexed>> {
    let (mut records, mut next, mut key) = (Vec::new(), 0, Vec::new());
    while let Some(record) = reader.record_at(next, &mut key)? {
        reserve(&mut records, 1)?;
        records.push(Indexed { key: try_copy(&key)?, record, order: records.len() });
        next = record.end;
    }
    Ok(records)
}

fn load(reader: &Reader, record: Record, kind: &[u8]) -> Result<Value> {
    if kind == QTENSOR_TYPE.as_bytes() || kind == INT8_TYPE.as_bytes() {
        let mut value = Vec::new();
        reader.read_value(record, &mut value)?;
        return QTensor::deserialize(&value).map(Value::Quantized);
    }
    Ok(Value::Other)
}

fn reserve<T>(values: &mut Vec<T>, more: usize) -> Result<()> {
    let failed = Error::OutOfMemory { what: "list of blobs", bytes: size_of::<T>() };
    values.try_reserve(more).map_err(|_| failed)
}
