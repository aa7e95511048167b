//! Ordinary tensors: what Caffe2 keeps its float weights and its activations in.

use super::elements::{ElementType, Elements, ElementsRef, copy_bytes, each_type};
use crate::error::{Error, Result};
use crate::params::try_copy;
use crate::planes::{Lender, product};
use crate::shape::check_dims;

/// An ordinary tensor: dimensions and elements in row-major order.
///
/// Without dimensions it is a scalar, one element, as in Caffe2.
pub struct DenseTensor {
    dims: Vec<i64>,
    stored: Stored,
}

enum Stored {
    Own(Elements),
    /// Somebody else's, which are there as long as the lender has not got them back: never given
    /// out for longer than the tensor is borrowed.
    #[cfg_attr(not(feature = "capi"), allow(dead_code, reason = "only the C interface borrows"))]
    Lent(ElementsRef<'static>, Lender),
}

impl DenseTensor {
    /// A tensor of these elements.
    ///
    /// ```
    /// use caffe2_qtensor::{DenseTensor, Elements};
    ///
    /// let tensor = DenseTensor::new(&[2, 2], Elements::Float(vec![1.0, 2.0, 3.0, 4.0]))?;
    /// let copy = DenseTensor::deserialize(&tensor.to_blob(b"w")?)?;
    /// assert_eq!(copy, tensor);
    /// # Ok::<(), caffe2_qtensor::Error>(())
    /// ```
    ///
    /// # Errors
    /// `InvalidArgument` for a negative dimension, `OutOfRange` for more than 64 of them,
    /// `ShapeMismatch` where the number of elements is not their product, `OutOfMemory`.
    pub fn new(dims: &[i64], elements: Elements) -> Result<DenseTensor> {
        check_dims(dims)?;
        let size = dense_size(dims)?;
        let count = elements.view().len();
        if count != size {
            return Err(Error::ShapeMismatch {
                what: "number of elements",
                value: i128::try_from(count).unwrap_or(i128::MAX),
                expected: i128::try_from(size).unwrap_or(i128::MAX),
            });
        }
        Ok(DenseTensor::from_parts(try_copy(dims)?, elements))
    }

    /// A tensor whose elements' bytes are copied, in row-major order and the byte order of this
    /// machine. Truth values other than 0 become 1.
    ///
    /// # Errors
    /// As for [`DenseTensor::new`]; `ShapeMismatch` where the number of bytes is not that of the
    /// elements.
    pub fn from_bytes(
        dims: &[i64],
        element_type: ElementType,
        bytes: &[u8],
    ) -> Result<DenseTensor> {
        let size = DenseTensor::size_of_bytes(dims, element_type, bytes.len())?;
        let dims = try_copy(dims)?;
        let mut elements = Elements::zeroed(element_type, size)?;
        each_type!(Elements, &mut elements, vector => copy_bytes(bytes, vector));
        if let Elements::Bool(values) = &mut elements {
            values.iter_mut().for_each(|value| *value = u8::from(*value != 0));
        }
        Ok(DenseTensor::from_parts(dims, elements))
    }

    /// The number of elements, where they take so many bytes.
    ///
    /// # Errors
    /// As for [`DenseTensor::from_bytes`].
    pub(crate) fn size_of_bytes(
        dims: &[i64],
        element_type: ElementType,
        bytes: usize,
    ) -> Result<usize> {
        check_dims(dims)?;
        let size = dense_size(dims)?;
        let limit = i128::try_from(isize::MAX).unwrap_or(i128::MAX);
        let needed = size.checked_mul(element_type.size());
        let needed = needed.ok_or(Error::Overflow { what: "size in bytes", limit })?;
        if needed != bytes {
            return Err(Error::ShapeMismatch {
                what: "size of the elements in bytes",
                value: i128::try_from(bytes).unwrap_or(i128::MAX),
                expected: i128::try_from(needed).unwrap_or(i128::MAX),
            });
        }
        Ok(size)
    }

    /// Parts whose sizes a reader has checked.
    pub(crate) fn from_parts(dims: Vec<i64>, elements: Elements) -> DenseTensor {
        DenseTensor { dims, stored: Stored::Own(elements) }
    }

    /// The same with elements that are the lender's again when the tensor goes.
    #[cfg(feature = "capi")]
    pub(crate) fn lent(
        dims: Vec<i64>,
        elements: ElementsRef<'static>,
        lender: Lender,
    ) -> DenseTensor {
        DenseTensor { dims, stored: Stored::Lent(elements, lender) }
    }

    /// Changes who hears that elements which are lent are no longer used; the one before hears it
    /// now.
    #[cfg(feature = "capi")]
    pub(crate) fn set_lender(&mut self, lender: Lender) {
        if let Stored::Lent(_, old) = &mut self.stored {
            *old = lender;
        }
    }

    #[cfg(feature = "capi")]
    pub(crate) fn is_lent(&self) -> bool {
        matches!(self.stored, Stored::Lent(..))
    }

    /// The dimensions, outermost first.
    pub fn dims(&self) -> &[i64] {
        &self.dims
    }

    /// The elements, in row-major order.
    pub fn elements(&self) -> ElementsRef<'_> {
        match &self.stored {
            Stored::Own(elements) => elements.view(),
            Stored::Lent(elements, _) => *elements,
        }
    }

    /// The address of the first element.
    #[cfg(feature = "capi")]
    pub(crate) fn as_ptr(&self) -> *const u8 {
        match &self.stored {
            Stored::Own(elements) => elements.as_ptr(),
            Stored::Lent(elements, _) => elements.as_ptr(),
        }
    }

    /// The elements, taken out; nothing where they are somebody else's.
    pub fn into_elements(self) -> Option<Elements> {
        match self.stored {
            Stored::Own(elements) => Some(elements),
            Stored::Lent(..) => None,
        }
    }

    /// The elements, if they are 32-bit floats.
    pub fn as_f32(&self) -> Option<&[f32]> {
        match self.elements() {
            ElementsRef::Float(values) => Some(values),
            _ => None,
        }
    }
}

impl PartialEq for DenseTensor {
    fn eq(&self, other: &DenseTensor) -> bool {
        self.dims == other.dims && self.elements() == other.elements()
    }
}

impl core::fmt::Debug for DenseTensor {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter
            .debug_struct("DenseTensor")
            .field("dims", &self.dims)
            .field("elements", &self.elements())
            .finish()
    }
}

/// The number of elements of an ordinary tensor: the product of its dimensions, 1 without any.
pub(crate) fn dense_size(dims: &[i64]) -> Result<usize> {
    let limit = i128::try_from(isize::MAX).unwrap_or(i128::MAX);
    let size = product(dims).and_then(|size| usize::try_from(size).ok());
    size.filter(|size| isize::try_from(*size).is_ok())
        .ok_or(Error::Overflow { what: "number of elements", limit })
}
