//! Quantiles beside sorted errors, and the divergence beside its definition.

use super::random::Random;
use caffe2_qtensor::QTensor;
use caffe2_qtensor::measure::{ErrorOptions, compare};
use caffe2_qtensor::quantize::QuantizeOptions;

const HISTOGRAMS: ErrorOptions = ErrorOptions {
    code_histogram: false,
    error_histogram: true,
    value_histogram: true,
    threads: 1,
};

/// Within 1/64 of the error of that rank, whatever the errors.
#[test]
fn quantiles_are_as_near_as_they_are_said_to_be() {
    let mut random = Random::new(41);
    for kind in 0..5 {
        for count in [1, 2, 3, 19, 20, 1000, 5003] {
            let mut draw = |kind| match kind {
                0 => random.normal() as f32,
                1 => f32::from_bits(random.below(0x7f80_0000) as u32),
                2 => f32::from_bits(random.below(1 << 24) as u32),
                3 => random.below(3) as f32,
                _ => 0.0,
            };
            let reference: Vec<f32> = (0..count).map(|_| draw(kind)).collect();
            let values: Vec<f32> = (0..count).map(|_| draw(kind)).collect();
            let errors = compare(&reference, &values, &HISTOGRAMS).unwrap();
            let mut sorted: Vec<f64> = reference
                .iter()
                .zip(&values)
                .map(|(x, y)| (f64::from(*y) - f64::from(*x)).abs())
                .collect();
            sorted.sort_by(f64::total_cmp);
            for p in [0.0, 0.01, 0.5, 0.95, 0.99, 1.0] {
                let rank = ((p * count as f64).ceil() as usize).max(1);
                let exact = sorted[rank - 1];
                let found = errors.quantile(p).unwrap();
                let close = (found - exact).abs() <= exact / 64.0;
                assert!(close, "{kind} {count} {p}: {found:e} for {exact:e}");
            }
            for p in [-0.1, 1.1, f64::NAN] {
                assert_eq!(errors.quantile(p), None);
            }
        }
    }
}

/// The definition, with the references of each value's ranks sorted out one by one.
fn divergence(reference: &[f32], values: &[f32]) -> f64 {
    let largest = |numbers: &[f32]| {
        numbers.iter().fold((0.0_f64, 0.0_f64), |(low, high), x| {
            (low.min(f64::from(*x)), high.max(f64::from(*x)))
        })
    };
    let (low, high) = {
        let (one, other) = (largest(reference), largest(values));
        (one.0.min(other.0), one.1.max(other.1))
    };
    let mut width = 2.0_f64.powi(-149);
    while low < -2048.0 * width || high >= 2048.0 * width {
        width *= 2.0;
    }
    let bins = |numbers: &[f32]| {
        let mut bins: Vec<i64> =
            numbers.iter().map(|x| (f64::from(*x) / width).floor() as i64).collect();
        bins.sort_unstable();
        bins
    };
    let (sources, targets) = (bins(reference), bins(values));
    let count = |bin: i64| sources.iter().filter(|other| **other == bin).count() as f64;
    let mut mass = std::collections::BTreeMap::<i64, f64>::new();
    let mut start = 0;
    while start < targets.len() {
        let end = targets.partition_point(|target| *target <= targets[start]);
        let these = &sources[start..end];
        let parts: f64 = these.iter().map(|bin| 1.0 / count(*bin)).sum();
        for bin in these {
            *mass.entry(*bin).or_default() += (end - start) as f64 / count(*bin) / parts;
        }
        start = end;
    }
    let total = reference.len() as f64;
    mass.iter().map(|(bin, mass)| count(*bin) / total * (count(*bin) / mass).log2()).sum()
}

#[test]
fn the_divergence_is_the_defined_one() {
    let mut random = Random::new(42);
    for precision in [1, 2, 3, 4, 8, 12] {
        for form in 0..3 {
            let reference: Vec<f32> = (0..4000)
                .map(|_| match form {
                    0 => random.normal() as f32,
                    1 => random.normal().max(0.0) as f32,
                    _ => (1e20 * random.uniform()) as f32,
                })
                .collect();
            let mut tensor = QTensor::with_shape(&[4000], precision, true).unwrap();
            let size = if form == 2 { 1e20 } else { 3.0 };
            tensor.set_scale(size / f64::from(precision).exp2());
            tensor.quantize(&reference, &QuantizeOptions::default()).unwrap();
            let mut values = vec![0.0_f32; 4000];
            tensor.dequantize(&mut values, 1).unwrap();
            let found = tensor.errors(&reference, &HISTOGRAMS).unwrap().kl().unwrap();
            let expected = divergence(&reference, &values);
            let close = (found - expected).abs() <= 1e-9 * (1.0 + expected);
            assert!(close, "{precision} {form}: {found} for {expected}");
            assert!(found >= 0.0 && found.is_finite());
        }
    }
    let same: Vec<f32> = (0..500).map(|_| random.normal() as f32).collect();
    assert_eq!(compare(&same, &same, &HISTOGRAMS).unwrap().kl(), Some(0.0));
}
