//! Any bytes as a database: it is walked to its end or to its damage, and every key is loaded.
#![no_main]

use caffe2_qtensor::ErrorKind;
use caffe2_qtensor::minidb::{Reader, load_all};
use caffe2_qtensor_fuzz::{database, memory};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let path = memory::file_of(bytes);
    database(path, bytes.len());
    let mut reader = Reader::open(path).expect("the file is there");
    let (mut keys, mut whole, mut last) = (Vec::new(), true, None);
    loop {
        match reader.next_entry() {
            Ok(None) => break,
            Ok(Some(entry)) => {
                keys.push((entry.key().to_vec(), entry.blob_name().to_vec()));
                let size = entry.value_size();
                let value = reader.read_entry().expect("a record that was stepped to");
                assert_eq!(value.len() as u64, size);
                last = None;
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Malformed, "{error}");
                whole = false;
                if last == Some(error) {
                    // The record itself is damaged: nothing lies behind it.
                    break;
                }
                last = Some(error);
            }
        }
        assert!(keys.len() <= bytes.len());
    }
    // Each load walks the file again.
    for (key, blob_name) in keys.iter().take(8) {
        let _ = reader.load(key);
        let _ = reader.load_dense(blob_name);
    }
    if let Ok(blobs) = load_all(path) {
        assert!(whole, "a damaged database was loaded");
        assert!(blobs.len() <= keys.len());
        for blob in &blobs {
            assert!(keys.iter().any(|(key, name)| *key == blob.name || *name == blob.name));
        }
    }
});
