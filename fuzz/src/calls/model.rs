//! A tensor as plain data: dimensions, planes as bytes, and everything told from them bit by bit.

use super::status::{Status, *};
use caffe2_qtensor::capi::borrow::qtensor_is_borrowed;
use caffe2_qtensor::capi::channels::*;
use caffe2_qtensor::capi::logarithmic::qtensor_is_logarithmic;
use caffe2_qtensor::capi::tensor::*;
use std::cell::Cell;

/// The most bytes of planes that a program makes.
pub(super) const MOST_BYTES: usize = 1 << 16;

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Tensor {
    pub(super) dims: Vec<i64>,
    pub(super) precision: u8,
    pub(super) signed: bool,
    pub(super) scale: u64,
    pub(super) bias: u64,
    pub(super) scales: Vec<u64>,
    pub(super) biases: Vec<u64>,
    pub(super) axis: Option<i32>,
    pub(super) multiparam: Option<bool>,
    pub(super) data_type: Option<i32>,
    pub(super) logarithmic: bool,
    pub(super) planes: Option<Vec<u8>>,
}

/// Planes that the program lent.
pub(super) struct Lent {
    pub(super) memory: Vec<u8>,
    pub(super) writable: bool,
    /// How often they were given back.
    pub(super) released: Box<Cell<u32>>,
}

/// The number of elements and the bytes of the planes, or why there are none such.
pub(super) fn geometry(
    dims: &[i64],
    precision: u8,
    signed: bool,
) -> Result<(usize, usize), Vec<Status>> {
    let mut refusals = Vec::new();
    if dims.len() > 64 {
        refusals.push(QTENSOR_OUT_OF_RANGE);
    }
    if dims.iter().any(|dim| *dim < 0) {
        refusals.push(QTENSOR_INVALID_ARGUMENT);
    }
    let product = dims.iter().try_fold(1i128, |product, dim| product.checked_mul(i128::from(*dim)));
    let size = if dims.is_empty() || dims.contains(&0) { Some(0) } else { product };
    let limit = i128::from(i64::MAX);
    let size = size.filter(|size| *size <= limit);
    let planes = i128::from(precision) + i128::from(signed);
    let bytes = size.map(|size| (size + 7) / 8 * planes).filter(|bytes| *bytes <= limit);
    match (size, bytes) {
        (Some(size), Some(bytes)) if refusals.is_empty() => Ok((size as usize, bytes as usize)),
        (Some(_), Some(_)) => Err(refusals),
        _ => {
            refusals.push(QTENSOR_OVERFLOW);
            Err(refusals)
        }
    }
}

impl Tensor {
    pub(super) fn new(dims: &[i64], precision: u8, signed: bool) -> Tensor {
        let (dims, scale) = (dims.to_vec(), 1f64.to_bits());
        Tensor { dims, precision, signed, scale, ..Tensor::default() }
    }

    pub(super) fn size(&self) -> usize {
        geometry(&self.dims, self.precision, self.signed).expect("it was accepted").0
    }

    pub(super) fn nbytes(&self) -> usize {
        geometry(&self.dims, self.precision, self.signed).expect("it was accepted").1
    }

    /// Whether its planes, if it has any, are few enough to be made.
    pub(super) fn is_small(&self) -> bool {
        self.nbytes() <= MOST_BYTES && self.size() <= MOST_BYTES
    }

    pub(super) fn planes(&self) -> usize {
        usize::from(self.precision) + usize::from(self.signed)
    }

    pub(super) fn scale(&self) -> f64 {
        f64::from_bits(self.scale)
    }

    pub(super) fn bias(&self) -> f64 {
        f64::from_bits(self.bias)
    }

    /// The byte of a bit, where planes have so many bytes, and its place in that.
    fn place(stride: usize, bit: usize, index: usize) -> (usize, u8) {
        (bit * stride + index / 8, 0x80 >> (index % 8))
    }

    fn stride(&self) -> usize {
        self.size().div_ceil(8)
    }

    pub(super) fn bit(&self, bit: usize, index: usize) -> bool {
        self.bit_of(self.stride(), bit, index)
    }

    fn bit_of(&self, stride: usize, bit: usize, index: usize) -> bool {
        let (byte, mask) = Self::place(stride, bit, index);
        self.planes.as_ref().is_some_and(|planes| planes[byte] & mask != 0)
    }

    /// The planes are there from now on, where there is a byte of them.
    pub(super) fn allocate(&mut self) {
        let nbytes = self.nbytes();
        if nbytes > 0 {
            self.planes.get_or_insert_with(|| vec![0; nbytes]);
        }
    }

    pub(super) fn set_bit(&mut self, bit: usize, index: usize, value: bool) {
        self.allocate();
        self.set_bit_of(self.stride(), bit, index, value);
    }

    fn set_bit_of(&mut self, stride: usize, bit: usize, index: usize, value: bool) {
        let (byte, mask) = Self::place(stride, bit, index);
        let planes = self.planes.as_mut().expect("there is a bit");
        planes[byte] = planes[byte] & !mask | if value { mask } else { 0 };
    }

    /// The codes of all elements, of up to 63 bits.
    pub(super) fn codes(&self) -> Vec<i64> {
        let (stride, precision) = (self.stride(), usize::from(self.precision));
        let code = |index: usize| {
            let set = |bit: usize| self.bit_of(stride, bit, index);
            let magnitude = (0..precision).fold(0i64, |sum, bit| sum | i64::from(set(bit)) << bit);
            if self.signed && set(precision) { -magnitude } else { magnitude }
        };
        (0..self.size()).map(code).collect()
    }

    pub(super) fn set_codes(&mut self, codes: impl IntoIterator<Item = i64>) {
        self.allocate();
        let (stride, precision) = (self.stride(), usize::from(self.precision));
        for (index, code) in codes.into_iter().enumerate() {
            for bit in 0..precision {
                self.set_bit_of(stride, bit, index, code.unsigned_abs() >> bit & 1 != 0);
            }
            if self.signed {
                self.set_bit_of(stride, precision, index, code < 0);
            }
        }
    }

    pub(super) fn highest(&self) -> i64 {
        (1i128 << self.precision.min(63)).saturating_sub(1) as i64
    }

    pub(super) fn lowest(&self) -> i64 {
        if self.signed { -self.highest() } else { 0 }
    }

    pub(super) fn drop_planes(&mut self) {
        self.planes = None;
    }

    /// Scale and bias of each element, or why they fit no element.
    pub(super) fn steps(&self) -> Result<Vec<(f64, f64)>, Vec<Status>> {
        if self.multiparam != Some(true) {
            return Ok(vec![(self.scale(), self.bias()); self.size()]);
        }
        if self.logarithmic {
            return Err(vec![QTENSOR_UNSUPPORTED]);
        }
        let axis = usize::try_from(self.axis.unwrap_or(0)).unwrap_or(usize::MAX);
        let Some(channels) = self.dims.get(axis) else { return Err(vec![QTENSOR_OUT_OF_RANGE]) };
        let channels = *channels as usize;
        if self.scales.len() != channels || self.biases.len() != channels {
            return Err(vec![QTENSOR_SHAPE_MISMATCH]);
        }
        let inner: i64 = self.dims[axis + 1..].iter().product();
        let step = |index: usize| {
            let channel = index / (inner as usize) % channels;
            (f64::from_bits(self.scales[channel]), f64::from_bits(self.biases[channel]))
        };
        Ok((0..self.size()).map(step).collect())
    }

    /// Everything that the interface says of a tensor is what the model says.
    pub(super) fn check(&self, handle: *const qtensor_t, lent: Option<&Lent>) {
        assert_eq!(read(handle), *self);
        // SAFETY: a live handle.
        unsafe {
            assert_eq!(qtensor_size(handle), self.size());
            assert_eq!(qtensor_aligned_size(handle), self.size().next_multiple_of(8));
            assert_eq!(qtensor_nbytes(handle), self.nbytes());
            assert_eq!(qtensor_alignment(handle), 8);
            assert_eq!(qtensor_is_borrowed(handle), lent.is_some());
        }
        if let Some(lent) = lent {
            assert_eq!(lent.released.get(), 0);
            assert_eq!(Some(&lent.memory), self.planes.as_ref());
        }
    }
}

/// All that the interface says of a live tensor.
pub(super) fn read(handle: *const qtensor_t) -> Tensor {
    // SAFETY: a live handle; the pointers are valid for the counts beside them.
    unsafe {
        let slice = |start: *const f64, count: usize| -> Vec<u64> {
            let values = if count == 0 { &[] } else { std::slice::from_raw_parts(start, count) };
            values.iter().map(|value| value.to_bits()).collect()
        };
        let ndim = qtensor_ndim(handle);
        let dims = match ndim {
            0 => Vec::new(),
            _ => std::slice::from_raw_parts(qtensor_dims(handle), ndim).to_vec(),
        };
        let data = qtensor_data(handle);
        let nbytes = qtensor_nbytes(handle);
        let there = !data.is_null();
        let axis = qtensor_channel_axis(handle);
        let data_type = qtensor_data_type(handle);
        Tensor {
            dims,
            precision: qtensor_precision(handle),
            signed: qtensor_is_signed(handle),
            scale: qtensor_scale(handle).to_bits(),
            bias: qtensor_bias(handle).to_bits(),
            scales: slice(qtensor_channel_scales(handle), qtensor_channel_scale_count(handle)),
            biases: slice(qtensor_channel_biases(handle), qtensor_channel_bias_count(handle)),
            // Neither can be told from an absent one here; what is written tells them apart.
            axis: (axis != -1).then_some(axis),
            multiparam: qtensor_is_multiparam(handle).then_some(true),
            data_type: (data_type != -1).then_some(data_type),
            logarithmic: qtensor_is_logarithmic(handle),
            planes: there.then(|| std::slice::from_raw_parts(data, nbytes).to_vec()),
        }
    }
}
