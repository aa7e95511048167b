//! How good choices are, and whether what is predicted comes true.

use crate::observed;
use crate::random::Random;
use caffe2_qtensor::QTensor;
use caffe2_qtensor::calibrate::{
    Choice, Kind, Method, Observer, ObserverConfig, Target, Zero, choose_exact,
};
use caffe2_qtensor::quantize::QuantizeOptions;

/// The mean squared error, the shares of what was clipped, by the quantizer itself.
pub(crate) fn measured(values: &[f32], target: &Target, choice: &Choice) -> (f64, f64, f64, f64) {
    let mut tensor =
        QTensor::with_shape(&[values.len() as i64], target.precision, target.signed).unwrap();
    tensor.set_scale(choice.scale);
    tensor.set_bias(choice.bias);
    let counts = tensor.quantize_counting(values, &QuantizeOptions::default()).unwrap();
    let mut back = vec![0.0_f64; values.len()];
    tensor.dequantize(&mut back, 1).unwrap();
    let n = values.len() as f64;
    let errors = || values.iter().zip(&back).map(|(value, back)| f64::from(*value) - back);
    (
        errors().map(|error| error * error).sum::<f64>() / n,
        errors().map(f64::abs).sum::<f64>() / n,
        counts.saturated_low as f64 / n,
        counts.saturated_high as f64 / n,
    )
}

fn data() -> Vec<(&'static str, Vec<f32>)> {
    let mut random = Random::new(23);
    let mut draw = |of: fn(&mut Random) -> f64| -> Vec<f32> {
        (0..20_000).map(|_| of(&mut random) as f32).collect()
    };
    vec![
        ("normal", draw(Random::normal)),
        ("relu", draw(|random| random.normal().max(0.0))),
        ("log-normal", draw(|random| random.normal().exp())),
        ("uniform", draw(Random::uniform)),
        ("offset", draw(|random| 1000.0 + random.normal())),
        ("cubed", draw(|random| random.normal().powi(3))),
    ]
}

#[test]
fn predictions_come_true() {
    for (name, values) in data() {
        let observer = observed(&values);
        for precision in [1, 2, 4, 6, 8] {
            for (signed, zero) in
                [(false, Zero::Free), (false, Zero::Exact), (true, Zero::Free), (true, Zero::Exact)]
            {
                let target = Target { precision, signed, zero, ..Target::default() };
                for method in
                    [Method::MinMax, Method::Mse, Method::Mae, Method::Percentile(0.02, 0.97)]
                {
                    let choice = observer.choose(0, method, &target).unwrap();
                    let (mse, mae, low, high) = measured(&values, &target, &choice);
                    let slack = if precision == 8 { 0.02 } else { 0.005 };
                    let what =
                        format!("{name} {precision} {signed} {zero:?} {method:?} {choice:?}");
                    assert!((choice.mse / mse - 1.0).abs() < slack, "{what}: {mse}");
                    assert!((choice.mae / mae - 1.0).abs() < slack, "{what}: {mae}");
                    assert!((choice.clipped_low - low).abs() < 2e-3, "{what}: {low}");
                    assert!((choice.clipped_high - high).abs() < 2e-3, "{what}: {high}");
                    let power = values.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>();
                    let sqnr = 10.0 * (power / values.len() as f64 / choice.mse).log10();
                    assert!((choice.sqnr - sqnr).abs() < 1e-6, "{what}: {sqnr}");
                }
            }
        }
    }
}

/// The errors of most values are many digits below what sums that hold the largest one keep.
#[test]
fn predictions_come_true_beside_a_huge_value() {
    let mut random = Random::new(29);
    let normal: Vec<f32> = (0..5000).map(|_| random.normal() as f32).collect();
    for huge in [&[1e10][..], &[1e30], &[-1e20, 1e20], &[f32::MIN]] {
        let values = [&normal, huge].concat();
        let observer = observed(&values);
        for target in [1, 3, 8].map(|precision| Target { precision, ..Target::default() }) {
            for method in [Method::Mse, Method::Mae, Method::MinMax, Method::Percentile(0.1, 0.9)] {
                let exact = choose_exact(&values, method, &target).unwrap();
                let seen = observer.choose(0, method, &target).unwrap();
                for (choice, slack) in [(exact, 1e-9), (seen, 0.03)] {
                    let (mse, mae, ..) = measured(&values, &target, &choice);
                    let what = format!("{huge:?} {method:?} {choice:?}: {mse} {mae}");
                    assert!((choice.mse - mse).abs() <= slack * mse, "{what}");
                    assert!((choice.mae - mae).abs() <= slack * mae, "{what}");
                }
            }
        }
    }
}

/// The contract of quality, against the values themselves searched in the same way: `make quality`
/// holds it against exhaustion.
#[test]
fn nearly_the_best_and_never_worse_than_min_max() {
    for (name, values) in data() {
        let observer = observed(&values);
        for precision in [1, 2, 3, 4, 6, 8] {
            for zero in [Zero::Free, Zero::Integer, Zero::Exact] {
                for (symmetric, power_of_two) in [(false, false), (true, false), (false, true)] {
                    let target =
                        Target { precision, zero, symmetric, power_of_two, ..Target::default() };
                    let ours = observer.choose(0, Method::Mse, &target).unwrap();
                    let mse = measured(&values, &target, &ours).0;
                    let least = choose_exact(&values, Method::Mse, &target).unwrap();
                    let least = measured(&values, &target, &least).0;
                    let limit = if precision <= 4 { 1.011 } else { 1.025 };
                    assert!(mse <= limit * least, "{name} {target:?}: {}", mse / least);
                    let range = observer.choose(0, Method::MinMax, &target).unwrap();
                    let range = measured(&values, &target, &range).0;
                    assert!(mse <= range * 1.0001, "{name} {target:?}: {mse} {range}");
                    let ours = observer.choose(0, Method::Mae, &target).unwrap();
                    let mae = measured(&values, &target, &ours).1;
                    let least = choose_exact(&values, Method::Mae, &target).unwrap();
                    let least = measured(&values, &target, &least).1;
                    assert!(mae <= limit * least, "{name} {target:?}: {}", mae / least);
                }
            }
        }
    }
}

#[test]
fn ranges_are_covered() {
    let observer = observed(&[-1.0, 0.5, 3.0]);
    let choose = |method, target: Target| {
        let choice = observer.choose(0, method, &target).unwrap();
        (choice.scale, choice.bias)
    };
    let eight = Target::default();
    assert_eq!(choose(Method::MinMax, eight), (4.0 / 255.0, -63.75));
    let exact = Target { zero: Zero::Exact, ..eight };
    assert_eq!(choose(Method::MinMax, exact), (4.0 / 255.0, -64.0));
    let symmetric = Target { symmetric: true, ..exact };
    assert_eq!(choose(Method::MinMax, symmetric), (3.0 / 127.0, -128.0));
    let signed = Target { signed: true, symmetric: true, ..eight };
    assert_eq!(choose(Method::MinMax, signed), (3.0 / 255.0, 0.0));
    assert_eq!(choose(Method::MaxAbs, Target { signed: true, ..eight }), (3.0 / 255.0, 0.0));
    let power = Target { power_of_two: true, ..exact };
    assert_eq!(choose(Method::MinMax, power).0, 1.0 / 32.0);
    let reduced = Target { reduced: true, ..exact };
    assert_eq!(choose(Method::MinMax, reduced), (4.0 / 127.0, -32.0));
    let sixteen = Target { precision: 16, ..eight };
    assert_eq!(choose(Method::MinMax, sixteen).0, 4.0 / 65535.0);
    assert_eq!(choose(Method::Fixed(0.0, 25.5), eight), (0.1, 0.0));
    assert_eq!(choose(Method::Percentile(0.0, 1.0), eight), (4.0 / 255.0, -63.75));
}

/// Quantiles of a huge range are known to an octave.
#[test]
fn quantiles_beside_an_outlier() {
    let mut values: Vec<f32> = (1..=1000).map(|i| i as f32 / 1000.0).collect();
    values.push(1e30);
    let target = Target::default();
    let choice = observed(&values).choose(0, Method::Percentile(0.0, 0.99), &target).unwrap();
    let top = choice.scale * (255.0 + choice.bias);
    assert!((0.9..1.05).contains(&top), "{top}");
}

/// A whole bias has as many bits as an i32, so far from 0 the steps are wider.
#[test]
fn a_whole_bias_reaches_the_values() {
    for values in [[1e6 - 1.0, 1e6, 1e6 + 1.0], [-1e6 - 1.0, -1e6, -1e6 + 1.0]] {
        for kind in [Kind::Range, ObserverConfig::default().kind] {
            let mut observer =
                Observer::new(&ObserverConfig { kind, ..ObserverConfig::default() }).unwrap();
            observer.observe(&values, &[]).unwrap();
            for power_of_two in [false, true] {
                let target = Target {
                    precision: 16,
                    zero: Zero::Integer,
                    power_of_two,
                    ..Target::default()
                };
                let choice = observer.choose(0, Method::MinMax, &target).unwrap();
                let (mse, ..) = measured(&values, &target, &choice);
                // Half a step that is 1e6 / 2^31, or twice that.
                assert!(mse < 1e-6, "{choice:?}: {mse}");
                assert!(choice.zero_point.is_some());
            }
        }
    }
}

/// A quantile between two values is one of them, not the next number after it.
#[test]
fn quantiles_are_values() {
    let target = Target::default();
    for (values, share) in [([0.0, 1.0], 0.5), ([0.0, -1.0], 1.0), ([3.0, 7.0], 0.5)] {
        let method = Method::Percentile(share, share);
        for choice in [
            observed(&values).choose(0, method, &target).unwrap(),
            choose_exact(&values, method, &target).unwrap(),
        ] {
            assert!(choice.scale >= 1.0, "{values:?} {choice:?}");
            assert_eq!(measured(&values[..1], &target, &choice).0, 0.0, "{values:?} {choice:?}");
        }
    }
}

/// Quantiles that are the same value get a code for it.
#[test]
fn quantiles_of_one_value() {
    let mut values = vec![5.0_f32; 1000];
    values.extend([-7.0, 9.0]);
    let quantiles = Method::Percentile(0.1, 0.9);
    for zero in [Zero::Free, Zero::Integer, Zero::Exact] {
        let target = Target { zero, ..Target::default() };
        let chosen = observed(&values).choose(0, quantiles, &target).unwrap();
        for choice in [chosen, choose_exact(&values, quantiles, &target).unwrap()] {
            let error = measured(&[5.0], &target, &choice).1;
            assert!(error < 1e-6, "{zero:?} {choice:?}: {error}");
        }
    }
}
