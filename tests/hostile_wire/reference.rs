//! Caffe2's messages as prost reads them: a second opinion on damaged bytes.
//!
//! Numbers are declared 64 bits wide, so that a value cut to 32 bits by protobuf shows whole, and
//! texts as bytes, because proto2 does not look at their encoding. Where prost is stricter or laxer
//! than libprotobuf the two are not compared:
//!
//! - a known field of another wire type is an error to prost and an unknown field to libprotobuf,
//! - a tag or length may be a varint of ten bytes to prost and of five to libprotobuf, which drops
//!   the bits above 32 of a tag; prost refuses them,
//! - a tenth varint byte above 1 is an error to prost; libprotobuf drops its upper bits.
//!
//! So what prost refuses says nothing, and what it takes may still be refused for the second.

use prost::Message as _;

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct BlobProto {
    #[prost(bytes = "vec", optional, tag = "1")]
    pub(crate) name: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "2")]
    pub(crate) kind: Option<Vec<u8>>,
    #[prost(message, optional, tag = "3")]
    pub(crate) tensor: Option<TensorProto>,
    #[prost(message, optional, tag = "5")]
    pub(crate) qtensor: Option<QTensorProto>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct QTensorProto {
    #[prost(int64, repeated, packed = "false", tag = "1")]
    pub(crate) dims: Vec<i64>,
    #[prost(uint64, optional, tag = "2")]
    pub(crate) precision: Option<u64>,
    #[prost(double, optional, tag = "3")]
    pub(crate) scale: Option<f64>,
    #[prost(double, optional, tag = "4")]
    pub(crate) bias: Option<f64>,
    #[prost(bool, optional, tag = "5")]
    pub(crate) is_signed: Option<bool>,
    #[prost(int64, repeated, packed = "true", tag = "6")]
    pub(crate) data: Vec<i64>,
    #[prost(bytes = "vec", optional, tag = "7")]
    pub(crate) name: Option<Vec<u8>>,
    #[prost(uint64, optional, tag = "8")]
    pub(crate) data_type: Option<u64>,
    #[prost(double, repeated, packed = "false", tag = "9")]
    pub(crate) scales: Vec<f64>,
    #[prost(double, repeated, packed = "false", tag = "10")]
    pub(crate) biases: Vec<f64>,
    #[prost(int64, optional, tag = "11")]
    pub(crate) axis: Option<i64>,
    #[prost(bool, optional, tag = "12")]
    pub(crate) is_multiparam: Option<bool>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct TensorProto {
    #[prost(int64, repeated, packed = "false", tag = "1")]
    pub(crate) dims: Vec<i64>,
    #[prost(uint64, optional, tag = "2")]
    pub(crate) data_type: Option<u64>,
    #[prost(float, repeated, packed = "true", tag = "3")]
    pub(crate) floats: Vec<f32>,
    #[prost(int64, repeated, packed = "true", tag = "4")]
    pub(crate) int32s: Vec<i64>,
    #[prost(bytes = "vec", optional, tag = "5")]
    pub(crate) bytes: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "7")]
    pub(crate) name: Option<Vec<u8>>,
    #[prost(message, optional, tag = "8")]
    pub(crate) device: Option<Nothing>,
    #[prost(double, repeated, packed = "true", tag = "9")]
    pub(crate) doubles: Vec<f64>,
    #[prost(int64, repeated, packed = "true", tag = "10")]
    pub(crate) int64s: Vec<i64>,
    #[prost(message, optional, tag = "11")]
    pub(crate) segment: Option<Segment>,
    #[prost(bytes = "vec", optional, tag = "13")]
    pub(crate) raw: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Segment {
    #[prost(int64, optional, tag = "1")]
    pub(crate) begin: Option<i64>,
    #[prost(int64, optional, tag = "2")]
    pub(crate) end: Option<i64>,
}

/// A message whose fields do not matter, only its form.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Nothing {}

/// What a quantized tensor must look like when it was read.
#[derive(Debug, PartialEq)]
pub(crate) struct Expected {
    pub(crate) dims: Vec<i64>,
    pub(crate) precision: u8,
    pub(crate) is_signed: bool,
    pub(crate) scale: u64,
    pub(crate) bias: u64,
    /// Plane bytes of a QTensor, codes of an Int8TensorCPU.
    pub(crate) data: Vec<i64>,
    pub(crate) scales: Vec<u64>,
    pub(crate) biases: Vec<u64>,
    pub(crate) axis: Option<i32>,
    pub(crate) is_multiparam: bool,
    pub(crate) data_type: Option<i32>,
    pub(crate) logarithmic: bool,
}

pub(crate) fn blob(bytes: &[u8]) -> Option<BlobProto> {
    BlobProto::decode(bytes).ok()
}

pub(crate) fn proto(bytes: &[u8]) -> Option<QTensorProto> {
    QTensorProto::decode(bytes).ok()
}

impl BlobProto {
    /// The tensor, if the blob is one that may be taken.
    pub(crate) fn expected(&self) -> Option<Expected> {
        let segment = self.tensor.as_ref().and_then(|tensor| tensor.segment.as_ref());
        if segment.is_some_and(|segment| segment.begin.is_none() || segment.end.is_none()) {
            return None;
        }
        match self.kind.as_deref()? {
            b"QTensor" => self.qtensor.as_ref()?.quantized(),
            b"QTensorLog" => {
                Some(Expected { logarithmic: true, ..self.qtensor.as_ref()?.quantized()? })
            }
            b"Int8TensorCPU" => self.qtensor.as_ref()?.int8(),
            _ => None,
        }
    }
}

impl QTensorProto {
    pub(crate) fn quantized(&self) -> Option<Expected> {
        let mut expected = self.common()?;
        expected.precision = u8::try_from(self.precision?).ok()?;
        expected.is_signed = self.is_signed?;
        let planes = u64::from(expected.precision) + u64::from(expected.is_signed);
        let nbytes = size(&self.dims)?.div_ceil(8).checked_mul(planes)?;
        let bytes = self.data.iter().all(|value| (0..256).contains(value));
        (bytes && nbytes == self.data.len() as u64).then_some(expected)
    }

    fn int8(&self) -> Option<Expected> {
        let mut expected = self.common()?;
        let (range, precision, signed) = match expected.data_type {
            Some(6) => (0..=255, 8, false),
            None | Some(2) => (i64::from(i32::MIN)..=i64::from(i32::MAX), 32, true),
            _ => return None,
        };
        (expected.precision, expected.is_signed) = (precision, signed);
        // Their values say nothing, but the fields are required.
        let _ = (self.precision?, self.is_signed?);
        let zero_point = self.bias?;
        let whole = zero_point.trunc() == zero_point;
        if !whole || zero_point.abs() > f64::from(1u32 << 31) || zero_point == f64::from(1u32 << 31)
        {
            return None;
        }
        expected.bias = (-(zero_point as i64) as f64).to_bits();
        if expected.dims.is_empty() {
            expected.dims.push(1);
        }
        let count = size(&expected.dims)?;
        let inside = self.data.iter().all(|value| range.contains(value));
        (inside && count == self.data.len() as u64).then_some(expected)
    }

    fn common(&self) -> Option<Expected> {
        if self.dims.len() > 64 || self.dims.iter().any(|dim| *dim < 0) {
            return None;
        }
        let axis = match self.axis {
            Some(axis) => Some(i32::try_from(axis).ok()?),
            None => None,
        };
        let known = self.data_type.filter(|number| matches!(number, 0..=10 | 12..=14));
        Some(Expected {
            dims: self.dims.clone(),
            precision: 0,
            is_signed: false,
            scale: self.scale?.to_bits(),
            bias: self.bias?.to_bits(),
            data: self.data.clone(),
            scales: self.scales.iter().map(|value| value.to_bits()).collect(),
            biases: self.biases.iter().map(|value| value.to_bits()).collect(),
            axis,
            is_multiparam: self.is_multiparam == Some(true),
            data_type: known.map(|number| number as i32),
            logarithmic: false,
        })
    }
}

fn size(dims: &[i64]) -> Option<u64> {
    if dims.is_empty() || dims.contains(&0) {
        return Some(0);
    }
    let product = dims.iter().try_fold(1u64, |product, dim| product.checked_mul(*dim as u64))?;
    (product <= i64::MAX as u64).then_some(product)
}
