//! Chunks that do not make up a tensor.

use crate::check_refused;
use crate::folder::Folder;
use crate::message::{Message, blob, qtensor, record};
use caffe2_qtensor::ErrorKind::{self, Malformed, Overflow, ShapeMismatch, Unsupported};
use caffe2_qtensor::minidb::{Reader, load_all};

/// Elements `begin..end` of a tensor of bytes with these dimensions.
fn chunk(dims: &[u64], begin: i64, end: i64) -> Vec<u8> {
    typed(6, dims, begin, end)
}

fn typed(data_type: u64, dims: &[u64], begin: i64, end: i64) -> Vec<u8> {
    let message = dims.iter().fold(Message::new(), |message, dim| message.varint(1, *dim));
    let segment = Message::new().varint(1, begin as u64).varint(2, end as u64);
    let count = usize::try_from(end - begin).unwrap_or(0).min(1000);
    let message = message.varint(2, data_type).bytes(4, &vec![1; count]);
    blob("Tensor", 3, message.bytes(11, &segment.0))
}

/// Puts the chunks together under the name "w" in both ways.
fn refused(what: &str, chunks: &[Vec<u8>], kind: ErrorKind, words: &str) {
    let folder = Folder::new();
    let keyed = chunks.iter().enumerate();
    let bytes: Vec<u8> =
        keyed.flat_map(|(k, value)| record(format!("w#%{k}").as_bytes(), value)).collect();
    let path = folder.file("db", &bytes);
    check_refused(what, Reader::open(&path).unwrap().load_dense(b"w"), kind, words);
    check_refused(what, load_all(&path), kind, words);
}

#[test]
fn chunks_that_do_not_fit() {
    let overlap = [chunk(&[8], 0, 5), chunk(&[8], 4, 8)];
    refused("an overlap", &overlap, Malformed, "element 4: two of its chunks overlap");
    let twice = [chunk(&[8], 0, 8), chunk(&[8], 0, 8)];
    refused("twice", &twice, Malformed, "element 0: two of its chunks overlap");
    let gap = [chunk(&[8], 6, 8), chunk(&[8], 0, 4)];
    refused("a gap", &gap, Malformed, "element 4: a chunk is missing");
    refused("no end", &[chunk(&[8], 0, 5)], Malformed, "element 5: a chunk is missing");
    refused("no start", &[chunk(&[8], 2, 8)], Malformed, "element 0: a chunk is missing");
    let dims = [chunk(&[8], 0, 4), chunk(&[4, 2], 4, 8)];
    refused("other dimensions", &dims, Malformed, "differ in dimensions");
    let types = [typed(6, &[8], 0, 4), typed(5, &[8], 4, 8)];
    refused("another element type", &types, Malformed, "differ in dimensions or element type");
    refused("backward", &[chunk(&[8], 4, 0)], Malformed, "4");
    refused("negative", &[chunk(&[8], -4, 4)], Malformed, "-4");
    refused("behind the end", &[chunk(&[8], 0, 9)], Malformed, "9");
    let value = Message::new().varint(1, 8).varint(2, 6).bytes(4, &[1; 7]);
    let short = value.bytes(11, &Message::new().varint(1, 0).varint(2, 8).0);
    refused("too few values", &[blob("Tensor", 3, short)], ShapeMismatch, "is 7,");
}

#[test]
fn claims_of_chunks() {
    refused("2^60", &[chunk(&[1 << 60], 0, 8)], ShapeMismatch, "1152921504606846976");
    refused("2^60 whole", &[chunk(&[1 << 60], 0, 1 << 60)], ShapeMismatch, "1152921504606846976");
    refused("2^120", &[chunk(&[1 << 60, 1 << 60], 0, 8)], Overflow, "9223372036854775807");
    refused("65 dimensions", &[chunk(&[1; 65], 0, 1)], Unsupported, "is 65,");
    refused("a negative one", &[chunk(&[8, u64::MAX], 0, 8)], Malformed, "-1");
}

/// Another type of blob under the same name is no chunk.
#[test]
fn other_types_among_chunks() {
    let folder = Folder::new();
    let other = blob("QTensor", 5, qtensor(&[], 8));
    let records = [
        record(b"w#%0", &chunk(&[8], 0, 4)),
        record(b"w#%1", &other),
        record(b"w#%2", &chunk(&[8], 4, 8)),
    ];
    let path = folder.file("db", &records.concat());
    // Records of different types may share a name; each stands for itself.
    let load = Reader::open(&path).unwrap().load_dense(b"w");
    assert_eq!(load.unwrap().elements().len(), 8);
    assert_eq!(load_all(&path).unwrap().len(), 2);
    let path = folder.file("other", &record(b"w", &blob("QTensor", 5, qtensor(&[], 8))));
    let load = Reader::open(&path).unwrap().load_dense(b"w");
    check_refused("a QTensor", load, Unsupported, "'QTensor'");
}

#[test]
fn an_empty_tensor_and_empty_chunks() {
    let folder = Folder::new();
    let path = folder.file("db", &record(b"w#%0", &chunk(&[0, 5], 0, 0)));
    assert_eq!(Reader::open(&path).unwrap().load_dense(b"w").unwrap().dims(), [0, 5]);
    let empties = [chunk(&[4], 0, 0), chunk(&[4], 0, 4), chunk(&[4], 4, 4)];
    let bytes: Vec<u8> = empties.iter().flat_map(|value| record(b"w#%0", value)).collect();
    let path = folder.file("db", &bytes);
    assert_eq!(Reader::open(&path).unwrap().load_dense(b"w").unwrap().elements().len(), 4);
}
