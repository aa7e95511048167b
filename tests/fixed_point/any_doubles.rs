//! Parameters of any mantissa and size against double precision, whose own error is allowed for.

use crate::random::{Random, codes_of};
use caffe2_qtensor::{FixedOptions, QTensor};

/// A tensor with codes, its scale between 2^(exponent - 1) and 2^exponent, and a bias below 1000.
fn tensor(random: &mut Random, dims: &[i64], exponent: i32) -> (QTensor, Vec<i64>) {
    let (precision, signed) = random.kind();
    let mut tensor = QTensor::with_shape(dims, precision, signed).unwrap();
    let fraction = |random: &mut Random| random.below(1 << 53) as f64 / (1u64 << 53) as f64;
    let scale = (0.5 + fraction(random) / 2.0) * 2f64.powi(exponent);
    tensor.set_scale(if random.below(4) == 0 { -scale } else { scale });
    tensor.set_bias(match random.below(3) {
        0 => 0.0,
        1 => random.between(-1000, 1000) as f64,
        _ => 2000.0 * fraction(random) - 1000.0,
    });
    let codes = random.codes(&mut tensor);
    (tensor, codes)
}

/// Checks codes against positions and the sums of the magnitudes that they were made of.
fn check(out: &QTensor, bound: f64, exact: impl Fn(usize) -> (f64, f64)) {
    let high = ((1u64 << out.precision()) - 1) as f64;
    let low = if out.is_signed() { -high } else { 0.0 };
    for (index, code) in codes_of(out).into_iter().enumerate() {
        let (position, magnitudes) = exact(index);
        let error = (code as f64 - position.clamp(low, high)).abs();
        let allowed = 0.5 + bound + magnitudes * 2f64.powi(-50);
        assert!(error <= allowed, "{code} for {position} at {index} of {out:?}");
    }
}

/// What a code and its bias are in steps of another scale, and the magnitudes of both.
fn term(x: &QTensor, code: i64, factor: f64) -> (f64, f64) {
    let magnitude = (code.abs() as f64 + x.bias().abs()) * factor.abs();
    ((code as f64 + x.bias()) * factor, magnitude)
}

#[test]
fn twenty_thousand_of_each() {
    let mut random = Random(11);
    let options = FixedOptions::default();
    for _ in 0..20_000 {
        let dims = [random.between(1, 40)];
        // As far as 2^-1010, where quotients are still those of normal numbers.
        let near = random.between(-1000, 1000) as i32;
        let apart = |random: &mut Random| random.between(-15, 15) as i32;
        let (a, a_codes) = tensor(&mut random, &dims, near);
        let next = (near + apart(&mut random)).clamp(-1010, 1010);
        let (b, b_codes) = tensor(&mut random, &dims, next);
        let next = (near + apart(&mut random)).clamp(-1010, 1010);
        let (mut out, _) = tensor(&mut random, &dims, next);

        out.requantize(&a, &options).unwrap();
        let of_a = |index: usize| term(&a, a_codes[index], a.scale() / out.scale());
        let of_b = |index: usize| term(&b, b_codes[index], b.scale() / out.scale());
        check(&out, 2f64.powi(-45), |index| {
            let (value, magnitude) = of_a(index);
            (value - out.bias(), magnitude + out.bias().abs())
        });
        let mut sum = out.try_clone().unwrap();
        sum.add(&a, &b, &options).unwrap();
        check(&sum, 2f64.powi(-45), |index| {
            let ((one, first), (other, second)) = (of_a(index), of_b(index));
            (one + other - out.bias(), first + second + out.bias().abs())
        });

        // Of factors whose product is near the result's scale.
        let (mut b, exponent) = (b, random.between(-30, 18) as i32);
        b.set_scale(b.scale() / a.scale());
        let scale = b.scale() * a.scale() * 2f64.powi(-exponent);
        if !scale.is_normal() || !b.scale().is_normal() {
            continue;
        }
        out.set_scale(scale);
        out.multiply(&a, &b, &options).unwrap();
        check(&out, 2f64.powi(-30), |index| {
            let factor = a.scale() / out.scale() * b.scale();
            let (value, magnitude) = term(&a, a_codes[index], factor);
            let (other, others) = term(&b, b_codes[index], 1.0);
            (value * other - out.bias(), magnitude * others + out.bias().abs())
        });
    }
}

/// Far more than a double's precision cancels.
#[test]
fn large_biases_cancel_exactly() {
    let mut x = QTensor::with_shape(&[3], 8, false).unwrap();
    x.write_codes(&[0, 7, 255]).unwrap();
    x.set_scale(0.75);
    x.set_bias(2f64.powi(56) + 64.0);
    let mut out = QTensor::with_shape(&[3], 16, true).unwrap();
    out.set_scale(0.375);
    out.set_bias(2f64.powi(57));
    out.requantize(&x, &FixedOptions::default()).unwrap();
    assert_eq!(codes_of(&out), [128, 142, 638]);
    // 2^56 + 64 and 7 are no double: the sum was an integer.
    out.add(&x, &x, &FixedOptions::default()).unwrap();
    assert_eq!(codes_of(&out), [65_535; 3]);
}
