//! Ordinary tensors: what Caffe2 keeps its float weights and its activations in.

use crate::error::{Error, Result};
use crate::params::try_copy;
use crate::planes::product;
use crate::shape::check_dims;

/// The type of an ordinary tensor's elements, numbered as `TensorProto.DataType` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum ElementType {
    /// 32-bit floating point.
    Float = 1,
    /// 32-bit signed integers.
    Int32 = 2,
    /// Truth values, a byte each: 0 or 1.
    Bool = 5,
    /// Bytes.
    Uint8 = 6,
    /// 8-bit signed integers.
    Int8 = 7,
    /// 16-bit unsigned integers.
    Uint16 = 8,
    /// 16-bit signed integers.
    Int16 = 9,
    /// 64-bit signed integers.
    Int64 = 10,
    /// IEEE 754 half precision, as its 16 bits.
    Float16 = 12,
    /// 64-bit floating point.
    Double = 13,
}

impl ElementType {
    /// The type with this number.
    ///
    /// # Errors
    /// `Unsupported` for any other number, those of strings and undefined types among them.
    pub fn from_number(number: i32) -> Result<ElementType> {
        Ok(match number {
            1 => ElementType::Float,
            2 => ElementType::Int32,
            5 => ElementType::Bool,
            6 => ElementType::Uint8,
            7 => ElementType::Int8,
            8 => ElementType::Uint16,
            9 => ElementType::Int16,
            10 => ElementType::Int64,
            12 => ElementType::Float16,
            13 => ElementType::Double,
            _ => {
                return Err(Error::Unsupported {
                    what: "element type",
                    value: i128::from(number),
                    reason: "only the numeric types of TensorProto are",
                });
            }
        })
    }

    /// Bytes that an element takes in memory.
    pub const fn size(self) -> usize {
        match self {
            ElementType::Bool | ElementType::Uint8 | ElementType::Int8 => 1,
            ElementType::Uint16 | ElementType::Int16 | ElementType::Float16 => 2,
            ElementType::Float | ElementType::Int32 => 4,
            ElementType::Int64 | ElementType::Double => 8,
        }
    }
}

/// The elements of an ordinary tensor.
#[derive(Debug, PartialEq)]
pub enum Elements {
    /// 32-bit floating point.
    Float(Vec<f32>),
    /// 32-bit signed integers.
    Int32(Vec<i32>),
    /// Truth values: 0 or 1.
    Bool(Vec<u8>),
    /// Bytes.
    Uint8(Vec<u8>),
    /// 8-bit signed integers.
    Int8(Vec<i8>),
    /// 16-bit unsigned integers.
    Uint16(Vec<u16>),
    /// 16-bit signed integers.
    Int16(Vec<i16>),
    /// 64-bit signed integers.
    Int64(Vec<i64>),
    /// IEEE 754 half precision, as its 16 bits.
    Float16(Vec<u16>),
    /// 64-bit floating point.
    Double(Vec<f64>),
}

/// Runs one expression for whatever vector the elements are.
macro_rules! each_type {
    ($elements:expr, $vector:ident => $body:expr) => {
        match $elements {
            $crate::caffe2::dense::Elements::Float($vector) => $body,
            $crate::caffe2::dense::Elements::Int32($vector) => $body,
            $crate::caffe2::dense::Elements::Bool($vector) => $body,
            $crate::caffe2::dense::Elements::Uint8($vector) => $body,
            $crate::caffe2::dense::Elements::Int8($vector) => $body,
            $crate::caffe2::dense::Elements::Uint16($vector) => $body,
            $crate::caffe2::dense::Elements::Int16($vector) => $body,
            $crate::caffe2::dense::Elements::Int64($vector) => $body,
            $crate::caffe2::dense::Elements::Float16($vector) => $body,
            $crate::caffe2::dense::Elements::Double($vector) => $body,
        }
    };
}
pub(crate) use each_type;

impl Elements {
    /// The type of the elements.
    pub const fn element_type(&self) -> ElementType {
        match self {
            Elements::Float(_) => ElementType::Float,
            Elements::Int32(_) => ElementType::Int32,
            Elements::Bool(_) => ElementType::Bool,
            Elements::Uint8(_) => ElementType::Uint8,
            Elements::Int8(_) => ElementType::Int8,
            Elements::Uint16(_) => ElementType::Uint16,
            Elements::Int16(_) => ElementType::Int16,
            Elements::Int64(_) => ElementType::Int64,
            Elements::Float16(_) => ElementType::Float16,
            Elements::Double(_) => ElementType::Double,
        }
    }

    /// How many elements there are.
    pub fn len(&self) -> usize {
        each_type!(self, vector => vector.len())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The address of the first element.
    #[cfg(feature = "capi")]
    pub(crate) fn as_ptr(&self) -> *const u8 {
        each_type!(self, vector => vector.as_ptr().cast())
    }

    /// `count` elements that are zero.
    pub(crate) fn zeroed(element_type: ElementType, count: usize) -> Result<Elements> {
        Ok(match element_type {
            ElementType::Float => Elements::Float(zeros(count)?),
            ElementType::Int32 => Elements::Int32(zeros(count)?),
            ElementType::Bool => Elements::Bool(zeros(count)?),
            ElementType::Uint8 => Elements::Uint8(zeros(count)?),
            ElementType::Int8 => Elements::Int8(zeros(count)?),
            ElementType::Uint16 => Elements::Uint16(zeros(count)?),
            ElementType::Int16 => Elements::Int16(zeros(count)?),
            ElementType::Int64 => Elements::Int64(zeros(count)?),
            ElementType::Float16 => Elements::Float16(zeros(count)?),
            ElementType::Double => Elements::Double(zeros(count)?),
        })
    }
}

fn zeros<T: Copy + Default>(count: usize) -> Result<Vec<T>> {
    let bytes = count.saturating_mul(size_of::<T>());
    let mut values = Vec::new();
    let failed = Error::OutOfMemory { what: "tensor elements", bytes };
    values.try_reserve_exact(count).map_err(|_| failed)?;
    values.resize(count, T::default());
    Ok(values)
}

/// An ordinary tensor: dimensions and elements in row-major order.
///
/// Without dimensions it is a scalar, one element, as in Caffe2.
#[derive(Debug, PartialEq)]
pub struct DenseTensor {
    dims: Vec<i64>,
    elements: Elements,
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
        if elements.len() != size {
            return Err(Error::ShapeMismatch {
                what: "number of elements",
                value: i128::try_from(elements.len()).unwrap_or(i128::MAX),
                expected: i128::try_from(size).unwrap_or(i128::MAX),
            });
        }
        Ok(DenseTensor { dims: try_copy(dims)?, elements })
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
        check_dims(dims)?;
        let size = dense_size(dims)?;
        let limit = i128::try_from(isize::MAX).unwrap_or(i128::MAX);
        let needed = size.checked_mul(element_type.size());
        let needed = needed.ok_or(Error::Overflow { what: "size in bytes", limit })?;
        if needed != bytes.len() {
            return Err(Error::ShapeMismatch {
                what: "size of the elements in bytes",
                value: i128::try_from(bytes.len()).unwrap_or(i128::MAX),
                expected: i128::try_from(needed).unwrap_or(i128::MAX),
            });
        }
        let dims = try_copy(dims)?;
        let mut elements = Elements::zeroed(element_type, size)?;
        each_type!(&mut elements, vector => copy_bytes(bytes, vector));
        if let Elements::Bool(values) = &mut elements {
            values.iter_mut().for_each(|value| *value = u8::from(*value != 0));
        }
        Ok(DenseTensor { dims, elements })
    }

    /// Parts whose sizes a reader has checked.
    pub(crate) fn from_parts(dims: Vec<i64>, elements: Elements) -> DenseTensor {
        DenseTensor { dims, elements }
    }

    /// The dimensions, outermost first.
    pub fn dims(&self) -> &[i64] {
        &self.dims
    }

    /// The elements, in row-major order.
    pub fn elements(&self) -> &Elements {
        &self.elements
    }

    /// The elements, if they are 32-bit floats.
    pub fn as_f32(&self) -> Option<&[f32]> {
        match &self.elements {
            Elements::Float(values) => Some(values),
            _ => None,
        }
    }
}

/// The number of elements of an ordinary tensor: the product of its dimensions, 1 without any.
pub(crate) fn dense_size(dims: &[i64]) -> Result<usize> {
    let limit = i128::try_from(isize::MAX).unwrap_or(i128::MAX);
    let size = product(dims).and_then(|size| usize::try_from(size).ok());
    size.filter(|size| isize::try_from(*size).is_ok())
        .ok_or(Error::Overflow { what: "number of elements", limit })
}

/// An element whose bytes can be copied.
pub(crate) trait Element: Copy {
    fn from_native(bytes: &[u8]) -> Self;
    fn from_little_endian(bytes: &[u8]) -> Self;
    fn put_little_endian(self, bytes: &mut [u8]);
}

macro_rules! element {
    ($($type:ty),*) => {$(
        impl Element for $type {
            #[inline]
            fn from_native(bytes: &[u8]) -> Self {
                bytes.first_chunk().map_or_else(Self::default, |bytes| Self::from_ne_bytes(*bytes))
            }
            #[inline]
            fn from_little_endian(bytes: &[u8]) -> Self {
                bytes.first_chunk().map_or_else(Self::default, |bytes| Self::from_le_bytes(*bytes))
            }
            #[inline]
            fn put_little_endian(self, bytes: &mut [u8]) {
                if let Some(bytes) = bytes.first_chunk_mut() {
                    *bytes = self.to_le_bytes();
                }
            }
        }
    )*};
}
element!(f32, f64, u8, i8, u16, i16, i32, i64);

fn copy_bytes<T: Element>(bytes: &[u8], values: &mut [T]) {
    for (value, bytes) in values.iter_mut().zip(bytes.chunks_exact(size_of::<T>())) {
        *value = T::from_native(bytes);
    }
}
