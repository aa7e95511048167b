//! Products into codes: at most 1/2 and 2^-45 of the largest magnitude that went into a code from the
//! exact quotient, and clamped.

use crate::case::{Case, Codes, METHODS, Random, options};
use caffe2_qtensor::{ErrorKind, PackedWeights, ProductOptions, QTensor};

/// A result of random precision and sign, or of a given one, its scale such that some codes are
/// beyond the ends, or none.
fn result(random: &mut Random, case: &Case, largest: f64) -> QTensor {
    let (rows, outputs) = (case.rows as i64, case.outputs as i64);
    let dims: &[i64] = if random.is_heads() { &[rows, outputs] } else { &[rows, 1, outputs] };
    let precision = random.size(16) as u8;
    let mut out = QTensor::with_shape(dims, precision, random.is_heads()).unwrap();
    let highest = f64::from((1u32 << precision) - 1);
    let mut scale = || {
        let reach = [0.25, 1.0, 1.5, 1e4][random.below(4) as usize];
        let scale = (largest / highest * reach).max(1e-6);
        if random.below(4) == 0 { -scale } else { scale }
    };
    let scales: Vec<f64> = (0..case.outputs).map(|_| scale()).collect();
    let mut bias = || if random.is_heads() { 0.0 } else { random.number() * highest };
    let biases: Vec<f64> = (0..case.outputs).map(|_| bias()).collect();
    if random.is_heads() {
        out.set_channels(dims.len() as i32 - 1, &scales, &biases).unwrap();
    } else {
        out.set_scale(scales[0]);
        out.set_bias(biases[0]);
    }
    out
}

/// The exact quotient, the magnitude of what it is made of, both in double precision.
fn exact(case: &Case, out: &QTensor, sum: i128, at: usize, added: &[f32]) -> (f64, f64) {
    let (m, n) = (at / case.outputs, at % case.outputs);
    let (by, bias) = if out.is_multiparam() {
        (out.channel_scales()[n], out.channel_biases()[n])
    } else {
        (out.scale(), out.bias())
    };
    let scale = case.x.scale() * case.scale_and_bias(n).0;
    let mut terms = case.terms(sum, m, n).map(|term| scale * term / by).to_vec();
    terms.extend([added.get(n).map_or(0.0, |added| f64::from(*added) / by), -bias]);
    let magnitude = terms.iter().fold(0.0, |most: f64, term| most.max(term.abs()));
    (terms.iter().sum(), magnitude)
}

fn ends(out: &QTensor) -> (f64, f64) {
    let highest = f64::from((1u32 << out.precision()) - 1);
    (if out.is_signed() { -highest } else { 0.0 }, highest)
}

/// Codes by every method; how many of them were clamped.
fn check(random: &mut Random, case: &Case, threads: usize) -> usize {
    let (packed, sums) = (case.packed(), case.sums());
    let added = random.added(case.outputs);
    let mut values = vec![0f32; case.count()];
    packed.product(&case.x, &added, &mut values, &options(threads)).unwrap();
    let largest = values.iter().fold(0f32, |most, value| most.max(value.abs()));
    let mut out = result(random, case, largest.into());
    let (low, high) = ends(&out);
    if random.is_heads() {
        // Whatever was there is replaced, and padding bits become 0.
        out.mutable_data().unwrap().fill(0xff);
    }
    packed.product_codes(&case.x, &added, &mut out, &options(threads)).unwrap();
    let mut codes = vec![0i32; case.count()];
    out.read_codes(&mut codes).unwrap();
    let mut clamped = 0;
    for (at, (code, sum)) in codes.iter().zip(&sums).enumerate() {
        let (exact, magnitude) = exact(case, &out, *sum, at, &added);
        let error = (f64::from(*code) - exact.clamp(low, high)).abs();
        let bound = 0.5 + magnitude * 2f64.powi(-45);
        assert!(error <= bound, "{code} instead of {exact} at {at}: {case:?} into {out:?}");
        clamped += usize::from(exact < low || exact > high);
    }
    let mut written = out.try_clone().unwrap();
    written.mutable_data().unwrap().fill(0);
    written.write_codes(&codes).unwrap();
    assert!(out.data() == written.data(), "padding of {out:?}");
    for method in METHODS.into_iter().filter(|method| case.takes(*method)) {
        let options = ProductOptions { method: Some(method), threads, ..ProductOptions::default() };
        written.mutable_data().unwrap().fill(0x55);
        packed.product_codes(&case.x, &added, &mut written, &options).unwrap();
        assert!(out.data() == written.data(), "{method:?}: {case:?} into {out:?}");
    }
    clamped
}

#[test]
fn three_thousand_results() {
    let mut random = Random(7);
    let (mut clamped, mut codes) = (0, 0);
    for _ in 0..3000 {
        let shape = (random.size(9), random.size(9), random.size(70));
        let case = Case::new(&mut random, shape);
        clamped += check(&mut random, &case, 1);
        codes += case.count();
    }
    assert!(clamped > codes / 20 && clamped < codes / 2, "{clamped} of {codes} clamped");
}

#[test]
fn larger_ones() {
    let mut random = Random(8);
    for shape in [(1, 64, 500), (60, 65, 333), (3, 200, 100), (2, 3, 40_000), (1, 300, 15_000)] {
        for threads in [1, 4] {
            let case = Case::new(&mut random, shape);
            check(&mut random, &case, threads);
        }
        let codes = [Codes::Outermost; 2];
        let case = Case::of(&mut random, shape, [(1, true); 2], codes);
        check(&mut random, &case, 2);
    }
}

/// With scales that are powers of two and biases in halves nothing rounds but the code itself.
#[test]
fn the_middle_goes_to_the_even_code() {
    let mut random = Random(9);
    let mut middles = 0;
    for _ in 0..500 {
        let shape = (random.size(4), random.size(70), random.size(9));
        let mut case = Case::new(&mut random, shape);
        case.w.clear_channels();
        case.w.set_scale(0.25);
        case.w.set_bias(random.below(9) as f64 / 2.0 - 2.0);
        case.x.set_scale(-2.0);
        case.x.set_bias(random.below(9) as f64 / 2.0 - 2.0);
        let dims = [case.rows as i64, case.outputs as i64];
        let mut out = QTensor::with_shape(&dims, random.size(16) as u8, true).unwrap();
        out.set_scale(2f64.powi(random.below(8) as i32));
        out.set_bias(random.below(9) as f64 / 2.0 - 2.0);
        let (low, high) = ends(&out);
        case.packed().product_codes(&case.x, &[], &mut out, &options(1)).unwrap();
        let mut codes = vec![0i32; case.count()];
        out.read_codes(&mut codes).unwrap();
        for (at, (code, sum)) in codes.iter().zip(case.sums()).enumerate() {
            let (exact, _) = exact(&case, &out, sum, at, &[]);
            let expected = exact.clamp(low, high).round_ties_even();
            assert!(f64::from(*code) == expected, "{code} instead of {exact}: {case:?}, {out:?}");
            middles += usize::from((exact * 2.0).fract() == 0.0 && exact.fract() != 0.0);
        }
    }
    assert!(middles > 1000, "{middles}");
}

#[test]
fn refused_results_stay_as_they_are() {
    let w = QTensor::with_shape(&[2, 3], 2, true).unwrap();
    let packed = PackedWeights::new(&w).unwrap();
    let x = QTensor::with_shape(&[4, 3], 8, false).unwrap();
    let result = |dims: &[i64], precision| QTensor::with_shape(dims, precision, true).unwrap();
    let refused = |out: &mut QTensor, added: &[f32]| {
        let before = out.mutable_data().map(|data| {
            data.fill(0x77);
            data.to_vec()
        });
        let error = packed.product_codes(&x, added, out, &options(1)).unwrap_err();
        assert_eq!(out.data().unwrap_or_default(), before.unwrap_or_default());
        error.kind()
    };
    assert_eq!(refused(&mut result(&[2, 4], 8), &[]), ErrorKind::ShapeMismatch);
    assert_eq!(refused(&mut result(&[3, 2], 8), &[]), ErrorKind::ShapeMismatch);
    assert_eq!(refused(&mut result(&[8], 8), &[]), ErrorKind::ShapeMismatch);
    assert_eq!(refused(&mut QTensor::new(), &[]), ErrorKind::ShapeMismatch);
    assert_eq!(refused(&mut result(&[4, 2], 0), &[]), ErrorKind::OutOfRange);
    assert_eq!(refused(&mut result(&[4, 2], 17), &[]), ErrorKind::OutOfRange);
    assert_eq!(refused(&mut result(&[4, 2], 8), &[1.0]), ErrorKind::ShapeMismatch);
    assert_eq!(refused(&mut result(&[4, 2], 8), &[1.0, f32::NAN]), ErrorKind::NonFinite);
    let mut out = result(&[4, 2], 8);
    out.set_scale(0.0);
    assert_eq!(refused(&mut out, &[]), ErrorKind::InvalidArgument);
    // Too small to divide by.
    out.set_scale(1e-310);
    assert_eq!(refused(&mut out, &[1.0, 0.0]), ErrorKind::NonFinite);
    out.set_scale(f64::INFINITY);
    assert_eq!(refused(&mut out, &[]), ErrorKind::NonFinite);
    out.set_scale(1.0);
    out.set_bias(f64::NAN);
    assert_eq!(refused(&mut out, &[]), ErrorKind::NonFinite);
    out.set_channels(0, &[1.0; 4], &[0.0; 4]).unwrap();
    assert_eq!(refused(&mut out, &[]), ErrorKind::Unsupported);
    out.set_channels(1, &[1.0, 0.0], &[0.0; 2]).unwrap();
    assert_eq!(refused(&mut out, &[]), ErrorKind::InvalidArgument);
    out.clear_channels();
    out.set_logarithmic(true).unwrap();
    assert_eq!(refused(&mut out, &[]), ErrorKind::Unsupported);
}
