//! Caffe2's messages as prost reads them: a second opinion on damaged bytes.
//!
//! Numbers are declared 64 bits wide, so that a value cut to 32 bits by protobuf shows whole, and
//! texts as bytes, because proto2 does not look at their encoding. What both read is the same, and
//! what one refuses the other refuses, except where prost is stricter or laxer than libprotobuf 3.11:
//!
//! - a known field of another wire type is an error to prost and an unknown field to libprotobuf,
//! - a tag or length may be a varint of ten bytes to prost and of five to libprotobuf,
//! - a tag's bits above 32 are an error to prost; libprotobuf drops them,
//! - a tenth varint byte above 1 is an error to prost; libprotobuf drops its upper bits,
//! - the hundredth of nested groups must be empty to prost; to libprotobuf it may have fields,
//! - of an enumeration the last value counts to prost, and the last known one to libprotobuf.

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
    pub(crate) device: Option<DeviceOption>,
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
pub(crate) struct DeviceOption {
    #[prost(int64, optional, tag = "1")]
    pub(crate) device_type: Option<i64>,
}

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

/// What prost makes of bytes.
pub(crate) enum Opinion<T> {
    Read(T),
    /// They are no message, to libprotobuf either.
    Refused,
    /// They are no message to prost, which says nothing: one of the differences is to blame.
    None,
}

/// What prost reads in bytes as a message.
pub(crate) fn opinion<T: prost::Message + Default>(bytes: &[u8]) -> Opinion<T> {
    let error = match T::decode(bytes) {
        Ok(message) => return Opinion::Read(message),
        Err(error) => error.to_string(),
    };
    let differences =
        ["(expected ", "invalid key value", "recursion limit reached"].map(|it| error.contains(it));
    if differences.contains(&true) || (error.contains("invalid varint") && has_wide_varint(bytes)) {
        return Opinion::None;
    }
    Opinion::Refused
}

/// Whether there could be a varint whose tenth byte is above 1.
fn has_wide_varint(bytes: &[u8]) -> bool {
    bytes.windows(10).any(|ten| {
        let (last, front) = (ten[9], &ten[..9]);
        front.iter().all(|byte| *byte >= 128) && (2..128).contains(&last)
    })
}

/// Whether a data type is unknown, so that one before it might count.
pub(crate) fn is_unknown(data_type: Option<u64>) -> bool {
    data_type.is_some_and(|number| !matches!(number, 0..=10 | 12..=14))
}

impl BlobProto {
    /// Whether prost may have lost a value that counts.
    pub(crate) fn is_undecided(&self) -> bool {
        let (tensor, qtensor) = (self.tensor.as_ref(), self.qtensor.as_ref());
        is_unknown(tensor.and_then(|tensor| tensor.data_type))
            || is_unknown(qtensor.and_then(|qtensor| qtensor.data_type))
    }

    /// Whether no required field is missing, in whichever message.
    fn is_whole(&self) -> bool {
        let segment = self.tensor.as_ref().and_then(|tensor| tensor.segment.as_ref());
        segment.is_none_or(|segment| segment.begin.is_some() && segment.end.is_some())
            && self.qtensor.as_ref().is_none_or(QTensorProto::is_whole)
    }

    /// The tensor, if the blob is one that may be taken.
    pub(crate) fn expected(&self) -> Option<Expected> {
        if !self.is_whole() {
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

    /// The ordinary tensor, if the blob holds a whole one that may be taken.
    pub(crate) fn dense(&self) -> Option<Dense> {
        let whole = self.is_whole() && self.kind.as_deref() == Some(b"Tensor");
        self.tensor.as_ref().filter(|_| whole)?.dense()
    }
}

impl QTensorProto {
    fn is_whole(&self) -> bool {
        let (scale, bias) = (self.scale.is_some(), self.bias.is_some());
        self.precision.is_some() && scale && bias && self.is_signed.is_some()
    }

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

/// What an ordinary tensor must look like when it was read.
#[derive(Debug, PartialEq)]
pub(crate) struct Dense {
    pub(crate) dims: Vec<i64>,
    /// The number of the element type.
    pub(crate) element: i32,
    /// Integers, and the bits of floats.
    pub(crate) values: Vec<i64>,
}

impl TensorProto {
    fn dense(&self) -> Option<Dense> {
        if self.dims.len() > 64 || self.dims.iter().any(|dim| *dim < 0) {
            return None;
        }
        let named = self.data_type.filter(|number| matches!(number, 0..=10 | 12..=14));
        let element = match named.unwrap_or(1) {
            3 => 6,
            number @ (1 | 2 | 5..=10 | 12 | 13) => number as i32,
            _ => return None,
        };
        let count = if self.dims.is_empty() { 1 } else { size(&self.dims)? };
        if let Some(Segment { begin, end }) = self.segment
            && (begin, end.and_then(|end| u64::try_from(end).ok())) != (Some(0), Some(count))
        {
            return None;
        }
        let typed: Vec<i64> = match element {
            1 => self.floats.iter().map(|value| i64::from(value.to_bits())).collect(),
            13 => self.doubles.iter().map(|value| value.to_bits() as i64).collect(),
            10 => self.int64s.clone(),
            _ => self.int32s.clone(),
        };
        let raw = self.bytes.as_ref().or(self.raw.as_ref());
        let raw = raw.filter(|_| typed.is_empty() || named == Some(3));
        let range = match element {
            2 => i64::from(i32::MIN)..=i64::from(i32::MAX),
            6 => 0..=255,
            7 => -128..=127,
            8 | 12 => 0..=65535,
            9 => -32768..=32767,
            _ => i64::MIN..=i64::MAX,
        };
        let mut values = raw.map_or(Some(typed), |raw| of_raw(element, raw))?;
        if element == 5 {
            values.iter_mut().for_each(|value| *value = i64::from(*value != 0));
        }
        let fits = values.len() as u64 == count && values.iter().all(|it| range.contains(it));
        fits.then(|| Dense { dims: self.dims.clone(), element, values })
    }
}

/// Elements as bytes, little-endian.
fn of_raw(element: i32, raw: &[u8]) -> Option<Vec<i64>> {
    let size = match element {
        5..=7 => 1,
        8 | 9 | 12 => 2,
        1 | 2 => 4,
        _ => 8,
    };
    let wide = |bytes: &[u8]| {
        let mut all = [0; 8];
        all[..size].copy_from_slice(bytes);
        let value = i64::from_le_bytes(all);
        let upper = 64 - 8 * size as u32;
        // Signed integers have their sign at the top.
        if matches!(element, 2 | 7 | 9) { value << upper >> upper } else { value }
    };
    raw.len().is_multiple_of(size).then(|| raw.chunks_exact(size).map(wide).collect())
}

fn size(dims: &[i64]) -> Option<u64> {
    if dims.is_empty() || dims.contains(&0) {
        return Some(0);
    }
    let product = dims.iter().try_fold(1u64, |product, dim| product.checked_mul(*dim as u64))?;
    (product <= i64::MAX as u64).then_some(product)
}
