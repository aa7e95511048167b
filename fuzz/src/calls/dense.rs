//! Ordinary tensors: dimensions and bytes.

use super::Machine;
use super::input::Input;
use super::status::{Refusals, given, untouched, written, *};
use super::tensor::release;
use super::wire::NAMES;
use crate::reference::{BlobProto, DeviceOption, Segment, TensorProto};
use caffe2_qtensor::capi::borrow::{qtensor_dense_borrow, qtensor_dense_is_borrowed};
use caffe2_qtensor::capi::dense::*;
use prost::Message as _;
use std::cell::Cell;
use std::ffi::{CString, c_void};

/// A live tensor and what it must look like.
pub(super) struct Held {
    pub(super) handle: *mut qtensor_dense_t,
    pub(super) model: Model,
    lent: Option<(Vec<u64>, Box<Cell<u32>>)>,
}

#[derive(Clone, Default)]
pub(super) struct Model {
    pub(super) dims: Vec<i64>,
    element: i32,
    bytes: Vec<u8>,
}

const ELEMENTS: [(i32, usize); 10] =
    [(1, 4), (2, 4), (5, 1), (6, 1), (7, 1), (8, 2), (9, 2), (10, 8), (12, 2), (13, 8)];

fn size_of_element(element: i32) -> Option<usize> {
    ELEMENTS.iter().find(|(number, _)| *number == element).map(|(_, size)| *size)
}

impl Model {
    pub(super) fn size(&self) -> usize {
        self.bytes.len() / size_of_element(self.element).unwrap_or(1)
    }

    /// The blob that `qtensor_dense_serialize()` writes.
    pub(super) fn blob(&self, name: &str) -> Vec<u8> {
        let size = size_of_element(self.element).unwrap_or(1);
        let signed = matches!(self.element, 2 | 7 | 9 | 10);
        let wide = |bytes: &[u8]| {
            let mut all = [0; 8];
            all[..size].copy_from_slice(bytes);
            let (value, upper) = (i64::from_le_bytes(all), 64 - 8 * size as u32);
            if signed { value << upper >> upper } else { value }
        };
        let values: Vec<i64> = self.bytes.chunks_exact(size).map(wide).collect();
        let mut tensor = TensorProto {
            dims: self.dims.clone(),
            data_type: Some(self.element as u64),
            name: Some(name.as_bytes().to_vec()),
            device: Some(DeviceOption { device_type: Some(0) }),
            segment: Some(Segment { begin: Some(0), end: Some(values.len() as i64) }),
            ..TensorProto::default()
        };
        match self.element {
            1 => tensor.floats = values.iter().map(|it| f32::from_bits(*it as u32)).collect(),
            13 => tensor.doubles = values.iter().map(|it| f64::from_bits(*it as u64)).collect(),
            10 => tensor.int64s = values,
            _ => tensor.int32s = values,
        }
        let blob = BlobProto {
            name: Some(name.as_bytes().to_vec()),
            kind: Some(b"Tensor".to_vec()),
            tensor: Some(tensor),
            qtensor: None,
        };
        blob.encode_to_vec()
    }

    /// Everything that the interface says of a tensor is what the model says.
    pub(super) fn check(&self, handle: *const qtensor_dense_t, borrowed: bool) {
        // SAFETY: a live handle; the pointers are valid for the counts beside them.
        unsafe {
            assert_eq!(qtensor_dense_ndim(handle), self.dims.len());
            if !self.dims.is_empty() {
                let dims = qtensor_dense_dims(handle);
                assert_eq!(std::slice::from_raw_parts(dims, self.dims.len()), self.dims);
            }
            assert_eq!(qtensor_dense_size(handle), self.size());
            assert_eq!(qtensor_dense_nbytes(handle), self.bytes.len());
            assert_eq!(qtensor_dense_element_type(handle), self.element);
            assert_eq!(qtensor_dense_is_borrowed(handle), borrowed);
            if !self.bytes.is_empty() {
                let data = qtensor_dense_data(handle).cast::<u8>();
                assert_eq!(std::slice::from_raw_parts(data, self.bytes.len()), self.bytes);
            }
        }
    }
}

impl Machine {
    pub(super) fn dense_handle(&self, slot: usize) -> (*const qtensor_dense_t, Model) {
        match &self.dense[slot] {
            Some(held) => (held.handle.cast_const(), held.model.clone()),
            None => (std::ptr::null(), Model { element: 1, ..Model::default() }),
        }
    }

    fn put_dense(
        &mut self,
        slot: usize,
        handle: Option<*mut qtensor_dense_t>,
        model: Model,
        lent: Option<(Vec<u64>, Box<Cell<u32>>)>,
    ) {
        let Some(handle) = handle else { return };
        model.check(handle, lent.is_some());
        self.free_one(slot);
        self.dense[slot] = Some(Held { handle, model, lent });
    }

    fn free_one(&mut self, slot: usize) {
        let Some(held) = self.dense[slot].take() else { return };
        held.model.check(held.handle, held.lent.is_some());
        // SAFETY: a live handle, given up.
        unsafe { qtensor_dense_free(held.handle) };
        if let Some((_, released)) = held.lent {
            assert_eq!(released.get(), 1);
        }
    }

    pub(super) fn free_dense(&mut self) {
        (0..self.dense.len()).for_each(|slot| self.free_one(slot));
    }

    pub(super) fn dense(&mut self, input: &mut Input<'_>) {
        let slot = input.below(2);
        match input.below(6) {
            0..3 => self.create_dense(slot, input),
            3 => self.free_one(slot),
            4 => self.write_dense(slot, input),
            _ => self.read_dense(slot, input),
        }
    }

    fn create_dense(&mut self, slot: usize, input: &mut Input<'_>) {
        let (nulls, with_error, lends) = (input.nulls(), input.flag(), input.flag());
        let dims = input.dims();
        let choice = input.byte();
        let element = match choice {
            0..240 => ELEMENTS[usize::from(choice) % ELEMENTS.len()].0,
            _ => input.index(),
        };
        let each = size_of_element(element);
        let product = dims.iter().try_fold(1i128, |all, dim| all.checked_mul((*dim).into()));
        let negative = dims.iter().any(|dim| *dim < 0);
        let size = if dims.contains(&0) { Some(0) } else { product };
        let right = size.map(|size| size * each.unwrap_or(1) as i128);
        // Some sizes are none that a program makes; of them a few bytes are said to be there.
        let small = right.and_then(|right| usize::try_from(right).ok()).filter(|it| *it <= 1 << 14);
        let count = input.count(small.unwrap_or(8));
        let mut words = vec![0u64; count.div_ceil(8) + 1];
        let mut bytes = input.bytes(count.min(64));
        bytes.resize(count, 3);
        if element == 5 && lends && input.byte() < 230 {
            bytes.iter_mut().for_each(|byte| *byte &= 1);
        }
        for (word, eight) in words.iter_mut().zip(bytes.chunks(8)) {
            let mut all = [0; 8];
            all[..eight.len()].copy_from_slice(eight);
            *word = u64::from_ne_bytes(all);
        }
        let overflow = size.is_none_or(|size| size > i128::from(i64::MAX));
        let overflow = overflow || right.is_none_or(|right| right > i128::from(i64::MAX));
        let truth = lends && element == 5 && bytes.iter().any(|byte| *byte > 1);
        let refusals = Refusals::new()
            .when(dims.len() > 64, QTENSOR_OUT_OF_RANGE)
            .when(negative, QTENSOR_INVALID_ARGUMENT)
            .when(each.is_none(), QTENSOR_UNSUPPORTED)
            .when(overflow, QTENSOR_OVERFLOW)
            .when(right != Some(count as i128), QTENSOR_SHAPE_MISMATCH)
            .when(truth, QTENSOR_OUT_OF_RANGE);
        let mut out = untouched();
        let at = nulls.slice(0, &dims, dims.len());
        let data = nulls.slice(1, &words, count).cast::<c_void>();
        let to = nulls.at_mut(2, &raw mut out);
        let released = Box::new(Cell::new(0u32));
        let context = (&raw const *released).cast_mut().cast::<c_void>();
        let ndim = dims.len();
        // SAFETY: slices that stay until they are given back, and an output, or NULL.
        let accepted = refusals.nulls(&nulls).call(with_error, |error| unsafe {
            let back: caffe2_qtensor::capi::borrow::qtensor_release_t = Some(release);
            match lends {
                true => {
                    qtensor_dense_borrow(at, ndim, element, data, count, back, context, to, error)
                }
                false => qtensor_dense_create(at, ndim, element, data, count, to, error),
            }
        });
        if element == 5 {
            bytes.iter_mut().for_each(|byte| *byte = u8::from(*byte != 0));
        }
        let model = Model { dims, element, bytes };
        assert!(accepted || released.get() == 0);
        // Where there is no byte it may be given back at once.
        let lent = (lends && released.get() == 0).then_some((words, released));
        self.put_dense(slot, given(accepted, out), model, lent);
    }

    fn write_dense(&mut self, slot: usize, input: &mut Input<'_>) {
        let (nulls, with_error, name) = (input.nulls(), input.flag(), NAMES[input.below(4)]);
        let (handle, model) = self.dense_handle(slot);
        let text = CString::new(name).expect("no NUL");
        let blob = model.blob(name);
        let (dense, at) = (nulls.at(0, handle), nulls.at(1, text.as_ptr()));
        let mut out = 77;
        let to = nulls.at_mut(2, &raw mut out);
        // SAFETY: a live handle, a string and an output, or NULL.
        let accepted = Refusals::new().nulls(&nulls).call(with_error, |error| unsafe {
            qtensor_dense_serialized_size(dense, at, to, error)
        });
        written(accepted, out, blob.len(), 77);
        let nulls = input.nulls();
        let (dense, text) = (nulls.at(0, handle), nulls.at(1, text.as_ptr()));
        let capacity = input.count(blob.len());
        let mut buffer = vec![0xA5; capacity];
        let mut out = 77;
        let at = nulls.slice_mut(3, &mut buffer, capacity);
        let to = nulls.at_mut(4, &raw mut out);
        let small = capacity < blob.len();
        let refusals = Refusals::new().nulls(&nulls).when(small, QTENSOR_BUFFER_TOO_SMALL);
        // SAFETY: a live handle, a string, a buffer and an output, or NULL.
        let accepted = refusals.call(with_error, |error| unsafe {
            qtensor_dense_serialize(dense, text, at, capacity, to, error)
        });
        written(accepted, out, blob.len(), 77);
        if accepted {
            assert_eq!(buffer[..blob.len()], blob);
        }
        let rest = buffer.get(if accepted { blob.len() } else { 0 }..).unwrap_or_default();
        assert!(rest.iter().all(|byte| *byte == 0xA5));
    }

    fn read_dense(&mut self, slot: usize, input: &mut Input<'_>) {
        let (from, nulls, with_error) = (input.below(2), input.nulls(), input.flag());
        if self.dense[from].is_none() {
            return;
        }
        let (_, model) = self.dense_handle(from);
        let mut bytes = model.blob("w");
        let damage = input.byte();
        let damaged = damage > 200;
        if damaged {
            let at = usize::from(input.byte()) * bytes.len() / 256;
            bytes[at] = bytes[at].wrapping_add(damage);
        }
        let mut out = untouched();
        let at = nulls.slice(0, &bytes, bytes.len());
        let to = nulls.at_mut(1, &raw mut out);
        const DAMAGE: [Status; 4] =
            [QTENSOR_MALFORMED, QTENSOR_SHAPE_MISMATCH, QTENSOR_UNSUPPORTED, QTENSOR_OVERFLOW];
        let refusals = Refusals::new().nulls(&nulls).maybe(damaged, &DAMAGE);
        // SAFETY: a slice and an output, or NULL.
        let accepted = refusals.call(with_error, |error| unsafe {
            qtensor_dense_deserialize(at, bytes.len(), to, error)
        });
        let handle = given(accepted, out);
        if let Some(handle) = handle.filter(|_| damaged) {
            // SAFETY: a live handle, given up.
            unsafe { qtensor_dense_free(handle) };
            return;
        }
        self.put_dense(slot, handle, model, None);
    }
}
