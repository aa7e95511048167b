//! Observing floats, against reading them.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a benchmark that cannot go on should stop"
)]

mod support;

use caffe2_qtensor::calibrate::{Kind, Missing, Observer, ObserverConfig};
use caffe2_qtensor::kernels::Level;
use std::hint::black_box;
use support::data::{Aligned, bytes_of, uniform};
use support::floats::{COUNTS, Count};
use support::{Runner, limits};

fn main() {
    let mut runner = Runner::from_args();
    for count in runner.some_of(&COUNTS) {
        for data in ["normal", "relu", "constant", "one_outlier"] {
            let values = values(data, count.elements);
            let histogram = Kind::Histogram { bins: ObserverConfig::BINS };
            for (kind, name) in [(Kind::Range, "observe_range"), (histogram, "observe")] {
                observed(&mut runner, name, kind, Missing::Skip, data, *count, &values);
            }
            // Refusing what is not finite takes a pass of its own.
            let (kind, missing) = (histogram, Missing::Refuse);
            observed(&mut runner, "observe_refusing", kind, missing, data, *count, &values);
        }
    }
}

fn values(data: &str, elements: usize) -> Aligned<f32> {
    let mut values = Aligned::filled(elements, 1.7);
    if data == "constant" {
        return values;
    }
    uniform(&mut values, -1.0, 1.0);
    // Twelve uniform numbers add up to a nearly normal one.
    let period = 1 << 16;
    for value in 0..values.len().min(period) {
        values[value] = (0..12).map(|of| values[(value + 977 * of) % elements]).sum();
    }
    for value in period..values.len() {
        values[value] = values[value % period] + values[value] * 1e-3;
    }
    match data {
        "relu" => values.iter_mut().for_each(|value| *value = value.max(0.0)),
        "one_outlier" => values[0] = 1e30,
        _ => {}
    }
    values
}

fn observed(
    runner: &mut Runner,
    group: &str,
    kind: Kind,
    missing: Missing,
    data: &str,
    count: Count,
    values: &[f32],
) {
    let config = ObserverConfig { kind, missing, ..ObserverConfig::default() };
    let mut observer = Observer::new(&config).expect("memory");
    let name = format!("{group}/{data}/{}/{}", count.name, Level::best().name());
    let raw = bytes_of(values);
    runner.pair(
        &name,
        raw.len(),
        "read",
        || {
            observer.reset();
            black_box(&mut observer).observe(black_box(values), &[]).expect("finite values");
        },
        || {
            black_box(limits::read(black_box(raw)));
        },
    );
}
