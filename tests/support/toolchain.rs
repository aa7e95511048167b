//! The C compiler, the libraries that cargo has just built, and running programs.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

/// What a program in C links with beside the static library: `rustc --print native-static-libs`.
pub(crate) const NATIVE_LIBRARIES: [&str; 7] =
    ["-lgcc_s", "-lutil", "-lrt", "-lpthread", "-lm", "-ldl", "-lc"];

pub(crate) const WARNINGS: [&str; 4] = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"];

pub(crate) fn in_crate(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A new, empty folder of this test's own.
pub(crate) fn fresh_folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// The shared or static library that belongs to this test: cargo leaves it beside the test's own
/// executable. Elsewhere there may be stale ones.
pub(crate) fn library(extension: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let folder = test.parent().unwrap();
    let is_ours = |path: &PathBuf| {
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or("");
        let hashed = stem.strip_prefix("libcaffe2_qtensor");
        hashed.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
            && path.extension().is_some_and(|found| found == extension)
    };
    let modified = |path: &PathBuf| {
        path.metadata().and_then(|data| data.modified()).unwrap_or(SystemTime::UNIX_EPOCH)
    };
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let newest = files.filter(is_ours).max_by_key(modified);
    newest.unwrap_or_else(|| panic!("no libcaffe2_qtensor.{extension} in {}", folder.display()))
}

/// The compiler that the cc crate finds: `CC` or `CXX`, or what the system calls `cc` and `c++`.
pub(crate) fn compiler(cpp: bool) -> Command {
    let environment = if cfg!(target_env = "musl") { "musl" } else { "gnu" };
    let target = format!("{}-unknown-linux-{environment}", std::env::consts::ARCH);
    let mut build = cc::Build::new();
    build.cpp(cpp).target(&target).host(&target).opt_level(1).debug(true);
    build.cargo_metadata(false).get_compiler().to_command()
}

/// Whether a tool can be run. Its absence fails the test where `CAFFE2_QTENSOR_REQUIRE_TOOLS` is
/// 1, as `make test` sets it.
pub(crate) fn has_tool(name: &str) -> bool {
    if Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success()) {
        return true;
    }
    let required = std::env::var_os("CAFFE2_QTENSOR_REQUIRE_TOOLS");
    assert!(required.is_none_or(|value| value != "1"), "{name} is not installed");
    println!("skipped: {name} is not installed");
    false
}

/// Runs a command that must succeed, and shows what it said where it does not.
pub(crate) fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{command:?}: {}\n{text}{}",
        output.status,
        String::from_utf8_lossy(&output.stderr),
    );
    text
}
