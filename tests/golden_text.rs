//! Writes the golden files as text, for C programs that others run: ctest has them made by this.
//!
//! They go to the folder that `CAFFE2_QTENSOR_GOLDEN_TEXT` names, or else to
//! target/tmp/golden_text.
#![cfg(feature = "capi")]
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

use std::path::{Path, PathBuf};

#[test]
fn golden_files_as_text() {
    let folder = std::env::var_os("CAFFE2_QTENSOR_GOLDEN_TEXT")
        .map_or_else(|| Path::new(env!("CARGO_TARGET_TMPDIR")).join("golden_text"), PathBuf::from);
    std::fs::create_dir_all(&folder).unwrap();
    golden_text::write_all(&folder);
    for name in ["qtensor", "trace", "wire", "int8_tensor", "blobs", "choose", "dnnlowp"] {
        let path = folder.join(name).with_extension("txt");
        assert!(path.metadata().unwrap().len() > 0, "{} is empty", path.display());
    }
}
