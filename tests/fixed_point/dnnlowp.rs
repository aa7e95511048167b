//! Bit for bit what dnnlowp's formula gives.

use crate::random::{Random, codes_of};
use caffe2_qtensor::{FixedOptions, FixedRounding, QTensor};

fn options(random: &mut Random) -> FixedOptions {
    FixedOptions { rounding: FixedRounding::Dnnlowp, threads: random.below(3) as usize }
}

/// fbgemm's ChooseRequantizationMultiplier at 32 bits, of a positive number.
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

fn requantized(a: i128, real: f32, out: &QTensor) -> i64 {
    let (factor, shift) = multiplier(real);
    let high = (1i128 << out.precision()) - 1;
    let low = if out.is_signed() { -high } else { 0 };
    let code = ((a * factor + (1 << (shift - 1))) >> shift) - out.bias() as i128;
    code.clamp(low, high) as i64
}

/// A tensor whose scale is a float and whose bias minus a zero point.
fn tensor(random: &mut Random, dims: &[i64], most: i64) -> (QTensor, Vec<i128>) {
    let (precision, signed) = (random.between(1, most) as u8, random.below(2) == 1);
    let mut tensor = QTensor::with_shape(dims, precision, signed).unwrap();
    let scale = match random.below(3) {
        0 => 2f32.powi(random.between(-8, 8) as i32),
        _ => {
            ((1 << 23) + random.below(1 << 23)) as f32 * 2f32.powi(random.between(-28, -20) as i32)
        }
    };
    tensor.set_scale(f64::from(scale));
    let zero_point = random.between(-255, 255);
    tensor.set_bias(-zero_point as f64);
    let codes = random.codes(&mut tensor);
    (tensor, codes.iter().map(|code| i128::from(code - zero_point)).collect())
}

#[test]
fn twenty_thousand_of_each() {
    let mut random = Random(21);
    let mut products = 0;
    for _ in 0..20_000 {
        let dims = [random.between(1, 40)];
        let (x, centered) = tensor(&mut random, &dims, 16);
        let (mut out, _) = tensor(&mut random, &dims, 16);
        let real = x.scale() as f32 / out.scale() as f32;
        out.requantize(&x, &options(&mut random)).unwrap();
        let expected: Vec<i64> = centered.iter().map(|a| requantized(*a, real, &out)).collect();
        assert_eq!(codes_of(&out), expected, "{x:?} to {out:?}");

        out.relu(&x, &options(&mut random)).unwrap();
        let zero = requantized(0, real, &out);
        let rectified: Vec<i64> = expected.iter().map(|code| *code.max(&zero)).collect();
        assert_eq!(codes_of(&out), rectified);

        let (a, first) = tensor(&mut random, &dims, 12);
        let (b, second) = tensor(&mut random, &dims, 12);
        let real = a.scale() as f32 * b.scale() as f32 / out.scale() as f32;
        out.multiply(&a, &b, &options(&mut random)).unwrap();
        let pairs = first.iter().zip(&second);
        let expected: Vec<i64> = pairs.map(|(a, b)| requantized(a * b, real, &out)).collect();
        assert_eq!(codes_of(&out), expected, "{a:?} by {b:?} to {out:?}");
        products += expected.len();
    }
    assert!(products > 300_000);
}

/// The middle goes up, not to the even code.
#[test]
fn the_middle() {
    let mut x = QTensor::with_shape(&[5], 4, true).unwrap();
    x.write_codes(&[-3i64, -1, 1, 3, 5]).unwrap();
    let mut out = x.try_clone().unwrap();
    out.set_scale(2.0);
    out.requantize(&x, &FixedOptions::default()).unwrap();
    assert_eq!(codes_of(&out), [-2, 0, 0, 2, 2]);
    out.requantize(&x, &options(&mut Random(1))).unwrap();
    assert_eq!(codes_of(&out), [-1, 0, 1, 2, 3]);
}

/// The stated bound on scales that are any doubles.
#[test]
fn within_its_bound() {
    let mut random = Random(22);
    for _ in 0..5000 {
        let (mut x, _) = tensor(&mut random, &[30], 16);
        let (mut out, _) = tensor(&mut random, &[30], 16);
        for each in [&mut x, &mut out] {
            each.set_scale(each.scale() * (1.0 + random.below(1 << 40) as f64 / 2f64.powi(42)));
        }
        out.requantize(&x, &options(&mut random)).unwrap();
        let high = ((1u64 << out.precision()) - 1) as f64;
        let low = if out.is_signed() { -high } else { 0.0 };
        for (code, from) in codes_of(&out).into_iter().zip(codes_of(&x)) {
            let value = (from as f64 + x.bias()) * x.scale() / out.scale();
            let error = (code as f64 - (value - out.bias()).clamp(low, high)).abs();
            assert!(error <= 0.5 + 2f64.powi(-21) * value.abs(), "{code} for {value}");
        }
    }
}
