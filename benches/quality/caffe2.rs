//! How long Caffe2's exhaustive search takes at 8 bits, and how long the same answer takes here.

use caffe2_qtensor::calibrate::{Caffe2Method, Caffe2Options, choose_caffe2};
use caffe2_qtensor::kernels::windows::{Norm, Source, exhaustive_norm};
use std::time::Instant;

pub(crate) fn compare(sets: &[(&'static str, Vec<f32>)]) {
    println!("\nCaffe2's L2 at 8 bits: its search, the same answer here");
    for (name, values) in sets.iter().filter(|(name, _)| ["normal", "laplace"].contains(name)) {
        let bins = 2048;
        let min = values.iter().copied().fold(f32::INFINITY, f32::min);
        let max = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let width = (max - min) / bins as f32;
        let mut counts = vec![0_u64; bins];
        for value in values {
            counts[(((value - min) / width) as usize).min(bins - 1)] += 1;
        }
        let floats: Vec<f32> = counts.iter().map(|count| *count as f32).collect();
        let source = Source { counts: &counts, width, precision: 8, anchor: None };
        let start = Instant::now();
        std::hint::black_box(exhaustive_norm(&source, &floats, Norm::Squared));
        let theirs = start.elapsed().as_secs_f64();
        let options = Caffe2Options { method: Caffe2Method::L2, ..Caffe2Options::default() };
        let start = Instant::now();
        std::hint::black_box(choose_caffe2(values, &options).expect("a choice"));
        let ours = start.elapsed().as_secs_f64();
        println!("{name:12} {theirs:.2} s, {:.1} ms: {:.0} times", ours * 1e3, theirs / ours);
    }
}
