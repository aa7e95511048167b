//! How codes become values: `scale * (x + bias)`, for the whole tensor or channel by channel, or
//! powers of two.

use crate::error::{Error, Excerpt, Result};
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
    /// Codes of exponents, of a logarithmic tensor. Code 0 has the value 0, and any other code the
    /// value `2^(scale * (|x| - 1 + bias))` with the sign of `x`: its magnitude counts exponents
    /// from 1 on.
    Log {
        /// The distance between the exponents of two neighboring codes: 1 for powers of two, 1/2
        /// for powers of their square root.
        scale: f64,
        /// What is added to `|x| - 1` before it is scaled, in units of codes: `scale * bias` is
        /// the exponent of code 1.
        bias: f64,
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
    /// fit its dimensions, as a resize or another writer may have left them; `Unsupported` where a
    /// logarithmic tensor says so, as another writer may have made it.
    pub fn params(&self) -> Result<Params<'_>> {
        let (scale, bias) = (self.scale(), self.bias());
        if self.logarithmic {
            self.refuse_channels("a logarithmic tensor has one scale for all elements")?;
            return Ok(Params::Log { scale, bias });
        }
        Ok(self.kept.channels(self.dims())?.unwrap_or(Params::Affine { scale, bias }))
    }

    /// Makes the tensor logarithmic, so that its scale and bias mean what [`Params::Log`] says, or
    /// linear again.
    ///
    /// Only the meaning changes: precision, planes, scale and bias stay, so that the codes stand
    /// for other values afterwards. A logarithmic tensor is serialized as a blob of type
    /// [`QTENSOR_LOG_TYPE`](crate::QTENSOR_LOG_TYPE), which Caffe2 refuses; it has neither
    /// channels nor a form as a bare `QTensorProto` or an `Int8TensorCPU`.
    ///
    /// ```
    /// # use caffe2_qtensor::{Params, QTensor, peek};
    /// let mut tensor = QTensor::with_shape(&[3], 4, true)?;
    /// tensor.set_bias(-8.0);
    /// tensor.set_logarithmic(true)?;
    /// // The values 0, 2^-8 and -2^6.
    /// tensor.write_codes(&[0i64, 1, -15])?;
    /// assert_eq!(tensor.params()?, Params::Log { scale: 1.0, bias: -8.0 });
    /// assert_eq!(peek(&tensor.to_blob(b"w")?)?.kind, b"QTensorLog");
    /// # Ok::<(), caffe2_qtensor::Error>(())
    /// ```
    ///
    /// # Errors
    /// `Unsupported` where `logarithmic` is true and the tensor says that it has channels.
    pub fn set_logarithmic(&mut self, logarithmic: bool) -> Result<()> {
        if logarithmic {
            self.refuse_channels("a logarithmic tensor has one scale for all elements")?;
        }
        self.logarithmic = logarithmic;
        Ok(())
    }

    /// Whether the codes are those of exponents.
    pub fn is_logarithmic(&self) -> bool {
        self.logarithmic
    }

    /// Refuses a logarithmic tensor where only a linear one has a meaning.
    pub(crate) fn refuse_logarithmic(&self, reason: &'static str) -> Result<()> {
        if !self.logarithmic {
            return Ok(());
        }
        let value = Excerpt::new(b"logarithmic");
        Err(Error::UnsupportedName { what: "kind of the tensor", value, reason })
    }

    /// Refuses a tensor with channels where there is one scale for all elements.
    pub(crate) fn refuse_channels(&self, reason: &'static str) -> Result<()> {
        if !self.is_multiparam() {
            return Ok(());
        }
        Err(Error::Unsupported {
            what: "number of channel scales",
            value: i128::try_from(self.channel_scales().len()).unwrap_or(i128::MAX),
            reason,
        })
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
    /// and as many biases as that dimension's extent; `Unsupported` for a logarithmic tensor;
    /// `OutOfMemory`.
    pub fn set_channels(&mut self, axis: i32, scales: &[f64], biases: &[f64]) -> Result<()> {
        self.refuse_logarithmic("only a linear tensor has channels")?;
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
                rule: "a number of TensorProto.DataType: 0 to 10 or 12 to 14",
            }),
        }
    }
}

/// Whether `TensorProto.DataType` has this number. To a reader any other is an unknown field.
pub(crate) const fn is_data_type(number: i64) -> bool {
    matches!(number, 0..=10 | 12..=14)
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
