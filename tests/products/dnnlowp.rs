//! Products into codes bit for bit by dnnlowp's formula.

use crate::case::{Case, METHODS, Random, options};
use caffe2_qtensor::{ErrorKind, FixedRounding, PackedWeights, ProductOptions, QTensor};

fn by_dnnlowp(threads: usize) -> ProductOptions {
    ProductOptions { rounding: FixedRounding::Dnnlowp, ..options(threads) }
}

/// fbgemm's `ChooseRequantizationMultiplier` at 32 bits, of a positive number.
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
    let mut factor = f64::from(real * 2_147_483_648.0).round_ties_even() as i128;
    if factor == 1 << 31 {
        factor /= 2;
        shift -= 1;
    }
    (factor, shift)
}

/// A float, and minus a zero point.
fn parameters(random: &mut Random) -> (f64, f64) {
    let scale = match random.below(3) {
        0 => 2f32.powi(random.below(9) as i32 - 4),
        _ => (random.number().abs() as f32 + 0.001) * 2f32.powi(random.below(9) as i32 - 4),
    };
    (scale.into(), 255.0 - random.below(511) as f64)
}

/// Parameters along the last dimension of a result or the first of weights, or one pair.
fn set_parameters(random: &mut Random, tensor: &mut QTensor, axis: i32, outputs: usize) {
    let (scales, biases): (Vec<f64>, Vec<f64>) = (0..outputs).map(|_| parameters(random)).unzip();
    tensor.clear_channels();
    if random.is_heads() {
        tensor.set_channels(axis, &scales, &biases).unwrap();
    } else {
        tensor.set_scale(scales[0]);
        tensor.set_bias(biases[0]);
    }
}

fn of_output(tensor: &QTensor, n: usize) -> (f64, i128) {
    if tensor.is_multiparam() {
        (tensor.channel_scales()[n], tensor.channel_biases()[n] as i128)
    } else {
        (tensor.scale(), tensor.bias() as i128)
    }
}

/// The code of the sum of products of codes less their zero points, and what is added in units of the
/// scales of both sides.
fn expected(case: &Case, out: &QTensor, added: &[f32], at: usize) -> i64 {
    let (m, n) = (at / case.outputs, at % case.outputs);
    let ((scale, bias), (by, out_bias)) = (of_output(&case.w, n), of_output(out, n));
    let x = &case.x_codes[m * case.columns..][..case.columns];
    let w = &case.w_codes[n * case.columns..][..case.columns];
    let x_bias = case.x.bias() as i128;
    let products = x.iter().zip(w);
    let mut a: i128 =
        products.map(|(x, w)| (i128::from(*x) + x_bias) * (i128::from(*w) + bias)).sum();
    if let Some(added) = added.get(n) {
        a += (f64::from(*added) / (case.x.scale() * scale)).round_ties_even() as i128;
    }
    let (factor, shift) = multiplier(case.x.scale() as f32 * scale as f32 / by as f32);
    let code = ((a * factor + (1 << (shift - 1))) >> shift) - out_bias;
    let high = (1i128 << out.precision()) - 1;
    code.clamp(if out.is_signed() { -high } else { 0 }, high) as i64
}

#[test]
fn two_thousand_results() {
    let mut random = Random(14);
    let mut inside = 0;
    for number in 0..2000 {
        // Some with sums beyond 32 bits, some of more than a panel.
        let shape = match number % 100 {
            0 => (2, 3, 40_000),
            10 => (random.size(5), 70, random.size(70)),
            _ => (random.size(5), random.size(9), random.size(70)),
        };
        let mut case = Case::new(&mut random, shape);
        let (scale, bias) = parameters(&mut random);
        case.x.set_scale(scale);
        case.x.set_bias(bias);
        set_parameters(&mut random, &mut case.w, 0, case.outputs);
        let dims = [case.rows as i64, case.outputs as i64];
        let mut out = QTensor::with_shape(&dims, random.size(16) as u8, random.is_heads()).unwrap();
        set_parameters(&mut random, &mut out, 1, case.outputs);
        let added = random.added(case.outputs);
        let high = (1i64 << out.precision()) - 1;
        let codes: Vec<i64> =
            (0..case.count()).map(|at| expected(&case, &out, &added, at)).collect();
        inside += codes.iter().filter(|code| 0 < **code && **code < high).count();
        let packed = case.packed();
        for method in METHODS.into_iter().filter(|method| case.takes(*method)) {
            let options = ProductOptions { method: Some(method), ..by_dnnlowp(random.size(4)) };
            packed.product_codes(&case.x, &added, &mut out, &options).unwrap();
            let mut own = vec![0i64; case.count()];
            out.read_codes(&mut own).unwrap();
            assert!(own == codes, "{method:?}: {case:?} into {out:?}");
        }
    }
    assert!(inside > 1000, "{inside}");
}

#[test]
fn refuses_what_the_formula_cannot_take() {
    let mut x = QTensor::with_shape(&[1, 2], 4, true).unwrap();
    let mut w = QTensor::with_shape(&[1, 2], 4, true).unwrap();
    let mut out = QTensor::with_shape(&[1, 1], 8, true).unwrap();
    out.write_codes(&[77i64]).unwrap();
    let refused = |x: &QTensor, w: &QTensor, out: &mut QTensor, added: &[f32]| {
        let packed = PackedWeights::new(w).unwrap();
        let error = packed.product_codes(x, added, out, &by_dnnlowp(1)).unwrap_err();
        let mut code = [0i64];
        out.read_codes(&mut code).unwrap();
        assert_eq!(code, [77]);
        error.kind()
    };
    // Biases that are not minus a zero point.
    x.set_bias(0.5);
    assert_eq!(refused(&x, &w, &mut out, &[]), ErrorKind::Unsupported);
    x.set_bias(0.0);
    w.set_bias(3e9);
    assert_eq!(refused(&x, &w, &mut out, &[]), ErrorKind::Unsupported);
    w.set_bias(0.0);
    out.set_bias(-0.25);
    assert_eq!(refused(&x, &w, &mut out, &[]), ErrorKind::Unsupported);
    out.set_bias(0.0);
    // Multipliers that are too large, too small, or negative.
    for scale in [2f64.powi(-30), 2f64.powi(40), -1.0] {
        out.set_scale(scale);
        assert_eq!(refused(&x, &w, &mut out, &[]), ErrorKind::Unsupported, "{scale}");
    }
    out.set_scale(1.0);
    // More than 32 bits to add.
    assert_eq!(refused(&x, &w, &mut out, &[3e9]), ErrorKind::Unsupported);
    // Channels that are as they should be, but for one.
    out.set_channels(1, &[0.0], &[0.0]).unwrap();
    assert_eq!(refused(&x, &w, &mut out, &[]), ErrorKind::InvalidArgument);
}
