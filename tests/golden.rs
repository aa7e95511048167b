//! Everything that the real Caffe2 wrote, reproduced bit for bit.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a test stops at the first thing that is not as it should be"
)]

#[path = "support/golden.rs"]
mod golden;

use caffe2_qtensor::minidb::{Reader, Value, Writer, load_all};
use caffe2_qtensor::{ErrorKind, QTensor, peek};
use golden::{double, hex, integers, lines};

#[test]
fn tensors_filled_bit_by_bit() {
    for line in lines("qtensor.jsonl") {
        let precision = line["precision"].as_u64().unwrap() as u8;
        let signed = line["signed"].as_bool().unwrap();
        let name = line["name"].as_str().unwrap().as_bytes();
        let mut tensor = QTensor::with_shape(&integers(&line["dims"]), precision, signed).unwrap();
        tensor.set_scale(double(&line["scale_bits"]));
        tensor.set_bias(double(&line["bias_bits"]));
        assert_eq!(tensor.size() as u64, line["size"].as_u64().unwrap());
        assert_eq!(tensor.aligned_size() as u64, line["aligned_size"].as_u64().unwrap());
        assert_eq!(tensor.nbytes() as u64, line["nbytes"].as_u64().unwrap());
        let planes = hex(&line["planes_hex"]);
        let stride = tensor.aligned_size() / 8;
        for plane in 0..usize::from(precision) + usize::from(signed) {
            for i in 0..tensor.size() {
                let bit = planes[plane * stride + i / 8] & (0x80 >> (i % 8)) != 0;
                tensor.set_bit(plane as u8, i, bit).unwrap();
                assert_eq!(tensor.get_bit(plane as u8, i), Ok(bit));
            }
        }
        assert_eq!(tensor.data().unwrap_or_default(), planes);
        let blob = hex(&line["blob_hex"]);
        assert_eq!(tensor.to_blob(name).unwrap(), blob);
        assert_eq!(tensor.serialized_size(name), Ok(blob.len()));

        let read = QTensor::deserialize(&blob).unwrap();
        assert_eq!(read.dims(), tensor.dims());
        assert_eq!(read.data().unwrap_or_default(), planes);
        assert_eq!(read.to_blob(name).unwrap(), blob);
        assert_eq!(peek(&blob).unwrap().name, name);
        let proto = tensor.to_proto(name).unwrap();
        assert_eq!(QTensor::deserialize_proto(&proto).unwrap().to_proto(name).unwrap(), proto);

        if precision <= 63 {
            let mut codes = vec![0i64; tensor.size()];
            tensor.read_codes(&mut codes).unwrap();
            let mut copy = QTensor::with_shape(tensor.dims(), precision, signed).unwrap();
            copy.write_codes(&codes).unwrap();
            let mut again = vec![0i64; tensor.size()];
            copy.read_codes(&mut again).unwrap();
            assert_eq!(codes, again);
        }
    }
}

/// Replays random calls. Two things differ from Caffe2 on purpose: storage whose size a resize
/// changed is dropped here, and no dimensions always mean size 0.
#[test]
fn traces_of_calls() {
    for line in lines("trace.jsonl") {
        let mut tensor = QTensor::new();
        // Whether Caffe2 holds storage of another size than the tensor's.
        let mut stale = false;
        for call in line["calls"].as_array().unwrap() {
            let axis = call["axis"].as_i64().unwrap_or(0) as i32;
            let before = tensor.nbytes();
            let (threw, result) = match call["call"].as_str().unwrap() {
                "nop" => (false, None),
                "resize" => (tensor.resize(&integers(&call["dims"])).is_err(), None),
                "set_precision" => {
                    let precision = call["value"].as_u64().unwrap() as u8;
                    stale = false;
                    (tensor.set_precision(precision).is_err(), None)
                }
                "set_signed" => {
                    stale = false;
                    (tensor.set_signed(call["value"].as_bool().unwrap()).is_err(), None)
                }
                "set_bit" => {
                    let bit = call["bit"].as_u64().unwrap() as u8;
                    let index = call["index"].as_u64().unwrap() as usize;
                    let value = call["value"].as_bool().unwrap();
                    let set = tensor.set_bit(bit, index, value);
                    if set.is_ok() {
                        assert_eq!(tensor.get_bit(bit, index), Ok(value));
                    }
                    (set.is_err(), None)
                }
                "canonical_axis_index" => answer(tensor.canonical_axis_index(axis).map(i64::from)),
                "size_from_dim" => answer(tensor.size_from_dim(axis)),
                "size_to_dim" => answer(tensor.size_to_dim(axis)),
                other => panic!("a call named {other}"),
            };
            let after = &call["after"];
            let had = after["has_data"].as_bool().unwrap();
            stale = had && (stale || tensor.nbytes() != before);
            let scalar = tensor.ndim() == 0 && after["size"] == 1;
            let legal = call["bit"].as_u64().unwrap_or(0)
                < u64::from(tensor.precision()) + u64::from(tensor.is_signed());
            if call["threw"] == true && call["call"] == "set_bit" && legal {
                // It could not write to storage that had shrunk; this library can.
                assert!(stale, "{call}");
            } else if !scalar {
                assert_eq!(threw, call["threw"].as_bool().unwrap(), "{call}");
            }
            if let (Some(result), Some(expected)) = (result, call["result"].as_i64()) {
                assert_eq!(result, expected, "{call}");
            }
            assert_eq!(tensor.dims(), integers(&after["dims"]), "{call}");
            assert_eq!(tensor.ndim() as u64, after["ndim"].as_u64().unwrap());
            assert_eq!(u64::from(tensor.precision()), after["precision"].as_u64().unwrap());
            assert_eq!(tensor.is_signed(), after["signed"].as_bool().unwrap());
            assert_eq!(u64::from(tensor.alignment()), after["alignment"].as_u64().unwrap());
            if !scalar {
                assert_eq!(tensor.size() as u64, after["size"].as_u64().unwrap(), "{call}");
                let aligned = after["aligned_size"].as_u64().unwrap();
                assert_eq!(tensor.aligned_size() as u64, aligned);
                assert_eq!(tensor.nbytes() as u64, after["nbytes"].as_u64().unwrap());
            }
            if tensor.data().is_some() && !scalar {
                assert!(had, "{call}");
            }
        }
    }
}

fn answer(result: caffe2_qtensor::Result<i64>) -> (bool, Option<i64>) {
    (result.is_err(), result.ok())
}

#[test]
fn unusual_and_damaged_messages() {
    let mut kept = 0;
    for line in lines("wire.jsonl") {
        let (what, blob) = (line["what"].as_str().unwrap(), hex(&line["blob_hex"]));
        let result = QTensor::deserialize(&blob);
        if line["outcome"] == "rejected" || line["lossy"] == true {
            let error = result.expect_err(what);
            let expected = match what {
                "data_too_long" | "data_too_short" | "dim_beyond_int32" => ErrorKind::ShapeMismatch,
                "dim_zero" => ErrorKind::ShapeMismatch,
                "byte_flipped" => error.kind(),
                _ => ErrorKind::Malformed,
            };
            assert_eq!(error.kind(), expected, "{what}: {error}");
            continue;
        }
        let tensor = result.unwrap_or_else(|error| panic!("{what}: {error}: {line}"));
        assert_eq!(tensor.nbytes() as u64, line["nbytes"].as_u64().unwrap(), "{what}");
        // What was read was written again under this name, whatever it was called.
        let name = b"test";
        let ours = tensor.to_blob(name).unwrap();
        let theirs = hex(&line["reserialized_hex"]);
        if ours == theirs {
            continue;
        }
        // The difference may only be fields that Caffe2 drops.
        kept += 1;
        let mut plain = QTensor::deserialize(&ours).unwrap();
        assert!(plain.is_multiparam() || plain.data_type().is_some(), "{what}: {line}");
        assert_eq!(plain.channel_scales(), tensor.channel_scales());
        plain.clear_channels();
        let plain = plain.to_blob(name).unwrap();
        assert_eq!(QTensor::deserialize(&ours).unwrap().to_blob(name).unwrap(), ours);
        assert!(plain == theirs || tensor.data_type().is_some(), "{what}: {line}");
    }
    assert!(kept > 0);
}

#[test]
fn int8_tensors() {
    for line in lines("int8_tensor.jsonl") {
        let blob = hex(&line["blob_hex"]);
        let name = line["name"].as_str().unwrap().as_bytes();
        let tensor = QTensor::deserialize(&blob).unwrap();
        let scale = u32::from_str_radix(line["scale_bits"].as_str().unwrap(), 16).unwrap();
        assert_eq!(tensor.scale().to_bits(), f64::from(f32::from_bits(scale)).to_bits());
        assert_eq!(tensor.bias(), -line["zero_point"].as_f64().unwrap());
        assert_eq!(tensor.dims(), integers(&line["dims"]));
        let byte = line["data_type"] == "UINT8";
        assert_eq!(
            (tensor.precision(), tensor.is_signed()),
            if byte { (8, false) } else { (32, true) }
        );
        let mut codes = vec![0i64; tensor.size()];
        tensor.read_codes(&mut codes).unwrap();
        assert_eq!(codes, integers(&line["values"]));
        // The same from memory.
        let (dims, zero_point) = (integers(&line["dims"]), line["zero_point"].as_i64().unwrap());
        let (scale, zero_point) = (tensor.scale(), i32::try_from(zero_point).unwrap());
        let made = if byte {
            let data: Vec<u8> = codes.iter().map(|code| u8::try_from(*code).unwrap()).collect();
            QTensor::from_int8(&dims, &data, scale, zero_point).unwrap()
        } else {
            let data: Vec<i32> = codes.iter().map(|code| i32::try_from(*code).unwrap()).collect();
            QTensor::from_int32(&dims, &data, scale, zero_point).unwrap()
        };
        assert_eq!(made.to_int8_blob(name).unwrap(), blob);
        assert_eq!(made.to_blob(name), tensor.to_blob(name));
        if byte {
            assert_eq!(tensor.to_int8().unwrap().to_int8_blob(name).unwrap(), blob);
        }
        assert_eq!(tensor.to_int8_blob(name).unwrap(), blob);
        assert_eq!(tensor.int8_serialized_size(name), Ok(blob.len()));
    }
}

fn data(name: &str) -> std::path::PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "data", name].iter().collect()
}

#[test]
fn databases() {
    let mut reader = Reader::open(&data("blobs.minidb")).unwrap();
    let mut seen = Vec::new();
    while let Some(entry) = reader.next_entry().unwrap() {
        seen.push((entry.key().to_vec(), entry.kind().to_vec()));
    }
    let kinds: Vec<&[u8]> = seen.iter().map(|(_, kind)| kind.as_slice()).collect();
    assert_eq!(kinds, [b"QTensor", b"QTensor", b"QTensor", &b"Int8TensorCPU"[..], b"Tensor"]);
    for line in lines("blobs.jsonl") {
        let tensor = reader.load(line["name"].as_str().unwrap().as_bytes()).unwrap();
        assert_eq!(tensor.data().unwrap(), hex(&line["planes_hex"]));
        assert_eq!(tensor.dims(), integers(&line["dims"]));
    }
    let floats = reader.load_dense(b"float_tensor").unwrap();
    assert_eq!((floats.dims(), floats.as_f32().unwrap()), (&[4][..], &[0.0, 0.5, 1.0, 1.5][..]));
}

/// A database written by this library from what it read is Caffe2's own, byte for byte.
#[test]
fn databases_written_back() {
    for name in ["blobs.minidb", "digits/digits_mlp.minidb", "digits/digits_int8.minidb"] {
        let path = std::env::temp_dir().join(format!("qtensor-golden-{}", std::process::id()));
        let mut writer = Writer::create(&path).unwrap();
        for blob in load_all(&data(name)).unwrap() {
            match &blob.value {
                Value::Quantized(tensor) if blob.kind == b"Int8TensorCPU" => {
                    writer.append_int8(&blob.name, tensor).unwrap();
                }
                Value::Quantized(tensor) => writer.append(&blob.name, tensor).unwrap(),
                Value::Dense(tensor) => writer.append_dense(&blob.name, tensor, 0).unwrap(),
                Value::Other => panic!("{:?}", blob.name),
            }
        }
        writer.commit().unwrap();
        let (ours, theirs) = (std::fs::read(&path), std::fs::read(data(name)));
        std::fs::remove_file(&path).unwrap();
        assert!(ours.unwrap() == theirs.unwrap(), "{name}");
    }
}

#[test]
fn chunks_in_any_order() {
    let chunked = Reader::open(&data("chunked.minidb")).unwrap().load_dense(b"fc1_w").unwrap();
    let whole = Reader::open(&data("digits/digits_mlp.minidb")).unwrap();
    assert_eq!(chunked, whole.load_dense(b"fc1_w").unwrap());
    let all = load_all(&data("chunked.minidb")).unwrap();
    assert_eq!(all.len(), 1);
    assert!(matches!(&all[0].value, Value::Dense(tensor) if *tensor == chunked));
}
