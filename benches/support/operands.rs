//! Both sides of a matrix product as codes, as tensors, and as the bytes that others multiply.

use super::data::Kind;
use super::product_peer::Onednn;
use caffe2_qtensor::QTensor;

/// The codes of one side.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Codes {
    precision: u8,
    is_signed: bool,
}

/// Codes from 0 on.
pub(crate) const fn unsigned(precision: u8) -> Codes {
    Codes { precision, is_signed: false }
}

/// Codes with a sign.
pub(crate) const fn signed(precision: u8) -> Codes {
    Codes { precision, is_signed: true }
}

impl Codes {
    /// As it stands in the name of a case: the precision, and an `s` for a sign.
    fn name(self) -> String {
        format!("{}{}", self.precision, if self.is_signed { "s" } else { "" })
    }

    /// Bits of a code, the sign's included.
    pub(crate) const fn planes(self) -> usize {
        self.precision as usize + self.is_signed as usize
    }

    const fn highest(self) -> i16 {
        (1 << self.precision) - 1
    }

    const fn lowest(self) -> i16 {
        if self.is_signed { -self.highest() } else { 0 }
    }

    /// Every code as likely as the others, the same in every run.
    fn random(self, count: usize) -> Vec<i16> {
        let kinds = (self.highest() - self.lowest()) as u32 + 1;
        let bytes = Kind::Random.bytes(2 * count);
        let (pairs, _) = bytes.as_chunks::<2>();
        let code = |pair: &[u8; 2]| ((u32::from(u16::from_le_bytes(*pair)) * kinds) >> 16) as i16;
        pairs.iter().map(|pair| self.lowest() + code(pair)).collect()
    }

    /// A tensor of so many rows and columns without any code yet.
    pub(crate) fn tensor(self, dims: [usize; 2]) -> QTensor {
        let dims = dims.map(|dim| dim as i64);
        QTensor::with_shape(&dims, self.precision, self.is_signed).expect("a tensor")
    }
}

/// The two sides of a product.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pair {
    /// Of the input.
    pub(crate) left: Codes,
    /// Of the weights.
    pub(crate) right: Codes,
}

/// Input first.
pub(crate) const fn pair(left: Codes, right: Codes) -> Pair {
    Pair { left, right }
}

impl Pair {
    /// As it stands in the name of a case.
    pub(crate) fn name(self) -> String {
        format!("x{}w{}", self.left.name(), self.right.name())
    }
}

/// Codes for a product of a shape: rows, outputs, columns.
pub(crate) struct Operands {
    pub(crate) shape: [usize; 3],
    pub(crate) pair: Pair,
    x: Vec<i16>,
    w: Vec<i16>,
}

impl Operands {
    pub(crate) fn new(shape: [usize; 3], pair: Pair) -> Operands {
        let [m, n, k] = shape;
        let x = pair.left.random(m * k);
        let mut w = pair.right.random(n * k);
        // Or both would begin with the same codes.
        w.reverse();
        Operands { shape, pair, x, w }
    }

    /// The input.
    pub(crate) fn x_tensor(&self) -> QTensor {
        let [m, _, k] = self.shape;
        let mut tensor = self.pair.left.tensor([m, k]);
        tensor.write_codes(&self.x).expect("codes");
        tensor
    }

    /// The weights.
    pub(crate) fn w_tensor(&self) -> QTensor {
        let [_, n, k] = self.shape;
        let mut tensor = self.pair.right.tensor([n, k]);
        tensor.write_codes(&self.w).expect("codes");
        tensor
    }

    /// The input as unsigned bytes, the lowest code being 0.
    pub(crate) fn x_bytes(&self) -> Vec<u8> {
        let lowest = self.pair.left.lowest();
        self.x.iter().map(|x| u8::try_from(x - lowest).expect("a byte")).collect()
    }

    /// The weights as signed bytes: where they need nine bits, all but the last.
    pub(crate) fn w_bytes(&self) -> Vec<i8> {
        let halves = u32::from(self.halves_weights());
        self.w.iter().map(|w| i8::try_from(w >> halves).expect("a byte")).collect()
    }

    /// Both sides as floats.
    pub(crate) fn floats(&self) -> (Vec<f32>, Vec<f32>) {
        let floats = |codes: &[i16]| codes.iter().map(|code| f32::from(*code)).collect();
        (floats(&self.x), floats(&self.w))
    }

    fn halves_weights(&self) -> bool {
        self.pair.right.highest() > 127
    }

    /// What the sums of products of codes are, by oneDNN's products of bytes.
    pub(crate) fn sums(&self) -> Vec<i64> {
        let [m, n, k] = self.shape;
        let x = self.x_bytes();
        let product = |w: &[i8]| {
            let mut sums = vec![0; m * n];
            Onednn::new(self.shape, w).run(&x, &mut sums);
            sums.into_iter().map(i64::from).collect::<Vec<i64>>()
        };
        let mut sums = product(&self.w_bytes());
        if self.halves_weights() {
            let last: Vec<i8> = self.w.iter().map(|w| (w & 1) as i8).collect();
            for (sum, last) in sums.iter_mut().zip(product(&last)) {
                *sum = 2 * *sum + last;
            }
        }
        let lowest = i64::from(self.pair.left.lowest());
        let of_weights = self.w.chunks_exact(k).map(|row| row.iter().copied().map(i64::from).sum());
        let of_weights: Vec<i64> = of_weights.collect();
        for row in sums.chunks_exact_mut(n) {
            row.iter_mut().zip(&of_weights).for_each(|(sum, weights)| *sum += lowest * weights);
        }
        sums
    }
}
