//! Payloads that are read a part at a time, from bytes that need not all be in memory.

use super::{Scanner, Source, Span};
use crate::error::{Error, Result};

impl<S: Source> Scanner<S> {
    /// Scans a message inside this one by the same source, which is this one's again afterwards.
    pub(crate) fn lend(&mut self, span: Span, message: &'static str) -> Result<Scanner<&mut S>> {
        match self.depth.checked_sub(1) {
            Some(depth) => Ok(Scanner::at_depth(&mut self.source, span, message, depth)),
            None => Err(self.error("messages are nested too deep")),
        }
    }

    /// Shows a payload piece by piece, in pieces whose length is a multiple of `unit`, at most 8;
    /// so is the payload's.
    pub(crate) fn each_part(
        &mut self,
        span: Span,
        unit: usize,
        mut visit: impl FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        let mut parts = Scanner::at_depth(&mut self.source, span, self.message, 0);
        while parts.at < parts.end {
            let mut few = [0u8; 8];
            let at_hand = parts.at_hand();
            let whole = at_hand.len().saturating_sub(at_hand.len().checked_rem(unit).unwrap_or(0));
            let taken = match at_hand.get(..whole).filter(|part| !part.is_empty()) {
                Some(part) => {
                    visit(part)?;
                    part.len()
                }
                None => {
                    // Where the bytes at hand end within a unit it is put together byte by byte.
                    let few = few.get_mut(..unit).unwrap_or_default();
                    let start = parts.at;
                    for byte in few.iter_mut() {
                        *byte = parts.next_byte()?;
                    }
                    parts.at = start;
                    visit(few)?;
                    few.len()
                }
            };
            parts.at = parts.at.saturating_add(u64::try_from(taken).unwrap_or(u64::MAX));
        }
        Ok(())
    }

    /// Reads a payload into a buffer of its length.
    pub(crate) fn read_bytes(&mut self, span: Span, to: &mut [u8]) -> Result<()> {
        let mut rest = to;
        self.each_part(span, 1, |part| {
            let length = part.len().min(rest.len());
            let (here, later) =
                core::mem::take(&mut rest).split_at_mut_checked(length).unwrap_or_default();
            here.copy_from_slice(part.get(..length).unwrap_or_default());
            rest = later;
            Ok(())
        })
    }

    /// A payload in memory of its own.
    pub(crate) fn copy_of(&mut self, span: Span, what: &'static str) -> Result<Vec<u8>> {
        let length = usize::try_from(span.len()).unwrap_or(usize::MAX);
        let mut bytes = Vec::new();
        let failed = Error::OutOfMemory { what, bytes: length };
        bytes.try_reserve_exact(length).map_err(|_| failed)?;
        bytes.resize(length, 0);
        self.read_bytes(span, &mut bytes)?;
        Ok(bytes)
    }

    /// Shows the varints of a packed payload.
    pub(crate) fn each_varint(
        &mut self,
        span: Span,
        mut visit: impl FnMut(u64) -> Result<()>,
    ) -> Result<()> {
        let mut values = Scanner::at_depth(&mut self.source, span, self.message, 0);
        while values.at < values.end {
            visit(values.varint()?)?;
        }
        Ok(())
    }
}
