//! Everything that must hold for any bytes at all.

use crate::reference::{BlobProto, Dense, Expected, Opinion, QTensorProto, is_unknown, opinion};
use caffe2_qtensor::{DenseTensor, ElementsRef, Error, ErrorKind, QTensor, peek, peek_proto};

/// How many inputs were tried and what became of them.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) tried: u64,
    /// Quantized tensors read.
    accepted: u64,
    /// Inputs on which the reference had an opinion.
    compared: u64,
    /// Ordinary tensors read.
    dense: u64,
}

/// A message says what is wrong in a whole sentence.
pub(crate) fn check_sentence(error: &Error) {
    check_text(&error.to_string());
}

/// The same of a message itself.
pub(crate) fn check_text(message: &str) {
    assert!(message.starts_with(|first: char| first.is_ascii_uppercase()), "{message}");
    // The C interface has room for so many bytes.
    assert!(message.ends_with('.') && message.len() < 384, "{message}");
}

/// Reads a blob in every way there is.
pub(crate) fn check_blob(bytes: &[u8], tally: &mut Tally) {
    tally.tried += 1;
    let reference = opinion::<BlobProto>(bytes);
    let tensor = QTensor::deserialize(bytes);
    tally.accepted += u64::from(tensor.is_ok());
    let info = peek(bytes);
    match &tensor {
        Ok(tensor) => {
            assert!(info.is_ok());
            check_fixpoint(tensor, info.unwrap().name);
        }
        Err(error) => check_sentence(error),
    }
    let dense = DenseTensor::deserialize(bytes);
    match &reference {
        Opinion::Read(blob) if blob.is_undecided() => {}
        Opinion::Read(blob) => {
            let int8 = blob.kind.as_deref() == Some(b"Int8TensorCPU");
            tally.compared += 1;
            compare(&tensor, blob.expected(), int8, bytes);
            compare_dense(&dense, blob.dense(), bytes);
            if let Ok(info) = info {
                assert_eq!(info.name, blob.name.as_deref().unwrap_or_default());
                assert_eq!(info.kind, blob.kind.as_deref().unwrap_or_default());
            }
        }
        Opinion::Refused => {
            tally.compared += 1;
            assert!(tensor.is_err() && dense.is_err(), "taken: {bytes:02x?}");
        }
        Opinion::None => {}
    }
    match dense {
        Ok(dense) => {
            tally.dense += 1;
            let blob = dense.to_blob(b"w").unwrap();
            let again = DenseTensor::deserialize(&blob).unwrap();
            assert_eq!(again.to_blob(b"w").unwrap(), blob);
            assert_eq!(again.dims(), dense.dims());
        }
        Err(error) => check_sentence(&error),
    }
    // A blob is no QTensorProto; what matters is that nothing breaks.
    check_proto(bytes, &mut Tally::default());
}

/// Reads a bare QTensorProto.
pub(crate) fn check_proto(bytes: &[u8], tally: &mut Tally) {
    tally.tried += 1;
    let (tensor, name) = (QTensor::deserialize_proto(bytes), peek_proto(bytes));
    match &tensor {
        Ok(tensor) => {
            tally.accepted += 1;
            let proto = tensor.to_proto(name.unwrap()).unwrap();
            let again = QTensor::deserialize_proto(&proto).unwrap();
            assert_eq!(seen(&again, false), seen(tensor, false));
            assert_eq!(again.to_proto(name.unwrap()).unwrap(), proto);
        }
        Err(error) => check_sentence(error),
    }
    match opinion::<QTensorProto>(bytes) {
        Opinion::Read(proto) if is_unknown(proto.data_type) => {}
        Opinion::Read(proto) => {
            tally.compared += 1;
            compare(&tensor, proto.quantized(), false, bytes);
            if let Ok(name) = name {
                assert_eq!(name, proto.name.as_deref().unwrap_or_default());
            }
        }
        Opinion::Refused => {
            tally.compared += 1;
            assert!(tensor.is_err(), "taken: {bytes:02x?}");
        }
        Opinion::None => {}
    }
}

/// What was read is written and read again as itself.
fn check_fixpoint(tensor: &QTensor, name: &[u8]) {
    let blob = tensor.to_blob(name).unwrap();
    let again = QTensor::deserialize(&blob).unwrap();
    assert_eq!(seen(&again, false), seen(tensor, false));
    assert_eq!(again.to_blob(name).unwrap(), blob);
    // The parameters need not fit the rest; saying so must not break either.
    if let Err(error) = tensor.params() {
        check_sentence(&error);
    }
    if let Ok(blob) = tensor.to_int8_blob(name) {
        let again = QTensor::deserialize(&blob).unwrap();
        assert_eq!(again.to_int8_blob(name).unwrap(), blob);
    }
}

/// What can be seen of a tensor, with its codes or its plane bytes.
fn seen(tensor: &QTensor, codes: bool) -> Expected {
    let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect();
    let data = if codes {
        let mut codes = vec![0i64; tensor.size()];
        tensor.read_codes(&mut codes).unwrap();
        codes
    } else {
        tensor.data().unwrap_or_default().iter().map(|byte| i64::from(*byte)).collect()
    };
    Expected {
        dims: tensor.dims().to_vec(),
        precision: tensor.precision(),
        is_signed: tensor.is_signed(),
        scale: tensor.scale().to_bits(),
        bias: tensor.bias().to_bits(),
        data,
        scales: bits(tensor.channel_scales()),
        biases: bits(tensor.channel_biases()),
        axis: tensor.channel_axis(),
        is_multiparam: tensor.is_multiparam(),
        data_type: tensor.data_type(),
        logarithmic: tensor.is_logarithmic(),
    }
}

fn compare(tensor: &Result<QTensor, Error>, expected: Option<Expected>, int8: bool, bytes: &[u8]) {
    match (tensor, expected) {
        (Ok(tensor), Some(expected)) => assert_eq!(seen(tensor, int8), expected),
        (Ok(tensor), None) => panic!("{:?} was taken: {bytes:02x?}", seen(tensor, int8)),
        (Err(_), None) => {}
        (Err(error), Some(_)) if only_libprotobuf_refuses(error) => {}
        (Err(error), Some(expected)) => panic!("{error} {expected:?}: {bytes:02x?}"),
    }
}

/// Form, where only libprotobuf is strict.
fn only_libprotobuf_refuses(error: &Error) -> bool {
    matches!(error, Error::Malformed { problem, .. } if problem.contains("longer than 5 bytes"))
}

fn compare_dense(dense: &Result<DenseTensor, Error>, expected: Option<Dense>, bytes: &[u8]) {
    match (dense, expected) {
        (Ok(dense), expected) => assert_eq!(Some(seen_dense(dense)), expected, "{bytes:02x?}"),
        (Err(_), None) => {}
        (Err(error), Some(_)) if only_libprotobuf_refuses(error) => {}
        (Err(error), Some(expected)) => panic!("{error} {expected:?}: {bytes:02x?}"),
    }
}

/// What can be seen of an ordinary tensor.
fn seen_dense(dense: &DenseTensor) -> Dense {
    fn wide<T: Copy + Into<i64>>(values: &[T]) -> Vec<i64> {
        values.iter().map(|value| (*value).into()).collect()
    }
    let elements = dense.elements();
    let values = match elements {
        ElementsRef::Float(values) => values.iter().map(|it| i64::from(it.to_bits())).collect(),
        ElementsRef::Double(values) => values.iter().map(|it| it.to_bits() as i64).collect(),
        ElementsRef::Int64(values) => values.to_vec(),
        ElementsRef::Int32(values) => wide(values),
        ElementsRef::Int16(values) => wide(values),
        ElementsRef::Int8(values) => wide(values),
        ElementsRef::Uint8(values) | ElementsRef::Bool(values) => wide(values),
        ElementsRef::Uint16(values) | ElementsRef::Float16(values) => wide(values),
    };
    Dense { dims: dense.dims().to_vec(), element: elements.element_type() as i32, values }
}

/// A hand-made message is refused for this reason, with a sentence that holds these words.
pub(crate) fn check_refused(what: &str, result: Option<Error>, kind: ErrorKind, words: &str) {
    let error = result.unwrap_or_else(|| panic!("{what} was taken"));
    assert_eq!(error.kind(), kind, "{what}: {error}");
    assert!(error.to_string().contains(words), "{what}: {error}");
    check_sentence(&error);
}
