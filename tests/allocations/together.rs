//! Memory that runs out, and panics, on all threads of a call together: on the caller's and on those
//! that it starts, apart from what their start asks for.

use crate::allocator::Failing;
use caffe2_qtensor::forced;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};

/// An allocator that is the other one but for threads that are looked at together.
pub(crate) struct Together;

/// Requests to let pass before the first that fails, and whether all behind it do too.
static PASSES: AtomicU64 = AtomicU64::new(u64::MAX);
static LASTING: AtomicBool = AtomicBool::new(false);
static REFUSED: AtomicU64 = AtomicU64::new(0);
/// All that were refused on threads other than the caller's.
static REFUSED_ELSEWHERE: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static IS_CALLER: Cell<bool> = const { Cell::new(false) };
}

/// The blocks that were allocated by such threads and not freed, by whichever.
static BLOCKS: [AtomicUsize; 1024] = [const { AtomicUsize::new(0) }; 1024];
static LIVE: AtomicUsize = AtomicUsize::new(0);

/// Notes a request; whether it is to fail.
fn refuses() -> bool {
    let next = |left: u64| match left {
        0 if LASTING.load(SeqCst) => Some(0),
        0 => Some(u64::MAX),
        _ => Some(left - 1),
    };
    let refused = PASSES.fetch_update(SeqCst, SeqCst, next) == Ok(0);
    REFUSED.fetch_add(refused.into(), SeqCst);
    REFUSED_ELSEWHERE.fetch_add((refused && !IS_CALLER.get()).into(), SeqCst);
    refused
}

fn exchange(from: usize, to: usize) -> bool {
    BLOCKS.iter().any(|block| block.compare_exchange(from, to, SeqCst, SeqCst).is_ok())
}

fn note(block: *mut u8) -> *mut u8 {
    if !block.is_null() {
        LIVE.fetch_add(1, SeqCst);
        if !exchange(0, block.addr()) {
            std::process::abort();
        }
    }
    block
}

/// Whether a block is one of those, which are looked through while there are any.
fn is_noted(block: *mut u8) -> bool {
    LIVE.load(SeqCst) > 0 && exchange(block.addr(), block.addr())
}

// SAFETY: every request that is not refused goes to one allocator, and a block goes back to it; a
// refused one returns NULL and changes nothing, as the trait allows.
unsafe impl GlobalAlloc for Together {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if !forced::is_together() {
            // SAFETY: passed on from the caller.
            return unsafe { Failing.alloc(layout) };
        }
        // SAFETY: passed on from the caller.
        if refuses() { std::ptr::null_mut() } else { note(unsafe { System.alloc(layout) }) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if is_noted(block) {
            exchange(block.addr(), 0);
            LIVE.fetch_sub(1, SeqCst);
            // SAFETY: passed on from the caller.
            unsafe { System.dealloc(block, layout) }
        } else {
            // SAFETY: passed on from the caller.
            unsafe { Failing.dealloc(block, layout) }
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if forced::is_together() && refuses() {
            return std::ptr::null_mut();
        }
        if !is_noted(block) {
            // SAFETY: passed on from the caller.
            return unsafe { Failing.realloc(block, layout, size) };
        }
        // No other block may get the address before it is forgotten.
        exchange(block.addr(), usize::MAX);
        // SAFETY: passed on from the caller.
        let moved = unsafe { System.realloc(block, layout, size) };
        exchange(usize::MAX, if moved.is_null() { block.addr() } else { moved.addr() });
        moved
    }
}

/// What goes wrong in a call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// The request with this number fails, the first being 0, and perhaps all behind it.
    Memory(u64, bool),
    /// The station with this number panics.
    Panic(u64),
}

/// Runs a call under a fault; how often that happened.
pub(crate) fn run<T>(fault: Fault, call: impl FnOnce() -> T) -> (T, u64) {
    IS_CALLER.set(true);
    REFUSED.store(0, SeqCst);
    match fault {
        Fault::Memory(passes, lasting) => {
            LASTING.store(lasting, SeqCst);
            PASSES.store(passes, SeqCst);
        }
        Fault::Panic(station) => forced::arm_together(station),
    }
    let together = forced::together(true);
    let result = call();
    drop(together);
    PASSES.store(u64::MAX, SeqCst);
    let happened = match fault {
        Fault::Memory(..) => REFUSED.load(SeqCst),
        Fault::Panic(_) => (!forced::disarm_together()).into(),
    };
    (result, happened)
}

/// How many blocks there are that were allocated in such calls.
pub(crate) fn live() -> usize {
    LIVE.load(SeqCst)
}

/// How many requests of threads that calls started were refused so far.
pub(crate) fn refused_elsewhere() -> u64 {
    REFUSED_ELSEWHERE.load(SeqCst)
}
