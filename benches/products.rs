//! Matrix products on one core, the weights packed beforehand.
//!
//! `product/onednn/M1024/K1000/x8w7s/avx512` has codes of 8 bits on the left and of 7 bits and a sign
//! on the right, 1024 rows of 1000 columns, and 1024 outputs. Every product begins with the planes of
//! its input and ends with integers of 32 bits, where nothing else is said. The peers:
//!
//! - `onednn`: ready bytes to the same integers, with AVX-512 at most. Where oneDNN may use AMX, which
//!   is another machine than ours, the case is called `onednn_any`: `make bench` runs both;
//! - `onednn_floats`: the same against ours that ends with floats;
//! - `sgemm`: OpenBLAS's product of floats, against ours that ends with floats;
//! - `peak`: the same arithmetic on registers that are never loaded or stored. `peak_onednn` compares
//!   that one with oneDNN: what no kernel could exceed on this processor;
//! - `ragged`: ours with 1024 columns instead of 1000, a column's worth of time each; and instead of
//!   1001, of which few rows begin with a byte;
//! - `read_l3`, `read_dram`: reading the planes of the weights from there, for a single row of input.
//!
//! The sums of every product are compared with oneDNN's.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a benchmark that cannot go on should stop"
)]

mod support;

use caffe2_qtensor::kernels::Level;
use caffe2_qtensor::{PackedWeights, ProductMethod, ProductOptions, QTensor};
use std::hint::black_box;
use support::data::Aligned;
use support::limits::{self, Peak};
use support::operands::{Operands, Pair, pair, signed, unsigned};
use support::product_peer::{Onednn, Sgemm};
use support::{Runner, results};

const OUTPUTS: usize = 1024;

/// Rows and columns; the first is what a test run makes do with.
const SHAPES: [[usize; 2]; 8] = [
    [1, 256],
    [1, 1000],
    [1, 1024],
    [1, 4096],
    [1024, 256],
    [1024, 1000],
    [1024, 1024],
    [1024, 4096],
];

/// Columns that do not end with a word's bits, nor with a byte's, and those to compare them with.
const RAGGED: [usize; 2] = [1000, 1001];
const WHOLE: usize = 1024;

/// As many planes as bytes have, in codes that both sides take.
const BYTES: Pair = pair(unsigned(8), signed(7));

/// For many rows and for one.
const PAIRS: [Pair; 7] = [
    pair(unsigned(1), unsigned(1)),
    pair(unsigned(2), unsigned(1)),
    pair(unsigned(2), unsigned(2)),
    pair(signed(1), signed(1)),
    pair(unsigned(4), unsigned(4)),
    BYTES,
    pair(unsigned(8), signed(8)),
];

/// For one row alone.
const VECTOR_PAIRS: [Pair; 2] = [pair(unsigned(8), unsigned(4)), pair(unsigned(8), unsigned(8))];

/// Weights that are read from somewhere.
struct Stored {
    group: &'static str,
    /// Of all planes.
    bytes: usize,
    pair: Pair,
}

/// 8 MiB are beyond a core's second cache and within its third; 1 GiB is thrice what the largest third
/// caches hold for all their cores.
const STORED: [Stored; 7] = {
    const fn l3(pair: Pair) -> Stored {
        Stored { group: "read_l3", bytes: 8 << 20, pair }
    }
    const fn dram(pair: Pair) -> Stored {
        Stored { group: "read_dram", bytes: 1 << 30, pair }
    }
    let [four, eight] = VECTOR_PAIRS;
    [l3(PAIRS[0]), l3(four), l3(BYTES), l3(eight), dram(four), dram(BYTES), dram(eight)]
};

fn main() {
    let mut runner = Runner::from_args();
    for [rows, columns] in runner.some_of(&SHAPES) {
        for pair in pairs(*rows) {
            one(&mut runner, [*rows, OUTPUTS, *columns], pair);
        }
    }
    for rows in runner.some_of(&[1, 1024]) {
        for pair in pairs(*rows) {
            for columns in RAGGED {
                ragged(&mut runner, *rows, columns, pair);
            }
        }
    }
    for stored in runner.some_of(&STORED) {
        vector(&mut runner, stored);
    }
}

fn pairs(rows: usize) -> impl Iterator<Item = Pair> {
    let more: &[Pair] = if rows == 1 { &VECTOR_PAIRS } else { &[] };
    PAIRS.iter().chain(more).copied()
}

fn case(group: &str, [m, _, k]: [usize; 3], pair: Pair) -> String {
    format!("product/{group}/M{m}/K{k}/{}/{}", pair.name(), Level::best().name())
}

/// A product that is ready to be run.
struct Ours {
    weights: PackedWeights,
    input: QTensor,
    options: ProductOptions,
    sums: Aligned<i32>,
    values: Aligned<f32>,
}

impl Ours {
    fn new(operands: &Operands) -> Ours {
        Ours::with(operands.x_tensor(), &operands.w_tensor())
    }

    fn with(input: QTensor, weights: &QTensor) -> Ours {
        let weights = PackedWeights::new(weights).expect("weights");
        let columns = weights.columns();
        let count = input.size() / columns * weights.rows();
        let (sums, values) = (Aligned::filled(count, 0), Aligned::filled(count, 0.0));
        Ours { weights, input, options: ProductOptions::default(), sums, values }
    }

    fn run(&mut self) {
        let Ours { weights, input, options, sums, .. } = self;
        weights.product_sums::<i32>(black_box(input), sums, options).expect("sums");
    }

    fn run_to_floats(&mut self) {
        let Ours { weights, input, options, values, .. } = self;
        weights.product(black_box(input), &[], values, options).expect("values");
    }

    /// Compares every sum, and the value made of it.
    fn check(&mut self, runner: &Runner, case: &str, expected: impl Iterator<Item = i64>) {
        self.run();
        self.run_to_floats();
        let found = self.sums.iter().zip(self.values.iter());
        let wrong = found.zip(expected).filter(|((sum, value), expected)| {
            i64::from(**sum) != *expected || value.to_bits() != (*expected as f32).to_bits()
        });
        runner.check(case, self.sums.len(), wrong.count());
    }

    /// The limit of the arithmetic, and how much of it a product of two codes takes.
    fn peak(&self, pair: Pair) -> Option<(Peak, usize)> {
        match self.weights.method(&self.input, &self.options).expect("a method") {
            ProductMethod::Popcount => {
                Some((Peak::popcount()?, pair.left.planes() * pair.right.planes()))
            }
            ProductMethod::Ternary => Some((Peak::ternary()?, 1)),
            ProductMethod::Bytes => Some((Peak::bytes()?, 1)),
            // What limits it is reading the weights.
            ProductMethod::Planes => None,
        }
    }
}

/// A shape and a pair against oneDNN, the peak and OpenBLAS.
fn one(runner: &mut Runner, shape: [usize; 3], pair: Pair) {
    let [m, n, k] = shape;
    let operands = Operands::new(shape, pair);
    let mut ours = Ours::new(&operands);
    let bytes = m * k + n * k;
    ours.check(runner, &case("sums", shape, pair), operands.sums().into_iter());

    let (x, w) = (operands.x_bytes(), operands.w_bytes());
    let mut onednn = Onednn::new(shape, &w);
    let group = if Onednn::may_use_amx() { "onednn_any" } else { "onednn" };
    let mut sums = Aligned::filled(m * n, 0);
    let name = case(group, shape, pair);
    runner.pair(&name, bytes, group, || ours.run(), || onednn.run(black_box(&x), &mut sums));

    if m > 1 {
        let name = case(&format!("{group}_floats"), shape, pair);
        let theirs = || onednn.run(black_box(&x), &mut sums);
        runner.pair(&name, bytes, group, || ours.run_to_floats(), theirs);
    }
    if let (Some((peak, share)), true) = (ours.peak(pair), m > 1) {
        let times = (m * n * k * share) as f64 / peak.products as f64;
        let name = case("peak", shape, pair);
        runner.pair_scaled(&name, bytes, peak.name, times, || ours.run(), || peak.run());
        let theirs = || onednn.run(black_box(&x), &mut sums);
        let name = case(&format!("peak_{group}"), shape, pair);
        runner.pair_scaled(&name, bytes, group, 1.0 / times, || peak.run(), theirs);
    }
    if pair == BYTES {
        let sgemm = Sgemm::new();
        let (x, w) = operands.floats();
        let mut floats = Aligned::filled(m * n, 0.0);
        let theirs = || sgemm.run(shape, black_box(&x), &w, &mut floats);
        runner.pair(&case("sgemm", shape, pair), bytes, "sgemm", || ours.run_to_floats(), theirs);
    }
}

/// Rows that end within a word or a byte, against rows that do not.
fn ragged(runner: &mut Runner, rows: usize, ragged: usize, pair: Pair) {
    let shape = |columns| [rows, OUTPUTS, columns];
    let mut ours = Ours::new(&Operands::new(shape(ragged), pair));
    let mut whole = Ours::new(&Operands::new(shape(WHOLE), pair));
    let times = ragged as f64 / WHOLE as f64;
    let peer = format!("K{WHOLE}_x{}", results::significant(times));
    let bytes = (rows + OUTPUTS) * ragged;
    let name = case("ragged", shape(ragged), pair);
    runner.pair_scaled(&name, bytes, &peer, times, || ours.run(), || whole.run());
}

/// A single row of input and weights that come from a cache or from memory, against reading as many
/// planes: the tensor's own.
fn vector(runner: &mut Runner, stored: &Stored) {
    const COLUMNS: usize = 4096;
    let Stored { group, bytes, pair } = *stored;
    let operands = Operands::new([1, OUTPUTS, COLUMNS], pair);
    let outputs = bytes * 8 / (COLUMNS * pair.right.planes());
    let shape = [1, outputs, COLUMNS];

    // The same rows again and again, each time at another place.
    let block = operands.w_tensor();
    let mut weights = pair.right.tensor([outputs, COLUMNS]);
    let block_planes = block.data().expect("planes").chunks_exact(OUTPUTS * COLUMNS / 8);
    let planes = weights.mutable_data().expect("planes");
    assert_eq!(planes.len(), bytes, "the planes fill what was asked for");
    for (plane, of_block) in planes.chunks_exact_mut(outputs * COLUMNS / 8).zip(block_planes) {
        plane.chunks_exact_mut(of_block.len()).for_each(|rows| rows.copy_from_slice(of_block));
    }

    let mut ours = Ours::with(operands.x_tensor(), &weights);
    assert_eq!(ours.weights.nbytes(), bytes, "the packed weights are as large");
    let expected = operands.sums();
    let name = case(group, shape, pair);
    ours.check(runner, &name, expected.iter().copied().cycle());
    let planes = weights.data().expect("planes");
    let read = || {
        black_box(limits::read(black_box(planes)));
    };
    runner.pair(&name, bytes, "read", || ours.run(), read);
}
