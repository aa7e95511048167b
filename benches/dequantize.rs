//! The codes of a tensor to floats, against what the machine can do and what a plain loop does.
//!
//! Bytes are those of the floats.

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
use caffe2_qtensor::quantize::QuantizeOptions;
use std::hint::black_box;
use support::data::{Aligned, Buffer, LARGE};
use support::floats::{
    COUNTS, Count, Form, PRECISIONS, SAMPLE, VARIED, case, differing_values, values,
};
use support::{Runner, limits, plain};

fn main() {
    let mut runner = Runner::from_args();
    for count in runner.some_of(&COUNTS) {
        // One more, for the ragged form.
        let values = values(count.elements + 1);
        let mut out = Aligned::filled(count.elements + 1, 0.0);
        for precision in PRECISIONS {
            limits_and_loops(&mut runner, *count, precision, &values, &mut out);
        }
        for precision in VARIED {
            for form in Form::VARIATIONS {
                variation(&mut runner, *count, precision, form, &values, &mut out);
            }
        }
    }
}

/// A tensor with codes.
fn quantized(form: Form, elements: usize, precision: u8, values: &[f32]) -> QTensor {
    let mut tensor = form.tensor(elements, precision);
    let values = &values[..tensor.size()];
    tensor.quantize(values, &QuantizeOptions::default()).expect("codes");
    tensor
}

fn dequantize(tensor: &QTensor, values: &mut [f32]) {
    black_box(tensor).dequantize(black_box(values), 1).expect("values");
}

/// `dequantize_fill/P8/1Mi/avx512` and its siblings.
fn limits_and_loops(
    runner: &mut Runner,
    count: Count,
    precision: u8,
    values: &[f32],
    out: &mut [f32],
) {
    let tensor = quantized(Form::Plain, count.elements, precision, values);
    let out = &mut out[..count.elements];
    let mut theirs = Aligned::filled(count.elements, 0.0);
    let bytes = size_of_val(out);
    let (scale, bias) = (tensor.scale() as f32, tensor.bias() as f32);

    let name = |group: &str| case(group, precision, count);
    let mut ours = || dequantize(&tensor, out);
    let fill = || limits::fill(black_box(&mut theirs), black_box(1.0));
    let mut measured = runner.pair(&name("dequantize_fill"), bytes, "fill", &mut ours, fill);
    if bytes >= LARGE {
        let fill = || limits::fill_streaming(black_box(&mut theirs), black_box(1.0));
        let case = name("dequantize_fill_streaming");
        let filled = runner.pair(&case, bytes, "fill_non_temporal", &mut ours, fill);
        measured = measured.or(filled);
    }

    let mut codes = Buffer::filled(count.elements, 0);
    tensor.read_codes(&mut codes[..]).expect("codes");
    let case = name("dequantize_loop");
    let plain_loop =
        || plain::dequantize_bytes(black_box(&codes), scale, bias, black_box(&mut theirs));
    measured = measured.or(runner.pair(&case, bytes, "u8_to_float_loop", &mut ours, plain_loop));

    let sample = count.elements.min(SAMPLE);
    let bits = quantized(Form::Plain, sample, precision, values);
    let (peer, times) = match count.elements / sample {
        1 => ("per_bit".to_owned(), 1.0),
        times => (format!("per_bit_on_1/{times}_x{times}"), times as f64),
    };
    measured = measured.or(runner.pair_scaled(
        &name("dequantize_per_bit"),
        bytes,
        &peer,
        times,
        &mut ours,
        || plain::dequantize_bits(black_box(&bits), black_box(&mut theirs[..sample])),
    ));
    if measured.is_some() {
        runner.check(&name("dequantize"), count.elements, differing_values(&tensor, out));
    }
}

/// `dequantize_signed/P8/1Mi/avx512` and its siblings, against the plain form.
fn variation(
    runner: &mut Runner,
    count: Count,
    precision: u8,
    form: Form,
    values: &[f32],
    out: &mut [f32],
) {
    let tensor = quantized(form, count.elements, precision, values);
    let peer = quantized(Form::Plain, count.elements, precision, values);
    let out = &mut out[..tensor.size()];
    let mut theirs = Aligned::filled(count.elements, 0.0);
    let name = case(&format!("dequantize_{}", form.name()), precision, count);
    let ours_ns = runner.pair(
        &name,
        size_of_val(&theirs[..]),
        "plain_form",
        || dequantize(&tensor, out),
        || dequantize(&peer, &mut theirs),
    );
    if ours_ns.is_some() {
        runner.check(&name, tensor.size(), differing_values(&tensor, out));
    }
}
