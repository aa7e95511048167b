//! Memory between two pages that fault, to prove that a kernel stays inside its slices.

/// Pages that can be read and written, with one that cannot on either side.
pub(crate) struct GuardedPages {
    mapping: *mut u8,
    page: usize,
    usable: usize,
}

impl GuardedPages {
    /// At least `bytes` bytes between the guards.
    pub(crate) fn new(bytes: usize) -> GuardedPages {
        // SAFETY: asks for a number and touches no memory.
        let page = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap();
        let usable = bytes.next_multiple_of(page);
        // SAFETY: a new private mapping wherever the kernel likes; protecting its first and last
        // page, which nothing refers to yet, is within it.
        let mapping = unsafe {
            let mapping = libc::mmap(
                core::ptr::null_mut(),
                usable + 2 * page,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            );
            assert_ne!(mapping, libc::MAP_FAILED);
            assert_eq!(libc::mprotect(mapping, page, libc::PROT_NONE), 0);
            assert_eq!(libc::mprotect(mapping.byte_add(page + usable), page, libc::PROT_NONE), 0);
            mapping.cast::<u8>()
        };
        GuardedPages { mapping, page, usable }
    }

    /// The first `bytes` bytes: the byte before them faults.
    pub(crate) fn beginning(&mut self, bytes: usize) -> &mut [u8] {
        assert!(bytes <= self.usable);
        // SAFETY: the bytes are initialized (mapped as zero), inside the mapping, and borrowed
        // from `self` for as long as the slice lives.
        unsafe { core::slice::from_raw_parts_mut(self.mapping.add(self.page), bytes) }
    }

    /// The last `bytes` bytes: the byte after them faults.
    pub(crate) fn ending(&mut self, bytes: usize) -> &mut [u8] {
        assert!(bytes <= self.usable);
        // SAFETY: as in `beginning`.
        unsafe {
            let end = self.mapping.add(self.page + self.usable);
            core::slice::from_raw_parts_mut(end.sub(bytes), bytes)
        }
    }
}

impl Drop for GuardedPages {
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's own and nothing can borrow from it any more.
        unsafe { libc::munmap(self.mapping.cast(), self.usable + 2 * self.page) };
    }
}
