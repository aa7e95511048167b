//! The same stretch of several planes, to be written.

use super::cpu::Level;
use super::stream;
use core::marker::PhantomData;
use core::mem::MaybeUninit;

/// Equally long rows of bytes, a stride apart: a stretch of some planes that a kernel fills.
///
/// Stretches of one tensor can be split between threads, which slices of interleaved memory cannot.
/// The memory need not be initialized: nothing is read from it but what a kernel says that it
/// keeps.
pub struct Rows<'a> {
    start: *mut u8,
    stride: usize,
    count: usize,
    bytes: usize,
    memory: PhantomData<&'a mut [MaybeUninit<u8>]>,
}

// SAFETY: the rows are this value's alone, like those of a mutable slice.
unsafe impl Send for Rows<'_> {}

impl<'a> Rows<'a> {
    /// `count` rows of `bytes` bytes in `planes`, one every `stride` bytes from its start.
    ///
    /// Panics where the rows overlap or do not fit.
    pub fn new(planes: &'a mut [u8], stride: usize, count: usize, bytes: usize) -> Rows<'a> {
        let length = planes.len();
        Rows::at(planes.as_mut_ptr(), length, stride, count, bytes)
    }

    /// The same in memory that is not initialized yet.
    pub fn uninit(
        planes: &'a mut [MaybeUninit<u8>],
        stride: usize,
        count: usize,
        bytes: usize,
    ) -> Rows<'a> {
        let length = planes.len();
        Rows::at(planes.as_mut_ptr().cast(), length, stride, count, bytes)
    }

    fn at(start: *mut u8, length: usize, stride: usize, count: usize, bytes: usize) -> Rows<'a> {
        if let Some(above_first) = count.checked_sub(1) {
            assert!(above_first == 0 || stride >= bytes, "the planes overlap");
            let needed = above_first.checked_mul(stride).and_then(|last| last.checked_add(bytes));
            assert!(needed.is_some_and(|needed| needed <= length), "the planes do not fit");
        }
        Rows { start, stride, count, bytes, memory: PhantomData }
    }

    /// The number of rows.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The bytes of each.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// From the start of a row to the start of the next.
    pub(super) fn stride(&self) -> usize {
        self.stride
    }

    /// The first byte of the first row.
    pub(super) fn start(&mut self) -> *mut u8 {
        self.start
    }

    /// The first `bytes` bytes of every row, and the rest of every row.
    pub fn split_at(self, bytes: usize) -> (Rows<'a>, Rows<'a>) {
        assert!(bytes <= self.bytes, "a row is shorter than that");
        // Wrapping, because with no rows there is no memory to stay inside of.
        let rest = Rows {
            start: self.start.wrapping_add(bytes),
            bytes: self.bytes - bytes,
            memory: PhantomData,
            ..self
        };
        (Rows { bytes, ..self }, rest)
    }

    /// `count` rows from row `first` on, for the time of the borrow.
    pub fn some(&mut self, first: usize, count: usize) -> Rows<'_> {
        assert!(first <= self.count && count <= self.count - first, "there is no such row");
        Rows {
            start: self.start.wrapping_add(first.wrapping_mul(self.stride)),
            count,
            memory: PhantomData,
            ..*self
        }
    }

    /// `bytes` bytes of every row from byte `first` on, for the time of the borrow.
    pub fn part(&mut self, first: usize, bytes: usize) -> Rows<'_> {
        assert!(first <= self.bytes && bytes <= self.bytes - first, "a row is shorter than that");
        Rows { start: self.start.wrapping_add(first), bytes, memory: PhantomData, ..*self }
    }

    /// Sets one byte of one row.
    pub fn set(&mut self, row: usize, at: usize, value: u8) {
        assert!(row < self.count && at < self.bytes, "there is no such byte");
        // SAFETY: the byte is inside its row, whose memory this value may write.
        unsafe { self.start.add(row * self.stride + at).write(value) }
    }

    /// Sets a whole row, around the caches: visible to other threads after [`stream::fence`].
    pub fn store_streaming(&mut self, level: Level, row: usize, bytes: &[u8]) {
        assert!(row < self.count && bytes.len() == self.bytes, "the row is of another length");
        // SAFETY: the row is memory of this value's own, and as long as `bytes`.
        unsafe { stream::copy(level, bytes, self.start.add(row * self.stride)) }
    }
}
