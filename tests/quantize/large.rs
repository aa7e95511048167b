//! Tensors that no cache holds, which are written around it.

use crate::reference::{Number, Random, SATURATE, codes_of, padding_of, read, scribble};
use caffe2_qtensor::QTensor;
use caffe2_qtensor::kernels::stream::FROM_BYTES;
use caffe2_qtensor::quantize::{Half, NonFinite, QuantizeOptions};

const BLOCK: usize = 4096;

/// As many floats as the limit has bytes for.
const FLOATS: usize = FROM_BYTES / 4;

/// Values that come again after a number of elements that divides no block.
struct Periodic<T> {
    period: Vec<T>,
    codes: Vec<i64>,
}

impl<T: Number> Periodic<T> {
    fn new(tensor: &QTensor, random: &mut Random) -> Self {
        let mut one = QTensor::with_shape(&[10_007], tensor.precision(), tensor.is_signed());
        let one = one.as_mut().unwrap();
        one.set_scale(tensor.scale());
        one.set_bias(tensor.bias());
        let period = crate::reference::values_around(one, random);
        let codes = codes_of(one, &period, &SATURATE).0;
        Periodic { period, codes }
    }

    fn values(&self, size: usize) -> Vec<T> {
        self.period.iter().copied().cycle().take(size).collect()
    }

    fn assert_codes_of(&self, tensor: &QTensor) {
        let codes = read(tensor);
        for (at, codes) in codes.chunks(self.codes.len()).enumerate() {
            assert!(*codes == self.codes[..codes.len()], "{tensor:?} period {at}");
        }
    }
}

fn tensor(size: usize, precision: u8, signed: bool) -> QTensor {
    let mut tensor = QTensor::with_shape(&[size as i64], precision, signed).unwrap();
    tensor.set_scale(0.5);
    tensor.set_bias(-1.25);
    tensor
}

/// The last blocks are whole, ragged, and ragged in their last byte alone.
#[test]
fn codes_and_padding() {
    let mut random = Random(31);
    let cases = [
        (8, false, 0),
        (8, true, BLOCK - 1),
        (3, false, BLOCK - 5),
        (7, true, BLOCK - 7),
        (8, false, BLOCK - 8),
        (1, false, 1),
        (8, true, 77),
        (12, true, BLOCK - 3),
    ];
    for (turn, (precision, signed, ragged)) in cases.into_iter().enumerate() {
        let size = FLOATS + ragged;
        let mut tensor = tensor(size, precision, signed);
        assert!(4 * size + tensor.nbytes() > FROM_BYTES);
        let periodic = Periodic::<f32>::new(&tensor, &mut random);
        let values = periodic.values(size);
        let options = QuantizeOptions { threads: 1 + turn % 3, ..SATURATE };
        tensor.quantize(&values, &options).unwrap();
        periodic.assert_codes_of(&tensor);
        assert!(padding_of(&tensor).iter().all(|padding| *padding == 0), "{tensor:?}");
        // Over planes that are there, and into new ones.
        for non_finite in [NonFinite::Saturate, NonFinite::Refuse] {
            scribble(&mut tensor, &mut random);
            let before = padding_of(&tensor);
            let options = QuantizeOptions { non_finite, ..options };
            tensor.quantize(&values, &options).unwrap();
            periodic.assert_codes_of(&tensor);
            assert_eq!(padding_of(&tensor), before, "{tensor:?} {non_finite:?}");
        }
    }
}

fn to_values<T: Number + PartialEq>(precision: u8, signed: bool, ragged: usize) {
    let mut random = Random(32);
    let size = FROM_BYTES / size_of::<T>() + ragged;
    let mut tensor = tensor(size, precision, signed);
    assert!(size * size_of::<T>() + tensor.nbytes() > FROM_BYTES);
    let periodic = Periodic::<f32>::new(&tensor, &mut random);
    tensor
        .write_codes(&periodic.codes.iter().copied().cycle().take(size).collect::<Vec<_>>())
        .unwrap();
    let expected: Vec<T> =
        periodic.codes.iter().map(|code| T::nearest_to(0.5 * (*code as f64 - 1.25))).collect();
    for (threads, offset) in [(1, 0), (3, 1)] {
        // Beside the beginning of a cache line too.
        let mut values = vec![T::nearest_to(f64::NAN); size + offset];
        tensor.dequantize(&mut values[offset..], threads).unwrap();
        for (at, values) in values[offset..].chunks(expected.len()).enumerate() {
            assert!(*values == expected[..values.len()], "{tensor:?} period {at}");
        }
    }
}

#[test]
fn values() {
    for (precision, signed, ragged) in [(8, false, 0), (8, true, 5), (4, false, BLOCK - 3)] {
        to_values::<f32>(precision, signed, ragged);
    }
    to_values::<f64>(7, true, 13);
    to_values::<Half>(5, true, 13);
}
