//! What the fuzz targets share. Every promise that tests check on chosen inputs is checked here by
//! the same code on any.
#![allow(dead_code, reason = "the modules of the tests are used in part")]

#[path = "../../tests/allocations/allocator.rs"]
mod allocator;
#[path = "../../tests/support/bounds.rs"]
mod bounds;
pub mod calls;
#[path = "../../tests/hostile_wire/check.rs"]
mod check;
#[path = "../../tests/support/definition.rs"]
mod definition;
pub mod memory;
pub mod net;
#[path = "../../tests/hostile_wire/reference.rs"]
mod reference;
pub mod wire;

use bounds::Bound;
use caffe2_qtensor::minidb::{Reader, load_all};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counts what parsers ask for.
#[global_allocator]
static ALLOCATOR: allocator::Failing = allocator::Failing;

/// Runs a parser, which may ask the allocator for no more than the bound on an input of this length.
fn bounded<T>(what: &str, bound: Bound, length: usize, parse: impl FnOnce() -> T) -> T {
    static WORST: AtomicU64 = AtomicU64::new(0);
    let (result, _, usage) = allocator::run(allocator::Failure::None, parse);
    let ratio = bound.check(what, length as u64, usage.bytes);
    if ratio > WORST.fetch_max(ratio, Relaxed) {
        // The last of these lines is what fuzz/run.sh reports.
        eprintln!("bytes per input byte: {}.{:02} {what}", ratio / 100, ratio % 100);
    }
    result
}

/// What an observer's state takes.
pub fn observer(bytes: &[u8]) -> Option<caffe2_qtensor::calibrate::Observer> {
    let parse = || caffe2_qtensor::calibrate::Observer::deserialize(bytes);
    bounded("observer", bounds::OBSERVER, bytes.len(), parse)
        .inspect_err(check::check_sentence)
        .ok()
}

/// What reading a database takes, in every way there is.
pub fn database(path: &Path, length: usize) {
    let within = |parse: &dyn Fn()| bounded("database", bounds::DATABASE, length, parse);
    within(&|| {
        let Ok(mut reader) = Reader::open(path) else { return };
        while let Ok(Some(_)) = reader.next_entry() {}
    });
    within(&|| drop(load_all(path)));
    within(&|| drop(Reader::open(path).map(|reader| reader.load(b"w"))));
    within(&|| drop(Reader::open(path).map(|reader| reader.load_dense(b"w"))));
}

/// A `.npy` file that is in memory.
pub fn npy(mut bytes: &[u8]) -> Result<caffe2_qtensor::DenseTensor, caffe2_qtensor::Error> {
    let length = bytes.len();
    let parse = || {
        let header = qtensor_cli::input::npy::Header::read(&mut bytes)?;
        let present = bytes.len() as u64;
        header.read_elements(&mut bytes, present)
    };
    bounded("npy", bounds::NPY, length, parse).inspect_err(check::check_sentence)
}
