//! Files of floats for the tests of `sweep`, and the built command.

#![allow(dead_code, reason = "each test takes what it needs of it")]

use caffe2_qtensor::{DenseTensor, Elements, minidb};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The model that Caffe2 trained.
pub(crate) const DIGITS: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/digits/digits_mlp.minidb");

/// A name, dimensions and values.
pub(crate) type Floats<'a> = (&'a [u8], &'a [i64], Vec<f32>);

/// A folder of its own, empty.
pub(crate) fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::remove_dir_all(&folder).ok();
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Writes tensors of floats to a database.
pub(crate) fn write(path: &Path, tensors: &[Floats]) {
    let mut writer = minidb::Writer::create(path).unwrap();
    for (name, dims, values) in tensors {
        let tensor = DenseTensor::new(dims, Elements::Float(values.clone())).unwrap();
        writer.append_dense(name, &tensor, minidb::DEFAULT_CHUNK).unwrap();
    }
    writer.commit().unwrap();
}

/// Numbers about as a normal distribution has them; the same for a seed.
pub(crate) fn normal(count: usize, mut seed: u64) -> Vec<f32> {
    let mut uniform = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 40) as f32 / (1_u64 << 24) as f32
    };
    (0..count).map(|_| (0..12).map(|_| uniform()).sum::<f32>() - 6.0).collect()
}

/// The command, which thinks of no terminal and no width.
pub(crate) fn qtensor() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_qtensor"));
    command.env_remove("COLUMNS");
    command
}

/// Runs `sweep` with these arguments.
pub(crate) fn sweep(input: &Path, arguments: &[&str]) -> Output {
    qtensor().arg("sweep").arg(input).args(arguments).output().unwrap()
}

/// What `sweep --json` says.
pub(crate) fn swept(input: &Path, arguments: &[&str]) -> Value {
    let output = sweep(input, &[arguments, &["--json"]].concat());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert_eq!(said, "", "there is no progress bar in a pipe");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// That a command failed with status 1 and one line, which has these words.
pub(crate) fn refused(output: &Output, words: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!(output.stdout, b"");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains(words), "{said}");
}
