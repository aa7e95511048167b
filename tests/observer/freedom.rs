//! That more freedom never makes the error larger, also beside outliers.

use crate::choices::measured;
use crate::observed;
use crate::random::Random;
use caffe2_qtensor::calibrate::{Choice, Method, Target, Zero, choose_exact};

/// Normal values and a few far away.
fn sets() -> Vec<(&'static str, Vec<f32>)> {
    let mut random = Random::new(41);
    let mut with = |count: usize, of: &dyn Fn(&mut Random, usize) -> f64| -> Vec<f32> {
        let mut values: Vec<f32> = (0..16_384).map(|_| random.normal() as f32).collect();
        values.extend((0..count).map(|index| of(&mut random, index) as f32));
        values
    };
    let both = |index: usize| if index.is_multiple_of(2) { 1.0 } else { -1.0 };
    vec![
        ("both", with(125, &|random, i| both(i) * 200.0 * (0.7 + 0.3 * random.uniform()))),
        ("above", with(125, &|random, _| 200.0 * (0.7 + 0.3 * random.uniform()))),
        ("below", with(40, &|random, _| -50.0 * (1.0 + random.uniform()))),
        ("one", with(1, &|_, _| 1000.0)),
        ("two", with(2, &|_, i| both(i) * 300.0)),
        ("heavy", with(400, &|random, _| 20.0 * random.normal().powi(3))),
        ("offset", with(50, &|random, _| 30.0 + random.normal())),
    ]
}

const ZEROS: [Zero; 3] = [Zero::Free, Zero::Integer, Zero::Exact];

fn predicted(choice: &Choice, method: Method) -> f64 {
    if method == Method::Mae { choice.mae } else { choice.mse }
}

/// The mean error of a method's kind, by the quantizer itself.
fn real(values: &[f32], target: &Target, choice: &Choice, method: Method) -> f64 {
    let (mse, mae, ..) = measured(values, target, choice);
    if method == Method::Mae { mae } else { mse }
}

#[test]
fn free_is_never_worse_than_whole_and_whole_never_worse_than_exact() {
    for (name, values) in sets() {
        let observer = observed(&values);
        for precision in [2, 3, 4, 6, 8] {
            let methods = [(Method::Mse, false), (Method::Mse, true), (Method::Mae, false)];
            for (method, power_of_two) in methods {
                let target = |zero| Target { precision, zero, power_of_two, ..Target::default() };
                let exact = ZEROS.map(|zero| {
                    let choice = choose_exact(&values, method, &target(zero)).unwrap();
                    real(&values, &target(zero), &choice, method)
                });
                let what = format!("{name} {precision} {method:?} {power_of_two}");
                assert!(exact[0] <= exact[1] * (1.0 + 1e-9), "{what}: {exact:?}");
                assert!(exact[1] <= exact[2] * (1.0 + 1e-9), "{what}: {exact:?}");
                // A histogram knows the errors a little less exactly.
                let ours = ZEROS.map(|zero| {
                    let choice = observer.choose(0, method, &target(zero)).unwrap();
                    (predicted(&choice, method), real(&values, &target(zero), &choice, method))
                });
                assert!(ours[0].0 <= ours[1].0 * (1.0 + 1e-9), "{what}: {ours:?}");
                assert!(ours[1].0 <= ours[2].0 * (1.0 + 1e-9), "{what}: {ours:?}");
                let limit = if precision <= 4 { 1.011 } else { 1.025 };
                for (at, (_, mse)) in ours.iter().enumerate() {
                    let least = exact[at..].iter().chain(ours[at..].iter().map(|(_, mse)| mse));
                    let least = least.copied().fold(f64::INFINITY, f64::min);
                    assert!(*mse <= limit * least, "{what} {at}: {ours:?} {exact:?}");
                }
            }
        }
    }
}

/// Any bias that codes around 0 may have others may have, too: not only in data of many values, but
/// also where there are so few that only some parameters meet them.
#[test]
fn any_bias_is_never_worse_than_one_around_zero() {
    let few = [
        ("two", vec![-1.0, 1.0]),
        ("three", vec![-1.0, 0.3, 1.0]),
        ("four", vec![0.0, 1.0, 2.0, 3.0]),
        ("below", vec![-5.0, -3.0]),
        ("most", [[5.0_f32; 1000].as_slice(), &[-7.0, 9.0]].concat()),
    ];
    for (name, values) in sets().into_iter().chain(few) {
        let observer = observed(&values);
        for precision in [1, 2, 3, 4, 8] {
            for (signed, zero) in [false, true].into_iter().flat_map(|s| ZEROS.map(|z| (s, z))) {
                for method in [Method::Mse, Method::Mae] {
                    let any = Target { precision, signed, zero, ..Target::default() };
                    let around = Target { symmetric: true, ..any };
                    let [any, around] = [any, around].map(|target| {
                        predicted(&observer.choose(0, method, &target).unwrap(), method)
                    });
                    let what = format!("{name} {precision} {signed} {zero:?} {method:?}");
                    assert!(any <= around * (1.0 + 1e-9) + 1e-20, "{what}: {any} {around}");
                }
            }
        }
    }
}
