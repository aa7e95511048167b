//! Codes and values one by one, and numbers to try them on.

use crate::definition::Definition;
use caffe2_qtensor::quantize::{
    Bfloat16, Counts, Half, NonFinite, QuantizeOptions, Rounding, Value, bfloat16_to_f32,
    f64_to_bfloat16, f64_to_half, half_to_f32,
};
use caffe2_qtensor::{Params, QTensor};

pub(crate) const ROUNDINGS: [Rounding; 7] = [
    Rounding::NearestEven,
    Rounding::NearestAway,
    Rounding::Floor,
    Rounding::Ceil,
    Rounding::TowardZero,
    Rounding::Stochastic,
    Rounding::Caffe2,
];

/// Values that are not finite saturate.
pub(crate) const SATURATE: QuantizeOptions = QuantizeOptions {
    scheme: caffe2_qtensor::quantize::Scheme::Parameters,
    rounding: Rounding::NearestEven,
    seed: 0,
    non_finite: NonFinite::Saturate,
    threads: 1,
};

/// Numbers that look random and are the same in every run.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// In [0, 1).
    pub(crate) fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.fraction()
    }
}

/// A type of values.
pub(crate) trait Number: Value + std::fmt::Debug {
    fn double(self) -> f64;
    fn nearest_to(value: f64) -> Self;
}

impl Number for f32 {
    fn double(self) -> f64 {
        f64::from(self)
    }
    fn nearest_to(value: f64) -> f32 {
        value as f32
    }
}

impl Number for f64 {
    fn double(self) -> f64 {
        self
    }
    fn nearest_to(value: f64) -> f64 {
        value
    }
}

impl Number for Half {
    fn double(self) -> f64 {
        f64::from(half_to_f32(self.0))
    }
    fn nearest_to(value: f64) -> Half {
        Half(f64_to_half(value))
    }
}

impl Number for Bfloat16 {
    fn double(self) -> f64 {
        f64::from(bfloat16_to_f32(self.0))
    }
    fn nearest_to(value: f64) -> Bfloat16 {
        Bfloat16(f64_to_bfloat16(value))
    }
}

/// The scale and the bias of element `index`.
pub(crate) fn parameters(tensor: &QTensor, index: usize) -> (f64, f64) {
    match tensor.params().unwrap() {
        Params::Affine { scale, bias } => (scale, bias),
        Params::PerChannel { axis, scales, biases } => {
            let inner = tensor.dims()[axis + 1..].iter().product::<i64>() as usize;
            let channel = index / inner % scales.len();
            (scales[channel], biases[channel])
        }
        Params::Log { .. } => unreachable!("no test here makes one"),
    }
}

/// The codes of values, and what became of them.
pub(crate) fn codes_of<T: Number>(
    tensor: &QTensor,
    values: &[T],
    options: &QuantizeOptions,
) -> (Vec<i64>, Counts) {
    let mut counts = Counts::default();
    let whole = (!tensor.is_multiparam()).then(|| parameters(tensor, 0));
    let code = |(index, value): (usize, &T)| {
        let (scale, bias) = whole.unwrap_or_else(|| parameters(tensor, index));
        let definition = Definition {
            rounding: options.rounding,
            seed: options.seed,
            precision: tensor.precision(),
            signed: tensor.is_signed(),
            scale,
            bias,
        };
        definition.code(value.double(), index as u64, &mut counts)
    };
    (values.iter().enumerate().map(code).collect(), counts)
}

pub(crate) fn read(tensor: &QTensor) -> Vec<i64> {
    let mut codes = vec![0; tensor.size()];
    tensor.read_codes(&mut codes).unwrap();
    codes
}

/// Quantizes and compares code by code, with the counts and without; the codes are in the tensor.
pub(crate) fn check<T: Number>(tensor: &mut QTensor, values: &[T], options: &QuantizeOptions) {
    let (expected, expected_counts) = codes_of(tensor, values, options);
    let counts = tensor.quantize_counting(values, options).unwrap();
    let what = || format!("{tensor:?} {options:?}");
    assert_same(&expected, &read(tensor), values, what);
    assert_eq!(counts, expected_counts, "{}", what());
    let counted = tensor.data().map(<[u8]>::to_vec);
    tensor.quantize(values, options).unwrap();
    let what = || format!("without counts: {tensor:?} {options:?}");
    if tensor.data() != counted.as_deref() {
        assert_same(&expected, &read(tensor), values, what);
        panic!("other padding {}", what());
    }
}

pub(crate) fn assert_same<T: std::fmt::Debug>(
    expected: &[i64],
    codes: &[i64],
    values: &[T],
    what: impl Fn() -> String,
) {
    assert_eq!(expected.len(), codes.len());
    if let Some(at) = (0..codes.len()).find(|at| codes[*at] != expected[*at]) {
        let (code, expected, value) = (codes[at], expected[at], &values[at]);
        panic!("element {at}, {value:?}: code {code}, not {expected}; {}", what());
    }
}

/// The bits behind the last element, plane by plane.
pub(crate) fn padding_of(tensor: &QTensor) -> Vec<u8> {
    let stride = tensor.aligned_size() / 8;
    let mask = ((1_u16 << (tensor.aligned_size() - tensor.size())) - 1) as u8;
    let planes = tensor.data().unwrap_or_default().chunks(stride);
    planes.map(|plane| plane[stride - 1] & mask).collect()
}

/// Gives all bytes of the planes random values, those behind the last element too.
pub(crate) fn scribble(tensor: &mut QTensor, random: &mut Random) {
    tensor.mutable_data().unwrap().iter_mut().for_each(|byte| *byte = random.next() as u8);
}

/// `count` values, some beyond the codes of a tensor with this scale and bias.
pub(crate) fn values_around<T: Number>(tensor: &QTensor, random: &mut Random) -> Vec<T> {
    let highest = ((1_u64 << tensor.precision()) - 1) as f64;
    let lowest = if tensor.is_signed() { -highest } else { 0.0 };
    let margin = (highest - lowest) / 8.0 + 1.0;
    let whole = (!tensor.is_multiparam()).then(|| parameters(tensor, 0));
    let value = |index| {
        let (scale, bias) = whole.unwrap_or_else(|| parameters(tensor, index));
        let mut code = random.between(lowest - margin, highest + margin);
        if random.next() % 8 == 0 {
            // On a code, or on the border between two.
            code = (2.0 * code).round() / 2.0;
        }
        T::nearest_to(scale * (code + bias))
    };
    (0..tensor.size()).map(value).collect()
}
