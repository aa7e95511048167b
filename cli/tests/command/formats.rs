//! Files are taken for what they hold, whatever they are called.

use crate::message::{Message, record};
use crate::run::{Folder, blobs, data, model, network};
use caffe2_qtensor::minidb::Value;
use caffe2_qtensor::{DenseTensor, Elements, ElementsRef, QTensor};
use std::fs;

/// A network of one operator that fills `y`.
fn network_of(kind: &[u8], arguments: &[Message]) -> Vec<u8> {
    let operator = Message::new().bytes(2, b"y").bytes(4, kind);
    let operator = arguments.iter().fold(operator, |all, one| all.bytes(5, &one.0));
    Message::new().bytes(1, b"net").bytes(2, &operator.0).0
}

fn argument(name: &[u8]) -> Message {
    Message::new().bytes(1, name)
}

fn shape(dims: &[u64]) -> Message {
    dims.iter().fold(argument(b"shape"), |shape, dim| shape.varint(6, *dim))
}

#[test]
fn the_content_decides() {
    let folder = Folder::new();
    let mut tensor = QTensor::with_shape(&[2, 4], 3, true).unwrap();
    tensor.write_codes(&[1i64, -7, 3, 0, 2, 2, -1, 5]).unwrap();
    let int8 = QTensor::from_int8(&[3], &[1, 200, 255], 0.5, 7).unwrap();
    let mut int8_bytes = vec![0; int8.int8_serialized_size(b"i").unwrap()];
    int8.serialize_int8(b"i", &mut int8_bytes).unwrap();
    let mut log = QTensor::with_shape(&[2], 2, false).unwrap();
    log.set_logarithmic(true).unwrap();
    let dense = DenseTensor::new(&[2], Elements::Float(vec![1.0, 2.0])).unwrap();
    for (bytes, format, kind, name) in [
        (fs::read(model()).unwrap(), "minidb", "Tensor", "fc1_w"),
        (fs::read(network()).unwrap(), "net", "GivenTensorFill", "fc1_w"),
        (tensor.to_blob(b"w").unwrap(), "blob", "QTensor", "w"),
        (tensor.to_proto(b"").unwrap(), "qtensor_proto", "QTensor", "file"),
        (tensor.to_proto(b"p").unwrap(), "qtensor_proto", "QTensor", "p"),
        (log.to_blob(b"l").unwrap(), "blob", "QTensorLog", "l"),
        (dense.to_blob(b"").unwrap(), "blob", "Tensor", "file"),
        (int8_bytes, "blob", "Int8TensorCPU", "i"),
    ] {
        for name_of_file in ["file.npy", "file.minidb", "file.pb"] {
            folder.file(name_of_file, &bytes);
            let report = folder.json(&["inspect", name_of_file, "--json"]);
            assert_eq!(report["format"], format);
            assert_eq!(report["tensors"][0]["type"], kind);
            assert_eq!(report["tensors"][0]["name"], name);
            folder.done(&["verify", name_of_file]);
        }
    }
}

#[test]
fn what_stands_alone_is_converted_and_copied() {
    let folder = Folder::new();
    let mut tensor = QTensor::with_shape(&[2, 4], 3, true).unwrap();
    tensor.write_codes(&[1i64, -7, 3, 0, 2, 2, -1, 5]).unwrap();
    folder.file("proto.bin", &tensor.to_proto(b"").unwrap());
    folder.done(&["convert", "proto.bin", "-o", "q", "--to", "qtensor", "-q"]);
    let found = &blobs(&folder.path("q"))[0];
    assert_eq!(found.name, b"proto");
    let Value::Quantized(found) = &found.value else { panic!("not quantized") };
    assert_eq!(found.data(), tensor.data());
    let dense = DenseTensor::new(&[2], Elements::Int64(vec![1, -2])).unwrap();
    let blob = dense.to_blob(b"ints").unwrap();
    folder.file("blob", &blob);
    folder.done(&["quantize", "blob", "-o", "copied", "-p", "4", "-q"]);
    assert_eq!(fs::read(folder.path("copied")).unwrap(), record(b"ints", &blob));
}

#[test]
fn what_is_nothing_is_refused() {
    let folder = Folder::new();
    for (bytes, words) in [
        (&b"hello"[..], "The file is none that is read"),
        (b"", "The file is empty."),
        (b"\x93NUMPY\x01\x00", "The .npy file is malformed at byte 8: it ends too early"),
        (&[0; 100], "The file is none that is read"),
    ] {
        folder.file("in", bytes);
        for work in [&["inspect", "in"][..], &["quantize", "in", "-o", "out", "-p", "4"]] {
            folder.refused(work, words);
        }
    }
    let words = "/dev/null: Cannot read the file: it is a pipe or a device.";
    folder.refused(&["inspect", "/dev/null"], words);
    let fifo = folder.path("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    folder.refused(&["inspect", "fifo"], "a pipe or a device");
}

#[test]
fn operators_that_give_no_fixed_values_are_named() {
    let folder = Folder::new();
    folder.file("net", &network_of(b"XavierFill", &[shape(&[3, 3])]));
    let refused = "y: The type of the operator is 'XavierFill', which is not supported";
    folder.refused(&["quantize", "net", "-o", "out", "-p", "4"], refused);
    let ran = folder.run(&["inspect", "net"]);
    ran.check_refused("net: 1 of 1 tensors cannot be read");
    assert!(ran.out.contains("XavierFill"));
}

#[test]
fn every_kind_of_fill_is_read_and_copied() {
    let folder = Folder::new();
    let packed = argument(b"values").bytes(6, &[1, 0, 1]);
    let dtype = |number| argument(b"dtype").varint(3, number);
    let constant = argument(b"value").tag(2, 5).raw(&2.5f32.to_le_bytes());
    let cases: [(Vec<u8>, ElementsRef<'_>); 5] = [
        (
            network_of(b"GivenTensorIntFill", &[shape(&[3]), packed.clone()]),
            ElementsRef::Int32(&[1, 0, 1]),
        ),
        (
            network_of(b"GivenTensorInt64Fill", &[packed.clone(), shape(&[3])]),
            ElementsRef::Int64(&[1, 0, 1]),
        ),
        (
            network_of(b"GivenTensorBoolFill", &[shape(&[3]), packed.clone()]),
            ElementsRef::Bool(&[1, 0, 1]),
        ),
        (network_of(b"ConstantFill", &[shape(&[2]), constant]), ElementsRef::Float(&[2.5, 2.5])),
        (
            network_of(b"ConstantFill", &[shape(&[2]), dtype(9), argument(b"value").varint(3, 7)]),
            ElementsRef::Int16(&[7, 7]),
        ),
    ];
    for (bytes, expected) in cases {
        folder.file("net", &bytes);
        folder.done(&["quantize", "net", "-o", "out", "-p", "4", "-qf"]);
        let Value::Dense(found) = &blobs(&folder.path("out"))[0].value else { panic!("not dense") };
        assert_eq!(found.elements(), expected);
    }
    let strings = argument(b"values").bytes(7, b"text");
    folder.file("net", &network_of(b"GivenTensorStringFill", &[shape(&[1]), strings]));
    let report = folder.json(&["quantize", "net", "-o", "none", "-p", "4", "--json"]);
    assert_eq!(report["tensors"][0]["action"], "left out");
    assert_eq!(blobs(&folder.path("none")).len(), 0);
}

#[test]
fn a_cut_network_is_refused_wherever_it_is_cut() {
    let folder = Folder::new();
    let bytes = fs::read(data("digits/digits_init_net.pb")).unwrap();
    for length in (1..bytes.len()).step_by(4999) {
        folder.file("cut", &bytes[..length]);
        folder.refused(&["quantize", "cut", "-o", "out", "-p", "4"], "cut: ");
    }
}

/// A network of which a bit has flipped in the type of an operator is nothing else instead.
#[test]
fn a_damaged_network_is_no_blob() {
    let folder = Folder::new();
    let mut bytes = std::fs::read(network()).unwrap();
    let place = bytes.windows(15).position(|window| window == b"GivenTensorFill").unwrap();
    bytes[place] ^= 0x80;
    folder.file("damaged", &bytes);
    folder
        .refused(&["quantize", "damaged", "-o", "out", "-p", "4"], "The file is none that is read");
}
