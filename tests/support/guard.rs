//! Memory between two pages that may not be touched.
//!
//! A kernel that reads or writes a byte outside its slice goes unnoticed on ordinary memory. On
//! a slice that begins or ends at a protected page it ends the test with a segmentation fault.

use std::fs::File;
use std::io::Write;
use std::ptr;
use std::sync::OnceLock;

/// Writable pages with a protected page before and one behind them.
pub(crate) struct Guarded {
    start: *mut u8,
    page: usize,
    inner: usize,
}

impl Guarded {
    /// Room for at least `capacity` bytes between the protected pages, all zero.
    pub(crate) fn new(capacity: usize) -> Guarded {
        // SAFETY: asks for a number only.
        let page = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap();
        let inner = capacity.max(1).next_multiple_of(page);
        // SAFETY: a new mapping without an address wish overlaps nothing.
        let start = unsafe {
            libc::mmap(
                ptr::null_mut(),
                inner + 2 * page,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        assert_ne!(start, libc::MAP_FAILED);
        let start = start.cast::<u8>();
        for protected in [0, page + inner] {
            // SAFETY: the first and the last page of the mapping, which nothing refers to yet.
            let result =
                unsafe { libc::mprotect(start.add(protected).cast(), page, libc::PROT_NONE) };
            assert_eq!(result, 0);
        }
        Guarded { start, page, inner }
    }

    /// The `length` bytes right behind the first protected page.
    pub(crate) fn front(&mut self, length: usize) -> &mut [u8] {
        self.at(0, length)
    }

    /// The `length` bytes right before the last protected page.
    pub(crate) fn back(&mut self, length: usize) -> &mut [u8] {
        self.at(self.inner - length, length)
    }

    fn at(&mut self, offset: usize, length: usize) -> &mut [u8] {
        assert!(offset + length <= self.inner);
        count_placement();
        // SAFETY: inside the writable pages, which are initialized with zeros and borrowed with
        // `self`.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(self.page + offset), length) }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // SAFETY: exactly the mapping made in `new`; every slice of it borrowed `self`.
        unsafe { libc::munmap(self.start.cast(), self.inner + 2 * self.page) };
    }
}

/// A byte for each slice at a protected page, in the file that `CAFFE2_QTENSOR_GUARD_PAGES` names:
/// `make test-trust` counts them over all tests.
fn count_placement() {
    static FILE: OnceLock<Option<File>> = OnceLock::new();
    let file = FILE.get_or_init(|| {
        let path = std::env::var_os("CAFFE2_QTENSOR_GUARD_PAGES")?;
        Some(File::options().create(true).append(true).open(path).unwrap())
    });
    if let Some(mut file) = file.as_ref() {
        file.write_all(b".").unwrap();
    }
}
