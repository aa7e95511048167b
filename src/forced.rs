//! Panics on demand, for the tests of this library alone: the feature `forced-panics` is for nobody
//! else. Stands on nothing.
//!
//! There are *stations* in every call: where it begins, and wherever kernels are chosen, in the midst
//! of the work. [`arm`] makes one of those that this thread comes by panic, [`arm_together`] one of
//! those that all threads of a call come by.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

thread_local! {
    // How many stations to let pass before the one that panics; none does where there is no number.
    static LEFT: Cell<Option<u64>> = const { Cell::new(None) };
    // Whether this thread works on a call whose threads are looked at together.
    static TOGETHER: Cell<bool> = const { Cell::new(false) };
}

/// The same for all threads that are looked at together.
static LEFT_TOGETHER: AtomicU64 = AtomicU64::new(NONE);
/// None panics.
const NONE: u64 = u64::MAX;

/// Until it is dropped this thread is one of a call's threads that are looked at together, or is not.
#[derive(Debug)]
pub struct Together(bool);

/// Makes this thread one of a call's threads that are looked at together, or apart.
pub fn together(on: bool) -> Together {
    Together(TOGETHER.replace(on))
}

/// Whether it is.
pub fn is_together() -> bool {
    TOGETHER.get()
}

impl Drop for Together {
    fn drop(&mut self) {
        TOGETHER.set(self.0);
    }
}

/// The work of a thread, which is looked at as this thread is now, wherever it is done.
pub(crate) fn handed_on<P, T>(work: impl Fn(P) -> T) -> impl Fn(P) -> T {
    let on = is_together();
    move |part| {
        let _together = together(on);
        work(part)
    }
}

/// From now on the station behind so many others panics, on whichever of a call's threads, once.
pub fn arm_together(stations: u64) {
    LEFT_TOGETHER.store(stations, Ordering::SeqCst);
}

/// Ends that. Whether it is still to come.
pub fn disarm_together() -> bool {
    LEFT_TOGETHER.swap(NONE, Ordering::SeqCst) != NONE
}

/// From now on the station behind so many others panics, on this thread, once.
pub fn arm(stations: u64) {
    LEFT.set(Some(stations));
}

/// Ends that. Whether it is still to come.
pub fn disarm() -> bool {
    LEFT.take().is_some()
}

/// One of the places where a panic can be forced.
#[allow(clippy::panic, reason = "what this is for")]
pub(crate) fn station() {
    if is_together() {
        let next = |left: u64| (left != NONE).then(|| left.checked_sub(1).unwrap_or(NONE));
        let left = LEFT_TOGETHER.fetch_update(Ordering::SeqCst, Ordering::SeqCst, next);
        assert!(left != Ok(0), "This panic was asked for.");
    }
    match LEFT.get() {
        None => {}
        Some(0) => {
            LEFT.set(None);
            panic!("This panic was asked for.");
        }
        Some(left) => LEFT.set(Some(left.saturating_sub(1))),
    }
}
