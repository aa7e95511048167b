//! How codes become values: `scale * (x + bias)`, for the whole tensor or channel by channel.

use crate::error::{Error, Result};

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
