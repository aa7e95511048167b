//! Any bytes as a blob: read as prost reads them or refused with a reason, and what is read is
//! written and read again as itself.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| caffe2_qtensor_fuzz::wire::blob(bytes));
