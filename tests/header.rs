//! The committed header and the list of exported functions are those of the source.
//!
//! With `CAFFE2_QTENSOR_BLESS=1` the test writes them anew instead of comparing; `make header`
//! does that.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops at the first thing that is not as it should be"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn in_crate(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The header, with the version in macros whose only source is Cargo.toml.
fn generated() -> String {
    let mut config = cbindgen::Config::from_file(in_crate("cbindgen.toml")).unwrap();
    let part = |name: &str, value: &str| format!("#define CAFFE2_QTENSOR_VERSION_{name} {value}\n");
    config.after_includes = Some(format!(
        "\n/* The version of this header; qtensor_version() is the library's. */\n{}{}{}\
         #define CAFFE2_QTENSOR_VERSION \"{}\"",
        part("MAJOR", env!("CARGO_PKG_VERSION_MAJOR")),
        part("MINOR", env!("CARGO_PKG_VERSION_MINOR")),
        part("PATCH", env!("CARGO_PKG_VERSION_PATCH")),
        env!("CARGO_PKG_VERSION"),
    ));
    let mut text = Vec::new();
    // Only the C interface, in the order in which a reader meets it.
    let sources = ["status", "error", "tensor", "view", "codes", "channels", "logarithmic"];
    let sources = sources.iter().chain(&[
        "zero_point",
        "int8",
        "serialize",
        "parsed",
        "peek",
        "dense",
        "borrow",
    ]);
    let sources = sources.chain(&["minidb", "blobs", "choose", "quantize", "dequantize"]);
    let sources = sources.chain(&["halves", "conv1d", "product_options", "product", "fixed"]);
    let sources =
        sources.chain(&["observer", "calibrate", "loss", "loss_metrics", "measure", "energy"]);
    let mut builder = cbindgen::Builder::new().with_config(config);
    for source in sources {
        builder = builder.with_src(in_crate("src/capi").join(source).with_extension("rs"));
    }
    builder.generate().expect("the source of the C interface").write(&mut text);
    String::from_utf8(text).unwrap()
}

/// The functions that a header declares.
fn declared(header: &str) -> BTreeSet<String> {
    let calls = header.lines().filter(|line| !line.starts_with("//") && !line.starts_with(" *"));
    calls
        .flat_map(|line| line.split_once('(').map(|(before, _)| before))
        .filter_map(|before| before.split([' ', '*']).next_back())
        .filter(|name| name.starts_with("qtensor_"))
        .map(str::to_owned)
        .collect()
}

fn check(path: &str, expected: &str) {
    let path = in_crate(path);
    if std::env::var_os("CAFFE2_QTENSOR_BLESS").is_some() {
        std::fs::write(&path, expected).unwrap();
        return;
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == expected, "{} is not what the source says: run `make header`", path.display());
}

#[test]
fn the_header_and_the_export_list_are_fresh() {
    let header = generated();
    let names: Vec<String> = declared(&header).into_iter().collect();
    check("include/caffe2_qtensor.h", &header);
    check("c_tests/exports.txt", &(names.join("\n") + "\n"));
}
