//! Channels along every axis, with rows of every length, in both directions.

use crate::reference::{
    Number, Random, SATURATE, assert_same, check, codes_of, parameters, read, scribble,
    values_around,
};
use caffe2_qtensor::QTensor;
use caffe2_qtensor::kernels::quantize::{Fast, Rules, Step};
use caffe2_qtensor::quantize::{Bfloat16, Half, QuantizeOptions, Rounding};

/// A tensor whose channels all differ, whatever the number of them.
fn tensor(dims: &[i64], axis: usize, precision: u8, signed: bool) -> QTensor {
    let mut tensor = QTensor::with_shape(dims, precision, signed).unwrap();
    let channels = 0..dims[axis];
    let scales: Vec<f64> = channels.clone().map(|c| 0.01 * (1.0 + c as f64 / 7.0)).collect();
    let biases: Vec<f64> = channels.map(|c| 0.3 - (c % 23) as f64).collect();
    tensor.set_channels(axis as i32, &scales, &biases).unwrap();
    tensor
}

/// Compares all values bit for bit.
fn check_values<T: Number>(tensor: &QTensor, threads: usize) {
    let mut values = vec![T::nearest_to(f64::NAN); tensor.size()];
    tensor.dequantize(&mut values, threads).unwrap();
    for (index, (code, value)) in read(tensor).into_iter().zip(values).enumerate() {
        let (scale, bias) = parameters(tensor, index);
        let expected = T::nearest_to(scale * (code as f64 + bias)).double();
        let value = value.double();
        assert_eq!(value.to_bits(), expected.to_bits(), "{tensor:?} element {index}: {value}");
    }
}

fn there_and_back<T: Number>(tensor: &mut QTensor, random: &mut Random) {
    let values = values_around::<T>(tensor, random);
    check(tensor, &values, &SATURATE);
    check_values::<T>(tensor, 1);
    // Codes that no quantization gives: a sign on magnitude 0, bits behind the last element.
    scribble(tensor, random);
    check_values::<T>(tensor, 1);
}

/// Precisions on both sides of every choice, with a sign and without one.
const PLANES: [(u8, bool); 9] = [
    (8, true),
    (8, false),
    (4, true),
    (1, false),
    (7, true),
    (5, false),
    (9, true),
    (5, true),
    (32, false),
];

#[test]
fn every_axis_of_every_shape() {
    let mut random = Random(11);
    let shapes: [&[i64]; 9] = [
        &[1],
        &[1000],
        &[7, 13],
        &[300, 17],
        &[2, 3, 5],
        &[5, 1, 999],
        &[3, 4, 5, 7],
        &[2, 16, 9, 31],
        &[1, 1, 1, 1],
    ];
    for shape in shapes {
        for axis in 0..shape.len() {
            for (precision, signed) in PLANES {
                let mut tensor = tensor(shape, axis, precision, signed);
                there_and_back::<f32>(&mut tensor, &mut random);
                there_and_back::<f64>(&mut tensor, &mut random);
            }
        }
    }
}

/// Rows on both sides of every threshold: 256, 512, 1024 and a block of 4096.
#[test]
fn rows_of_every_length() {
    let mut random = Random(12);
    let rows = [
        1, 2, 3, 7, 8, 9, 63, 64, 255, 256, 257, 511, 512, 513, 1023, 1024, 1025, 4095, 4096, 4097,
        9000,
    ];
    for (turn, row) in rows.into_iter().enumerate() {
        for channels in [1, 2, 3, 5, 16, 129, 1000] {
            for outer in [1, 2, 3] {
                if row * channels * outer > 40_000 {
                    continue;
                }
                for (precision, signed) in [PLANES[0], PLANES[(turn + outer as usize) % 9]] {
                    let mut tensor = tensor(&[outer, channels, row], 1, precision, signed);
                    there_and_back::<f32>(&mut tensor, &mut random);
                    there_and_back::<f64>(&mut tensor, &mut random);
                    there_and_back::<Half>(&mut tensor, &mut random);
                    there_and_back::<Bfloat16>(&mut tensor, &mut random);
                }
            }
        }
    }
}

#[test]
fn long_tensors_with_many_channels() {
    let mut random = Random(13);
    for (channels, row) in [(1000, 513), (1000, 130), (700, 256)] {
        for (precision, signed) in [(8, true), (4, false)] {
            let mut tensor = tensor(&[1, channels, row], 1, precision, signed);
            there_and_back::<f32>(&mut tensor, &mut random);
        }
    }
}

#[test]
fn every_rounding() {
    let mut random = Random(14);
    for rounding in crate::reference::ROUNDINGS {
        for row in [1, 6, 600] {
            for (precision, signed) in PLANES {
                let mut tensor = tensor(&[3, 5, row], 1, precision, signed);
                if rounding == Rounding::Caffe2 {
                    let biases = [0.0, -1.0, -7.0, -127.0, 12.0];
                    let scales = tensor.channel_scales().to_vec();
                    tensor.set_channels(1, &scales, &biases).unwrap();
                }
                let values = values_around::<f32>(&tensor, &mut random);
                let options = QuantizeOptions { rounding, seed: 3, ..SATURATE };
                check(&mut tensor, &values, &options);
            }
        }
    }
}

/// One channel that single precision does not serve takes the others along.
#[test]
fn a_single_channel_beyond_the_fast_path() {
    let rules = Rules { rounding: Rounding::NearestEven, seed: 0, precision: 8, signed: false };
    let (scales, mut biases) = ([0.1, 0.2, 0.3], [0.0, -3.0, 0.5]);
    let fast = |bias| Fast::new(&Step { scale: 0.2, bias }, &rules);
    assert!(biases.iter().all(|bias| fast(*bias).is_some()));
    biases[1] = 1e8;
    assert!(fast(1e8).is_none());
    let mut random = Random(15);
    for row in [5, 700] {
        let mut tensor = QTensor::with_shape(&[4, 3, row], 8, false).unwrap();
        tensor.set_channels(1, &scales, &biases).unwrap();
        there_and_back::<f32>(&mut tensor, &mut random);
    }
}

/// Threads begin anywhere among the channels.
#[test]
fn any_number_of_threads() {
    let mut random = Random(16);
    for dims in [[3, 1000, 157], [1, 77, 6111], [100_001, 5, 1]] {
        for (precision, signed) in [(8, true), (4, false), (11, true)] {
            let mut one = tensor(&dims, 1, precision, signed);
            let values = values_around::<f32>(&one, &mut random);
            let options = QuantizeOptions { rounding: Rounding::Floor, ..SATURATE };
            let (expected, counts) = codes_of(&one, &values, &options);
            one.quantize(&values, &options).unwrap();
            assert_same(&expected, &read(&one), &values, || format!("{one:?}"));
            for threads in [2, 3, 7] {
                let options = QuantizeOptions { threads, ..options };
                let mut several = tensor(&dims, 1, precision, signed);
                assert_eq!(several.quantize_counting(&values, &options), Ok(counts));
                assert!(several.data() == one.data(), "{several:?} on {threads}");
                check_values::<f32>(&several, threads);
                check_values::<f64>(&several, threads);
            }
        }
    }
}

/// Without channels the tensor's own scale and bias count, also for many threads.
#[test]
fn whole_tensors_to_values() {
    let mut random = Random(17);
    for precision in [1, 3, 4, 5, 6, 7, 8, 9, 16, 31, 32] {
        for signed in [false, true] {
            for size in [1, 8, 100, 4095, 4096, 4097, 4 * 65_536 + 77] {
                let mut tensor = QTensor::with_shape(&[size], precision, signed).unwrap();
                tensor.set_scale(-0.37);
                tensor.set_bias(0.3);
                // Before a first write all codes are 0.
                check_values::<f32>(&tensor, 1);
                scribble(&mut tensor, &mut random);
                let threads = if size > 65_536 { 3 } else { 1 };
                check_values::<f32>(&tensor, threads);
                check_values::<f64>(&tensor, threads);
                check_values::<Half>(&tensor, threads);
            }
        }
    }
}
