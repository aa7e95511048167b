//! `qtensor dequantize`: floats again, as the library makes them.

use crate::run::{Folder, data, floats, model, network, quantized};
use caffe2_qtensor::QTensor;
use std::fs;

#[test]
fn a_database_of_floats() {
    let folder = Folder::new();
    folder.done(&["quantize", &model(), "-o", "q", "-p", "3", "-q", "--per-channel", "1"]);
    let report = folder.json(&["dequantize", "q", "-o", "f", "--json"]);
    assert_eq!((report["dequantized"].as_u64(), report["copied"].as_u64()), (Some(3), Some(3)));
    for name in ["fc1_w", "fc2_w", "fc3_w"] {
        let tensor = quantized(&folder.path("q"), name);
        let mut expected = vec![0.0f32; tensor.size()];
        tensor.dequantize(&mut expected, 1).unwrap();
        assert_eq!(floats(&folder.path("f"), name), expected);
    }
    let bias = floats(&data("digits/digits_mlp.minidb"), "fc2_b");
    assert_eq!(floats(&folder.path("f"), "fc2_b"), bias);
    folder.done(&["dequantize", "q", "-o", "g", "--only", "fc1_w", "--threads", "1"]);
    assert_eq!(floats(&folder.path("g"), "fc1_w"), floats(&folder.path("f"), "fc1_w"));
    assert_eq!(quantized(&folder.path("g"), "fc2_w").precision(), 3);
}

#[test]
fn one_tensor_as_an_array() {
    let folder = Folder::new();
    folder.done(&["dequantize", &network(), "-o", "w.npy", "--npy", "fc3_w_int8"]);
    let bytes = fs::read(folder.path("w.npy")).unwrap();
    let header =
        b"\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (10, 64), }";
    assert!(bytes.starts_with(header));
    assert_eq!(bytes.len(), 128 + 640 * 4);
    let int8 = quantized(&data("digits/digits_int8.minidb"), "fc3_w_int8");
    let mut expected = vec![0.0f32; 640];
    int8.dequantize(&mut expected, 1).unwrap();
    for (bytes, expected) in bytes[128..].chunks_exact(4).zip(expected) {
        let value = f32::from_le_bytes(bytes.try_into().unwrap());
        assert!((value - expected).abs() <= 1e-7);
    }
    // And back: an array is an input too.
    folder.done(&["quantize", "w.npy", "-o", "again", "-p", "8", "-q", "--method", "min-max"]);
    assert_eq!(quantized(&folder.path("again"), "w").dims(), [10, 64]);
    folder.refused(&["dequantize", &network(), "-o", "w.npy", "--npy", "fc3_w"], "--force");
    folder.done(&["dequantize", &network(), "-o", "w.npy", "--npy", "fc3_b", "-f"]);
    assert_eq!(fs::read(folder.path("w.npy")).unwrap().len(), 128 + 40);
    assert_eq!(folder.names(), ["again", "w.npy"]);
}

#[test]
fn bad_wishes_are_refused() {
    let folder = Folder::new();
    folder.refused(
        &["dequantize", &model(), "-o", "x", "--npy", "fc9_w"],
        "there is no tensor named 'fc9_w'",
    );
    let labels = data("digits/digits_test.minidb").to_str().unwrap().to_owned();
    folder.refused(
        &["dequantize", &labels, "-o", "x", "--npy", "label"],
        "label: It is no tensor of floats and no quantized one",
    );
    // Bits without values.
    let odd = QTensor::with_shape(&[4], 40, false).unwrap().to_blob(b"odd").unwrap();
    folder.file("odd", &odd);
    folder.refused(&["dequantize", "odd", "-o", "x"], "odd: The precision to dequantize is 40");
    folder.refused(&["dequantize", "odd", "-o", "no/such/x"], "no/such/x: Cannot");
}
