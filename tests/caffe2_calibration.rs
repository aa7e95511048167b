//! Scale and zero point of whole data sets as the real Caffe2's choosers had them.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "a test stops at the first thing that is not as it should be"
)]

#[path = "support/golden.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod golden;
#[path = "support/random.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod random;

use caffe2_qtensor::ErrorKind;
use caffe2_qtensor::calibrate::{Caffe2Method, Caffe2Options, choose_caffe2};
use caffe2_qtensor::kernels::distortion::Piece;
use caffe2_qtensor::kernels::windows::{
    Norm, Source, divergence_memory, exhaustive_divergence, exhaustive_norm, least_divergence,
    least_norm,
};
use golden::lines;
use random::Random;

/// Little-endian floats.
fn floats(name: &str) -> Vec<f32> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/").to_owned() + name;
    let bytes = std::fs::read(path).unwrap();
    bytes.chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().unwrap())).collect()
}

#[test]
fn as_caffe2_chose() {
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for line in lines("calibration.jsonl") {
        let options = Caffe2Options {
            method: match line["method"].as_str().unwrap() {
                "MIN_MAX_QUANTIZATION" => Caffe2Method::MinMax,
                "L1_MIN_QUANTIZATION" => Caffe2Method::L1,
                "L2_MIN_QUANTIZATION" => Caffe2Method::L2,
                "L2_MIN_QUANTIZATION_APPROX" => Caffe2Method::L2Approx,
                "KL_MIN_QUANTIZATION" => Caffe2Method::Kl,
                "P99_QUANTIZATION" => Caffe2Method::P99(0.99),
                other => panic!("{other}"),
            },
            precision: line["precision"].as_u64().unwrap() as u8,
            preserve_sparsity: line["preserve_sparsity"].as_bool().unwrap(),
            force_scale_power_of_two: false,
        };
        let values = floats(line["data"].as_str().unwrap());
        let chosen = choose_caffe2(&values, &options).unwrap();
        let bits = u32::from_str_radix(line["scale_bits"].as_str().unwrap(), 16).unwrap();
        let scale = f64::from(f32::from_bits(bits));
        let zero_point = line["zero_point"].as_i64().unwrap() as i32;
        seen += 1;
        if (chosen.scale, chosen.zero_point) != (scale, zero_point) {
            wrong.push(format!("{line}: {chosen:?}, not {scale}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(seen, 80);
}

/// Histograms of every shape.
fn counts(random: &mut Random, bins: usize) -> Vec<u64> {
    let kind = random.below(6);
    let mut counts: Vec<u64> = (0..bins)
        .map(|bin| {
            let at = (bin as f64 - bins as f64 / 2.0) / bins as f64;
            let size = match kind {
                0 => 1000.0 * (-40.0 * at * at).exp(),
                1 => 300.0,
                2 => 5000.0 * (-30.0 * at.abs()).exp(),
                3 => f64::from(u8::from(random.below(8) == 0)) * 50.0,
                4 => 2.0,
                _ => 1e6 * random.uniform().powi(20),
            };
            (size * random.uniform() * 1.5) as u64
        })
        .collect();
    counts[0] += 1;
    counts[bins - 1] += 1;
    counts
}

#[test]
fn the_short_cuts_end_where_exhaustion_does() {
    let mut random = Random::new(29);
    for round in 0..60 {
        let precision = [1_u8, 2, 3, 4][round % 4];
        // Padding makes any number of bins.
        let bins = (1 << (precision + 3)) + [0, 0, 1, random.below(40)][random.below(4)];
        let counts = counts(&mut random, bins);
        let width = (0.001 + random.uniform()) as f32;
        let source = Source { counts: &counts, width, precision, anchor: None };
        let floats: Vec<f32> = counts.iter().map(|count| *count as f32).collect();
        let mut pieces = vec![Piece::default(); bins + 1];
        for norm in [Norm::Squared, Norm::Absolute] {
            let found = least_norm(&source, &floats, norm, &mut pieces);
            let expected = exhaustive_norm(&source, &floats, norm);
            assert_eq!(found, expected, "{norm:?} {precision} {counts:?}");
        }
        let mut memory = vec![0.0; divergence_memory(bins)];
        let found = least_divergence(&source, &mut memory);
        assert_eq!(found, exhaustive_divergence(&source), "{precision} {counts:?}");
    }
}

/// At and beyond the widths for which windows are left out: single precision has no range to spare.
#[test]
fn bins_of_every_width() {
    let mut random = Random::new(43);
    for width in [1e-30, 1e-17, 1e-16, 1e-13, 1e-10, 1e-9, 1e-4, 1e6, 1e8, 1e14, 1e20_f32] {
        for (bins, precision) in [(97, 8), (128, 6), (64, 3), (33, 1)] {
            let counts = counts(&mut random, bins);
            let source = Source { counts: &counts, width, precision, anchor: None };
            let floats: Vec<f32> = counts.iter().map(|count| *count as f32).collect();
            let mut pieces = vec![Piece::default(); bins + 1];
            for norm in [Norm::Squared, Norm::Absolute] {
                let found = least_norm(&source, &floats, norm, &mut pieces);
                let expected = exhaustive_norm(&source, &floats, norm);
                assert_eq!(found, expected, "{norm:?} {width} {precision} {counts:?}");
            }
        }
    }
}

#[test]
fn what_crashed_there_has_a_result() {
    let methods = [
        Caffe2Method::MinMax,
        Caffe2Method::L1,
        Caffe2Method::L2,
        Caffe2Method::L2Approx,
        Caffe2Method::Kl,
        Caffe2Method::P99(0.99),
    ];
    for method in methods {
        for preserve_sparsity in [false, true] {
            let options = |precision| Caffe2Options {
                method,
                precision,
                preserve_sparsity,
                ..Caffe2Options::default()
            };
            let plain = |precision| Caffe2Options {
                method: if method == Caffe2Method::Kl { method } else { Caffe2Method::MinMax },
                ..options(precision)
            };
            for values in [&[][..], &[0.0], &[3.0; 9], &[-1e-30; 3]] {
                let chosen = choose_caffe2(values, &options(4)).unwrap();
                assert_eq!(chosen, choose_caffe2(values, &plain(4)).unwrap(), "{method:?}");
            }
            for values in [[1.0, f32::NAN], [f32::INFINITY, 1.0]] {
                let error = choose_caffe2(&values, &options(8)).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::NonFinite);
            }
            // Two codes and sparsity do not go together, whatever the method.
            let chosen = choose_caffe2(&[-1.0, 0.5, 1.0], &options(1));
            assert_eq!(chosen.is_err(), preserve_sparsity && method != Caffe2Method::Kl);
            for precision in [0, 9] {
                let error = choose_caffe2(&[1.0], &options(precision)).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::OutOfRange);
            }
            if method != Caffe2Method::MinMax {
                let error = choose_caffe2(&[f32::MIN, f32::MAX], &options(4)).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::NonFinite, "{error}");
            }
            if !matches!(method, Caffe2Method::MinMax | Caffe2Method::Kl) {
                let error = choose_caffe2(&[1e6, 1e6 + 1.0], &options(8)).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Overflow, "{error}");
            }
            // Where cubes leave single precision the search is Caffe2's own.
            assert!(choose_caffe2(&[1e-15, -3e-15, 2e-15], &options(2)).is_ok());
        }
    }
    for share in [0.5, 1.0, -1.0, f32::NAN] {
        let options =
            Caffe2Options { method: Caffe2Method::P99(share), ..Caffe2Options::default() };
        let error = choose_caffe2(&[1.0], &options).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    }
}

#[test]
fn a_power_of_two_is_one() {
    let values: Vec<f32> = (0..500).map(|i| (i as f32).sin()).collect();
    for method in [Caffe2Method::MinMax, Caffe2Method::L2, Caffe2Method::P99(0.9)] {
        let options = Caffe2Options {
            method,
            precision: 5,
            force_scale_power_of_two: true,
            ..Caffe2Options::default()
        };
        let chosen = choose_caffe2(&values, &options).unwrap();
        assert_eq!(chosen.scale.to_bits() << 12, 0);
    }
}
