//! Counts the instructions of a call: a child process makes it, under valgrind, which counts.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::Command;

/// Tells a process that it runs under valgrind, and where valgrind leaves its counts: this, a dot and
/// the number of the process.
const COUNTS: &str = "CAFFE2_QTENSOR_STEPS";

/// How a child ends whose call returned, and one whose call panicked.
const RETURNED: i32 = 0;
const PANICKED: i32 = 3;

/// Runs the test of this name in another process, under valgrind. Whether this is that process, in
/// which instructions are counted.
pub(crate) fn under_valgrind(test: &str) -> bool {
    if std::env::var_os(COUNTS).is_some() {
        return true;
    }
    if Command::new("valgrind").arg("--version").output().is_err() {
        let required = std::env::var_os("CAFFE2_QTENSOR_REQUIRE_TOOLS").is_some();
        assert!(!required, "valgrind is not installed");
        println!("{test}: not run, because valgrind is not installed");
        return false;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("steps-{test}"));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let counts = folder.join("counts");
    let run = Command::new("valgrind")
        .args(["-q", "--tool=callgrind", "--toggle-collect=qtensor_counted_call"])
        .arg(format!("--callgrind-out-file={}.%p", counts.display()))
        .arg(std::env::current_exe().unwrap())
        .args([test, "--exact", "--ignored", "--nocapture", "--quiet", "--test-threads=1"])
        .env(COUNTS, &counts)
        .output()
        .unwrap();
    let text = [run.stdout, run.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    assert!(run.status.success(), "{test}: {}\n{text}", run.status);
    std::fs::remove_dir_all(&folder).unwrap();
    let results: Vec<&str> =
        text.lines().filter(|line| line.contains(" times the steps: ")).collect();
    assert!(!results.is_empty(), "{test} was not run under valgrind:\n{text}");
    println!("{}", results.join("\n"));
    false
}

/// The function whose instructions are counted, with all that it calls. Whether the call returned.
#[unsafe(no_mangle)]
#[inline(never)]
fn qtensor_counted_call(call: &mut dyn FnMut()) -> bool {
    // A panic must not get into the child's copy of the harness, which would go on with it.
    catch_unwind(AssertUnwindSafe(call)).is_ok()
}

/// How many instructions a call takes.
pub(crate) fn steps(mut call: impl FnMut()) -> u64 {
    // SAFETY: the child runs the call and ends without the harness's own destructors.
    let child = unsafe { libc::fork() };
    assert!(child >= 0, "no other process can be started");
    if child == 0 {
        let returned = qtensor_counted_call(&mut call);
        // SAFETY: touches no memory.
        unsafe { libc::_exit(if returned { RETURNED } else { PANICKED }) }
    }
    let mut status = 0;
    // SAFETY: the child of this call, and a place for its status.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    assert!(libc::WIFEXITED(status), "the call was ended by signal {}", libc::WTERMSIG(status));
    match libc::WEXITSTATUS(status) {
        RETURNED => {}
        PANICKED => panic!("the call panicked"),
        other => panic!("the call ended its process with status {other}"),
    }
    let path = format!("{}.{child}", std::env::var(COUNTS).unwrap());
    let counts = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(path).unwrap();
    let count = counts.lines().find_map(|line| line.strip_prefix("summary: ")).unwrap();
    let count = count.trim().parse().unwrap();
    assert!(count > 0, "no instruction was counted");
    count
}
