//! A QTensor blob as prost has it: derived messages, as prost's generator would write them.

use prost::Message as _;

/// Caffe2's `BlobProto`, as far as a QTensor needs it.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct BlobProto {
    #[prost(string, required, tag = "1")]
    name: String,
    #[prost(string, required, tag = "2")]
    kind: String,
    #[prost(message, optional, tag = "5")]
    qtensor: Option<QTensorProto>,
}

/// Caffe2's `QTensorProto` without the fields of several channels.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct QTensorProto {
    #[prost(int64, repeated, packed = "false", tag = "1")]
    dims: Vec<i64>,
    #[prost(int32, required, tag = "2")]
    precision: i32,
    #[prost(double, required, tag = "3")]
    scale: f64,
    #[prost(double, required, tag = "4")]
    bias: f64,
    #[prost(bool, required, tag = "5")]
    is_signed: bool,
    #[prost(int32, repeated, packed = "true", tag = "6")]
    data: Vec<i32>,
    #[prost(string, required, tag = "7")]
    name: String,
}

impl BlobProto {
    /// The blob of an unsigned 8-bit tensor with one dimension, these planes, scale 1 and bias 0.
    pub(crate) fn of(planes: &[u8], name: &str) -> BlobProto {
        let qtensor = QTensorProto {
            dims: vec![planes.len() as i64],
            precision: 8,
            scale: 1.0,
            bias: 0.0,
            is_signed: false,
            data: planes.iter().map(|&byte| i32::from(byte)).collect(),
            name: name.to_owned(),
        };
        BlobProto { name: name.to_owned(), kind: "QTensor".to_owned(), qtensor: Some(qtensor) }
    }

    /// Writes the message over what `wire` held; its capacity is kept.
    pub(crate) fn serialize(&self, wire: &mut Vec<u8>) {
        wire.clear();
        self.encode(wire).unwrap_or_else(|error| panic!("prost does not serialize: {error}"));
    }

    /// Reads a fresh message.
    pub(crate) fn parse(wire: &[u8]) -> BlobProto {
        BlobProto::decode(wire).unwrap_or_else(|error| panic!("prost does not parse: {error}"))
    }
}

/// Plane bytes alone: a message whose one field is packed.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Packed {
    #[prost(int32, repeated, packed = "true", tag = "6")]
    data: Vec<i32>,
}

impl Packed {
    /// The message of these plane bytes.
    pub(crate) fn of(planes: &[u8]) -> Packed {
        Packed { data: planes.iter().map(|&byte| i32::from(byte)).collect() }
    }

    /// Writes the message over what `wire` held; its capacity is kept.
    pub(crate) fn serialize(&self, wire: &mut Vec<u8>) {
        wire.clear();
        self.encode(wire).unwrap_or_else(|error| panic!("prost does not serialize: {error}"));
    }

    /// Reads the message over what this one held; its capacity is kept.
    pub(crate) fn parse(&mut self, wire: &[u8]) {
        self.clear();
        self.merge(wire).unwrap_or_else(|error| panic!("prost does not parse: {error}"));
    }
}
