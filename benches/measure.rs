//! Measuring what a tensor's values lost, against reading the references.
//!
//! Bytes are those of the references; the planes come on top.

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

use caffe2_qtensor::QTensor;
use caffe2_qtensor::kernels::Level;
use caffe2_qtensor::measure::{ErrorOptions, compare};
use caffe2_qtensor::quantize::QuantizeOptions;
use std::hint::black_box;
use support::data::{Aligned, bytes_of};
use support::floats::{COUNTS, Count, Form, PRECISIONS, case, values};
use support::{Runner, limits};

fn main() {
    let mut runner = Runner::from_args();
    let plain = ErrorOptions::default();
    let quantiles = ErrorOptions { error_histogram: true, ..plain };
    let codes = ErrorOptions { code_histogram: true, ..plain };
    let distributions = ErrorOptions { value_histogram: true, ..plain };
    for count in runner.some_of(&COUNTS) {
        let values = values(count.elements);
        for precision in PRECISIONS {
            let tensor = quantized(Form::Plain, *count, precision, &values);
            let name = case("errors", precision, *count);
            check(&runner, &name, &tensor, &values);
            errors(&mut runner, &name, &tensor, &values, &plain);
        }
        let tensor = quantized(Form::Plain, *count, 4, &values);
        for (group, options) in [
            ("errors_and_quantiles", quantiles),
            ("errors_and_codes", codes),
            ("errors_and_distributions", distributions),
        ] {
            errors(&mut runner, &case(group, 4, *count), &tensor, &values, &options);
        }
        for form in [Form::Signed, Form::FirstAxis, Form::LastAxis] {
            let tensor = quantized(form, *count, 4, &values);
            let name = case(&format!("errors_{}", form.name()), 4, *count);
            errors(&mut runner, &name, &tensor, &values, &plain);
        }
        for (form, axis) in [(Form::FirstAxis, 0), (Form::LastAxis, 1)] {
            let tensor = quantized(form, *count, 4, &values);
            let name = case(&format!("errors_by_{}", form.name()), 4, *count);
            let ours = || {
                let found = black_box(&tensor).errors_per_channel(&values, axis, &plain);
                black_box(found.expect("errors").len());
            };
            let raw = bytes_of(&values);
            runner.pair(&name, raw.len(), "read", ours, || {
                black_box(limits::read(black_box(raw)));
            });
        }
        arrays(&mut runner, *count, &values);
    }
}

fn quantized(form: Form, count: Count, precision: u8, values: &[f32]) -> QTensor {
    let mut tensor = form.tensor(count.elements, precision);
    tensor.quantize(values, &QuantizeOptions::default()).expect("codes");
    tensor
}

/// `errors/P8/1Mi/avx512` and its siblings.
fn errors(
    runner: &mut Runner,
    name: &str,
    tensor: &QTensor,
    values: &[f32],
    options: &ErrorOptions,
) {
    let ours = || {
        let found = black_box(tensor).errors(black_box(values), options).expect("errors");
        black_box(found.sum_squared());
    };
    let raw = bytes_of(values);
    runner.pair(name, raw.len(), "read", ours, || {
        black_box(limits::read(black_box(raw)));
    });
}

/// Two arrays: both are read.
fn arrays(runner: &mut Runner, count: Count, values: &[f32]) {
    let others = quantized(Form::Plain, count, 4, values);
    let mut dequantized = Aligned::filled(values.len(), 0.0_f32);
    others.dequantize(&mut dequantized, 1).expect("values");
    let options = ErrorOptions::default();
    let name = format!("errors_of_arrays/{}/{}", count.name, Level::best().name());
    let ours = || {
        let found = compare(black_box(values), black_box(&dequantized), &options).expect("errors");
        black_box(found.sum_squared());
    };
    let (one, other) = (bytes_of(values), bytes_of(&dequantized));
    runner.pair(&name, one.len() + other.len(), "read", ours, || {
        black_box(limits::read(black_box(one)) | limits::read(black_box(other)));
    });
}

/// How many of the sums are not what adding up one by one gives, within 1e-9.
fn check(runner: &Runner, name: &str, tensor: &QTensor, values: &[f32]) {
    let found = tensor.errors(values, &ErrorOptions::default()).expect("errors");
    let mut dequantized = Aligned::filled(values.len(), 0.0_f32);
    tensor.dequantize(&mut dequantized, 1).expect("values");
    let mut sums = [0.0_f64; 4];
    for (x, y) in values.iter().zip(dequantized.iter()) {
        let (x, y) = (f64::from(*x), f64::from(*y));
        let error = y - x;
        let terms = [error.abs(), error * error, x * x, y * y];
        sums.iter_mut().zip(terms).for_each(|(sum, term)| *sum += term);
    }
    let of = [found.sum_absolute(), found.sum_squared(), found.sum_xx(), found.sum_yy()];
    let differs = |(found, sum): &(f64, f64)| (found - sum).abs() > 1e-9 * sum;
    runner.check(name, 4, of.into_iter().zip(sums).filter(differs).count());
}
