//! The time of every parser is linear in its input: twice as many more things take about twice as many
//! more instructions, which valgrind counts one by one.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a test stops at the first thing that is not as it should be"
)]

#[path = "../support/blowups.rs"]
mod blowups;
mod compare;
#[path = "../support/message.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod message;
mod steps;

use caffe2_qtensor::minidb::{Catalog, Reader, load_all};
use caffe2_qtensor::net::Net;
use caffe2_qtensor::{DenseTensor, QTensor, peek};
use compare::{Inputs, compare};
use std::path::{Path, PathBuf};
use steps::under_valgrind;

/// How many small things there are in the smallest input.
const N: usize = 1024;

/// A file of these bytes, removed again.
struct Temporary(PathBuf);

impl Temporary {
    fn of(what: &str, bytes: &[u8]) -> Temporary {
        let name = format!("qtensor-linear-{what}-{}", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::write(&path, bytes).unwrap();
        Temporary(path)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).unwrap();
    }
}

/// The same for a parser of files.
fn compare_files(what: &str, inputs: Inputs, parse: fn(PathBuf)) {
    compare(what, N, inputs, |bytes| {
        // Written in few steps, by the child, whose process names the file.
        let file = Temporary::of(what, bytes);
        parse(file.0.clone());
    });
}

#[test]
#[ignore = "takes a minute: make test-trust"]
fn messages() {
    if !under_valgrind("messages") {
        return;
    }
    compare("QTensor", N, blowups::messages, |bytes| drop(QTensor::deserialize(bytes)));
    compare("DenseTensor", N, blowups::messages, |bytes| drop(DenseTensor::deserialize(bytes)));
    compare("peek", N, blowups::messages, |bytes| {
        std::hint::black_box(peek(bytes).is_ok());
    });
}

#[test]
#[ignore = "takes a minute: make test-trust"]
fn walks_of_databases() {
    if !under_valgrind("walks_of_databases") {
        return;
    }
    compare_files("reader", blowups::databases, |path| {
        let mut reader = Reader::open(&path).unwrap();
        while let Ok(Some(_)) = reader.next_entry() {}
    });
    compare_files("load", blowups::databases, |path| {
        drop(Reader::open(&path).unwrap().load(b"w"));
    });
    compare_files("load_dense", blowups::databases, |path| {
        drop(Reader::open(&path).unwrap().load_dense(b"w"));
    });
}

#[test]
#[ignore = "takes a minute: make test-trust"]
fn whole_databases() {
    if !under_valgrind("whole_databases") {
        return;
    }
    compare_files("load_all", blowups::databases, |path| drop(load_all(&path)));
    compare_files("catalog", blowups::databases, |path| drop(Catalog::open(&path)));
}

#[test]
#[ignore = "takes a minute: make test-trust"]
fn networks() {
    if !under_valgrind("networks") {
        return;
    }
    compare("net", N, blowups::networks, |bytes| {
        let Ok(net) = Net::of(bytes) else { return };
        for fill in net.fills() {
            drop(net.load(fill));
        }
    });
}
