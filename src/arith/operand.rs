//! Codes as the bytes that the product kernel takes: unsigned on the left, signed on the right.
//!
//! A code is a sum of terms `factor * (byte + offset)`. One term does for most kinds of tensor; a
//! sign and eight bits, which are nine bits together, take two, for the positive codes and the
//! negative ones.

use crate::error::{Error, Result};
use crate::tensor::QTensor;

/// The largest precision of a factor.
pub(super) const MAX_PRECISION: u8 = 8;

/// A part of each code of a matrix.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Term {
    /// 1, or -1 for the magnitudes of negative codes.
    pub(super) factor: i64,
    /// What is added to the byte.
    pub(super) offset: i64,
    part: Part,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Part {
    Whole,
    Positive,
    Negative,
}

impl Term {
    /// The terms of the left side: bytes from 0 to 255.
    pub(super) const fn left(precision: u8, is_signed: bool) -> &'static [Term] {
        const UNSIGNED: &[Term] = &[Term { factor: 1, offset: 0, part: Part::Whole }];
        const SIGNED: &[Term] = &[Term { factor: 1, offset: -128, part: Part::Whole }];
        const NINE_BITS: &[Term] = &[
            Term { factor: 1, offset: 0, part: Part::Positive },
            Term { factor: -1, offset: 0, part: Part::Negative },
        ];
        match (precision, is_signed) {
            (_, false) => UNSIGNED,
            (0..=7, true) => SIGNED,
            (_, true) => NINE_BITS,
        }
    }

    /// The terms of the right side: bytes from -128 to 127.
    pub(super) const fn right(precision: u8, is_signed: bool) -> &'static [Term] {
        const SMALL: &[Term] = &[Term { factor: 1, offset: 0, part: Part::Whole }];
        const UNSIGNED: &[Term] = &[Term { factor: 1, offset: 128, part: Part::Whole }];
        const NINE_BITS: &[Term] = &[
            Term { factor: 1, offset: 128, part: Part::Positive },
            Term { factor: -1, offset: 128, part: Part::Negative },
        ];
        match (precision, is_signed) {
            (0..=7, _) => SMALL,
            (_, false) => UNSIGNED,
            (_, true) => NINE_BITS,
        }
    }

    /// The bytes of codes on the left side, and their sum.
    pub(super) fn unsigned(self, codes: &[i16], bytes: &mut [u8]) -> i64 {
        self.each(codes, bytes, |number, byte| {
            let [low, _] = number.to_le_bytes();
            *byte = low;
        });
        bytes
            .chunks(1 << 16)
            .map(|bytes| {
                // At most 2^24 each.
                i64::from(bytes.iter().map(|byte| u32::from(*byte)).fold(0, u32::wrapping_add))
            })
            .fold(0, i64::wrapping_add)
    }

    /// The bytes of codes on the right side.
    pub(super) fn signed(self, codes: &[i16], bytes: &mut [i8]) {
        self.each(codes, bytes, |number, byte| {
            let [low, _] = number.to_le_bytes();
            *byte = i8::from_ne_bytes([low]);
        });
    }

    #[inline(always)]
    fn each<T>(self, codes: &[i16], bytes: &mut [T], put: impl Fn(i16, &mut T)) {
        let offset = i16::try_from(self.offset).unwrap_or(0);
        let pairs = codes.iter().zip(bytes);
        // A loop for each part, so that none has a branch in it.
        match self.part {
            Part::Whole => pairs.for_each(|(code, byte)| put(code.wrapping_sub(offset), byte)),
            Part::Positive => {
                pairs.for_each(|(code, byte)| put((*code).max(0).wrapping_sub(offset), byte));
            }
            Part::Negative => pairs.for_each(|(code, byte)| {
                put(code.wrapping_neg().max(0).wrapping_sub(offset), byte);
            }),
        }
    }
}

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

/// Codes of whole rows from `first` on; `codes` holds as many as a row has, times the number of rows,
/// and up to seven before them, whose number is returned.
pub(super) fn read_rows(
    tensor: &QTensor,
    matrix: Matrix,
    first: usize,
    rows: usize,
    codes: &mut Vec<i16>,
) -> Result<usize> {
    // Blocks of codes begin with a whole byte of a plane.
    let element = first.saturating_mul(matrix.columns);
    let before = element % 8;
    let count = rows.saturating_mul(matrix.columns).saturating_add(before);
    resize(codes, count, "codes of a product")?;
    tensor.read_block(element.saturating_sub(before), codes);
    Ok(before)
}

/// Gives a vector another length, with new elements that are zero.
pub(super) fn resize<T: Copy + Default>(
    values: &mut Vec<T>,
    count: usize,
    what: &'static str,
) -> Result<()> {
    let bytes = count.saturating_mul(size_of::<T>());
    let more = count.saturating_sub(values.len());
    values.try_reserve_exact(more).map_err(|_| Error::OutOfMemory { what, bytes })?;
    values.resize(count, T::default());
    Ok(())
}
