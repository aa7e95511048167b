//! Each code within the stated bound of the exact position, a quotient of 128-bit integers.

use crate::random::{Random, Sample, Spec, codes_of};
use caffe2_qtensor::{FixedOptions, QTensor};

/// A position among the codes of the result.
#[derive(Clone, Copy, Debug)]
struct Ratio {
    numerator: i128,
    denominator: i128,
}

/// 256 times a code with its bias.
fn centered(code: i64, spec: Spec) -> i128 {
    256 * i128::from(code) + i128::from(spec.bias)
}

/// `value * 2^exponent / (2^bits * scale) - bias`, where the value and `bits` are those of a sum of
/// products.
fn position(value: i128, exponent: i32, bits: u32, out: Spec) -> Ratio {
    let power = exponent - out.exponent;
    let (mut numerator, mut denominator) = (value, i128::from(out.numerator) << bits);
    if power >= 0 {
        numerator <<= power
    } else {
        denominator <<= -power
    }
    if denominator < 0 {
        (numerator, denominator) = (-numerator, -denominator);
    }
    // Less the bias, in 256ths.
    Ratio {
        numerator: 256 * numerator - i128::from(out.bias) * denominator,
        denominator: 256 * denominator,
    }
}

impl Ratio {
    /// Whether a code is off by at most 1/2 + 2^-places from the position clamped to the range.
    fn is_near(self, code: i64, (low, high): (i128, i128), places: u32) -> bool {
        let Ratio { numerator, denominator } = self;
        let clamped = numerator.clamp(low * denominator, high * denominator);
        let error = (i128::from(code) * denominator - clamped).abs();
        // Both sides times 2^(places + 1).
        error << (places + 1) <= (denominator << places) + 2 * denominator
    }

    /// The code, where the position is exact in 62 binary places.
    fn nearest_even(self, (low, high): (i128, i128)) -> i128 {
        let floor = self.numerator.div_euclid(self.denominator);
        let twice = 2 * self.numerator.rem_euclid(self.denominator);
        let up = twice > self.denominator || twice == self.denominator && floor % 2 != 0;
        (floor + i128::from(up)).clamp(low, high)
    }
}

struct Checked {
    codes: usize,
    middles: usize,
}

impl Checked {
    fn check(&mut self, codes: &[i64], out: &Sample, places: u32, at: impl Fn(usize) -> Ratio) {
        for (index, code) in codes.iter().enumerate() {
            let exact = at(index);
            let range = out.range();
            assert!(
                exact.is_near(*code, range, places),
                "{code} for {exact:?} at {index} of {:?} with {:?}",
                out.tensor,
                out.specs[index]
            );
            if exact.denominator & (exact.denominator - 1) == 0 {
                assert_eq!(i128::from(*code), exact.nearest_even(range), "{exact:?}");
                let rest = 2 * exact.numerator.rem_euclid(exact.denominator);
                self.middles += usize::from(rest == exact.denominator);
            }
            self.codes += 1;
        }
    }
}

/// Far away from 1 in either direction, or near.
fn exponent(random: &mut Random) -> i32 {
    match random.below(4) {
        0 => random.between(-1000, 900) as i32,
        _ => random.between(-20, 20) as i32,
    }
}

fn options(random: &mut Random) -> FixedOptions {
    FixedOptions { threads: random.below(4) as usize, ..FixedOptions::default() }
}

/// A value in 64ths of steps of the result; also as an integer times a power of two.
fn limit(random: &mut Random, out: Spec) -> (f64, i128, i32) {
    let (value, exponent) = (random.between(-100_000, 100_000), out.exponent - 6);
    (value as f64 * 2f64.powi(exponent), i128::from(value), exponent)
}

#[test]
fn requantized_rectified_and_clamped() {
    let mut random = Random(1);
    let mut checked = Checked { codes: 0, middles: 0 };
    for case in 0..30_000 {
        let (shape, scale) = (random.shape(), exponent(&mut random));
        let x = Sample::new(&mut random, shape, scale);
        let apart = random.between(-12, 12) as i32;
        let mut out = Sample::new(&mut random, shape, scale + apart);
        let options = options(&mut random);
        let at = |out: &Sample, index: usize| {
            let (from, to) = (x.specs[index], out.specs[index]);
            let value = centered(x.codes[index], from) * i128::from(from.numerator);
            position(value, from.exponent, 8, to)
        };
        match case % 3 {
            0 => {
                out.tensor.requantize(&x.tensor, &options).unwrap();
                checked.check(&codes_of(&out.tensor), &out, 45, |index| at(&out, index));
            }
            1 => {
                out.tensor.relu(&x.tensor, &options).unwrap();
                checked.check(&codes_of(&out.tensor), &out, 45, |index| {
                    let mut exact = at(&out, index);
                    let zero = -i128::from(out.specs[index].bias) * exact.denominator;
                    let value = 256 * exact.numerator;
                    // Of a negative scale the lower codes are the larger values.
                    let rises = out.specs[index].numerator > 0;
                    exact.numerator = if rises { value.max(zero) } else { value.min(zero) };
                    exact.denominator *= 256;
                    exact
                });
            }
            _ => {
                let mut limits =
                    [limit(&mut random, out.specs[0]), limit(&mut random, out.specs[0])];
                limits.sort_by(|one, other| one.0.total_cmp(&other.0));
                let [low, high] = limits;
                out.tensor.clamp(&x.tensor, low.0, high.0, &options).unwrap();
                checked.check(&codes_of(&out.tensor), &out, 45, |index| {
                    let exact = at(&out, index);
                    let ends = [low, high]
                        .map(|(_, value, exponent)| position(value, exponent, 0, out.specs[index]));
                    clamped(exact, ends)
                });
            }
        }
    }
    println!("{} codes, {} in the middle", checked.codes, checked.middles);
    assert!(checked.codes > 1_000_000 && checked.middles > 1000);
}

/// A position between two others, in either order.
fn clamped(exact: Ratio, ends: [Ratio; 2]) -> Ratio {
    let below = |a: Ratio, b: Ratio| a.numerator * b.denominator < b.numerator * a.denominator;
    let [low, high] = if below(ends[1], ends[0]) { [ends[1], ends[0]] } else { ends };
    if below(exact, low) {
        low
    } else if below(high, exact) {
        high
    } else {
        exact
    }
}

#[test]
fn sums() {
    let mut random = Random(2);
    let mut checked = Checked { codes: 0, middles: 0 };
    for _ in 0..10_000 {
        let (shape, scale) = (random.shape(), exponent(&mut random));
        let a = Sample::new(&mut random, shape, scale);
        let apart = random.between(-8, 8) as i32;
        let b = Sample::new(&mut random, shape, scale + apart);
        let apart = random.between(-8, 8) as i32;
        let mut out = Sample::new(&mut random, shape, scale + apart);
        let options = options(&mut random);
        out.tensor.add(&a.tensor, &b.tensor, &options).unwrap();
        checked.check(&codes_of(&out.tensor), &out, 45, |index| {
            let (one, other) = (a.specs[index], b.specs[index]);
            let lowest = one.exponent.min(other.exponent);
            let term = |code, spec: Spec| {
                (centered(code, spec) * i128::from(spec.numerator)) << (spec.exponent - lowest)
            };
            let sum = term(a.codes[index], one) + term(b.codes[index], other);
            position(sum, lowest, 8, out.specs[index])
        });
    }
    println!("{} codes, {} in the middle", checked.codes, checked.middles);
    assert!(checked.codes > 300_000 && checked.middles > 300);
}

#[test]
fn products() {
    let mut random = Random(3);
    let mut checked = Checked { codes: 0, middles: 0 };
    for _ in 0..10_000 {
        let shape = random.shape();
        let scale = random.between(-400, 400) as i32;
        let a = Sample::new(&mut random, shape, scale);
        let apart = random.between(-5, 5) as i32;
        let b = Sample::new(&mut random, shape, apart - scale);
        let apart = random.between(0, 10) as i32;
        let mut out = Sample::new(&mut random, shape, 14 + apart);
        let options = options(&mut random);
        out.tensor.multiply(&a.tensor, &b.tensor, &options).unwrap();
        checked.check(&codes_of(&out.tensor), &out, 30, |index| {
            let (one, other) = (a.specs[index], b.specs[index]);
            let term = |code, spec: Spec| centered(code, spec) * i128::from(spec.numerator);
            let product = term(a.codes[index], one) * term(b.codes[index], other);
            position(product, one.exponent + other.exponent, 16, out.specs[index])
        });
    }
    println!("{} codes, {} in the middle", checked.codes, checked.middles);
    assert!(checked.codes > 300_000 && checked.middles > 100);
}

/// A tensor with itself.
#[test]
fn one_tensor_twice() {
    let mut random = Random(4);
    let mut x = QTensor::with_shape(&[77], 7, true).unwrap();
    x.set_bias(0.5);
    let codes = random.codes(&mut x);
    let mut out = QTensor::with_shape(&[77], 16, true).unwrap();
    out.add(&x, &x, &FixedOptions::default()).unwrap();
    for (found, code) in codes_of(&out).iter().zip(&codes) {
        assert_eq!(*found, 2 * code + 1);
    }
    out.set_scale(0.25);
    out.multiply(&x, &x, &FixedOptions::default()).unwrap();
    for (found, code) in codes_of(&out).iter().zip(&codes) {
        assert_eq!(*found, ((2 * code + 1) * (2 * code + 1)).min(65_535));
    }
}
