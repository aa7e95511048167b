//! Larger tensors, with tables and without: the same codes on any number of threads, and padding that
//! stays.

use crate::random::{Random, codes_of};
use caffe2_qtensor::kernels::stream::FROM_BYTES;
use caffe2_qtensor::{FixedOptions, QTensor};

/// Some 300,000 elements, so that there are up to four threads.
const DIMS: [i64; 3] = [3, 11, 9001];

fn filled(random: &mut Random, precision: u8, signed: bool, axis: Option<usize>) -> QTensor {
    let mut tensor = QTensor::with_shape(&DIMS, precision, signed).unwrap();
    random.codes(&mut tensor);
    tensor.set_scale(0.25);
    tensor.set_bias(-3.5);
    if let Some(axis) = axis {
        let count = DIMS[axis] as usize;
        let mut number = || random.between(-500, 500) as f64 / 256.0 + 0.001;
        let scales: Vec<f64> = (0..count).map(|_| number()).collect();
        let biases: Vec<f64> = (0..count).map(|_| number() * 8.0).collect();
        tensor.set_channels(axis as i32, &scales, &biases).unwrap();
    }
    tensor
}

/// A tensor of the elements of each 500th part of `x`, by themselves, too few for a table.
fn part(x: &QTensor, codes: &[i64], first: usize, count: usize) -> QTensor {
    let mut part = QTensor::with_shape(&[count as i64], x.precision(), x.is_signed()).unwrap();
    part.write_codes(&codes[first..first + count]).unwrap();
    part.set_scale(x.scale());
    part.set_bias(x.bias());
    part
}

#[test]
fn the_same_codes() {
    let mut random = Random(41);
    let kinds = [(1, false), (4, true), (7, true), (8, false), (8, true), (12, false), (16, true)];
    for (number, (precision, signed)) in kinds.into_iter().enumerate() {
        for (other, (out_precision, out_signed)) in kinds.into_iter().enumerate() {
            let axis = [None, Some(0), Some(1), Some(2)][(number + other) % 4];
            let x = filled(&mut random, precision, signed, axis);
            let mut out = filled(&mut random, out_precision, out_signed, None);
            let y = filled(&mut random, 5, true, None);
            let mut first: Option<[Vec<i64>; 2]> = None;
            for threads in [1, 2, 3, 1000] {
                let options = FixedOptions { threads, ..FixedOptions::default() };
                out.relu(&x, &options).unwrap();
                let single = codes_of(&out);
                out.add(&x, &y, &options).unwrap();
                let found = [single, codes_of(&out)];
                match &first {
                    Some(first) => assert!(*first == found, "{x:?} to {out:?}, {threads} threads"),
                    None => first = Some(found),
                }
            }
            // A few at a time go without a table.
            if axis.is_none() {
                let [expected, _] = first.unwrap();
                let codes = codes_of(&x);
                for start in (0..codes.len()).step_by(9_973) {
                    let count = 100.min(codes.len() - start);
                    let x = part(&x, &codes, start, count);
                    let mut small =
                        QTensor::with_shape(x.dims(), out_precision, out_signed).unwrap();
                    small.set_scale(out.scale());
                    small.set_bias(out.bias());
                    small.relu(&x, &FixedOptions::default()).unwrap();
                    assert_eq!(codes_of(&small), expected[start..start + count]);
                }
            }
        }
    }
}

#[test]
fn padding_stays() {
    let mut x = QTensor::with_shape(&[13], 3, true).unwrap();
    Random(42).codes(&mut x);
    for precision in [3, 8, 11] {
        let mut out = QTensor::with_shape(&[13], precision, true).unwrap();
        out.mutable_data().unwrap().fill(0xff);
        out.requantize(&x, &FixedOptions::default()).unwrap();
        assert_eq!(codes_of(&out), codes_of(&x));
        for row in out.data().unwrap().chunks(2) {
            assert_eq!(row[1] & 0b111, 0b111);
        }
    }
}

/// Planes that no cache holds are written around it.
#[test]
fn around_the_caches() {
    let mut random = Random(43);
    for (precision, signed, size) in [(8, false, FROM_BYTES), (8, true, FROM_BYTES - 1003)] {
        // Too few elements for a table.
        let mut few = QTensor::with_shape(&[251], precision, signed).unwrap();
        let period = random.codes(&mut few);
        let codes: Vec<i64> = period.iter().copied().cycle().take(size).collect();
        let mut x = QTensor::with_shape(&[size as i64], precision, signed).unwrap();
        x.write_codes(&codes).unwrap();
        let mut small = QTensor::with_shape(&[251], 8, signed).unwrap();
        let mut out = QTensor::with_shape(&[size as i64], 8, signed).unwrap();
        for (x, out) in [(&mut few, &mut small), (&mut x, &mut out)] {
            x.set_scale(0.75);
            out.set_bias(-1.5);
            let options = FixedOptions { threads: 2, ..FixedOptions::default() };
            out.requantize(x, &options).unwrap();
        }
        let expected = codes_of(&small);
        for (at, found) in codes_of(&out).chunks(251).enumerate() {
            assert!(*found == expected[..found.len()], "period {at} of {out:?}");
        }
    }
}
