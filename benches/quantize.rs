//! Floats to the codes of a tensor, against what the machine can do and what a plain loop does.
//!
//! `QTensor::quantize` into a tensor that has planes, values that are not finite saturating, so
//! that the planes are written in place. Bytes are those of the floats.

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
use caffe2_qtensor::quantize::{NonFinite, QuantizeOptions};
use std::hint::black_box;
use support::data::{Aligned, Buffer, LARGE};
use support::floats::{
    COUNTS, Count, Form, PRECISIONS, SAMPLE, VARIED, case, differing_codes, values,
};
use support::{Runner, limits, plain};

fn main() {
    let mut runner = Runner::from_args();
    for count in runner.some_of(&COUNTS) {
        // One more, for the ragged form.
        let values = values(count.elements + 1);
        for precision in PRECISIONS {
            limits_and_loops(&mut runner, *count, precision, &values[..count.elements]);
        }
        for precision in VARIED {
            options(&mut runner, *count, precision, &values[..count.elements]);
            for form in Form::VARIATIONS {
                variation(&mut runner, *count, precision, form, &values);
            }
        }
    }
}

fn in_place() -> QuantizeOptions {
    QuantizeOptions { non_finite: NonFinite::Saturate, ..QuantizeOptions::default() }
}

fn quantize(tensor: &mut QTensor, values: &[f32], options: &QuantizeOptions) {
    black_box(tensor).quantize(black_box(values), black_box(options)).expect("codes");
}

/// `quantize_read/P8/1Mi/avx512` and its siblings.
fn limits_and_loops(runner: &mut Runner, count: Count, precision: u8, values: &[f32]) {
    let bytes = size_of_val(values);
    let mut tensor = Form::Plain.tensor(count.elements, precision);
    let planes = Buffer::filled(tensor.nbytes(), 1);
    let (scale, bias) = (tensor.scale(), tensor.bias());
    let options = in_place();
    let raw = support::data::bytes_of(values);
    let mut ours = || quantize(&mut tensor, values, &options);

    let name = |group: &str| case(group, precision, count);
    let mut read = || {
        black_box(limits::read(black_box(raw)));
    };
    let mut measured = runner.pair(&name("quantize_read"), bytes, "read", &mut ours, &mut read);
    if bytes >= LARGE {
        // As many bytes as ours reads and writes.
        measured = measured.or(runner.pair(
            &name("quantize_read_all"),
            bytes,
            "read_in_and_out",
            &mut ours,
            || {
                read();
                black_box(limits::read(black_box(&planes)));
            },
        ));
    } else {
        let mut copy = Aligned::filled(values.len(), 0.0);
        let memcpy = || black_box(&mut copy).copy_from_slice(black_box(values));
        let copied = runner.pair(&name("quantize_memcpy"), bytes, "memcpy", &mut ours, memcpy);
        measured = measured.or(copied);
    }

    let mut codes = Buffer::filled(values.len(), 0);
    let highest = f32::from(u8::MAX >> (8 - precision));
    measured = measured.or(runner.pair(
        &name("quantize_loop"),
        bytes,
        "float_to_u8_loop",
        &mut ours,
        || {
            let (inverse, zero_point) = ((1.0 / scale) as f32, -bias as f32);
            let (values, codes) = (black_box(values), black_box(&mut codes));
            plain::quantize_bytes(values, inverse, zero_point, highest, codes);
        },
    ));

    let sample = values.len().min(SAMPLE);
    let mut bits = Form::Plain.tensor(sample, precision);
    let (peer, times) = per_bit(values.len(), sample);
    measured = measured.or(runner.pair_scaled(
        &name("quantize_per_bit"),
        bytes,
        &peer,
        times,
        &mut ours,
        || plain::quantize_bits(black_box(&values[..sample]), black_box(&mut bits)),
    ));
    if measured.is_some() {
        runner.check(&name("quantize"), values.len(), differing_codes(&tensor, values));
    }
}

/// The name of the peer that goes bit by bit, and how often it would have to.
fn per_bit(elements: usize, sample: usize) -> (String, f64) {
    match elements / sample {
        1 => ("per_bit".to_owned(), 1.0),
        times => (format!("per_bit_on_1/{times}_x{times}"), times as f64),
    }
}

/// `quantize_refusing/P8/1Mi/avx512`, the default, for which a larger tensor gets new planes; and
/// `quantize_counting/P8/1Mi/avx512`.
fn options(runner: &mut Runner, count: Count, precision: u8, values: &[f32]) {
    let bytes = size_of_val(values);
    let raw = support::data::bytes_of(values);
    let mut tensor = Form::Plain.tensor(count.elements, precision);
    let mut read = || {
        black_box(limits::read(black_box(raw)));
    };
    let options = QuantizeOptions::default();
    let name = case("quantize_refusing", precision, count);
    runner.pair(&name, bytes, "read", || quantize(&mut tensor, values, &options), &mut read);
    let options = in_place();
    let name = case("quantize_counting", precision, count);
    let counting = || {
        let tensor = black_box(&mut tensor);
        black_box(tensor.quantize_counting(black_box(values), &options).expect("codes"));
    };
    if runner.pair(&name, bytes, "read", counting, &mut read).is_some() {
        runner.check(&name, values.len(), differing_codes(&tensor, values));
    }
}

/// `quantize_signed/P8/1Mi/avx512` and its siblings, against the plain form.
fn variation(runner: &mut Runner, count: Count, precision: u8, form: Form, values: &[f32]) {
    let values = &values[..form.elements(count.elements)];
    let aligned = &values[..count.elements];
    let mut tensor = form.tensor(count.elements, precision);
    let mut peer = Form::Plain.tensor(count.elements, precision);
    let options = in_place();
    let name = case(&format!("quantize_{}", form.name()), precision, count);
    let ours_ns = runner.pair(
        &name,
        size_of_val(aligned),
        "plain_form",
        || quantize(&mut tensor, values, &options),
        || quantize(&mut peer, aligned, &options),
    );
    if ours_ns.is_some() {
        runner.check(&name, values.len(), differing_codes(&tensor, values));
    }
}
