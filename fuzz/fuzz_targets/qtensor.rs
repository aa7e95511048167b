//! Any bytes as a `QTensorProto`, alone and in a blob of each type that has one: what the target
//! `blob` checks, without its envelope to be found first.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((kind, bytes)) = bytes.split_first() else { return };
    let kinds = ["QTensor", "QTensorLog", "Int8TensorCPU"];
    caffe2_qtensor_fuzz::wire::qtensor(kinds[usize::from(*kind) % 3], bytes);
});
