//! How codes become values: `scale * (x + bias)`, for the whole tensor or channel by channel.

use crate::error::{Error, Result};
use crate::tensor::QTensor;

/// The parameters that give a tensor's codes their values. Consumers match exhaustively.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Params<'a> {
    /// One scale and bias for all elements: `value = scale * (x + bias)`.
    Affine {
        /// The distance between the values of two neighboring codes.
        scale: f64,
        /// What is added to a code before it is scaled, in units of codes.
        bias: f64,
    },
    /// A scale and a bias for every index along one dimension:
    /// `value = scales[c] * (x + biases[c])` for an element with index `c` there.
    PerChannel {
        /// Which dimension the channels are.
        axis: usize,
        /// One scale a channel.
        scales: &'a [f64],
        /// One bias a channel.
        biases: &'a [f64],
    },
}

/// The optional fields of a serialized tensor that Caffe2 knows and drops and this library keeps:
/// what was present is written back, what was absent is not.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    pub(crate) scales: Vec<f64>,
    pub(crate) biases: Vec<f64>,
    pub(crate) axis: Option<i32>,
    pub(crate) is_multiparam: Option<bool>,
    /// The number of the element type, as `TensorProto.DataType` counts them.
    pub(crate) data_type: Option<i32>,
}

impl Kept {
    pub(crate) fn try_clone(&self) -> Result<Kept> {
        Ok(Kept {
            scales: try_copy(&self.scales)?,
            biases: try_copy(&self.biases)?,
            axis: self.axis,
            is_multiparam: self.is_multiparam,
            data_type: self.data_type,
        })
    }

    /// The channels, if the tensor says it has them and they fit its dimensions.
    pub(crate) fn channels(&self, dims: &[i64]) -> Result<Option<Params<'_>>> {
        if self.is_multiparam != Some(true) {
            return Ok(None);
        }
        let axis = self.axis.unwrap_or(0);
        let (axis, channels) = channel_axis(axis, dims)?;
        check_channel_count("number of channel scales", self.scales.len(), channels)?;
        check_channel_count("number of channel biases", self.biases.len(), channels)?;
        Ok(Some(Params::PerChannel { axis, scales: &self.scales, biases: &self.biases }))
    }
}

/// Scales and biases, of the whole tensor or channel by channel.
impl QTensor {
    /// The parameters that give the codes their values.
    ///
    /// # Errors
    /// `OutOfRange` or `ShapeMismatch` where the tensor says that it has channels and they do not
    /// fit its dimensions, as a resize or another writer may have left them.
    pub fn params(&self) -> Result<Params<'_>> {
        let affine = Params::Affine { scale: self.scale(), bias: self.bias() };
        Ok(self.kept.channels(self.dims())?.unwrap_or(affine))
    }

    /// Gives every index along dimension `axis` a scale and a bias of its own.
    ///
    /// ```
    /// # use caffe2_qtensor::{Params, QTensor};
    /// let mut tensor = QTensor::with_shape(&[2, 3], 8, false)?;
    /// tensor.set_channels(0, &[0.5, 0.25], &[0.0, -128.0])?;
    /// assert!(matches!(tensor.params()?, Params::PerChannel { axis: 0, .. }));
    /// # Ok::<(), caffe2_qtensor::Error>(())
    /// ```
    ///
    /// # Errors
    /// `OutOfRange` unless `0 <= axis < ndim`; `ShapeMismatch` unless there are as many scales
    /// and as many biases as that dimension's extent; `OutOfMemory`.
    pub fn set_channels(&mut self, axis: i32, scales: &[f64], biases: &[f64]) -> Result<()> {
        let (_, channels) = channel_axis(axis, self.dims())?;
        check_channel_count("number of channel scales", scales.len(), channels)?;
        check_channel_count("number of channel biases", biases.len(), channels)?;
        let (scales, biases) = (try_copy(scales)?, try_copy(biases)?);
        let data_type = self.kept.data_type;
        self.kept = Kept { scales, biases, axis: Some(axis), is_multiparam: Some(true), data_type };
        Ok(())
    }

    /// Removes the channels: the tensor's own scale and bias count again.
    pub fn clear_channels(&mut self) {
        self.kept = Kept { data_type: self.kept.data_type, ..Kept::default() };
    }

    /// The channel scales as they are stored, whether or not they fit the dimensions.
    pub fn channel_scales(&self) -> &[f64] {
        &self.kept.scales
    }

    /// The channel biases as they are stored, whether or not they fit the dimensions.
    pub fn channel_biases(&self) -> &[f64] {
        &self.kept.biases
    }

    /// The dimension that the channels are, where the tensor names one.
    pub fn channel_axis(&self) -> Option<i32> {
        self.kept.axis
    }

    /// Whether the tensor says that its channels count.
    pub fn is_multiparam(&self) -> bool {
        self.kept.is_multiparam == Some(true)
    }

    /// The element type that a serialized form named, as `TensorProto.DataType` counts them. It
    /// says nothing about the codes; what was read is written back.
    pub fn data_type(&self) -> Option<i32> {
        self.kept.data_type
    }

    /// Sets the element type that is serialized with the tensor, or removes it.
    ///
    /// # Errors
    /// `InvalidArgument` for a number that `TensorProto.DataType` does not have, because a reader
    /// would drop it.
    pub fn set_data_type(&mut self, data_type: Option<i32>) -> Result<()> {
        match data_type.filter(|number| !is_data_type(i64::from(*number))) {
            None => {
                self.kept.data_type = data_type;
                Ok(())
            }
            Some(other) => Err(Error::InvalidArgument {
                what: "data type",
                value: i128::from(other),
                rule: "a number of TensorProto.DataType: 0 to 10, 12 or 13",
            }),
        }
    }
}

/// Whether `TensorProto.DataType` has this number. To a reader any other is an unknown field.
pub(crate) const fn is_data_type(number: i64) -> bool {
    matches!(number, 0..=10 | 12 | 13)
}

/// A copy of a slice, fallibly allocated.
pub(crate) fn try_copy<T: Copy>(values: &[T]) -> Result<Vec<T>> {
    let mut copy = Vec::new();
    copy.try_reserve_exact(values.len())
        .map_err(|_| Error::OutOfMemory { what: "copy", bytes: size_of_val(values) })?;
    copy.extend_from_slice(values);
    Ok(copy)
}

/// The dimension that an axis names and its extent.
pub(crate) fn channel_axis(axis: i32, dims: &[i64]) -> Result<(usize, i64)> {
    let found = usize::try_from(axis).ok().and_then(|axis| Some((axis, *dims.get(axis)?)));
    found.ok_or(Error::OutOfRange {
        what: "channel axis",
        value: i128::from(axis),
        min: 0,
        max: i128::try_from(dims.len()).unwrap_or(i128::MAX).saturating_sub(1),
    })
}

pub(crate) fn check_channel_count(what: &'static str, count: usize, channels: i64) -> Result<()> {
    if i64::try_from(count) == Ok(channels) {
        return Ok(());
    }
    Err(Error::ShapeMismatch {
        what,
        value: i128::try_from(count).unwrap_or(i128::MAX),
        expected: i128::from(channels),
    })
}
