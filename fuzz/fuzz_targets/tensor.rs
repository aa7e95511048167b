//! Any bytes as a `TensorProto` in its blob: what the target `blob` checks, without its envelope to
//! be found first.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| caffe2_qtensor_fuzz::wire::tensor(bytes));
