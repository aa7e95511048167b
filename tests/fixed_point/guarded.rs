//! Borrowed planes beside memory that faults: operations read and write nothing else.

use crate::guard::Guarded;
use crate::random::Random;
use caffe2_qtensor::capi::borrow::{qtensor_borrow, qtensor_borrow_mut};
use caffe2_qtensor::capi::codes::{qtensor_read_codes, qtensor_write_codes};
use caffe2_qtensor::capi::fixed::*;
use caffe2_qtensor::capi::status::qtensor_status::{self, QTENSOR_OK};
use caffe2_qtensor::capi::tensor::*;
use std::ptr;

const LENGTHS: [i64; 8] = [1, 7, 8, 65, 511, 1025, 4096, 9003];
const KINDS: [(u8, bool); 7] =
    [(1, false), (2, true), (7, true), (8, false), (8, true), (11, false), (16, true)];

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
    unsafe {
        let none = ptr::null_mut();
        let dims = &raw const length;
        works(qtensor_create_with(dims, 1, precision, signed, &raw mut made, none));
        works(qtensor_set_scale(made, 0.75, none));
        works(qtensor_set_bias(made, -1.25, none));
    }
    Tensor(made)
}

fn written(random: &mut Random, length: i64, kind: (u8, bool)) -> Tensor {
    let tensor = tensor(length, kind);
    let largest = (1i64 << kind.0) - 1;
    let lowest = if kind.1 { -largest } else { 0 };
    let codes: Vec<i64> = (0..length).map(|_| random.between(lowest, largest)).collect();
    // SAFETY: a live handle and a buffer of that length.
    works(unsafe { qtensor_write_codes(tensor.0, codes.as_ptr(), codes.len(), ptr::null_mut()) });
    tensor
}

fn codes(tensor: &Tensor) -> Vec<i64> {
    // SAFETY: a live handle and a buffer of its length.
    unsafe {
        let mut codes = vec![0; qtensor_size(tensor.0)];
        works(qtensor_read_codes(tensor.0, codes.as_mut_ptr(), codes.len(), ptr::null_mut()));
        codes
    }
}

/// All results of operations on two tensors.
fn results(a: &Tensor, b: &Tensor, out: &Tensor) -> Vec<Vec<i64>> {
    let mut found = Vec::new();
    let (no_options, none) = (ptr::null(), ptr::null_mut());
    // SAFETY: live handles and places for the answers.
    unsafe {
        works(qtensor_requantize(a.0, out.0, no_options, none));
        found.push(codes(out));
        works(qtensor_relu(a.0, out.0, no_options, none));
        found.push(codes(out));
        works(qtensor_add(a.0, b.0, out.0, no_options, none));
        found.push(codes(out));
        works(qtensor_multiply(a.0, b.0, out.0, no_options, none));
        found.push(codes(out));
        let mut numbers = [0i64; 2];
        works(qtensor_dot_codes(a.0, b.0, &raw mut numbers[0], none));
        works(qtensor_argmax(a.0, &raw mut numbers[1], 1, none));
        found.push(numbers.to_vec());
    }
    found
}

/// Puts the planes of a tensor where the byte before or behind them faults.
fn move_planes(tensor: &Tensor, pages: &mut Guarded, at_end: bool, writable: bool) {
    // SAFETY: the planes of a live tensor, to memory that is there longer than it is.
    unsafe {
        let size = qtensor_nbytes(tensor.0);
        let memory = if at_end { pages.back(size) } else { pages.front(size) };
        let mut planes = ptr::null_mut();
        works(qtensor_mutable_data(tensor.0, &raw mut planes, ptr::null_mut()));
        memory.copy_from_slice(std::slice::from_raw_parts(planes, size));
        let (start, none) = (memory.as_mut_ptr(), ptr::null_mut());
        works(if writable {
            qtensor_borrow_mut(tensor.0, start, size, None, none, none.cast())
        } else {
            qtensor_borrow(tensor.0, start, size, None, none, none.cast())
        });
    }
}

#[test]
fn nothing_beside_the_planes() {
    let mut random = Random(51);
    for length in LENGTHS {
        for (number, kind) in KINDS.into_iter().enumerate() {
            let other = KINDS[(number + 3) % KINDS.len()];
            let out_kind = KINDS[(number + length as usize) % KINDS.len()];
            let own = tensor(length, out_kind);
            let a = written(&mut random, length, kind);
            let b = written(&mut random, length, other);
            let expected = results(&a, &b, &own);
            for at_end in [false, true] {
                let mut pages = [(); 3].map(|()| Guarded::new(2 * (length as usize + 8) * 2));
                let [first, second, third] = &mut pages;
                let out = tensor(length, out_kind);
                move_planes(&a, first, at_end, false);
                move_planes(&b, second, at_end, false);
                move_planes(&out, third, at_end, true);
                assert_eq!(results(&a, &b, &out), expected, "{length} {kind:?} {out_kind:?}");
                // Their own again, before the pages go.
                for tensor in [&a, &b] {
                    let mut planes = ptr::null_mut();
                    // SAFETY: a live handle; planes that are only read are copied by this.
                    works(unsafe {
                        qtensor_mutable_data(tensor.0, &raw mut planes, ptr::null_mut())
                    });
                }
            }
        }
    }
}
