//! Borrowed planes and buffers beside memory that faults: products read and write nothing else.

use crate::case::{Case, Codes, METHODS, Random};
use crate::guard::Guarded;
use caffe2_qtensor::capi::borrow::{qtensor_borrow, qtensor_borrow_mut};
use caffe2_qtensor::capi::product::*;
use caffe2_qtensor::capi::status::qtensor_status::{self, QTENSOR_OK};
use caffe2_qtensor::capi::tensor::*;
use caffe2_qtensor::{InputFormat, ProductMethod, ProductOptions, QTensor};
use std::ptr;

const SHAPES: [(usize, usize, usize); 9] = [
    (1, 1, 1),
    (1, 65, 7),
    (3, 64, 31),
    (5, 63, 33),
    (7, 2, 129),
    (13, 66, 515),
    (49, 3, 64),
    (2, 5, 1023),
    (1, 130, 4097),
];

struct Tensor(*mut qtensor_t);

impl Drop for Tensor {
    fn drop(&mut self) {
        // SAFETY: the only pointer to a live tensor.
        unsafe { qtensor_free(self.0) }
    }
}

struct Packed(*mut qtensor_packed_t);

impl Drop for Packed {
    fn drop(&mut self) {
        // SAFETY: the only pointer to live weights.
        unsafe { qtensor_packed_free(self.0) }
    }
}

fn works(status: qtensor_status) {
    assert_eq!(status, QTENSOR_OK);
}

/// A tensor like this one, of the same scale and bias, over other memory.
fn borrowing(of: &QTensor, planes: &mut [u8], writable: bool) -> Tensor {
    let (dims, mut made, none) = (of.dims(), ptr::null_mut(), ptr::null_mut());
    // SAFETY: valid pointers; the planes are there longer than the tensor, by where they are called.
    unsafe {
        let (start, nbytes, ndim) = (planes.as_mut_ptr(), planes.len(), dims.len());
        let (precision, signed, out) = (of.precision(), of.is_signed(), &raw mut made);
        works(qtensor_create_with(dims.as_ptr(), ndim, precision, signed, out, none));
        works(qtensor_set_scale(made, of.scale(), none));
        works(qtensor_set_bias(made, of.bias(), none));
        let nobody = ptr::null_mut();
        works(if writable {
            qtensor_borrow_mut(made, start, nbytes, None, nobody, none)
        } else {
            qtensor_borrow(made, start, nbytes, None, nobody, none)
        });
    }
    Tensor(made)
}

/// The pages of a buffer, and whether it ends at the guard behind them or begins at that before.
struct Buffer {
    pages: Guarded,
    bytes: usize,
    ends: bool,
}

impl Buffer {
    fn new(bytes: usize, ends: bool) -> Buffer {
        Buffer { pages: Guarded::new(bytes), bytes, ends }
    }

    fn holding<T: Copy>(values: &[T], ends: bool) -> Buffer {
        let mut buffer = Buffer::new(size_of_val(values), ends);
        let to = buffer.memory().as_mut_ptr();
        // SAFETY: as many bytes, elsewhere; integers and floats are bytes.
        unsafe { ptr::copy_nonoverlapping(values.as_ptr().cast(), to, size_of_val(values)) };
        buffer
    }

    fn memory(&mut self) -> &mut [u8] {
        let bytes = self.bytes;
        if self.ends { self.pages.back(bytes) } else { self.pages.front(bytes) }
    }

    /// Where numbers begin: pages end and begin at multiples of their size.
    fn numbers<T>(&mut self) -> *mut T {
        let start = self.memory().as_mut_ptr().cast::<T>();
        assert!(start.is_aligned());
        start
    }

    fn holds<T: Copy + PartialEq>(&mut self, expected: &[T]) -> bool {
        assert_eq!(self.bytes, size_of_val(expected));
        let start = self.numbers::<T>();
        // SAFETY: so many numbers, of which any bytes are some.
        unsafe { std::slice::from_raw_parts(start, expected.len()) == expected }
    }
}

fn check(random: &mut Random, case: &Case, method: Option<ProductMethod>, ends: bool) {
    let asked = ProductOptions { method, threads: 2, ..ProductOptions::default() };
    let packed = case.packed();
    let count = case.count();
    let added: Vec<f32> = (0..case.outputs).map(|_| random.number() as f32).collect();
    let floats: Vec<f32> = (0..case.rows * case.columns).map(|_| random.number() as f32).collect();
    let (mut sums, mut values, mut of_floats) = (vec![0i64; count], vec![0f32; count], Vec::new());
    of_floats.resize(count, 0f32);
    packed.product_sums(&case.x, &mut sums, &asked).unwrap();
    packed.product(&case.x, &added, &mut values, &asked).unwrap();
    let (precision, is_signed) = (case.x.precision(), case.x.is_signed());
    let format = InputFormat { precision, is_signed, parameters: None };
    packed.product_floats(&floats, &format, &added, &mut of_floats, &asked).unwrap();
    let dims = [case.rows as i64, case.outputs as i64];
    let mut codes = QTensor::with_shape(&dims, 9, true).unwrap();
    codes.set_scale(3.0);
    packed.product_codes(&case.x, &added, &mut codes, &asked).unwrap();

    let mut x_planes = Buffer::holding(case.x.data().unwrap(), ends);
    let mut w_planes = Buffer::holding(case.w.data().unwrap(), ends);
    let (mut added, mut floats) = (Buffer::holding(&added, ends), Buffer::holding(&floats, ends));
    let (mut to_sums, mut to_values) = (Buffer::new(count * 8, ends), Buffer::new(count * 4, ends));
    let (mut to_floats, mut to_codes) =
        (Buffer::new(count * 4, ends), Buffer::new(codes.nbytes(), ends));
    let x = borrowing(&case.x, x_planes.memory(), false);
    let w = borrowing(&case.w, w_planes.memory(), false);
    let out = borrowing(&codes, to_codes.memory(), true);
    let mut packed = Packed(ptr::null_mut());
    let options = qtensor_product_options_t {
        method: method.map_or(QTENSOR_METHOD_BEST, constant),
        threads: 2,
        ..qtensor_product_options_t::default()
    };
    let format = qtensor_input_format_t {
        precision,
        is_signed: is_signed.into(),
        ..qtensor_input_format_t::default()
    };
    let (n, outputs) = (count, case.outputs);
    // SAFETY: live handles, and buffers of the sizes given.
    unsafe {
        let (none, asked, format) = (ptr::null_mut(), &raw const options, &raw const format);
        works(qtensor_packed_create(w.0, &raw mut packed.0, none));
        let (x, weights, added) = (x.0, packed.0, added.numbers::<f32>());
        works(qtensor_product_sums(x, weights, to_sums.numbers(), n, asked, none));
        let to = to_values.numbers();
        works(qtensor_product(x, weights, added, outputs, to, n, asked, none));
        works(qtensor_product_codes(x, weights, added, outputs, out.0, asked, none));
        let (from, size, to) = (floats.numbers(), case.rows * case.columns, to_floats.numbers());
        works(qtensor_product_floats(
            from, size, format, weights, added, outputs, to, n, asked, none,
        ));
    }
    drop(out);
    assert!(to_sums.holds(&sums), "sums by {method:?}: {case:?}");
    assert!(to_values.holds(&values), "values by {method:?}: {case:?}");
    assert!(to_floats.holds(&of_floats), "floats by {method:?}: {case:?}");
    assert!(to_codes.holds(codes.data().unwrap()), "codes by {method:?}: {case:?}");
}

fn constant(method: ProductMethod) -> i32 {
    match method {
        ProductMethod::Popcount => QTENSOR_METHOD_POPCOUNT,
        ProductMethod::Ternary => QTENSOR_METHOD_TERNARY,
        ProductMethod::Bytes => QTENSOR_METHOD_BYTES,
        ProductMethod::Planes => QTENSOR_METHOD_PLANES,
    }
}

#[test]
fn nothing_beside_planes_and_buffers() {
    let mut random = Random(12);
    for (shape, ends) in SHAPES.into_iter().flat_map(|shape| [(shape, false), (shape, true)]) {
        let other = random.kind();
        for kinds in [[(1, true); 2], [(8, true); 2], [(8, false), (7, true)], [(1, false), other]]
        {
            let mut case = Case::of(&mut random, shape, kinds, [Codes::Any; 2]);
            // One scale, for the weights' copy.
            case.w.clear_channels();
            for method in METHODS.into_iter().filter(|method| case.takes(*method)) {
                check(&mut random, &case, Some(method), ends);
            }
            check(&mut random, &case, None, ends);
        }
    }
}
