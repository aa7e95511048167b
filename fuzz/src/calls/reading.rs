//! What is read of databases: step by step, by name, and all at once.

use super::Machine;
use super::database::{Holds, Record, path};
use super::input::Input;
use super::status::{Refusals, Status, given, untouched, written, *};
use super::wire::NAMES;
use caffe2_qtensor::capi::blobs::*;
use caffe2_qtensor::capi::dense::qtensor_dense_free;
use caffe2_qtensor::capi::minidb::*;
use caffe2_qtensor::capi::tensor::qtensor_free;
use std::ffi::{CStr, CString, c_char};

impl Machine {
    pub(super) fn open(&mut self, input: &mut Input<'_>) {
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

    pub(super) fn next(&mut self, input: &mut Input<'_>) {
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

    pub(super) fn load(&mut self, input: &mut Input<'_>) {
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

    pub(super) fn load_all(&mut self, input: &mut Input<'_>) {
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
