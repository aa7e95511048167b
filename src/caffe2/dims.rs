//! The dimensions in a message, which every tensor message has in its first field.

use super::wire::{Payload, Scanner, Source, as_signed};
use crate::error::{Error, Result};
use crate::params::try_copy;
use crate::shape::MAX_DIMS;

/// The number of the field.
pub(crate) const FIELD: u32 = 1;

/// The dimensions that were read so far.
#[derive(Default)]
pub(crate) struct Dims {
    /// The first [`MAX_DIMS`] of them; `count` counts them all.
    first: Vec<i64>,
    count: usize,
}

impl Dims {
    /// Dimensions that something else has read.
    pub(crate) fn of(dims: &[i64]) -> Result<Dims> {
        let first = try_copy(dims.get(..MAX_DIMS).unwrap_or(dims))?;
        Ok(Dims { first, count: dims.len() })
    }

    /// Adds one occurrence of the field, packed or not.
    pub(crate) fn add(&mut self, payload: Payload, scanner: &Scanner<&[u8]>) -> Result<()> {
        match payload {
            Payload::Varint(value) => self.push(value),
            Payload::Bytes(span) => scanner.packed(span).try_for_each(|value| self.push(value?)),
            // Of another wire type, it is an unknown field.
            _ => Ok(()),
        }
    }

    /// Adds one occurrence of the field in bytes that are looked at a part at a time.
    pub(crate) fn add_from<S: Source>(
        &mut self,
        payload: Payload,
        scanner: &mut Scanner<S>,
    ) -> Result<()> {
        match payload {
            Payload::Varint(value) => self.push(value),
            Payload::Bytes(span) => scanner.each_varint(span, |value| self.push(value)),
            _ => Ok(()),
        }
    }

    fn push(&mut self, value: u64) -> Result<()> {
        self.count = self.count.saturating_add(1);
        if self.count <= MAX_DIMS {
            let failed = Error::OutOfMemory { what: "dimensions", bytes: size_of::<i64>() };
            self.first.try_reserve(1).map_err(|_| failed)?;
            self.first.push(as_signed(value));
        }
        Ok(())
    }

    /// The dimensions, refused where there are too many or one is negative.
    pub(crate) fn get(&self) -> Result<&[i64]> {
        if self.count > MAX_DIMS {
            return Err(Error::Unsupported {
                what: "number of dimensions",
                value: i128::try_from(self.count).unwrap_or(i128::MAX),
                reason: "a tensor has at most 64 dimensions",
            });
        }
        match self.first.iter().find(|dim| **dim < 0) {
            None => Ok(&self.first),
            Some(dim) => {
                let (field, value) = ("dims", i128::from(*dim));
                Err(Error::MalformedValue { field, value, rule: "0 or more" })
            }
        }
    }

    /// The dimensions, taken away, refused as by [`Dims::get`].
    pub(crate) fn take(&mut self) -> Result<Vec<i64>> {
        self.get()?;
        Ok(core::mem::take(&mut self.first))
    }
}
