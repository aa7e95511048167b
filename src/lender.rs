//! Memory that a program lends to an object, and the notice that it has it back.

use core::ffi::c_void;

/// What tells the lender; `None` where it need not know.
pub(crate) type Release = Option<unsafe extern "C" fn(context: *mut c_void)>;

/// The right to somebody else's memory: when it goes, the lender is told, once.
#[cfg_attr(not(feature = "capi"), allow(dead_code, reason = "only the C interface borrows"))]
pub(crate) struct Lender {
    release: Release,
    context: *mut c_void,
}

// SAFETY: `Lender::new` asks for a function that any thread may call.
unsafe impl Send for Lender {}
// SAFETY: a shared reference does nothing.
unsafe impl Sync for Lender {}

impl Lender {
    /// # Safety
    /// `release` may be called with `context` once, at any time and from any thread, and returns.
    #[cfg(feature = "capi")]
    pub(crate) unsafe fn new(release: Release, context: *mut c_void) -> Lender {
        Lender { release, context }
    }
}

impl Drop for Lender {
    fn drop(&mut self) {
        if let Some(release) = self.release {
            // SAFETY: `new` was told that this is allowed, and a value is dropped once.
            unsafe { release(self.context) }
        }
    }
}
