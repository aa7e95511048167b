//! Files are worked through tensor by tensor: in an address space that does not hold them.

use crate::message::Message;
use crate::run::{Folder, values};
use caffe2_qtensor::minidb::Writer;
use caffe2_qtensor::{DenseTensor, Elements};
use std::fs::File;
use std::io::Write;
use std::process::Command;

/// 48 tensors of 4 MiB are three times as much as there is.
const TENSORS: usize = 48;
const DIMS: [i64; 2] = [1024, 1024];
const KILOBYTES: usize = 64 << 10;

fn run(folder: &Folder, work: &str) {
    let q = env!("CARGO_BIN_EXE_qtensor");
    let script = format!("ulimit -v {KILOBYTES}; exec {q} {work}");
    let output = Command::new("sh").args(["-c", &script]).current_dir(folder.path(".")).output();
    let output = output.unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{work}: {error}");
}

#[test]
fn a_database_larger_than_memory() {
    let folder = Folder::new();
    let tensor = DenseTensor::new(&DIMS, Elements::Float(values(1 << 20))).unwrap();
    let mut writer = Writer::create(&folder.path("in")).unwrap();
    for index in 0..TENSORS {
        // In chunks, and in one record that is larger than what is read at a time.
        let chunk = if index % 2 == 0 { 0 } else { 1 << 20 };
        writer.append_dense(format!("w{index}").as_bytes(), &tensor, chunk).unwrap();
    }
    writer.commit().unwrap();
    drop((writer, tensor));
    let length = std::fs::metadata(folder.path("in")).unwrap().len();
    assert!(length > 2 * (KILOBYTES << 10) as u64);
    run(&folder, "quantize in -o q --precision 4 --threads 1");
    run(&folder, "inspect in");
    run(&folder, "verify in");
    run(&folder, "diff in q --threads 1");
    run(&folder, "dequantize q -o f --threads 1");
    run(&folder, "convert q -o c --precision 2 --threads 1");
}

#[test]
fn a_network_larger_than_memory() {
    let folder = Folder::new();
    let floats: Vec<u8> = values(1 << 20).iter().flat_map(|value| value.to_le_bytes()).collect();
    let shape = DIMS
        .iter()
        .fold(Message::new().bytes(1, b"shape"), |shape, dim| shape.varint(6, *dim as u64));
    // Floats one by one, as Caffe2 writes them: a byte more each.
    let values = Message::new().bytes(1, b"values");
    let values = floats.chunks(4).fold(values, |values, bytes| values.tag(5, 5).raw(bytes));
    let mut file = File::create(folder.path("in")).unwrap();
    for index in 0..TENSORS / 2 {
        let operator = Message::new()
            .bytes(2, format!("w{index}").as_bytes())
            .bytes(4, b"GivenTensorFill")
            .bytes(5, &shape.0)
            .bytes(5, &values.0);
        file.write_all(&Message::new().bytes(2, &operator.0).0).unwrap();
    }
    drop(file);
    run(&folder, "quantize in -o q --precision 4 --threads 1");
    run(&folder, "verify in");
}
