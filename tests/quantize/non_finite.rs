//! NaN and infinities: refused by the first one's index, or saturated and counted.

use crate::reference::{Number, Random, SATURATE, check, read, scribble};
use caffe2_qtensor::quantize::{Bfloat16, Half, NonFinite, QuantizeOptions, Rounding};
use caffe2_qtensor::{Error, ErrorKind, QTensor};

const REFUSE: QuantizeOptions = QuantizeOptions { non_finite: NonFinite::Refuse, ..SATURATE };

fn tensor(size: usize, precision: u8, signed: bool, channels: bool) -> QTensor {
    let mut tensor = QTensor::with_shape(&[size as i64, 1], precision, signed).unwrap();
    tensor.set_scale(0.5);
    if channels {
        tensor.set_channels(1, &[0.5], &[-1.0]).unwrap();
    }
    tensor
}

/// The tensor is as before, and the error names the first of the bad values.
fn refused<T: Number>(tensor: &mut QTensor, values: &[T], bad: &[usize], threads: usize) {
    let before = tensor.data().map(<[u8]>::to_vec);
    let options = QuantizeOptions { threads, ..REFUSE };
    let first = *bad.iter().min().unwrap();
    for counting in [false, true] {
        let error = if counting {
            tensor.quantize_counting(values, &options).unwrap_err()
        } else {
            tensor.quantize(values, &options).unwrap_err()
        };
        assert_eq!(error.kind(), ErrorKind::NonFinite);
        let Error::NonFinite { index, value } = error else { panic!("{error:?}") };
        assert_eq!(index, first, "{tensor:?} {bad:?}");
        assert_eq!(value.to_bits(), values[first].double().to_bits());
        assert!(error.to_string().contains(&first.to_string()), "{error}");
        assert!(tensor.data() == before.as_deref(), "{tensor:?} {bad:?}");
    }
}

fn refusals<T: Number>(precision: u8, signed: bool, channels: bool) {
    let mut random = Random(41);
    for size in [1, 2048, 2049, 4096, 4097, 200_000] {
        let last = size - 1;
        let places =
            [vec![0], vec![last], vec![last, size / 2], vec![size / 3, size / 2, 2 * size / 3]];
        for (turn, bad) in places.iter().enumerate() {
            let mut values = vec![T::nearest_to(1.0); size];
            for (number, index) in bad.iter().enumerate() {
                let number = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY][(number + turn) % 3];
                values[*index] = T::nearest_to(number);
            }
            for threads in [1, 2, 3] {
                let mut tensor = tensor(size, precision, signed, channels);
                refused(&mut tensor, &values, bad, threads);
                scribble(&mut tensor, &mut random);
                refused(&mut tensor, &values, bad, threads);
            }
        }
    }
}

#[test]
fn the_first_one_is_named_and_nothing_has_changed() {
    refusals::<f32>(8, false, false);
    refusals::<f32>(8, true, false);
    refusals::<f32>(4, true, true);
    refusals::<f32>(20, true, false);
    refusals::<f64>(8, false, true);
    refusals::<f64>(3, true, false);
    refusals::<Half>(8, false, false);
    refusals::<Bfloat16>(2, true, true);
}

/// All NaNs of a type that can be told apart by sign, payload and quietness, and both infinities.
#[test]
fn saturated_and_counted() {
    let quiet = [0x7fc0_0000_u32, 0xffc0_0000, 0x7f80_0001, 0xff80_0001, 0x7fff_ffff, 0xffff_ffff];
    for rounding in crate::reference::ROUNDINGS {
        for (precision, signed) in
            [(1, false), (1, true), (7, true), (8, false), (8, true), (32, true)]
        {
            for bias in [0.0, -3.0, 1000.0] {
                for row in [1_usize, 9, 600] {
                    let mut values: Vec<f32> = quiet.map(f32::from_bits).to_vec();
                    values.extend([f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN, 0.0]);
                    let values: Vec<f32> =
                        values.iter().copied().cycle().take(11 * 97).collect::<Vec<f32>>();
                    let size = values.len() / row * row;
                    let values = &values[..size];
                    let mut tensor =
                        QTensor::with_shape(&[(size / row) as i64, row as i64], precision, signed)
                            .unwrap();
                    tensor.set_bias(bias);
                    let options = QuantizeOptions { rounding, ..SATURATE };
                    check(&mut tensor, values, &options);
                    let (lowest, highest) = limits(&tensor);
                    let finite = [highest, lowest];
                    let codes = read(&tensor);
                    assert_eq!(codes[..6], [0; 6], "NaN");
                    assert_eq!(codes[6..10], [highest, lowest, finite[0], finite[1]]);
                    let counts = tensor.quantize_counting(values, &options).unwrap();
                    let expected = values.iter().filter(|value| !value.is_finite()).count();
                    assert_eq!(counts.non_finite, expected as u64);
                    let channels = vec![1.0; size / row];
                    let biases = vec![bias; size / row];
                    tensor.set_channels(0, &channels, &biases).unwrap();
                    check(&mut tensor, values, &options);
                    assert_eq!(read(&tensor), codes);
                }
            }
        }
    }
}

fn limits(tensor: &QTensor) -> (i64, i64) {
    let highest = (1_i64 << tensor.precision()) - 1;
    (if tensor.is_signed() { -highest } else { 0 }, highest)
}

#[test]
fn doubles_and_halves_saturate_alike() {
    fn saturates<T: Number>() {
        let numbers = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1.0];
        let values = numbers.map(T::nearest_to);
        let mut tensor = tensor(4, 8, true, false);
        let options = QuantizeOptions { rounding: Rounding::NearestAway, ..SATURATE };
        check(&mut tensor, &values, &options);
        assert_eq!(read(&tensor), [0, 255, -255, 2]);
    }
    saturates::<f32>();
    saturates::<f64>();
    saturates::<Half>();
    saturates::<Bfloat16>();
}
