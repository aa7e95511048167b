//! `make quality`: how good the chosen parameters are, and how long choosing takes.
//!
//! For each set of data, number of bits and kind of bias: the mean squared error that each method's
//! parameters lead to, computed from the values themselves, over that of the best parameters that an
//! exhaustive search on the sorted values finds in the same run.
#![allow(missing_docs, clippy::expect_used, clippy::indexing_slicing, reason = "a benchmark")]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
#![allow(clippy::arithmetic_side_effects, clippy::panic)]

#[path = "quality/caffe2.rs"]
mod caffe2;
#[path = "quality/data.rs"]
mod data;
#[path = "quality/oracle.rs"]
mod oracle;

use caffe2_qtensor::calibrate::{Method, Observer, ObserverConfig, Target, Zero};
use oracle::Oracle;
use std::time::Instant;

/// Choices of which the median time counts.
const REPEATS: usize = 21;

fn main() {
    let only = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    println!(
        "{:12} {:>4} {:>7} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8}",
        "data", "bits", "bias", "MSE", "min-max", "max-abs", "p99.9", "MAE", "goal", "ms"
    );
    let (mut worst, mut failures) = ([[0.0_f64; 2]; 2], 0);
    let (mut slowest, mut densest) = (0.0_f64, 1.0_f64);
    let sets = data::all();
    for (name, values) in &sets {
        if only.as_deref().is_some_and(|only| only != *name) {
            continue;
        }
        let oracle = Oracle::new(values);
        let mut observer = Observer::new(&ObserverConfig::default()).expect("memory");
        observer.observe(values, &[]).expect("finite values");
        for precision in [1, 2, 3, 4, 6, 8] {
            for (kind, zero) in [(0, Zero::Exact), (1, Zero::Free)] {
                let target = Target { precision, zero, ..Target::default() };
                let best = oracle.best(precision, zero);
                let error = |method| {
                    let choice = observer.choose(0, method, &target).expect("a choice");
                    oracle.error(precision, choice.scale, choice.bias)
                };
                let mut times: Vec<f64> = (0..REPEATS)
                    .map(|_| {
                        let start = Instant::now();
                        observer.choose(0, Method::Mse, &target).expect("a choice");
                        start.elapsed().as_secs_f64() * 1e3
                    })
                    .collect();
                times.sort_by(f64::total_cmp);
                let ours = error(Method::Mse);
                let least = best.min(ours);
                let ratio = |error: f64| if least > 0.0 { error / least } else { 1.0 };
                let min_max = error(Method::MinMax);
                let (must, goal) = if precision <= 4 { (1.011, 1.001) } else { (1.025, 1.01) };
                let row = [
                    ratio(ours),
                    ratio(min_max),
                    ratio(error(Method::MaxAbs)),
                    ratio(error(Method::Percentile(0.0005, 0.9995))),
                    ratio(error(Method::Mae)),
                    goal,
                    times[REPEATS / 2],
                ];
                // An exhaustive search that is not the best needs a denser net.
                let beaten = if ours < best * (1.0 - 1e-6) { best / ours } else { 1.0 };
                densest = densest.max(beaten);
                let verdict = match row[0] {
                    _ if ours > min_max * (1.0 + 1e-9)
                        || row[0] > must
                        || times[REPEATS / 2] > 2.0 =>
                    {
                        "MISSED"
                    }
                    reached if reached <= goal => "",
                    _ => "above the goal",
                };
                failures += usize::from(verdict == "MISSED");
                let bias = ["integer", "real"][kind];
                print!("{name:12} {precision:>4} {bias:>7}");
                row.iter().for_each(|value| print!(" {value:>8.4}"));
                println!(" {verdict}");
                let long = usize::from(precision > 4);
                worst[kind][long] = worst[kind][long].max(row[0]);
                slowest = slowest.max(times[REPEATS / 2]);
            }
        }
    }
    for (kind, [few, many]) in ["integer", "real"].iter().zip(worst) {
        println!("worst, {kind} bias: {few:.4} up to 4 bits, {many:.4} up to 8");
    }
    println!("exhaustion was beaten by a factor of {densest:.5} at most");
    println!("slowest: {slowest:.2} ms; {failures} missed");
    caffe2::compare(&sets);
}
