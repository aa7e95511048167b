//! A QTensor blob as protobuf C++ has it, from a library that is loaded at run time, so that
//! building and linting the benchmarks does not need protobuf.

use super::results::target_dir;
use std::ffi::{CStr, CString, c_char, c_void};
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::sync::OnceLock;

/// The functions of `peers/protobuf_peer.cc`.
struct Functions {
    create: unsafe extern "C" fn(*const u8, usize, *const c_char, usize) -> *mut c_void,
    serialize: unsafe extern "C" fn(*const c_void, *mut u8, usize) -> usize,
    parse: unsafe extern "C" fn(*const u8, usize) -> *mut c_void,
    free: unsafe extern "C" fn(*mut c_void),
}

/// The library stays loaded until the program ends.
fn functions() -> &'static Functions {
    static LOADED: OnceLock<Functions> = OnceLock::new();
    LOADED.get_or_init(load)
}

fn load() -> Functions {
    let folder = std::env::var_os("CAFFE2_QTENSOR_PEERS")
        .map_or_else(|| target_dir().join("bench-peers"), PathBuf::from);
    let path = folder.join("libprotobuf_peer.so");
    let c_path = CString::new(path.as_os_str().as_bytes())
        .unwrap_or_else(|_| panic!("{} has a NUL in it", path.display()));
    // SAFETY: a NUL-terminated path; the library's initializers are protobuf's own.
    let library = unsafe { libc::dlopen(c_path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
    if library.is_null() {
        panic!(
            "The peer protobuf C++ cannot be loaded ({}): `make bench-peers` builds it in \
             target/bench-peers, and CAFFE2_QTENSOR_PEERS names another folder.",
            loader_error()
        );
    }
    let symbol = |name: &CStr| {
        // SAFETY: an open library and a NUL-terminated name.
        let symbol = unsafe { libc::dlsym(library, name.as_ptr()) };
        if symbol.is_null() {
            panic!("{} does not fit these benchmarks: {}", path.display(), loader_error());
        }
        symbol
    };
    // SAFETY: the four have these types in `peers/protobuf_peer.cc`, and none is null.
    unsafe {
        Functions {
            create: std::mem::transmute::<
                *mut c_void,
                unsafe extern "C" fn(*const u8, usize, *const c_char, usize) -> *mut c_void,
            >(symbol(c"protobuf_peer_create")),
            serialize: std::mem::transmute::<
                *mut c_void,
                unsafe extern "C" fn(*const c_void, *mut u8, usize) -> usize,
            >(symbol(c"protobuf_peer_serialize")),
            parse: std::mem::transmute::<
                *mut c_void,
                unsafe extern "C" fn(*const u8, usize) -> *mut c_void,
            >(symbol(c"protobuf_peer_parse")),
            free: std::mem::transmute::<*mut c_void, unsafe extern "C" fn(*mut c_void)>(symbol(
                c"protobuf_peer_free",
            )),
        }
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

/// A message of protobuf C++.
pub(crate) struct Blob(*mut c_void);

impl Blob {
    /// The blob of an unsigned 8-bit tensor with one dimension, these planes, scale 1 and bias 0.
    pub(crate) fn of(planes: &[u8], name: &str) -> Blob {
        // SAFETY: both pointers are good for the lengths beside them, and are only read.
        let blob = unsafe {
            (functions().create)(planes.as_ptr(), planes.len(), name.as_ptr().cast(), name.len())
        };
        Blob(blob)
    }

    /// Writes the message to the front of `wire` and returns its length.
    pub(crate) fn serialize(&self, wire: &mut [u8]) -> usize {
        // SAFETY: the handle is alive; `wire` is good for its length.
        let len = unsafe { (functions().serialize)(self.0, wire.as_mut_ptr(), wire.len()) };
        assert_ne!(len, 0, "protobuf C++ does not serialize");
        len
    }

    /// Reads a fresh message.
    pub(crate) fn parse(wire: &[u8]) -> Blob {
        // SAFETY: `wire` is good for its length and only read.
        let blob = unsafe { (functions().parse)(wire.as_ptr(), wire.len()) };
        assert!(!blob.is_null(), "protobuf C++ does not parse");
        Blob(blob)
    }
}

impl Drop for Blob {
    fn drop(&mut self) {
        // SAFETY: the handle came from `create` or `parse` and is not used again.
        unsafe { (functions().free)(self.0) }
    }
}
