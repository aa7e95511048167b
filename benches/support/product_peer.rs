//! Matrix products of oneDNN and OpenBLAS.

use super::peer_library::PeerLibrary;
use std::ffi::{c_int, c_void};

type Ask = unsafe extern "C" fn() -> c_int;
type Create = unsafe extern "C" fn(i64, i64, i64, *const i8) -> *mut c_void;
type Run = unsafe extern "C" fn(*mut c_void, *const u8, *mut i32);
type Free = unsafe extern "C" fn(*mut c_void);
type Multiply = unsafe extern "C" fn(i64, i64, i64, *const f32, *const f32, *mut f32);

/// A product of oneDNN's, its weights made ready.
pub(crate) struct Onednn {
    run: Run,
    free: Free,
    object: *mut c_void,
    shape: [usize; 3],
}

impl Onednn {
    /// Of rows, outputs and columns.
    pub(crate) fn new(shape: [usize; 3], w: &[i8]) -> Onednn {
        let library = PeerLibrary::load("libproduct_peer.so");
        let [m, n, k] = shape;
        assert_eq!(w.len(), n * k);
        // SAFETY: the functions have these types in `peers/product_peer.cc`.
        unsafe {
            let create = library.symbol(c"product_peer_onednn_create");
            let create = std::mem::transmute::<*mut c_void, Create>(create);
            let run = library.symbol(c"product_peer_onednn_run");
            let run = std::mem::transmute::<*mut c_void, Run>(run);
            let free = library.symbol(c"product_peer_onednn_free");
            let free = std::mem::transmute::<*mut c_void, Free>(free);
            let object = create(m as i64, n as i64, k as i64, w.as_ptr());
            Onednn { run, free, object, shape }
        }
    }

    /// Whether it may use AMX, by this machine and `ONEDNN_MAX_CPU_ISA`.
    pub(crate) fn may_use_amx() -> bool {
        let library = PeerLibrary::load("libproduct_peer.so");
        // SAFETY: the function has this type in `peers/product_peer.cc`.
        unsafe {
            let ask = library.symbol(c"product_peer_onednn_may_use_amx");
            std::mem::transmute::<*mut c_void, Ask>(ask)() != 0
        }
    }

    pub(crate) fn run(&mut self, x: &[u8], y: &mut [i32]) {
        let [m, n, k] = self.shape;
        assert!(x.len() == m * k && y.len() == m * n);
        // SAFETY: a live object and buffers of its sizes.
        unsafe { (self.run)(self.object, x.as_ptr(), y.as_mut_ptr()) }
    }
}

impl Drop for Onednn {
    fn drop(&mut self) {
        // SAFETY: the object came from `create` and is not used again.
        unsafe { (self.free)(self.object) }
    }
}

/// OpenBLAS's product of floats.
pub(crate) struct Sgemm(Multiply);

impl Sgemm {
    pub(crate) fn new() -> Sgemm {
        let library = PeerLibrary::load("libproduct_peer.so");
        // SAFETY: the function has this type in `peers/product_peer.cc`.
        Sgemm(unsafe {
            std::mem::transmute::<*mut c_void, Multiply>(library.symbol(c"product_peer_sgemm"))
        })
    }

    pub(crate) fn run(&self, [m, n, k]: [usize; 3], x: &[f32], w: &[f32], y: &mut [f32]) {
        assert!(x.len() == m * k && w.len() == n * k && y.len() == m * n);
        // SAFETY: buffers of these sizes.
        unsafe { (self.0)(m as i64, n as i64, k as i64, x.as_ptr(), w.as_ptr(), y.as_mut_ptr()) }
    }
}
