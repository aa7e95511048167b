//! Small files of the kernel: a word or a number each.

use crate::error::{Error, Result};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Longer contents than this are no number, name or list of the kernel's.
const LONGEST: usize = 256;

/// What was read of a file, without white space around it.
pub(super) struct Text {
    bytes: [u8; LONGEST],
    length: usize,
}

impl Text {
    pub(super) fn bytes(&self) -> &[u8] {
        let text = self.bytes.get(..self.length).unwrap_or_default();
        // Behind the end there may be anything.
        if self.length == LONGEST { text } else { text.trim_ascii() }
    }
}

/// Opens a file, without waiting for the other end of a pipe.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    Ok(file)
}

/// What a file holds from its beginning on; more than fits is cut off, and then no number.
pub(super) fn read(file: &File) -> io::Result<Text> {
    let mut text = Text { bytes: [0; LONGEST], length: 0 };
    while let Some(room) = text.bytes.get_mut(text.length..).filter(|room| !room.is_empty()) {
        match file.read_at(room, u64::try_from(text.length).unwrap_or(u64::MAX)) {
            Ok(0) => break,
            Ok(count) => text.length = text.length.saturating_add(count),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(text)
}

/// The number that some digits and nothing else make up, in base 10.
pub(super) fn decimal(digits: &[u8]) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    core::str::from_utf8(digits).ok().filter(|_| is_number)?.parse().ok()
}

/// A path below another, fallibly allocated.
pub(super) fn below(root: &Path, parts: &[&str]) -> Result<PathBuf> {
    let length = parts
        .iter()
        .fold(root.as_os_str().len(), |sum, part| sum.saturating_add(part.len()).saturating_add(1));
    let mut path = PathBuf::new();
    path.try_reserve_exact(length)
        .map_err(|_| Error::OutOfMemory { what: "path of a counter", bytes: length })?;
    path.push(root);
    parts.iter().for_each(|part| path.push(part));
    Ok(path)
}
