//! What befalls a process that uses the library. Calls of the system fail, and processes are killed:
//! a database is the old one or the new one (c_tests/faults/io.c). The library is opened and closed,
//! and the process forks (c_tests/faults/reload.c).
//!
//! `CAFFE2_QTENSOR_KILLS` says how many processes are killed in the middle of a commit.
#![cfg(all(feature = "capi", target_os = "linux"))]
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops at the first thing that is not as it should be"
)]

#[path = "support/toolchain.rs"]
#[allow(dead_code, reason = "another test uses the rest")]
mod toolchain;

use std::path::PathBuf;
use std::process::Command;
use toolchain::{NATIVE_LIBRARIES, WARNINGS, compiler, fresh_folder, in_crate, library, run};

/// The calls that c_tests/faults/interpose.h makes fail.
const CALLS: [&str; 8] = ["open", "create", "pread", "write", "fsync", "rename", "fchmod", "statx"];

/// A program of c_tests/faults in a folder of its own.
fn program(name: &str) -> PathBuf {
    let program = fresh_folder(&format!("faults-{name}")).join(name);
    let mut command = compiler(false);
    command.arg("-std=c99").args(WARNINGS).arg("-I").arg(in_crate("include"));
    command.arg(in_crate(&format!("c_tests/faults/{name}.c"))).arg("-o").arg(&program);
    run(command.arg(library("a")).args(NATIVE_LIBRARIES));
    program
}

#[test]
fn the_library_comes_and_goes() {
    let said = run(Command::new(program("reload")).arg(library("so")).arg("200"));
    print!("{said}");
    // Closing takes it away, and nothing of it stays.
    assert!(said.starts_with("opened 200 worked 200 forked 25 unloaded 200 grown "), "{said}");
    let grown: i64 = said.trim().rsplit(' ').next().unwrap().parse().unwrap();
    assert!(grown < 64, "pages: {said}");
}

#[test]
fn no_database_is_lost() {
    let (program, scratch) = (program("io"), fresh_folder("faults-scratch"));
    let kills = std::env::var("CAFFE2_QTENSOR_KILLS").unwrap_or_else(|_| "20".to_owned());
    let said = run(Command::new(&program).arg(&scratch).arg(kills));
    print!("I/O {said}");
    check_counts(&said);
    let (_, behind) = said.split_once(" unexpected 0 midst ").unwrap();
    let midst = behind.split(' ').next().unwrap();
    assert!(midst.parse::<u32>().unwrap() > 0, "no process was killed while it wrote: {said}");
}

/// Each call was made to fail, much was refused, and nothing was lost.
fn check_counts(said: &str) {
    let (counts, struck) = said.trim().split_once(" struck ").unwrap();
    let counts: Vec<&str> = counts.split(' ').collect();
    match counts.as_slice() {
        [
            "faults",
            faults,
            "refused",
            refused,
            "kills",
            kills,
            "intact",
            intact,
            "unexpected",
            "0",
            "midst",
            _,
            "behind",
            _,
        ] => {
            assert!(faults.parse::<u32>().unwrap() > 200, "{said}");
            assert!(refused.parse::<u32>().unwrap() > 100, "{said}");
            assert_eq!(kills, intact, "{said}");
        }
        _ => panic!("{said}"),
    }
    let struck: Vec<&str> = struck.split(' ').collect();
    let calls: Vec<&str> = struck.iter().copied().step_by(2).collect();
    assert_eq!(calls, CALLS);
    for times in struck.iter().skip(1).step_by(2) {
        assert!(times.parse::<u32>().unwrap() > 0, "a call never failed: {said}");
    }
}
