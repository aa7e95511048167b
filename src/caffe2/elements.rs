//! The elements of ordinary tensors: their types, and vectors and slices of each.

use crate::error::{Error, Result};
use crate::planes::prefer_huge_pages;

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

/// The elements of an ordinary tensor, to read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ElementsRef<'a> {
    /// 32-bit floating point.
    Float(&'a [f32]),
    /// 32-bit signed integers.
    Int32(&'a [i32]),
    /// Truth values: 0 or 1.
    Bool(&'a [u8]),
    /// Bytes.
    Uint8(&'a [u8]),
    /// 8-bit signed integers.
    Int8(&'a [i8]),
    /// 16-bit unsigned integers.
    Uint16(&'a [u16]),
    /// 16-bit signed integers.
    Int16(&'a [i16]),
    /// 64-bit signed integers.
    Int64(&'a [i64]),
    /// IEEE 754 half precision, as its 16 bits.
    Float16(&'a [u16]),
    /// 64-bit floating point.
    Double(&'a [f64]),
}

/// Runs one expression for whatever vector or slice the elements are.
macro_rules! each_type {
    ($kind:ident, $elements:expr, $values:ident => $body:expr) => {
        match $elements {
            $kind::Float($values) => $body,
            $kind::Int32($values) => $body,
            $kind::Bool($values) => $body,
            $kind::Uint8($values) => $body,
            $kind::Int8($values) => $body,
            $kind::Uint16($values) => $body,
            $kind::Int16($values) => $body,
            $kind::Int64($values) => $body,
            $kind::Float16($values) => $body,
            $kind::Double($values) => $body,
        }
    };
}
pub(crate) use each_type;

impl ElementsRef<'_> {
    /// The type of the elements.
    pub const fn element_type(&self) -> ElementType {
        match self {
            ElementsRef::Float(_) => ElementType::Float,
            ElementsRef::Int32(_) => ElementType::Int32,
            ElementsRef::Bool(_) => ElementType::Bool,
            ElementsRef::Uint8(_) => ElementType::Uint8,
            ElementsRef::Int8(_) => ElementType::Int8,
            ElementsRef::Uint16(_) => ElementType::Uint16,
            ElementsRef::Int16(_) => ElementType::Int16,
            ElementsRef::Int64(_) => ElementType::Int64,
            ElementsRef::Float16(_) => ElementType::Float16,
            ElementsRef::Double(_) => ElementType::Double,
        }
    }

    /// How many elements there are.
    pub fn len(&self) -> usize {
        each_type!(ElementsRef, self, slice => slice.len())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The address of the first element.
    #[cfg(feature = "capi")]
    pub(super) fn as_ptr(&self) -> *const u8 {
        each_type!(ElementsRef, self, slice => slice.as_ptr().cast())
    }
}

impl Elements {
    /// The same elements, to read.
    pub fn view(&self) -> ElementsRef<'_> {
        match self {
            Elements::Float(values) => ElementsRef::Float(values),
            Elements::Int32(values) => ElementsRef::Int32(values),
            Elements::Bool(values) => ElementsRef::Bool(values),
            Elements::Uint8(values) => ElementsRef::Uint8(values),
            Elements::Int8(values) => ElementsRef::Int8(values),
            Elements::Uint16(values) => ElementsRef::Uint16(values),
            Elements::Int16(values) => ElementsRef::Int16(values),
            Elements::Int64(values) => ElementsRef::Int64(values),
            Elements::Float16(values) => ElementsRef::Float16(values),
            Elements::Double(values) => ElementsRef::Double(values),
        }
    }

    /// The address of the first element, for a C caller: a vector's own, not a slice's, so that who
    /// has the only handle of a tensor may write there.
    #[cfg(feature = "capi")]
    pub(super) fn as_ptr(&self) -> *const u8 {
        each_type!(Elements, self, vector => vector.as_ptr().cast())
    }

    /// `count` elements whose values count for nothing yet, in memory that is there already where
    /// they are floats.
    pub(crate) fn reusing(
        element_type: ElementType,
        count: usize,
        mut floats: Vec<f32>,
    ) -> Result<Elements> {
        if element_type != ElementType::Float {
            drop(floats);
            return Elements::zeroed(element_type, count);
        }
        if floats.capacity() < count {
            drop(floats);
            return zeros(count).map(Elements::Float);
        }
        floats.resize(count, 0.0);
        Ok(Elements::Float(floats))
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
    prefer_huge_pages(&mut values);
    values.resize(count, T::default());
    Ok(values)
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

/// Values of the bytes of each, in the byte order of this machine.
pub(super) fn copy_bytes<T: Element>(bytes: &[u8], values: &mut [T]) {
    for (value, bytes) in values.iter_mut().zip(bytes.chunks_exact(size_of::<T>())) {
        *value = T::from_native(bytes);
    }
}
