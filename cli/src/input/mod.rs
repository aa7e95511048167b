//! A file of floats or of tensors, whatever its format: a list of its tensors, each read when it is
//! wanted, so that one of them is in memory at a time.

mod error;
pub mod npy;
mod recognize;
mod single;

pub use error::{InputError, Result};

use caffe2_qtensor::minidb::{Catalog, Value, Writer};
use caffe2_qtensor::net::Net;
use caffe2_qtensor::{DenseTensor, Elements, Error, QTensor};
use single::Single;
use std::path::{Path, PathBuf};

/// What a file was recognized as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Caffe2's database file.
    Minidb,
    /// A `NetDef` of operators that fill tensors.
    Net,
    /// NumPy's file of one array.
    Npy,
    /// A `BlobProto` that stands alone.
    Blob,
    /// A `QTensorProto` that stands alone.
    QTensorProto,
}

impl Format {
    /// A word for it, as `--json` prints it.
    pub const fn name(self) -> &'static str {
        match self {
            Format::Minidb => "minidb",
            Format::Net => "net",
            Format::Npy => "npy",
            Format::Blob => "blob",
            Format::QTensorProto => "qtensor_proto",
        }
    }
}

/// An open file and the list of its tensors.
pub struct Input {
    path: PathBuf,
    held: Held,
    items: Vec<Item>,
}

/// Where tensors are read from.
enum Held {
    Minidb(Catalog),
    Net(Net<'static>),
    Single(Single),
}

/// A tensor, or something else, that a file holds.
#[derive(Clone, Debug)]
pub struct Item {
    /// Its name, any bytes. What stands alone without a name has that of its file, without the
    /// extension.
    pub name: Vec<u8>,
    /// Its type, such as `QTensor` or `Tensor`, or that of the operator that fills it.
    pub kind: Vec<u8>,
    /// The bytes that it takes in the file.
    pub bytes: u64,
}

/// What an item holds.
#[derive(Debug)]
pub enum Loaded {
    /// A quantized tensor, of type `QTensor`, `QTensorLog` or `Int8TensorCPU`.
    Quantized(QTensor),
    /// An ordinary tensor.
    Dense(DenseTensor),
    /// Something whose values are not read here, such as strings.
    Other,
}

impl Input {
    /// Opens a file, recognizes its format and lists what it holds.
    ///
    /// # Errors
    /// Where the file cannot be read, is of no format that is known, or is damaged so far that it
    /// cannot be listed.
    pub fn open(path: &Path) -> Result<Input> {
        let about = |error| InputError::of_file(path, error);
        let held = match recognize::recognize(path)? {
            Format::Minidb => Held::Minidb(Catalog::open(path).map_err(about)?),
            Format::Net => Held::Net(Net::open(path).map_err(about)?),
            format => Held::Single(Single::read(path, format)?),
        };
        let items = match &held {
            Held::Minidb(catalog) => catalog
                .blobs()
                .map(|blob| Item {
                    name: blob.name().to_vec(),
                    kind: blob.kind().to_vec(),
                    bytes: blob.bytes(),
                })
                .collect(),
            Held::Net(net) => net
                .fills()
                .iter()
                .map(|fill| Item {
                    name: fill.output().to_vec(),
                    kind: fill.kind().to_vec(),
                    bytes: fill.bytes(),
                })
                .collect(),
            Held::Single(single) => vec![single.item()],
        };
        Ok(Input { path: path.to_path_buf(), held, items })
    }

    /// The path that it was opened by.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the file was recognized as.
    pub fn format(&self) -> Format {
        match &self.held {
            Held::Minidb(_) => Format::Minidb,
            Held::Net(_) => Format::Net,
            Held::Single(single) => single.format(),
        }
    }

    /// What the file holds, in its order.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// Reads what stands at this place of the list.
    ///
    /// # Errors
    /// Where it is damaged or does not fit into memory; the message names the file and the item.
    pub fn load(&self, index: usize) -> Result<Loaded> {
        self.load_reusing(index, Vec::new())
    }

    /// [`Input::load`] with the memory of floats that are no longer needed, which those of a database
    /// are read into.
    ///
    /// # Errors
    /// As [`Input::load`].
    pub fn load_reusing(&self, index: usize, floats: Vec<f32>) -> Result<Loaded> {
        let loaded = match &self.held {
            Held::Minidb(catalog) => match catalog.blob(index) {
                Some(blob) => blob.load_reusing(floats).map(Loaded::from),
                None => Ok(Loaded::Other),
            },
            Held::Net(net) => match net.fills().get(index) {
                Some(fill) => net.load(fill).map(Loaded::from),
                None => Ok(Loaded::Other),
            },
            Held::Single(single) => single.load(),
        };
        loaded.map_err(|error| self.about(index, error))
    }

    /// Writes what stands at this place of the list as it is: the records of a database and a blob
    /// byte for byte, tensors of other files as the blobs that Caffe2 would write of them.
    ///
    /// Returns the bytes of its messages, or nothing where there is none: the strings of a network
    /// are no blob yet, and not read.
    ///
    /// # Errors
    /// As [`Input::load`]; where it cannot be written.
    pub fn copy(&self, index: usize, to: &mut Writer) -> Result<Option<u64>> {
        let about = |error| self.about(index, error);
        match &self.held {
            Held::Minidb(catalog) => match catalog.blob(index) {
                Some(blob) => blob.copy(to).map(|()| Some(blob.bytes())).map_err(about),
                None => Ok(None),
            },
            Held::Single(single) if single.format() == Format::Blob => {
                let (name, bytes) = (single.item().name, single.bytes());
                to.append_bytes(&name, bytes).map_err(about)?;
                Ok(u64::try_from(bytes.len()).ok())
            }
            _ => {
                let name = self.items.get(index).map(|item| item.name.as_slice());
                let written = write(name.unwrap_or_default(), &self.load(index)?, to);
                written.map_err(about)
            }
        }
    }

    fn about(&self, index: usize, error: Error) -> InputError {
        let name = self.items.get(index).map(|item| item.name.as_slice());
        InputError::of_item(&self.path, name.unwrap_or_default(), error)
    }
}

/// Writes a tensor as Caffe2 would; nothing where it is none.
fn write(
    name: &[u8],
    loaded: &Loaded,
    to: &mut Writer,
) -> core::result::Result<Option<u64>, Error> {
    let bytes = match loaded {
        Loaded::Quantized(tensor) => match tensor.int8_serialized_size(name) {
            // What Caffe2's int8 operators fill a tensor with.
            Ok(bytes) => {
                to.append_int8(name, tensor)?;
                bytes
            }
            Err(_) => {
                to.append(name, tensor)?;
                tensor.serialized_size(name)?
            }
        },
        Loaded::Dense(tensor) => {
            to.append_dense(name, tensor, 0)?;
            tensor.serialized_size(name)?
        }
        Loaded::Other => return Ok(None),
    };
    Ok(u64::try_from(bytes).ok())
}

impl Loaded {
    /// The memory of its floats, for [`Input::load_reusing`]; none where it has no such.
    pub fn into_memory(self) -> Vec<f32> {
        match self {
            Loaded::Dense(tensor) => match tensor.into_elements() {
                Some(Elements::Float(floats)) => floats,
                _ => Vec::new(),
            },
            _ => Vec::new(),
        }
    }
}

impl From<Value> for Loaded {
    fn from(value: Value) -> Loaded {
        match value {
            Value::Quantized(tensor) => Loaded::Quantized(tensor),
            Value::Dense(tensor) => Loaded::Dense(tensor),
            Value::Other => Loaded::Other,
        }
    }
}

/// A name as it can be shown: as text where it is some without control characters, else with
/// everything that is not ASCII escaped.
pub fn shown(name: &[u8]) -> String {
    match std::str::from_utf8(name) {
        Ok(text) if !text.chars().any(char::is_control) => text.to_owned(),
        _ => name.escape_ascii().to_string(),
    }
}
