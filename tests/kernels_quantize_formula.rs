//! The specification of the codes itself, against examples worked out by hand.
#![allow(missing_docs, reason = "a test needs no more than its name")]

use caffe2_qtensor::kernels::quantize::{Formula, Outcome, Rounding, Rules, Step};

/// The code of a value with 4 bits and a sign, and what became of it.
fn code(rounding: Rounding, scale: f64, bias: f64, value: f64) -> (i64, Outcome) {
    let rules = Rules { rounding, seed: 0, precision: 4, signed: true };
    Formula { rules, step: Step { scale, bias } }.code(value, 0)
}

#[test]
fn each_rounding_has_its_way() {
    let positions = [-2.5, -2.25, -1.5, -0.75, 0.75, 1.5, 2.25, 2.5, 3.0];
    for (rounding, expected) in [
        (Rounding::NearestEven, [-2, -2, -2, -1, 1, 2, 2, 2, 3]),
        (Rounding::NearestAway, [-3, -2, -2, -1, 1, 2, 2, 3, 3]),
        (Rounding::Floor, [-3, -3, -2, -1, 0, 1, 2, 2, 3]),
        (Rounding::Ceil, [-2, -2, -1, 0, 1, 2, 3, 3, 3]),
        (Rounding::TowardZero, [-2, -2, -1, 0, 0, 1, 2, 2, 3]),
        (Rounding::Caffe2, [-2, -2, -2, -1, 1, 2, 2, 2, 3]),
    ] {
        // A position is the same whatever power of two the scale is.
        for scale in [1.0, 0.125, 64.0] {
            let codes = positions.map(|position| code(rounding, scale, 0.0, position * scale).0);
            assert_eq!(codes, expected, "{rounding:?}");
        }
    }
}

#[test]
fn a_bias_is_subtracted_before_rounding() {
    // 5 / 2 - 0.25 = 2.25 and 5 / 2 + 0.25 = 2.75.
    assert_eq!(code(Rounding::NearestEven, 2.0, 0.25, 5.0).0, 2);
    assert_eq!(code(Rounding::NearestEven, 2.0, -0.25, 5.0).0, 3);
    // 5 / 2 + 0.5 is a code already.
    assert_eq!(code(Rounding::Ceil, 2.0, -0.5, 5.0).0, 3);
    assert_eq!(code(Rounding::Floor, 2.0, -0.5, 5.0).0, 3);
}

/// With an odd zero point a tie goes to an odd code: Caffe2 rounds before it adds the zero point.
#[test]
fn caffe2_rounds_before_the_zero_point() {
    for (value, caffe2, default) in
        [(0.5, 3, 4), (1.5, 5, 4), (2.5, 5, 6), (-0.5, 3, 2), (-1.5, 1, 2), (0.75, 4, 4)]
    {
        assert_eq!(code(Rounding::Caffe2, 1.0, -3.0, value).0, caffe2, "{value}");
        assert_eq!(code(Rounding::NearestEven, 1.0, -3.0, value).0, default, "{value}");
        // With an even one both agree.
        let even = code(Rounding::Caffe2, 1.0, -2.0, value);
        assert_eq!(even, code(Rounding::NearestEven, 1.0, -2.0, value), "{value}");
    }
    // In single precision 0.35 / 0.1 is 3.5, a tie; in double it is a little less.
    let scale = f64::from(0.1_f32);
    let value = f64::from(0.35_f32);
    assert!(value / scale < 3.5);
    assert_eq!(code(Rounding::Caffe2, scale, 0.0, value).0, 4);
    assert_eq!(code(Rounding::NearestEven, scale, 0.0, value).0, 3);
}

#[test]
fn codes_saturate() {
    let near = |value| code(Rounding::NearestEven, 1.0, 0.0, value);
    assert_eq!(near(15.0), (15, Outcome::Inside));
    assert_eq!(near(15.49), (15, Outcome::Inside));
    // The tie goes to 16, which is even, and there is no such code.
    assert_eq!(near(15.5), (15, Outcome::High));
    assert_eq!(near(1e300), (15, Outcome::High));
    assert_eq!(near(-15.49), (-15, Outcome::Inside));
    assert_eq!(near(-15.5), (-15, Outcome::Low));
    assert_eq!(near(-1e300), (-15, Outcome::Low));
    assert_eq!(near(f64::INFINITY), (15, Outcome::NonFinite));
    assert_eq!(near(f64::NEG_INFINITY), (-15, Outcome::NonFinite));
    assert_eq!(near(f64::NAN), (0, Outcome::NonFinite));
    assert_eq!(code(Rounding::Floor, 1.0, 0.0, 15.99), (15, Outcome::Inside));
    assert_eq!(code(Rounding::Floor, 1.0, 0.0, -15.01), (-15, Outcome::Low));
    assert_eq!(code(Rounding::Ceil, 1.0, 0.0, 15.01), (15, Outcome::High));

    let rules = Rules { rounding: Rounding::NearestEven, seed: 0, precision: 4, signed: false };
    let formula = Formula { rules, step: Step { scale: 1.0, bias: 0.0 } };
    // The tie goes to 0, which is even.
    assert_eq!(formula.code(-0.5, 0), (0, Outcome::Flushed));
    assert_eq!(formula.code(-0.51, 0), (0, Outcome::Low));
    assert_eq!(formula.code(f64::NEG_INFINITY, 0), (0, Outcome::NonFinite));
}

#[test]
fn flushed_means_not_zero_before() {
    let near = |bias, value| code(Rounding::NearestEven, 1.0, bias, value);
    assert_eq!(near(0.0, 0.0), (0, Outcome::Inside));
    assert_eq!(near(0.0, -0.0), (0, Outcome::Inside));
    assert_eq!(near(0.0, 0.5), (0, Outcome::Flushed));
    assert_eq!(near(0.0, -f64::MIN_POSITIVE), (0, Outcome::Flushed));
    assert_eq!(near(0.0, 0.51), (1, Outcome::Inside));
    // Zero has the code 7.
    assert_eq!(near(-7.0, 0.0), (7, Outcome::Inside));
    assert_eq!(near(-7.0, 0.25), (7, Outcome::Flushed));
    assert_eq!(near(-7.0, -7.0), (0, Outcome::Inside));
    // No code stands for zero.
    assert_eq!(near(-0.5, 0.25), (1, Outcome::Inside));
    assert_eq!(near(-20.0, 0.25), (15, Outcome::High));
}

#[test]
fn precision_sets_the_limits() {
    for precision in 1..=32 {
        for signed in [false, true] {
            let rules = Rules { rounding: Rounding::default(), seed: 0, precision, signed };
            let highest = (1_i64 << precision) - 1;
            assert_eq!(
                (rules.lowest(), rules.highest()),
                (if signed { -highest } else { 0 }, highest)
            );
        }
    }
}
