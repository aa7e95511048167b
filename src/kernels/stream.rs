//! Storing around the caches.
//!
//! A plain store first reads the line that it is about to overwrite. Where the data is larger than
//! a cache anyway, non-temporal stores save that; below it they would cost half the speed.

use super::cpu::{Kind, Level};

/// Inputs and outputs above this many bytes together are taken to live in memory rather than in a
/// cache.
pub const FROM_BYTES: usize = 24 << 20;

/// Copies `source` to `target`; the whole cache lines among it go around the caches, and become
/// visible to other threads after [`fence`].
///
/// # Safety
/// `source.len()` bytes can be written from `target` on, and overlap nothing.
#[inline]
pub(super) unsafe fn copy(level: Level, source: &[u8], target: *mut u8) {
    match level.kind() {
        // SAFETY: the caller's promise.
        Kind::Portable => unsafe {
            core::ptr::copy_nonoverlapping(source.as_ptr(), target, source.len());
        },
        // SAFETY: the caller's promise, and a `Level` of this kind exists only where AVX2 does.
        #[cfg(target_arch = "x86_64")]
        Kind::Avx2 | Kind::Avx512 => unsafe { copy_avx2(source, target) },
    }
}

/// # Safety
/// That of [`copy`], and the machine has AVX2.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn copy_avx2(source: &[u8], target: *mut u8) {
    use core::arch::x86_64::{_mm256_loadu_si256, _mm256_stream_si256};
    let head = target.align_offset(64).min(source.len());
    let lines = (source.len() - head) / 64;
    let done = head + 64 * lines;
    // SAFETY: `head` bytes, whole lines and what is left behind them make up the source's length;
    // the lines of the target are aligned.
    unsafe {
        core::ptr::copy_nonoverlapping(source.as_ptr(), target, head);
        for half in 0..2 * lines {
            let at = head + 32 * half;
            let half_line = _mm256_loadu_si256(source.as_ptr().add(at).cast());
            _mm256_stream_si256(target.add(at).cast(), half_line);
        }
        let left = source.len() - done;
        core::ptr::copy_nonoverlapping(source.as_ptr().add(done), target.add(done), left);
    }
}

/// Orders the stores of `copy` before all that follow.
#[inline]
pub fn fence() {
    // SAFETY: every x86-64 machine has SSE.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        core::arch::x86_64::_mm_sfence();
    }
}
