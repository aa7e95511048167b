//! Databases: a list of records, and a writer that adds to one.

use super::input::Input;
use super::model::Tensor;
use super::status::{Refusals, given, untouched, *};
use super::wire::NAMES;
use super::{Machine, dense};
use crate::reference::BlobProto;
use caffe2_qtensor::capi::minidb::*;
use prost::Message as _;
use std::ffi::CString;
use std::path::PathBuf;
use std::sync::OnceLock;

/// What a program has of databases.
#[derive(Default)]
pub(super) struct Database {
    /// What is in the file, if there is one.
    pub(super) file: Option<Vec<Record>>,
    writer: Option<(*mut qtensor_minidb_writer_t, Vec<Record>, bool)>,
    /// A reader, what it reads, and the record behind the current one.
    pub(super) reader: Option<(*mut qtensor_minidb_reader_t, Vec<Record>, usize)>,
}

/// A record; each chunk of an ordinary tensor is one.
#[derive(Clone)]
pub(super) struct Record {
    /// The key without the number of a chunk that the library added.
    pub(super) name: &'static str,
    /// All of it, where it is known to the byte.
    pub(super) value: Option<Vec<u8>>,
    pub(super) holds: Holds,
}

#[derive(Clone)]
pub(super) enum Holds {
    Quantized(Tensor),
    Int8,
    /// A chunk, and whether it is the first.
    Dense(dense::Model, bool),
    Other,
}

impl Record {
    pub(super) fn kind(&self) -> &'static [u8] {
        match &self.holds {
            Holds::Quantized(tensor) if tensor.logarithmic => b"QTensorLog",
            Holds::Quantized(_) => b"QTensor",
            Holds::Int8 => b"Int8TensorCPU",
            Holds::Dense(..) => b"Tensor",
            Holds::Other => b"std::string",
        }
    }
}

/// A path of this process's own in the folder of temporary files, which is one in memory where the
/// system has one that can be written to; fuzz/run.sh says which.
pub(super) fn temporary(extension: &str) -> PathBuf {
    std::env::temp_dir().join(format!("caffe2_qtensor-calls-{}.{extension}", std::process::id()))
}

/// The file of all programs.
pub(super) fn path() -> &'static CString {
    static PATH: OnceLock<CString> = OnceLock::new();
    PATH.get_or_init(|| {
        let file = temporary("minidb");
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

    pub(super) fn close(&mut self) {
        if let Some((reader, ..)) = self.reader.take() {
            // SAFETY: a live handle, given up.
            unsafe { qtensor_minidb_reader_free(reader) };
        }
    }

    fn writer(&self) -> (*mut qtensor_minidb_writer_t, bool) {
        self.writer.as_ref().map_or((std::ptr::null_mut(), false), |(it, _, ended)| (*it, *ended))
    }

    pub(super) fn reader(&self) -> *mut qtensor_minidb_reader_t {
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
}

/// A record's bytes in the file, where they are known.
fn bytes_of(record: &Record) -> Option<Vec<u8>> {
    let value = record.value.as_ref()?;
    let lengths = [record.name.len() as i32, value.len() as i32].map(i32::to_le_bytes);
    Some([lengths.concat(), record.name.as_bytes().to_vec(), value.clone()].concat())
}
