//! What befalls a process that uses the library. Calls of the system fail, and processes are killed:
//! a database is the old one or the new one (c_tests/faults/io.c). The library is opened and closed,
//! and the process forks (c_tests/faults/reload.c). Both run under valgrind too.
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
use toolchain::{
    NATIVE_LIBRARIES, WARNINGS, compiler, fresh_folder, has_tool, in_crate, library, run,
};

/// The calls that c_tests/faults/interpose.h makes fail.
const CALLS: [&str; 9] =
    ["open", "create", "pread", "write", "fsync", "rename", "fchmod", "statx", "realpath"];

/// A program of c_tests/faults in a folder of that test's own.
fn program(name: &str, test: &str) -> PathBuf {
    let program = fresh_folder(&format!("faults-{test}-{name}")).join(name);
    let mut command = compiler(false);
    command.arg("-std=c99").args(WARNINGS).arg("-I").arg(in_crate("include"));
    command.arg(in_crate(&format!("c_tests/faults/{name}.c"))).arg("-o").arg(&program);
    run(command.arg(library("a")).args(NATIVE_LIBRARIES));
    program
}

#[test]
fn the_library_comes_and_goes() {
    let said = run(Command::new(program("reload", "reload")).arg(library("so")).arg("200"));
    print!("{said}");
    // Closing takes it away, and nothing of it stays.
    assert!(said.starts_with("opened 200 worked 200 forked 25 unloaded 200 grown "), "{said}");
    let grown: i64 = said.trim().rsplit(' ').next().unwrap().parse().unwrap();
    assert!(grown < 64, "pages: {said}");
}

#[test]
fn no_database_is_lost() {
    let (program, scratch) = (program("io", "commit"), fresh_folder("faults-scratch"));
    let kills = std::env::var("CAFFE2_QTENSOR_KILLS").unwrap_or_else(|_| "20".to_owned());
    let said = run(Command::new(&program).arg(&scratch).arg(kills));
    print!("I/O {said}");
    check_counts(&said);
}

/// Where calls fail, nothing is read or written that must not be, and nothing is left behind.
#[test]
fn nothing_leaks() {
    if !has_tool("valgrind") {
        return;
    }
    let scratch = fresh_folder("faults-memcheck-scratch");
    let io = program("io", "memcheck");
    check_counts(&run(memcheck().arg(io).arg(&scratch).arg("0")));
    let said = run(memcheck().arg(program("reload", "memcheck")).arg(library("so")).arg("9"));
    assert!(said.starts_with("opened 9 worked 9 forked 2 unloaded 9 grown "), "{said}");
    println!("memcheck found nothing while calls failed and the library came and went");
}

/// As c_tests/run_checked.sh runs the other programs, but without the instructions that this valgrind
/// does not know.
fn memcheck() -> Command {
    let mut command = Command::new("valgrind");
    command.args(["--quiet", "--error-exitcode=99", "--leak-check=full"]);
    command.arg("--errors-for-leak-kinds=definite,indirect,possible");
    command.arg(format!("--suppressions={}", in_crate("c_tests/valgrind.supp").display()));
    command.env("CAFFE2_QTENSOR_KERNELS", "avx2");
    command
}

/// Each call was made to fail, much was refused, and nothing was lost.
fn check_counts(said: &str) {
    let (counts, struck) = said.trim().split_once(" struck ").unwrap();
    let names: Vec<&str> = counts.split(' ').step_by(2).collect();
    assert_eq!(names, ["faults", "refused", "kills", "intact", "unexpected", "midst", "behind"]);
    let numbers: Vec<u64> =
        counts.split(' ').skip(1).step_by(2).map(|number| number.parse().unwrap()).collect();
    let [faults, refused, kills, intact, unexpected, midst, behind] = numbers[..] else {
        panic!("{said}");
    };
    assert!(faults > 200 && refused > 100 && unexpected == 0, "{said}");
    assert_eq!(kills, intact, "{said}");
    // Processes were killed while they wrote, two in five or so, and when they had put a database in
    // place, about half.
    assert!(
        midst >= kills.div_ceil(20) && behind >= kills.div_ceil(20),
        "killed at the wrong moments: {said}"
    );
    let struck: Vec<&str> = struck.split(' ').collect();
    let calls: Vec<&str> = struck.iter().copied().step_by(2).collect();
    assert_eq!(calls, CALLS);
    for times in struck.iter().skip(1).step_by(2) {
        assert!(times.parse::<u32>().unwrap() > 0, "a call never failed: {said}");
    }
}
