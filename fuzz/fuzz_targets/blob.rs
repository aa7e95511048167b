//! Any bytes as a message: nothing breaks, and what is read is written and read again as itself.
#![no_main]

use caffe2_qtensor::{DenseTensor, QTensor, peek, peek_proto};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let name = peek(bytes).map(|info| info.name);
    if let Ok(tensor) = QTensor::deserialize(bytes) {
        quantized(&tensor, name.expect("a blob that can be read can be looked at"));
    }
    let name = peek_proto(bytes);
    if let Ok(tensor) = QTensor::deserialize_proto(bytes) {
        let name = name.expect("a message that can be read can be looked at");
        let proto = tensor.to_proto(name).expect("it is not longer than what was read");
        let again = QTensor::deserialize_proto(&proto).expect("what was written can be read");
        assert_eq!(again.to_proto(name).expect("as before"), proto);
        quantized(&tensor, name);
    }
    if let Ok(dense) = DenseTensor::deserialize(bytes) {
        let blob = dense.to_blob(b"w").expect("it is not longer than what was read");
        let again = DenseTensor::deserialize(&blob).expect("what was written can be read");
        assert_eq!(again.dims(), dense.dims());
        assert_eq!(again.to_blob(b"w").expect("as before"), blob);
    }
});

/// What holds for every quantized tensor that was read.
fn quantized(tensor: &QTensor, name: &[u8]) {
    let blob = tensor.to_blob(name).expect("it is not longer than what was read");
    assert_eq!(Ok(blob.len()), tensor.serialized_size(name));
    let again = QTensor::deserialize(&blob).expect("what was written can be read");
    same(tensor, &again);
    assert_eq!(again.to_blob(name).expect("as before"), blob);
    if let Ok(blob) = tensor.to_int8_blob(name) {
        assert_eq!(Ok(blob.len()), tensor.int8_serialized_size(name));
        // No dimensions mean no element here and one there.
        let again = QTensor::deserialize(&blob).expect("what was written can be read");
        assert_eq!(again.to_int8_blob(name).expect("as before"), blob);
    }
    let mut codes = vec![0i64; tensor.size().min(1 << 20)];
    if tensor.read_codes(&mut codes).is_ok() {
        let mut copy = tensor.try_clone().expect("it fits memory once");
        copy.write_codes(&codes).expect("codes that were read can be written");
        let mut read = vec![0i64; codes.len()];
        copy.read_codes(&mut read).expect("as before");
        assert_eq!(read, codes);
        if let Ok(form) = tensor.to_int8() {
            assert_eq!(form.size(), tensor.size());
            form.to_int8_blob(name).expect("it has the form");
        }
    }
    // The channels that were read need not fit; saying so must not break either.
    let _ = tensor.params();
}

fn same(tensor: &QTensor, again: &QTensor) {
    let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    assert_eq!(again.dims(), tensor.dims());
    assert_eq!(again.precision(), tensor.precision());
    assert_eq!(again.is_signed(), tensor.is_signed());
    assert_eq!(again.scale().to_bits(), tensor.scale().to_bits());
    assert_eq!(again.bias().to_bits(), tensor.bias().to_bits());
    assert_eq!(again.data(), tensor.data());
    assert_eq!(bits(again.channel_scales()), bits(tensor.channel_scales()));
    assert_eq!(bits(again.channel_biases()), bits(tensor.channel_biases()));
    assert_eq!(again.channel_axis(), tensor.channel_axis());
    assert_eq!(again.is_multiparam(), tensor.is_multiparam());
    assert_eq!(again.data_type(), tensor.data_type());
    assert_eq!(again.is_logarithmic(), tensor.is_logarithmic());
}
