//! That more freedom never makes the error larger, also beside outliers.

use crate::choices::measured;
use crate::observed;
use crate::random::Random;
use caffe2_qtensor::calibrate::{Method, Target, Zero, choose_exact};

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

#[test]
fn free_is_never_worse_than_whole_and_whole_never_worse_than_exact() {
    for (name, values) in sets() {
        let observer = observed(&values);
        for precision in [2, 3, 4, 6, 8] {
            for power_of_two in [false, true] {
                let target = |zero| Target { precision, zero, power_of_two, ..Target::default() };
                let exact = ZEROS.map(|zero| {
                    let choice = choose_exact(&values, Method::Mse, &target(zero)).unwrap();
                    measured(&values, &target(zero), &choice).0
                });
                let what = format!("{name} {precision} {power_of_two}");
                assert!(exact[0] <= exact[1] * (1.0 + 1e-9), "{what}: {exact:?}");
                assert!(exact[1] <= exact[2] * (1.0 + 1e-9), "{what}: {exact:?}");
                // A histogram knows the errors a little less exactly.
                let ours = ZEROS.map(|zero| {
                    let choice = observer.choose(0, Method::Mse, &target(zero)).unwrap();
                    (choice.mse, measured(&values, &target(zero), &choice).0)
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
