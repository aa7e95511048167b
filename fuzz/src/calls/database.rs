//! Databases: a list of records, a writer that adds to one, a reader that walks one.

use super::input::Input;
use super::model::Tensor;
use super::status::{Refusals, Status, given, untouched, written, *};
use super::wire::NAMES;
use super::{Machine, dense};
use crate::reference::BlobProto;
use caffe2_qtensor::capi::blobs::*;
use caffe2_qtensor::capi::dense::qtensor_dense_free;
use caffe2_qtensor::capi::minidb::*;
use caffe2_qtensor::capi::tensor::qtensor_free;
use prost::Message as _;
use std::ffi::{CStr, CString, c_char};
use std::path::PathBuf;
use std::sync::OnceLock;

/// What a program has of databases.
#[derive(Default)]
pub(super) struct Database {
    /// What is in the file, if there is one.
    file: Option<Vec<Record>>,
    writer: Option<(*mut qtensor_minidb_writer_t, Vec<Record>, bool)>,
    /// A reader, what it reads, and the record behind the current one.
    reader: Option<(*mut qtensor_minidb_reader_t, Vec<Record>, usize)>,
}

/// A record; each chunk of an ordinary tensor is one.
#[derive(Clone)]
struct Record {
    /// The key without the number of a chunk that the library added.
    name: &'static str,
    /// All of it, where it is known to the byte.
    value: Option<Vec<u8>>,
    holds: Holds,
}

#[derive(Clone)]
enum Holds {
    Quantized(Tensor),
    Int8,
    /// A chunk, and whether it is the first.
    Dense(dense::Model, bool),
    Other,
}

impl Record {
    fn kind(&self) -> &'static [u8] {
        match &self.holds {
            Holds::Quantized(tensor) if tensor.logarithmic => b"QTensorLog",
            Holds::Quantized(_) => b"QTensor",
            Holds::Int8 => b"Int8TensorCPU",
            Holds::Dense(..) => b"Tensor",
            Holds::Other => b"std::string",
        }
    }
}

/// The file of all programs, in memory where the system has such a folder.
fn path() -> &'static CString {
    static PATH: OnceLock<CString> = OnceLock::new();
    PATH.get_or_init(|| {
        let shared = PathBuf::from("/dev/shm");
        let folder = if shared.is_dir() { shared } else { std::env::temp_dir() };
        let file = folder.join(format!("caffe2_qtensor-calls-{}.minidb", std::process::id()));
        CString::new(file.into_os_string().into_encoded_bytes()).expect("no NUL")
    })
}

fn remove() {
    let _ = std::fs::remove_file(path().to_str().expect("the system's folder"));
}

impl Database {
    pub(super) fn end(&mut self) {
        if let Some((writer, ..)) = self.writer.take() {
            // SAFETY: a live handle, given up.
            unsafe { qtensor_minidb_writer_free(writer) };
        }
        self.close();
        if self.file.take().is_some() {
            remove();
        }
    }

    fn close(&mut self) {
        if let Some((reader, ..)) = self.reader.take() {
            // SAFETY: a live handle, given up.
            unsafe { qtensor_minidb_reader_free(reader) };
        }
    }

    fn writer(&self) -> (*mut qtensor_minidb_writer_t, bool) {
        self.writer.as_ref().map_or((std::ptr::null_mut(), false), |(it, _, ended)| (*it, *ended))
    }

    fn reader(&self) -> *mut qtensor_minidb_reader_t {
        self.reader.as_ref().map_or(std::ptr::null_mut(), |(it, ..)| *it)
    }

    fn note(&mut self, accepted: bool, records: impl IntoIterator<Item = Record>) {
        if let Some((_, pending, _)) = self.writer.as_mut().filter(|_| accepted) {
            pending.extend(records);
        }
    }
}

impl Machine {
    pub(super) fn database(&mut self, input: &mut Input<'_>) {
        match input.below(12) {
            0 => self.create_writer(input),
            1..5 => self.append(input),
            5..7 => self.commit(input),
            7 => self.open(input),
            8..10 => self.next(input),
            10 => self.load(input),
            _ => self.load_all(input),
        }
    }

    fn create_writer(&mut self, input: &mut Input<'_>) {
        let (nulls, with_error) = (input.nulls(), input.flag());
        let mut out = untouched();
        let (at, to) = (nulls.at(0, path().as_ptr()), nulls.at_mut(1, &raw mut out));
        // SAFETY: a string and an output, or NULL.
        let accepted = Refusals::new()
            .nulls(&nulls)
            .call(with_error, |error| unsafe { qtensor_minidb_writer_create(at, to, error) });
        let Some(writer) = given(accepted, out) else { return };
        if let Some((old, ..)) = self.database.writer.replace((writer, Vec::new(), false)) {
            // SAFETY: a live handle, given up.
            unsafe { qtensor_minidb_writer_free(old) };
        }
    }

    fn append(&mut self, input: &mut Input<'_>) {
        let (nulls, with_error, name) = (input.nulls(), input.flag(), NAMES[input.below(4)]);
        let text = CString::new(name).expect("no NUL");
        let (writer, ended) = self.database.writer();
        let refusals = Refusals::new().when(name.is_empty() || ended, QTENSOR_INVALID_ARGUMENT);
        let (writer, at) = (nulls.at_mut(0, writer), nulls.at(1, text.as_ptr()));
        let slot = input.below(4);
        let model = self.model(slot);
        match input.below(4) {
            0 if model.is_small() => {
                let tensor = nulls.at(2, self.handle(slot));
                // SAFETY: live handles and a string, or NULL.
                let accepted = refusals.nulls(&nulls).call(with_error, |error| unsafe {
                    qtensor_minidb_writer_append(writer, at, tensor, error)
                });
                let value = Some(model.blob(name));
                self.database
                    .note(accepted, [Record { name, value, holds: Holds::Quantized(model) }]);
            }
            1 if model.is_small() => {
                let blob = model.int8_blob(name);
                let tensor = nulls.at(2, self.handle(slot));
                let refusals = refusals.all(&blob.clone().err().unwrap_or_default());
                // SAFETY: live handles and a string, or NULL.
                let accepted = refusals.nulls(&nulls).call(with_error, |error| unsafe {
                    qtensor_minidb_writer_append_int8(writer, at, tensor, error)
                });
                self.database
                    .note(accepted, [Record { name, value: blob.ok(), holds: Holds::Int8 }]);
            }
            2 => {
                let (handle, model) = self.dense_handle(input.below(2));
                let chunk = input.below(20);
                let chunks = if chunk == 0 { 1 } else { model.size().div_ceil(chunk).max(1) };
                let dense = nulls.at(2, handle);
                // SAFETY: live handles and a string, or NULL.
                let accepted = refusals.nulls(&nulls).call(with_error, |error| unsafe {
                    qtensor_minidb_writer_append_dense(writer, at, dense, chunk, error)
                });
                let records = (0..chunks).map(|chunk| {
                    let holds = Holds::Dense(model.clone(), chunk == 0);
                    Record { name, value: None, holds }
                });
                self.database.note(accepted, records);
            }
            _ => {
                let blob = BlobProto {
                    name: Some(name.as_bytes().to_vec()),
                    kind: Some(b"std::string".to_vec()),
                    ..BlobProto::default()
                };
                let value = blob.encode_to_vec();
                // A record has a value.
                let length = if input.byte() > 230 { 0 } else { value.len() };
                let from = nulls.slice(2, &value, length);
                let refusals = refusals.when(length == 0, QTENSOR_INVALID_ARGUMENT);
                // SAFETY: a live handle and slices, or NULL.
                let accepted = refusals.nulls(&nulls).call(with_error, |error| unsafe {
                    qtensor_minidb_writer_append_bytes(writer, at, name.len(), from, length, error)
                });
                let value = Some(value);
                self.database.note(accepted, [Record { name, value, holds: Holds::Other }]);
            }
        }
    }

    fn commit(&mut self, input: &mut Input<'_>) {
        let (nulls, with_error) = (input.nulls(), input.flag());
        let (writer, ended) = self.database.writer();
        let refusals = Refusals::new().when(ended, QTENSOR_INVALID_ARGUMENT);
        let writer = nulls.at_mut(0, writer);
        // SAFETY: a live handle, or NULL.
        let accepted = refusals
            .nulls(&nulls)
            .call(with_error, |error| unsafe { qtensor_minidb_writer_commit(writer, error) });
        let Some((_, pending, ended)) = self.database.writer.as_mut().filter(|_| accepted) else {
            return;
        };
        *ended = true;
        let expected: Option<Vec<u8>> =
            pending.iter().map(bytes_of).collect::<Option<Vec<_>>>().map(|it| it.concat());
        if let Some(expected) = expected {
            let path = path().to_str().expect("the system's folder");
            assert_eq!(std::fs::read(path).expect("it was committed"), expected);
        }
        self.database.file = Some(pending.clone());
    }

    fn open(&mut self, input: &mut Input<'_>) {
        let (nulls, with_error) = (input.nulls(), input.flag());
        let mut out = untouched();
        let (at, to) = (nulls.at(0, path().as_ptr()), nulls.at_mut(1, &raw mut out));
        let refusals = Refusals::new().nulls(&nulls).when(self.database.file.is_none(), QTENSOR_IO);
        // SAFETY: a string and an output, or NULL.
        let accepted =
            refusals.call(with_error, |error| unsafe { qtensor_minidb_reader_open(at, to, error) });
        let Some(reader) = given(accepted, out) else { return };
        self.database.close();
        let records = self.database.file.clone().unwrap_or_default();
        self.database.reader = Some((reader, records, 0));
    }

    fn next(&mut self, input: &mut Input<'_>) {
        let (nulls, with_error) = (input.nulls(), input.flag());
        let reader = nulls.at_mut(0, self.database.reader());
        if input.byte() > 230 {
            // SAFETY: a live handle, or NULL.
            let accepted = Refusals::new()
                .nulls(&nulls)
                .call(with_error, |error| unsafe { qtensor_minidb_reader_rewind(reader, error) });
            if let Some((_, _, next)) = self.database.reader.as_mut().filter(|_| accepted) {
                *next = 0;
            }
            return;
        }
        // SAFETY: zeros are an entry.
        let mut entry: qtensor_minidb_entry_t = unsafe { std::mem::zeroed() };
        entry.struct_size = size_of::<qtensor_minidb_entry_t>();
        let mut found = false;
        let (to, flag) = (nulls.at_mut(1, &raw mut entry), nulls.at_mut(2, &raw mut found));
        // SAFETY: a live handle and outputs, or NULL.
        let accepted = Refusals::new().nulls(&nulls).call(with_error, |error| unsafe {
            qtensor_minidb_reader_next(reader, to, flag, error)
        });
        let Some((_, records, next)) = self.database.reader.as_mut().filter(|_| accepted) else {
            assert!(!found && entry.key.is_null());
            return;
        };
        let record = records.get(*next).cloned();
        assert_eq!(found, record.is_some());
        let Some(record) = record else {
            assert!(entry.key.is_null());
            // Rewound, so that the walk goes on.
            *next = 0;
            self.at_end(input);
            return;
        };
        *next += 1;
        // SAFETY: the reader's strings, until the next call on it.
        let text = |start: *const c_char, length: usize| unsafe {
            if length == 0 { &[] } else { std::slice::from_raw_parts(start.cast::<u8>(), length) }
        };
        let key = text(entry.key, entry.key_length);
        assert!(key.starts_with(record.name.as_bytes()));
        assert!(matches!(record.holds, Holds::Dense(..)) || key == record.name.as_bytes());
        assert_eq!(text(entry.type_name, entry.type_length), record.kind());
        assert_eq!(text(entry.name, entry.name_length), record.name.as_bytes());
        let length = entry.value_size as usize;
        if let Some(value) = &record.value {
            assert_eq!(length, value.len());
        }
        let nulls = input.nulls();
        let capacity = input.count(length);
        let (mut buffer, mut out) = (vec![0xA5; capacity], 77);
        let reader = nulls.at(0, self.database.reader());
        let (at, to) = (nulls.slice_mut(1, &mut buffer, capacity), nulls.at_mut(2, &raw mut out));
        let refusals =
            Refusals::new().nulls(&nulls).when(capacity < length, QTENSOR_BUFFER_TOO_SMALL);
        // SAFETY: a live handle, a buffer and an output, or NULL.
        let accepted = refusals.call(with_error, |error| unsafe {
            qtensor_minidb_reader_read(reader, at, capacity, to, error)
        });
        written(accepted, out, length, 77);
        match record.value {
            Some(value) if accepted => assert_eq!(buffer[..length], value),
            _ => assert!(accepted || buffer.iter().all(|byte| *byte == 0xA5)),
        }
    }

    /// At the end there is no current record, and the next step is at the end again.
    fn at_end(&mut self, input: &mut Input<'_>) {
        let reader = self.database.reader();
        let (mut out, mut buffer) = (77, [0u8; 4]);
        // SAFETY: a live handle, a buffer and an output.
        let accepted = Refusals::new().when(true, QTENSOR_INVALID_ARGUMENT).call(
            input.flag(),
            |error| unsafe {
                qtensor_minidb_reader_read(reader, buffer.as_mut_ptr(), 4, &raw mut out, error)
            },
        );
        written(accepted, out, 0, 77);
        // SAFETY: a live handle.
        let accepted = Refusals::new()
            .call(true, |error| unsafe { qtensor_minidb_reader_rewind(reader, error) });
        assert!(accepted);
    }

    fn load(&mut self, input: &mut Input<'_>) {
        let (nulls, with_error, name) = (input.nulls(), input.flag(), NAMES[input.below(4)]);
        let text = CString::new(name).expect("no NUL");
        let records = self.database.reader.as_ref().map(|(_, records, _)| records.clone());
        let records = records.unwrap_or_default();
        let reader = nulls.at(0, self.database.reader());
        let at = nulls.at(1, text.as_ptr());
        if input.flag() {
            // Keys of chunks are other keys than the name, except of a tensor in one.
            let mut named = records.iter().filter(|record| record.name == name);
            let first = named.clone().find(|it| !matches!(it.holds, Holds::Dense(..)));
            let chunked = named.any(|record| matches!(record.holds, Holds::Dense(..)));
            let other = matches!(first, Some(Record { holds: Holds::Other, .. }));
            let mut out = untouched();
            let to = nulls.at_mut(2, &raw mut out);
            let unavailable = first.is_none() && !chunked;
            let refusals = Refusals::new()
                .nulls(&nulls)
                .when(unavailable, QTENSOR_UNAVAILABLE)
                .when(other && !chunked, QTENSOR_UNSUPPORTED)
                .maybe(chunked || other, &[QTENSOR_UNSUPPORTED, QTENSOR_UNAVAILABLE]);
            // SAFETY: a live handle, a string and an output, or NULL.
            let accepted = refusals.call(with_error, |error| unsafe {
                qtensor_minidb_reader_load(reader, at, to, error)
            });
            let Some(handle) = given(accepted, out) else { return };
            if let Some(Record { holds: Holds::Quantized(tensor), .. }) = first {
                let mut model = tensor.clone();
                model.allocate();
                model.check(handle, None);
            }
            // SAFETY: a live handle, given up.
            unsafe { qtensor_free(handle) };
            return;
        }
        let stem = name.rsplit_once("#%").map_or(name, |(stem, _)| stem);
        let named = |it: &&Record| it.name == name || it.name.starts_with(stem);
        let firsts = records.iter().filter(named).filter_map(|record| match &record.holds {
            Holds::Dense(model, true) => Some((record.name, model)),
            _ => None,
        });
        let firsts: Vec<_> = firsts.collect();
        let plain = !name.contains("#%");
        let alone = plain && firsts.len() == 1;
        let mut out = untouched();
        let to = nulls.at_mut(2, &raw mut out);
        const OTHERWISE: [Status; 3] =
            [QTENSOR_UNAVAILABLE, QTENSOR_UNSUPPORTED, QTENSOR_MALFORMED];
        let refusals = Refusals::new()
            .nulls(&nulls)
            .maybe(!alone, &OTHERWISE)
            .maybe(plain && firsts.len() > 1, &[QTENSOR_SHAPE_MISMATCH]);
        // SAFETY: a live handle, a string and an output, or NULL.
        let accepted = refusals.call(with_error, |error| unsafe {
            qtensor_minidb_reader_load_dense(reader, at, to, error)
        });
        let Some(handle) = given(accepted, out) else { return };
        if let (true, [(_, model)]) = (alone, &firsts[..]) {
            model.check(handle, false);
        }
        // SAFETY: a live handle, given up.
        unsafe { qtensor_dense_free(handle) };
    }

    fn load_all(&mut self, input: &mut Input<'_>) {
        let (nulls, with_error) = (input.nulls(), input.flag());
        let records = self.database.file.clone();
        let mut out = untouched();
        let (at, to) = (nulls.at(0, path().as_ptr()), nulls.at_mut(1, &raw mut out));
        let whole: Vec<&Record> = records
            .iter()
            .flatten()
            .filter(|record| !matches!(record.holds, Holds::Dense(_, false)))
            .collect();
        let dense = || whole.iter().filter(|record| matches!(record.holds, Holds::Dense(..)));
        // Ordinary tensors of one name are taken for chunks of one.
        let once = dense().all(|record| dense().filter(|it| it.name == record.name).count() == 1);
        let refusals = Refusals::new()
            .nulls(&nulls)
            .when(records.is_none(), QTENSOR_IO)
            .maybe(!once, &[QTENSOR_MALFORMED, QTENSOR_SHAPE_MISMATCH]);
        // SAFETY: a string and an output, or NULL.
        let accepted =
            refusals.call(with_error, |error| unsafe { qtensor_blobs_load(at, to, error) });
        let Some(blobs) = given(accepted, out) else { return };
        // SAFETY: a live handle; what it gives out is valid as long as that.
        unsafe {
            let count = qtensor_blobs_count(blobs);
            assert!(qtensor_blobs_name(blobs, count, std::ptr::null_mut()).is_null());
            assert!(qtensor_blobs_tensor(blobs, count).is_null());
            if once {
                assert_eq!(count, whole.len());
            }
            for (index, record) in whole.iter().enumerate().filter(|_| once) {
                let mut length = 77;
                let name = CStr::from_ptr(qtensor_blobs_name(blobs, index, &raw mut length));
                assert_eq!(name.to_bytes().len(), length);
                assert!(record.name.as_bytes().starts_with(name.to_bytes()));
                let kind = CStr::from_ptr(qtensor_blobs_type(blobs, index, std::ptr::null_mut()));
                assert_eq!(kind.to_bytes(), record.kind());
                let tensor = qtensor_blobs_tensor(blobs, index);
                let ordinary = qtensor_blobs_dense(blobs, index);
                let quantized = matches!(record.holds, Holds::Quantized(_) | Holds::Int8);
                assert_eq!(tensor.is_null(), !quantized);
                assert_eq!(ordinary.is_null(), !matches!(record.holds, Holds::Dense(..)));
                match &record.holds {
                    Holds::Quantized(model) => {
                        let mut model = model.clone();
                        model.allocate();
                        model.check(tensor, None);
                    }
                    Holds::Dense(model, _) => model.check(ordinary, false),
                    _ => {}
                }
            }
            qtensor_blobs_free(blobs);
        }
    }
}

/// A record's bytes in the file, where they are known.
fn bytes_of(record: &Record) -> Option<Vec<u8>> {
    let value = record.value.as_ref()?;
    let lengths = [record.name.len() as i32, value.len() as i32].map(i32::to_le_bytes);
    Some([lengths.concat(), record.name.as_bytes().to_vec(), value.clone()].concat())
}
