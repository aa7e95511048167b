//! Observers: what they remember, how they are merged, and what they refuse.
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

mod choices;
mod exactness;
mod extremes;
mod freedom;
#[path = "../support/random.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod random;
mod refusals;
mod refused_late;
mod seen;
mod states;

use caffe2_qtensor::calibrate::{Missing, Observer, ObserverConfig};
use random::Random;

/// An observer of everything at once.
fn observed(values: &[f32]) -> Observer {
    let config = ObserverConfig { missing: Missing::Skip, ..ObserverConfig::default() };
    let mut observer = Observer::new(&config).unwrap();
    observer.observe(values, &[]).unwrap();
    observer
}

/// Values of wildly different sizes, some of them special.
fn wild(random: &mut Random, count: usize) -> Vec<f32> {
    let size = 10.0_f64.powi(random.below(70) as i32 - 35);
    let spread = random.below(30) as i32;
    let offset = if random.below(3) == 0 { random.normal() * size * 1e3 } else { 0.0 };
    (0..count)
        .map(|_| match random.below(40) {
            0 => 0.0,
            1 => [-0.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY][random.below(4)],
            2 => f32::from_bits(random.below(1 << 23) as u32),
            _ => {
                let far = 10.0_f64.powf(random.uniform() * f64::from(spread));
                (offset + random.normal() * size * far).clamp(-3.4e38, 3.4e38) as f32
            }
        })
        .collect()
}
