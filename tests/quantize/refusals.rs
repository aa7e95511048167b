//! Bad input: an error that says what is wrong, and everything as before.

use crate::reference::{Random, SATURATE, scribble};
use caffe2_qtensor::quantize::{QuantizeOptions, Rounding};
use caffe2_qtensor::{Error, ErrorKind, QTensor};

/// Everything that a call could have changed; numbers as their bits.
#[derive(PartialEq)]
struct State {
    dims: Vec<i64>,
    planes: Option<Vec<u8>>,
    parameters: [u64; 2],
    channels: [Vec<u64>; 2],
    axis: Option<i32>,
}

fn state(tensor: &QTensor) -> State {
    let bits = |numbers: &[f64]| numbers.iter().map(|number| number.to_bits()).collect();
    State {
        dims: tensor.dims().to_vec(),
        planes: tensor.data().map(<[u8]>::to_vec),
        parameters: [tensor.scale().to_bits(), tensor.bias().to_bits()],
        channels: [bits(tensor.channel_scales()), bits(tensor.channel_biases())],
        axis: tensor.channel_axis(),
    }
}

/// Quantizing is refused with planes and without them; returns the error.
fn quantize_refused(tensor: &mut QTensor, count: usize, options: &QuantizeOptions) -> Error {
    let mut first = None;
    for written in [false, true] {
        if written {
            scribble(tensor, &mut Random(51));
        }
        let before = state(tensor);
        let singles = tensor.quantize(&vec![1.0_f32; count], options).unwrap_err();
        let doubles = tensor.quantize_counting(&vec![1.0_f64; count], options).unwrap_err();
        for error in [singles, doubles] {
            assert_eq!(format!("{error:?}"), format!("{:?}", first.get_or_insert(error)));
        }
        assert!(state(tensor) == before, "{tensor:?}");
    }
    first.unwrap()
}

/// Dequantizing is refused and writes nothing.
fn dequantize_refused(tensor: &QTensor, count: usize) -> Error {
    let mut values = vec![-77.0_f32; count];
    let error = tensor.dequantize(&mut values, 2).unwrap_err();
    assert!(values.iter().all(|value| *value == -77.0));
    error
}

/// The message names what was wrong, the value and what it has to be.
fn assert_says(error: Error, kind: ErrorKind, parts: &[&str]) {
    assert_eq!(error.kind(), kind, "{error}");
    let message = error.to_string();
    assert!(parts.iter().all(|part| message.contains(part)), "{message}: {parts:?}");
}

fn tensor(dims: &[i64], precision: u8) -> QTensor {
    QTensor::with_shape(dims, precision, true).unwrap()
}

#[test]
fn wrong_lengths() {
    for (dims, right) in [(&[2_i64, 3][..], 6_usize), (&[], 0), (&[4, 0], 0), (&[5000], 5000)] {
        for wrong in [0, right.saturating_sub(1), right + 1, 2 * right + 2] {
            if wrong == right {
                continue;
            }
            let mut tensor = tensor(dims, 8);
            let parts = ["number of values", &wrong.to_string(), &right.to_string()];
            let error = quantize_refused(&mut tensor, wrong, &SATURATE);
            assert_says(error, ErrorKind::ShapeMismatch, &parts);
            assert_says(dequantize_refused(&tensor, wrong), ErrorKind::ShapeMismatch, &parts);
        }
        let mut tensor = tensor(dims, 8);
        tensor.quantize(&vec![1.0_f32; right], &SATURATE).unwrap();
        tensor.dequantize(&mut vec![1.0_f32; right], 1).unwrap();
    }
}

#[test]
fn precisions_without_values() {
    for precision in [0, 33, 63, 64, 255] {
        let mut tensor = tensor(&[9], precision);
        let parts = ["precision", &precision.to_string(), "1 to 32"];
        let error = quantize_refused(&mut tensor, 9, &SATURATE);
        assert_says(error, ErrorKind::OutOfRange, &parts);
        assert_says(dequantize_refused(&tensor, 9), ErrorKind::OutOfRange, &parts);
    }
}

const SMALLEST: f64 = f64::MIN_POSITIVE;

#[test]
fn scales_that_nothing_can_be_divided_by() {
    let rule = "positive, finite and not subnormal";
    for (scale, shown) in [
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (-0.5, "-0.5"),
        (SMALLEST / 2.0, "e-308"),
        (5e-324, "5e-324"),
        (f64::NAN, "NaN"),
        (f64::INFINITY, "inf"),
        (f64::NEG_INFINITY, "-inf"),
    ] {
        for precision in [8, 20] {
            let mut whole = tensor(&[2, 3], precision);
            whole.set_scale(scale);
            let error = quantize_refused(&mut whole, 6, &SATURATE);
            assert_says(error, ErrorKind::InvalidArgument, &["scale", shown, rule]);
            // Codes have values all the same.
            whole.dequantize(&mut [0.0_f64; 6], 1).unwrap();

            let mut channels = tensor(&[2, 3], precision);
            channels.set_channels(1, &[1.0, 1.0, scale], &[0.0; 3]).unwrap();
            let error = quantize_refused(&mut channels, 6, &SATURATE);
            assert_says(error, ErrorKind::InvalidArgument, &["scale", "channel 2", shown, rule]);
            channels.dequantize(&mut [0.0_f64; 6], 1).unwrap();
        }
    }
    for scale in [SMALLEST, f64::MAX] {
        let mut tensor = tensor(&[3], 8);
        tensor.set_scale(scale);
        tensor.quantize(&[0.0_f32, 1.0, -1.0], &SATURATE).unwrap();
    }
}

#[test]
fn biases_that_are_not_finite() {
    for bias in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let mut whole = tensor(&[2, 3], 8);
        whole.set_bias(bias);
        let error = quantize_refused(&mut whole, 6, &SATURATE);
        assert_says(error, ErrorKind::InvalidArgument, &["bias", "finite"]);
        let mut channels = tensor(&[2, 3], 8);
        channels.set_channels(0, &[1.0; 2], &[0.0, bias]).unwrap();
        let error = quantize_refused(&mut channels, 6, &SATURATE);
        assert_says(error, ErrorKind::InvalidArgument, &["bias", "channel 1", "finite"]);
    }
}

/// Caffe2 divides in single precision and adds a 32-bit zero point.
#[test]
fn parameters_that_caffe2_could_not_have() {
    let options = QuantizeOptions { rounding: Rounding::Caffe2, ..SATURATE };
    for (scale, bias, parts) in [
        (1e-39, 0.0, ["scale", "single precision"]),
        (1e-60, 0.0, ["scale", "single precision"]),
        (1e39, 0.0, ["scale", "single precision"]),
        (1.0, 0.5, ["bias", "32-bit integer"]),
        (1.0, -2_147_483_648.0, ["bias", "32-bit integer"]),
        (1.0, 2_147_483_649.0, ["bias", "32-bit integer"]),
    ] {
        let mut whole = tensor(&[3], 8);
        whole.set_scale(scale);
        whole.set_bias(bias);
        let error = quantize_refused(&mut whole, 3, &options);
        assert_says(error, ErrorKind::InvalidArgument, &parts);
        whole.quantize(&[1.0_f32; 3], &SATURATE).unwrap();
        let mut channels = tensor(&[3], 8);
        channels.set_channels(0, &[1.0, scale, 1.0], &[0.0, bias, 0.0]).unwrap();
        let error = quantize_refused(&mut channels, 3, &options);
        assert_says(error, ErrorKind::InvalidArgument, &[parts[0], "channel 1", parts[1]]);
    }
    let largest = f64::from(f32::MAX);
    // The last scale is the largest float when it is rounded to one.
    for (scale, bias) in
        [(1.0, -2_147_483_647.0), (1.0, 2_147_483_648.0), (largest * (1.0 + 1e-9), 0.0)]
    {
        let mut tensor = tensor(&[3], 8);
        tensor.set_scale(scale);
        tensor.set_bias(bias);
        tensor.quantize(&[1.0_f32; 3], &options).unwrap();
    }
}

#[test]
fn axes_and_channels_that_do_not_fit() {
    let mut tensor = tensor(&[2, 3], 8);
    for (axis, count, kind, parts) in [
        (2, 3, ErrorKind::OutOfRange, ["channel axis is 2", "0 to 1"]),
        (-1, 3, ErrorKind::OutOfRange, ["channel axis is -1", "0 to 1"]),
        (i32::MIN, 3, ErrorKind::OutOfRange, ["channel axis", "0 to 1"]),
        (1, 2, ErrorKind::ShapeMismatch, ["number of channel scales is 2", "3"]),
        (0, 0, ErrorKind::ShapeMismatch, ["number of channel scales is 0", "2"]),
    ] {
        let before = state(&tensor);
        let parameters = vec![1.0; count];
        let error = tensor.set_channels(axis, &parameters, &parameters).unwrap_err();
        assert_says(error, kind, &parts);
        assert!(state(&tensor) == before);
    }
    // Another shape than the one that the channels were given for.
    tensor.set_channels(1, &[1.0; 3], &[0.0; 3]).unwrap();
    for (dims, kind, parts) in [
        (&[3_i64, 2][..], ErrorKind::ShapeMismatch, ["number of channel scales is 3", "2"]),
        (&[6], ErrorKind::OutOfRange, ["channel axis is 1", "0 to 0"]),
        (&[2, 4], ErrorKind::ShapeMismatch, ["number of channel scales is 3", "4"]),
    ] {
        tensor.resize(dims).unwrap();
        let size = tensor.size();
        assert_says(quantize_refused(&mut tensor, size, &SATURATE), kind, &parts);
        assert_says(dequantize_refused(&tensor, size), kind, &parts);
    }
    tensor.resize(&[2, 3]).unwrap();
    tensor.quantize(&[1.0_f32; 6], &SATURATE).unwrap();
}

/// No value of any float becomes a code that the tensor does not have.
#[test]
fn codes_stay_within_the_range() {
    let mut random = Random(52);
    for precision in [1, 8, 9, 32] {
        for (scale, bias) in [(SMALLEST, 1e300), (f64::MAX, -1e300), (1.0, f64::MAX), (1e-30, 0.0)]
        {
            let mut tensor = tensor(&[5000], precision);
            tensor.set_scale(scale);
            tensor.set_bias(bias);
            let values: Vec<f64> = (0..5000).map(|_| f64::from_bits(random.next())).collect();
            crate::reference::check(&mut tensor, &values, &SATURATE);
            let values: Vec<f32> =
                (0..5000).map(|_| f32::from_bits(random.next() as u32)).collect();
            crate::reference::check(&mut tensor, &values, &SATURATE);
        }
    }
}
