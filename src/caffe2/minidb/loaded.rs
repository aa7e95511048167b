//! A whole database in memory.

use super::catalog::{Catalog, reserve};
use crate::caffe2::dense::DenseTensor;
use crate::error::Result;
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
    /// A quantized tensor, of type `QTensor`, `QTensorLog` or `Int8TensorCPU`.
    Quantized(QTensor),
    /// An ordinary tensor, put together from its chunks.
    Dense(DenseTensor),
    /// A blob of a type that is not read here, or an ordinary tensor of strings.
    Other,
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
/// What [`Catalog::open`] and [`Listed::load`](super::Listed::load) refuse, for any blob: a damaged
/// one is not passed over. At most 64 bytes are allocated per byte of the file.
pub fn load_all(path: &Path) -> Result<Vec<LoadedBlob>> {
    let catalog = Catalog::open(path)?;
    let mut blobs = Vec::new();
    reserve(&mut blobs, catalog.len())?;
    for blob in catalog.blobs() {
        let (name, kind) = (try_copy(blob.name())?, try_copy(blob.kind())?);
        blobs.push(LoadedBlob { name, kind, value: blob.load()? });
    }
    Ok(blobs)
}
