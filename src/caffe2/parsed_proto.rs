//! A `QTensorProto` that protobuf has read already, field by field.

use super::dims::Dims;
use super::qtensor_proto::precision_of;
use crate::error::{Error, Result};
use crate::params::{Kept, is_data_type, try_copy};
use crate::planes::{Filler, Geometry};
use crate::tensor::QTensor;

/// The fields of a `QTensorProto` as a protobuf library gives them: its required fields are there,
/// and integers have been cut to the 32 bits of their types.
#[derive(Clone, Copy, Debug, Default)]
pub struct ParsedProto<'a> {
    /// The dimensions, outermost first.
    pub dims: &'a [i64],
    /// Magnitude planes, 0 to 255.
    pub precision: i32,
    /// The scale of all elements.
    pub scale: f64,
    /// The bias of all elements, in units of codes.
    pub bias: f64,
    /// Whether a sign plane follows the others.
    pub is_signed: bool,
    /// The bytes of the planes, one in each value.
    pub data: &'a [i32],
    /// One scale a channel.
    pub scales: &'a [f64],
    /// One bias a channel.
    pub biases: &'a [f64],
    /// Which dimension the channels are, where the message says so.
    pub axis: Option<i32>,
    /// Whether there are channels, where the message says so.
    pub is_multiparam: Option<bool>,
    /// The number of the element type, where the message says so.
    pub data_type: Option<i32>,
}

impl ParsedProto<'_> {
    /// The tensor that the message describes: the one that [`QTensor::deserialize_proto`] reads
    /// from its bytes.
    ///
    /// ```
    /// use caffe2_qtensor::ParsedProto;
    ///
    /// let proto =
    ///     ParsedProto { dims: &[2, 5], precision: 1, scale: 0.5, data: &[129, 64], ..Default::default() };
    /// assert_eq!(proto.to_tensor()?.data(), Some(&[129, 64][..]));
    /// # Ok::<(), caffe2_qtensor::Error>(())
    /// ```
    ///
    /// # Errors
    /// As for [`QTensor::deserialize`].
    pub fn to_tensor(&self) -> Result<QTensor> {
        let precision = precision_of(i64::from(self.precision))?;
        let dims = Dims::of(self.dims)?.take()?;
        let geometry = Geometry::new(&dims, precision, self.is_signed)?;
        if self.data.len() != geometry.nbytes() {
            return Err(Error::ShapeMismatch {
                what: "number of data values",
                value: i128::try_from(self.data.len()).unwrap_or(i128::MAX),
                expected: i128::try_from(geometry.nbytes()).unwrap_or(i128::MAX),
            });
        }
        let kept = Kept {
            scales: try_copy(self.scales)?,
            biases: try_copy(self.biases)?,
            axis: self.axis,
            is_multiparam: self.is_multiparam,
            data_type: self.data_type.filter(|number| is_data_type(i64::from(*number))),
        };
        let mut filler = Filler::new(geometry.nbytes())?;
        if !filler.push_values(self.data) {
            let wrong = self.data.iter().find(|value| u8::try_from(**value).is_err());
            let value = i128::from(wrong.copied().unwrap_or_default());
            return Err(Error::MalformedValue { field: "data", value, rule: "between 0 and 255" });
        }
        let failed = Error::OutOfMemory { what: "planes", bytes: geometry.nbytes() };
        let storage = filler.finish().ok_or(failed)?;
        Ok(QTensor::from_parts(dims, geometry, (self.scale, self.bias), kept, storage))
    }
}
