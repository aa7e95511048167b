//! Calls of the system that fail, and processes that are killed: a database is the old one or the new
//! one. The work is done by c_tests/faults/io.c.
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

use std::process::Command;
use toolchain::{NATIVE_LIBRARIES, WARNINGS, compiler, fresh_folder, in_crate, library, run};

#[test]
fn no_database_is_lost() {
    let folder = fresh_folder("faults");
    let (program, scratch) = (folder.join("io"), folder.join("scratch"));
    std::fs::create_dir(&scratch).unwrap();
    let mut command = compiler(false);
    command.arg("-std=c99").args(WARNINGS).arg("-I").arg(in_crate("include"));
    command.arg(in_crate("c_tests/faults/io.c")).arg("-o").arg(&program);
    run(command.arg(library("a")).args(NATIVE_LIBRARIES));
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
