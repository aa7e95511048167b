//! Random tensors whose parameters are small integers times powers of two.

use caffe2_qtensor::QTensor;

pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    pub(crate) fn below(&mut self, count: u64) -> u64 {
        self.next() % count
    }

    /// From the first to the last.
    pub(crate) fn between(&mut self, first: i64, last: i64) -> i64 {
        first + self.below((last - first + 1) as u64) as i64
    }

    /// A precision and a sign.
    pub(crate) fn kind(&mut self) -> (u8, bool) {
        let most = if self.below(2) == 0 { 8 } else { 16 };
        (self.between(1, most) as u8, self.below(2) == 1)
    }

    /// Three dimensions of a few elements, and one that may be the channels. Now and then there are
    /// several blocks, whose ends are within rows, and enough elements of a channel for a table.
    pub(crate) fn shape(&mut self) -> ([i64; 3], usize) {
        let mut dims = [self.between(1, 4), self.between(1, 5), self.between(1, 9)];
        if self.below(100) == 0 {
            dims[self.below(3) as usize] = self.between(200, 1500);
        }
        (dims, self.below(3) as usize)
    }

    /// Random codes, or only the outermost ones.
    pub(crate) fn codes(&mut self, tensor: &mut QTensor) -> Vec<i64> {
        let largest = (1i64 << tensor.precision()) - 1;
        let outermost = self.below(4) == 0;
        let codes: Vec<i64> = (0..tensor.size())
            .map(|_| {
                let code = if outermost { largest } else { self.between(0, largest) };
                if tensor.is_signed() && self.below(2) == 1 { -code } else { code }
            })
            .collect();
        tensor.write_codes(&codes).unwrap();
        codes
    }
}

/// The scale `numerator * 2^exponent` and the bias `bias / 256`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spec {
    pub(crate) numerator: i64,
    pub(crate) exponent: i32,
    pub(crate) bias: i64,
}

impl Spec {
    pub(crate) fn random(random: &mut Random, exponent: i32) -> Spec {
        let numerator = match random.below(4) {
            0 => 1,
            1 => random.between(1, 7),
            _ => random.between(1, 4095),
        };
        let numerator = if random.below(5) == 0 { -numerator } else { numerator };
        let exponent = exponent + random.between(-4, 4) as i32;
        let bias = match random.below(4) {
            0 => 0,
            1 => 256 * random.between(-300, 300),
            2 => 128 * random.between(-70_000, 70_000),
            _ => random.between(-100_000, 100_000),
        };
        Spec { numerator, exponent, bias }
    }

    pub(crate) fn scale(self) -> f64 {
        self.numerator as f64 * 2f64.powi(self.exponent)
    }

    pub(crate) fn bias(self) -> f64 {
        self.bias as f64 / 256.0
    }
}

/// A tensor, its codes, and the parameters of each element.
pub(crate) struct Sample {
    pub(crate) tensor: QTensor,
    pub(crate) codes: Vec<i64>,
    pub(crate) specs: Vec<Spec>,
}

impl Sample {
    /// Of a random kind, with channels along `axis` or none. Scales are near `2^exponent`.
    pub(crate) fn new(
        random: &mut Random,
        (dims, axis): ([i64; 3], usize),
        exponent: i32,
    ) -> Sample {
        let (precision, signed) = random.kind();
        let mut tensor = QTensor::with_shape(&dims, precision, signed).unwrap();
        let channels = if random.below(3) == 0 { dims[axis] as usize } else { 1 };
        let each: Vec<Spec> = (0..channels).map(|_| Spec::random(random, exponent)).collect();
        if channels == 1 && random.below(2) == 0 || dims[axis] != channels as i64 {
            tensor.set_scale(each[0].scale());
            tensor.set_bias(each[0].bias());
        } else {
            let scales: Vec<f64> = each.iter().map(|spec| spec.scale()).collect();
            let biases: Vec<f64> = each.iter().map(|spec| spec.bias()).collect();
            tensor.set_channels(axis as i32, &scales, &biases).unwrap();
        }
        let inner: i64 = dims[axis + 1..].iter().product();
        let specs = (0..tensor.size()).map(|at| each[at / inner as usize % channels]).collect();
        // Sometimes there are no planes before.
        let codes = match random.below(10) {
            0 => vec![0; tensor.size()],
            _ => random.codes(&mut tensor),
        };
        Sample { tensor, codes, specs }
    }

    pub(crate) fn range(&self) -> (i128, i128) {
        let high = (1i128 << self.tensor.precision()) - 1;
        (if self.tensor.is_signed() { -high } else { 0 }, high)
    }
}

pub(crate) fn codes_of(tensor: &QTensor) -> Vec<i64> {
    let mut codes = vec![0; tensor.size()];
    tensor.read_codes(&mut codes).unwrap();
    codes
}
