//! Operations on two tensors, element by element: add and multiply.

use super::FixedOptions;
use super::codes::{PART, block_length, put};
use super::operand::{A, B, Channels, OUT, Operand, Side, reserve};
use super::steps::Step;
use crate::arith::multiplier::FixedRounding;
use crate::error::{Error, Excerpt, Result};
use crate::planes::fill::{Block, Source};
use crate::tensor::QTensor;

/// From the codes of two tensors to codes.
impl QTensor {
    /// Makes this tensor's codes those of the sums of the values of `a` and `b`, element by element.
    ///
    /// Both operands are brought to the steps of the result at 62 binary places, added, and rounded
    /// once. The operands may be one tensor.
    ///
    /// ```
    /// use caffe2_qtensor::{FixedOptions, QTensor};
    ///
    /// let mut a = QTensor::with_shape(&[3], 4, true)?;
    /// a.set_scale(0.5);
    /// a.write_codes(&[1i64, -15, 8])?;
    /// let mut b = QTensor::with_shape(&[3], 8, false)?;
    /// b.set_scale(0.25);
    /// b.write_codes(&[1i64, 2, 255])?;
    /// let mut out = QTensor::with_shape(&[3], 6, true)?;
    /// out.add(&a, &b, &FixedOptions::default())?;
    /// let mut codes = [0i64; 3];
    /// out.read_codes(&mut codes)?;
    /// // 0.75, -7 and 67.75.
    /// assert_eq!(codes, [1, -7, 63]);
    /// # Ok::<(), caffe2_qtensor::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`requantize`](Self::requantize), for either operand; `Unsupported` for the rounding of
    /// dnnlowp, which adds by way of another number of bits, chosen by its operator.
    pub fn add(&mut self, a: &QTensor, b: &QTensor, options: &FixedOptions) -> Result<()> {
        if options.rounding == FixedRounding::Dnnlowp {
            return Err(Error::UnsupportedName {
                what: "rounding of a sum",
                value: Excerpt::new(b"dnnlowp"),
                reason: "its sums go by way of an intermediate precision that its operator chooses",
            });
        }
        run(self, (a, b), options, Step::sum)
    }

    /// Makes this tensor's codes those of the products of the values of `a` and `b`, element by
    /// element. The operands may be one tensor.
    ///
    /// ```
    /// use caffe2_qtensor::{FixedOptions, QTensor};
    ///
    /// let mut a = QTensor::with_shape(&[3], 4, true)?;
    /// a.set_scale(0.5);
    /// a.write_codes(&[1i64, -15, 8])?;
    /// let mut out = QTensor::with_shape(&[3], 6, false)?;
    /// out.multiply(&a, &a, &FixedOptions::default())?;
    /// let mut codes = [0i64; 3];
    /// out.read_codes(&mut codes)?;
    /// // 0.25, 56.25 and 16.
    /// assert_eq!(codes, [0, 56, 16]);
    /// # Ok::<(), caffe2_qtensor::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`requantize`](Self::requantize), for either operand; but `Overflow` where the product
    /// of the operands' scales by that of the result is not below 2^28, and where that times a bias is
    /// not below 2^44.
    pub fn multiply(&mut self, a: &QTensor, b: &QTensor, options: &FixedOptions) -> Result<()> {
        run(self, (a, b), options, |a, b, out| Step::product(a, b, out, options.rounding))
    }
}

fn run(
    out: &mut QTensor,
    (a, b): (&QTensor, &QTensor),
    options: &FixedOptions,
    step: impl Fn(&Side, &Side, &Side) -> Result<Step>,
) -> Result<()> {
    let (first, second, to) =
        (Operand::new(a, &A)?, Operand::new(b, &B)?, Operand::new(out, &OUT)?);
    second.check_dims(&first)?;
    to.check_dims(&first)?;
    let channels = Channels::of(&[&first, &second, &to])?;
    let mut steps = reserve(channels.count, "channels of an operation")?;
    for channel in 0..channels.count {
        steps.push(step(&first.side(channel), &second.side(channel), &to.side(channel))?);
    }
    let pair = Pair { a, b, channels, steps, precision: out.precision() };
    out.fill_codes(&pair, false, options.threads)
}

struct Pair<'a> {
    a: &'a QTensor,
    b: &'a QTensor,
    channels: Channels,
    steps: Vec<Step>,
    /// Of the result.
    precision: u8,
}

impl Source for Pair<'_> {
    type Tally = ();

    fn merge((): &mut (), (): &()) {}

    fn narrow(&self) -> bool {
        self.precision <= 8
    }

    fn value_bytes(&self) -> usize {
        self.a.nbytes().saturating_add(self.b.nbytes())
    }

    fn codes(&self, first: usize, mut block: Block<'_>, (): &mut ()) -> Result<()> {
        let (mut buffer, mut others) = ([0_i32; PART], [0_i32; PART]);
        let length = block_length(&block);
        for at in (0..length).step_by(PART) {
            let count = length.saturating_sub(at).min(PART);
            let codes = buffer.get_mut(..count).unwrap_or_default();
            let others = others.get_mut(..count).unwrap_or_default();
            let start = first.saturating_add(at);
            self.a.read_block(start, codes);
            self.b.read_block(start, others);
            self.channels.each(start, count, |channel, from, count| {
                let part = from..from.saturating_add(count);
                let codes = codes.get_mut(part.clone()).unwrap_or_default();
                if let Some(step) = self.steps.get(channel) {
                    step.pair(codes, others.get(part).unwrap_or_default());
                }
            });
            put(codes, at, self.precision, &mut block);
        }
        Ok(())
    }
}
