//! What an observer refuses, and that it is then as before.

use caffe2_qtensor::calibrate::{
    Kind, Method, Missing, Observer, ObserverConfig, Target, Zero, choose_exact,
};
use caffe2_qtensor::{ErrorKind, QTensor};

fn refused(config: ObserverConfig) -> (ErrorKind, String) {
    let error = Observer::new(&config).err().unwrap();
    (error.kind(), error.to_string())
}

#[test]
fn configurations() {
    let with = |kind| ObserverConfig { kind, ..ObserverConfig::default() };
    for bins in [0, 1, 128, 300, 4095, 32768, usize::MAX] {
        let (kind, text) = refused(with(Kind::Histogram { bins }));
        assert_eq!(kind, ErrorKind::InvalidArgument);
        assert!(text.contains("number of bins"), "{text}");
    }
    for weight in [0.0, -1.0, 1.5, f64::NAN, f64::INFINITY] {
        let (kind, text) = refused(with(Kind::MovingAverage { weight }));
        assert_eq!(kind, ErrorKind::InvalidArgument);
        assert!(text.contains("weight"), "{text}");
    }
    for channels in [(64, 1), (0, 0), (0, (1 << 24) + 1)] {
        let config = ObserverConfig {
            kind: Kind::Range,
            channels: Some(channels),
            ..ObserverConfig::default()
        };
        assert_eq!(refused(config).0, ErrorKind::OutOfRange);
    }
}

#[test]
fn a_bad_value_is_named_by_its_place() {
    let mut values = [0.5; 24];
    values[17] = f32::NAN;
    for axis in [None, Some(0), Some(1), Some(2)] {
        let target = Target::default();
        let error = QTensor::quantize_best(&values, &[2, 4, 3], axis, Method::Mse, &target);
        let error = error.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::NonFinite);
        assert!(error.to_string().contains("index 17 is NaN"), "{axis:?}: {error}");
    }
}

/// Terabytes, which a system that promises whatever it is asked for would end the test for.
#[test]
fn more_memory_than_there_is() {
    let promises = std::fs::read_to_string("/proc/sys/vm/overcommit_memory");
    if promises.is_ok_and(|how| matches!(how.trim(), "0" | "2")) {
        let config = ObserverConfig {
            kind: Kind::Histogram { bins: 16384 },
            channels: Some((0, 1 << 24)),
            ..ObserverConfig::default()
        };
        assert_eq!(refused(config).0, ErrorKind::OutOfMemory);
    }
}

#[test]
fn batches() {
    let config = ObserverConfig { channels: Some((1, 3)), ..ObserverConfig::default() };
    let mut observer = Observer::new(&config).unwrap();
    observer.observe(&[1.0; 6], &[2, 3]).unwrap();
    let before = observer.serialize().unwrap();
    let mut check = |values: &[f32], dims: &[i64], kind, text: &str| {
        let error = observer.observe(values, dims).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(text), "{error}");
        assert!(observer.serialize().unwrap() == before);
    };
    check(&[1.0; 5], &[2, 3], ErrorKind::ShapeMismatch, "number of values is 5");
    check(&[1.0; 8], &[2, 4], ErrorKind::ShapeMismatch, "number of channels is 4");
    check(&[1.0; 6], &[6], ErrorKind::OutOfRange, "channel axis is 1");
    check(&[1.0; 6], &[], ErrorKind::OutOfRange, "channel axis is 1, but there is none.");
    check(&[1.0; 6], &[-2, -3], ErrorKind::InvalidArgument, "dimension is -2");
    check(&[1.0; 6], &[1; 65], ErrorKind::OutOfRange, "number of dimensions");
    check(&[1.0; 6], &[i64::MAX, 3], ErrorKind::Overflow, "product of dimensions");
    let bad = [1.0, 2.0, 3.0, 4.0, f32::NAN, f32::INFINITY];
    check(&bad, &[2, 3], ErrorKind::NonFinite, "index 4 is NaN");
    let mut long = vec![1.0; 300_000];
    long[200_001] = f32::NEG_INFINITY;
    check(&long, &[100_000, 3], ErrorKind::NonFinite, "index 200001 is -inf");
}

#[test]
fn merges() {
    let base = ObserverConfig::default();
    let make = |config: ObserverConfig| Observer::new(&config).unwrap();
    let check = |own: ObserverConfig, other: ObserverConfig, kind, text: &str| {
        let error = make(own).merge(&make(other)).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(text), "{error}");
    };
    let kind = |kind| ObserverConfig { kind, ..base };
    let channels = |channels| ObserverConfig { channels, kind: Kind::Range, ..base };
    let average = kind(Kind::MovingAverage { weight: 0.5 });
    check(average, average, ErrorKind::Unsupported, "moving average");
    check(base, average, ErrorKind::Unsupported, "'moving average'");
    check(base, kind(Kind::Range), ErrorKind::Unsupported, "'range'");
    check(base, kind(Kind::Histogram { bins: 256 }), ErrorKind::ShapeMismatch, "bins is 256");
    check(
        channels(Some((0, 3))),
        channels(Some((0, 4))),
        ErrorKind::ShapeMismatch,
        "number of channels is 4",
    );
    check(channels(Some((0, 3))), channels(Some((1, 3))), ErrorKind::ShapeMismatch, "axis is 1");
    check(channels(None), channels(Some((0, 3))), ErrorKind::ShapeMismatch, "channels is 3");
    let skip = ObserverConfig { missing: Missing::Skip, ..base };
    check(base, skip, ErrorKind::Unsupported, "'skip'");
}

#[test]
fn choices() {
    let mut observer = Observer::new(&ObserverConfig::default()).unwrap();
    let target = Target::default();
    let error = observer.choose(0, Method::Mse, &target).unwrap_err();
    assert!(error.to_string().contains("number of finite values is 0"), "{error}");
    observer.observe(&[1.0, 2.0], &[]).unwrap();
    let check = |channel, method, target: &Target, kind, text: &str| {
        let error = observer.choose(channel, method, target).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(text), "{error}");
    };
    check(1, Method::Mse, &target, ErrorKind::OutOfRange, "channel is 1");
    let bits = |precision| Target { precision, ..target };
    check(0, Method::Mse, &bits(0), ErrorKind::OutOfRange, "precision");
    check(0, Method::Mae, &bits(9), ErrorKind::OutOfRange, "range 1 to 8");
    check(0, Method::MinMax, &bits(17), ErrorKind::OutOfRange, "range 1 to 16");
    let reduced = Target { reduced: true, ..bits(1) };
    check(0, Method::MinMax, &reduced, ErrorKind::OutOfRange, "reduced");
    check(0, Method::Percentile(0.5, 0.4), &target, ErrorKind::InvalidArgument, "quantile");
    check(0, Method::Percentile(-0.1, 0.4), &target, ErrorKind::InvalidArgument, "-0.1");
    check(0, Method::Percentile(0.1, f64::NAN), &target, ErrorKind::InvalidArgument, "NaN");
    check(0, Method::Fixed(1.0, 0.0), &target, ErrorKind::InvalidArgument, "minimum");
    check(0, Method::Fixed(0.0, f64::INFINITY), &target, ErrorKind::NonFinite, "maximum");
    check(0, Method::MovingAverage, &target, ErrorKind::Unsupported, "'histogram'");

    let config = ObserverConfig { kind: Kind::Range, ..ObserverConfig::default() };
    let mut observer = Observer::new(&config).unwrap();
    assert!(observer.choose(0, Method::MinMax, &target).is_err());
    observer.observe(&[-1.0, 4.0], &[]).unwrap();
    for method in [Method::Mse, Method::Mae, Method::Percentile(0.0, 1.0)] {
        let error = observer.choose(0, method, &target).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains("'range'"), "{error}");
    }
    let exact = Target { zero: Zero::Exact, ..target };
    let choice = observer.choose(0, Method::MinMax, &exact).unwrap();
    assert_eq!((choice.scale, choice.zero_point), (5.0 / 255.0, Some(51)));
    assert!(choice.mse.is_nan());
}

/// Whatever the values are, and before they are looked at.
#[test]
fn fixed_ranges_without_a_scale() {
    let ranges = [(-1e308, 1e308), (0.0, 1e-310), (-1e-300, 1e-300), (1e300, 1e300), (-1e250, 0.0)];
    for (min, max) in ranges {
        for values in [&[][..], &[0.0], &[5.0], &[1e-45, 1e38], &[-1e-45, 1e-45]] {
            for zero in [Zero::Free, Zero::Integer, Zero::Exact] {
                for (signed, symmetric) in [(false, false), (false, true), (true, true)] {
                    let target = Target { zero, signed, symmetric, ..Target::default() };
                    let method = Method::Fixed(min, max);
                    let mut observer = Observer::new(&ObserverConfig::default()).unwrap();
                    observer.observe(values, &[]).unwrap();
                    let refusals = [
                        observer.choose(0, method, &target),
                        choose_exact(values, method, &target),
                    ];
                    for refusal in refusals {
                        let error = refusal.unwrap_err();
                        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
                        assert!(error.to_string().contains("scale for the range"), "{error}");
                    }
                    // Far and near ones that have a scale are served.
                    for (min, max) in [(-1e180, 1e180), (0.0, 1e-180), (0.0, 0.0), (-2.0, -2.0)] {
                        let method = Method::Fixed(min, max);
                        assert!(observer.choose(0, method, &target).unwrap().scale.is_normal());
                    }
                }
            }
        }
    }
}
