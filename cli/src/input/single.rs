//! A file that is one tensor: a bare message.

use super::{Format, InputError, Item, Loaded, Result};
use caffe2_qtensor::minidb::Writer;
use caffe2_qtensor::{
    DenseTensor, Error, INT8_TYPE, QTENSOR_LOG_TYPE, QTENSOR_TYPE, QTensor, TENSOR_TYPE, peek,
    peek_proto,
};
use std::path::{Path, PathBuf};

/// The bytes of such a file.
pub(super) struct Single {
    path: PathBuf,
    format: Format,
    bytes: Vec<u8>,
}

impl Single {
    pub(super) fn read(path: &Path, format: Format) -> Result<Single> {
        Ok(Single { path: path.to_path_buf(), format, bytes: read_file(path)? })
    }

    pub(super) fn format(&self) -> Format {
        self.format
    }

    pub(super) fn item(&self) -> Item {
        let blob = peek(&self.bytes).ok();
        let (name, kind) = match self.format {
            Format::QTensorProto => {
                (peek_proto(&self.bytes).unwrap_or_default(), QTENSOR_TYPE.as_bytes())
            }
            _ => blob.map_or_else(Default::default, |blob| (blob.name, blob.kind)),
        };
        let stem = self.path.file_stem().map(std::ffi::OsStr::as_encoded_bytes);
        let name = if name.is_empty() { stem.unwrap_or(b"tensor") } else { name };
        let bytes = u64::try_from(self.bytes.len()).unwrap_or(u64::MAX);
        Item { name: name.to_vec(), kind: kind.to_vec(), bytes }
    }

    pub(super) fn load(&self) -> core::result::Result<Loaded, Error> {
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

    pub(super) fn copy(&self, to: &mut Writer) -> core::result::Result<(), Error> {
        let name = self.item().name;
        match self.load()? {
            Loaded::Quantized(tensor) if self.format == Format::QTensorProto => {
                to.append(&name, &tensor)
            }
            _ => to.append_bytes(&name, &self.bytes),
        }
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
