//! Work on two threads at once.

use std::sync::{Mutex, PoisonError};

/// Elements that are worth a thread.
pub(crate) const THREAD_ELEMENTS: usize = 1 << 16;

/// The most threads that a call starts.
pub(crate) const MAX_THREADS: usize = 256;

/// How many of `blocks` blocks the first `here` of `threads` threads take.
pub(crate) fn share(blocks: usize, here: usize, threads: usize) -> usize {
    blocks.saturating_mul(here).checked_div(threads).unwrap_or(blocks)
}

/// Runs `near` on this thread and `far`, with what it works on, on another one; on this one too
/// where the system gives no thread. Both have ended when the function returns.
pub(crate) fn both<A, B: Send, P: Send>(
    near: impl FnOnce() -> A,
    part: P,
    far: impl Fn(P) -> B + Sync,
) -> (A, B) {
    // Kept outside the thread, for the case that it cannot be started.
    let part = Mutex::new(Some(part));
    let take = || part.lock().unwrap_or_else(PoisonError::into_inner).take();
    let run = || take().map(&far);
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().spawn_scoped(scope, run);
        let near = near();
        let far = match thread.map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(far)) => far,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            Err(_) => run(),
        };
        match far {
            Some(far) => (near, far),
            // The part is there until one of the two takes it.
            None => unreachable!("the part was taken twice"),
        }
    })
}
