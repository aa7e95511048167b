//! Messages: what is written is what protobuf would write of the model, and is read as it.

use super::input::Input;
use super::model::Tensor;
use super::status::{Nulls, Refusals, Status, given, untouched, written, *};
use super::{Lending, Machine};
use crate::reference::{BlobProto, QTensorProto};
use caffe2_qtensor::capi::error::qtensor_error_t;
use caffe2_qtensor::capi::parsed::{qtensor_create_parsed, qtensor_parsed_t};
use caffe2_qtensor::capi::peek::*;
use caffe2_qtensor::capi::serialize::*;
use caffe2_qtensor::capi::tensor::{qtensor_free, qtensor_t};
use prost::Message as _;
use std::ffi::{CString, c_char};

type Size = unsafe extern "C" fn(
    *const qtensor_t,
    *const c_char,
    *mut usize,
    *mut *mut qtensor_error_t,
) -> Status;
type Serialize = unsafe extern "C" fn(
    *const qtensor_t,
    *const c_char,
    *mut u8,
    usize,
    *mut usize,
    *mut *mut qtensor_error_t,
) -> Status;

/// The forms that a tensor is written in.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    Blob,
    Proto,
    Int8,
}

impl Tensor {
    fn message(&self, name: &str) -> QTensorProto {
        let floats = |bits: &[u64]| bits.iter().map(|bits| f64::from_bits(*bits)).collect();
        let zeros = vec![0; self.nbytes()];
        let planes = self.planes.as_ref().unwrap_or(&zeros);
        QTensorProto {
            dims: self.dims.clone(),
            precision: Some(u64::from(self.precision)),
            scale: Some(self.scale()),
            bias: Some(self.bias()),
            is_signed: Some(self.signed),
            data: planes.iter().map(|byte| i64::from(*byte)).collect(),
            name: Some(name.as_bytes().to_vec()),
            data_type: self.data_type.map(|number| number as u64),
            scales: floats(&self.scales),
            biases: floats(&self.biases),
            axis: self.axis.map(i64::from),
            is_multiparam: self.multiparam,
        }
    }

    /// What `qtensor_serialize()` and the database write.
    pub(super) fn blob(&self, name: &str) -> Vec<u8> {
        let kind = if self.logarithmic { "QTensorLog" } else { "QTensor" };
        around(name, kind, self.message(name))
    }

    /// What is written as an `Int8TensorCPU`, or why not.
    pub(super) fn int8_blob(&self, name: &str) -> Result<Vec<u8>, Vec<Status>> {
        let mut refusals = Vec::new();
        let form = matches!((self.precision, self.signed), (8, false) | (32, true));
        if !form || self.logarithmic || self.multiparam == Some(true) {
            refusals.push(QTENSOR_UNSUPPORTED);
        }
        let bias = self.bias();
        let whole = bias.trunc() == bias && (-2147483647.0..=2147483648.0).contains(&bias);
        let codes = if form { self.codes() } else { Vec::new() };
        if !whole || codes.iter().any(|code| i32::try_from(*code).is_err()) {
            refusals.push(QTENSOR_OUT_OF_RANGE);
        }
        if !refusals.is_empty() {
            return Err(refusals);
        }
        let message = QTensorProto {
            dims: if self.dims.is_empty() { vec![0] } else { self.dims.clone() },
            precision: Some(8),
            bias: Some(-(bias as i64) as f64),
            is_signed: Some(false),
            data: codes,
            data_type: Some(if self.precision == 8 { 6 } else { 2 }),
            scales: Vec::new(),
            biases: Vec::new(),
            axis: None,
            is_multiparam: None,
            ..self.message(name)
        };
        Ok(around(name, "Int8TensorCPU", message))
    }
}

fn around(name: &str, kind: &str, message: QTensorProto) -> Vec<u8> {
    let blob = BlobProto {
        name: Some(name.as_bytes().to_vec()),
        kind: Some(kind.as_bytes().to_vec()),
        tensor: None,
        qtensor: Some(message),
    };
    blob.encode_to_vec()
}

pub(super) const NAMES: [&str; 4] = ["w", "", "a/longer_name#%1", "b"];

impl Machine {
    pub(super) fn wire(&mut self, input: &mut Input<'_>) {
        match input.below(6) {
            0 => self.write(input, Form::Blob, qtensor_serialized_size, qtensor_serialize),
            1 => {
                let (size, write) = (qtensor_serialized_size_proto, qtensor_serialize_proto);
                self.write(input, Form::Proto, size, write);
            }
            2 => {
                let (size, write) = (qtensor_serialized_size_int8, qtensor_serialize_int8);
                self.write(input, Form::Int8, size, write);
            }
            3..5 => self.deserialize(input),
            _ => self.parsed(input),
        }
    }

    fn write(&mut self, input: &mut Input<'_>, form: Form, size: Size, serialize: Serialize) {
        let (slot, nulls, with_error) = (input.below(4), input.nulls(), input.flag());
        let (model, name) = (self.model(slot), NAMES[input.below(4)]);
        if !model.is_small() {
            return;
        }
        let c_name = CString::new(name).expect("no NUL");
        let message = match form {
            Form::Blob => Ok(model.blob(name)),
            Form::Proto if model.logarithmic => Err(vec![QTENSOR_UNSUPPORTED]),
            Form::Proto => Ok(model.message(name).encode_to_vec()),
            Form::Int8 => model.int8_blob(name),
        };
        let length = message.as_ref().map_or(64, Vec::len);
        let refused = message.clone().err().unwrap_or_default();
        let (tensor, text) = (nulls.at(0, self.handle(slot)), nulls.at(1, c_name.as_ptr()));
        let mut out = 77;
        let to = nulls.at_mut(2, &raw mut out);
        let refusals = Refusals::new().nulls(&nulls).all(&refused);
        // SAFETY: a live handle, a string and an output, or NULL.
        let accepted = refusals.call(with_error, |error| unsafe { size(tensor, text, to, error) });
        written(accepted, out, length, 77);

        let nulls = input.nulls();
        let capacity = match input.byte() % 4 {
            0 => length,
            1 => 2 * length + 64,
            2 => length.saturating_sub(1),
            _ => length + 1,
        };
        let mut buffer = vec![0xA5; capacity];
        let mut out = 77;
        let (tensor, text) = (nulls.at(0, self.handle(slot)), nulls.at(1, c_name.as_ptr()));
        let to = nulls.slice_mut(2, &mut buffer, capacity);
        let count = nulls.at_mut(3, &raw mut out);
        let small = message.is_ok() && capacity < length;
        let refusals =
            Refusals::new().nulls(&nulls).all(&refused).when(small, QTENSOR_BUFFER_TOO_SMALL);
        // SAFETY: a live handle, a string, a buffer and an output, or NULL.
        let accepted = refusals.call(with_error, |error| unsafe {
            serialize(tensor, text, to, capacity, count, error)
        });
        written(accepted, out, length, 77);
        let expected = match message {
            Ok(message) if accepted => message,
            _ => Vec::new(),
        };
        let (front, rest) = buffer.split_at(expected.len());
        assert_eq!(front, expected);
        // In one pass a buffer is used beyond the message's end.
        assert!(accepted || rest.iter().all(|byte| *byte == 0xA5));
        self.settle(slot, false, Lending::Stays, |_| {});
    }

    fn deserialize(&mut self, input: &mut Input<'_>) {
        let (from, slot, nulls, with_error) =
            (input.below(4), input.below(4), input.nulls(), input.flag());
        let mut model = self.model(from);
        if !model.is_small() {
            return;
        }
        let (proto, name) = (input.flag() && !model.logarithmic, NAMES[input.below(4)]);
        let mut bytes = if proto { model.message(name).encode_to_vec() } else { model.blob(name) };
        let damage = input.byte();
        let damaged = damage > 200;
        if damaged {
            let at = usize::from(input.byte()) * bytes.len() / 256;
            bytes[at] = bytes[at].wrapping_add(damage);
        }
        self.peek(input, proto, &bytes, (!damaged).then_some((name, &model)));
        let mut out = untouched();
        let at = nulls.slice(0, &bytes, bytes.len());
        let to = nulls.at_mut(1, &raw mut out);
        const DAMAGE: [Status; 4] =
            [QTENSOR_MALFORMED, QTENSOR_SHAPE_MISMATCH, QTENSOR_UNSUPPORTED, QTENSOR_OVERFLOW];
        let refusals = Refusals::new().nulls(&nulls).maybe(damaged, &DAMAGE);
        // SAFETY: a slice and an output, or NULL.
        let accepted = refusals.call(with_error, |error| unsafe {
            match proto {
                true => qtensor_deserialize_proto(at, bytes.len(), to, error),
                false => qtensor_deserialize(at, bytes.len(), to, error),
            }
        });
        let handle = given(accepted, out);
        if let Some(handle) = handle.filter(|_| damaged) {
            // What was read may differ in what can only be seen when it is written.
            let model = super::model::read(handle);
            model.check(handle, None);
            // SAFETY: a live handle, given up.
            unsafe { qtensor_free(handle) };
            return;
        }
        model.allocate();
        self.put(slot, handle, || model);
    }

    fn peek(
        &mut self,
        input: &mut Input<'_>,
        proto: bool,
        bytes: &[u8],
        whole: Option<(&str, &Tensor)>,
    ) {
        let (nulls, with_error): (Nulls, bool) = (input.nulls(), input.flag());
        let mut info = qtensor_blob_info_t {
            struct_size: size_of::<qtensor_blob_info_t>(),
            name: untouched(),
            name_length: 77,
            type_name: untouched(),
            type_length: 77,
        };
        let at = nulls.slice(0, bytes, bytes.len());
        let to = nulls.at_mut(1, &raw mut info);
        let refusals = Refusals::new().nulls(&nulls).maybe(whole.is_none(), &[QTENSOR_MALFORMED]);
        // SAFETY: a slice and a structure, or NULL.
        let accepted = refusals.call(with_error, |error| unsafe {
            match proto {
                true => qtensor_proto_peek(at, bytes.len(), to, error),
                false => qtensor_blob_peek(at, bytes.len(), to, error),
            }
        });
        if !accepted {
            assert_eq!((info.name_length, info.type_length), (77, 77));
            return;
        }
        let inside = |start: *const c_char, length: usize| -> &[u8] {
            if length == 0 {
                return &[];
            }
            let at = start.addr() - bytes.as_ptr().addr();
            &bytes[at..at + length]
        };
        let name_seen = inside(info.name, info.name_length);
        let kind = inside(info.type_name, info.type_length);
        if let Some((name, model)) = whole {
            assert_eq!(name_seen, name.as_bytes());
            let logarithmic = if model.logarithmic { "QTensorLog" } else { "QTensor" };
            assert_eq!(kind, if proto { "" } else { logarithmic }.as_bytes());
        }
    }

    fn parsed(&mut self, input: &mut Input<'_>) {
        let (from, slot, nulls, with_error) =
            (input.below(4), input.below(4), input.nulls(), input.flag());
        let mut model = self.model(from);
        if !model.is_small() || model.logarithmic {
            return;
        }
        model.allocate();
        let mut data: Vec<i32> =
            model.planes.iter().flatten().map(|byte| i32::from(*byte)).collect();
        let hostile = input.byte() > 220 && !data.is_empty();
        if hostile {
            data[0] = 256;
        }
        let floats = |bits: &[u64]| bits.iter().map(|it| f64::from_bits(*it)).collect::<Vec<_>>();
        let (scales, biases) = (floats(&model.scales), floats(&model.biases));
        let count = input.count(data.len()).min(data.len());
        let parsed = qtensor_parsed_t {
            dims: model.dims.as_ptr(),
            ndim: model.dims.len(),
            data: data.as_ptr(),
            data_count: count,
            scales: scales.as_ptr(),
            scale_count: scales.len(),
            biases: biases.as_ptr(),
            bias_count: biases.len(),
            scale: model.scale(),
            bias: model.bias(),
            precision: i32::from(model.precision),
            is_signed: i32::from(model.signed),
            has_axis: i32::from(model.axis.is_some()),
            axis: model.axis.unwrap_or(0),
            has_is_multiparam: i32::from(model.multiparam.is_some()),
            is_multiparam: i32::from(model.multiparam == Some(true)),
            has_data_type: i32::from(model.data_type.is_some()),
            data_type: model.data_type.unwrap_or(0),
            ..qtensor_parsed_t::default()
        };
        let mut out = untouched();
        let (at, to) = (nulls.at(0, &raw const parsed), nulls.at_mut(1, &raw mut out));
        let refusals = Refusals::new()
            .nulls(&nulls)
            .when(count != data.len(), QTENSOR_SHAPE_MISMATCH)
            .when(hostile && count > 0, QTENSOR_MALFORMED);
        // SAFETY: a structure of live slices and an output, or NULL.
        let accepted =
            refusals.call(with_error, |error| unsafe { qtensor_create_parsed(at, to, error) });
        self.put(slot, given(accepted, out), || model);
    }
}
