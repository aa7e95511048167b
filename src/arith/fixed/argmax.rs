//! Where the largest value of each row is.

use super::codes::PART;
use super::operand::{Channels, Operand, X, wide};
use crate::error::{Error, Result};
use crate::tensor::QTensor;

/// The largest values.
impl QTensor {
    /// For each row, which is all elements along the last dimension, the index of the first element
    /// that has the largest value there.
    ///
    /// Values are compared by their codes, exactly, where a row has one scale, which may be negative.
    /// Where the last dimension is that of the channels, they are those of
    /// [`dequantize`](Self::dequantize) in double precision.
    ///
    /// ```
    /// use caffe2_qtensor::QTensor;
    ///
    /// let mut x = QTensor::with_shape(&[2, 3], 4, true)?;
    /// x.write_codes(&[1i64, 7, 7, -3, -2, -9])?;
    /// let mut indices = [0; 2];
    /// x.argmax(&mut indices)?;
    /// assert_eq!(indices, [1, 1]);
    /// # Ok::<(), caffe2_qtensor::Error>(())
    /// ```
    ///
    /// # Errors
    /// `ShapeMismatch` unless there is one index for each row; `InvalidArgument` for a tensor without
    /// elements; `OutOfRange` for a precision that is not 1 to 16; `Unsupported`, `NonFinite` and
    /// `InvalidArgument` for parameters that [`requantize`](Self::requantize) refuses. Nothing is
    /// written then.
    pub fn argmax(&self, indices: &mut [i64]) -> Result<()> {
        let x = Operand::new(self, &X)?;
        x.check_not_empty()?;
        let columns = self.dims().last().copied().unwrap_or(0);
        let columns = usize::try_from(columns).unwrap_or(0);
        let rows = self.size().checked_div(columns).unwrap_or(0);
        if indices.len() != rows {
            let (value, expected) = (wide(indices.len()), wide(rows));
            return Err(Error::ShapeMismatch { what: "number of indices", value, expected });
        }
        let channels = Channels::of(&[&x])?;
        if x.axis().is_some_and(|axis| axis.saturating_add(1) == self.ndim()) {
            by_value(&x, columns, indices);
        } else {
            by_code(&x, channels, columns, indices);
        }
        Ok(())
    }
}

/// The best of the elements of a row that were seen.
#[derive(Clone, Copy)]
struct Best<T> {
    value: T,
    at: i64,
}

/// Calls `part` with the row, the first column and some codes there, for all rows.
fn each_part(x: &Operand<'_>, columns: usize, mut part: impl FnMut(usize, usize, &[i32])) {
    let (mut codes, size) = ([0_i32; PART], x.tensor.size());
    let (mut row, mut column) = (0_usize, 0_usize);
    for first in (0..size).step_by(PART) {
        let count = size.saturating_sub(first).min(PART);
        let mut left = codes.get_mut(..count).unwrap_or_default();
        x.tensor.read_block(first, left);
        while !left.is_empty() {
            let here = columns.saturating_sub(column).min(left.len());
            let (codes, later) = left.split_at_mut_checked(here).unwrap_or_default();
            part(row, column, codes);
            left = later;
            column = column.saturating_add(here);
            if column >= columns {
                (row, column) = (row.saturating_add(1), 0);
            }
        }
    }
}

/// Rows of one scale each.
fn by_code(x: &Operand<'_>, channels: Channels, columns: usize, indices: &mut [i64]) {
    let mut best = Best { value: 0, at: 0 };
    each_part(x, columns, |row, column, codes| {
        let channel = channels.channel(row.saturating_mul(columns));
        let rises = x.side(channel).scale > 0.0;
        // Codes have at most 16 bits.
        let value = |code: &i32| if rises { *code } else { code.wrapping_neg() };
        let largest = codes.iter().map(value).max().unwrap_or(i32::MIN);
        if column == 0 || largest > best.value {
            let found = codes.iter().position(|code| value(code) == largest).unwrap_or(0);
            best = Best { value: largest, at: index(column.saturating_add(found)) };
        }
        if let Some(to) = indices.get_mut(row) {
            *to = best.at;
        }
    });
}

/// Rows whose elements have a scale and a bias each.
fn by_value(x: &Operand<'_>, columns: usize, indices: &mut [i64]) {
    let mut best = Best { value: 0.0, at: 0 };
    each_part(x, columns, |row, column, codes| {
        for (code, column) in codes.iter().zip(column..) {
            let side = x.side(column);
            let value = side.scale * (f64::from(*code) + side.bias);
            if column == 0 || value > best.value {
                best = Best { value, at: index(column) };
            }
        }
        if let Some(to) = indices.get_mut(row) {
            *to = best.at;
        }
    });
}

fn index(column: usize) -> i64 {
    i64::try_from(column).unwrap_or(i64::MAX)
}
