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
    let counts: Vec<&str> = said.split_whitespace().collect();
    print!("I/O {said}");
    // Each kind of failure struck, and reading and writing were both refused.
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
        ] => {
            assert!(faults.parse::<u32>().unwrap() > 100, "{said}");
            assert!(refused.parse::<u32>().unwrap() > 50, "{said}");
            assert_eq!(kills, intact, "{said}");
        }
        _ => panic!("{said}"),
    }
}
