//! Memory that runs out at every allocation of every C function, and how much a parse may ask for.
//!
//! Each exported function has a case in one of the tables. It is run with its 1st, 2nd, 3rd …
//! allocation failing, alone and with all behind it, until none fails any more. A new function
//! needs a case: the tables are compared with the list of exports.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::redundant_closure,
    reason = "a test stops at the first thing that is not as it should be"
)]

mod allocator;
mod attempt;
#[path = "../support/blowups.rs"]
mod blowups;
mod borrow;
mod bounded;
#[path = "../support/bounds.rs"]
#[allow(dead_code, reason = "the fuzz targets use the rest")]
mod bounds;
mod files;
mod fixed;
mod floats;
#[path = "../support/golden.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod golden;
mod measure;
#[path = "../support/message.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod message;
mod nets;
mod objects;
mod observer;
mod product;
mod quantize;
mod tensor;
#[cfg(feature = "forced-panics")]
mod together;
mod wire;
#[cfg(feature = "forced-panics")]
mod workers;

use attempt::{Case, sweep};
use std::collections::BTreeSet;

#[cfg(not(feature = "forced-panics"))]
#[global_allocator]
static ALLOCATOR: allocator::Failing = allocator::Failing;

#[cfg(feature = "forced-panics")]
#[global_allocator]
static ALLOCATOR: together::Together = together::Together;

/// Panics that were asked for are not shown; those of threads without a name are counted.
#[cfg(feature = "forced-panics")]
fn hide_panics() {
    std::panic::set_hook(Box::new(|info| {
        let text = info.payload().downcast_ref::<&str>().copied().unwrap_or_default();
        if !text.contains("was asked for") {
            eprintln!("{info}");
        } else if std::thread::current().name().is_none() {
            workers::PANICS.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        }
    }));
}

const TABLES: [&[Case]; 10] = [
    tensor::CASES,
    borrow::CASES,
    product::CASES,
    fixed::CASES,
    observer::CASES,
    measure::CASES,
    wire::CASES,
    files::CASES,
    quantize::CASES,
    floats::CASES,
];

fn sweep_all(what: &str, cases: &[Case]) {
    let refused: u64 = cases.iter().map(|case| sweep(*case)).sum();
    println!("{what}: {} functions, {refused} allocations refused", cases.len());
}

#[test]
fn calls_on_a_tensor() {
    sweep_all("tensor", tensor::CASES);
}

#[test]
fn memory_that_is_lent() {
    sweep_all("borrow", borrow::CASES);
}

#[test]
fn products() {
    sweep_all("product", product::CASES);
}

#[test]
fn fixed_point() {
    sweep_all("fixed", fixed::CASES);
}

#[test]
fn observers_and_choices() {
    sweep_all("observer", observer::CASES);
}

#[test]
fn measurements() {
    sweep_all("measure", measure::CASES);
}

#[test]
fn calls_that_serialize() {
    sweep_all("wire", wire::CASES);
}

#[test]
fn calls_on_files() {
    files::prepare();
    sweep_all("files", files::CASES);
}

#[test]
fn calls_that_choose_and_convert() {
    sweep_all("quantize", quantize::CASES);
}

#[test]
fn calls_on_floats() {
    sweep_all("floats", floats::CASES);
}

#[test]
fn every_function_has_a_case() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/c_tests/exports.txt");
    let exports = std::fs::read_to_string(path).unwrap();
    let exports: BTreeSet<&str> = exports.split_whitespace().collect();
    let cases = TABLES.concat();
    let names: BTreeSet<&str> = cases.iter().map(|(name, _)| *name).collect();
    assert_eq!(names.len(), cases.len(), "a function has two cases");
    assert_eq!(names, exports);
}

/// The fuzz target of calls makes every call that there is.
#[test]
fn every_function_is_fuzzed() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let exports = std::fs::read_to_string(root.join("c_tests/exports.txt")).unwrap();
    let files = std::fs::read_dir(root.join("fuzz/src/calls")).unwrap();
    let calls: String =
        files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    let words: BTreeSet<&str> =
        calls.split(|it: char| !it.is_ascii_alphanumeric() && it != '_').collect();
    let missing: Vec<&str> =
        exports.split_whitespace().filter(|name| !words.contains(name)).collect();
    assert!(missing.is_empty(), "fuzz/src/calls does not call {missing:?}");
}

/// No panic leaves the library, and none leaves anything changed.
#[cfg(feature = "forced-panics")]
#[test]
fn every_entry_point_panics() {
    // Constant.
    const WITHOUT: [&str; 1] = ["qtensor_version"];
    files::prepare();
    hide_panics();
    let (mut forced, mut entries) = (0, 0);
    for case in TABLES.concat() {
        let panics = attempt::sweep_panics(case);
        assert!(panics > 0 || WITHOUT.contains(&case.0), "{} never panicked", case.0);
        forced += panics;
        entries += usize::from(panics > 0);
    }
    println!("panics {forced} entries {entries} of {}", TABLES.concat().len() - WITHOUT.len());
}

/// The functions that work on threads, with faults on all of these.
#[cfg(feature = "forced-panics")]
#[test]
fn calls_on_threads() {
    use std::sync::atomic::Ordering::SeqCst;
    hide_panics();
    let (mut refused, mut panics) = (0, 0);
    for case in workers::CASES {
        refused += workers::sweep_memory(*case);
        let before = workers::PANICS.load(SeqCst);
        let forced = workers::sweep_panics(*case);
        let elsewhere = workers::PANICS.load(SeqCst) - before;
        assert!(0 < elsewhere && elsewhere < forced, "{}: {elsewhere} of {forced}", case.0);
        panics += forced;
    }
    assert!(together::refused_elsewhere() > 0);
    let functions = workers::CASES.len();
    println!("threads: {functions} functions, {refused} allocations refused, {panics} panics");
    println!(
        "{} refused and {} panics on other threads than the caller's",
        together::refused_elsewhere(),
        workers::PANICS.load(SeqCst)
    );
}
