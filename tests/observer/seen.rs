//! Statistics, copies and resets.

use crate::random::Random;
use crate::{observed, wild};
use caffe2_qtensor::calibrate::{Kind, Missing, Observer, ObserverConfig};

#[test]
fn statistics_are_those_of_the_values() {
    let mut random = Random::new(5);
    for _ in 0..200 {
        let count = 1 + random.below(3000);
        let values = wild(&mut random, count);
        let seen = observed(&values).statistics(0).unwrap();
        let finite: Vec<f64> =
            values.iter().filter(|v| v.is_finite()).map(|v| f64::from(*v)).collect();
        assert_eq!(seen.finite, finite.len() as u64);
        assert_eq!(seen.zeros, finite.iter().filter(|v| **v == 0.0).count() as u64);
        assert_eq!(seen.nan, values.iter().filter(|v| v.is_nan()).count() as u64);
        if finite.is_empty() {
            assert!(seen.min.is_nan() && seen.mean.is_nan());
            continue;
        }
        assert_eq!(seen.min, finite.iter().copied().fold(f64::INFINITY, f64::min));
        assert_eq!(seen.max, finite.iter().copied().fold(f64::NEG_INFINITY, f64::max));
        let n = finite.len() as f64;
        let mean = finite.iter().sum::<f64>() / n;
        let size = finite.iter().map(|v| v.abs()).fold(0.0, f64::max);
        assert!((seen.mean - mean).abs() <= 1e-13 * size, "{} {mean}", seen.mean);
        let variance = finite.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
        let slack = 1e-9 * variance + 1e-15 * size * size;
        assert!((seen.variance - variance).abs() <= slack, "{} {variance}", seen.variance);
        let square = finite.iter().map(|v| v * v).sum::<f64>() / n;
        assert!((seen.mean_square - square).abs() <= 1e-9 * square);
    }
}

#[test]
fn a_copy_goes_its_own_way() {
    let mut observer = observed(&[1.0, 2.0]);
    let copy = observer.try_clone().unwrap();
    observer.observe(&[-5.0], &[]).unwrap();
    assert_eq!(copy.statistics(0).unwrap().min, 1.0);
    assert_eq!(observer.statistics(0).unwrap().min, -5.0);
    observer.reset();
    let config = *observer.config();
    let empty = Observer::new(&config).unwrap();
    assert!(observer.serialize().unwrap() == empty.serialize().unwrap());
    assert_eq!(observer.statistics(0).unwrap().finite, 0);
}

#[test]
fn a_moving_average_weighs_batches() {
    let config = ObserverConfig {
        kind: Kind::MovingAverage { weight: 0.25 },
        missing: Missing::Skip,
        ..ObserverConfig::default()
    };
    let mut observer = Observer::new(&config).unwrap();
    observer.observe(&[f32::NAN], &[]).unwrap();
    assert_eq!(observer.statistics(0).unwrap().batches, 0);
    observer.observe(&[-1.0, 4.0], &[]).unwrap();
    observer.observe(&[-2.0, 0.0, f32::INFINITY], &[]).unwrap();
    observer.observe(&[], &[]).unwrap();
    let seen = observer.statistics(0).unwrap();
    assert_eq!((seen.average_min, seen.average_max, seen.batches), (-1.25, 3.0, 2));
    assert_eq!((seen.min, seen.max), (-2.0, 4.0));
    let again = Observer::deserialize(&observer.serialize().unwrap()).unwrap();
    assert_eq!(again.statistics(0).unwrap().average_max, 3.0);
}

/// The ends are rounded each by itself: `-1 + (1 - 1e-20)` is above -1e-20.
#[test]
fn an_average_stays_a_range() {
    let kind = Kind::MovingAverage { weight: 1.0 };
    let mut observer =
        Observer::new(&ObserverConfig { kind, ..ObserverConfig::default() }).unwrap();
    observer.observe(&[-1.0, 0.0], &[]).unwrap();
    observer.observe(&[-1e-20], &[]).unwrap();
    let seen = observer.statistics(0).unwrap();
    assert!(seen.average_min <= seen.average_max, "{seen:?}");
    Observer::deserialize(&observer.serialize().unwrap()).unwrap();
}
