//! Libraries with the peers in C++, loaded at run time, so that building and linting the
//! benchmarks needs neither a C++ compiler nor what the peers are made of.

use super::results::target_dir;
use std::ffi::{CStr, CString, c_void};
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::ptr::NonNull;

/// A library that stays loaded until the program ends.
pub(crate) struct PeerLibrary {
    path: PathBuf,
    handle: NonNull<c_void>,
}

impl PeerLibrary {
    /// Loads a file from the folder that `make bench-peers` fills.
    pub(crate) fn load(file: &str) -> PeerLibrary {
        let folder = std::env::var_os("CAFFE2_QTENSOR_PEERS")
            .map_or_else(|| target_dir().join("bench-peers"), PathBuf::from);
        let path = folder.join(file);
        let c_path = CString::new(path.as_os_str().as_bytes())
            .unwrap_or_else(|_| panic!("{} has a NUL in it", path.display()));
        // SAFETY: a NUL-terminated path; the library's initializers are the peer's own.
        let handle = unsafe { libc::dlopen(c_path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
        let handle = NonNull::new(handle).unwrap_or_else(|| {
            panic!(
                "The peer cannot be loaded ({}): `make bench-peers` builds it in \
                 target/bench-peers, and CAFFE2_QTENSOR_PEERS names another folder.",
                loader_error()
            )
        });
        PeerLibrary { path, handle }
    }

    /// The address of a function or an object, never null.
    pub(crate) fn symbol(&self, name: &CStr) -> *mut c_void {
        // SAFETY: an open library and a NUL-terminated name.
        let symbol = unsafe { libc::dlsym(self.handle.as_ptr(), name.as_ptr()) };
        if symbol.is_null() {
            panic!("{} does not fit these benchmarks: {}", self.path.display(), loader_error());
        }
        symbol
    }
}

fn loader_error() -> String {
    // SAFETY: `dlerror` returns null or a string that lives until the next call of its family.
    unsafe {
        let error = libc::dlerror();
        if error.is_null() {
            return "no reason given".to_owned();
        }
        CStr::from_ptr(error).to_string_lossy().into_owned()
    }
}
