//! What is refused, and in what words.

use super::ALL;
use caffe2_qtensor::measure::time::{Stopwatch, Timing, repeat};
use caffe2_qtensor::measure::{ErrorOptions, compare};
use caffe2_qtensor::{Error, ErrorKind, QTensor};

#[track_caller]
fn refused<T>(result: Result<T, Error>, kind: ErrorKind, text: &str) {
    let error = result.err().expect("a refusal");
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(text), "{error}");
}

#[test]
fn errors_of_what_does_not_fit() {
    let plain = ErrorOptions::default();
    let tensor = QTensor::with_shape(&[2, 3], 4, false).unwrap();
    refused(tensor.errors(&[0.0; 5], &plain), ErrorKind::ShapeMismatch, "is 5, but it must be 6");
    refused(compare(&[0.0; 3], &[0.0; 2], &plain), ErrorKind::ShapeMismatch, "is 2");
    refused(compare(&[0.0], &[0.0], &ALL), ErrorKind::Unsupported, "codes");
    for axis in [2, 1000, usize::MAX] {
        let found = tensor.errors_per_channel(&[0.0; 6], axis, &plain);
        refused(found, ErrorKind::OutOfRange, "channel axis");
    }
    let found = tensor.errors_per_channel(&[0.0; 5], 0, &plain);
    refused(found, ErrorKind::ShapeMismatch, "is 5, but it must be 6");
    for (precision, kind) in [(0, ErrorKind::OutOfRange), (33, ErrorKind::OutOfRange)] {
        let tensor = QTensor::with_shape(&[6], precision, false).unwrap();
        refused(tensor.errors(&[0.0; 6], &plain), kind, "precision");
        refused(tensor.errors_per_channel(&[0.0; 6], 0, &plain), kind, "precision");
    }
    let wide = QTensor::with_shape(&[6], 17, false).unwrap();
    refused(wide.errors(&[0.0; 6], &ALL), ErrorKind::Unsupported, "precision is 17");
    assert_eq!(wide.errors(&[0.0; 6], &plain).unwrap().count(), 6);
    let without = QTensor::with_shape(&[0], 17, false).unwrap();
    let found = without.errors_per_channel(&[], 0, &ALL);
    refused(found, ErrorKind::Unsupported, "precision is 17");
    let widest = QTensor::with_shape(&[6], 64, false).unwrap();
    refused(widest.code_statistics(), ErrorKind::Unsupported, "precision is 64");
}

/// No elements in any of the ways that there are; channels without any, and many of them.
#[test]
fn channels_without_elements() {
    for (dims, axis, channels) in [(&[0_i64, 3][..], 1, 3), (&[0, 3], 0, 0), (&[2, 0, 4], 2, 4)] {
        let tensor = QTensor::with_shape(dims, 4, false).unwrap();
        let errors = tensor.errors_per_channel(&[], axis, &ALL).unwrap();
        assert_eq!(errors.len(), channels);
        assert!(errors.iter().all(|errors| errors.count() == 0));
    }
    let tensor = QTensor::with_shape(&[0, i64::MAX], 4, false).unwrap();
    let found = tensor.errors_per_channel(&[], 1, &ErrorOptions::default());
    refused(found, ErrorKind::OutOfMemory, "channels");
}

#[test]
fn times() {
    refused(Timing::of(&mut []), ErrorKind::OutOfRange, "number of runs is 0");
    refused(Timing::of(&mut [1.0, f64::NAN]), ErrorKind::NonFinite, "index 1");
    let words = "seconds at index 1 are -1e-9, but they must be 0 or more";
    refused(Timing::of(&mut [1.0, -1e-9]), ErrorKind::InvalidArgument, words);
    refused(repeat(3, 0, || unreachable!()), ErrorKind::OutOfRange, "runs");
    for count in 1..=100 {
        let mut seconds: Vec<f64> = (1..=count).rev().map(f64::from).collect();
        let timing = Timing::of(&mut seconds).unwrap();
        assert_eq!(timing.runs, u64::from(count as u32));
        assert_eq!((timing.minimum, timing.maximum), (1.0, f64::from(count)));
        assert_eq!(timing.median, (f64::from(count) + 1.0) / 2.0);
        assert_eq!(timing.p95, (95.0 * f64::from(count) / 100.0).ceil());
        assert_eq!(timing.total, f64::from(count * (count + 1) / 2));
    }
    let stopwatch = Stopwatch::start();
    let timing = repeat(1, 4, || std::thread::sleep(std::time::Duration::from_millis(1))).unwrap();
    assert!(timing.minimum > 0.0 && timing.total <= stopwatch.seconds());
}
