//! The bits behind the last element: they survive in planes that are there, and are 0 in new ones.

use crate::reference::{Random, SATURATE, codes_of, padding_of, read, scribble, values_around};
use caffe2_qtensor::QTensor;
use caffe2_qtensor::quantize::{NonFinite, QuantizeOptions};

/// Around the blocks of 2048 and 4096 elements.
fn sizes() -> impl Iterator<Item = i64> {
    (1..=40).chain(2040..=2056).chain(4088..=4104).chain([8191, 8197, 12_285, 70_003])
}

fn quantized(tensor: &mut QTensor, non_finite: NonFinite, random: &mut Random) {
    let options = QuantizeOptions { non_finite, ..SATURATE };
    let values = values_around::<f32>(tensor, random);
    tensor.quantize(&values, &options).unwrap();
    assert!(read(tensor) == codes_of(tensor, &values, &options).0, "{tensor:?}");
}

#[test]
fn bits_behind_the_last_element() {
    let mut random = Random(21);
    // Codes of a byte, with the signs in it and beside it, and wider ones.
    let planes = [(1, false), (7, true), (8, false), (8, true), (9, false), (32, true)];
    for size in sizes() {
        for (precision, signed) in planes {
            // A refusal needs the old planes, so they are replaced; else they are written over.
            for non_finite in [NonFinite::Refuse, NonFinite::Saturate] {
                let mut tensor = QTensor::with_shape(&[size], precision, signed).unwrap();
                quantized(&mut tensor, non_finite, &mut random);
                let zeros = padding_of(&tensor).iter().all(|padding| *padding == 0);
                assert!(zeros, "{tensor:?} {non_finite:?}");
                for _ in 0..2 {
                    scribble(&mut tensor, &mut random);
                    let before = padding_of(&tensor);
                    quantized(&mut tensor, non_finite, &mut random);
                    assert_eq!(padding_of(&tensor), before, "{tensor:?} {non_finite:?}");
                }
            }
        }
    }
}
