//! Databases cut at every offset, with every bit flipped, with lengths that lie.

use crate::check_refused;
use crate::folder::{Folder, golden};
use crate::message::{blob, qtensor, record};
use caffe2_qtensor::ErrorKind::{Malformed, Unavailable};
use caffe2_qtensor::minidb::{Catalog, Reader, Value, Writer, load_all};
use caffe2_qtensor::{Error, QTensor};
use std::path::Path;

/// What a walk saw: the keys, the damaged blobs it went past, and the damage that stopped it.
#[derive(Debug, Default)]
struct Walk {
    keys: Vec<Vec<u8>>,
    damaged_blobs: usize,
    stopped: Option<Error>,
}

/// Walks a database to its end, or to a damaged record, which stays damaged.
fn walk(path: &Path) -> Walk {
    let mut reader = Reader::open(path).unwrap();
    let mut walk = Walk::default();
    let mut last = None;
    loop {
        match reader.next_entry() {
            Ok(None) => return walk,
            Ok(Some(entry)) => {
                walk.keys.push(entry.key().to_vec());
                last = None;
            }
            Err(error) => {
                assert_eq!(error.kind(), Malformed, "{error}");
                if last == Some(error) {
                    for _ in 0..3 {
                        assert_eq!(reader.next_entry().unwrap_err(), error);
                    }
                    walk.damaged_blobs -= 1;
                    walk.stopped = last;
                    return walk;
                }
                walk.damaged_blobs += 1;
                last = Some(error);
            }
        }
        // Every step goes on in the file.
        assert!(walk.keys.len() + walk.damaged_blobs < 10_000);
    }
}

/// Reads a file in every way there is.
fn read_all(path: &Path) -> Walk {
    let walk = walk(path);
    let reader = Reader::open(path).unwrap();
    for key in &walk.keys {
        for error in [reader.load(key).err(), reader.load_dense(key).err()].into_iter().flatten() {
            assert!(error.to_string().ends_with('.'));
        }
    }
    if let Ok(blobs) = load_all(path) {
        assert!(walk.stopped.is_none() && walk.damaged_blobs == 0);
        assert!(blobs.len() <= walk.keys.len());
        for blob in blobs {
            if let Value::Quantized(tensor) = blob.value {
                let again = tensor.to_blob(&blob.name).unwrap();
                assert_eq!(QTensor::deserialize(&again).unwrap().data(), tensor.data());
            }
        }
    }
    walk
}

/// Where the records of a database end, its beginning included.
fn boundaries(bytes: &[u8]) -> Vec<usize> {
    let mut ends = vec![0];
    while let Some(header) = bytes.get(*ends.last().unwrap()..).and_then(|b| b.first_chunk::<8>()) {
        let length =
            |at: usize| i32::from_le_bytes(header[at..at + 4].try_into().unwrap()) as usize;
        ends.push(ends.last().unwrap() + 8 + length(0) + length(4));
    }
    assert_eq!(*ends.last().unwrap(), bytes.len());
    ends
}

/// A file that ends behind a whole record has so many; any other is damaged there.
fn cut_at_every(name: &str, step: usize) {
    let (folder, bytes) = (Folder::new(), golden(name));
    let ends = boundaries(&bytes);
    let mut tried = 0;
    for length in (0..=bytes.len()).filter(|at| at % step == 0 || ends.contains(at)) {
        let path = folder.file("db", &bytes[..length]);
        let walk = read_all(&path);
        let whole = ends.iter().filter(|end| (1..=length).contains(*end)).count();
        assert_eq!(walk.keys.len(), whole, "{length}");
        assert_eq!(walk.damaged_blobs, 0, "{length}");
        assert_eq!(walk.stopped.is_none(), ends.contains(&length), "{length}");
        if walk.stopped.is_some() {
            check_refused("cut", load_all(&path), Malformed, "it ends inside a record");
            let load = Reader::open(&path).unwrap().load(b"no such name");
            check_refused("cut", load, Malformed, "it ends inside a record");
        }
        tried += 1;
    }
    println!("{name}: cut at {tried} offsets");
}

#[test]
fn cut_at_every_offset() {
    cut_at_every("blobs.minidb", 1);
}

#[test]
fn chunks_cut_at_many_offsets() {
    cut_at_every("chunked.minidb", 7);
}

#[test]
fn every_bit_flipped() {
    let (folder, mut bytes) = (Folder::new(), golden("blobs.minidb"));
    let (mut stopped, mut damaged) = (0, 0);
    for bit in 0..bytes.len() * 8 {
        bytes[bit / 8] ^= 1 << (bit % 8);
        let walk = read_all(&folder.file("db", &bytes));
        stopped += usize::from(walk.stopped.is_some());
        damaged += usize::from(walk.damaged_blobs > 0);
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
    println!("{} flips: {stopped} damaged records, {damaged} damaged blobs", bytes.len() * 8);
}

#[test]
fn lengths_that_lie() {
    let folder = Folder::new();
    for (key, value, words) in [
        (0i32, 1i32, "key length is not positive"),
        (-1, 1, "key length is not positive"),
        (i32::MIN, 1, "key length is not positive"),
        (1, 0, "value length is not positive"),
        (1, -1, "value length is not positive"),
        (1, i32::MIN, "value length is not positive"),
        (1, i32::MAX, "ends inside a record"),
        (i32::MAX, 1, "ends inside a record"),
        (i32::MAX, i32::MAX, "ends inside a record"),
        (1, 4, "ends inside a record"),
    ] {
        let whole = record(b"w", &blob("QTensor", 5, qtensor(&[], 8)));
        let header = [key.to_le_bytes(), value.to_le_bytes()].concat();
        let path = folder.file("db", &[&whole[..], &header, b"wxyz"].concat());
        let walk = walk(&path);
        assert_eq!(walk.keys.len(), 1);
        check_refused("a length", walk.stopped.map_or(Ok(()), Err), Malformed, words);
        check_refused("a length", load_all(&path), Malformed, words);
        let reader = Reader::open(&path).unwrap();
        check_refused("a length", reader.load(b"x"), Malformed, words);
        check_refused("a length", reader.load_dense(b"x"), Malformed, words);
        // What stands before the damage can be had.
        assert!(reader.load(b"w").is_ok());
    }
}

#[test]
fn the_reader_goes_on_behind_a_damaged_blob() {
    let folder = Folder::new();
    let good = blob("QTensor", 5, qtensor(&[], 8));
    let records =
        [record(b"first", &good), record(b"broken", &[0x0A, 0x7F, 1]), record(b"last", &good)];
    let path = folder.file("db", &records.concat());
    let mut reader = Reader::open(&path).unwrap();
    assert_eq!(reader.next_entry().unwrap().unwrap().key(), b"first");
    check_refused("a blob", reader.next_entry().map(|_| ()), Malformed, "longer than what is left");
    assert!(reader.entry().is_none());
    check_refused("no record", reader.read_entry(), caffe2_qtensor::ErrorKind::InvalidArgument, "");
    assert_eq!(reader.next_entry().unwrap().unwrap().key(), b"last");
    assert!(reader.next_entry().unwrap().is_none());
    reader.rewind();
    assert_eq!(reader.next_entry().unwrap().unwrap().key(), b"first");
    assert!(reader.load(b"last").is_ok());
    check_refused("a blob", reader.load(b"broken"), Malformed, "longer than what is left");
    check_refused("a blob", load_all(&path), Malformed, "longer than what is left");
}

/// A step that fails at a damaged record leaves the one before it to be read.
#[test]
fn a_damaged_record_leaves_the_current_one() {
    let folder = Folder::new();
    let value = blob("QTensor", 5, qtensor(&[], 8));
    let path = folder.file("db", &[&record(b"w", &value)[..], &[1, 0, 0]].concat());
    let mut reader = Reader::open(&path).unwrap();
    assert!(reader.next_entry().unwrap().is_some());
    for _ in 0..3 {
        let step = reader.next_entry().map(|_| ());
        check_refused("a record", step, Malformed, "ends inside a record's lengths");
        assert_eq!(reader.read_entry().unwrap(), value);
    }
}

#[test]
fn keys_of_any_bytes() {
    let folder = Folder::new();
    let keys: [&[u8]; 6] =
        [b"\xFF\xFE", b"a\0b", b"\0", b"w#%", b"#%1", b"w#%99999999999999999999999999"];
    let value = blob("QTensor", 5, qtensor(&[], 8));
    let bytes: Vec<u8> = keys.iter().flat_map(|key| record(key, &value)).collect();
    let path = folder.file("db", &bytes);
    assert_eq!(walk(&path).keys, keys);
    let reader = Reader::open(&path).unwrap();
    for key in keys {
        assert!(reader.load(key).is_ok());
    }
    assert_eq!(load_all(&path).unwrap().len(), keys.len());
    check_refused("no text", reader.load(b"\xFF\0"), Unavailable, "'\\xff\\x00'");
    check_refused("a long name", reader.load(&[b'n'; 100]), Unavailable, "nnn…'");
}

#[test]
fn a_file_that_becomes_shorter() {
    let folder = Folder::new();
    let path = folder.file("db", &golden("blobs.minidb"));
    let mut reader = Reader::open(&path).unwrap();
    assert!(reader.next_entry().unwrap().is_some());
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(20).unwrap();
    for _ in 0..2 {
        let step = reader.next_entry().map(|_| ());
        check_refused("shorter", step, Malformed, "became shorter");
    }
    check_refused("shorter", reader.load(b"w2"), Malformed, "became shorter");
    check_refused("shorter", reader.read_entry(), Malformed, "became shorter");
}

/// A catalog lists what a walk sees, damaged blobs among it, and each loads or says why not.
#[test]
fn a_catalog_lists_damaged_blobs_and_reads_the_others() {
    let folder = Folder::new();
    let whole = QTensor::with_shape(&[3], 2, false).unwrap().to_blob(b"a").unwrap();
    let records = [
        record(b"a", &whole),
        record(b"broken", b"\x0a\xff"),
        record(b"empty", &blob("QTensor", 5, qtensor(&[9], 1))),
        record(b"c#%7", &whole),
        record(b"text", b"\x12\x04text"),
    ];
    let path = folder.file("db", &records.concat());
    let catalog = Catalog::open(&path).unwrap();
    let names: Vec<&[u8]> = catalog.blobs().map(|blob| blob.name()).collect();
    // What is no chunk of an ordinary tensor keeps its whole key.
    assert_eq!(names, [&b"a"[..], b"broken", b"empty", b"c#%7", b"text"]);
    let kinds: Vec<&[u8]> = catalog.blobs().map(|blob| blob.kind()).collect();
    assert_eq!(kinds, [&b"QTensor"[..], b"", b"QTensor", b"QTensor", b"text"]);
    let loaded = |index: usize| catalog.blob(index).unwrap().load();
    assert!(matches!(loaded(0), Ok(Value::Quantized(_))));
    assert_eq!(loaded(1).unwrap_err().kind(), Malformed);
    assert_eq!(loaded(2).unwrap_err().kind(), caffe2_qtensor::ErrorKind::ShapeMismatch);
    assert!(matches!(loaded(3), Ok(Value::Quantized(_))));
    assert!(matches!(loaded(4), Ok(Value::Other)));
    assert!(catalog.blob(5).is_none() && catalog.len() == 5 && !catalog.is_empty());
    // Copied, all of it is the same, byte for byte.
    let mut writer = Writer::create(&folder.path("copy")).unwrap();
    catalog.blobs().try_for_each(|blob| blob.copy(&mut writer)).unwrap();
    writer.commit().unwrap();
    assert_eq!(std::fs::read(folder.path("copy")).unwrap(), records.concat());
    let bytes = golden("chunked.minidb");
    let path = folder.file("chunks", &bytes);
    for blob in Catalog::open(&path).unwrap().blobs().filter(|blob| blob.records() > 1) {
        assert!(blob.bytes() < bytes.len() as u64);
        let Ok(Value::Dense(tensor)) = blob.load() else { panic!("not read") };
        // Memory that held something else, too little of it or too much, leaves no trace.
        let size = tensor.elements().len();
        for memory in [vec![7.0; size], vec![7.0; 2 * size], vec![7.0; size / 2]] {
            let Ok(Value::Dense(again)) = blob.load_reusing(memory) else { panic!("not read") };
            assert_eq!(again, tensor);
        }
    }
    let cut = folder.file("cut", &bytes[..bytes.len() - 1]);
    assert_eq!(Catalog::open(&cut).err().map(|error| error.kind()), Some(Malformed));
}
