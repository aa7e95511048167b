//! Codes by dnnlowp's formula, bit for bit, against the formula as it is written.

use crate::case::{Case, METHODS, Random};
use caffe2_qtensor::{ErrorKind, FixedRounding, ProductOptions, QTensor};

/// `ChooseRequantizationMultiplier` of fbgemm.
fn multiplier(mut real: f32) -> (i128, u32) {
    let mut shift = 31;
    while real < 0.5 {
        real *= 2.0;
        shift += 1;
    }
    while real > 1.0 {
        real /= 2.0;
        shift -= 1;
    }
    ((f64::from(real) * 2f64.powi(31)) as i128, shift)
}

/// Scales that are positive, biases that are integers.
fn integers(random: &mut Random, case: &mut Case) {
    let mut scale = || random.number().abs() / 64.0 + 1e-3;
    case.x.set_scale(scale());
    case.x.set_bias((scale() * 1e4).round());
    let scales: Vec<f64> = (0..case.outputs).map(|_| scale()).collect();
    let biases: Vec<f64> = scales.iter().map(|scale| -(scale * 1e4).round()).collect();
    if case.w.is_multiparam() {
        case.w.set_channels(0, &scales, &biases).unwrap();
    } else {
        case.w.set_scale(scales[0]);
        case.w.set_bias(biases[0]);
    }
}

fn check(random: &mut Random, shape: (usize, usize, usize)) -> usize {
    let mut case = Case::new(random, shape);
    integers(random, &mut case);
    let (packed, sums, added) = (case.packed(), case.sums(), random.added(case.outputs));
    let dims = [case.rows as i64, case.outputs as i64];
    let mut out = QTensor::with_shape(&dims, random.size(16) as u8, random.is_heads()).unwrap();
    let parameters: Vec<(f64, f64)> = (0..case.outputs)
        .map(|_| (random.number().abs() * 10.0 + 0.01, -(random.below(200) as f64)))
        .collect();
    let (scales, biases): (Vec<f64>, Vec<f64>) = parameters.iter().copied().unzip();
    let has_channels = random.is_heads();
    if has_channels {
        out.set_channels(1, &scales, &biases).unwrap();
    } else {
        out.set_scale(scales[0]);
        out.set_bias(biases[0]);
    }
    let highest = (1i128 << out.precision()) - 1;
    let lowest = if out.is_signed() { -highest } else { 0 };
    let mut clamped = 0;
    for method in METHODS.into_iter().filter(|method| case.takes(*method)) {
        let options = ProductOptions {
            method: Some(method),
            threads: random.size(3),
            rounding: FixedRounding::Dnnlowp,
        };
        packed.product_codes(&case.x, &added, &mut out, &options).unwrap();
        let mut codes = vec![0i64; case.count()];
        out.read_codes(&mut codes).unwrap();
        for (at, (code, sum)) in codes.iter().zip(&sums).enumerate() {
            let (m, n) = (at / case.outputs, at % case.outputs);
            let scale = case.scale_and_bias(n).0;
            let (by, bias) = parameters[if has_channels { n } else { 0 }];
            let terms = case.terms(*sum, m, n);
            // All of them are integers.
            // As fbgemm's Quantize does, by a reciprocal in single precision.
            let reciprocal = 1.0 / (case.x.scale() as f32 * scale as f32);
            let to_add = added.get(n).map_or(0.0, |added| added * reciprocal).round_ties_even();
            let a = terms.map(|term| term as i128).iter().sum::<i128>() + to_add as i128;
            let real = case.x.scale() as f32 * scale as f32 / by as f32;
            let (q, s) = multiplier(real);
            let code_due = (a * q + (1 << (s - 1))) >> s;
            let code_due = code_due + -bias as i128;
            clamped += usize::from(code_due < lowest || code_due > highest);
            let code_due = code_due.clamp(lowest, highest);
            assert_eq!(i128::from(*code), code_due, "at {at}: {case:?} into {out:?}");
        }
    }
    clamped
}

#[test]
fn two_thousand_results() {
    let mut random = Random(21);
    let mut clamped = 0;
    for _ in 0..2000 {
        let shape = (random.size(9), random.size(9), random.size(70));
        clamped += check(&mut random, shape);
    }
    assert!(clamped > 1000, "{clamped} clamped");
    for shape in [(1, 130, 300), (50, 65, 200), (2, 3, 20_000)] {
        check(&mut random, shape);
    }
}

#[test]
fn what_the_formula_cannot_take() {
    let mut random = Random(22);
    let mut case = Case::new(&mut random, (2, 3, 4));
    integers(&mut random, &mut case);
    let mut out = QTensor::with_shape(&[2, 3], 8, true).unwrap();
    let options = ProductOptions { rounding: FixedRounding::Dnnlowp, ..ProductOptions::default() };
    let refused = |case: &Case, out: &mut QTensor, added: &[f32], kind: ErrorKind| {
        let done = case.packed().product_codes(&case.x, added, out, &options);
        assert_eq!(done.unwrap_err().kind(), kind);
        assert!(out.data().is_none());
    };
    out.set_bias(0.5);
    refused(&case, &mut out, &[], ErrorKind::Unsupported);
    out.set_bias(3e9);
    refused(&case, &mut out, &[], ErrorKind::Unsupported);
    out.set_bias(0.0);
    out.set_scale(-1.0);
    refused(&case, &mut out, &[], ErrorKind::Unsupported);
    out.set_scale(1e30);
    refused(&case, &mut out, &[], ErrorKind::Unsupported);
    out.set_scale(1.0);
    refused(&case, &mut out, &[1e30; 3], ErrorKind::Unsupported);
    case.x.set_bias(1.25);
    refused(&case, &mut out, &[], ErrorKind::Unsupported);
    case.x.set_bias(0.0);
    case.w.clear_channels();
    case.w.set_bias(0.25);
    refused(&case, &mut out, &[], ErrorKind::Unsupported);
    // Integers of 32 bits, of which the products are beyond 64 with that many columns.
    let (wide, ends) = ([1, 1 << 20], 2_147_483_647.0);
    let mut case = Case { rows: 1, outputs: 1, columns: 1 << 20, ..case };
    case.x = QTensor::with_shape(&wide, 1, false).unwrap();
    case.w = QTensor::with_shape(&wide, 1, false).unwrap();
    case.x.set_bias(ends);
    case.w.set_bias(ends);
    let mut out = QTensor::with_shape(&[1, 1], 8, true).unwrap();
    refused(&case, &mut out, &[], ErrorKind::Overflow);
}
