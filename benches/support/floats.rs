//! Values, tensors for them, and what their codes must be.

use super::data::{Aligned, uniform};
use caffe2_qtensor::kernels::Level;
use caffe2_qtensor::kernels::quantize::{Formula, Rounding, Rules, Step};
use caffe2_qtensor::{Params, QTensor};

/// How many elements a case has.
#[derive(Clone, Copy)]
pub(crate) struct Count {
    /// As it stands in the name of a case.
    pub(crate) name: &'static str,
    pub(crate) elements: usize,
}

/// L1, L3 and DRAM. The first is what a test run makes do with.
pub(crate) const COUNTS: [Count; 3] = [
    Count { name: "4Ki", elements: 4 << 10 },
    Count { name: "1Mi", elements: 1 << 20 },
    Count { name: "64Mi", elements: 64 << 20 },
];

/// The precisions that there are cases for.
pub(crate) const PRECISIONS: [u8; 4] = [1, 2, 4, 8];

/// Of them, those with cases for everything but the plainest tensor.
pub(crate) const VARIED: [u8; 2] = [4, 8];

/// Elements that the loops over single bits go through where they would take too long for all.
pub(crate) const SAMPLE: usize = 1 << 20;

/// Channels of a tensor that has them.
const CHANNELS: usize = 64;

/// Values of which some are just outside what the tensors below can hold.
pub(crate) fn values(elements: usize) -> Aligned<f32> {
    let mut values = Aligned::filled(elements, 0.0);
    uniform(&mut values, -1.05, 1.05);
    values
}

/// What is measured: how the codes lie and what they mean.
#[derive(Clone, Copy)]
pub(crate) enum Form {
    /// One scale and bias for all.
    Plain,
    /// The same with a sign.
    Signed,
    /// A scale and a bias for each of 64 rows.
    FirstAxis,
    /// For each of 64 columns.
    LastAxis,
    /// One element more than a power of two: no plane but the first begins on a cache line.
    Ragged,
}

impl Form {
    /// Those that are compared with [`Form::Plain`].
    pub(crate) const VARIATIONS: [Form; 4] =
        [Form::Signed, Form::FirstAxis, Form::LastAxis, Form::Ragged];

    /// As it stands in the name of a case.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Form::Plain => "plain",
            Form::Signed => "signed",
            Form::FirstAxis => "first_axis",
            Form::LastAxis => "last_axis",
            Form::Ragged => "ragged",
        }
    }

    /// Elements of the form, near `elements`.
    pub(crate) const fn elements(self, elements: usize) -> usize {
        match self {
            Form::Ragged => elements + 1,
            _ => elements,
        }
    }

    /// A tensor with planes, all zero.
    pub(crate) fn tensor(self, elements: usize, precision: u8) -> QTensor {
        let signed = matches!(self, Form::Signed);
        let elements = self.elements(elements);
        let (channels, rows) = (CHANNELS as i64, (elements / CHANNELS) as i64);
        let dims = match self {
            Form::FirstAxis => vec![channels, rows],
            Form::LastAxis => vec![rows, channels],
            _ => vec![elements as i64],
        };
        let mut tensor = QTensor::with_shape(&dims, precision, signed).expect("a tensor");
        tensor.mutable_data().expect("planes");
        let highest = f64::from((1_u32 << precision) - 1);
        let (scale, bias) = if signed {
            (1.0 / highest, 0.0)
        } else {
            // The zero point is a code.
            (2.0 / highest, -f64::from(1_u32 << (precision - 1)))
        };
        tensor.set_scale(scale);
        tensor.set_bias(bias);
        if let Form::FirstAxis | Form::LastAxis = self {
            let scales: Vec<f64> =
                (0..CHANNELS).map(|channel| scale * (1.0 + channel as f64 / 512.0)).collect();
            let axis = if let Form::FirstAxis = self { 0 } else { 1 };
            tensor.set_channels(axis, &scales, &[bias; CHANNELS]).expect("channels");
        }
        tensor
    }
}

/// The name of a case: the kernels belong to it, because the goals are those of AVX-512.
pub(crate) fn case(group: &str, precision: u8, count: Count) -> String {
    format!("{group}/P{precision}/{}/{}", count.name, Level::best().name())
}

/// The step of an element.
fn step(params: &Params<'_>, dims: &[i64], index: usize) -> Step {
    match *params {
        Params::Affine { scale, bias } | Params::Log { scale, bias } => Step { scale, bias },
        Params::PerChannel { axis, scales, biases } => {
            let row: i64 = dims[axis + 1..].iter().product();
            let channel = index / row as usize % scales.len();
            Step { scale: scales[channel], bias: biases[channel] }
        }
    }
}

fn codes(tensor: &QTensor) -> Vec<i16> {
    let mut codes = vec![0; tensor.size()];
    tensor.read_codes(&mut codes).expect("codes");
    codes
}

/// How many codes are not what the definition says.
pub(crate) fn differing_codes(tensor: &QTensor, values: &[f32]) -> usize {
    let rules = Rules {
        rounding: Rounding::NearestEven,
        seed: 0,
        precision: tensor.precision(),
        signed: tensor.is_signed(),
    };
    let params = tensor.params().expect("parameters");
    let wrong = |index: usize, code: i16| {
        let formula = Formula { rules, step: step(&params, tensor.dims(), index) };
        formula.code(f64::from(values[index]), index as u64).0 != i64::from(code)
    };
    codes(tensor).iter().enumerate().filter(|(index, code)| wrong(*index, **code)).count()
}

/// How many values are not, bit by bit, what the definition says.
pub(crate) fn differing_values(tensor: &QTensor, values: &[f32]) -> usize {
    let params = tensor.params().expect("parameters");
    let wrong = |index: usize, code: i16| {
        let Step { scale, bias } = step(&params, tensor.dims(), index);
        let value = (scale * (f64::from(code) + bias)) as f32;
        value.to_bits() != values[index].to_bits()
    };
    codes(tensor).iter().enumerate().filter(|(index, code)| wrong(*index, **code)).count()
}
