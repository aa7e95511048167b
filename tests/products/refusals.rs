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
