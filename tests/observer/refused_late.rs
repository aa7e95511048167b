//! A batch that is refused after most of it was taken in leaves nothing behind.

use caffe2_qtensor::ErrorKind;
use caffe2_qtensor::calibrate::{Kind, Observer, ObserverConfig};

#[test]
fn a_batch_of_every_length_with_a_bad_end() {
    for kind in [Kind::Range, Kind::Histogram { bins: 1024 }, Kind::MovingAverage { weight: 0.5 }] {
        let config = ObserverConfig { kind, ..ObserverConfig::default() };
        let mut observer = Observer::new(&config).unwrap();
        observer.observe(&[1.0, -2.0, 0.5], &[]).unwrap();
        let before = observer.serialize().unwrap();
        for length in [1, 100, 8191, 8192, 20_000, 1_200_000] {
            let mut values: Vec<f32> = (0..length).map(|i| i as f32 * 1e3).collect();
            for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                values[length - 1] = bad;
                let error = observer.observe(&values, &[]).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::NonFinite);
                assert!(error.to_string().contains(&format!("index {}", length - 1)), "{error}");
                assert!(observer.serialize().unwrap() == before, "{kind:?} {length}");
            }
        }
        observer.observe(&[4.0], &[]).unwrap();
        assert_eq!(observer.statistics(0).unwrap().finite, 4);
    }
}
