//! What format a file has, by its first bytes and by what they lead to; never by its name.

use super::{Format, InputError, Result, npy, single};
use caffe2_qtensor::minidb::Reader;
use caffe2_qtensor::net::Net;
use caffe2_qtensor::{Error, QTensor, peek};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Keys of a database are shorter than this: the two upper bytes of the first record's first length
/// are 0, as in no message.
const LONGEST_KEY: u32 = 1 << 16;

/// Recognizes a file.
pub(super) fn recognize(path: &Path) -> Result<Format> {
    let about = |error: Error| InputError::of_file(path, error);
    let system = |error| InputError::of_system(path, error);
    // It may be no database, and is not to be called one.
    let kind = std::fs::metadata(path).map_err(system)?.file_type();
    if !kind.is_file() {
        let kind = if kind.is_dir() { "it is a directory" } else { "it is a pipe or a device" };
        return Err(system(io::Error::other(kind)));
    }
    let mut front = Vec::new();
    let file = File::open(path).and_then(|file| file.take(8).read_to_end(&mut front));
    file.map_err(system)?;
    let mut reader = Reader::open(path).map_err(about)?;
    if front.is_empty() {
        return Err(InputError::other(path, "The file is empty."));
    }
    if front.starts_with(npy::MAGIC) {
        return Ok(Format::Npy);
    }
    let record = reader.next_entry().map(drop);
    if record.is_ok() {
        return Ok(Format::Minidb);
    }
    // A message cannot be taken for a network by its type: that is no operator.
    if Net::open(path).is_ok_and(|net| is_net(&net)) {
        return Ok(Format::Net);
    }
    let key = front.first_chunk().map(|bytes| u32::from_le_bytes(*bytes));
    if let (Err(error), Some(1..LONGEST_KEY)) = (record, key) {
        return Err(about(error));
    }
    let bytes = single::read_file(path)?;
    if peek(&bytes).is_ok_and(|blob| is_name(blob.kind)) {
        return Ok(Format::Blob);
    }
    if QTensor::deserialize_proto(&bytes).is_ok() {
        return Ok(Format::QTensorProto);
    }
    let reason = "The file is none that is read: no minidb, no NetDef of fill operators, no \
                  BlobProto, no QTensorProto and no .npy.";
    Err(InputError::other(path, reason))
}

/// Whether a type is a name, as types are.
fn is_name(kind: &[u8]) -> bool {
    !kind.is_empty() && kind.iter().all(u8::is_ascii_graphic)
}

/// Whether what reads as a network is one: of operators whose types are names.
fn is_net(net: &Net<'_>) -> bool {
    !net.fills().is_empty() && net.fills().iter().all(|fill| is_name(fill.kind()))
}
