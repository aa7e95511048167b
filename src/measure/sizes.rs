//! How much room a tensor takes.

use crate::error::Result;
use crate::tensor::QTensor;

/// Bytes that a tensor takes in its several forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// The bit planes alone.
    pub planes: u64,
    /// What the tensor takes in memory: planes that are there, dimensions, channels and the object
    /// itself. What an allocator adds is not counted; planes that were never written take nothing.
    pub resident: u64,
    /// A serialized blob, as [`serialized_size`](QTensor::serialized_size) counts it: a varint
    /// stores 7 bits in a byte, so that a plane byte of 128 and more takes two.
    pub wire: u64,
    /// The same number of elements in single precision: 4 bytes each.
    pub float: u64,
}

impl Sizes {
    /// How many times smaller the planes are than the floats; NaN without any plane.
    pub fn ratio(&self) -> f64 {
        ratio(self.float, self.planes)
    }

    /// How many times smaller the serialized blob is than the floats.
    pub fn wire_ratio(&self) -> f64 {
        ratio(self.float, self.wire)
    }
}

fn ratio(float: u64, other: u64) -> f64 {
    if other == 0 { f64::NAN } else { float as f64 / other as f64 }
}

impl QTensor {
    /// How much room the tensor takes; `name` is what a blob of it would be called.
    ///
    /// ```
    /// # use caffe2_qtensor::QTensor;
    /// let mut tensor = QTensor::with_shape(&[1000], 4, false)?;
    /// tensor.mutable_data()?.fill(0xff);
    /// let sizes = tensor.sizes(b"w")?;
    /// assert_eq!((sizes.planes, sizes.float, sizes.ratio()), (500, 4000, 8.0));
    /// // Two bytes for each of these, and some for what else there is.
    /// assert!(sizes.wire > 1000);
    /// # Ok::<(), caffe2_qtensor::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`serialized_size`](Self::serialized_size).
    pub fn sizes(&self, name: &[u8]) -> Result<Sizes> {
        let wide = |bytes: usize| u64::try_from(bytes).unwrap_or(u64::MAX);
        let resident = size_of::<QTensor>()
            .saturating_add(size_of_val(self.dims()))
            .saturating_add(size_of_val(self.channel_scales()))
            .saturating_add(size_of_val(self.channel_biases()))
            .saturating_add(self.data().map_or(0, <[u8]>::len));
        Ok(Sizes {
            planes: wide(self.nbytes()),
            resident: wide(resident),
            wire: wide(self.serialized_size(name)?),
            float: wide(self.size()).saturating_mul(4),
        })
    }
}
