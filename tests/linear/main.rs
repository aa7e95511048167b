//! The time of every parser is linear in its input: four times as many things take about four times as
//! many instructions, which are counted one by one, and memory requests.
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
use std::path::PathBuf;

/// How many small things there are in the smaller input: a step of a traced process takes as long as
/// thousands of instructions. A multiple of 16, for inputs of n / 16 larger things.
const N: usize = 32;
/// The same in files, which are read by calls of the system.
const N_IN_FILES: usize = 8;

/// A file of these bytes, removed again.
struct Temporary(PathBuf);

impl Temporary {
    fn of(what: &str, bytes: &[u8]) -> Temporary {
        let name = format!("qtensor-linear-{what}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
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
    compare(what, N_IN_FILES, inputs, |bytes| {
        // Written by the child, so that it counts too; a file is written in few steps.
        let file = Temporary::of(what, bytes);
        parse(file.0.clone());
    });
}

#[test]
#[ignore = "takes a minute: make test-trust"]
fn messages() {
    compare("QTensor", N, blowups::messages, |bytes| drop(QTensor::deserialize(bytes)));
    compare("DenseTensor", N, blowups::messages, |bytes| drop(DenseTensor::deserialize(bytes)));
    compare("peek", N, blowups::messages, |bytes| {
        std::hint::black_box(peek(bytes).is_ok());
    });
}

#[test]
#[ignore = "takes a minute: make test-trust"]
fn walks_of_databases() {
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
    compare_files("load_all", blowups::databases, |path| drop(load_all(&path)));
    compare_files("catalog", blowups::databases, |path| drop(Catalog::open(&path)));
}

#[test]
#[ignore = "takes a minute: make test-trust"]
fn networks() {
    compare("net", N_IN_FILES, blowups::networks, |bytes| {
        let Ok(net) = Net::of(bytes) else { return };
        for fill in net.fills() {
            drop(net.load(fill));
        }
    });
}
