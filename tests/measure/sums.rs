//! Sums of two arrays beside the exact ones: random data and every special case.

use super::ALL;
use super::random::Random;
use super::reference::Reference;
use caffe2_qtensor::measure::{ErrorOptions, compare};

fn check(reference: &[f32], values: &[f32], note: &str) {
    let expected = Reference::of(reference, values);
    let options = ErrorOptions { code_histogram: false, ..ALL };
    for options in [ErrorOptions::default(), options] {
        let errors = compare(reference, values, &options).unwrap();
        expected.check(&errors, note);
        assert_eq!(errors.flushed(), expected.flushed, "{note}");
        assert_eq!((errors.saturated_low(), errors.saturated_high()), (0, 0), "{note}");
    }
}

const SPECIAL: [f32; 14] = [
    0.0,
    -0.0,
    1.0,
    f32::MAX,
    f32::MIN,
    f32::MIN_POSITIVE,
    1e-45,
    -1e-45,
    f32::EPSILON,
    16_777_216.0,
    f32::NAN,
    f32::INFINITY,
    f32::NEG_INFINITY,
    -1.5,
];

#[test]
fn every_pair_of_special_numbers() {
    for x in SPECIAL {
        for y in SPECIAL {
            check(&[x], &[y], &format!("{x:e} and {y:e}"));
        }
    }
}

#[test]
fn every_length_with_and_without_special_numbers() {
    let mut random = Random::new(1);
    for length in (0..40).chain([1023, 1024, 1025, 2047, 2048, 3000]) {
        for special in [0, 1, 10] {
            let mut draw = |scale: f64| match random.below(20) < special {
                true => SPECIAL[random.below(SPECIAL.len())],
                false => (random.normal() * scale) as f32,
            };
            let reference: Vec<f32> = (0..length).map(|_| draw(1.0)).collect();
            let values: Vec<f32> = (0..length).map(|_| draw(1.001)).collect();
            check(&reference, &values, &format!("{length} with {special} in 20 special"));
        }
    }
}

/// Many numbers whose errors nearly cancel, or whose sizes differ as much as sizes can.
#[test]
fn a_million_pairs() {
    let mut random = Random::new(2);
    let normal: Vec<f32> = (0..1_000_003).map(|_| random.normal() as f32).collect();
    let step = |x: &f32| (x * 16.0).round() / 16.0;
    check(&normal, &normal.iter().map(step).collect::<Vec<_>>(), "rounded");
    let wild = |random: &mut Random| f32::from_bits(random.below(1 << 32) as u32);
    let left: Vec<f32> = (0..300_000).map(|_| wild(&mut random)).collect();
    let right: Vec<f32> = (0..300_000).map(|_| wild(&mut random)).collect();
    check(&left, &right, "any bits");
    check(&vec![0.1; 1_000_000], &vec![0.3; 1_000_000], "constant");
    check(&vec![1e-45; 100_000], &vec![f32::MAX; 100_000], "as far apart as can be");
    let alternating: Vec<f32> =
        (0..1 << 20).map(|i| if i % 2 == 0 { 1e30 } else { -1e30 }).collect();
    check(&vec![1.0; 1 << 20], &alternating, "alternating");
}

#[test]
fn threads_change_nothing_but_the_last_bits() {
    let mut random = Random::new(3);
    let reference: Vec<f32> = (0..500_001).map(|_| random.normal() as f32).collect();
    let values: Vec<f32> = reference.iter().map(|x| (x * 4.0).round() / 4.0).collect();
    let expected = Reference::of(&reference, &values);
    for threads in [0, 2, 3, 7, 1000] {
        let options = ErrorOptions { threads, error_histogram: true, ..ErrorOptions::default() };
        let errors = compare(&reference, &values, &options).unwrap();
        expected.check(&errors, &format!("{threads} threads"));
        assert_eq!(errors.flushed(), expected.flushed);
        let counted: u64 = errors.error_histogram().map(|bin| bin.count).sum();
        assert_eq!(counted, expected.finite);
    }
}
