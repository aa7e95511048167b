//! What follows from the sums: by hand, and where they are 0 or there are none.

use super::ALL;
use caffe2_qtensor::QTensor;
use caffe2_qtensor::measure::{ErrorOptions, Errors, compare};

fn of(reference: &[f32], values: &[f32]) -> Errors {
    compare(reference, values, &ErrorOptions { code_histogram: false, ..ALL }).unwrap()
}

#[test]
fn by_hand() {
    let errors = of(&[3.0, -4.0, 0.0, 1.0], &[2.0, -4.0, 0.5, 3.0]);
    assert_eq!(errors.sum_error(), 1.5);
    assert_eq!((errors.mean_error(), errors.mae()), (0.375, 0.875));
    assert_eq!((errors.mse(), errors.rmse()), (5.25 / 4.0, (5.25_f64 / 4.0).sqrt()));
    assert_eq!((errors.max_absolute(), errors.max_index()), (2.0, Some(3)));
    let cosine = (6.0 + 16.0 + 3.0) / (26.0_f64 * 29.25).sqrt();
    assert!((errors.cosine() - cosine).abs() < 1e-15);
    let sqnr = 10.0 * (26.0_f64 / 5.25).log10();
    assert!((errors.sqnr() - sqnr).abs() < 1e-12);
    assert!((errors.effective_bits() - (sqnr - 1.76) / 6.02).abs() < 1e-12);
}

#[test]
fn where_something_is_zero() {
    let zeros = [0.0_f32; 3];
    let ones = [1.0_f32; 3];
    let nothing = of(&zeros, &zeros);
    assert_eq!((nothing.sqnr(), nothing.cosine()), (f64::INFINITY, 1.0));
    assert_eq!((nothing.effective_bits(), nothing.mse()), (f64::INFINITY, 0.0));
    let lossless = of(&ones, &ones);
    assert_eq!((lossless.sqnr(), lossless.cosine()), (f64::INFINITY, 1.0));
    let noise = of(&zeros, &ones);
    assert_eq!((noise.sqnr(), noise.cosine()), (f64::NEG_INFINITY, 0.0));
    let silence = of(&ones, &zeros);
    assert_eq!((silence.sqnr(), silence.cosine(), silence.flushed()), (0.0, 0.0, 3));
    assert_eq!(of(&ones, &[-1.0; 3]).cosine(), -1.0);
    let none = of(&[f32::NAN], &[1.0]);
    assert_eq!((none.count(), none.finite(), none.max_absolute()), (1, 0, 0.0));
    for number in [none.mse(), none.rmse(), none.mae(), none.mean_error(), none.sqnr()] {
        assert!(number.is_nan());
    }
    assert!(none.cosine().is_nan() && none.effective_bits().is_nan());
    assert_eq!((none.max_index(), none.quantile(0.5), none.kl()), (None, None, None));
}

/// Sums of the largest and smallest numbers stay far from the ends of double precision.
#[test]
fn at_the_ends_of_single_precision() {
    let largest = of(&[f32::MAX; 5], &[f32::MIN; 5]);
    assert_eq!(largest.max_absolute(), 2.0 * f64::from(f32::MAX));
    assert!((largest.sqnr() + 10.0 * 4.0_f64.log10()).abs() < 1e-9);
    let smallest = f32::from_bits(1);
    let tiny = of(&[smallest; 5], &[0.0; 5]);
    assert_eq!((tiny.max_absolute(), tiny.sqnr()), (f64::from(smallest), 0.0));
    assert!(tiny.quantile(0.5).unwrap() > 0.0);
}

#[test]
fn entropies_of_codes() {
    let mut tensor = QTensor::with_shape(&[8], 3, false).unwrap();
    let entropy = |tensor: &QTensor| tensor.errors(&[0.0; 8], &ALL).unwrap().code_entropy();
    assert_eq!(entropy(&tensor), Some(0.0));
    tensor.write_codes(&[0i64, 1, 2, 3, 4, 5, 6, 7]).unwrap();
    assert_eq!(entropy(&tensor), Some(3.0));
    assert_eq!(tensor.code_statistics().unwrap().entropy(), Some(3.0));
    tensor.write_codes(&[7i64, 7, 7, 7, 0, 0, 0, 0]).unwrap();
    assert_eq!(entropy(&tensor), Some(1.0));
    let plain = tensor.errors(&[0.0; 8], &ErrorOptions::default()).unwrap();
    assert_eq!((plain.code_entropy(), plain.code_histogram().len()), (None, 0));
}

/// Planes, zeros, ranges and histograms of every precision and sign, one code at a time.
#[test]
fn statistics_of_codes() {
    for precision in [0, 1, 3, 8, 9, 16, 17, 40, 63] {
        for signed in [false, true] {
            let mut tensor = QTensor::with_shape(&[11], precision, signed).unwrap();
            let highest = i64::MAX >> (63 - precision);
            let codes: Vec<i64> = (0..11)
                .map(|i: i64| {
                    let magnitude = highest - (i * 7).min(highest);
                    if signed && i % 2 == 1 { -magnitude } else { magnitude }
                })
                .collect();
            // Bits behind the last element are nobody's.
            tensor.mutable_data().unwrap().fill(0xff);
            tensor.write_codes(&codes).unwrap();
            let found = tensor.code_statistics().unwrap();
            let note = format!("{precision} {signed}");
            assert_eq!(found.count(), 11);
            let range = (*codes.iter().min().unwrap(), *codes.iter().max().unwrap());
            assert_eq!(found.range(), Some(range), "{note}");
            let zeros = codes.iter().filter(|code| **code == 0).count() as u64;
            assert_eq!(found.zeros(), zeros, "{note}");
            for (bit, ones) in found.ones().iter().enumerate() {
                let set = |index| tensor.get_bit(bit as u8, index).unwrap();
                assert_eq!(*ones, (0..11).filter(|index| set(*index)).count() as u64, "{note}");
            }
            assert_eq!(found.ones().len(), usize::from(precision) + usize::from(signed));
            if precision > 16 {
                assert_eq!((found.histogram().len(), found.distinct()), (0, None));
                continue;
            }
            for (code, count) in (found.lowest_code()..).zip(found.histogram()) {
                assert_eq!(*count, codes.iter().filter(|one| **one == code).count() as u64);
            }
            let mut distinct = codes.clone();
            distinct.sort_unstable();
            distinct.dedup();
            assert_eq!(found.distinct(), Some(distinct.len() as u64), "{note}");
        }
    }
    let empty = QTensor::new().code_statistics().unwrap();
    assert_eq!((empty.count(), empty.range()), (0, None));
    assert!(empty.entropy().unwrap().is_nan());
}

/// There may be more elements than anything is stored for.
#[test]
fn statistics_of_tensors_without_planes() {
    for (dims, precision, signed) in [([1 << 40], 4, true), ([1 << 62], 0, false)] {
        let tensor = QTensor::with_shape(&dims, precision, signed).unwrap();
        let codes = tensor.code_statistics().unwrap();
        let count = dims[0].unsigned_abs();
        assert_eq!((codes.count(), codes.zeros(), codes.range()), (count, count, Some((0, 0))));
        let place = usize::try_from(codes.lowest_code().unsigned_abs()).unwrap();
        assert_eq!((codes.histogram()[place], codes.distinct()), (count, Some(1)));
    }
}
