//! The quantized tensor: shape, precision, parameters and bit planes.

use crate::error::Result;
use crate::params::{Kept, try_copy};
use crate::planes::codes::{self, Code};
use crate::planes::{ALIGNMENT, Geometry, Storage, words};
use crate::shape::checked_geometry;

/// Caffe2's quantized tensor: integer codes of `precision` bits, kept as bit planes.
///
/// A code `x` stands for the value `scale * (x + bias)`; for other values in a tensor with channels
/// and in a logarithmic one, as [`Params`](crate::Params) says. In a signed tensor it is a
/// magnitude and a sign, not two's complement. Storage is allocated by the first write, all zero;
/// until then, and after any change of precision or sign, the planes read as zeros.
///
/// ```
/// use caffe2_qtensor::QTensor;
///
/// let mut tensor = QTensor::with_shape(&[2, 3], 4, true)?;
/// tensor.set_scale(0.5);
/// tensor.write_codes(&[1i64, -2, 3, -15, 0, 15])?;
///
/// let mut codes = [0i64; 6];
/// tensor.read_codes(&mut codes)?;
/// assert_eq!(codes, [1, -2, 3, -15, 0, 15]);
/// // Four planes and one for the signs, of one byte each.
/// assert_eq!(tensor.nbytes(), 5);
/// # Ok::<(), caffe2_qtensor::Error>(())
/// ```
pub struct QTensor {
    dims: Vec<i64>,
    geometry: Geometry,
    scale: f64,
    bias: f64,
    pub(crate) logarithmic: bool,
    pub(crate) kept: Kept,
    storage: Option<Storage>,
}

/// What inline code needs to read bits: see [`QTensor::view`].
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The number of elements.
    pub size: usize,
    /// Magnitude planes.
    pub precision: u8,
    /// Whether a sign plane follows them.
    pub is_signed: bool,
    /// Bytes from the start of one plane to the start of the next.
    pub plane_stride: usize,
    /// All planes, or `None` before the first write, when every bit is zero.
    pub data: Option<&'a [u8]>,
}

impl Default for QTensor {
    fn default() -> Self {
        QTensor::new()
    }
}

impl QTensor {
    /// An empty tensor: no dimensions, size 0, precision 8, unsigned, scale 1, bias 0, linear.
    pub const fn new() -> QTensor {
        let kept = Kept {
            scales: Vec::new(),
            biases: Vec::new(),
            axis: None,
            is_multiparam: None,
            data_type: None,
        };
        let geometry = Geometry::EMPTY;
        QTensor {
            dims: Vec::new(),
            geometry,
            scale: 1.0,
            bias: 0.0,
            logarithmic: false,
            kept,
            storage: None,
        }
    }

    /// A tensor of this shape, every code zero. Allocates no planes yet.
    ///
    /// # Errors
    /// What [`QTensor::resize`] refuses.
    pub fn with_shape(dims: &[i64], precision: u8, is_signed: bool) -> Result<QTensor> {
        let mut tensor = QTensor::new();
        tensor.geometry = checked_geometry(dims, precision, is_signed)?;
        tensor.dims = try_copy(dims)?;
        Ok(tensor)
    }

    /// A copy with memory of its own. There is no `Clone`, because memory can run out.
    pub fn try_clone(&self) -> Result<QTensor> {
        Ok(QTensor {
            dims: try_copy(&self.dims)?,
            geometry: self.geometry,
            scale: self.scale,
            bias: self.bias,
            logarithmic: self.logarithmic,
            kept: self.kept.try_clone()?,
            storage: self.storage.as_ref().map(Storage::try_clone).transpose()?,
        })
    }

    /// Gives the tensor another shape.
    ///
    /// The same dimensions change nothing. Others keep the planes, byte for byte, where their
    /// total size stays what it was, and drop them where it does not.
    ///
    /// # Errors
    /// `InvalidArgument` for a negative dimension, `OutOfRange` for more than
    /// [`MAX_DIMS`](crate::MAX_DIMS), `Overflow` where the number of elements or of bytes is above
    /// `i64::MAX`, `OutOfMemory`.
    pub fn resize(&mut self, dims: &[i64]) -> Result<()> {
        if self.dims == dims {
            return Ok(());
        }
        let geometry = checked_geometry(dims, self.precision(), self.is_signed())?;
        let dims = try_copy(dims)?;
        let drops = geometry.nbytes() != self.geometry.nbytes();
        self.dims = dims;
        self.geometry = geometry;
        if drops {
            self.storage = None;
        }
        Ok(())
    }

    /// Sets the number of magnitude bits, 0 to 255, and drops the planes even where it stays.
    ///
    /// # Errors
    /// `Overflow` where the planes would take more than `i64::MAX` bytes.
    pub fn set_precision(&mut self, precision: u8) -> Result<()> {
        self.geometry = self.geometry.with_planes(precision, self.is_signed())?;
        self.storage = None;
        Ok(())
    }

    /// Adds or removes the sign plane, and drops the planes even where nothing changes.
    ///
    /// # Errors
    /// `Overflow` where the planes would take more than `i64::MAX` bytes.
    pub fn set_signed(&mut self, is_signed: bool) -> Result<()> {
        self.geometry = self.geometry.with_planes(self.precision(), is_signed)?;
        self.storage = None;
        Ok(())
    }

    /// Sets the scale, any double; NaN and infinities keep their bit pattern.
    pub fn set_scale(&mut self, scale: f64) {
        self.scale = scale;
    }

    /// Sets the bias, any double; NaN and infinities keep their bit pattern.
    pub fn set_bias(&mut self, bias: f64) {
        self.bias = bias;
    }

    /// The number of dimensions.
    pub fn ndim(&self) -> usize {
        self.dims.len()
    }

    /// The dimensions, outermost first.
    pub fn dims(&self) -> &[i64] {
        &self.dims
    }

    /// The number of elements: the product of the dimensions, 0 where there are none.
    pub fn size(&self) -> usize {
        self.geometry.size()
    }

    /// The size rounded up to whole plane bytes, in elements.
    pub fn aligned_size(&self) -> usize {
        self.geometry.stride().saturating_mul(usize::from(ALIGNMENT))
    }

    /// The bytes that all planes take.
    pub fn nbytes(&self) -> usize {
        self.geometry.nbytes()
    }

    /// The elements in a plane byte: 8.
    pub const fn alignment(&self) -> u8 {
        ALIGNMENT
    }

    /// The number of magnitude bits.
    pub fn precision(&self) -> u8 {
        self.geometry.precision()
    }

    /// Whether there is a sign plane.
    pub fn is_signed(&self) -> bool {
        self.geometry.signed()
    }

    /// The tensor's own scale.
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// The tensor's own bias.
    pub fn bias(&self) -> f64 {
        self.bias
    }

    /// All planes, or `None` before the first write and where they have no byte.
    pub fn data(&self) -> Option<&[u8]> {
        self.storage.as_ref().map(Storage::bytes)
    }

    /// All planes, for writing; allocated, all zero, if there are none yet.
    ///
    /// # Errors
    /// `OutOfMemory`.
    pub fn mutable_data(&mut self) -> Result<&mut [u8]> {
        match &self.storage {
            Some(storage) if storage.is_writable() => {}
            Some(storage) => {
                let copy = storage.try_clone()?;
                self.set_storage(copy);
            }
            None if self.nbytes() != 0 => self.storage = Some(Storage::zeroed(self.nbytes())?),
            None => {}
        }
        Ok(self.storage.as_mut().map(Storage::bytes_mut).unwrap_or_default())
    }

    /// The address that [`QTensor::mutable_data`] writes to, for the C interface; not to be used
    /// where there is no byte.
    #[cfg(feature = "capi")]
    pub(crate) fn mutable_address(&mut self) -> Result<*mut u8> {
        self.mutable_data()?;
        let nowhere = core::ptr::NonNull::dangling().as_ptr();
        Ok(self.storage.as_mut().map_or(nowhere, Storage::as_mut_ptr))
    }

    /// The geometry and the planes in one value, for code that reads bits by itself.
    pub fn view(&self) -> View<'_> {
        View {
            size: self.size(),
            precision: self.precision(),
            is_signed: self.is_signed(),
            plane_stride: self.geometry.stride(),
            data: self.data(),
        }
    }

    /// Bit `bit` of element `index`; the sign is bit `precision`.
    ///
    /// # Errors
    /// `OutOfRange` where there is no such bit or element.
    pub fn get_bit(&self, bit: u8, index: usize) -> Result<bool> {
        let (byte, mask) = self.geometry.locate(bit, index)?;
        Ok(self.data().and_then(|data| data.get(byte)).is_some_and(|byte| byte & mask != 0))
    }

    /// Sets bit `bit` of element `index`; the sign is bit `precision`.
    ///
    /// # Errors
    /// `OutOfRange` where there is no such bit or element; `OutOfMemory`.
    pub fn set_bit(&mut self, bit: u8, index: usize, value: bool) -> Result<()> {
        let (byte, mask) = self.geometry.locate(bit, index)?;
        if let Some(byte) = self.mutable_data()?.get_mut(byte) {
            if value { *byte |= mask } else { *byte &= !mask }
        }
        Ok(())
    }

    /// Reads the code of every element, in order. A tensor never written holds zeros.
    ///
    /// # Errors
    /// `ShapeMismatch` unless `codes` holds [`size`](Self::size) elements; `Unsupported` where
    /// the type is too narrow for the precision (63 bits at most), or unsigned and the tensor is
    /// signed.
    pub fn read_codes<T: Code>(&self, codes: &mut [T]) -> Result<()> {
        codes::check_read(self.geometry, codes)?;
        self.read_block(0, codes);
        Ok(())
    }

    /// Writes the code of every element, in order. Padding bits stay as they are.
    ///
    /// # Errors
    /// `ShapeMismatch` unless `codes` holds [`size`](Self::size) elements; `OutOfRange` for a
    /// code that the precision or the missing sign does not allow; `Unsupported` above precision
    /// 63; `OutOfMemory`. Nothing is written then.
    pub fn write_codes<T: Code>(&mut self, codes: &[T]) -> Result<()> {
        codes::check_write(self.geometry, codes)?;
        if codes.is_empty() {
            return Ok(());
        }
        let geometry = self.geometry;
        self.mutable_data()?;
        if let Some(storage) = &mut self.storage {
            codes::write(geometry, codes, &mut storage.rows(geometry));
        }
        Ok(())
    }

    /// Codes from element `first` on, a multiple of 8, of a type that is known to hold them.
    pub(crate) fn read_block<T: Code>(&self, first: usize, codes: &mut [T]) {
        match self.data() {
            Some(planes) => codes::read(self.geometry, first, planes, codes),
            None => codes.fill(T::ZERO),
        }
    }

    /// Bits of `count` elements from `first` on, in words of a plane.
    pub(crate) fn read_words(&self, plane: usize, first: usize, count: usize, words: &mut [u32]) {
        match self.data() {
            Some(planes) => words::read(self.geometry, planes, plane, first, count, words),
            None => words.fill(0),
        }
    }

    pub(crate) fn geometry(&self) -> Geometry {
        self.geometry
    }

    pub(crate) fn storage_mut(&mut self) -> Option<&mut Storage> {
        self.storage.as_mut()
    }

    #[cfg(feature = "capi")]
    pub(crate) fn storage(&self) -> Option<&Storage> {
        self.storage.as_ref()
    }

    /// Replaces the planes by others of the geometry's size.
    pub(crate) fn set_storage(&mut self, storage: Storage) {
        let new = (self.nbytes() != 0).then_some(storage);
        // The old ones go last: who lent them may hear of it when the new ones are in place.
        drop(core::mem::replace(&mut self.storage, new));
    }

    /// Makes the planes those of `new`, of the geometry's size: where they are if a lender is to
    /// find them there.
    pub(crate) fn replace_codes(&mut self, new: Storage) {
        match &mut self.storage {
            Some(lent) if lent.is_lent() && lent.is_writable() => {
                lent.bytes_mut().copy_from_slice(new.bytes());
            }
            _ => self.set_storage(new),
        }
    }

    pub(crate) fn kept(&self) -> &Kept {
        &self.kept
    }

    /// A linear tensor put together by a reader. `storage` has the geometry's size.
    pub(crate) fn from_parts(
        dims: Vec<i64>,
        geometry: Geometry,
        (scale, bias): (f64, f64),
        kept: Kept,
        storage: Storage,
    ) -> QTensor {
        // Planes without a byte are not worth keeping: no data, as before a first write.
        let storage = (geometry.nbytes() != 0).then_some(storage);
        QTensor { dims, geometry, scale, bias, logarithmic: false, kept, storage }
    }
}

impl core::fmt::Debug for QTensor {
    /// Shape and parameters; not the codes.
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter
            .debug_struct("QTensor")
            .field("dims", &self.dims)
            .field("precision", &self.precision())
            .field("is_signed", &self.is_signed())
            .field("scale", &self.scale)
            .field("bias", &self.bias)
            .field("logarithmic", &self.logarithmic)
            .finish_non_exhaustive()
    }
}
