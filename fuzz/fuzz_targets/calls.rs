//! Any bytes as a program of calls of the C interface: each is accepted or refused as a plain model
//! says, and gives what that gives.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| caffe2_qtensor_fuzz::calls::run(bytes));
