//! Empty, constant, subnormal and huge values, and every combination of what may be asked for.

use crate::observed;
use caffe2_qtensor::ErrorKind;
use caffe2_qtensor::calibrate::{Choice, Method, Target, Zero, choose_exact};

fn targets(precisions: &[u8]) -> Vec<Target> {
    let mut targets = Vec::new();
    for precision in precisions {
        for bits in 0..16 {
            for zero in [Zero::Free, Zero::Integer, Zero::Exact] {
                let target = Target {
                    precision: *precision,
                    signed: bits & 1 != 0,
                    zero,
                    symmetric: bits & 2 != 0,
                    power_of_two: bits & 4 != 0,
                    reduced: bits & 8 != 0,
                };
                if !(target.reduced && *precision == 1) {
                    targets.push(target);
                }
            }
        }
    }
    targets
}

const METHODS: [Method; 6] = [
    Method::MinMax,
    Method::MaxAbs,
    Method::Percentile(0.01, 0.99),
    Method::Mse,
    Method::Mae,
    Method::Fixed(-1.0, 2.5),
];

/// What holds for every choice.
fn sound(choice: &Choice, target: &Target) {
    assert!(choice.scale > 0.0 && choice.scale.is_normal(), "{choice:?} {target:?}");
    assert!(choice.bias.is_finite(), "{choice:?}");
    assert!(
        choice.mse >= 0.0 && choice.mae >= 0.0 && !choice.sqnr.is_nan(),
        "{choice:?} {target:?}"
    );
    assert!((0.0..=1.0).contains(&choice.clipped_low), "{choice:?}");
    assert!((0.0..=1.0).contains(&choice.clipped_high), "{choice:?}");
    if target.power_of_two {
        assert_eq!(choice.scale.to_bits() << 12, 0, "{choice:?} {target:?}");
    }
    let highest = f64::from((1_i32 << target.precision) - 1);
    let highest = if target.reduced { (highest / 2.0).floor() } else { highest };
    let lowest = if target.signed { -highest } else { 0.0 };
    if target.zero == Zero::Exact {
        let zero_point = f64::from(choice.zero_point.unwrap());
        assert!((lowest..=highest).contains(&zero_point), "{choice:?} {target:?}");
    }
    if target.zero == Zero::Integer {
        assert_eq!(choice.bias.fract(), 0.0, "{choice:?} {target:?}");
    }
    if target.symmetric && target.signed {
        assert_eq!(choice.bias, 0.0);
    }
}

#[test]
fn every_target_and_method_on_extreme_values() {
    let tiny = f32::from_bits(1);
    let sets: [&[f32]; 14] = [
        &[0.0],
        &[5.0],
        &[-5.0],
        &[tiny],
        &[-tiny, tiny],
        &[f32::MAX],
        &[f32::MIN, f32::MAX],
        &[f32::MIN, 1.0, tiny, 0.0, f32::MAX],
        &[1e30, 1.0, 2.0, 3.0, -1.0],
        &[1e6, 1e6 + 1.0, 1e6 + 2.0],
        &[-1e6, -1e6 - 0.5],
        &[-0.0, 0.0, 1e-40, 3e-39],
        &[1.0, 2.0],
        &[-1.0, 0.0, 0.0, 0.0, 1.0],
    ];
    for values in sets {
        let observer = observed(values);
        for target in targets(&[1, 2, 8]) {
            for method in METHODS {
                match observer.choose(0, method, &target) {
                    Ok(choice) => sound(&choice, &target),
                    Err(error) => panic!("{values:?} {method:?} {target:?}: {error}"),
                }
                match choose_exact(values, method, &target) {
                    Ok(choice) => sound(&choice, &target),
                    Err(error) => panic!("exact {values:?} {method:?} {target:?}: {error}"),
                }
            }
        }
        for target in targets(&[9, 12, 16]) {
            for method in [Method::MinMax, Method::MaxAbs, Method::Fixed(0.0, 1.0)] {
                sound(&observer.choose(0, method, &target).unwrap(), &target);
            }
        }
    }
}

#[test]
fn a_constant_is_a_code_s_value() {
    for value in [0.0_f32, 5.0, -5.0, 0.1, -1e-38, 3e38] {
        for precision in [1, 4, 8] {
            for signed in [false, true] {
                for zero in [Zero::Free, Zero::Exact] {
                    let target = Target { precision, signed, zero, ..Target::default() };
                    for method in [Method::Mse, Method::Mae] {
                        let choice = observed(&[value; 9]).choose(0, method, &target).unwrap();
                        assert!(choice.mse <= 1e-30 * f64::from(value).powi(2), "{choice:?}");
                        assert_eq!((choice.clipped_low, choice.clipped_high), (0.0, 0.0));
                    }
                }
            }
        }
    }
}

/// Also where the scale is a power of two: then the last bit of the value is one.
#[test]
fn a_constant_is_never_worse_than_by_its_range() {
    for value in [3.0_f32, -3.0, 5.0, 0.1, -0.7, 1000.0, -1001.0, 16_777_215.0, 1e-40, 3e38] {
        for kind in [Method::Mse, Method::Mae] {
            for target in targets(&[1, 2, 4, 8]) {
                let observer = observed(&[value; 9]);
                let ours = observer.choose(0, kind, &target).unwrap();
                let range = observer.choose(0, Method::MinMax, &target).unwrap();
                let what = format!("{value} {target:?} {ours:?} {range:?}");
                assert!(ours.mse <= range.mse && ours.mae <= range.mae, "{what}");
                sound(&ours, &target);
                if target.power_of_two && !target.symmetric && target.zero != Zero::Exact {
                    assert_eq!((ours.mse, range.mse), (0.0, 0.0), "{what}");
                }
            }
        }
    }
    let target = Target { zero: Zero::Exact, power_of_two: true, ..Target::default() };
    assert_eq!(observed(&[3.0]).choose(0, Method::Mse, &target).unwrap().mse, 0.0);
}

#[test]
fn nothing_finite_is_refused() {
    for values in [&[][..], &[f32::NAN], &[f32::INFINITY, f32::NEG_INFINITY]] {
        let observer = observed(values);
        for method in [Method::MinMax, Method::Mse, Method::Percentile(0.0, 1.0)] {
            let error = observer.choose(0, method, &Target::default()).unwrap_err();
            assert!(error.to_string().contains("number of finite values is 0"), "{error}");
        }
        // A range that the caller knows needs no values.
        let choice = observer.choose(0, Method::Fixed(0.0, 255.0), &Target::default()).unwrap();
        assert_eq!((choice.scale, choice.bias), (1.0, 0.0));
    }
    let error = choose_exact(&[f32::NAN], Method::Mse, &Target::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NonFinite);
}

/// A tensor is read as floats: none of its codes stands for an infinite one.
#[test]
fn every_level_is_a_float() {
    let sets: [&[f32]; 4] = [
        &[f32::MIN, f32::MAX],
        &[f32::MIN, 1.0, 0.0, f32::MAX],
        &[0.0, 1e38, 2e38],
        &[-3.3e38, -1.0, 2e38, 3.3e38],
    ];
    let methods = METHODS.iter().filter(|method| !matches!(method, Method::Fixed(..)));
    for (values, method) in sets.iter().flat_map(|set| methods.clone().map(move |it| (set, it))) {
        let observer = observed(values);
        for target in targets(&[1, 2, 8]) {
            let choice = observer.choose(0, *method, &target).unwrap();
            sound(&choice, &target);
            let highest = f64::from(((1_i32 << target.precision) - 1) >> i32::from(target.reduced));
            for code in [if target.signed { -highest } else { 0.0 }, highest] {
                let value = (choice.scale * (code + choice.bias)) as f32;
                assert!(value.is_finite(), "{values:?} {method:?} {target:?} {choice:?} {value}");
            }
        }
    }
}
