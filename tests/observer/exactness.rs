//! The state follows from the values alone: not from batches, order or merges.

use crate::random::Random;
use crate::wild;
use caffe2_qtensor::calibrate::{Kind, Missing, Observer, ObserverConfig};

fn shuffle<T>(random: &mut Random, values: &mut [T]) {
    for last in (1..values.len()).rev() {
        values.swap(last, random.below(last + 1));
    }
}

/// Observers of random parts, merged two by two in random order.
fn scattered(random: &mut Random, config: &ObserverConfig, values: &[f32]) -> Observer {
    let parts = 1 + random.below(12);
    let mut observers: Vec<Observer> = (0..parts).map(|_| Observer::new(config).unwrap()).collect();
    let mut left = values;
    while !left.is_empty() {
        let most = [1, 10, 1000, 20_000][random.below(4)];
        let (batch, rest) = left.split_at((1 + random.below(most)).min(left.len()));
        observers[random.below(parts)].observe(batch, &[]).unwrap();
        left = rest;
    }
    while observers.len() > 1 {
        let from = observers.swap_remove(random.below(observers.len()));
        let into = random.below(observers.len());
        observers[into].merge(&from).unwrap();
    }
    observers.remove(0)
}

#[test]
fn a_thousand_splits_and_merge_orders() {
    let mut random = Random::new(1);
    for round in 0..1000 {
        let bins = [256, 4096, 1024][round % 3];
        let config = ObserverConfig {
            kind: if round % 10 == 9 { Kind::Range } else { Kind::Histogram { bins } },
            missing: Missing::Skip,
            ..ObserverConfig::default()
        };
        let count = if round % 50 == 0 { 60_000 } else { random.below(3000) };
        let mut values = wild(&mut random, count);
        let mut whole = Observer::new(&config).unwrap();
        whole.observe(&values, &[]).unwrap();
        let expected = whole.serialize().unwrap();
        shuffle(&mut random, &mut values);
        let merged = scattered(&mut random, &config, &values);
        assert!(merged.serialize().unwrap() == expected, "round {round}");
        // What is sent and read on the way leaves no trace either.
        let sent = Observer::deserialize(&expected).unwrap();
        assert!(sent.serialize().unwrap() == expected, "round {round}");
    }
}

/// More values than a table takes at a time, sorted so that the range grows all the while.
#[test]
fn a_long_growing_batch() {
    let config = ObserverConfig::default();
    let values: Vec<f32> = (0..2_500_000).map(|i| (i as f32 - 1e6) * 1e-3).collect();
    let mut whole = Observer::new(&config).unwrap();
    whole.observe(&values, &[]).unwrap();
    let mut backwards = Observer::new(&config).unwrap();
    for batch in values.rchunks(100_001) {
        backwards.observe(batch, &[]).unwrap();
    }
    assert!(whole.serialize().unwrap() == backwards.serialize().unwrap());
    let seen = whole.statistics(0).unwrap();
    assert_eq!(seen.finite, 2_500_000);
    let mean = values.iter().map(|value| f64::from(*value)).sum::<f64>() / 2.5e6;
    assert!((seen.mean - mean).abs() < 1e-9, "{} {mean}", seen.mean);
}

/// Channels of every layout are what an observer each would have seen.
#[test]
fn channels() {
    let mut random = Random::new(3);
    for (dims, axis) in [
        (vec![4_i64, 7, 5], 0),
        (vec![4, 7, 5], 1),
        (vec![4, 7, 5], 2),
        (vec![3, 2, 40, 50], 1),
        (vec![9], 0),
        (vec![6000, 3], 1),
        (vec![2, 0, 3], 0),
    ] {
        let (count, channels) = (dims.iter().product::<i64>() as usize, dims[axis] as usize);
        let values = wild(&mut random, count);
        let inner = dims[axis + 1..].iter().product::<i64>() as usize;
        let config = ObserverConfig {
            channels: Some((axis, channels)),
            missing: Missing::Skip,
            ..ObserverConfig::default()
        };
        let mut together = Observer::new(&config).unwrap();
        for _ in 0..2 {
            together.observe(&values, &dims).unwrap();
        }
        for channel in 0..channels {
            let own: Vec<f32> = values
                .iter()
                .enumerate()
                .filter(|(index, _)| index / inner % channels == channel)
                .map(|(_, value)| *value)
                .collect();
            let mut alone = crate::observed(&own);
            alone.observe(&own, &[]).unwrap();
            let (a, b) = (together.statistics(channel).unwrap(), alone.statistics(0).unwrap());
            assert_eq!(format!("{a:?}"), format!("{b:?}"), "{dims:?} {axis} {channel}");
        }
    }
}
