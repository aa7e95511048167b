//! Products of floats are those of the codes that the floats become.

use crate::case::{Case, METHODS, Random, options};
use caffe2_qtensor::quantize::{
    ChooseOptions, QuantizeOptions, bias_of_zero_point, choose_quantization_params,
};
use caffe2_qtensor::{ErrorKind, InputFormat, PackedWeights, ProductOptions, QTensor};

/// What the floats of a call become.
fn quantized(x: &[f32], columns: usize, format: &InputFormat) -> QTensor {
    let dims = [(x.len() / columns) as i64, columns as i64];
    let mut tensor = QTensor::with_shape(&dims, format.precision, format.is_signed).unwrap();
    let highest = (1i32 << format.precision) - 1;
    let (scale, bias) = format.parameters.unwrap_or_else(|| {
        let low = x.iter().copied().fold(0f32, f32::min);
        let high = x.iter().copied().fold(0f32, f32::max);
        if format.is_signed {
            let largest = f64::from(high.max(-low));
            return (if largest == 0.0 { 1.0 } else { largest / f64::from(highest) }, 0.0);
        }
        let options = ChooseOptions { qmax: highest, ..ChooseOptions::default() };
        let chosen = choose_quantization_params(low, high, &options).unwrap();
        (chosen.scale, bias_of_zero_point(chosen.zero_point))
    });
    tensor.set_scale(scale);
    tensor.set_bias(bias);
    tensor.quantize(x, &QuantizeOptions::default()).unwrap();
    tensor
}

fn check(random: &mut Random, weights: &PackedWeights, x: &[f32], format: &InputFormat) {
    let tensor = quantized(x, weights.columns(), format);
    let added = random.added(weights.rows());
    let count = x.len() / weights.columns() * weights.rows();
    let mut expected = vec![f32::NAN; count];
    weights.product(&tensor, &added, &mut expected, &options(1)).unwrap();
    for method in METHODS.map(Some).into_iter().chain([None]) {
        let options =
            ProductOptions { method, threads: random.size(3), ..ProductOptions::default() };
        let mut values = vec![f32::NAN; count];
        let done = weights.product_floats(x, format, &added, &mut values, &options);
        match weights.method(&tensor, &options) {
            Ok(_) => done.unwrap(),
            Err(refusal) => {
                assert_eq!(done.unwrap_err().kind(), refusal.kind());
                continue;
            }
        }
        assert!(values == expected, "{method:?}: {format:?} of {x:?}");
    }
}

#[test]
fn are_quantized_and_multiplied() {
    let mut random = Random(10);
    for _ in 0..1500 {
        let shape = (random.size(12), random.size(9), random.size(40));
        let case = Case::new(&mut random, shape);
        let weights = case.packed();
        let (precision, is_signed) = random.kind();
        let (step, size) = (random.below(3) as f64 - 0.5, case.rows * case.columns);
        // On both sides of 0, on one of them, or all the same.
        let (factor, shift) =
            [(4.0, 0.0), (1.0, 1.0), (1.0, -1.5), (0.0, step)][random.below(4) as usize];
        let x: Vec<f32> = (0..size).map(|_| (random.number() * factor + shift) as f32).collect();
        for parameters in [None, Some((0.03, random.number() * 20.0))] {
            check(&mut random, &weights, &x, &InputFormat { precision, is_signed, parameters });
        }
    }
}

/// The codes that cover values: exactly 0 for 0, and no more than half a step from any.
#[test]
fn cover_all_values() {
    let mut random = Random(11);
    let mut w = QTensor::with_shape(&[1, 1], 1, false).unwrap();
    w.write_codes(&[1u8]).unwrap();
    let weights = PackedWeights::new(&w).unwrap();
    for (precision, is_signed) in (1..=8).flat_map(|bits| [(bits, false), (bits, true)]) {
        for factor in [1f32, 1e-30, 1e30, 1e38, 1e-44] {
            if factor == 1e-44 && !is_signed {
                // Caffe2 takes 0.1 for a step whose reciprocal is beyond a float.
                continue;
            }
            let mut x: Vec<f32> = (0..50).map(|_| random.number() as f32 * factor).collect();
            if random.is_heads() {
                x.iter_mut().for_each(|value| *value = value.abs());
            }
            x.push(0.0);
            let mut values = vec![f32::NAN; x.len()];
            let format = InputFormat { precision, is_signed, parameters: None };
            weights.product_floats(&x, &format, &[], &mut values, &options(1)).unwrap();
            assert_eq!(values.last(), Some(&0.0));
            let low = x.iter().copied().fold(0f32, f32::min);
            let high = x.iter().copied().fold(0f32, f32::max);
            let steps = f64::from((1u32 << precision) - 1);
            let step = match is_signed {
                true => f64::from(high.max(-low)) / steps,
                false => (f64::from(high) - f64::from(low)) / steps,
            };
            for (x, value) in x.iter().zip(&values) {
                let error = (f64::from(*x) - f64::from(*value)).abs();
                // Where 0 falls on a code the ends are half a step beyond one.
                assert!(error <= step * 1.001 + 2e-45, "{value} of {x}: {format:?}, {factor}");
            }
        }
    }
}

#[test]
fn of_one_value() {
    let mut w = QTensor::with_shape(&[1, 2], 1, false).unwrap();
    w.write_codes(&[1u8, 1]).unwrap();
    let weights = PackedWeights::new(&w).unwrap();
    for (precision, is_signed) in (1..=8).flat_map(|bits| [(bits, false), (bits, true)]) {
        let format = InputFormat { precision, is_signed, parameters: None };
        for value in [0.0, -0.0, 1.0, -1.0, 0.1, 1e-30, f32::MAX, -f32::MAX] {
            let mut sum = [f32::NAN];
            weights.product_floats(&[value, 0.0], &format, &[], &mut sum, &options(1)).unwrap();
            let error = (f64::from(sum[0]) - f64::from(value)).abs();
            assert!(error <= f64::from(value.abs()) * 1e-7, "{sum:?} of {value}: {format:?}");
        }
    }
}

#[test]
fn refusals() {
    let weights = PackedWeights::new(&QTensor::with_shape(&[2, 3], 2, true).unwrap()).unwrap();
    let format = |precision, parameters| InputFormat { precision, is_signed: false, parameters };
    let covering = format(8, None);
    let refused = |x: &[f32], format: &InputFormat, added: &[f32], count: usize| {
        let mut values = [7f32; 4];
        let done = weights.product_floats(x, format, added, &mut values[..count], &options(1));
        assert_eq!(values, [7f32; 4]);
        done.unwrap_err()
    };
    let x = [0.5f32; 6];
    assert_eq!(refused(&[], &covering, &[], 0).kind(), ErrorKind::InvalidArgument);
    assert_eq!(refused(&x[1..], &covering, &[], 4).kind(), ErrorKind::ShapeMismatch);
    assert_eq!(refused(&x, &covering, &[], 3).kind(), ErrorKind::ShapeMismatch);
    assert_eq!(refused(&x, &covering, &[1.0], 4).kind(), ErrorKind::ShapeMismatch);
    assert_eq!(refused(&x, &covering, &[1.0, f32::NAN], 4).kind(), ErrorKind::NonFinite);
    for precision in [0, 9] {
        assert_eq!(refused(&x, &format(precision, None), &[], 4).kind(), ErrorKind::OutOfRange);
    }
    for scale in [0.0, -1.0, 1e-310, f64::INFINITY, f64::NAN] {
        let given = format(8, Some((scale, 0.0)));
        assert_eq!(refused(&x, &given, &[], 4).kind(), ErrorKind::InvalidArgument, "{scale}");
    }
    let given = format(8, Some((1.0, f64::NEG_INFINITY)));
    assert_eq!(refused(&x, &given, &[], 4).kind(), ErrorKind::NonFinite);
    for (is_signed, parameters) in
        [(false, None), (true, None), (false, Some((1.0, 0.0))), (true, Some((1.0, 0.0)))]
    {
        for (index, value) in [(0, f32::NAN), (3, f32::INFINITY), (5, f32::NEG_INFINITY)] {
            let mut x = x;
            x[index] = value;
            let error = refused(&x, &InputFormat { precision: 4, is_signed, parameters }, &[], 4);
            assert_eq!(error.kind(), ErrorKind::NonFinite);
            assert!(error.to_string().contains(&format!("index {index} ")), "{error}");
        }
    }
}
