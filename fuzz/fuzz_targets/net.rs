//! Any bytes as a `NetDef`: listed as prost reads them or refused with a reason, from memory and from
//! a file alike, and every operator's tensor is the one that its arguments say.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| caffe2_qtensor_fuzz::net::check(bytes));
