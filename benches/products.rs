//! Matrix products on one core, the weights packed beforehand: against oneDNN's of bytes, and
//! OpenBLAS's of floats.
//!
//! `product/onednn/M1024/K1000/x8w7/avx512` has unsigned codes of 8 bits on the left and signed ones of 7 on
//! the right, which both sides take as they are; ours unpacks its input from planes, and gives
//! floats where oneDNN gives integers. Every result is compared first.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark that cannot go on should stop"
)]

mod support;

use caffe2_qtensor::kernels::Level;
use caffe2_qtensor::{PackedWeights, ProductOptions, QTensor};
use std::hint::black_box;
use support::Runner;
use support::data::{Aligned, Kind};
use support::product_peer::{Onednn, Sgemm};

const OUTPUTS: usize = 1024;

fn main() {
    let mut runner = Runner::from_args();
    for rows in [1024, 1] {
        for columns in [256, 1000, 1024, 4096] {
            for (left, right) in [(8, 7), (4, 4), (2, 2), (1, 1)] {
                run(&mut runner, [rows, OUTPUTS, columns], left, right);
            }
        }
    }
}

fn tensor(dims: [usize; 2], precision: u8, is_signed: bool, codes: &[i16]) -> QTensor {
    let mut tensor =
        QTensor::with_shape(&dims.map(|dim| dim as i64), precision, is_signed).unwrap();
    tensor.write_codes(codes).unwrap();
    tensor
}

/// Unsigned codes on the left; signed ones on the right, but for a single bit.
fn run(runner: &mut Runner, shape: [usize; 3], left: u8, right: u8) {
    let [m, n, k] = shape;
    let is_signed = right > 1;
    let x: Vec<u8> = Kind::Random.bytes(m * k).iter().map(|byte| byte >> (8 - left)).collect();
    let w: Vec<i8> = Kind::Random
        .bytes(n * k)
        .iter()
        .rev()
        .map(|byte| {
            let magnitude = (byte >> 1 >> (7 - right)) as i8;
            if is_signed && byte & 1 == 1 { -magnitude } else { magnitude }
        })
        .collect();
    let wide = |codes: &mut dyn Iterator<Item = i16>| codes.collect::<Vec<i16>>();
    let x_tensor = tensor([m, k], left, false, &wide(&mut x.iter().map(|x| i16::from(*x))));
    let w_tensor = tensor([n, k], right, is_signed, &wide(&mut w.iter().map(|w| i16::from(*w))));
    let packed = PackedWeights::new(&w_tensor).unwrap();
    let options = ProductOptions::default();
    let mut values = Aligned::filled(m * n, 0f32);
    let mut sums = Aligned::filled(m * n, 0i32);
    let mut onednn = Onednn::new(shape, &w);

    onednn.run(&x, &mut sums);
    packed.product(&x_tensor, &[], &mut values, &options).unwrap();
    let same = values.iter().zip(sums.iter()).all(|(value, sum)| *value == *sum as f32);
    assert!(same, "{shape:?} {left} {right}: the products differ");

    let level = Level::best().name();
    let case = |peer: &str| format!("product/{peer}/M{m}/K{k}/x{left}w{right}/{level}");
    let bytes = m * k + n * k;
    runner.pair(
        &case("onednn"),
        bytes,
        "onednn",
        || packed.product(black_box(&x_tensor), &[], &mut values, &options).unwrap(),
        || onednn.run(black_box(&x), &mut sums),
    );
    if (left, right) != (8, 7) {
        return;
    }
    let sgemm = Sgemm::new();
    let x: Vec<f32> = x.iter().map(|x| f32::from(*x)).collect();
    let w: Vec<f32> = w.iter().map(|w| f32::from(*w)).collect();
    let mut floats = Aligned::filled(m * n, 0f32);
    runner.pair(
        &case("sgemm"),
        bytes,
        "sgemm",
        || packed.product(black_box(&x_tensor), &[], &mut values, &options).unwrap(),
        || sgemm.run(shape, black_box(&x), &w, &mut floats),
    );
}
