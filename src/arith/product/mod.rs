//! Matrix products: what is asked for, and what is refused.
//!
//! A product takes the planes of both sides as they are, or turns them into bytes: see
//! [`PackedWeights`] and [`ProductMethod`].

mod buffer;
mod factors;
mod fixed;
mod floats;
mod left;
mod matrix;
mod method;
mod output;
mod packed;
mod sums;

pub use floats::InputFormat;
pub use method::{ProductMethod, ProductOptions};
pub use packed::PackedWeights;

use super::multiplier::FixedRounding;
use crate::error::{Error, Result};
use crate::kernels::product::Number;
use crate::params::Params;
use crate::planes::{self, Storage};
use crate::tensor::QTensor;
use crate::threads::MAX_THREADS;
use buffer::resize;
use core::marker::PhantomData;
use factors::Factors;
use fixed::{FixedCodes, Parameters};
use matrix::{MAX_PRECISION, Matrix, Names, check_count, check_finite, planes_of};
use output::{Codes, Sums, Values};
use sums::{Job, Output};

const NAMES: Names =
    Names { precision: "precision of the input", size: "number of elements of the input" };

/// Products that are worth a thread.
const THREAD_PRODUCTS: usize = 1 << 20;

/// An integer type of sums.
pub trait SumType: Number + sealed::Sealed {
    /// The largest number.
    #[doc(hidden)]
    const MOST: i128;
    /// The numbers themselves where they are of 32 bits.
    #[doc(hidden)]
    fn narrow(sums: &mut [Self]) -> Option<&mut [i32]> {
        let _ = sums;
        None
    }
}

impl SumType for i32 {
    const MOST: i128 = i32::MAX as i128;
    fn narrow(sums: &mut [i32]) -> Option<&mut [i32]> {
        Some(sums)
    }
}

impl SumType for i64 {
    const MOST: i128 = i64::MAX as i128;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for i32 {}
    impl Sealed for i64 {}
}

/// The largest precision of a product's codes.
const MAX_RESULT_PRECISION: u8 = 16;

impl PackedWeights {
    /// The way that a product with `x` goes: the one asked for, or the best one.
    ///
    /// # Errors
    /// `Unsupported` where that way is not open to these precisions, and what
    /// [`PackedWeights::product_sums`] refuses in `x`.
    pub fn method(&self, x: &QTensor, options: &ProductOptions) -> Result<ProductMethod> {
        let matrix = self.matrix_of(x)?;
        let (left, right) = (planes_of(x), self.planes);
        let best = || ProductMethod::best(left, right, matrix.rows);
        let method = options.method.unwrap_or_else(best);
        method.check(left, right)?;
        Ok(method)
    }

    /// The integer sums of a product: `sums[m * rows + n]` is the sum over `k` of the code at `m, k`
    /// of `x` times the code at `n, k` of the weights. Exact.
    ///
    /// `x` has any number of dimensions, the last of which is the weights' columns. The sums are `i32`
    /// or `i64`. They are the same for every method and any number of threads.
    ///
    /// # Errors
    /// `ShapeMismatch` where the columns differ or `sums` does not hold all; `InvalidArgument` for an
    /// `x` without elements; `OutOfRange` for a precision that is not 1 to 8; `Unsupported` for a
    /// logarithmic `x` and a method that these precisions cannot go; `Overflow` where codes of these
    /// precisions could have sums beyond the type, be they these or others; `OutOfMemory`. Nothing is
    /// written then.
    pub fn product_sums<S: SumType>(
        &self,
        x: &QTensor,
        sums: &mut [S],
        options: &ProductOptions,
    ) -> Result<()> {
        let matrix = self.matrix_of(x)?;
        let largest = |precision: u8| (1i128 << precision.min(MAX_PRECISION)).saturating_sub(1);
        let product = largest(x.precision()).saturating_mul(largest(self.precision));
        let columns = i128::try_from(matrix.columns).unwrap_or(i128::MAX);
        if product.saturating_mul(columns) > S::MOST {
            return Err(Error::Overflow { what: "sum of products", limit: S::MOST });
        }
        self.run(x, Sums(PhantomData), "number of sums", sums, options)
    }

    /// The values of a product: `values[m * rows + n]` is the sum over `k` of the value at `m, k` of
    /// `x` times the value at `n, k` of the weights, and `added[n]`, unless `added` is empty.
    ///
    /// The sum of products of codes is exact; it, the terms of the biases, the scales and `added` are
    /// put together in double precision and rounded to a float once.
    ///
    /// # Errors
    /// As [`PackedWeights::product_sums`]; `ShapeMismatch` too where `added` has neither no element
    /// nor one for each row; `Unsupported` for an `x` with channels; `NonFinite` where the scale or
    /// bias of `x` or an element of `added` is, or the product of the scales or biases;
    /// `InvalidArgument` where two scales other than 0 have a product below 2^-1022.
    pub fn product(
        &self,
        x: &QTensor,
        added: &[f32],
        values: &mut [f32],
        options: &ProductOptions,
    ) -> Result<()> {
        let output = Values::new(self, scale_and_bias(x)?, added)?;
        self.run(x, output, "number of values", values, options)
    }

    /// The codes of a product: `out` gets for each value of [`PackedWeights::product`] the code of its
    /// own precision, sign, scale and bias, or those of its channels along the last dimension, that is
    /// nearest, the even one of two as near; the lowest and the highest where the value is beyond them.
    ///
    /// The value is not rounded to a float before. Its quotient with the scale is made by one factor
    /// for each output, in double precision: a code is at most 1/2 and some 2^-45 of the largest
    /// magnitude that went into it from the exact quotient.
    ///
    /// With [`FixedRounding::Dnnlowp`](crate::FixedRounding) it is dnnlowp's: `(a * q + 2^(s - 1)) >> s`
    /// and the zero point, with `a` the exact sum of products of codes less their zero points, and of
    /// `added` in units of both scales, rounded to a 32-bit integer as fbgemm's `Quantize` does.
    ///
    /// `out` has any dimensions with as many elements, the last of which is the weights' rows.
    ///
    /// # Errors
    /// As [`PackedWeights::product`]; `ShapeMismatch` too where `out` has other dimensions;
    /// `OutOfRange` where its precision is not 1 to 16; `Unsupported` where it is logarithmic or has
    /// channels along another dimension, and where dnnlowp's formula cannot take the parameters: real
    /// biases, multipliers outside of 2^-33 to 2^30; `InvalidArgument` for a scale of 0; `NonFinite`
    /// for a scale or bias that is, and where a scale is too small to divide by; `Overflow` where the
    /// sums of dnnlowp's formula could be beyond 64 bits. `out` is as it was then.
    pub fn product_codes(
        &self,
        x: &QTensor,
        added: &[f32],
        out: &mut QTensor,
        options: &ProductOptions,
    ) -> Result<()> {
        let input = scale_and_bias(x)?;
        let mut values = Values::new(self, input, added)?;
        let count = self.check_result(x, out)?;
        let (scale, bias) = ([out.scale()], [out.bias()]);
        let result = match out.params()? {
            Params::Affine { .. } | Params::Log { .. } => {
                Parameters { scales: &scale, biases: &bias }
            }
            Params::PerChannel { axis, scales, biases } if axis.saturating_add(1) == out.ndim() => {
                Parameters { scales, biases }
            }
            Params::PerChannel { axis, .. } => {
                return Err(Error::Unsupported {
                    what: "axis of the channels of the result",
                    value: i128::try_from(axis).unwrap_or(i128::MAX),
                    reason: "its channels are along the last dimension, that of the outputs",
                });
            }
        };
        check_parameters(result)?;
        let most = u16::MAX.wrapping_shr(16u32.saturating_sub(out.precision().into()));
        let high = i32::from(most);
        let low = if out.is_signed() { high.wrapping_neg() } else { 0 };
        let mut codes = Vec::new();
        resize(&mut codes, count, "codes of a product")?;
        let what = "number of codes";
        match options.rounding {
            FixedRounding::Nearest => {
                values.divide(result.scales, result.biases, self.rows())?;
                let (low, high) = (low.into(), high.into());
                self.run(x, Codes { values, low, high }, what, &mut codes, options)?;
            }
            FixedRounding::Dnnlowp => {
                let output = FixedCodes::new(self, input, added, result, (low, high))?;
                self.run(x, output, what, &mut codes, options)?;
            }
        }
        let geometry = out.geometry();
        let mut storage = Storage::zeroed(geometry.nbytes())?;
        planes::codes::write(geometry, &codes, &mut storage.rows(geometry));
        out.replace_codes(storage);
        Ok(())
    }

    /// Refuses a result of another kind or shape; the number of its codes.
    fn check_result(&self, x: &QTensor, out: &QTensor) -> Result<usize> {
        let matrix = self.matrix_of(x)?;
        let precision = out.precision();
        if !(1..=MAX_RESULT_PRECISION).contains(&precision) {
            let (min, max) = (1, i128::from(MAX_RESULT_PRECISION));
            let (what, value) = ("precision of the result", i128::from(precision));
            return Err(Error::OutOfRange { what, value, min, max });
        }
        out.refuse_logarithmic("the result of a product is linear")?;
        let columns = out.dims().last().copied().unwrap_or(0);
        let columns = usize::try_from(columns).unwrap_or(0);
        check_count("last dimension of the result", columns, self.rows())?;
        let count = matrix.rows.saturating_mul(self.rows());
        check_count("number of elements of the result", out.size(), count)?;
        Ok(count)
    }

    fn matrix_of(&self, x: &QTensor) -> Result<Matrix> {
        let matrix = Matrix::of(x, &NAMES)?;
        check_count("number of columns of the input", matrix.columns, self.columns())?;
        // A product of two codes is below 2^16, so 2^47 of them may be beyond a sum.
        if matrix.columns >= 1 << 47 {
            let limit = i128::from(i64::MAX);
            return Err(Error::Overflow { what: "sum of products", limit });
        }
        Ok(matrix)
    }

    fn run<O: Output + Sync>(
        &self,
        x: &QTensor,
        output: O,
        what: &'static str,
        out: &mut [O::Element],
        options: &ProductOptions,
    ) -> Result<()> {
        let method = self.method(x, options)?;
        let matrix = self.matrix_of(x)?;
        let limit = i128::from(i64::MAX);
        let count = matrix.rows.checked_mul(self.rows());
        check_count(what, out.len(), count.ok_or(Error::Overflow { what, limit })?)?;
        let most = out.len().saturating_mul(matrix.columns).div_ceil(THREAD_PRODUCTS);
        let threads = options.threads.min(most).clamp(1, MAX_THREADS);
        let factors = Factors { weights: self, x, matrix, method };
        Job { factors, output }.run(out, threads)
    }
}

/// The parameters of an input, which has no channels.
fn scale_and_bias(x: &QTensor) -> Result<(f64, f64)> {
    match x.params()? {
        Params::Affine { scale, bias } | Params::Log { scale, bias } => Ok((scale, bias)),
        Params::PerChannel { scales, .. } => Err(Error::Unsupported {
            what: "number of channels of the input",
            value: i128::try_from(scales.len()).unwrap_or(i128::MAX),
            reason: "the input of a product has one scale",
        }),
    }
}

fn check_parameters(result: Parameters<'_>) -> Result<()> {
    check_finite("scale of the result", result.scales)?;
    check_finite("bias of the result", result.biases)?;
    match result.scales.iter().find(|scale| **scale == 0.0) {
        Some(scale) => Err(Error::InvalidNumber {
            what: "scale of the result",
            value: *scale,
            rule: "other than 0",
        }),
        None => Ok(()),
    }
}
