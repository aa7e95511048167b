//! Bytes that are looked at a part at a time, in a file or in memory: what a message is scanned from
//! that need not fit into memory.

use super::wire::Source;
use crate::error::{Error, Result};
use std::fs::File;
use std::os::unix::fs::FileExt;

/// Where bytes are.
#[derive(Clone, Copy)]
pub(crate) enum Bytes<'a> {
    /// In a file, with the words for an error: "Cannot {operation}".
    File(&'a File, &'static str),
    /// In memory.
    Memory(&'a [u8]),
}

impl Bytes<'_> {
    /// Reads what there is from `offset` on, as far as the buffer goes; nothing only at the end.
    fn read_some(&self, buffer: &mut [u8], offset: u64) -> Result<usize> {
        match self {
            Bytes::File(file, operation) => loop {
                match file.read_at(buffer, offset) {
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                    result => return result.map_err(Error::io(operation)),
                }
            },
            Bytes::Memory(bytes) => {
                let rest = bytes.at_hand(offset);
                let length = rest.len().min(buffer.len());
                if let (Some(to), Some(from)) = (buffer.get_mut(..length), rest.get(..length)) {
                    to.copy_from_slice(from);
                }
                Ok(length)
            }
        }
    }
}

/// A part of the bytes, which moves to wherever one is looked at.
pub(crate) struct Window<'a, const N: usize> {
    bytes: Bytes<'a>,
    start: u64,
    filled: usize,
    buffer: [u8; N],
}

impl<'a, const N: usize> Window<'a, N> {
    pub(crate) fn new(bytes: Bytes<'a>) -> Window<'a, N> {
        Window { bytes, start: 0, filled: 0, buffer: [0; N] }
    }
}

impl<const N: usize> Source for Window<'_, N> {
    fn byte(&mut self, at: u64) -> Result<Option<u8>> {
        if let Some(byte) = self.at_hand(at).first() {
            return Ok(Some(*byte));
        }
        self.start = at;
        self.filled = 0;
        self.filled = self.bytes.read_some(&mut self.buffer, at)?;
        Ok(self.at_hand(at).first().copied())
    }

    fn at_hand(&self, at: u64) -> &[u8] {
        let held = self.buffer.get(..self.filled).unwrap_or_default();
        let within = at.checked_sub(self.start).and_then(|at| usize::try_from(at).ok());
        within.and_then(|at| held.get(at..)).unwrap_or_default()
    }
}
