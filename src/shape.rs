//! The dimensions of a tensor: which ones there may be, and the questions that they answer.

use crate::error::{Error, Result};
use crate::planes::{Geometry, product};
use crate::tensor::QTensor;

/// The largest number of dimensions that a tensor may have.
pub const MAX_DIMS: usize = 64;

/// Questions about the dimensions.
impl QTensor {
    /// Dimension `index` as an `i32`.
    ///
    /// # Errors
    /// `OutOfRange` unless `0 <= index < ndim`; `Overflow` where the dimension needs more bits.
    pub fn dim32(&self, index: i32) -> Result<i32> {
        let dim = usize::try_from(index).ok().and_then(|index| self.dims().get(index));
        let dim = dim.ok_or_else(|| self.axis_error("dimension index", index, 0))?;
        i32::try_from(*dim)
            .map_err(|_| Error::Overflow { what: "dimension", limit: i128::from(i32::MAX) })
    }

    /// The dimension that `axis` names, counted from the end where it is negative.
    ///
    /// # Errors
    /// `OutOfRange` unless `-ndim <= axis < ndim`.
    pub fn canonical_axis_index(&self, axis: i32) -> Result<i32> {
        // At most 64 dimensions, so the conversion keeps the number.
        let ndim = i32::try_from(self.dims().len()).unwrap_or(i32::MAX);
        let canonical = if axis < 0 { axis.saturating_add(ndim) } else { axis };
        if (0..ndim).contains(&canonical) {
            return Ok(canonical);
        }
        Err(self.axis_error("axis", axis, ndim))
    }

    /// The product of the dimensions from `k` on; 1 where `k >= ndim`.
    ///
    /// # Errors
    /// `OutOfRange` for a negative `k`; `Overflow` where the product does not fit.
    pub fn size_from_dim(&self, k: i32) -> Result<i64> {
        let start = usize::try_from(k).map_err(|_| Error::OutOfRange {
            what: "first dimension",
            value: i128::from(k),
            min: 0,
            max: i128::from(i32::MAX),
        })?;
        checked_product(self.dims().get(start..).unwrap_or_default())
    }

    /// The product of the dimensions before `k`.
    ///
    /// # Errors
    /// `OutOfRange` unless `0 <= k < ndim`; `Overflow` where the product does not fit.
    pub fn size_to_dim(&self, k: i32) -> Result<i64> {
        let end = usize::try_from(k).ok().filter(|end| *end < self.dims().len());
        let end = end.ok_or_else(|| self.axis_error("last dimension", k, 0))?;
        checked_product(self.dims().get(..end).unwrap_or_default())
    }

    fn axis_error(&self, what: &'static str, value: i32, below: i32) -> Error {
        let ndim = i128::try_from(self.dims().len()).unwrap_or(i128::MAX);
        Error::OutOfRange {
            what,
            value: i128::from(value),
            min: i128::from(below).wrapping_neg(),
            max: ndim.saturating_sub(1),
        }
    }
}

/// The geometry of these dimensions, each of them checked.
pub(crate) fn checked_geometry(dims: &[i64], precision: u8, signed: bool) -> Result<Geometry> {
    check_dims(dims)?;
    Geometry::new(dims, precision, signed)
}

/// Refuses too many dimensions and negative ones.
pub(crate) fn check_dims(dims: &[i64]) -> Result<()> {
    if dims.len() > MAX_DIMS {
        return Err(Error::OutOfRange {
            what: "number of dimensions",
            value: i128::try_from(dims.len()).unwrap_or(i128::MAX),
            min: 0,
            max: i128::try_from(MAX_DIMS).unwrap_or(i128::MAX),
        });
    }
    match dims.iter().find(|dim| **dim < 0) {
        None => Ok(()),
        Some(dim) => Err(Error::InvalidArgument {
            what: "dimension",
            value: i128::from(*dim),
            rule: "0 or more",
        }),
    }
}

/// The product of dimensions that are not negative.
pub(crate) fn checked_product(dims: &[i64]) -> Result<i64> {
    product(dims)
        .and_then(|product| i64::try_from(product).ok())
        .ok_or(Error::Overflow { what: "product of dimensions", limit: i128::from(i64::MAX) })
}
