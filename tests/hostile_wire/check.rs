//! Everything that must hold for any bytes at all.

use crate::reference::{self, Expected};
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
    let message = error.to_string();
    assert!(message.starts_with(|first: char| first.is_ascii_uppercase()), "{message}");
    // The C interface has room for so many bytes.
    assert!(message.ends_with('.') && message.len() < 384, "{message}");
}

/// Reads a blob in every way there is.
pub(crate) fn check_blob(bytes: &[u8], tally: &mut Tally) {
    tally.tried += 1;
    let reference = reference::blob(bytes);
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
    if let Some(reference) = &reference {
        let int8 = reference.kind.as_deref() == Some(b"Int8TensorCPU");
        tally.compared += 1;
        compare(&tensor, reference.expected(), int8, bytes);
        if let Ok(info) = info {
            assert_eq!(info.name, reference.name.as_deref().unwrap_or_default());
            assert_eq!(info.kind, reference.kind.as_deref().unwrap_or_default());
        }
    }
    match DenseTensor::deserialize(bytes) {
        Ok(dense) => {
            tally.dense += 1;
            let blob = dense.to_blob(b"w").unwrap();
            let again = DenseTensor::deserialize(&blob).unwrap();
            assert_eq!(again.to_blob(b"w").unwrap(), blob);
            assert_eq!(again.dims(), dense.dims());
            if let Some(tensor) = reference.and_then(|reference| reference.tensor) {
                compare_dense(&dense, &tensor);
            }
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
    if let Some(reference) = reference::proto(bytes) {
        tally.compared += 1;
        compare(&tensor, reference.quantized(), false, bytes);
        if let Ok(name) = name {
            assert_eq!(name, reference.name.as_deref().unwrap_or_default());
        }
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
        // Form, where only libprotobuf is strict.
        (Err(Error::Malformed { problem, .. }), Some(_))
            if problem.contains("longer than 5 bytes") => {}
        (Err(error), Some(expected)) => panic!("{error} {expected:?}: {bytes:02x?}"),
    }
}

fn compare_dense(dense: &DenseTensor, tensor: &reference::TensorProto) {
    assert_eq!(dense.dims(), tensor.dims);
    if tensor.raw.is_some() || tensor.bytes.is_some() {
        return;
    }
    let integers: Vec<i64> = match dense.elements() {
        ElementsRef::Float(values) => {
            let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(values), bits(&tensor.floats));
            return;
        }
        ElementsRef::Double(values) => {
            let bits = |values: &[f64]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(values), bits(&tensor.doubles));
            return;
        }
        ElementsRef::Int64(values) => return assert_eq!(*values, tensor.int64s),
        ElementsRef::Bool(values) => {
            let truth: Vec<u8> = tensor.int32s.iter().map(|v| u8::from(*v != 0)).collect();
            return assert_eq!(*values, truth);
        }
        ElementsRef::Int32(values) => values.iter().map(|v| i64::from(*v)).collect(),
        ElementsRef::Int16(values) => values.iter().map(|v| i64::from(*v)).collect(),
        ElementsRef::Int8(values) => values.iter().map(|v| i64::from(*v)).collect(),
        ElementsRef::Uint8(values) => values.iter().map(|v| i64::from(*v)).collect(),
        ElementsRef::Uint16(values) | ElementsRef::Float16(values) => {
            values.iter().map(|v| i64::from(*v)).collect()
        }
    };
    assert_eq!(integers, tensor.int32s);
}

/// A hand-made message is refused for this reason, with a sentence that holds these words.
pub(crate) fn check_refused(what: &str, result: Option<Error>, kind: ErrorKind, words: &str) {
    let error = result.unwrap_or_else(|| panic!("{what} was taken"));
    assert_eq!(error.kind(), kind, "{what}: {error}");
    assert!(error.to_string().contains(words), "{what}: {error}");
    check_sentence(&error);
}
