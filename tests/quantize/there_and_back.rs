//! Values to codes to values, and codes to values to codes.

use crate::reference::{Number, Random, read, values_around};
use caffe2_qtensor::QTensor;
use caffe2_qtensor::quantize::{QuantizeOptions, Rounding};

const SIZE: usize = 20_011;

fn tensor(precision: u8, signed: bool, (scale, bias): (f64, f64)) -> QTensor {
    let mut tensor = QTensor::with_shape(&[SIZE as i64], precision, signed).unwrap();
    tensor.set_scale(scale);
    tensor.set_bias(bias);
    tensor
}

const STEPS: [(f64, f64); 6] =
    [(1.0, 0.0), (0.1, -3.0), (1.0 / 3.0, 0.37), (7e-7, -128.0), (1e20, 5.5), (0.013, 1000.25)];

/// How far apart a value of the type and its neighbors are, at most.
fn last_place<T: Number>(value: f64) -> f64 {
    let bits = if size_of::<T>() == 8 { 52 } else { 23 };
    value.abs() * 2_f64.powi(-bits)
}

fn values_return<T: Number>(seed: u64) {
    let mut random = Random(seed);
    for precision in [1, 2, 4, 7, 8, 9, 16, 24, 32] {
        for signed in [false, true] {
            for step in STEPS {
                let mut tensor = tensor(precision, signed, step);
                let (scale, bias) = step;
                let highest = ((1_u64 << precision) - 1) as f64;
                let lowest = if signed { -highest } else { 0.0 };
                let values = values_around::<T>(&tensor, &mut random);
                tensor.quantize(&values, &QuantizeOptions::default()).unwrap();
                let mut back = values.clone();
                tensor.dequantize(&mut back, 1).unwrap();
                let mut inside = 0;
                for (value, back) in values.into_iter().zip(back) {
                    let (value, back) = (value.double(), back.double());
                    let limits = [lowest, highest].map(|code| scale * (code + bias));
                    if !(limits[0]..=limits[1]).contains(&value) {
                        // Clamped to the nearest value that there is.
                        let end = if value < limits[0] { limits[0] } else { limits[1] };
                        assert_eq!(back, T::nearest_to(end).double(), "{tensor:?} {value}");
                        continue;
                    }
                    inside += 1;
                    // The position and the value back are rounded once each.
                    let rounded = last_place::<T>(back) + 4.0 * last_place::<f64>(back);
                    let error = (value - back).abs();
                    assert!(error <= scale / 2.0 + rounded, "{tensor:?} {value} {back}");
                }
                assert!(inside > SIZE / 4, "{inside}");
            }
        }
    }
}

#[test]
fn values_come_back_within_half_a_step() {
    values_return::<f32>(61);
    values_return::<f64>(62);
}

fn codes_return<T: Number>(seed: u64, rounding: Rounding) {
    let mut random = Random(seed);
    let (mut certain, mut not) = (0, 0);
    for precision in 1..=32 {
        for signed in [false, true] {
            for (scale, bias) in STEPS {
                // A value is off by half a unit in its last place: that of the type once, and a
                // few times that of double precision. In codes it has to be below one half.
                let largest = ((1_u64 << precision) - 1) as f64 + f64::abs(bias);
                let error = last_place::<T>(largest) / 2.0 + 4.0 * last_place::<f64>(largest);
                if error >= 0.5 {
                    not += 1;
                    continue;
                }
                certain += 1;
                let mut tensor = tensor(precision, signed, (scale, bias));
                let highest = (1_i64 << precision) - 1;
                let code = |_| {
                    let code = (random.next() >> 31) as i64 & highest;
                    if signed && random.next() % 2 == 0 { -code } else { code }
                };
                let mut codes: Vec<i64> = (0..SIZE).map(code).collect();
                codes[..2].copy_from_slice(&[if signed { -highest } else { 0 }, highest]);
                tensor.write_codes(&codes).unwrap();
                let mut values = vec![T::nearest_to(0.0); SIZE];
                tensor.dequantize(&mut values, 1).unwrap();
                let options = QuantizeOptions { rounding, ..QuantizeOptions::default() };
                tensor.quantize(&values, &options).unwrap();
                assert!(read(&tensor) == codes, "{tensor:?} {rounding:?}");
            }
        }
    }
    // Floats tell 2^23 codes apart, doubles all.
    assert_eq!(not == 0, size_of::<T>() == 8, "{certain} and {not}");
    assert!(certain > 250);
}

#[test]
fn codes_come_back() {
    codes_return::<f32>(63, Rounding::NearestEven);
    codes_return::<f64>(64, Rounding::NearestAway);
}
