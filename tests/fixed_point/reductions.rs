//! Dot products and the largest values of rows.

use crate::random::{Random, Sample, Spec};
use caffe2_qtensor::{ErrorKind, QTensor};

/// 256 times a code with its bias, times the numerator of the scale.
fn value(code: i64, spec: Spec) -> i128 {
    (256 * i128::from(code) + i128::from(spec.bias)) * i128::from(spec.numerator)
}

#[test]
fn twenty_thousand_dot_products() {
    let mut random = Random(31);
    for _ in 0..20_000 {
        let (shape, scale) = (random.shape(), random.between(-900, 900) as i32);
        let a = Sample::new(&mut random, shape, scale);
        let b = Sample::new(&mut random, shape, -scale);
        let codes = || a.codes.iter().zip(&b.codes);
        let sum: i128 = codes().map(|(a, b)| i128::from(*a) * i128::from(*b)).sum();
        assert_eq!(i128::from(a.tensor.dot_codes(&b.tensor).unwrap()), sum);

        // Exponents of both are within 4 of their middle, so their sum is at least -8.
        let specs = a.specs.iter().zip(&b.specs);
        let (mut sum, mut magnitudes) = (0i128, 0f64);
        for ((x, y), (a, b)) in codes().zip(specs) {
            let power = a.exponent + b.exponent + 8;
            sum += (value(*x, *a) * value(*y, *b)) << power;
            let terms = (256 * x.abs() + a.bias.abs()) * (256 * y.abs() + b.bias.abs());
            let scales = (a.numerator * b.numerator).abs() as f64;
            magnitudes += terms as f64 * scales * 2f64.powi(power);
        }
        let found = a.tensor.dot(&b.tensor).unwrap() * 2f64.powi(24);
        // The sum as two doubles, to look at the difference.
        let high = sum as f64;
        let low = (sum - high as i128) as f64;
        let error = ((found - high) - low).abs();
        let bound = 2f64.powi(-51) * high.abs() + 2f64.powi(-90) * magnitudes;
        assert!(error <= bound, "{found} for {sum}: {:?} {:?}", a.tensor, b.tensor);
        assert_eq!(found, b.tensor.dot(&a.tensor).unwrap() * 2f64.powi(24));
    }
}

#[test]
fn what_a_dot_product_refuses() {
    let tensor = |dims: &[i64]| QTensor::with_shape(dims, 16, true).unwrap();
    let (mut a, mut b) = (tensor(&[2, 3]), tensor(&[2, 3]));
    let kind = |a: &QTensor, b: &QTensor| {
        let codes = a.dot_codes(b).map_err(|error| error.kind());
        let values = a.dot(b).map_err(|error| error.kind());
        (codes.err(), values.err())
    };
    assert_eq!(kind(&a, &b), (None, None));
    let both = |kind| (Some(kind), Some(kind));
    assert_eq!(kind(&a, &tensor(&[3, 2])), both(ErrorKind::ShapeMismatch));
    assert_eq!(kind(&a, &tensor(&[6])), both(ErrorKind::ShapeMismatch));
    assert_eq!(kind(&tensor(&[0]), &tensor(&[0])), both(ErrorKind::InvalidArgument));
    assert_eq!(kind(&QTensor::new(), &QTensor::new()), both(ErrorKind::InvalidArgument));
    // Never written, so it takes no memory.
    let large = tensor(&[1 << 32]);
    assert_eq!(kind(&large, &large), both(ErrorKind::Overflow));

    a.set_channels(0, &[1.0; 2], &[0.0; 2]).unwrap();
    b.set_channels(1, &[1.0; 3], &[0.0; 3]).unwrap();
    assert_eq!(kind(&a, &b), (None, Some(ErrorKind::Unsupported)));
    b.clear_channels();
    b.set_bias(2f64.powi(60));
    assert_eq!(kind(&a, &b), (None, Some(ErrorKind::Overflow)));
    b.set_bias(1.0);
    b.set_scale(2f64.powi(1000));
    a.set_channels(0, &[2f64.powi(30); 2], &[1.0; 2]).unwrap();
    assert_eq!(kind(&a, &b), (None, Some(ErrorKind::NonFinite)));
    a.set_channels(0, &[2f64.powi(-1000); 2], &[1.0; 2]).unwrap();
    assert_eq!(a.dot(&b).unwrap(), 6.0);
    for (scale, refused) in [(f64::NAN, ErrorKind::NonFinite), (0.0, ErrorKind::InvalidArgument)] {
        b.set_scale(scale);
        assert_eq!(kind(&a, &b), both(refused));
    }
    b.set_scale(1.0);
    b.set_precision(17).unwrap();
    assert_eq!(kind(&a, &b), both(ErrorKind::OutOfRange));
    b.set_precision(3).unwrap();
    b.set_logarithmic(true).unwrap();
    assert_eq!(kind(&a, &b), both(ErrorKind::Unsupported));
}

/// Against values in double precision, which parameters of few bits make exact.
#[test]
fn twenty_thousand_times_the_largest() {
    let mut random = Random(32);
    for _ in 0..20_000 {
        let mut shape = random.shape();
        if random.below(50) == 0 {
            shape.0[2] = random.between(1000, 1100);
        }
        let x = Sample::new(&mut random, shape, 0);
        let columns = shape.0[2] as usize;
        let mut found = vec![-1; x.tensor.size() / columns];
        x.tensor.argmax(&mut found).unwrap();
        let value = |at: usize| x.specs[at].scale() * (x.codes[at] as f64 + x.specs[at].bias());
        for (row, index) in found.into_iter().enumerate() {
            let values: Vec<f64> = (0..columns).map(|at| value(row * columns + at)).collect();
            let largest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let expected = values.iter().position(|value| *value == largest).unwrap();
            assert_eq!(index, expected as i64, "{:?} {values:?}", x.tensor);
        }
    }
}

#[test]
fn a_negative_zero_is_a_zero() {
    let mut x = QTensor::with_shape(&[4], 2, true).unwrap();
    // The signs of the first two codes, whose magnitudes are 0.
    x.set_bit(2, 0, true).unwrap();
    x.set_bit(2, 1, true).unwrap();
    let mut index = [9];
    x.argmax(&mut index).unwrap();
    assert_eq!(index, [0]);
    x.set_scale(-1.0);
    x.argmax(&mut index).unwrap();
    assert_eq!(index, [0]);
}

#[test]
fn what_argmax_refuses() {
    let mut x = QTensor::with_shape(&[2, 3], 4, true).unwrap();
    let mut indices = [7; 3];
    let mut kind = |x: &QTensor, rows: usize| {
        let refused = x.argmax(&mut indices[..rows]).map_err(|error| error.kind()).err();
        assert_eq!(indices, [7; 3]);
        refused.unwrap()
    };
    assert_eq!(kind(&x, 1), ErrorKind::ShapeMismatch);
    assert_eq!(kind(&x, 3), ErrorKind::ShapeMismatch);
    let empty = |dims: &[i64]| QTensor::with_shape(dims, 4, true).unwrap();
    assert_eq!(kind(&empty(&[2, 0]), 2), ErrorKind::InvalidArgument);
    assert_eq!(kind(&empty(&[0, 2]), 0), ErrorKind::InvalidArgument);
    assert_eq!(kind(&QTensor::new(), 0), ErrorKind::InvalidArgument);
    x.set_scale(f64::INFINITY);
    assert_eq!(kind(&x, 2), ErrorKind::NonFinite);
    x.set_scale(0.0);
    assert_eq!(kind(&x, 2), ErrorKind::InvalidArgument);
    x.set_scale(1.0);
    x.set_precision(17).unwrap();
    assert_eq!(kind(&x, 2), ErrorKind::OutOfRange);
    x.set_precision(4).unwrap();
    x.set_logarithmic(true).unwrap();
    assert_eq!(kind(&x, 2), ErrorKind::Unsupported);
}
