//! Random matrices, and what their product is.

use caffe2_qtensor::{ErrorKind, PackedWeights, ProductMethod, ProductOptions, QTensor};

pub(crate) const METHODS: [ProductMethod; 4] =
    [ProductMethod::Popcount, ProductMethod::Ternary, ProductMethod::Bytes, ProductMethod::Planes];

pub(crate) fn options(threads: usize) -> ProductOptions {
    ProductOptions { method: None, threads, ..ProductOptions::default() }
}

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

    pub(crate) fn is_heads(&mut self) -> bool {
        self.below(2) == 0
    }

    /// From 1 to the limit.
    pub(crate) fn size(&mut self, limit: u64) -> usize {
        self.below(limit) as usize + 1
    }

    /// Between -1 and 1.
    pub(crate) fn number(&mut self) -> f64 {
        self.below(2_000_001) as f64 / 1e6 - 1.0
    }

    /// A number of bits and whether there is a sign.
    pub(crate) fn kind(&mut self) -> (u8, bool) {
        (self.below(8) as u8 + 1, self.is_heads())
    }

    /// Half the time none.
    pub(crate) fn added(&mut self, outputs: usize) -> Vec<f32> {
        let count = if self.is_heads() { outputs } else { 0 };
        (0..count).map(|_| self.number() as f32).collect()
    }
}

/// Which of its codes a matrix has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Codes {
    Any,
    /// The two outermost ones.
    Outermost,
    Highest,
    Lowest,
}

pub(crate) struct Case {
    pub(crate) x: QTensor,
    pub(crate) w: QTensor,
    pub(crate) x_codes: Vec<i64>,
    pub(crate) w_codes: Vec<i64>,
    pub(crate) rows: usize,
    pub(crate) outputs: usize,
    pub(crate) columns: usize,
}

/// A matrix of random parameters.
pub(crate) fn matrix(
    random: &mut Random,
    dims: &[i64],
    (precision, is_signed): (u8, bool),
    which: Codes,
) -> (QTensor, Vec<i64>) {
    let mut tensor = QTensor::with_shape(dims, precision, is_signed).unwrap();
    let highest = (1i64 << precision) - 1;
    let lowest = if is_signed { -highest } else { 0 };
    let codes: Vec<i64> = (0..tensor.size())
        .map(|_| match which {
            Codes::Any => lowest + random.below((highest - lowest) as u64 + 1) as i64,
            Codes::Outermost if random.is_heads() => lowest,
            Codes::Outermost | Codes::Highest => highest,
            Codes::Lowest => lowest,
        })
        .collect();
    tensor.write_codes(&codes).unwrap();
    tensor.set_scale(random.number());
    tensor.set_bias(if random.is_heads() { 0.0 } else { random.number() * 64.0 });
    (tensor, codes)
}

impl Case {
    /// Rows, outputs and columns of any kind.
    pub(crate) fn new(random: &mut Random, shape: (usize, usize, usize)) -> Case {
        let which = if random.below(4) == 0 { Codes::Outermost } else { Codes::Any };
        let kinds = [random.kind(), random.kind()];
        Case::of(random, shape, kinds, [which; 2])
    }

    pub(crate) fn of(
        random: &mut Random,
        (rows, outputs, columns): (usize, usize, usize),
        kinds: [(u8, bool); 2],
        codes: [Codes; 2],
    ) -> Case {
        let (m, n, k) = (rows as i64, outputs as i64, columns as i64);
        let (x, x_codes) = matrix(random, &[m, k], kinds[0], codes[0]);
        let (mut w, w_codes) = matrix(random, &[n, k], kinds[1], codes[1]);
        if random.is_heads() {
            let scales: Vec<f64> = (0..outputs).map(|_| random.number()).collect();
            let biases: Vec<f64> = (0..outputs).map(|_| random.number() * 64.0).collect();
            w.set_channels(0, &scales, &biases).unwrap();
        }
        Case { x, w, x_codes, w_codes, rows, outputs, columns }
    }

    pub(crate) fn packed(&self) -> PackedWeights {
        PackedWeights::new(&self.w).unwrap()
    }

    pub(crate) fn count(&self) -> usize {
        self.rows * self.outputs
    }

    fn row<'a>(&self, codes: &'a [i64], row: usize) -> &'a [i64] {
        &codes[row * self.columns..][..self.columns]
    }

    /// The definition.
    pub(crate) fn sums(&self) -> Vec<i128> {
        let mut sums = Vec::new();
        for m in 0..self.rows {
            for n in 0..self.outputs {
                let pairs = self.row(&self.x_codes, m).iter().zip(self.row(&self.w_codes, n));
                sums.push(pairs.map(|(x, w)| i128::from(*x) * i128::from(*w)).sum());
            }
        }
        sums
    }

    pub(crate) fn scale_and_bias(&self, n: usize) -> (f64, f64) {
        if self.w.is_multiparam() {
            (self.w.channel_scales()[n], self.w.channel_biases()[n])
        } else {
            (self.w.scale(), self.w.bias())
        }
    }

    /// What makes up a value before it is multiplied with the scales: the sum of products of codes,
    /// and three terms of biases.
    pub(crate) fn terms(&self, sum: i128, m: usize, n: usize) -> [f64; 4] {
        let total = |codes: &[i64]| codes.iter().sum::<i64>() as f64;
        let (b, (_, c)) = (self.x.bias(), self.scale_and_bias(n));
        [
            sum as f64,
            c * total(self.row(&self.x_codes, m)),
            b * total(self.row(&self.w_codes, n)),
            self.columns as f64 * (b * c),
        ]
    }

    /// Whether a method takes these precisions.
    pub(crate) fn takes(&self, method: ProductMethod) -> bool {
        let is_ternary = |tensor: &QTensor| tensor.precision() == 1 && tensor.is_signed();
        method != ProductMethod::Ternary || (is_ternary(&self.x) && is_ternary(&self.w))
    }

    /// Every method's sums against the definition, and its values against double precision.
    pub(crate) fn check(&self, random: &mut Random, threads: usize) {
        let packed = self.packed();
        assert_eq!((packed.rows(), packed.columns()), (self.outputs, self.columns));
        let expected = self.sums();
        let added = random.added(self.outputs);
        let mut values = vec![f32::NAN; self.count()];
        packed.product(&self.x, &added, &mut values, &options(threads)).unwrap();
        self.check_values(&values, &expected, &added);
        for method in METHODS {
            let options =
                ProductOptions { method: Some(method), threads, ..ProductOptions::default() };
            let (mut sums, mut same) = (vec![-1i64; self.count()], vec![f32::NAN; self.count()]);
            let done = packed.product_sums(&self.x, &mut sums, &options);
            if !self.takes(method) {
                assert_eq!(done.unwrap_err().kind(), ErrorKind::Unsupported);
                continue;
            }
            done.unwrap();
            let differs = sums.iter().zip(&expected).position(|(a, b)| i128::from(*a) != *b);
            assert_eq!(differs, None, "{method:?}: {self:?}");
            self.check_narrow(&packed, &sums, &options);
            packed.product(&self.x, &added, &mut same, &options).unwrap();
            assert!(values == same, "{method:?}: {self:?}");
        }
    }

    /// Sums of 32 bits: the same, or refused where codes of these precisions could make larger ones.
    fn check_narrow(&self, packed: &PackedWeights, sums: &[i64], options: &ProductOptions) {
        let mut narrow = vec![7i32; sums.len()];
        let done = packed.product_sums(&self.x, &mut narrow, options);
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

    fn check_values(&self, values: &[f32], sums: &[i128], added: &[f32]) {
        for (at, value) in values.iter().enumerate() {
            let (m, n) = (at / self.outputs, at % self.outputs);
            let added = added.get(n).copied().map_or(0.0, f64::from);
            let scale = self.x.scale() * self.scale_and_bias(n).0;
            let terms = self.terms(sums[at], m, n);
            let sum = scale * terms.iter().sum::<f64>() + added;
            let magnitudes = terms.iter().map(|term| (scale * term).abs()).sum::<f64>();
            // A value is rounded to a float, and what makes it up to doubles.
            let bound = (magnitudes + added.abs()) * 2f64.powi(-48) + sum.abs() * 2f64.powi(-24);
            let error = (f64::from(*value) - sum).abs();
            assert!(error <= bound + 1e-45, "{value} instead of {sum} at {m}, {n}: {self:?}");
        }
    }
}

impl std::fmt::Debug for Case {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shape = (self.rows, self.outputs, self.columns);
        write!(formatter, "{shape:?} of {:?} and {:?}", self.x, self.w)
    }
}
