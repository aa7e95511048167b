//! `Int8TensorCPU` in memory: its elements as a quantized tensor, and a quantized tensor in the
//! form that such elements have.

use super::int8_tensor::{Element, ONE_SCALE};
use crate::error::{Error, Result};
use crate::params::{Kept, try_copy};
use crate::planes::Storage;
use crate::planes::codes::{self, BLOCK, Code};
use crate::quantize::bias_of_zero_point;
use crate::tensor::QTensor;

/// What a signed byte is moved by to become an unsigned one.
const SIGN_OFFSET: i64 = 128;

/// To and from the tensors of Caffe2's int8 operators, whose values are `scale * (q - zero_point)`.
impl QTensor {
    /// The tensor of an `Int8TensorCPU` of bytes: precision 8, unsigned, the bias minus the zero
    /// point, as [`QTensor::deserialize`] reads it. Without dimensions it has one value, as in
    /// Caffe2, and here one dimension of 1.
    ///
    /// Caffe2 keeps the scale as a float, which a double holds exactly.
    ///
    /// # Errors
    /// `ShapeMismatch` unless there are as many bytes as elements; for the dimensions what
    /// [`QTensor::with_shape`] refuses; `OutOfMemory`.
    pub fn from_int8(dims: &[i64], data: &[u8], scale: f64, zero_point: i32) -> Result<QTensor> {
        from_elements(Element::Byte, dims, data, scale, zero_point)
    }

    /// The tensor of an `Int8TensorCPU` of 32-bit integers, such as the bias of an int8 operator:
    /// precision 32, signed; otherwise as [`QTensor::from_int8`].
    ///
    /// # Errors
    /// As [`QTensor::from_int8`].
    pub fn from_int32(dims: &[i64], data: &[i32], scale: f64, zero_point: i32) -> Result<QTensor> {
        from_elements(Element::Int32, dims, data, scale, zero_point)
    }

    /// A tensor of exactly the same values in the form of an `Int8TensorCPU` of bytes, which
    /// [`QTensor::serialize_int8`] takes and whose codes are the bytes: precision 8, unsigned, the
    /// bias minus the zero point.
    ///
    /// Codes without a sign stay what they are. Codes with one are moved up by 128, and the zero
    /// point with them. The scale stays, too: Caffe2, which keeps it as a float, rounds one that is
    /// none when it reads it.
    ///
    /// ```
    /// # use caffe2_qtensor::QTensor;
    /// let mut tensor = QTensor::with_shape(&[3], 7, true)?;
    /// tensor.write_codes(&[-127i64, 0, 5])?;
    /// let bytes = tensor.to_int8()?;
    /// let mut codes = [0u8; 3];
    /// bytes.read_codes(&mut codes)?;
    /// assert_eq!((codes, bytes.bias()), ([1, 128, 133], -128.0));
    /// # Ok::<(), caffe2_qtensor::Error>(())
    /// ```
    ///
    /// # Errors
    /// `Unsupported` above precision 8, or 7 where the tensor is signed, for a tensor with channels
    /// and for a logarithmic one; `OutOfRange` where the bias has a fraction or the zero point is
    /// no 32-bit integer; `Overflow` where 8 planes would be too many bytes; `OutOfMemory`.
    pub fn to_int8(&self) -> Result<QTensor> {
        self.refuse_logarithmic("an Int8TensorCPU is linear")?;
        self.refuse_channels(ONE_SCALE)?;
        match (self.precision(), self.is_signed()) {
            (0..=8, false) | (0..=7, true) => {}
            (precision, _) => {
                return Err(Error::Unsupported {
                    what: "precision",
                    value: i128::from(precision),
                    reason: "bytes hold at most 8 bits, or 7 bits and a sign",
                });
            }
        }
        let bias = bias_of_zero_point(self.zero_point_of_bytes()?);
        let geometry = Element::Byte.geometry(self.dims())?;
        let dims = try_copy(self.dims())?;
        let mut storage = Storage::zeroed(geometry.nbytes())?;
        let mut rows = storage.rows(geometry);
        let (mut signed, mut bytes) = ([0i8; BLOCK], [0u8; BLOCK]);
        for first in (0..self.size()).step_by(BLOCK) {
            let length = self.size().saturating_sub(first).min(BLOCK);
            let bytes = bytes.get_mut(..length).unwrap_or_default();
            if self.is_signed() {
                let signed = signed.get_mut(..length).unwrap_or_default();
                self.read_block(first, signed);
                for (byte, code) in bytes.iter_mut().zip(signed) {
                    // In two's complement, the same as adding 128.
                    *byte = code.cast_unsigned() ^ 0x80;
                }
            } else {
                self.read_block(first, bytes);
            }
            codes::write(geometry, bytes, &mut rows.part(first / 8, length.div_ceil(8)));
        }
        let kept = Kept { data_type: Some(Element::Byte.data_type()), ..Kept::default() };
        Ok(QTensor::from_parts(dims, geometry, (self.scale(), bias), kept, storage))
    }

    /// The zero point of the codes as unsigned bytes.
    fn zero_point_of_bytes(&self) -> Result<i32> {
        let bias = self.bias();
        let (offset, rule) = if self.is_signed() {
            (SIGN_OFFSET, "128 minus a zero point, which is a 32-bit integer")
        } else {
            (0, "minus a zero point, which is a 32-bit integer")
        };
        let zero_point = as_integer(bias).and_then(|bias| offset.checked_sub(bias));
        zero_point
            .and_then(|zero_point| i32::try_from(zero_point).ok())
            .ok_or(Error::NotAnInteger { what: "bias", value: bias, rule })
    }
}

/// A double that is an integer not far outside 32 bits. The offset is taken off the integer: off
/// the double, it could round a fraction away.
fn as_integer(value: f64) -> Option<i64> {
    let limit = 4.0 * f64::from(i32::MAX);
    #[allow(clippy::cast_possible_truncation, reason = "it was seen to be a whole number in range")]
    (value.abs() <= limit && value.trunc() == value).then_some(value as i64)
}

fn from_elements<T: Code>(
    element: Element,
    dims: &[i64],
    data: &[T],
    scale: f64,
    zero_point: i32,
) -> Result<QTensor> {
    let dims = if dims.is_empty() { &[1] } else { dims };
    let geometry = element.geometry(dims)?;
    codes::check_write(geometry, data)?;
    let dims = try_copy(dims)?;
    let mut storage = Storage::zeroed(geometry.nbytes())?;
    codes::write(geometry, data, &mut storage.rows(geometry));
    let kept = Kept { data_type: Some(element.data_type()), ..Kept::default() };
    Ok(QTensor::from_parts(dims, geometry, (scale, bias_of_zero_point(zero_point)), kept, storage))
}
