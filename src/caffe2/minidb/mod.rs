//! minidb: the database file that Caffe2 always has.
//!
//! Records one after another, each of two little-endian 32-bit lengths, a key and a value; the
//! key is the blob's name and the value a `BlobProto`. A chunk of a large tensor has the key
//! `name#%K`. The file ends after a whole record; anything else is damage.

mod assembly;
mod catalog;
mod loaded;
mod reader;
mod writer;

pub use catalog::{Catalog, Listed};
pub use loaded::{LoadedBlob, Value, load_all};
pub use reader::{Entry, Reader};
pub use writer::{DEFAULT_CHUNK, Writer};

use crate::error::{Error, Result};
use std::ffi::OsStr;
use std::fs::Metadata;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// What separates a tensor's name from the number of its chunk.
const CHUNK_SEPARATOR: &[u8] = b"#%";

/// Bytes of the two lengths in front of a record's key.
const HEADER: usize = 8;

/// A path as the operating system spells it.
pub(crate) fn as_path(path: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(path))
}

/// Refuses what is no regular file.
pub(super) fn check_file(operation: &'static str, metadata: &Metadata) -> Result<()> {
    let what = match metadata {
        _ if metadata.is_file() => return Ok(()),
        _ if metadata.is_dir() => "a directory",
        _ => "a pipe or a device",
    };
    Err(Error::NotAFile { operation, what })
}

/// The blob that a key belongs to: the key without the number of a chunk.
pub(crate) fn blob_name(key: &[u8]) -> &[u8] {
    let separator = key.windows(CHUNK_SEPARATOR.len()).rposition(|at| at == CHUNK_SEPARATOR);
    match separator.map(|at| key.split_at(at)) {
        Some((name, number)) if is_number(number.get(CHUNK_SEPARATOR.len()..)) => name,
        _ => key,
    }
}

fn is_number(digits: Option<&[u8]>) -> bool {
    digits.is_some_and(|digits| !digits.is_empty() && digits.iter().all(u8::is_ascii_digit))
}
