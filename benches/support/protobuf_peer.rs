//! A QTensor blob as protobuf C++ has it.

use super::peer_library::PeerLibrary;
use std::ffi::{c_char, c_void};
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
    let library = PeerLibrary::load("libprotobuf_peer.so");
    // SAFETY: the four have these types in `peers/protobuf_peer.cc`, and none is null.
    unsafe {
        Functions {
            create: std::mem::transmute::<
                *mut c_void,
                unsafe extern "C" fn(*const u8, usize, *const c_char, usize) -> *mut c_void,
            >(library.symbol(c"protobuf_peer_create")),
            serialize: std::mem::transmute::<
                *mut c_void,
                unsafe extern "C" fn(*const c_void, *mut u8, usize) -> usize,
            >(library.symbol(c"protobuf_peer_serialize")),
            parse: std::mem::transmute::<
                *mut c_void,
                unsafe extern "C" fn(*const u8, usize) -> *mut c_void,
            >(library.symbol(c"protobuf_peer_parse")),
            free: std::mem::transmute::<*mut c_void, unsafe extern "C" fn(*mut c_void)>(
                library.symbol(c"protobuf_peer_free"),
            ),
        }
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
