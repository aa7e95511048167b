//! Logarithmic tensors: what they keep, how they are written, and who refuses them.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    reason = "a test stops at the first thing that is not as it should be"
)]

use caffe2_qtensor::minidb::{Reader, Value, Writer, load_all};
use caffe2_qtensor::{
    DenseTensor, ErrorKind, Params, QTENSOR_LOG_TYPE, QTENSOR_TYPE, QTensor, peek,
};

/// A tensor whose plane bytes are of both varint lengths.
fn written(size: i64, precision: u8, signed: bool) -> QTensor {
    let mut tensor = QTensor::with_shape(&[size], precision, signed).unwrap();
    for (i, byte) in tensor.mutable_data().unwrap().iter_mut().enumerate() {
        *byte = (i * 37 % 256) as u8;
    }
    tensor.set_scale(0.5);
    tensor.set_bias(-3.0);
    tensor
}

fn refused<T>(result: caffe2_qtensor::Result<T>, words: &str) {
    let Err(error) = result else { panic!("taken where '{words}' is due") };
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    assert!(error.to_string().contains(words), "{error}");
}

#[test]
fn the_flag_changes_the_meaning_alone() {
    let mut tensor = written(11, 4, true);
    let planes = tensor.data().unwrap().to_vec();
    assert!(!tensor.is_logarithmic());
    assert_eq!(tensor.params(), Ok(Params::Affine { scale: 0.5, bias: -3.0 }));
    tensor.set_logarithmic(true).unwrap();
    assert_eq!(tensor.params(), Ok(Params::Log { scale: 0.5, bias: -3.0 }));
    assert_eq!(tensor.data().unwrap(), planes);
    assert!(tensor.try_clone().unwrap().is_logarithmic());
    assert!(format!("{tensor:?}").contains("logarithmic: true"));
    tensor.resize(&[3, 4]).unwrap();
    tensor.set_precision(7).unwrap();
    tensor.set_signed(false).unwrap();
    tensor.clear_channels();
    tensor.set_scale(1.0);
    assert_eq!(tensor.params(), Ok(Params::Log { scale: 1.0, bias: -3.0 }));
    tensor.set_logarithmic(false).unwrap();
    assert_eq!(tensor.params(), Ok(Params::Affine { scale: 1.0, bias: -3.0 }));
}

/// The blob differs from the linear one in its type alone, whatever way it is written.
#[test]
fn blobs_have_their_own_type() {
    assert_eq!((QTENSOR_TYPE, QTENSOR_LOG_TYPE), ("QTensor", "QTensorLog"));
    // Around the sizes where a length takes another byte.
    let sizes = (0..200).chain(900..1100).chain([130_000, 131_072, 140_000]);
    for size in sizes {
        let mut tensor = written(size, 7, true);
        let linear = tensor.to_blob(b"name").unwrap();
        let expected = [
            &linear[..6],
            b"\x12\x0aQTensorLog",
            linear[6..].strip_prefix(b"\x12\x07QTensor").unwrap(),
        ];
        let expected = expected.concat();
        tensor.set_logarithmic(true).unwrap();
        assert_eq!(tensor.to_blob(b"name").unwrap(), expected);
        assert_eq!(tensor.serialized_size(b"name"), Ok(expected.len()));
        for room in [0, 1, 2 * tensor.nbytes() + 100] {
            let mut buffer = vec![0xA5; expected.len() + room];
            assert_eq!(tensor.serialize(b"name", &mut buffer), Ok(expected.len()));
            assert_eq!(buffer[..expected.len()], expected);
        }
        assert_eq!(peek(&expected).unwrap().kind, b"QTensorLog");
        let read = QTensor::deserialize(&expected).unwrap();
        assert!(read.is_logarithmic());
        assert_eq!((read.data(), read.scale()), (tensor.data(), 0.5));
        assert_eq!(read.to_blob(b"name").unwrap(), expected);
        tensor.set_logarithmic(false).unwrap();
        assert_eq!(tensor.to_blob(b"name").unwrap(), linear);
    }
    // Before the first write, too.
    let mut tensor = QTensor::with_shape(&[300], 3, false).unwrap();
    tensor.set_logarithmic(true).unwrap();
    let blob = tensor.to_blob(b"").unwrap();
    assert_eq!(tensor.serialized_size(b""), Ok(blob.len()));
    assert!(QTensor::deserialize(&blob).unwrap().is_logarithmic());
}

#[test]
fn what_would_read_it_as_linear_refuses_it() {
    for (precision, signed) in [(4, true), (8, false), (32, true)] {
        let mut tensor = written(9, precision, signed);
        tensor.set_logarithmic(true).unwrap();
        let mut buffer = [0xA5; 400];
        refused(tensor.to_proto(b"w"), "QTensorProto");
        refused(tensor.serialize_proto(b"w", &mut buffer), "logarithmic");
        refused(tensor.proto_serialized_size(b"w"), "logarithmic");
        refused(tensor.to_int8_blob(b"w"), "Int8TensorCPU");
        refused(tensor.serialize_int8(b"w", &mut buffer), "logarithmic");
        refused(tensor.int8_serialized_size(b"w"), "logarithmic");
        refused(tensor.to_int8(), "logarithmic");
        assert_eq!(buffer, [0xA5; 400]);
        refused(DenseTensor::deserialize(&tensor.to_blob(b"w").unwrap()), "QTensorLog");
    }
}

#[test]
fn channels_and_exponents_exclude_each_other() {
    let mut tensor = written(2, 4, true);
    tensor.set_channels(0, &[1.0, 2.0], &[3.0, 4.0]).unwrap();
    let before = tensor.to_blob(b"w").unwrap();
    refused(tensor.set_logarithmic(true), "is 2");
    assert_eq!(tensor.to_blob(b"w").unwrap(), before);
    tensor.clear_channels();
    tensor.set_logarithmic(true).unwrap();
    let before = tensor.to_blob(b"w").unwrap();
    refused(tensor.set_channels(0, &[1.0, 2.0], &[3.0, 4.0]), "logarithmic");
    assert_eq!(tensor.to_blob(b"w").unwrap(), before);

    // Another writer's blob of both kinds is kept as it is, and has no parameters.
    tensor.set_logarithmic(false).unwrap();
    tensor.set_channels(0, &[1.0, 2.0], &[3.0, 4.0]).unwrap();
    let channels = tensor.to_blob(b"w").unwrap();
    let after_type = channels[3..].strip_prefix(b"\x12\x07QTensor").unwrap();
    let both = [&channels[..3], b"\x12\x0aQTensorLog", after_type].concat();
    let mut read = QTensor::deserialize(&both).unwrap();
    assert!(read.is_logarithmic() && read.is_multiparam());
    assert_eq!(read.channel_scales(), [1.0, 2.0]);
    assert_eq!(read.to_blob(b"w").unwrap(), both);
    refused(read.params(), "is 2");
    // Either of the two can be given up.
    let mut linear = read.try_clone().unwrap();
    linear.set_logarithmic(false).unwrap();
    assert!(matches!(linear.params(), Ok(Params::PerChannel { axis: 0, .. })));
    read.clear_channels();
    assert!(matches!(read.params(), Ok(Params::Log { .. })));
}

#[test]
fn databases_hold_them() {
    let path = std::env::temp_dir().join(format!("qtensor-log-{}", std::process::id()));
    let mut tensor = written(70, 4, true);
    let mut writer = Writer::create(&path).unwrap();
    writer.append(b"linear", &tensor).unwrap();
    tensor.set_logarithmic(true).unwrap();
    writer.append(b"log", &tensor).unwrap();
    refused(writer.append_int8(b"int8", &tensor), "logarithmic");
    writer.commit().unwrap();
    let mut reader = Reader::open(&path).unwrap();
    assert!(reader.load(b"log").unwrap().is_logarithmic());
    assert!(!reader.load(b"linear").unwrap().is_logarithmic());
    let mut kinds = Vec::new();
    while let Some(entry) = reader.next_entry().unwrap() {
        kinds.push(entry.kind().to_vec());
    }
    assert_eq!(kinds, [QTENSOR_TYPE.as_bytes(), QTENSOR_LOG_TYPE.as_bytes()]);
    let blobs = load_all(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let [linear, log] = &blobs[..] else { panic!("{blobs:?}") };
    assert_eq!(log.kind, QTENSOR_LOG_TYPE.as_bytes());
    assert!(matches!(&linear.value, Value::Quantized(read) if !read.is_logarithmic()));
    let Value::Quantized(read) = &log.value else { panic!("{log:?}") };
    assert!(read.is_logarithmic());
    assert_eq!(read.data(), tensor.data());
}
