//! What format a file has, by its first bytes and by what they lead to; never by its name.

use super::{Format, InputError, Result};
use caffe2_qtensor::minidb::Reader;
use caffe2_qtensor::{QTensor, peek};
use std::path::Path;

/// Recognizes a file.
pub(super) fn recognize(path: &Path) -> Result<Format> {
    // Opens regular files only, and says what else it found.
    let mut reader = Reader::open(path).map_err(|error| InputError::of_file(path, error))?;
    let record = reader.next_entry().map(|entry| entry.map(|_| ()));
    match record {
        Ok(Some(())) => return Ok(Format::Minidb),
        Ok(None) => return Err(InputError::other(path, "The file is empty.")),
        Err(_) => {}
    }
    let bytes = super::single::read_file(path)?;
    if peek(&bytes).is_ok_and(|blob| !blob.kind.is_empty()) {
        return Ok(Format::Blob);
    }
    if QTensor::deserialize_proto(&bytes).is_ok() {
        return Ok(Format::QTensorProto);
    }
    Err(InputError::other(path, "The file is none of: minidb, BlobProto, QTensorProto."))
}
