//! The codes of a tensor to the values that they stand for.

use super::layout::{Expansion, Layout, PART};
use super::linear::{check_precision, check_size};
use super::logarithmic;
use super::value::Value;
use crate::error::Result;
use crate::kernels::dequantize::{Table, decode, lookup, scaled, wide};
use crate::kernels::quantize::Step;
use crate::kernels::stream::{FROM_BYTES, fence};
use crate::kernels::{Level, transpose};
use crate::params::Params;
use crate::planes::codes::BLOCK;
use crate::planes::fill::NARROW;
use crate::tensor::QTensor;
use crate::threads::{MAX_THREADS, THREAD_ELEMENTS, both, share};

impl QTensor {
    /// Turns this tensor's codes into the values that they stand for, in order.
    ///
    /// The value is `scale * (x + bias)`, both operations in double precision, rounded to the
    /// nearest value of the type asked for (even in the middle); in a tensor with channels by the
    /// scale and bias of the element's channel. In a logarithmic tensor it is 0 for code 0 and
    /// else `2^(scale * (|x| - 1 + bias))` with the sign of `x`. On `threads` threads; 0 is 1.
    ///
    /// ```
    /// use caffe2_qtensor::QTensor;
    ///
    /// let mut tensor = QTensor::with_shape(&[3], 4, true)?;
    /// tensor.set_scale(0.5);
    /// tensor.write_codes(&[1i64, -2, 15])?;
    /// let mut values = [0.0_f32; 3];
    /// tensor.dequantize(&mut values, 1)?;
    /// assert_eq!(values, [0.5, -1.0, 7.5]);
    /// # Ok::<(), caffe2_qtensor::Error>(())
    /// ```
    ///
    /// # Errors
    /// `ShapeMismatch` unless there is room for [`size`](Self::size) values; `OutOfRange` for a
    /// precision of 0 or above 32; what [`params`](Self::params) refuses; `OutOfMemory`. Nothing is
    /// written then.
    pub fn dequantize<T: Value>(&self, values: &mut [T], threads: usize) -> Result<()> {
        check_size("number of values", values.len(), self.size())?;
        check_precision(self.precision())?;
        let bytes = size_of_val(values).saturating_add(self.nbytes());
        let most = (self.size() / THREAD_ELEMENTS).min(MAX_THREADS);
        let threads = threads.min(most);
        let (streaming, alone) = (bytes > FROM_BYTES, threads <= 1);
        let job = Job { tensor: self, params: self.params()?, streaming, alone };
        job.split(0, values, threads)
    }
}

/// The values of a tensor a few at a time, for what looks at them and goes on.
pub(crate) struct Decoder<'a> {
    job: Job<'a>,
    state: State<f32>,
}

impl QTensor {
    /// Refuses what [`dequantize`](Self::dequantize) does.
    pub(crate) fn decoder(&self) -> Result<Decoder<'_>> {
        check_precision(self.precision())?;
        let job = Job { tensor: self, params: self.params()?, streaming: false, alone: false };
        Ok(Decoder { job, state: State::default() })
    }
}

impl Decoder<'_> {
    /// The values from element `first` on, a multiple of 8.
    pub(crate) fn decode(&mut self, first: usize, values: &mut [f32]) -> Result<()> {
        self.job.run(first, values, &mut self.state)
    }
}

struct Job<'a> {
    tensor: &'a QTensor,
    params: Params<'a>,
    streaming: bool,
    /// Whether there is one thread: then memory that runs out does so before any value is written,
    /// and is an error. Otherwise one goes on without it.
    alone: bool,
}

/// What a thread keeps from block to block.
#[derive(Default)]
struct State<T: Value> {
    table: Table<T>,
    /// The channel that the table was made for.
    channel: Option<usize>,
    expansion: Expansion<f64>,
}

/// The codes of a block: magnitudes of at most 8 bits with their signs, or any.
struct Narrow {
    bytes: [u8; NARROW],
    signs: [u8; NARROW],
}

impl Job<'_> {
    /// The values from element `first` on, on as many threads.
    fn split<T: Value>(&self, first: usize, values: &mut [T], threads: usize) -> Result<()> {
        if threads <= 1 {
            let mut state = State::default();
            self.run(first, values, &mut state)?;
            fence();
            return Ok(());
        }
        let later = threads / 2;
        let here = threads.saturating_sub(later);
        let blocks = values.len() / NARROW;
        let middle = share(blocks, here, threads).saturating_mul(NARROW);
        let (near, far) = values.split_at_mut_checked(middle).unwrap_or_default();
        let middle = first.saturating_add(middle);
        let (near, far) =
            both(|| self.split(first, near, here), far, |far| self.split(middle, far, later));
        near.and(far)
    }

    /// The values from element `first` on, the first of a byte.
    fn run<T: Value>(&self, first: usize, values: &mut [T], state: &mut State<T>) -> Result<()> {
        if self.tensor.precision() > 8 {
            self.run_wide(first, values);
            return Ok(());
        }
        match self.params {
            Params::Affine { .. } | Params::Log { .. } => {
                self.fill_table(0, state);
                self.run_row(first, values, state)?;
            }
            Params::PerChannel { axis, scales, .. } => {
                let layout = Layout::new(self.tensor.dims(), axis, scales.len());
                if layout.row < self.long_row() || !layout.row.is_multiple_of(8) {
                    self.run_blocks(first, values, state)?;
                } else {
                    let mut left = values;
                    for (channel, at, length) in layout.rows(first, left.len()) {
                        self.fill_table(channel, state);
                        let (row, later) = left.split_at_mut_checked(length).unwrap_or_default();
                        self.run_row(at, row, state)?;
                        left = later;
                    }
                }
            }
        }
        Ok(())
    }

    /// Values of which the table holds all, from element `first` on, the first of a byte.
    fn run_row<T: Value>(
        &self,
        first: usize,
        values: &mut [T],
        state: &mut State<T>,
    ) -> Result<()> {
        let view = self.tensor.view();
        let planes = view.data.and_then(|planes| planes.get(first / 8..));
        let done = planes.map_or(0, |planes| {
            let stride = view.plane_stride;
            decode(Level::best(), &state.table, planes, stride, values, self.streaming)
        });
        match values.get_mut(done..) {
            Some(rest) if !rest.is_empty() => {
                self.run_blocks(first.saturating_add(done), rest, state)
            }
            _ => Ok(()),
        }
    }

    /// By way of bytes. A function by itself, so that its buffers cost nothing where they are not
    /// needed.
    #[inline(never)]
    fn run_blocks<T: Value>(
        &self,
        first: usize,
        values: &mut [T],
        state: &mut State<T>,
    ) -> Result<()> {
        let (precision, signed) = (self.tensor.precision(), self.tensor.is_signed());
        let view = self.tensor.view();
        let mut block = Narrow { bytes: [0; NARROW], signs: [0; NARROW] };
        // The sign is the plane behind the others, so it is unpacked into the bit behind theirs.
        let together = usize::from(precision).saturating_add(usize::from(signed)).min(8);
        let apart = signed && precision == 8;
        let starts = (first..).step_by(NARROW);
        for (first, values) in starts.zip(values.chunks_mut(NARROW)) {
            let bytes = block.bytes.get_mut(..values.len()).unwrap_or_default();
            let length = if apart { values.len() } else { 0 };
            let signs = block.signs.get_mut(..length).unwrap_or_default();
            if let Some(planes) = view.data {
                let level = Level::best();
                let lanes = planes.get(first / 8..).unwrap_or_default();
                transpose::unpack(level, lanes, view.plane_stride, together, bytes);
                let plane = view.plane_stride.saturating_mul(8).saturating_add(first / 8);
                if apart && let Some(plane) = planes.get(plane..) {
                    transpose::unpack(level, plane, view.plane_stride, 1, signs);
                }
            }
            self.look_up(first, bytes, signs, values, state)?;
        }
        Ok(())
    }

    /// Elements of a channel that are worth a table.
    fn long_row(&self) -> usize {
        let bits = self.tensor.precision().saturating_add(u8::from(self.tensor.is_signed()));
        if bits <= 5 { 256 } else { 1024 }
    }

    /// The table of a channel, which is kept until there is another one.
    fn fill_table<T: Value>(&self, channel: usize, state: &mut State<T>) {
        if state.channel == Some(channel) {
            return;
        }
        state.channel = Some(channel);
        let (level, precision) = (Level::best(), self.tensor.precision());
        let signed = self.tensor.is_signed();
        match self.params {
            Params::Affine { scale, bias } => {
                state.table.fill(level, &Step { scale, bias }, precision, signed);
            }
            Params::Log { scale, bias } => {
                let value = |magnitude: u8, negative| {
                    logarithmic::value(scale, bias, u64::from(magnitude), negative)
                };
                state.table.fill_by(precision, signed, value);
            }
            Params::PerChannel { scales, biases, .. } => {
                if let (Some(scale), Some(bias)) = (scales.get(channel), biases.get(channel)) {
                    let step = Step { scale: *scale, bias: *bias };
                    state.table.fill(level, &step, precision, signed);
                }
            }
        }
    }

    fn look_up<T: Value>(
        &self,
        first: usize,
        bytes: &mut [u8],
        signs: &mut [u8],
        values: &mut [T],
        state: &mut State<T>,
    ) -> Result<()> {
        let level = Level::best();
        let Params::PerChannel { axis, scales, .. } = self.params else {
            self.fill_table(0, state);
            lookup(level, &state.table, bytes, signs, values, self.streaming);
            return Ok(());
        };
        let layout = Layout::new(self.tensor.dims(), axis, scales.len());
        if layout.row < self.long_row() {
            return self.scale_each(layout, first, (bytes, signs), values, state);
        }
        self.look_up_rows(layout, first, (bytes, signs), values, state);
        Ok(())
    }

    /// By a table for the channel of each row.
    fn look_up_rows<T: Value>(
        &self,
        layout: Layout,
        first: usize,
        (bytes, signs): (&mut [u8], &mut [u8]),
        values: &mut [T],
        state: &mut State<T>,
    ) {
        for (channel, at, length) in layout.rows(first, values.len()) {
            self.fill_table(channel, state);
            let start = at.saturating_sub(first);
            let part = start..start.saturating_add(length);
            let bytes = bytes.get(part.clone()).unwrap_or_default();
            let signs = signs.get(part.clone()).unwrap_or_default();
            let values = values.get_mut(part).unwrap_or_default();
            lookup(Level::best(), &state.table, bytes, signs, values, self.streaming);
        }
    }

    /// By the scale and bias of each value: for rows too short for a table each.
    fn scale_each<T: Value>(
        &self,
        layout: Layout,
        first: usize,
        (bytes, mut signs): (&mut [u8], &mut [u8]),
        values: &mut [T],
        state: &mut State<T>,
    ) -> Result<()> {
        let Params::PerChannel { scales, biases, .. } = self.params else { return Ok(()) };
        let of = |channel: usize| Some((*scales.get(channel)?, *biases.get(channel)?));
        let precision = self.tensor.precision();
        let mut first = first;
        for (bytes, values) in bytes.chunks_mut(PART).zip(values.chunks_mut(PART)) {
            // There are as many signs as bytes, or none.
            let signs = signs.split_off_mut(..values.len().min(signs.len())).unwrap_or_default();
            match state.expansion.expand(layout, first, values.len(), of) {
                Ok((scales, biases)) => {
                    scaled(Level::best(), bytes, signs, precision, scales, biases, values);
                }
                Err(error) if self.alone => return Err(error),
                Err(_) => self.look_up_rows(layout, first, (bytes, signs), values, state),
            }
            first = first.saturating_add(values.len());
        }
        Ok(())
    }

    fn run_wide<T: Value>(&self, first: usize, values: &mut [T]) {
        let mut codes = [0_i64; BLOCK];
        let starts = (first..).step_by(BLOCK);
        for (first, values) in starts.zip(values.chunks_mut(BLOCK)) {
            let codes = codes.get_mut(..values.len()).unwrap_or_default();
            self.tensor.read_block(first, codes);
            match self.params {
                Params::Affine { scale, bias } => {
                    wide(Level::best(), &Step { scale, bias }, codes, values);
                }
                Params::Log { scale, bias } => {
                    for (value, code) in values.iter_mut().zip(codes) {
                        let (magnitude, negative) = (code.unsigned_abs(), *code < 0);
                        let exact = logarithmic::value(scale, bias, magnitude, negative);
                        *value = T::nearest(exact);
                    }
                }
                Params::PerChannel { axis, scales, biases } => {
                    let layout = Layout::new(self.tensor.dims(), axis, scales.len());
                    for (channel, at, length) in layout.rows(first, values.len()) {
                        let start = at.saturating_sub(first);
                        let part = start..start.saturating_add(length);
                        let codes = codes.get(part.clone()).unwrap_or_default();
                        let values = values.get_mut(part).unwrap_or_default();
                        if let (Some(scale), Some(bias)) =
                            (scales.get(channel), biases.get(channel))
                        {
                            let step = Step { scale: *scale, bias: *bias };
                            wide(Level::best(), &step, codes, values);
                        }
                    }
                }
            }
        }
    }
}
