//! What a parse asks the allocator for is bounded by its input, whatever that claims.

use crate::allocator::{Failure, run};
use crate::blowups;
use crate::bounds::{Bound, DATABASE, MESSAGE, NET, OBSERVER};
use crate::golden::{hex, lines};
use crate::message::{Message, blob, qtensor, record};
use caffe2_qtensor::calibrate::{Kind, Observer, ObserverConfig};
use caffe2_qtensor::minidb::{Catalog, Reader, load_all};
use caffe2_qtensor::net::Net;
use caffe2_qtensor::{DenseTensor, QTensor, peek, peek_proto};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The most that any parse asked for, in hundredths of a byte per byte of input.
#[derive(Default)]
struct Worst {
    ratio: u64,
    what: String,
}

impl Worst {
    fn see(&mut self, what: &str, bound: Bound, length: u64, parse: impl FnOnce()) {
        let ((), _, usage) = run(Failure::None, parse);
        let ratio = bound.check(what, length, usage.bytes);
        if ratio > self.ratio {
            self.ratio = ratio;
            self.what = what.to_owned();
        }
    }

    fn message(&mut self, what: &str, bytes: &[u8]) {
        let parses: [fn(&[u8]); 5] = [
            |bytes| drop(QTensor::deserialize(bytes)),
            |bytes| drop(QTensor::deserialize_proto(bytes)),
            |bytes| drop(DenseTensor::deserialize(bytes)),
            |bytes| {
                let _ = peek(bytes);
            },
            |bytes| {
                let _ = peek_proto(bytes);
            },
        ];
        for parse in parses {
            self.see(what, MESSAGE, bytes.len() as u64, || parse(bytes));
        }
    }

    fn file(&mut self, what: &str, path: &Path) {
        let length = std::fs::metadata(path).unwrap().len();
        let walk = |path: &Path| {
            let Ok(mut reader) = Reader::open(path) else { return };
            while let Ok(Some(_)) = reader.next_entry() {}
        };
        let parses: [&dyn Fn(&Path); 5] = [
            &|path| drop(load_all(path)),
            &|path| drop(Catalog::open(path)),
            &walk,
            &|path| drop(Reader::open(path).map(|reader| reader.load(b"w"))),
            &|path| drop(Reader::open(path).map(|reader| reader.load_dense(b"w"))),
        ];
        for parse in parses {
            self.see(what, DATABASE, length, || parse(path));
        }
    }

    /// A network, and each of its tensors whose values are written out.
    fn network(&mut self, what: &str, bytes: &[u8]) {
        let length = bytes.len() as u64;
        self.see(what, NET, length, || drop(Net::of(bytes)));
        let Ok(net) = Net::of(bytes) else { return };
        for fill in net.fills().iter().filter(|fill| fill.is_written_out()) {
            self.see(what, NET, length, || drop(net.load(fill)));
        }
    }
}

impl Drop for Worst {
    fn drop(&mut self) {
        let (whole, part) = (self.ratio / 100, self.ratio % 100);
        println!("bytes per input byte, worst {whole}.{part:02}: {}", self.what);
    }
}

#[test]
fn goldens_take_what_they_hold() {
    let mut worst = Worst::default();
    for file in ["qtensor.jsonl", "int8_tensor.jsonl", "wire.jsonl"] {
        for line in lines(file) {
            worst.message(file, &hex(&line["blob_hex"]));
        }
    }
}

#[test]
fn claims_take_nothing() {
    let mut worst = Worst::default();
    let huge = [1i64 << 60];
    worst.message("2^60 elements", &blob("QTensor", 5, qtensor(&huge, 8).bytes(6, &[1; 100])));
    let spread: Vec<i64> = vec![1 << 20; 3];
    worst.message("2^60 log", &blob("QTensorLog", 5, qtensor(&huge, 8).bytes(6, &[1; 100])));
    worst.message("2^60 by three", &blob("QTensor", 5, qtensor(&spread, 1).bytes(6, &[1; 100])));
    worst.message("2^60 unpacked", &blob("QTensor", 5, qtensor(&huge, 8).varint(6, 1)));
    worst.message("2^60 alone", &qtensor(&huge, 8).bytes(6, &[1; 100]).0);
    worst.message("no precision", &blob("QTensor", 5, qtensor(&huge, 0)));
    for data_type in [2, 6] {
        let int8 = qtensor(&huge, 8).bytes(6, &[1; 100]).varint(8, data_type);
        worst.message("2^60 int8", &blob("Int8TensorCPU", 5, int8));
    }
    let long = Message::new().bytes(1, b"w").tag(5, 2).raw_varint((1 << 31) - 17).0;
    worst.message("a length of 2 GiB", &long);
    let inner = qtensor(&[100], 8).tag(6, 2).raw_varint((1 << 31) - 17);
    worst.message("data of 2 GiB", &blob("QTensor", 5, inner));
    for data_type in [1, 2, 5, 6, 7, 8, 9, 10, 12, 13, 14] {
        for (field, segment) in [(3, 0), (4, 0), (9, 0), (10, 0), (13, 0), (4, 1 << 60)] {
            let tensor = Message::new().varint(1, 1 << 60).varint(2, data_type);
            let tensor = tensor.bytes(field, &[1; 96]);
            let end = Message::new().varint(1, 0).varint(2, segment);
            let tensor = if segment > 0 { tensor.bytes(11, &end.0) } else { tensor };
            worst.message("2^60 elements, ordinary", &blob("Tensor", 3, tensor));
        }
    }
}

/// What takes the most memory that is really there.
#[test]
fn dense_data_take_their_ratio() {
    let mut worst = Worst::default();
    const COUNT: usize = 100_000;
    let values = vec![1u8; COUNT];
    let int32 = qtensor(&[COUNT as i64], 8).bytes(6, &values).varint(8, 2);
    worst.message("Int8TensorCPU of int32", &blob("Int8TensorCPU", 5, int32));
    let int64 = Message::new().varint(1, COUNT as u64).varint(2, 10).bytes(10, &values);
    worst.message("Tensor of int64", &blob("Tensor", 3, int64));
    let scales = qtensor(&[0], 8).bytes(9, &vec![1; COUNT / 8 * 8]);
    worst.message("scales", &blob("QTensor", 5, scales));
    let dims = qtensor(&[], 8).bytes(1, &values);
    worst.message("dims", &blob("QTensor", 5, dims));
    let mut pieces = qtensor(&[1000], 8);
    for _ in 0..1000 {
        pieces = pieces.varint(6, 1);
    }
    worst.message("unpacked data", &blob("QTensor", 5, pieces));
    let repeated = Message::new().bytes(5, &qtensor(&[1], 0).0).0.repeat(1000);
    worst.message("a thousand messages", &repeated);
}

#[test]
fn blow_ups_take_what_they_hold() {
    const N: usize = 3000;
    let mut worst = Worst::default();
    for (what, bytes) in blowups::messages(N) {
        worst.message(what, &bytes);
        worst.network(what, &bytes);
    }
    let mut worst = Worst::default();
    for (what, bytes) in blowups::databases(N) {
        worst.file(what, &Temporary::of(&bytes).0);
    }
    let mut worst = Worst::default();
    for (what, bytes) in blowups::networks(N) {
        worst.network(what, &bytes);
    }
}

#[test]
fn observers_take_what_they_hold() {
    let mut worst = Worst::default();
    let kinds = [Kind::Range, Kind::MovingAverage { weight: 0.5 }, Kind::Histogram { bins: 256 }];
    for (kind, channels) in kinds.into_iter().flat_map(|kind| [1, 2, 40].map(|count| (kind, count)))
    {
        let config = ObserverConfig { kind, channels: Some((0, channels)), ..Default::default() };
        let state = Observer::new(&config).unwrap().serialize().unwrap();
        let length = state.len() as u64;
        let parse = || drop(Observer::deserialize(&state).unwrap());
        worst.see(&format!("{kind:?} of {channels} channels"), OBSERVER, length, parse);
        // Claims of what is not there take nothing.
        for claim in [u64::MAX, 1 << 24, 1 << 40] {
            for at in [24, 32] {
                let mut damaged = state.clone();
                damaged[at..at + 8].copy_from_slice(&claim.to_le_bytes());
                let parse = || assert!(Observer::deserialize(&damaged).is_err());
                worst.see("a claim", Bound { each: 0, fixed: 0 }, length, parse);
            }
        }
    }
}

/// A file of these bytes, removed again.
struct Temporary(PathBuf);

impl Temporary {
    fn of(bytes: &[u8]) -> Temporary {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Relaxed);
        let name = format!("qtensor-bounded-{}-{number}", std::process::id());
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

#[test]
fn databases_take_what_they_hold() {
    let mut worst = Worst::default();
    let data = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data"));
    for name in ["blobs.minidb", "chunked.minidb", "digits/digits_mlp.minidb"] {
        worst.file(name, &data.join(name));
    }
    let mut files: Vec<(&str, Vec<u8>)> = Vec::new();
    for (what, key, value) in [
        ("a value of 2 GiB", 1i32, i32::MAX),
        ("a key of 2 GiB", i32::MAX, 1),
        ("both", i32::MAX, i32::MAX),
    ] {
        files.push((what, [&key.to_le_bytes()[..], &value.to_le_bytes(), b"w"].concat()));
    }
    let chunk = |begin: u64, end: u64, size: u64| {
        let segment = Message::new().varint(1, begin).varint(2, end);
        let tensor = Message::new().varint(1, size).varint(2, 10);
        let values = vec![1; ((end - begin) as usize).min(100)];
        blob("Tensor", 3, tensor.bytes(10, &values).bytes(11, &segment.0))
    };
    files.push(("a chunk of 2^60", record(b"w#%0", &chunk(0, 100, 1 << 60))));
    files.push(("a segment of 2^60", record(b"w#%0", &chunk(0, 1 << 60, 1 << 60))));
    let chunks = (0..300).map(|k| record(b"w#%0", &chunk(k, k + 1, 300)));
    files.push(("300 chunks", chunks.collect::<Vec<_>>().concat()));
    files.push(("smallest records", record(b"w", &[8, 0]).repeat(3000)));
    files.push(("smallest chunks", record(b"w", b"\x12\x06Tensor\x1a\x00").repeat(3000)));
    for (what, bytes) in files {
        worst.file(what, &Temporary::of(&bytes).0);
    }
}
