//! A file that is one tensor: a bare message or an array.

use super::{Format, InputError, Item, Loaded, Result, npy};
use caffe2_qtensor::{
    DenseTensor, Error, INT8_TYPE, QTENSOR_LOG_TYPE, QTENSOR_TYPE, QTensor, TENSOR_TYPE, peek,
    peek_proto,
};
use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Such a file.
pub(super) struct Single {
    path: PathBuf,
    format: Format,
    /// A message, which protobuf wants in memory.
    bytes: Vec<u8>,
    /// Of an array only what its header says.
    array: Option<npy::Header>,
    length: u64,
}

impl Single {
    pub(super) fn read(path: &Path, format: Format) -> Result<Single> {
        let system = |error| InputError::of_system(path, error);
        let length = std::fs::metadata(path).map_err(system)?.len();
        let (bytes, array) = match format {
            Format::Npy => {
                let mut file = File::open(path).map_err(system)?;
                let header = npy::Header::read(&mut file);
                (Vec::new(), Some(header.map_err(|error| InputError::of_file(path, error))?))
            }
            _ => (read_file(path)?, None),
        };
        Ok(Single { path: path.to_path_buf(), format, bytes, array, length })
    }

    pub(super) fn format(&self) -> Format {
        self.format
    }

    pub(super) fn item(&self) -> Item {
        let blob = peek(&self.bytes).ok();
        let (name, kind) = match self.format {
            Format::Npy => (&[][..], TENSOR_TYPE.as_bytes()),
            Format::QTensorProto => {
                (peek_proto(&self.bytes).unwrap_or_default(), QTENSOR_TYPE.as_bytes())
            }
            _ => blob.map_or_else(Default::default, |blob| (blob.name, blob.kind)),
        };
        let stem = self.path.file_stem().map(std::ffi::OsStr::as_encoded_bytes);
        let name = if name.is_empty() { stem.unwrap_or(b"tensor") } else { name };
        Item { name: name.to_vec(), kind: kind.to_vec(), bytes: self.length }
    }

    pub(super) fn load(&self) -> core::result::Result<Loaded, Error> {
        if let Some(header) = &self.array {
            return self.read_array(header).map(Loaded::Dense);
        }
        if self.format == Format::QTensorProto {
            return QTensor::deserialize_proto(&self.bytes).map(Loaded::Quantized);
        }
        let kind = peek(&self.bytes)?.kind;
        if kind == TENSOR_TYPE.as_bytes() {
            return match DenseTensor::deserialize(&self.bytes) {
                Err(Error::Unsupported { what: "element type", .. }) => Ok(Loaded::Other),
                loaded => loaded.map(Loaded::Dense),
            };
        }
        if [QTENSOR_TYPE, QTENSOR_LOG_TYPE, INT8_TYPE].iter().any(|it| it.as_bytes() == kind) {
            return QTensor::deserialize(&self.bytes).map(Loaded::Quantized);
        }
        Ok(Loaded::Other)
    }

    fn read_array(&self, header: &npy::Header) -> core::result::Result<DenseTensor, Error> {
        let io = |error: std::io::Error| Error::Io {
            operation: "read the .npy file",
            kind: error.kind(),
            code: error.raw_os_error().unwrap_or(0),
        };
        let mut file = File::open(&self.path).map_err(io)?;
        let length = file.metadata().map_err(io)?.len();
        file.seek(SeekFrom::Start(header.offset)).map_err(io)?;
        header.read_elements(&mut file, length.saturating_sub(header.offset))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// The bytes of a file that is one message, which protobuf limits to 2^31 - 1.
pub(super) fn read_file(path: &Path) -> Result<Vec<u8>> {
    let system = |error| InputError::of_system(path, error);
    let length = std::fs::metadata(path).map_err(system)?.len();
    if length > i32::MAX.unsigned_abs().into() {
        let reason = "The file is no minidb and, with more than 2^31 - 1 bytes, no message either.";
        return Err(InputError::other(path, reason));
    }
    std::fs::read(path).map_err(system)
}
