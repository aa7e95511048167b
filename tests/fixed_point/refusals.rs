//! What elementwise operations refuse; the tensor that was to be written is as it was.

use crate::random::codes_of;
use caffe2_qtensor::{ErrorKind, FixedOptions, FixedRounding, QTensor};

const NEAREST: FixedOptions = FixedOptions { rounding: FixedRounding::Nearest, threads: 1 };
const DNNLOWP: FixedOptions = FixedOptions { rounding: FixedRounding::Dnnlowp, threads: 1 };

fn tensor(dims: &[i64]) -> QTensor {
    let mut tensor = QTensor::with_shape(dims, 4, true).unwrap();
    let codes: Vec<i64> = (0..tensor.size() as i64).map(|code| code % 16).collect();
    tensor.write_codes(&codes).unwrap();
    tensor
}

/// A change of a tensor that makes it unfit for an operation.
type Change = fn(&mut QTensor);

/// Runs every operation with the change made to each of its tensors.
fn refused_everywhere(change: Change, options: &FixedOptions, kind: ErrorKind) {
    for part in 0..3 {
        let [mut a, mut b, mut out] = [tensor(&[2, 3]), tensor(&[2, 3]), tensor(&[2, 3])];
        change([&mut a, &mut b, &mut out].into_iter().nth(part).unwrap());
        let before = codes_of(&out);
        let mut results = vec![out.multiply(&a, &b, options)];
        if options.rounding == FixedRounding::Nearest {
            results.push(out.add(&a, &b, options));
        }
        if part != 1 {
            results.push(out.requantize(&a, options));
            results.push(out.relu(&a, options));
            results.push(out.clamp(&a, -1.0, 1.0, options));
        }
        for result in results {
            assert_eq!(result.unwrap_err().kind(), kind);
        }
        assert_eq!(codes_of(&out), before);
    }
}

#[test]
fn tensors_that_do_not_fit() {
    let everywhere = |change, kind| refused_everywhere(change, &NEAREST, kind);
    everywhere(|t| t.resize(&[3, 2]).unwrap(), ErrorKind::ShapeMismatch);
    everywhere(|t| t.resize(&[6]).unwrap(), ErrorKind::ShapeMismatch);
    everywhere(|t| t.resize(&[2, 3, 1]).unwrap(), ErrorKind::ShapeMismatch);
    everywhere(|t| t.set_precision(0).unwrap(), ErrorKind::OutOfRange);
    everywhere(|t| t.set_precision(17).unwrap(), ErrorKind::OutOfRange);
    everywhere(|t| t.set_logarithmic(true).unwrap(), ErrorKind::Unsupported);
    everywhere(|t| t.set_scale(0.0), ErrorKind::InvalidArgument);
    everywhere(|t| t.set_scale(f64::NAN), ErrorKind::NonFinite);
    everywhere(|t| t.set_scale(f64::NEG_INFINITY), ErrorKind::NonFinite);
    everywhere(|t| t.set_bias(f64::INFINITY), ErrorKind::NonFinite);
    everywhere(|t| t.set_bias(1e300), ErrorKind::Overflow);
    everywhere(|t| t.set_channels(0, &[1.0, f64::NAN], &[0.0; 2]).unwrap(), ErrorKind::NonFinite);
    everywhere(
        |t| t.set_channels(1, &[1.0, 0.0, 1.0], &[0.0; 3]).unwrap(),
        ErrorKind::InvalidArgument,
    );
    // Channels that no longer fit: a resize keeps them.
    everywhere(
        |t| {
            t.set_channels(0, &[1.0; 2], &[0.0; 2]).unwrap();
            t.resize(&[3, 2]).unwrap();
        },
        ErrorKind::ShapeMismatch,
    );
}

#[test]
fn what_dnnlowp_cannot_do() {
    let everywhere = |change, kind| refused_everywhere(change, &DNNLOWP, kind);
    everywhere(|t| t.set_bias(0.5), ErrorKind::Unsupported);
    everywhere(|t| t.set_bias(-2_147_483_648.0), ErrorKind::Unsupported);
    everywhere(|t| t.set_scale(-1.0), ErrorKind::Unsupported);
    everywhere(|t| t.set_scale(1e39), ErrorKind::Unsupported);
    everywhere(|t| t.set_scale(1e-39), ErrorKind::Unsupported);
    let [a, b, mut out] = [tensor(&[4]), tensor(&[4]), tensor(&[4])];
    assert_eq!(out.add(&a, &b, &DNNLOWP).unwrap_err().kind(), ErrorKind::Unsupported);

    // The quotient of the scales, from 2^-33 to below 2^30.
    let mut x = tensor(&[4]);
    let mut with_scale = |scale: f64| {
        x.set_scale(scale);
        out.requantize(&x, &DNNLOWP).map_err(|error| error.kind())
    };
    assert_eq!(with_scale(2f64.powi(-33)), Ok(()));
    assert_eq!(with_scale(2f64.powi(-34)), Err(ErrorKind::Unsupported));
    assert_eq!(with_scale(2f64.powi(29)), Ok(()));
    assert_eq!(with_scale(2f64.powi(30)), Err(ErrorKind::Unsupported));

    // Codes with their biases, and products of them, have 32 bits.
    let mut x = tensor(&[4]);
    let mut with_bias = |bias: f64| {
        x.set_bias(bias);
        out.requantize(&x, &DNNLOWP).map_err(|error| error.kind())
    };
    assert_eq!(with_bias(2_147_483_647.0 - 15.0), Ok(()));
    assert_eq!(with_bias(2_147_483_647.0 - 14.0), Err(ErrorKind::Overflow));
    assert_eq!(with_bias(-2_147_483_647.0 + 15.0), Ok(()));
    assert_eq!(with_bias(-2_147_483_647.0 + 14.0), Err(ErrorKind::Overflow));
    let mut x = QTensor::with_shape(&[4], 16, false).unwrap();
    assert_eq!(out.multiply(&x, &x, &DNNLOWP).unwrap_err().kind(), ErrorKind::Overflow);
    x.set_precision(15).unwrap();
    out.multiply(&x, &x, &DNNLOWP).unwrap();
}

#[test]
fn numbers_that_could_overflow() {
    let [mut a, b, mut out] = [tensor(&[4]), tensor(&[4]), tensor(&[4])];
    let overflow = Err(ErrorKind::Overflow);
    let mut with = |scale: f64, bias: f64| {
        a.set_scale(scale);
        a.set_bias(bias);
        let kind = |result: Result<(), caffe2_qtensor::Error>| result.map_err(|error| error.kind());
        let first = kind(out.requantize(&a, &NEAREST));
        assert_eq!(kind(out.add(&a, &b, &NEAREST)), first);
        (first, kind(out.multiply(&a, &b, &NEAREST)))
    };
    assert_eq!(with(2f64.powi(28) - 1.0, 0.0), (Ok(()), Ok(())));
    assert_eq!(with(2f64.powi(28), 0.0), (Ok(()), overflow));
    assert_eq!(with(-2f64.powi(39), 0.0), (Ok(()), overflow));
    assert_eq!(with(-2f64.powi(40), 0.0), (overflow, overflow));
    assert_eq!(with(f64::MAX, 0.0), (overflow, overflow));
    assert_eq!(with(1.0, 2f64.powi(43)), (Ok(()), Ok(())));
    assert_eq!(with(1.0, 2f64.powi(44)), (Ok(()), overflow));
    assert_eq!(with(2.0, 2f64.powi(58)), (Ok(()), overflow));
    assert_eq!(with(2.0, -2f64.powi(59)), (overflow, overflow));
    // The smallest scales, and those whose codes all come to 0.
    assert_eq!(with(f64::from_bits(1), 1e300), (Ok(()), Ok(())));
    assert_eq!(codes_of(&out), [0; 4]);
}

#[test]
fn limits() {
    let (x, mut out) = (tensor(&[4]), tensor(&[4]));
    let mut clamp = |low: f64, high: f64| {
        let result = out.clamp(&x, low, high, &NEAREST).map_err(|error| error.kind());
        (result, codes_of(&out))
    };
    let invalid = Err(ErrorKind::InvalidArgument);
    let before = vec![0, 1, 2, 3];
    assert_eq!(clamp(1.0, 0.5), (invalid, before.clone()));
    assert_eq!(clamp(f64::NAN, 0.5), (invalid, before.clone()));
    assert_eq!(clamp(0.0, f64::NAN), (invalid, before.clone()));
    assert_eq!(clamp(f64::NEG_INFINITY, f64::INFINITY), (Ok(()), before.clone()));
    assert_eq!(clamp(-f64::MAX, f64::MAX), (Ok(()), before));
    assert_eq!(clamp(0.6, 2.5), (Ok(()), vec![1, 1, 2, 2]));
    assert_eq!(clamp(f64::INFINITY, f64::INFINITY), (Ok(()), vec![15; 4]));
    assert_eq!(clamp(-f64::MAX, -f64::MAX), (Ok(()), vec![-15; 4]));
    out.set_scale(-0.5);
    out.clamp(&x, 0.6, f64::INFINITY, &NEAREST).unwrap();
    assert_eq!(codes_of(&out), [-1, -2, -4, -6]);
    out.relu(&x, &NEAREST).unwrap();
    assert_eq!(codes_of(&out), [0, -2, -4, -6]);
}

#[test]
fn nothing_to_do() {
    for dims in [&[][..], &[0], &[2, 0]] {
        let [a, b, mut out] = [tensor(dims), tensor(dims), tensor(dims)];
        out.requantize(&a, &NEAREST).unwrap();
        out.add(&a, &b, &NEAREST).unwrap();
        out.multiply(&a, &b, &DNNLOWP).unwrap();
    }
    let (mut a, mut out) = (tensor(&[0, 2]), tensor(&[0, 2]));
    a.set_channels(0, &[], &[]).unwrap();
    out.relu(&a, &NEAREST).unwrap();
    out.set_channels(1, &[1.0; 2], &[0.0; 2]).unwrap();
    assert_eq!(out.relu(&a, &NEAREST).unwrap_err().kind(), ErrorKind::Unsupported);
}

#[test]
fn channels_along_one_dimension() {
    let [mut a, mut b, mut out] = [tensor(&[2, 3]), tensor(&[2, 3]), tensor(&[2, 3])];
    a.set_channels(0, &[1.0; 2], &[0.0; 2]).unwrap();
    out.requantize(&a, &NEAREST).unwrap();
    out.set_channels(1, &[1.0; 3], &[0.0; 3]).unwrap();
    let error = out.requantize(&a, &NEAREST).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("channel axis of 'out'"), "{error}");
    out.clear_channels();
    b.set_channels(1, &[1.0; 3], &[0.0; 3]).unwrap();
    assert_eq!(out.add(&a, &b, &NEAREST).unwrap_err().kind(), ErrorKind::Unsupported);
    assert_eq!(out.multiply(&a, &b, &NEAREST).unwrap_err().kind(), ErrorKind::Unsupported);
    assert_eq!(out.multiply(&b, &b, &NEAREST), Ok(()));
}
