//! Parts put together in any order, and what cannot be.

use super::channels::same;
use super::random::Random;
use super::reference::Reference;
use super::{ALL, tensors};
use caffe2_qtensor::measure::{ErrorOptions, compare};
use caffe2_qtensor::{ErrorKind, QTensor};

/// Parts of sizes that are no blocks, of numbers of very different sizes.
#[test]
fn any_split_in_any_order() {
    let mut random = Random::new(51);
    for _ in 0..30 {
        let count = 1 + random.below(9000);
        let reference = tensors::weights(&mut random, count, 1.0);
        let values: Vec<f32> = reference.iter().map(|x| (x * 8.0).round() / 8.0).collect();
        let options = ErrorOptions { code_histogram: false, ..ALL };
        let whole = compare(&reference, &values, &options).unwrap();
        let mut parts = Vec::new();
        let mut start = 0;
        while start < count {
            let end = (start + 1 + random.below(3000)).min(count);
            parts.push((start, end));
            start = end;
        }
        for _ in 0..3 {
            for at in (1..parts.len()).rev() {
                parts.swap(at, random.below(at + 1));
            }
            let mut all = compare(&[], &[], &options).unwrap();
            for (start, end) in &parts {
                let (start, end) = (*start, *end);
                let part = compare(&reference[start..end], &values[start..end], &options).unwrap();
                all.merge(&part).unwrap();
            }
            let mut expected = Reference::of(&reference, &values);
            // An index is that in the part it was found in.
            expected.index = all.max_index();
            expected.check(&all, &format!("{parts:?}"));
            assert_eq!(all.kl(), whole.kl());
            let bins = |errors: &caffe2_qtensor::measure::Errors| {
                errors.error_histogram().collect::<Vec<_>>()
            };
            assert_eq!(bins(&all), bins(&whole));
        }
    }
}

#[test]
fn the_lower_index_of_equal_errors_stays() {
    let some = |values: &[f32]| {
        compare(&vec![0.0; values.len()], values, &ErrorOptions::default()).unwrap()
    };
    for (one, other, expected) in [
        (&[1.0, 2.0][..], &[2.0][..], 0),
        (&[2.0, 1.0], &[0.0, 0.0, -2.0], 0),
        (&[0.0, 1.0], &[0.0, 0.0, 3.0], 2),
        (&[0.0], &[0.0, 0.0], 0),
    ] {
        let mut forth = some(one);
        forth.merge(&some(other)).unwrap();
        let mut back = some(other);
        back.merge(&some(one)).unwrap();
        assert_eq!((forth.max_index(), back.max_index()), (Some(expected), Some(expected)));
        same(&forth, &back, "both ways");
    }
}

#[test]
fn different_histograms_do_not_merge() {
    let tensor = |precision, signed| QTensor::with_shape(&[3], precision, signed).unwrap();
    let reference = [1.0, 2.0, 3.0];
    let plain = ErrorOptions::default();
    let mut errors = tensor(4, false).errors(&reference, &ALL).unwrap();
    let before = errors.sum_squared();
    for options in [
        plain,
        ErrorOptions { code_histogram: false, ..ALL },
        ErrorOptions { error_histogram: false, ..ALL },
        ErrorOptions { value_histogram: false, ..ALL },
    ] {
        let other = tensor(4, false).errors(&reference, &options).unwrap();
        assert_eq!(errors.merge(&other).unwrap_err().kind(), ErrorKind::Unsupported);
    }
    for (precision, signed) in [(3, false), (4, true), (3, true)] {
        let other = tensor(precision, signed).errors(&reference, &ALL).unwrap();
        assert_eq!(errors.merge(&other).unwrap_err().kind(), ErrorKind::ShapeMismatch);
    }
    assert_eq!((errors.sum_squared(), errors.count()), (before, 3));
    // Without histograms of codes any tensors merge.
    let mut errors = tensor(4, false).errors(&reference, &plain).unwrap();
    errors.merge(&tensor(8, true).errors(&reference, &plain).unwrap()).unwrap();
    assert_eq!((errors.sum_squared(), errors.count()), (2.0 * before, 6));
}
