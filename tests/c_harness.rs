//! Compiles the C and C++ programs in c_tests/, links each with the shared and with the static
//! library, and runs them.
//!
//! The golden files as text stay behind in target/tmp/golden, where c_tests/run_checked.sh finds
//! them.
#![cfg(all(feature = "capi", target_os = "linux"))]
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test stops at the first thing that is not as it should be"
)]

#[path = "support/golden.rs"]
#[allow(dead_code, reason = "another test uses the rest")]
mod golden;
#[path = "support/golden_text.rs"]
mod golden_text;
#[path = "support/toolchain.rs"]
#[allow(dead_code, reason = "another test uses the rest")]
mod toolchain;

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use toolchain::{NATIVE_LIBRARIES, WARNINGS, compiler, fresh_folder, in_crate, library, run};

/// Every source in c_tests/ is a program of its own.
fn sources() -> Vec<PathBuf> {
    let files = std::fs::read_dir(in_crate("c_tests")).unwrap().map(|entry| entry.unwrap().path());
    let is_source = |path: &PathBuf| path.extension().is_some_and(|e| e == "c" || e == "cc");
    let mut sources: Vec<PathBuf> = files.filter(is_source).collect();
    sources.sort();
    sources
}

/// The name of the folder that a program is built and run in.
fn program_name(source: &Path) -> String {
    source.file_name().unwrap().to_str().unwrap().replace('.', "_")
}

/// Where a program in C++ finds `caffe2/core/qtensor.h`: first of all in the drop-in folder. One
/// whose name says so has a Caffe2 of that age around it.
fn caffe2_folders(source: &Path) -> Vec<PathBuf> {
    let mut folders = vec![in_crate("include/caffe2_qtensor/compat")];
    let stem = source.file_stem().unwrap().to_str().unwrap();
    for age in ["caffe2_2017", "caffe2_2021"] {
        if stem.ends_with(&format!("_in_{age}")) {
            folders.push(in_crate("c_tests").join(age));
        }
    }
    folders
}

fn compile(source: &Path, folder: &Path) -> PathBuf {
    let cpp = source.extension().unwrap() == "cc";
    let object = folder.join("object.o");
    let mut command = compiler(cpp);
    command.arg(if cpp { "-std=c++11" } else { "-std=c99" }).args(WARNINGS);
    if cpp {
        for include in caffe2_folders(source) {
            command.arg("-I").arg(include);
        }
    }
    command.arg("-I").arg(in_crate("include")).arg("-c").arg(source).arg("-o").arg(&object);
    run(&mut command);
    object
}

/// A folder with the shared library under the names that the linker and the loader look for.
fn shared_folder() -> PathBuf {
    let folder = fresh_folder("shared");
    for name in ["libcaffe2_qtensor.so", "libcaffe2_qtensor.so.0"] {
        symlink(library("so"), folder.join(name)).unwrap();
    }
    folder
}

fn link_shared(source: &Path, object: &Path, folder: &Path, shared: &Path) -> PathBuf {
    let program = folder.join("shared");
    let mut command = compiler(source.extension().unwrap() == "cc");
    command.arg(object).arg("-o").arg(&program).arg("-L").arg(shared).arg("-lcaffe2_qtensor");
    command.arg(format!("-Wl,-rpath,{}", shared.display())).args(["-lpthread", "-lm"]);
    run(&mut command);
    program
}

fn link_static(source: &Path, object: &Path, folder: &Path) -> PathBuf {
    let program = folder.join("static");
    let mut command = compiler(source.extension().unwrap() == "cc");
    command.arg(object).arg("-o").arg(&program).arg(library("a")).args(NATIVE_LIBRARIES);
    run(&mut command);
    program
}

fn run_program(program: &Path, texts: &Path) {
    let scratch = program.with_extension("scratch");
    std::fs::create_dir(&scratch).unwrap();
    let mut command = Command::new(program);
    command.arg(in_crate("tests/data")).arg(texts).arg(&scratch);
    // Cargo's own path would find the library even where the program does not.
    run(command.env_remove("LD_LIBRARY_PATH"));
}

#[test]
fn programs_in_c() {
    let texts = fresh_folder("golden");
    golden_text::write_all(&texts);
    let (shared, sources) = (shared_folder(), sources());
    assert!(sources.len() > 10, "{sources:?}");
    let next = AtomicUsize::new(0);
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(source) = sources.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let folder = fresh_folder(&format!("c/{}", program_name(source)));
                    let object = compile(source, &folder);
                    run_program(&link_shared(source, &object, &folder, &shared), &texts);
                    run_program(&link_static(source, &object, &folder), &texts);
                }
            });
        }
    });
}
