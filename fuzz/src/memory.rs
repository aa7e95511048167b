//! Files in memory, that have a path.

use std::fs::File;
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::OnceLock;

/// The path of a file with these bytes, until the next call.
pub fn file_of(bytes: &[u8]) -> &'static PathBuf {
    static SCRATCH: OnceLock<(File, PathBuf)> = OnceLock::new();
    let (file, path) = SCRATCH.get_or_init(|| {
        // SAFETY: a NUL-terminated name; the descriptor is new and belongs to the file.
        let file = unsafe {
            let descriptor = libc::memfd_create(c"input".as_ptr(), 0);
            assert!(descriptor >= 0);
            File::from_raw_fd(descriptor)
        };
        let path = format!("/proc/self/fd/{}", file.as_raw_fd()).into();
        (file, path)
    });
    file.set_len(0).expect("a file in memory");
    file.write_all_at(bytes, 0).expect("a file in memory");
    path
}
