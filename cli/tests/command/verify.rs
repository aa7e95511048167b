//! `qtensor verify`: whole files pass, and every kind of damage is a line.

use crate::message::{Message, qtensor, record};
use crate::run::{Folder, data, model, network};
use caffe2_qtensor::QTensor;
use std::fs;

/// Verifies a file that is damaged in the ways that these words tell.
fn check_damaged(folder: &Folder, name: &str, problems: &[&str]) {
    let ran = folder.run(&["verify", name]);
    assert_eq!((ran.status, ran.error.as_str()), (Some(1), ""), "{}", ran.out);
    assert_eq!(ran.out.lines().count(), problems.len(), "{}", ran.out);
    for (line, problem) in ran.out.lines().zip(problems) {
        assert!(line.starts_with(&format!("{name}: ")) && line.contains(problem), "{line}");
    }
    let report = folder.run(&["verify", name, "--json"]);
    assert_eq!(report.status, Some(1));
    let report: serde_json::Value = serde_json::from_str(&report.out).unwrap();
    assert_eq!(report["problems"].as_array().unwrap().len(), problems.len());
    let quiet = folder.run(&["verify", name, "-q"]);
    assert_eq!((quiet.status, quiet.out.as_str(), quiet.error.as_str()), (Some(1), "", ""));
}

#[test]
fn whole_files_pass() {
    let folder = Folder::new();
    for file in ["blobs.minidb", "chunked.minidb", "digits/digits_int8.minidb"] {
        let file = data(file);
        let said = folder.done(&["verify", file.to_str().unwrap()]);
        assert!(said.contains(": whole, "), "{said}");
    }
    assert!(folder.done(&["verify", &model()]).ends_with("digits_mlp.minidb: whole, 6 tensors\n"));
    assert_eq!(folder.json(&["verify", &network(), "--json"])["tensors"], 7);
    assert_eq!(folder.done(&["verify", &model(), "-q"]), "");
    folder.done(&["quantize", &model(), "-o", "q", "-p", "3", "-q", "--per-channel", "0"]);
    folder.done(&["verify", "q"]);
}

#[test]
fn each_problem_is_a_line() {
    let folder = Folder::new();
    let blob = |message: Message| Message::new().bytes(2, b"QTensor").bytes(5, &message.0).0;
    let mut padded = QTensor::with_shape(&[3], 2, false).unwrap();
    padded.mutable_data().unwrap().copy_from_slice(&[0b1010_0000, 0b0000_0001]);
    let few = qtensor(&[9], 1).bytes(6, &[1]);
    let nan = Message::new().varint(1, 8).varint(2, 1).double(3, f64::NAN).double(4, 0.0);
    let nan = nan.varint(5, 0).bytes(6, &[1]);
    let channels = qtensor(&[2, 4], 1).bytes(6, &[1]).double(9, 1.0).double(10, 0.0).varint(12, 1);
    let whole = QTensor::with_shape(&[8], 1, false).unwrap().to_blob(b"w").unwrap();
    let records = [
        record(b"whole", &whole),
        record(b"padded", &padded.to_blob(b"padded").unwrap()),
        record(b"few", &blob(few)),
        record(b"nan", &blob(nan)),
        record(b"channels", &blob(channels)),
        record(b"whole", &whole),
        record(b"rubbish", b"\x0a\xff"),
    ];
    folder.file("bad", &records.concat());
    check_damaged(
        &folder,
        "bad",
        &[
            "padded: The padding bits of plane 1 are not 0.",
            "few: The number of data values is 1, but it must be 2",
            "nan: The scale is NaN, but it must be finite.",
            "channels: The number of channel scales is 1, but it must be 2",
            "whole: Another tensor has this name.",
            "rubbish: The BlobProto is malformed",
        ],
    );
}

#[test]
fn files_that_end_early_or_are_something_else() {
    let folder = Folder::new();
    let bytes = fs::read(model()).unwrap();
    // Cut in the first record, in a later one, in a length, and whole but for a byte.
    for length in [100, 40_000, 32_840, bytes.len() - 1] {
        folder.file("cut", &bytes[..length]);
        check_damaged(&folder, "cut", &["The minidb file is malformed at byte "]);
    }
    folder.file("text", b"This is a text and no tensor.\n");
    check_damaged(&folder, "text", &["The file is none that is read"]);
    folder.file("empty", b"");
    check_damaged(&folder, "empty", &["The file is empty."]);
    // What cannot be read was not verified.
    folder.refused(&["verify", "missing"], "missing: Cannot read the file: No such file");
    folder.refused(&["verify", "."], "a directory");
}

#[test]
fn chunks_that_are_missing() {
    let folder = Folder::new();
    let bytes = fs::read(data("chunked.minidb")).unwrap();
    let first = 8
        + i32::from_le_bytes(bytes[..4].try_into().unwrap()) as usize
        + i32::from_le_bytes(bytes[4..8].try_into().unwrap()) as usize;
    folder.file("gap", &bytes[first..]);
    check_damaged(&folder, "gap", &["a chunk is missing"]);
}

/// A tensor without planes takes no byte of a file, whatever its size.
#[test]
fn a_tensor_of_any_size_and_no_bits() {
    let folder = Folder::new();
    let message = qtensor(&[1 << 60], 0);
    folder.file("huge", &Message::new().bytes(1, b"w").bytes(2, b"QTensor").bytes(5, &message.0).0);
    folder.done(&["verify", "huge"]);
    assert!(folder.done(&["inspect", "huge"]).contains("[1152921504606846976]"));
    folder.refused(&["dequantize", "huge", "-o", "out"], "w: The precision to dequantize is 0");
    folder.refused(&["dequantize", "huge", "-o", "out", "--npy", "w"], "is 0");
    folder.refused(&["diff", "huge", "huge"], "w: The precision to dequantize is 0");
    folder.refused(&["convert", "huge", "-o", "out", "--to", "int8"], "w: ");
    folder.refused(&["convert", "huge", "-o", "out", "-p", "9"], "larger than its limit");
    folder.done(&["convert", "huge", "-o", "out", "--to", "qtensor", "-q"]);
}
