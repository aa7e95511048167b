//! The tensors of an operation: what is refused, and where elements share their parameters.

use super::MAX_PRECISION;
use crate::error::{Error, Result};
use crate::params::Params;
use crate::planes::product;
use crate::tensor::QTensor;

/// What messages call a tensor's properties.
pub(super) struct Names {
    precision: &'static str,
    scale: &'static str,
    bias: &'static str,
    axis: &'static str,
    ndim: &'static str,
    dim: &'static str,
    size: &'static str,
}

macro_rules! names {
    ($argument:literal) => {
        Names {
            precision: concat!("precision of '", $argument, "'"),
            scale: concat!("scale of '", $argument, "'"),
            bias: concat!("bias of '", $argument, "'"),
            axis: concat!("channel axis of '", $argument, "'"),
            ndim: concat!("number of dimensions of '", $argument, "'"),
            dim: concat!("dimension of '", $argument, "'"),
            size: concat!("number of elements of '", $argument, "'"),
        }
    };
}

pub(super) const X: Names = names!("x");
pub(super) const A: Names = names!("a");
pub(super) const B: Names = names!("b");
pub(super) const OUT: Names = names!("out");

/// A linear tensor whose parameters can be worked with.
pub(super) struct Operand<'a> {
    pub(super) tensor: &'a QTensor,
    params: Params<'a>,
    names: &'static Names,
}

/// The parameters of some elements of an operand, and its codes.
#[derive(Clone, Copy)]
pub(super) struct Side {
    pub(super) scale: f64,
    pub(super) bias: f64,
    /// The lowest code.
    pub(super) low: i64,
    /// The highest code, which is the largest magnitude too.
    pub(super) high: i64,
    pub(super) what_bias: &'static str,
}

impl<'a> Operand<'a> {
    pub(super) fn new(tensor: &'a QTensor, names: &'static Names) -> Result<Operand<'a>> {
        if !(1..=MAX_PRECISION).contains(&tensor.precision()) {
            let (min, max) = (1, i128::from(MAX_PRECISION));
            let value = i128::from(tensor.precision());
            return Err(Error::OutOfRange { what: names.precision, value, min, max });
        }
        tensor.refuse_logarithmic("fixed-point arithmetic is for linear tensors")?;
        let params = tensor.params()?;
        match params {
            Params::Affine { scale, bias } | Params::Log { scale, bias } => {
                names.check(&[scale], &[bias])?;
            }
            Params::PerChannel { scales, biases, .. } => names.check(scales, biases)?,
        }
        Ok(Operand { tensor, params, names })
    }

    /// The parameters of a channel, or of all elements.
    pub(super) fn side(&self, channel: usize) -> Side {
        let (scale, bias) = match self.params {
            Params::Affine { scale, bias } | Params::Log { scale, bias } => (scale, bias),
            Params::PerChannel { scales, biases, .. } => {
                // Every channel has them.
                let of = |values: &[f64]| values.get(channel).copied().unwrap_or(1.0);
                (of(scales), of(biases))
            }
        };
        let high = 1_i64.wrapping_shl(u32::from(self.tensor.precision())).wrapping_sub(1);
        let low = if self.tensor.is_signed() { high.wrapping_neg() } else { 0 };
        Side { scale, bias, low, high, what_bias: self.names.bias }
    }

    /// Refuses another shape than that of `other`.
    pub(super) fn check_dims(&self, other: &Operand<'_>) -> Result<()> {
        let (own, others) = (self.tensor.dims(), other.tensor.dims());
        if own.len() != others.len() {
            return Err(Error::ShapeMismatch {
                what: self.names.ndim,
                value: wide(own.len()),
                expected: wide(others.len()),
            });
        }
        match own.iter().zip(others).find(|(own, other)| own != other) {
            Some((own, other)) => Err(Error::ShapeMismatch {
                what: self.names.dim,
                value: i128::from(*own),
                expected: i128::from(*other),
            }),
            None => Ok(()),
        }
    }

    /// Refuses a tensor without elements.
    pub(super) fn check_not_empty(&self) -> Result<()> {
        if self.tensor.size() != 0 {
            return Ok(());
        }
        let (what, rule) = (self.names.size, "1 or more");
        Err(Error::InvalidArgument { what, value: 0, rule })
    }

    pub(super) fn axis(&self) -> Option<usize> {
        match self.params {
            Params::Affine { .. } | Params::Log { .. } => None,
            Params::PerChannel { axis, .. } => Some(axis),
        }
    }
}

impl Names {
    fn check(&self, scales: &[f64], biases: &[f64]) -> Result<()> {
        for (what, values) in [(self.scale, scales), (self.bias, biases)] {
            if let Some(value) = values.iter().find(|value| !value.is_finite()) {
                return Err(Error::NonFiniteNumber { what, value: *value });
            }
        }
        match scales.iter().find(|scale| **scale == 0.0) {
            Some(zero) => {
                let (what, rule) = (self.scale, "other than 0");
                Err(Error::InvalidNumber { what, value: *zero, rule })
            }
            None => Ok(()),
        }
    }
}

/// How elements with parameters of their own follow each other.
#[derive(Clone, Copy)]
pub(super) struct Channels {
    /// Elements next to each other that share a channel.
    row: usize,
    /// Channels before the first one comes again.
    pub(super) count: usize,
}

impl Channels {
    /// Those of operands of one shape, which have them along one dimension or not at all.
    pub(super) fn of(operands: &[&Operand<'_>]) -> Result<Channels> {
        let mut found: Option<usize> = None;
        for operand in operands {
            let Some(axis) = operand.axis() else { continue };
            if found.is_some_and(|found| found != axis) {
                return Err(Error::Unsupported {
                    what: operand.names.axis,
                    value: wide(axis),
                    reason: "the tensors of an operation have channels along one dimension",
                });
            }
            found = Some(axis);
        }
        let Some(tensor) = operands.first().map(|operand| operand.tensor) else {
            return Ok(Channels { row: 1, count: 1 });
        };
        let Some(axis) = found else { return Ok(Channels::whole(tensor)) };
        let extent = tensor.dims().get(axis).and_then(|extent| usize::try_from(*extent).ok());
        let inner = tensor.dims().get(axis..).and_then(|dims| dims.get(1..)).unwrap_or_default();
        let row = product(inner).and_then(|row| usize::try_from(row).ok()).unwrap_or(0);
        // Without elements there is no row to be cut into.
        Ok(Channels { row: row.max(1), count: extent.unwrap_or(0) })
    }

    /// All elements of a tensor as one.
    pub(super) fn whole(tensor: &QTensor) -> Channels {
        Channels { row: tensor.size().max(1), count: 1 }
    }

    /// The channel of an element.
    #[inline]
    pub(super) fn channel(self, element: usize) -> usize {
        // Neither divisor is 0 where there is an element.
        let row = element.checked_div(self.row).unwrap_or(0);
        row.checked_rem(self.count).unwrap_or(0)
    }

    /// Calls `part` with the channel, the offset and the number of elements of each run of `length`
    /// elements from `first` on.
    #[inline]
    pub(super) fn each(
        self,
        first: usize,
        length: usize,
        mut part: impl FnMut(usize, usize, usize),
    ) {
        let mut channel = self.channel(first);
        let mut left = self.row.saturating_sub(first.checked_rem(self.row).unwrap_or(0));
        let mut at = 0_usize;
        while at < length {
            let here = left.min(length.saturating_sub(at));
            part(channel, at, here);
            at = at.saturating_add(here);
            channel = channel.wrapping_add(1);
            if channel >= self.count {
                channel = 0;
            }
            left = self.row;
        }
    }
}

/// An empty vector with room for `count` elements.
pub(super) fn reserve<T>(count: usize, what: &'static str) -> Result<Vec<T>> {
    let mut values = Vec::new();
    let bytes = count.saturating_mul(size_of::<T>());
    values.try_reserve_exact(count).map_err(|_| Error::OutOfMemory { what, bytes })?;
    Ok(values)
}

/// A size in a message.
pub(super) fn wide(size: usize) -> i128 {
    i128::try_from(size).unwrap_or(i128::MAX)
}
