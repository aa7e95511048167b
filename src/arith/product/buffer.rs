//! Memory that products work in.

use crate::error::{Error, Result};
use crate::planes::prefer_huge_pages;

/// Numbers that begin with a cache line: loads of whole registers then never take two.
#[derive(Debug, Default)]
pub(super) struct Buffer<T> {
    storage: Vec<T>,
    start: usize,
    count: usize,
}

const LINE: usize = 64;

impl<T: Copy + Default> Buffer<T> {
    pub(super) fn zeroed(count: usize, what: &'static str) -> Result<Buffer<T>> {
        let mut buffer = Buffer { storage: Vec::new(), start: 0, count: 0 };
        buffer.resize(count, what)?;
        Ok(buffer)
    }

    /// Gives it room for `count` numbers, of whatever value.
    pub(super) fn resize(&mut self, count: usize, what: &'static str) -> Result<()> {
        let line = LINE.checked_div(size_of::<T>()).unwrap_or(0);
        let needed = count.saturating_add(line);
        if self.storage.len() < needed {
            // What is there need not be copied.
            self.storage.clear();
            resize(&mut self.storage, needed, what)?;
            // At most a line less one number, unless the address is not known.
            self.start = self.storage.as_ptr().align_offset(LINE).min(line);
        }
        self.count = count;
        Ok(())
    }

    pub(super) fn numbers(&self) -> &[T] {
        let end = self.start.saturating_add(self.count);
        self.storage.get(self.start..end).unwrap_or_default()
    }

    pub(super) fn numbers_mut(&mut self) -> &mut [T] {
        let end = self.start.saturating_add(self.count);
        self.storage.get_mut(self.start..end).unwrap_or_default()
    }
}

/// Gives a vector another length, with new elements that are zero.
pub(super) fn resize<T: Copy + Default>(
    values: &mut Vec<T>,
    count: usize,
    what: &'static str,
) -> Result<()> {
    let bytes = count.saturating_mul(size_of::<T>());
    let more = count.saturating_sub(values.len());
    values.try_reserve_exact(more).map_err(|_| Error::OutOfMemory { what, bytes })?;
    prefer_huge_pages(values);
    values.resize(count, T::default());
    Ok(())
}
