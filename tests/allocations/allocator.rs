//! An allocator that fails on demand and keeps count, for each thread by itself.
//!
//! Tests run on threads of their own, so what one test arms concerns no other, and the harness's
//! own allocations are never touched.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator behind the counts.
pub(crate) struct Failing;

struct State {
    armed: Cell<bool>,
    /// Requests to let pass before the first that fails.
    passes: Cell<u64>,
    /// Whether every request after the first that failed does too.
    lasting: Cell<bool>,
    failures: Cell<u64>,
    live: Cell<Live>,
    usage: Cell<Usage>,
}

/// What is allocated now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Live {
    blocks: i64,
    bytes: i64,
}

/// What was asked for since the count began.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    pub(crate) requests: u64,
    /// The sum over all requests; one that grows a block counts its whole new size.
    pub(crate) bytes: u64,
    /// The largest single request.
    pub(crate) largest: u64,
}

thread_local! {
    // Made at compile time and without a destructor: using it allocates nothing.
    static STATE: State = const {
        State {
            armed: Cell::new(false),
            passes: Cell::new(0),
            lasting: Cell::new(false),
            failures: Cell::new(0),
            live: Cell::new(Live { blocks: 0, bytes: 0 }),
            usage: Cell::new(Usage { requests: 0, bytes: 0, largest: 0 }),
        }
    };
}

impl State {
    /// Notes a request; whether it is to fail.
    fn refuses(&self, size: usize) -> bool {
        if !self.armed.get() {
            return false;
        }
        let mut usage = self.usage.get();
        usage.requests += 1;
        usage.bytes += size as u64;
        usage.largest = usage.largest.max(size as u64);
        self.usage.set(usage);
        if let Some(left) = self.passes.get().checked_sub(1) {
            self.passes.set(left);
            return false;
        }
        if !self.lasting.get() {
            // The next ones pass again.
            self.passes.set(u64::MAX);
        }
        self.failures.set(self.failures.get() + 1);
        true
    }

    fn add(&self, blocks: i64, bytes: i64) {
        let live = self.live.get();
        self.live.set(Live { blocks: live.blocks + blocks, bytes: live.bytes + bytes });
    }
}

// SAFETY: every request that is not refused goes to the system's allocator as it is; a refused
// one returns NULL and changes nothing, as the trait allows.
unsafe impl GlobalAlloc for Failing {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: passed on from the caller.
        obtain(layout, || unsafe { System.alloc(layout) })
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: passed on from the caller.
        obtain(layout, || unsafe { System.alloc_zeroed(layout) })
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // A thread that is ending has no counts any more.
        let _ = STATE.try_with(|state| state.add(-1, -(layout.size() as i64)));
        // SAFETY: passed on from the caller.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if STATE.try_with(|state| state.refuses(size)).unwrap_or(false) {
            return std::ptr::null_mut();
        }
        // SAFETY: passed on from the caller.
        let block = unsafe { System.realloc(block, layout, size) };
        if !block.is_null() {
            let _ = STATE.try_with(|state| state.add(0, size as i64 - layout.size() as i64));
        }
        block
    }
}

fn obtain(layout: Layout, get: impl Fn() -> *mut u8) -> *mut u8 {
    if STATE.try_with(|state| state.refuses(layout.size())).unwrap_or(false) {
        return std::ptr::null_mut();
    }
    let block = get();
    if !block.is_null() {
        let _ = STATE.try_with(|state| state.add(1, layout.size() as i64));
    }
    block
}

/// Which requests fail while a call runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    None,
    /// The request with this number alone, the first being 0.
    Once(u64),
    /// The request with this number and all behind it: memory is used up and stays so.
    From(u64),
}

/// Runs a call under a failure; how many requests were refused, and what it asked for.
pub(crate) fn run<T>(failure: Failure, call: impl FnOnce() -> T) -> (T, u64, Usage) {
    STATE.with(|state| {
        let (passes, lasting) = match failure {
            Failure::None => (u64::MAX, false),
            Failure::Once(number) => (number, false),
            Failure::From(number) => (number, true),
        };
        state.passes.set(passes);
        state.lasting.set(lasting);
        state.failures.set(0);
        state.usage.set(Usage::default());
        state.armed.set(true);
        let result = call();
        state.armed.set(false);
        (result, state.failures.get(), state.usage.get())
    })
}

/// What this thread has allocated and not freed.
pub(crate) fn live() -> Live {
    STATE.with(|state| state.live.get())
}
