//! Panics on demand, for the tests of this library alone: the feature `forced-panics` is for nobody
//! else. Stands on nothing.
//!
//! There are *stations* in every call: where it begins, and wherever kernels are chosen, in the midst
//! of the work. [`arm`] makes one of those that this thread comes by panic.

use std::cell::Cell;

thread_local! {
    // How many stations to let pass before the one that panics; none does where there is no number.
    static LEFT: Cell<Option<u64>> = const { Cell::new(None) };
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
    match LEFT.get() {
        None => {}
        Some(0) => {
            LEFT.set(None);
            panic!("This panic was asked for.");
        }
        Some(left) => LEFT.set(Some(left.saturating_sub(1))),
    }
}
