//! What products refuse, writing nothing.

use crate::case::options;
use caffe2_qtensor::{ErrorKind, PackedWeights, QTensor};

#[test]
fn weights_and_inputs() {
    let weights = |dims: &[i64], precision| QTensor::with_shape(dims, precision, true).unwrap();
    let refused = |tensor: &QTensor| PackedWeights::new(tensor).unwrap_err();
    assert_eq!(refused(&weights(&[4], 2)).kind(), ErrorKind::ShapeMismatch);
    assert_eq!(refused(&weights(&[4, 2, 2], 2)).kind(), ErrorKind::ShapeMismatch);
    assert_eq!(refused(&weights(&[4, 0], 2)).kind(), ErrorKind::InvalidArgument);
    assert_eq!(refused(&weights(&[0, 4], 2)).kind(), ErrorKind::InvalidArgument);
    assert_eq!(refused(&weights(&[4, 4], 0)).kind(), ErrorKind::OutOfRange);
    assert_eq!(refused(&weights(&[4, 4], 9)).kind(), ErrorKind::OutOfRange);
    let mut w = weights(&[2, 3], 2);
    w.set_channels(1, &[1.0; 3], &[0.0; 3]).unwrap();
    assert_eq!(refused(&w).kind(), ErrorKind::InvalidArgument);
    w.set_channels(0, &[1.0, f64::NAN], &[0.0; 2]).unwrap();
    assert_eq!(refused(&w).kind(), ErrorKind::NonFinite);
    w.clear_channels();
    w.set_bias(f64::INFINITY);
    assert_eq!(refused(&w).kind(), ErrorKind::NonFinite);
    w.set_bias(0.0);
    w.set_logarithmic(true).unwrap();
    assert_eq!(refused(&w).kind(), ErrorKind::Unsupported);

    let packed = PackedWeights::new(&weights(&[2, 3], 2)).unwrap();
    let mut values = [7f32; 4];
    let mut x = weights(&[2, 3], 2);
    let mut refused = |x: &QTensor, added: &[f32], count: usize| {
        let kind = packed.product(x, added, &mut values[..count], &options(1)).unwrap_err().kind();
        assert_eq!(values, [7f32; 4]);
        kind
    };
    assert_eq!(refused(&x, &[], 3), ErrorKind::ShapeMismatch);
    assert_eq!(refused(&x, &[1.0], 4), ErrorKind::ShapeMismatch);
    assert_eq!(refused(&x, &[1.0, f32::NAN], 4), ErrorKind::NonFinite);
    assert_eq!(refused(&weights(&[3, 2], 2), &[], 4), ErrorKind::ShapeMismatch);
    assert_eq!(refused(&weights(&[0, 3], 2), &[], 4), ErrorKind::InvalidArgument);
    assert_eq!(refused(&weights(&[2, 0], 2), &[], 4), ErrorKind::InvalidArgument);
    assert_eq!(refused(&QTensor::new(), &[], 4), ErrorKind::InvalidArgument);
    assert_eq!(refused(&weights(&[2, 3], 9), &[], 4), ErrorKind::OutOfRange);
    x.set_scale(f64::NAN);
    assert_eq!(refused(&x, &[], 4), ErrorKind::NonFinite);
    x.set_scale(1.0);
    x.set_channels(0, &[1.0; 2], &[0.0; 2]).unwrap();
    assert_eq!(refused(&x, &[], 4), ErrorKind::Unsupported);
    // Their codes are the same.
    packed.product_sums(&x, &mut [0; 4], &options(1)).unwrap();
    x.clear_channels();
    x.set_logarithmic(true).unwrap();
    assert_eq!(refused(&x, &[], 4), ErrorKind::Unsupported);
}

/// Parameters that no result could be made of, and the largest that one can.
#[test]
fn parameters_beyond_doubles() {
    let values = |x_parameters: (f64, f64), w_parameters: (f64, f64)| {
        let mut x = QTensor::with_shape(&[1, 2], 8, true).unwrap();
        let mut w = QTensor::with_shape(&[1, 2], 8, true).unwrap();
        x.write_codes(&[255i64, 255]).unwrap();
        w.write_codes(&[-255i64, 255]).unwrap();
        x.set_scale(x_parameters.0);
        x.set_bias(x_parameters.1);
        w.set_scale(w_parameters.0);
        w.set_bias(w_parameters.1);
        let (mut values, added) = ([7f32], [1.5]);
        let packed = PackedWeights::new(&w).unwrap();
        let done = packed.product(&x, &added, &mut values, &options(1));
        let mut out = QTensor::with_shape(&[1, 1], 4, true).unwrap();
        let codes = packed.product_codes(&x, &added, &mut out, &options(1));
        assert_eq!(codes.is_ok(), done.is_ok());
        match done {
            Ok(()) => Ok(values[0]),
            Err(error) => {
                assert_eq!(values, [7.0]);
                Err(error.kind())
            }
        }
    };
    assert_eq!(values((1e200, 0.0), (1e200, 0.0)), Err(ErrorKind::NonFinite));
    assert_eq!(values((1.0, 1e200), (1.0, 1e200)), Err(ErrorKind::NonFinite));
    // With a scale of 0 a bias does not matter, unless it is infinite with the codes.
    assert_eq!(values((0.0, 0.0), (1.0, 1e308)), Err(ErrorKind::NonFinite));
    assert_eq!(values((0.0, 0.0), (1.0, 1e304)), Ok(1.5));
    assert_eq!(values((0.0, 1e308), (1.0, 0.0)), Ok(1.5));
    assert_eq!(values((-1.0, 0.0), (1.0, 1e304)), Ok(f32::NEG_INFINITY));
    assert_eq!(values((1e300, 0.0), (1e8, 1e300)), Ok(f32::INFINITY));
}

/// A product of scales that loses its bits below the normal doubles, unless it is 0 by right.
#[test]
fn scales_whose_product_is_next_to_nothing() {
    let tensor = |scale: f64| {
        let mut tensor = QTensor::with_shape(&[2, 3], 4, true).unwrap();
        tensor.set_scale(scale);
        tensor
    };
    let run = |x: f64, w: f64| {
        let mut values = [7f32; 4];
        let packed = PackedWeights::new(&tensor(w)).unwrap();
        let done = packed.product(&tensor(x), &[], &mut values, &options(1));
        done.map(|()| values).map_err(|error| error.kind())
    };
    assert_eq!(run(1e-200, 1e-150), Err(ErrorKind::InvalidArgument));
    assert_eq!(run(1.2e-160, -1.2e-160), Err(ErrorKind::InvalidArgument));
    assert_eq!(run(0.0, 1e-320), Ok([0.0; 4]));
    assert_eq!(run(1e-150, 1e-150), Ok([0.0; 4]));
}
