//! Every code is the one of the definition: all precisions, roundings, types and thread counts.

use crate::definition::Definition;
use crate::reference::{Number, ROUNDINGS, Random, SATURATE, check, read, values_around};
use caffe2_qtensor::QTensor;
use caffe2_qtensor::kernels::quantize::{Fast, Formula, Rules, Step};
use caffe2_qtensor::quantize::{Bfloat16, Counts, Half, QuantizeOptions, Rounding};

/// Scales and biases; the biases are zero points where Caffe2's rounding is asked for.
const STEPS: [(f64, f64); 6] = [
    (1.0, 0.0),
    (0.031_372_55, -7.0),
    (1.0 / 3.0, 0.37),
    (2.5e-3, -128.0),
    (1e12, 3.0),
    (7.3e-9, -0.5),
];

fn sampled_floats() -> Vec<f32> {
    // The multiplier is odd, so that magnitudes and signs come mixed, as in real data.
    (0..65_536_u32).map(|i| f32::from_bits(i.wrapping_mul(40_503) % 65_536 * 65_537)).collect()
}

/// The floats around positions where the code changes, and around codes.
fn borders(scale: f64, bias: f64, lowest: f64, highest: f64, floats: &mut Vec<f32>) {
    let span = highest - lowest;
    for step in 0..=64 {
        let code = (lowest - 1.0 + step as f64 * (span + 2.0) / 64.0).round();
        for position in [code, code + 0.5] {
            let bits = ((scale * (position + bias)) as f32).to_bits();
            let around = -2_i32..=2;
            floats.extend(around.map(|by| f32::from_bits(bits.wrapping_add_signed(by))));
        }
    }
}

fn tensor(size: usize, precision: u8, signed: bool, (scale, bias): (f64, f64)) -> QTensor {
    let mut tensor = QTensor::with_shape(&[size as i64], precision, signed).unwrap();
    tensor.set_scale(scale);
    tensor.set_bias(bias);
    tensor
}

fn has_fast_path(rounding: Rounding, precision: u8, signed: bool, step: (f64, f64)) -> bool {
    let rules = Rules { rounding, seed: 0, precision, signed };
    let step = Step { scale: step.0, bias: step.1 }.for_rounding(rounding);
    Fast::new(&step, &rules).is_some()
}

fn sampled(precisions: impl Iterator<Item = u8>) {
    let sampled = sampled_floats();
    for precision in precisions {
        for signed in [false, true] {
            for (turn, rounding) in ROUNDINGS.into_iter().enumerate() {
                let (scale, mut bias) = STEPS[(turn + usize::from(precision)) % STEPS.len()];
                if rounding == Rounding::Caffe2 {
                    bias = bias.round();
                }
                let exact = matches!(rounding, Rounding::TowardZero | Rounding::Stochastic);
                let fast = has_fast_path(rounding, precision, signed, (scale, bias));
                assert_eq!(fast, precision <= 8 && !exact, "{precision} {rounding:?}");
                let highest = ((1_u64 << precision) - 1) as f64;
                let lowest = if signed { -highest } else { 0.0 };
                let mut values = sampled.clone();
                borders(scale, bias, lowest, highest, &mut values);
                let mut tensor = tensor(values.len(), precision, signed, (scale, bias));
                let options = QuantizeOptions { rounding, seed: 0x5eed, ..SATURATE };
                check(&mut tensor, &values, &options);
            }
        }
    }
}

#[test]
fn sampled_floats_to_narrow_codes() {
    sampled(1..=8);
}

#[test]
fn sampled_floats_to_wide_codes() {
    sampled(9..=32);
}

/// Where single precision could not tell the codes apart, the definition is evaluated.
#[test]
fn parameters_beyond_the_fast_path() {
    for step in [(1e-300, 0.0), (1e300, 0.0), (0.5, 1e9), (1.0, -3e5), (1e-40, 1.0)] {
        assert!(!has_fast_path(Rounding::NearestEven, 8, true, step), "{step:?}");
        let mut values = sampled_floats();
        borders(step.0, step.1, -255.0, 255.0, &mut values);
        let mut tensor = tensor(values.len(), 8, true, step);
        check(&mut tensor, &values, &SATURATE);
    }
}

fn types<T: Number>(seed: u64) {
    let mut random = Random(seed);
    for precision in [1, 2, 5, 7, 8, 9, 15, 24, 32] {
        for signed in [false, true] {
            for rounding in ROUNDINGS {
                let bias = if rounding == Rounding::Caffe2 { -3.0 } else { -3.3 };
                let scale = if precision > 9 { 2e-9 } else { 0.041 };
                let mut tensor = tensor(9001, precision, signed, (scale, bias));
                let values = values_around::<T>(&tensor, &mut random);
                let options = QuantizeOptions { rounding, seed, ..SATURATE };
                check(&mut tensor, &values, &options);
            }
        }
    }
}

#[test]
fn doubles() {
    types::<f64>(1);
}

#[test]
fn floats_in_half_precision() {
    types::<Half>(2);
    types::<Bfloat16>(3);
}

/// Doubles that no float holds: next to a border and on the other side of it.
#[test]
fn doubles_are_not_narrowed() {
    let values = [0.5_f64.next_up(), 0.5, 1.5_f64.next_down(), 1.5, 1e300, -1e300, 1e-310];
    let mut tensor = tensor(values.len(), 8, true, (1.0, 0.0));
    check(&mut tensor, &values, &SATURATE);
    assert_eq!(read(&tensor), [1, 0, 1, 2, 255, -255, 0]);
}

/// A thread is given at least 65,536 elements, and whole blocks of 4096.
#[test]
fn any_number_of_threads_gives_the_same_codes() {
    let mut random = Random(4);
    for size in [7 * 65_536 + 4096 + 13, 3 * 65_536, 2 * 65_536 - 1] {
        for (precision, signed) in [(8, false), (8, true), (4, false), (7, true), (12, true)] {
            for rounding in [Rounding::NearestEven, Rounding::Stochastic, Rounding::Caffe2] {
                let mut one = tensor(size, precision, signed, (0.25, -3.0));
                let values = values_around::<f32>(&one, &mut random);
                let options = QuantizeOptions { rounding, seed: 99, ..SATURATE };
                check(&mut one, &values, &options);
                let counts = one.quantize_counting(&values, &options).unwrap();
                for threads in [0, 2, 3, 7, usize::MAX] {
                    let options = QuantizeOptions { threads, ..options };
                    let mut several = tensor(size, precision, signed, (0.25, -3.0));
                    assert_eq!(several.quantize_counting(&values, &options), Ok(counts));
                    assert!(several.data() == one.data(), "{several:?} {options:?}");
                    several.quantize(&values, &options).unwrap();
                    assert!(several.data() == one.data(), "in place: {several:?} {options:?}");
                }
            }
        }
    }
}

/// Another seed gives other codes; the share of those rounded up is the fraction.
#[test]
fn stochastic_rounding_is_fair_and_follows_its_seed() {
    let values = vec![2.25_f32; 100_000];
    let mut tensor = tensor(values.len(), 4, false, (1.0, 0.0));
    let mut codes = Vec::new();
    for seed in [0, 1, u64::MAX] {
        let rounding = Rounding::Stochastic;
        let options = QuantizeOptions { rounding, seed, ..QuantizeOptions::default() };
        tensor.quantize(&values, &options).unwrap();
        let found = read(&tensor);
        let up = found.iter().filter(|code| **code == 3).count();
        let down = found.iter().filter(|code| **code == 2).count();
        assert_eq!(up + down, values.len());
        // The standard deviation is 137.
        assert!(up.abs_diff(25_000) < 700, "seed {seed}: {up}");
        // No run of neighbors decides alike: pairs that both go up are 1/16 of all.
        let pairs = found.windows(2).filter(|pair| pair[0] == 3 && pair[1] == 3).count();
        assert!(pairs.abs_diff(6250) < 500, "seed {seed}: {pairs}");
        codes.push(found);
    }
    assert!(codes[0] != codes[1] && codes[1] != codes[2] && codes[0] != codes[2]);
}

/// The library's own specification, which its kernels are held to, says the same.
#[test]
fn both_tellings_of_the_definition_agree() {
    let mut random = Random(5);
    for rounding in ROUNDINGS {
        for (precision, signed) in [(1, false), (3, true), (8, false), (31, true), (32, false)] {
            for (scale, bias) in [(1.0, 0.0), (0.3, -2.0), (1e-5, 77.0)] {
                let rules = Rules { rounding, seed: 7, precision, signed };
                let formula = Formula { rules, step: Step { scale, bias }.for_rounding(rounding) };
                let definition = Definition { rounding, seed: 7, precision, signed, scale, bias };
                let mut values = vec![0.0, -0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
                let highest = definition.highest() as f64;
                values.extend((0..500).map(|_| {
                    scale * ((random.between(-1.1, 1.1) * 2.0 * highest).round() / 2.0 + bias)
                }));
                values.extend((0..500).map(|_| f64::from_bits(random.next())));
                for (index, value) in (0..).zip(values) {
                    let expected = definition.code(value, index, &mut Counts::default());
                    let code = formula.code(value, index).0;
                    assert_eq!(code, expected, "{value:?} {definition:?}");
                }
            }
        }
    }
}
