//! Borrowed planes at every offset in a cache line, next to memory that faults: whatever reads or
//! writes them does what it does with a tensor's own, and nothing beside them.
#![cfg(all(feature = "capi", target_os = "linux"))]
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "a test that fails may panic, and its numbers are its own"
)]

#[path = "support/guard.rs"]
mod guard;

use caffe2_qtensor::capi::borrow::{qtensor_borrow, qtensor_borrow_mut, qtensor_is_borrowed};
use caffe2_qtensor::capi::codes::*;
use caffe2_qtensor::capi::dequantize::qtensor_dequantize;
use caffe2_qtensor::capi::quantize::qtensor_quantize;
use caffe2_qtensor::capi::serialize::{qtensor_serialize, qtensor_serialized_size};
use caffe2_qtensor::capi::status::qtensor_status::{self, QTENSOR_OK};
use caffe2_qtensor::capi::tensor::*;
use guard::Guarded;
use std::ptr;

const LENGTHS: [i64; 9] = [1, 7, 64, 65, 511, 512, 1000, 4096, 9003];
const KINDS: [(u8, bool); 8] =
    [(1, false), (1, true), (2, true), (4, true), (7, true), (8, false), (8, true), (13, true)];

struct Tensor(*mut qtensor_t);

impl Drop for Tensor {
    fn drop(&mut self) {
        // SAFETY: the only pointer to a live tensor.
        unsafe { qtensor_free(self.0) }
    }
}

fn works(status: qtensor_status) {
    assert_eq!(status, QTENSOR_OK);
}

fn tensor(length: i64, (precision, signed): (u8, bool)) -> Tensor {
    let mut made = ptr::null_mut();
    // SAFETY: valid pointers.
    works(unsafe {
        qtensor_create_with(&raw const length, 1, precision, signed, &raw mut made, ptr::null_mut())
    });
    Tensor(made)
}

/// Codes that a precision and sign allow.
fn some_codes(length: i64, (precision, signed): (u8, bool)) -> Vec<i64> {
    let largest = (1i64 << precision) - 1;
    let code = |i: i64| (i.wrapping_mul(0x9e37_79b9) >> 7) & largest;
    let sign = |i: i64| if signed && i % 3 == 1 { -1 } else { 1 };
    (0..length).map(|i| sign(i) * code(i)).collect()
}

/// What can be read of a tensor: codes, values, bytes.
fn seen(tensor: &Tensor) -> (Vec<i64>, Vec<u32>, Vec<u8>) {
    // SAFETY: a live handle and buffers of the lengths given.
    unsafe {
        let (t, none) = (tensor.0, ptr::null_mut());
        let n = qtensor_size(t);
        let (mut codes, mut values) = (vec![0i64; n], vec![0f32; n]);
        works(qtensor_read_codes(t, codes.as_mut_ptr(), n, none));
        works(qtensor_dequantize(t, values.as_mut_ptr(), n, 1, none));
        let mut size = 0;
        works(qtensor_serialized_size(t, c"w".as_ptr(), &raw mut size, none));
        let mut bytes = vec![0u8; size];
        let out = bytes.as_mut_ptr();
        works(qtensor_serialize(t, c"w".as_ptr(), out, size, &raw mut size, none));
        (codes, values.iter().map(|value| value.to_bits()).collect(), bytes)
    }
}

/// A tensor of its own with these codes.
fn own(length: i64, kind: (u8, bool)) -> Tensor {
    let (made, codes) = (tensor(length, kind), some_codes(length, kind));
    // SAFETY: a live handle and a buffer of that length.
    works(unsafe { qtensor_write_codes(made.0, codes.as_ptr(), codes.len(), ptr::null_mut()) });
    made
}

fn planes(tensor: &Tensor) -> &[u8] {
    // SAFETY: the planes of a live tensor that has some.
    unsafe { std::slice::from_raw_parts(qtensor_data(tensor.0), qtensor_nbytes(tensor.0)) }
}

/// Runs a check on copies of planes at each offset, the last and the first of which lie next to
/// pages that fault.
fn at_every_offset(planes: &[u8], check: impl Fn(&mut [u8])) {
    let mut pages = Guarded::new(planes.len() + 64);
    for offset in 0..64 {
        let memory = pages.front(planes.len() + offset);
        memory[offset..].copy_from_slice(planes);
        check(&mut memory[offset..]);
        let memory = pages.back(planes.len() + offset);
        memory[..planes.len()].copy_from_slice(planes);
        memory[planes.len()..].fill(0x5a);
        check(&mut memory[..planes.len()]);
        assert!(memory[planes.len()..].iter().all(|byte| *byte == 0x5a), "beyond the planes");
    }
}

#[test]
fn reading() {
    for (length, kind) in LENGTHS.iter().flat_map(|l| KINDS.map(|kind| (*l, kind))) {
        let own = own(length, kind);
        let expected = seen(&own);
        at_every_offset(planes(&own), |memory| {
            let borrowed = tensor(length, kind);
            let (start, none) = (memory.as_ptr(), ptr::null_mut());
            // SAFETY: the memory is there longer than the tensor.
            works(unsafe {
                qtensor_borrow(borrowed.0, start, memory.len(), None, none, none.cast())
            });
            assert!(seen(&borrowed) == expected, "{length} {kind:?}");
            // SAFETY: a live handle.
            assert!(unsafe { qtensor_is_borrowed(borrowed.0) });
        });
    }
}

#[test]
fn writing() {
    for (length, kind) in LENGTHS.iter().flat_map(|l| KINDS.map(|kind| (*l, kind))) {
        let own = own(length, kind);
        let codes = some_codes(length, kind);
        let values: Vec<f32> = codes.iter().map(|code| *code as f32).collect();
        let blank = vec![0; planes(&own).len()];
        for quantizes in [false, true] {
            at_every_offset(&blank, |memory| {
                let borrowed = tensor(length, kind);
                let (start, none) = (memory.as_mut_ptr(), ptr::null_mut());
                // SAFETY: the memory is there longer than the tensor, and looked at when it is gone.
                unsafe {
                    works(qtensor_borrow_mut(
                        borrowed.0,
                        start,
                        memory.len(),
                        None,
                        none,
                        none.cast(),
                    ));
                    let n = codes.len();
                    works(if quantizes {
                        let none = ptr::null_mut();
                        qtensor_quantize(
                            borrowed.0,
                            values.as_ptr(),
                            n,
                            ptr::null(),
                            none,
                            none.cast(),
                        )
                    } else {
                        qtensor_write_codes(borrowed.0, codes.as_ptr(), n, ptr::null_mut())
                    });
                }
                drop(borrowed);
                assert!(memory == planes(&own), "{length} {kind:?} {quantizes}");
            });
        }
    }
}
