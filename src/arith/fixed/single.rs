//! Operations on one tensor: requantize, relu and clamp.

use super::FixedOptions;
use super::codes::{PART, block_length, put};
use super::operand::{Channels, OUT, Operand, X, reserve};
use super::steps::Step;
use super::table::Table;
use crate::error::{Error, Result};
use crate::planes::fill::{Block, Source};
use crate::tensor::QTensor;

/// From codes to codes. These functions fill the tensor that they are called on, whose precision,
/// sign, scale and bias, or channels, say what its codes stand for.
///
/// A result's exact position among them is `v / scale - bias` for the value `v`. Its code is the
/// position rounded to an integer and clamped, so that it is off by at most 1/2 and a little: with
/// [`FixedRounding::Nearest`](crate::FixedRounding::Nearest) at most 2^-45, or 2^-30 for
/// [`multiply`](Self::multiply), and with [`FixedRounding::Dnnlowp`](crate::FixedRounding::Dnnlowp)
/// 2^-21 of `|v / scale|`, whose scales are floats.
impl QTensor {
    /// Turns the codes of `x` into those of this tensor for the same values.
    ///
    /// ```
    /// use caffe2_qtensor::{FixedOptions, QTensor};
    ///
    /// let mut x = QTensor::with_shape(&[4], 8, true)?;
    /// x.set_scale(0.125);
    /// x.write_codes(&[4i64, 6, -100, 255])?;
    /// let mut out = QTensor::with_shape(&[4], 4, true)?;
    /// out.set_scale(1.5);
    /// out.requantize(&x, &FixedOptions::default())?;
    /// let mut codes = [0i64; 4];
    /// out.read_codes(&mut codes)?;
    /// assert_eq!(codes, [0, 0, -8, 15]);
    /// # Ok::<(), caffe2_qtensor::Error>(())
    /// ```
    ///
    /// # Errors
    /// `ShapeMismatch` for another shape than that of `x`; `OutOfRange` for a precision that is not 1
    /// to 16; `NonFinite` for a scale or bias that is; `InvalidArgument` for a scale of 0;
    /// `Unsupported` for a logarithmic tensor, for channels along different dimensions, and for
    /// parameters that dnnlowp's formula does not take; `Overflow` where the quotient of the scales is
    /// not below 2^40 or a bias, in steps of the result, not below 2^60, and where dnnlowp's 32-bit
    /// integers would; what [`params`](Self::params) refuses; `OutOfMemory`. The tensor stays as it
    /// was.
    pub fn requantize(&mut self, x: &QTensor, options: &FixedOptions) -> Result<()> {
        run(self, x, options, None)
    }

    /// The same for the values or 0, whichever is larger.
    ///
    /// The result is at least the code nearest to 0, which stands for 0 where the bias is an integer.
    ///
    /// ```
    /// use caffe2_qtensor::{FixedOptions, QTensor};
    ///
    /// let mut x = QTensor::with_shape(&[3], 4, true)?;
    /// x.write_codes(&[-7i64, 0, 7])?;
    /// let mut out = QTensor::with_shape(&[3], 8, false)?;
    /// out.set_bias(-100.0);
    /// out.relu(&x, &FixedOptions::default())?;
    /// let mut codes = [0u8; 3];
    /// out.read_codes(&mut codes)?;
    /// assert_eq!(codes, [100, 100, 107]);
    /// # Ok::<(), caffe2_qtensor::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`requantize`](Self::requantize).
    pub fn relu(&mut self, x: &QTensor, options: &FixedOptions) -> Result<()> {
        run(self, x, options, Some((0.0, f64::INFINITY)))
    }

    /// The same for the values from `low` to `high`, where those outside count as the nearer of them.
    ///
    /// Results are between the codes of both, each rounded to the nearest once (even in the middle),
    /// whatever the rounding of the results. Either limit may be infinite.
    ///
    /// ```
    /// use caffe2_qtensor::{FixedOptions, QTensor};
    ///
    /// let mut x = QTensor::with_shape(&[3], 4, true)?;
    /// x.write_codes(&[-7i64, 1, 7])?;
    /// let mut out = QTensor::with_shape(&[3], 8, true)?;
    /// out.set_scale(0.25);
    /// out.clamp(&x, -2.0, 6.0, &FixedOptions::default())?;
    /// let mut codes = [0i64; 3];
    /// out.read_codes(&mut codes)?;
    /// assert_eq!(codes, [-8, 4, 24]);
    /// # Ok::<(), caffe2_qtensor::Error>(())
    /// ```
    ///
    /// # Errors
    /// `InvalidArgument` for a limit that is NaN and where `low` is above `high`; those of
    /// [`requantize`](Self::requantize).
    pub fn clamp(
        &mut self,
        x: &QTensor,
        low: f64,
        high: f64,
        options: &FixedOptions,
    ) -> Result<()> {
        for (what, value) in [("lower limit", low), ("upper limit", high)] {
            if value.is_nan() {
                return Err(Error::InvalidNumber { what, value, rule: "a number, or infinite" });
            }
        }
        if low > high {
            let (what, other) = ("lower limit", "upper limit");
            return Err(Error::OutOfOrder { what, value: low, other, limit: high });
        }
        run(self, x, options, Some((low, high)))
    }
}

fn run(
    out: &mut QTensor,
    x: &QTensor,
    options: &FixedOptions,
    limits: Option<(f64, f64)>,
) -> Result<()> {
    let single = Single::new(out, x, options, limits)?;
    out.fill_codes(&single, false, options.threads)
}

struct Single<'a> {
    x: &'a QTensor,
    channels: Channels,
    steps: Vec<Step>,
    table: Option<Table>,
    /// Of the result.
    precision: u8,
}

impl<'a> Single<'a> {
    fn new(
        out: &QTensor,
        x: &'a QTensor,
        options: &FixedOptions,
        limits: Option<(f64, f64)>,
    ) -> Result<Single<'a>> {
        let (from, to) = (Operand::new(x, &X)?, Operand::new(out, &OUT)?);
        to.check_dims(&from)?;
        let channels = Channels::of(&[&from, &to])?;
        let mut steps = reserve(channels.count, "channels of an operation")?;
        for channel in 0..channels.count {
            let side = to.side(channel);
            let mut step = Step::same(&from.side(channel), &side, options.rounding)?;
            if let Some(limits) = limits {
                step.clamp(&side, limits)?;
            }
            steps.push(step);
        }
        let table = Table::new(x, &steps, out.precision())?;
        Ok(Single { x, channels, steps, table, precision: out.precision() })
    }
}

impl Source for Single<'_> {
    type Tally = ();

    fn merge((): &mut (), (): &()) {}

    fn narrow(&self) -> bool {
        self.precision <= 8
    }

    fn value_bytes(&self) -> usize {
        self.x.nbytes()
    }

    fn codes(&self, first: usize, mut block: Block<'_>, (): &mut ()) -> Result<()> {
        if let (Some(table), Block::Narrow(codes)) = (&self.table, &mut block) {
            table.look_up(self.x, self.channels, first, codes);
            return Ok(());
        }
        let mut buffer = [0_i32; PART];
        let length = block_length(&block);
        for at in (0..length).step_by(PART) {
            let count = length.saturating_sub(at).min(PART);
            let codes = buffer.get_mut(..count).unwrap_or_default();
            let start = first.saturating_add(at);
            self.x.read_block(start, codes);
            self.channels.each(start, count, |channel, from, count| {
                let part = codes.get_mut(from..from.saturating_add(count)).unwrap_or_default();
                if let Some(step) = self.steps.get(channel) {
                    step.single(part);
                }
            });
            put(codes, at, self.precision, &mut block);
        }
        Ok(())
    }
}
