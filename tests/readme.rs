//! The C program in the README compiles and prints what the README says, and so do the examples.
#![allow(
    missing_docs,
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops at the first thing that is not as it should be"
)]

#[path = "support/toolchain.rs"]
mod toolchain;

use std::path::{Path, PathBuf};
use std::process::Command;
use toolchain::{NATIVE_LIBRARIES, WARNINGS, compiler, fresh_folder, in_crate, library, run};

fn build(source: &Path, folder: &Path) -> PathBuf {
    let program = folder.join(source.file_stem().unwrap());
    let mut command = compiler(false);
    command.arg("-std=c99").args(WARNINGS).arg("-I").arg(in_crate("include"));
    command.arg(source).arg("-o").arg(&program).arg(library("a")).args(NATIVE_LIBRARIES);
    run(&mut command);
    program
}

#[test]
fn the_first_program() {
    let readme = std::fs::read_to_string(in_crate("README.md")).unwrap();
    let (_, from) = readme.split_once("```c\n").unwrap();
    let (code, after) = from.split_once("```").unwrap();
    let printed = after.split_once("It prints `").unwrap().1.split_once('`').unwrap().0;
    let folder = fresh_folder("readme");
    let source = folder.join("first.c");
    std::fs::write(&source, code).unwrap();
    assert_eq!(run(&mut Command::new(build(&source, &folder))).trim_end(), printed);
}

#[test]
fn the_examples() {
    let folder = fresh_folder("examples");
    let data = in_crate("tests/data");
    let list = build(&in_crate("examples/c/list.c"), &folder);
    let quantize = build(&in_crate("examples/c/quantize.c"), &folder);
    let listed = run(Command::new(&list).arg(data.join("blobs.minidb")));
    assert!(listed.contains("w1             QTensor        [4, 11]       3 + sign"), "{listed}");
    let output = folder.join("quantized.minidb");
    let model = data.join("digits/digits_mlp.minidb");
    let report = run(Command::new(&quantize).arg(&model).arg(&output));
    assert!(report.contains("total"), "{report}");
    assert!(run(Command::new(&list).arg(&output)).contains("fc3_b"));
    let digits = |file: &str| data.join("digits").join(file);
    let classify = build(&in_crate("examples/c/classify.c"), &folder);
    let mut command = Command::new(&classify);
    command.args([&model, &digits("digits_train.minidb"), &digits("digits_test.minidb")]);
    let classified = run(&mut command);
    assert!(classified.starts_with("707 of 719 images right"), "{classified}");
    // What cannot be read is refused with a sentence, and nothing is left behind.
    let refused = Command::new(&quantize).arg(folder.join("none")).arg(&output).output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("Cannot open the database file"));
}
