//! Every prefix and every single-bit flip of what Caffe2 wrote.

use crate::check::{Tally, check_blob, check_proto};
use crate::golden::{hex, lines};
use crate::guard::Guarded;
use crate::message::{blob, qtensor};
use caffe2_qtensor::QTensor;
use caffe2_qtensor::minidb::Reader;
use std::collections::BTreeMap;

/// Checks every prefix, the whole included, and every flip.
fn damage(bytes: &[u8], check: fn(&[u8], &mut Tally), tally: &mut Tally) {
    let mut pages = Guarded::new(bytes.len());
    for length in 0..=bytes.len() {
        // A read behind the end would touch the protected page.
        let prefix = pages.back(length);
        prefix.copy_from_slice(&bytes[..length]);
        check(prefix, tally);
    }
    let mut flipped = bytes.to_vec();
    for bit in 0..bytes.len() * 8 {
        flipped[bit / 8] ^= 1 << (bit % 8);
        check(&flipped, tally);
        flipped[bit / 8] ^= 1 << (bit % 8);
    }
}

/// Some blobs of a golden file, of any length up to `longest` bytes.
fn goldens(file: &str, count: usize, longest: usize) -> Vec<Vec<u8>> {
    let blobs = lines(file).into_iter().map(|line| hex(&line["blob_hex"]));
    let short: Vec<_> = blobs.filter(|blob| blob.len() <= longest).collect();
    let step = (short.len() / count).max(1);
    short.into_iter().step_by(step).take(count).collect()
}

fn damage_all(what: &str, blobs: &[Vec<u8>], check: fn(&[u8], &mut Tally)) {
    let mut tally = Tally::default();
    for blob in blobs {
        damage(blob, check, &mut tally);
    }
    println!("{what}: {} goldens, {tally:?}", blobs.len());
}

#[test]
fn quantized_tensors() {
    let mut blobs = goldens("qtensor.jsonl", 40, 300);
    blobs
        .extend(goldens("qtensor.jsonl", 300, 2048).into_iter().filter(|b| b.len() > 1500).take(2));
    assert!(blobs.len() > 40);
    damage_all("QTensor", &blobs, check_blob);
}

#[test]
fn logarithmic_tensors() {
    let as_logarithmic = |blob: &Vec<u8>| {
        let mut tensor = QTensor::deserialize(blob).unwrap();
        tensor.set_logarithmic(true).unwrap();
        tensor.to_blob(b"some/name").unwrap()
    };
    let mut blobs: Vec<_> = goldens("qtensor.jsonl", 40, 300).iter().map(as_logarithmic).collect();
    // One that says it has channels too.
    let both = qtensor(&[3], 0).double(9, 1.0).double(10, 2.0).varint(12, 1);
    blobs.push(blob("QTensorLog", 5, both));
    damage_all("QTensorLog", &blobs, check_blob);
}

#[test]
fn bare_quantized_tensors() {
    let protos: Vec<_> = goldens("qtensor.jsonl", 40, 300)
        .iter()
        .map(|blob| QTensor::deserialize(blob).unwrap().to_proto(b"some/name").unwrap())
        .collect();
    damage_all("QTensorProto", &protos, check_proto);
}

#[test]
fn int8_tensors() {
    damage_all("Int8TensorCPU", &goldens("int8_tensor.jsonl", 25, 300), check_blob);
}

#[test]
fn unusual_messages() {
    let mut kinds: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
    for line in lines("wire.jsonl") {
        let kept = line["outcome"] == "accepted" && line["lossy"] == false;
        let blob = hex(&line["blob_hex"]);
        let same = kinds.entry(line["what"].as_str().unwrap().to_owned()).or_default();
        if kept && same.len() < 3 && blob.len() <= 300 {
            same.push(blob);
        }
    }
    let blobs: Vec<_> = kinds.into_values().flatten().collect();
    assert!(blobs.len() >= 30);
    damage_all("unusual", &blobs, check_blob);
}

#[test]
fn ordinary_tensors() {
    let mut blobs = Vec::new();
    for name in ["blobs.minidb", "digits/digits_mlp.minidb", "digits/digits_int8.minidb"] {
        let data = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/").to_owned();
        let mut reader = Reader::open((data + name).as_ref()).unwrap();
        while let Some(entry) = reader.next_entry().unwrap() {
            if entry.value_size() <= 2048 && entry.kind() == b"Tensor" {
                blobs.push(reader.read_entry().unwrap());
            }
        }
    }
    assert!(!blobs.is_empty());
    damage_all("Tensor", &blobs, check_blob);
}
