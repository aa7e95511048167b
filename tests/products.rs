//! Matrix products of random shapes, precisions, signs and parameters against the definition: sums
//! against 128-bit integers, values against double precision.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a test that fails may panic, and its numbers are its own"
)]

use caffe2_qtensor::{ErrorKind, PackedWeights, ProductMethod, ProductOptions, QTensor};

const METHODS: [ProductMethod; 4] =
    [ProductMethod::Popcount, ProductMethod::Ternary, ProductMethod::Bytes, ProductMethod::Planes];

fn options(threads: usize) -> ProductOptions {
    ProductOptions { method: None, threads }
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, count: u64) -> u64 {
        self.next() % count
    }

    /// Random codes, or only the outermost ones.
    fn tensor(&mut self, dims: &[i64], precision: u8, is_signed: bool) -> (QTensor, Vec<i64>) {
        let mut tensor = QTensor::with_shape(dims, precision, is_signed).unwrap();
        let largest = (1i64 << precision) - 1;
        let extreme = self.below(4) == 0;
        let codes: Vec<i64> = (0..tensor.size())
            .map(|_| {
                let code = if extreme { largest } else { self.below(largest as u64 + 1) as i64 };
                if is_signed && self.below(2) == 1 { -code } else { code }
            })
            .collect();
        tensor.write_codes(&codes).unwrap();
        tensor.set_scale(self.number());
        tensor.set_bias(if self.below(2) == 0 { 0.0 } else { self.number() * 64.0 });
        (tensor, codes)
    }

    /// Between -1 and 1.
    fn number(&mut self) -> f64 {
        self.below(2_000_001) as f64 / 1e6 - 1.0
    }
}

struct Case {
    x: QTensor,
    w: QTensor,
    x_codes: Vec<i64>,
    w_codes: Vec<i64>,
    rows: usize,
    outputs: usize,
    columns: usize,
}

impl Case {
    fn new(random: &mut Random, (rows, outputs, columns): (usize, usize, usize)) -> Case {
        let kind = |random: &mut Random| (random.below(8) as u8 + 1, random.below(2) == 1);
        let (precision, is_signed) = kind(random);
        let (m, n, k) = (rows as i64, outputs as i64, columns as i64);
        let (x, x_codes) = random.tensor(&[m, k], precision, is_signed);
        let (precision, is_signed) = kind(random);
        let (mut w, w_codes) = random.tensor(&[n, k], precision, is_signed);
        if random.below(2) == 0 {
            let scales: Vec<f64> = (0..outputs).map(|_| random.number()).collect();
            let biases: Vec<f64> = (0..outputs).map(|_| random.number() * 64.0).collect();
            w.set_channels(0, &scales, &biases).unwrap();
        }
        Case { x, w, x_codes, w_codes, rows, outputs, columns }
    }

    fn check(&self, random: &mut Random, threads: usize) {
        let packed = PackedWeights::new(&self.w).unwrap();
        assert_eq!((packed.rows(), packed.columns()), (self.outputs, self.columns));
        let count = self.rows * self.outputs;
        let (mut sums, mut values) = (vec![0i64; count], vec![0f32; count]);
        packed.product_sums(&self.x, &mut sums, &options(threads)).unwrap();
        self.check_narrow(&packed, &sums, threads);
        let added: Vec<f32> = (0..self.outputs).map(|_| random.number() as f32).collect();
        let added = if random.below(2) == 0 { &added[..] } else { &[] };
        packed.product(&self.x, added, &mut values, &options(threads)).unwrap();
        for method in METHODS {
            let options = ProductOptions { method: Some(method), threads };
            let (mut others, mut same) = (vec![-1; count], vec![f32::NAN; count]);
            let done = packed.product_sums(&self.x, &mut others, &options);
            if method == ProductMethod::Ternary && !self.is_ternary() {
                assert_eq!(done.unwrap_err().kind(), ErrorKind::Unsupported);
                continue;
            }
            done.unwrap();
            assert!(sums == others, "{method:?}: {self:?}");
            packed.product(&self.x, added, &mut same, &options).unwrap();
            assert!(values == same, "{method:?}: {self:?}");
        }
        for m in 0..self.rows {
            for n in 0..self.outputs {
                let x = &self.x_codes[m * self.columns..][..self.columns];
                let w = &self.w_codes[n * self.columns..][..self.columns];
                let sum: i128 = x.iter().zip(w).map(|(x, w)| i128::from(*x) * i128::from(*w)).sum();
                let at = m * self.outputs + n;
                assert_eq!(i128::from(sums[at]), sum, "{self:?} at {m}, {n}");
                let added = added.get(n).copied().map_or(0.0, f64::from);
                self.check_value(values[at], (x, w), n, added);
            }
        }
    }

    /// Sums of 32 bits: the same, or refused where codes of these precisions could make larger ones.
    fn check_narrow(&self, packed: &PackedWeights, sums: &[i64], threads: usize) {
        let mut narrow = vec![7i32; sums.len()];
        let done = packed.product_sums(&self.x, &mut narrow, &options(threads));
        let largest = |tensor: &QTensor| (1i64 << tensor.precision()) - 1;
        let most = largest(&self.x) * largest(&self.w) * self.columns as i64;
        if most > i64::from(i32::MAX) {
            assert_eq!(done.unwrap_err().kind(), ErrorKind::Overflow);
            assert!(narrow.iter().all(|sum| *sum == 7));
        } else {
            done.unwrap();
            assert!(narrow.iter().map(|sum| i64::from(*sum)).eq(sums.iter().copied()), "{self:?}");
        }
    }

    fn is_ternary(&self) -> bool {
        [&self.x, &self.w].iter().all(|tensor| tensor.precision() == 1 && tensor.is_signed())
    }

    /// The value of each code in double precision, their products and the sum of these.
    fn check_value(&self, value: f32, (x, w): (&[i64], &[i64]), n: usize, added: f64) {
        let (scale, bias) = if self.w.is_multiparam() {
            (self.w.channel_scales()[n], self.w.channel_biases()[n])
        } else {
            (self.w.scale(), self.w.bias())
        };
        let (mut sum, mut magnitudes) = (added, added.abs());
        for (x, w) in x.iter().zip(w) {
            let x = self.x.scale() * (*x as f64 + self.x.bias());
            let w = scale * (*w as f64 + bias);
            sum += x * w;
            // What rounds are the codes and the biases, also where their sum is small.
            magnitudes += self.x.scale().abs()
                * (255.0 + self.x.bias().abs())
                * scale.abs()
                * (255.0 + bias.abs());
        }
        let bound = magnitudes * 1e-13 + f64::from(value.abs()) * 6e-8 + 1e-44;
        let error = (f64::from(value) - sum).abs();
        assert!(error <= bound, "{value} instead of {sum}: {self:?}");
    }
}

impl std::fmt::Debug for Case {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shape = (self.rows, self.outputs, self.columns);
        write!(formatter, "{shape:?} of {:?} and {:?}", self.x, self.w)
    }
}

#[test]
fn twenty_thousand_products() {
    let mut random = Random(1);
    let mut products = 0;
    while products < 20_000 {
        let shape = (
            random.below(7) as usize + 1,
            random.below(9) as usize + 1,
            random.below(70) as usize + 1,
        );
        let case = Case::new(&mut random, shape);
        case.check(&mut random, 1);
        products += 1;
    }
}

#[test]
fn larger_ones_on_any_number_of_threads() {
    let mut random = Random(2);
    for shape in [(1, 1, 70_001), (2, 70, 131_073), (100, 130, 257), (97, 64, 1000), (1, 200, 4096)]
    {
        for _ in 0..4 {
            let case = Case::new(&mut random, shape);
            let packed = PackedWeights::new(&case.w).unwrap();
            case.check(&mut random, 1);
            let count = case.rows * case.outputs;
            let mut first = vec![0f32; count];
            packed.product(&case.x, &[], &mut first, &options(1)).unwrap();
            for threads in [0, 2, 3, 7, 1000] {
                let mut values = vec![f32::NAN; count];
                packed.product(&case.x, &[], &mut values, &options(threads)).unwrap();
                assert!(values == first, "{threads} threads: {case:?}");
            }
        }
    }
}

#[test]
fn dimensions_before_the_last_are_rows() {
    let mut random = Random(3);
    let (x, codes) = random.tensor(&[2, 3, 5], 4, true);
    let (flat, _) = (QTensor::with_shape(&[6, 5], 4, true), ());
    let mut flat = flat.unwrap();
    flat.write_codes(&codes).unwrap();
    let (w, _) = random.tensor(&[4, 5], 8, true);
    let packed = PackedWeights::new(&w).unwrap();
    let (mut sums, mut others) = ([0; 24], [0; 24]);
    packed.product_sums(&x, &mut sums, &options(1)).unwrap();
    packed.product_sums(&flat, &mut others, &options(1)).unwrap();
    assert_eq!(sums, others);
    let (row, _) = random.tensor(&[5], 8, true);
    packed.product_sums(&row, &mut sums[..4], &options(1)).unwrap();
    // Codes that were never written are 0.
    let zeros = QTensor::with_shape(&[6, 5], 8, true).unwrap();
    packed.product_sums(&zeros, &mut sums, &options(1)).unwrap();
    assert_eq!(sums, [0; 24]);
}

#[test]
fn refusals() {
    let weights = |dims: &[i64], precision| QTensor::with_shape(dims, precision, true).unwrap();
    let refused = |tensor: &QTensor| PackedWeights::new(tensor).unwrap_err();
    assert_eq!(refused(&weights(&[4], 2)).kind(), ErrorKind::ShapeMismatch);
    assert_eq!(refused(&weights(&[4, 2, 2], 2)).kind(), ErrorKind::ShapeMismatch);
    assert_eq!(refused(&weights(&[4, 0], 2)).kind(), ErrorKind::InvalidArgument);
    assert_eq!(refused(&weights(&[0, 4], 2)).kind(), ErrorKind::InvalidArgument);
    assert_eq!(refused(&weights(&[4, 4], 0)).kind(), ErrorKind::OutOfRange);
    assert_eq!(refused(&weights(&[4, 4], 9)).kind(), ErrorKind::OutOfRange);
    let mut w = weights(&[2, 3], 2);
    w.set_channels(1, &[1.0; 3], &[0.0; 3]).unwrap();
    assert_eq!(refused(&w).kind(), ErrorKind::InvalidArgument);
    w.set_channels(0, &[1.0, f64::NAN], &[0.0; 2]).unwrap();
    assert_eq!(refused(&w).kind(), ErrorKind::NonFinite);
    w.clear_channels();
    w.set_bias(f64::INFINITY);
    assert_eq!(refused(&w).kind(), ErrorKind::NonFinite);
    w.set_bias(0.0);
    w.set_logarithmic(true).unwrap();
    assert_eq!(refused(&w).kind(), ErrorKind::Unsupported);

    let packed = PackedWeights::new(&weights(&[2, 3], 2)).unwrap();
    let mut values = [7f32; 4];
    let mut x = weights(&[2, 3], 2);
    let mut refused = |x: &QTensor, added: &[f32], count: usize| {
        let kind = packed.product(x, added, &mut values[..count], &options(1)).unwrap_err().kind();
        assert_eq!(values, [7f32; 4]);
        kind
    };
    assert_eq!(refused(&x, &[], 3), ErrorKind::ShapeMismatch);
    assert_eq!(refused(&x, &[1.0], 4), ErrorKind::ShapeMismatch);
    assert_eq!(refused(&x, &[1.0, f32::NAN], 4), ErrorKind::NonFinite);
    assert_eq!(refused(&weights(&[3, 2], 2), &[], 4), ErrorKind::ShapeMismatch);
    assert_eq!(refused(&weights(&[0, 3], 2), &[], 4), ErrorKind::InvalidArgument);
    assert_eq!(refused(&weights(&[2, 0], 2), &[], 4), ErrorKind::InvalidArgument);
    assert_eq!(refused(&QTensor::new(), &[], 4), ErrorKind::InvalidArgument);
    assert_eq!(refused(&weights(&[2, 3], 9), &[], 4), ErrorKind::OutOfRange);
    x.set_scale(f64::NAN);
    assert_eq!(refused(&x, &[], 4), ErrorKind::NonFinite);
    x.set_scale(1.0);
    x.set_channels(0, &[1.0; 2], &[0.0; 2]).unwrap();
    assert_eq!(refused(&x, &[], 4), ErrorKind::Unsupported);
    // Their codes are the same.
    packed.product_sums(&x, &mut [0; 4], &options(1)).unwrap();
    x.clear_channels();
    x.set_logarithmic(true).unwrap();
    assert_eq!(refused(&x, &[], 4), ErrorKind::Unsupported);
}
