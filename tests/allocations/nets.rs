//! Networks of fill operators and the catalog of a database: memory that runs out at any request is
//! an error, and what is asked for is bounded by what is there.

use crate::allocator::{Failure, live, run};
use crate::message::Message;
use caffe2_qtensor::minidb::{Catalog, Writer};
use caffe2_qtensor::net::Net;
use caffe2_qtensor::{Error, ErrorKind};
use std::path::{Path, PathBuf};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

/// Lets each request of a call fail, alone and with all behind it, until none does.
fn check(what: &str, call: impl Fn() -> Result<(), Error>) {
    for failure in [Failure::Once as fn(u64) -> Failure, Failure::From] {
        let mut refused = 0;
        for number in 0.. {
            let before = live();
            let (result, failures, _) = run(failure(number), &call);
            assert_eq!(live(), before, "{what}: request {number} left something behind");
            match result {
                Ok(()) if failures == 0 => break,
                Err(error) if error.kind() == ErrorKind::OutOfMemory => refused += 1,
                // Only a wish for huge pages or a copy that is tried again may be refused unseen.
                other => panic!("{what}: request {number}: {other:?}"),
            }
        }
        assert!(refused > 0, "{what}");
    }
}

fn load_all(net: &Net<'_>) -> Result<(), Error> {
    net.fills().iter().try_for_each(|fill| net.load(fill).map(drop))
}

#[test]
fn networks_say_so_where_memory_runs_out() {
    let path = data("digits/digits_init_net.pb");
    let bytes = std::fs::read(&path).unwrap();
    check("a network in memory", || load_all(&Net::of(&bytes)?));
    check("a network in a file", || load_all(&Net::open(&path)?));
}

#[test]
fn catalogs_say_so_where_memory_runs_out() {
    let folder = std::env::temp_dir().join(format!("qtensor-catalog-{}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    let out = folder.join("out");
    for name in ["blobs.minidb", "chunked.minidb"] {
        let path = data(name);
        check(name, || {
            let catalog = Catalog::open(&path)?;
            let mut writer = Writer::create(&out)?;
            for blob in catalog.blobs() {
                blob.load()?;
                blob.copy(&mut writer)?;
            }
            Ok(())
        });
    }
    // Nothing was committed, and no temporary file is left.
    std::fs::remove_dir(&folder).unwrap();
}

#[test]
fn networks_take_what_they_hold() {
    let ask = |bytes: &[u8]| {
        let ((), _, usage) = run(Failure::None, || {
            let Ok(net) = Net::of(bytes) else { return };
            for fill in net.fills().iter().filter(|fill| fill.is_written_out()) {
                let _ = net.load(fill);
            }
        });
        usage
    };
    let argument = |name: &[u8]| Message::new().bytes(1, name);
    let network = |kind: &[u8], shape: &[u64], values: Message| {
        let shape = shape.iter().fold(argument(b"shape"), |all, dim| all.varint(6, *dim));
        let operator = Message::new().bytes(2, b"y").bytes(4, kind).bytes(5, &shape.0);
        Message::new().bytes(2, &operator.bytes(5, &values.0).0).0
    };
    let many = Message::new().bytes(1, b"values").bytes(6, &[1; 100_000]);
    for (bytes, per_byte) in [
        (std::fs::read(data("digits/digits_init_net.pb")).unwrap(), 4),
        // 64-bit integers of one byte each.
        (network(b"GivenTensorInt64Fill", &[100_000], many.clone()), 9),
        (network(b"GivenTensorInt64Fill", &[1 << 60], many.clone()), 1),
        (network(b"GivenTensorFill", &[1 << 20, 1 << 20], many.clone()), 1),
        (network(b"Int8GivenTensorFill", &[1 << 60], argument(b"values").bytes(4, b"ab")), 1),
        (network(b"Int8GivenIntTensorFill", &[1 << 30], many), 1),
        // An entry of the list for each operator of three bytes, as the list grows.
        (Message::new().bytes(2, &[]).0.repeat(10_000), 1024),
    ] {
        let (length, usage) = (bytes.len() as u64, ask(&bytes));
        assert!(usage.bytes <= length * per_byte + 4096, "{} for {length}", usage.bytes);
    }
}
