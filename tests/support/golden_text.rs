//! The golden files as plain text, for programs in C, which has no JSON.
//!
//! A line of words for every line of JSON, or for every call of a trace; c_tests/golden_text.h
//! reads them. Bytes are spelled in hexadecimal, none of them as `-`; a list is its length and
//! then its members.

use super::golden::{integers, lines};
use serde_json::Value;
use std::fmt::Write;
use std::path::Path;

/// Writes all of them into a folder.
pub(crate) fn write_all(folder: &Path) {
    let write = |name: &str, text: String| std::fs::write(folder.join(name), text).unwrap();
    write("qtensor.txt", each_line("qtensor.jsonl", tensor));
    write("wire.txt", each_line("wire.jsonl", wire));
    write("int8_tensor.txt", each_line("int8_tensor.jsonl", int8_tensor));
    write("blobs.txt", each_line("blobs.jsonl", blob));
    write("choose.txt", each_line("choose_quantization_params.jsonl", choice));
    write("dnnlowp.txt", each_line("dnnlowp_min_max.jsonl", dnnlowp_choice));
    write("trace.txt", trace());
}

fn each_line(name: &str, spell: impl Fn(&Value) -> String) -> String {
    lines(name).iter().map(|line| spell(line) + "\n").collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn flag(value: &Value) -> u8 {
    u8::from(value.as_bool().unwrap())
}

fn list(value: &Value) -> String {
    let members = integers(value);
    members.iter().fold(members.len().to_string(), |list, member| format!("{list} {member}"))
}

fn hex_or_none(digits: &str) -> &str {
    if digits.is_empty() { "-" } else { digits }
}

/// A name, which is text in the JSON.
fn name(value: &Value) -> String {
    let mut digits = String::new();
    for byte in text(value).bytes() {
        write!(digits, "{byte:02x}").unwrap();
    }
    hex_or_none(&digits).to_owned()
}

fn tensor(line: &Value) -> String {
    format!(
        "{} {} {} {} {} {} {} {} {} {} {}",
        line["precision"],
        flag(&line["signed"]),
        list(&line["dims"]),
        text(&line["scale_bits"]),
        text(&line["bias_bits"]),
        name(&line["name"]),
        line["size"],
        line["aligned_size"],
        line["nbytes"],
        hex_or_none(text(&line["planes_hex"])),
        hex_or_none(text(&line["blob_hex"])),
    )
}

/// A message that Caffe2 took although it lost something is one to be refused here.
fn wire(line: &Value) -> String {
    let accepted = line["outcome"] == "accepted" && line["lossy"] == false;
    format!(
        "{} {} {} {} {}",
        text(&line["what"]),
        u8::from(accepted),
        line["nbytes"].as_u64().unwrap_or(0),
        hex_or_none(text(&line["blob_hex"])),
        hex_or_none(line["reserialized_hex"].as_str().unwrap_or("")),
    )
}

fn int8_tensor(line: &Value) -> String {
    format!(
        "{} {} {} {} {} {} {}",
        list(&line["dims"]),
        u8::from(line["data_type"] == "UINT8"),
        text(&line["scale_bits"]),
        line["zero_point"],
        name(&line["name"]),
        list(&line["values"]),
        hex_or_none(text(&line["blob_hex"])),
    )
}

fn blob(line: &Value) -> String {
    format!(
        "{} {} {} {} {}",
        name(&line["name"]),
        line["precision"],
        flag(&line["signed"]),
        list(&line["dims"]),
        hex_or_none(text(&line["planes_hex"])),
    )
}

fn choice(line: &Value) -> String {
    format!(
        "{} {} {} {} {} {} {} {} {} {}",
        text(&line["min_bits"]),
        text(&line["max_bits"]),
        line["qmin"],
        line["qmax"],
        flag(&line["preserve_sparsity"]),
        flag(&line["force_scale_power_of_two"]),
        flag(&line["reduce_range"]),
        flag(&line["threw"]),
        text(&line["scale_bits"]),
        line["zero_point"],
    )
}

fn dnnlowp_choice(line: &Value) -> String {
    format!(
        "{} {} {} {} {}",
        text(&line["min_bits"]),
        text(&line["max_bits"]),
        flag(&line["preserve_sparsity"]),
        text(&line["scale_bits"]),
        line["zero_point"],
    )
}

/// The word `new` where a trace begins, and then a line for each of its calls.
fn trace() -> String {
    let mut text = String::new();
    for line in lines("trace.jsonl") {
        text += "new\n";
        for call in line["calls"].as_array().unwrap() {
            writeln!(text, "{} {}", call_and_arguments(call), what_was_seen(call)).unwrap();
        }
    }
    text
}

fn call_and_arguments(call: &Value) -> String {
    let name = text(&call["call"]);
    match name {
        "nop" => name.to_owned(),
        "resize" => format!("{name} {}", list(&call["dims"])),
        "set_precision" => format!("{name} {}", call["value"]),
        "set_signed" => format!("{name} {}", flag(&call["value"])),
        "set_bit" => {
            format!("{name} {} {} {}", call["bit"], call["index"], flag(&call["value"]))
        }
        _ => format!("{name} {}", call["axis"]),
    }
}

fn what_was_seen(call: &Value) -> String {
    let after = &call["after"];
    let result = call["result"].as_i64();
    format!(
        "{} {} {} {} {} {} {} {} {} {} {}",
        flag(&call["threw"]),
        u8::from(result.is_some()),
        result.unwrap_or(0),
        list(&after["dims"]),
        after["size"],
        after["aligned_size"],
        after["nbytes"],
        after["precision"],
        flag(&after["signed"]),
        after["alignment"],
        flag(&after["has_data"]),
    )
}
