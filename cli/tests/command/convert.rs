//! `qtensor convert`: other forms and precisions, exact where that is possible.

use crate::run::{Folder, blobs, data, floats, model, quantized};
use caffe2_qtensor::calibrate::{Method, Target};
use caffe2_qtensor::minidb::Value;
use caffe2_qtensor::{Params, QTensor};
use std::fs;
use std::path::Path;

fn dequantized(path: &Path, name: &str) -> Vec<f32> {
    let tensor = quantized(path, name);
    let mut values = vec![0.0; tensor.size()];
    tensor.dequantize(&mut values, 1).unwrap();
    values
}

fn kind(path: &Path, name: &str) -> Vec<u8> {
    blobs(path).into_iter().find(|blob| blob.name == name.as_bytes()).unwrap().kind
}

#[test]
fn int8_to_planes_and_back_is_exact() {
    let folder = Folder::new();
    let int8 = data("digits/digits_int8.minidb");
    let there = ["convert", int8.to_str().unwrap(), "-o", "q", "--to", "qtensor", "--json"];
    let report = folder.json(&there);
    assert_eq!(report["tensors"][0]["action"], "converted");
    assert_eq!(report["tensors"][0]["from"], "Int8TensorCPU of 8 bits");
    assert_eq!(kind(&folder.path("q"), "fc3_w_int8"), b"QTensor");
    folder.done(&["convert", "q", "-o", "i", "--to", "int8", "--exact", "-q"]);
    assert_eq!(fs::read(folder.path("i")).unwrap(), fs::read(int8).unwrap());
}

#[test]
fn signed_codes_become_bytes_exactly() {
    let folder = Folder::new();
    let arguments = ["quantize", &model(), "-o", "s", "-p", "7", "-q", "--signed", "--symmetric"];
    folder.done(&arguments);
    folder.done(&["convert", "s", "-o", "i", "--to", "int8", "--exact", "-q"]);
    assert_eq!(kind(&folder.path("i"), "fc1_w"), b"Int8TensorCPU");
    assert_eq!(dequantized(&folder.path("i"), "fc1_w"), dequantized(&folder.path("s"), "fc1_w"));
}

#[test]
fn a_higher_precision_keeps_every_value() {
    let folder = Folder::new();
    for options in [&["--per-channel", "0"][..], &["--log"], &["--signed"], &[]] {
        let arguments = ["quantize", &model(), "-o", "a", "-p", "3", "-qf"];
        folder.done(&[&arguments[..], options].concat());
        folder.done(&["convert", "a", "-o", "b", "-p", "5", "--exact", "-qf"]);
        let (a, b) = (folder.path("a"), folder.path("b"));
        for name in ["fc1_w", "fc2_w", "fc3_w"] {
            assert_eq!(quantized(&b, name).precision(), 5);
            assert_eq!(dequantized(&a, name), dequantized(&b, name), "{options:?}");
        }
        assert_eq!(kind(&a, "fc1_w"), kind(&b, "fc1_w"));
    }
}

#[test]
fn a_lower_precision_is_quantized_anew() {
    let folder = Folder::new();
    folder.done(&["quantize", &model(), "-o", "a", "-p", "8", "-q", "--per-channel", "0"]);
    folder.refused(
        &["convert", "a", "-o", "b", "-p", "3", "--exact"],
        "fc1_w: A tensor of 8 bits cannot become one of 3 bits and keep every value",
    );
    let report = folder.json(&["convert", "a", "-o", "b", "-p", "3", "--json"]);
    assert_eq!(report["tensors"][0]["action"], "requantized");
    assert_eq!(report["tensors"][1]["action"], "copied");
    let values = dequantized(&folder.path("a"), "fc1_w");
    let target = Target { precision: 3, ..Target::default() };
    let expected =
        QTensor::quantize_best(&values, &[128, 64], Some(0), Method::Mse, &target).unwrap();
    let found = quantized(&folder.path("b"), "fc1_w");
    assert!(matches!(found.params().unwrap(), Params::PerChannel { axis: 0, .. }));
    assert_eq!(found.data(), expected.data());
    // With channels there is no exact form as bytes; one scale is chosen.
    folder.refused(&["convert", "a", "-o", "i", "--to", "int8", "--exact"], "Int8TensorCPU");
    folder.done(&["convert", "a", "-o", "i", "--to", "int8", "-q", "--method", "min-max"]);
    assert_eq!(kind(&folder.path("i"), "fc1_w"), b"Int8TensorCPU");
    let (now, before) = (dequantized(&folder.path("i"), "fc1_w"), values);
    let step = quantized(&folder.path("i"), "fc1_w").scale() as f32;
    assert!(now.iter().zip(before).all(|(now, before)| (now - before).abs() <= step * 0.51));
}

#[test]
fn what_is_not_selected_or_not_quantized_is_copied() {
    let folder = Folder::new();
    folder.done(&["quantize", &model(), "-o", "a", "-p", "4", "-q"]);
    folder.done(&["convert", "a", "-o", "b", "-p", "2", "--only", "fc2_*", "-q"]);
    let precisions: Vec<Option<u8>> = blobs(&folder.path("b"))
        .into_iter()
        .map(|blob| match blob.value {
            Value::Quantized(tensor) => Some(tensor.precision()),
            _ => None,
        })
        .collect();
    assert_eq!(precisions, [Some(4), None, Some(2), None, Some(4), None]);
    let bias = floats(&data("digits/digits_mlp.minidb"), "fc2_b");
    assert_eq!(floats(&folder.path("b"), "fc2_b"), bias);
    let ran = folder.run(&["convert", "a", "-o", "c"]);
    assert_eq!(ran.status, Some(2), "{}", ran.error);
}

#[test]
fn bytes_have_eight_bits() {
    let folder = Folder::new();
    let int8 = data("digits/digits_int8.minidb");
    let arguments = ["convert", int8.to_str().unwrap(), "-o", "q", "-p", "4"];
    folder.refused(&arguments, "An Int8TensorCPU has 8 bits, and --precision asks for 4");
    folder.done(&[&arguments[..], &["--to", "qtensor"]].concat());
}
