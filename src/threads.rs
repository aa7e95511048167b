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
    // Tests let the work fail and not the start of a thread, which asks for memory of its own.
    #[cfg(feature = "forced-panics")]
    let far = crate::forced::handed_on(far);
    #[cfg(feature = "forced-panics")]
    let (near, _apart) = {
        let on = crate::forced::is_together();
        let near = move || {
            let _together = crate::forced::together(on);
            near()
        };
        (near, crate::forced::together(false))
    };
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

#[cfg(test)]
mod tests {
    use super::both;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Arc;
    use std::thread;

    #[test]
    fn each_half_has_its_thread_and_its_part() {
        let here = thread::current().id();
        let (near, far) = both(|| thread::current().id(), 7, |part| (thread::current().id(), part));
        assert_eq!((near, far.1), (here, 7));
        assert_ne!(far.0, here);
    }

    /// Runs both halves with a panic in some of them; what was thrown.
    #[allow(clippy::panic, reason = "what is tested")]
    fn thrown(near: Option<&'static str>, far: Option<&'static str>) -> Option<&'static str> {
        let (own, part) = (Arc::new(()), Arc::new(()));
        let half = |held: Arc<()>, text: Option<&'static str>| {
            if let Some(text) = text {
                std::panic::panic_any(text);
            }
            held
        };
        let (near_held, far_held) = (own.clone(), part.clone());
        let run = || both(|| half(near_held, near), far_held, |held| half(held, far));
        let result = catch_unwind(AssertUnwindSafe(run));
        let thrown = result.err().map(|payload| payload.downcast_ref().copied().unwrap_or("lost"));
        // Whatever was handed to the halves, or came from one of them, is gone.
        assert_eq!((Arc::strong_count(&own), Arc::strong_count(&part)), (1, 1));
        thrown
    }

    #[test]
    fn panics_are_the_callers() {
        assert_eq!(thrown(None, None), None);
        assert_eq!(thrown(Some("near"), None), Some("near"));
        assert_eq!(thrown(None, Some("far")), Some("far"));
        // Of two panics one is thrown on, and the other is dropped.
        assert_eq!(thrown(Some("near"), Some("far")), Some("near"));
    }
}
