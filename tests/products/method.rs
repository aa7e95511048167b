//! Which way a product goes when none is asked for.

use crate::case::{METHODS, options};
use caffe2_qtensor::{ErrorKind, PackedWeights, ProductMethod, ProductOptions, QTensor};

/// Two numbers of planes that multiply to 4 at most go by popcount, signed codes of one bit on both
/// sides by ternary; of more planes up to eight rows are multiplied with planes, and others as bytes.
fn best(x: (u8, bool), w: (u8, bool), rows: i64) -> ProductMethod {
    let planes = |(precision, is_signed): (u8, bool)| precision + u8::from(is_signed);
    match (x, w) {
        ((1, true), (1, true)) => ProductMethod::Ternary,
        _ if planes(x) * planes(w) <= 4 => ProductMethod::Popcount,
        _ if rows <= 8 => ProductMethod::Planes,
        _ => ProductMethod::Bytes,
    }
}

fn kinds() -> impl Iterator<Item = (u8, bool)> {
    (1..=8).flat_map(|precision| [(precision, false), (precision, true)])
}

#[test]
fn follows_from_planes_and_rows() {
    for w_kind in kinds() {
        let w = QTensor::with_shape(&[2, 3], w_kind.0, w_kind.1).unwrap();
        let packed = PackedWeights::new(&w).unwrap();
        for x_kind in kinds() {
            for rows in [1, 2, 7, 8, 9, 10, 100] {
                let x = QTensor::with_shape(&[rows, 3], x_kind.0, x_kind.1).unwrap();
                let expected = best(x_kind, w_kind, rows);
                for threads in [0, 1, 7] {
                    let method = packed.method(&x, &options(threads)).unwrap();
                    assert_eq!(method, expected, "{rows} rows of {x_kind:?} by {w_kind:?}");
                }
                // Dimensions before the last are rows.
                let x = QTensor::with_shape(&[1, rows, 3], x_kind.0, x_kind.1).unwrap();
                assert_eq!(packed.method(&x, &options(1)).unwrap(), expected);
                asked_for(&packed, &x, [x_kind, w_kind]);
            }
        }
    }
}

fn asked_for(packed: &PackedWeights, x: &QTensor, kinds: [(u8, bool); 2]) {
    for method in METHODS {
        let options =
            ProductOptions { method: Some(method), threads: 1, ..ProductOptions::default() };
        let answer = packed.method(x, &options);
        if method == ProductMethod::Ternary && kinds != [(1, true); 2] {
            assert_eq!(answer.unwrap_err().kind(), ErrorKind::Unsupported);
        } else {
            assert_eq!(answer.unwrap(), method);
        }
    }
}
