//! Messages of tensors: everything that holds for any bytes, beside prost, within their memory.

use crate::bounds::MESSAGE;
use crate::check::{Tally, check_blob, check_proto};
use crate::{bounded, reference};
use caffe2_qtensor::{DenseTensor, QTensor, peek, peek_proto};
use prost::Message as _;

/// Any bytes as a `BlobProto`.
pub fn blob(bytes: &[u8]) {
    let length = bytes.len();
    bounded("blob", MESSAGE, length, || drop(QTensor::deserialize(bytes)));
    bounded("dense", MESSAGE, length, || drop(DenseTensor::deserialize(bytes)));
    bounded("peek", MESSAGE, length, || peek(bytes).is_ok());
    check_blob(bytes, &mut Tally::default());
    if let Ok(tensor) = QTensor::deserialize(bytes) {
        works(tensor);
    }
}

/// Any bytes as a `QTensorProto`, alone and in a blob of this type.
pub fn qtensor(kind: &str, bytes: &[u8]) {
    let length = bytes.len();
    bounded("QTensorProto", MESSAGE, length, || drop(QTensor::deserialize_proto(bytes)));
    bounded("peek", MESSAGE, length, || peek_proto(bytes).is_ok());
    check_proto(bytes, &mut Tally::default());
    blob(&around(kind, 5, bytes));
}

/// Any bytes as a `TensorProto` in its blob.
pub fn tensor(bytes: &[u8]) {
    blob(&around("Tensor", 3, bytes));
}

/// A blob around a message.
fn around(kind: &str, field: u32, message: &[u8]) -> Vec<u8> {
    let envelope = reference::BlobProto {
        name: Some(b"w".to_vec()),
        kind: Some(kind.as_bytes().to_vec()),
        ..reference::BlobProto::default()
    };
    let mut bytes = envelope.encode_to_vec();
    prost::encoding::encode_key(field, prost::encoding::WireType::LengthDelimited, &mut bytes);
    prost::encoding::encode_varint(message.len() as u64, &mut bytes);
    bytes.extend_from_slice(message);
    bytes
}

/// What holds for every quantized tensor that was read.
fn works(tensor: QTensor) {
    let mut codes = vec![0i64; tensor.size().min(1 << 20)];
    if tensor.read_codes(&mut codes).is_ok() {
        let mut copy = tensor.try_clone().expect("it fits memory once");
        copy.write_codes(&codes).expect("codes that were read can be written");
        let mut read = vec![0i64; codes.len()];
        copy.read_codes(&mut read).expect("as before");
        assert_eq!(read, codes);
        if let Ok(form) = tensor.to_int8() {
            assert_eq!(form.size(), tensor.size());
            form.to_int8_blob(b"w").expect("it has the form");
        }
    }
}
