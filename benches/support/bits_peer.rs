//! Single bits in C++: through the drop-in class and through classes written by hand.

use super::peer_library::PeerLibrary;
use std::ffi::{CStr, c_int, c_void};

/// What `peers/bits_peer.cc` offers for a class.
#[repr(C)]
struct Functions {
    create: unsafe extern "C" fn(usize) -> *mut c_void,
    set: unsafe extern "C" fn(*mut c_void, *const u8, usize, c_int),
    get: unsafe extern "C" fn(*const c_void, *mut u8, usize, c_int),
    free: unsafe extern "C" fn(*mut c_void),
}

/// The planes of each tensor: 4 bits and a sign.
pub(crate) const PLANES: c_int = 5;

/// A tensor of one of the classes.
pub(crate) struct Bits {
    functions: &'static Functions,
    tensor: *mut c_void,
    count: usize,
}

impl Bits {
    /// `count` elements in a class: `bits_peer_dropin` or one of its siblings.
    pub(crate) fn new(class: &CStr, count: usize) -> Bits {
        let library = PeerLibrary::load("libbits_peer.so");
        // SAFETY: the object has this type in `peers/bits_peer.cc` and lives as long as the
        // library, which is never unloaded.
        let functions = unsafe { &*library.symbol(class).cast::<Functions>() };
        // SAFETY: a function of the class.
        let tensor = unsafe { (functions.create)(count) };
        Bits { functions, tensor, count }
    }

    /// Sets every bit of every element.
    pub(crate) fn set(&mut self, codes: &[u8]) {
        assert_eq!(codes.len(), self.count);
        // SAFETY: a live tensor of `count` elements, and as many codes.
        unsafe { (self.functions.set)(self.tensor, codes.as_ptr(), self.count, PLANES) }
    }

    /// Reads every bit of every element.
    pub(crate) fn get(&self, codes: &mut [u8]) {
        assert_eq!(codes.len(), self.count);
        // SAFETY: a live tensor of `count` elements, and room for as many codes.
        unsafe { (self.functions.get)(self.tensor, codes.as_mut_ptr(), self.count, PLANES) }
    }
}

impl Drop for Bits {
    fn drop(&mut self) {
        // SAFETY: the tensor came from `create` and is not used again.
        unsafe { (self.functions.free)(self.tensor) }
    }
}
