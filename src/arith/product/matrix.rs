//! What tensors are to a product, and what is refused in them.

use crate::error::{Error, Result};
use crate::kernels::bits::Planes;
use crate::tensor::QTensor;

/// The largest precision of a factor.
pub(super) const MAX_PRECISION: u8 = 8;

/// A tensor's rows and columns: the last dimension is the columns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Matrix {
    pub(super) rows: usize,
    pub(super) columns: usize,
}

impl Matrix {
    /// The matrix that a factor of a product is.
    pub(super) fn of(tensor: &QTensor, names: &Names) -> Result<Matrix> {
        let precision = tensor.precision();
        if !(1..=MAX_PRECISION).contains(&precision) {
            let (min, max) = (1, i128::from(MAX_PRECISION));
            let value = i128::from(precision);
            return Err(Error::OutOfRange { what: names.precision, value, min, max });
        }
        tensor.refuse_logarithmic("the factors of a product are linear")?;
        let columns = tensor.dims().last().copied().unwrap_or(0);
        let columns = usize::try_from(columns).unwrap_or(0);
        let rows = tensor.size().checked_div(columns).unwrap_or(0);
        if columns == 0 || rows == 0 {
            let (what, rule) = (names.size, "1 or more");
            return Err(Error::InvalidArgument { what, value: 0, rule });
        }
        Ok(Matrix { rows, columns })
    }
}

/// What messages call a factor's properties.
pub(super) struct Names {
    pub(super) precision: &'static str,
    pub(super) size: &'static str,
}

/// The planes of a factor's codes: with a sign they are one more, as two's complement.
pub(super) fn planes_of(tensor: &QTensor) -> Planes {
    let count = usize::from(tensor.precision()).saturating_add(tensor.is_signed().into());
    Planes { count, is_signed: tensor.is_signed() }
}

/// Refuses parameters that make every result NaN or infinite.
pub(super) fn check_finite(what: &'static str, values: &[f64]) -> Result<()> {
    match values.iter().find(|value| !value.is_finite()) {
        Some(value) => Err(Error::NonFiniteNumber { what, value: *value }),
        None => Ok(()),
    }
}

pub(super) fn check_count(what: &'static str, count: usize, expected: usize) -> Result<()> {
    if count == expected {
        return Ok(());
    }
    Err(Error::ShapeMismatch {
        what,
        value: i128::try_from(count).unwrap_or(i128::MAX),
        expected: i128::try_from(expected).unwrap_or(i128::MAX),
    })
}
