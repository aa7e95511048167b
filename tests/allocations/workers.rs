//! Every call that works on several threads, while memory runs out on all of them, or one panics.

use crate::objects::{Owned, no_tensor, snapshot};
use crate::together::{self, Fault};
use caffe2_qtensor::capi::channels::qtensor_set_channels;
use caffe2_qtensor::capi::dequantize::*;
use caffe2_qtensor::capi::error::{qtensor_error_free, qtensor_error_t};
use caffe2_qtensor::capi::fixed::*;
use caffe2_qtensor::capi::loss::*;
use caffe2_qtensor::capi::product::*;
use caffe2_qtensor::capi::quantize::*;
use caffe2_qtensor::capi::status::qtensor_status::{self, *};
use caffe2_qtensor::capi::tensor::*;
use std::cell::Cell;
use std::ptr;
use std::sync::atomic::AtomicU64;

type Error = *mut *mut qtensor_error_t;

/// Twice what is worth a thread, in short rows.
const DIMS: [i64; 2] = [1 << 14, 8];
const SIZE: usize = 1 << 17;

/// Panics on threads other than the caller's.
pub(crate) static PANICS: AtomicU64 = AtomicU64::new(0);

fn tensor(dims: [i64; 2], precision: u8, signed: bool, channels: Option<i32>) -> Owned<qtensor_t> {
    let (mut tensor, mut data) = (no_tensor(), ptr::null_mut());
    // SAFETY: valid pointers, then a live handle with as many bytes as it says.
    unsafe {
        let (none, out) = (ptr::null_mut(), tensor.out());
        let made = qtensor_create_with(dims.as_ptr(), 2, precision, signed, out, none);
        assert_eq!(made, QTENSOR_OK);
        assert_eq!(qtensor_mutable_data(tensor.handle, &raw mut data, none), QTENSOR_OK);
        data.write_bytes(0x5a, qtensor_nbytes(tensor.handle));
        if let Some(axis) = channels {
            let count = usize::try_from(dims[axis as usize]).unwrap();
            let steps = vec![0.5; count];
            let (scales, biases) = (steps.as_ptr(), steps.as_ptr());
            let set = qtensor_set_channels(tensor.handle, axis, scales, biases, count, none);
            assert_eq!(set, QTENSOR_OK);
        }
    }
    tensor
}

fn large() -> Owned<qtensor_t> {
    tensor(DIMS, 4, true, None)
}

fn everything() -> qtensor_loss_options_t {
    qtensor_loss_options_t {
        struct_size: size_of::<qtensor_loss_options_t>(),
        code_histogram: 1,
        error_histogram: 1,
        value_histogram: 1,
        threads: 2,
    }
}

/// A run of a function, with or without a fault.
pub(crate) struct Run {
    name: &'static str,
    fault: Option<Fault>,
    happened: u64,
}

impl Run {
    /// Makes the call under the fault and once more, where it must work. Where there was no memory,
    /// `unchanged` must hold.
    fn call(&mut self, call: impl Fn(Error) -> qtensor_status, unchanged: impl Fn()) {
        let Run { name, fault, .. } = *self;
        let mut error = ptr::null_mut();
        let out = &raw mut error;
        if let Some(fault) = fault {
            let (status, happened) = together::run(fault, || call(out));
            self.happened += happened;
            let expected = match fault {
                _ if happened == 0 => status == QTENSOR_OK,
                // Some work goes on without memory.
                Fault::Memory(..) => matches!(status, QTENSOR_OK | QTENSOR_OUT_OF_MEMORY),
                Fault::Panic(_) => status == QTENSOR_PANIC,
            };
            assert!(expected, "{name} {fault:?}: {status:?}");
            assert_eq!(error.is_null(), status == QTENSOR_OK, "{name} {fault:?}");
            if status == QTENSOR_OUT_OF_MEMORY {
                unchanged();
            }
            // SAFETY: the library gave out the object, or there is none.
            unsafe { qtensor_error_free(error) };
        }
        // SAFETY: the object is freed, and this is its place.
        unsafe { out.write(ptr::null_mut()) };
        assert_eq!(call(out), QTENSOR_OK, "{name} after {fault:?}");
    }
}

/// A function of the C interface that works on threads, and a call of it.
type Case = (&'static str, fn(&mut Run));

type Measure = fn(
    *const qtensor_t,
    *const f32,
    *const qtensor_loss_options_t,
    *mut *mut qtensor_loss_t,
    Error,
) -> qtensor_status;

fn measure(run: &mut Run, options: qtensor_loss_options_t, call: Measure) {
    let reference = vec![0.75_f32; SIZE];
    for channels in [None, Some(1)] {
        let tensor = tensor(DIMS, 4, true, channels);
        let given = Cell::new(false);
        let call = |error| {
            let mut loss = Owned::empty(qtensor_loss_free);
            let (reference, options) = (reference.as_ptr(), &raw const options);
            let status = call(tensor.handle, reference, options, loss.out(), error);
            given.set(!loss.handle.is_null());
            status
        };
        run.call(call, || assert!(!given.get()));
    }
}

fn quantize<T: Copy>(
    run: &mut Run,
    one: T,
    call: unsafe extern "C" fn(
        *mut qtensor_t,
        *const T,
        usize,
        *const qtensor_quantize_options_t,
        *mut qtensor_quantize_counts_t,
        Error,
    ) -> qtensor_status,
) {
    let values = [one].repeat(SIZE);
    let size = size_of::<qtensor_quantize_options_t>();
    let options =
        qtensor_quantize_options_t { struct_size: size, threads: 2, ..Default::default() };
    for (precision, channels) in [(4, None), (4, Some(1)), (12, None)] {
        let tensor = tensor(DIMS, precision, true, channels);
        let (values, options) = (values.as_ptr(), &raw const options);
        let before = snapshot(tensor.handle);
        let call = |error| {
            // SAFETY: a live handle, as many values as it has elements, and valid pointers.
            unsafe { call(tensor.handle, values, SIZE, options, ptr::null_mut(), error) }
        };
        run.call(call, || assert_eq!(snapshot(tensor.handle), before));
    }
}

/// Values that a call may write to.
fn untouched<T: Copy>(before: T, count: usize) -> Vec<Cell<T>> {
    vec![Cell::new(before); count]
}

/// Where it writes them.
fn written<T>(values: &[Cell<T>]) -> *mut T {
    values.as_ptr().cast_mut().cast()
}

fn dequantize<T: Copy + PartialEq>(
    run: &mut Run,
    before: T,
    call: unsafe extern "C" fn(*const qtensor_t, *mut T, usize, u32, Error) -> qtensor_status,
) {
    for (precision, channels) in [(4, None), (4, Some(1)), (12, None)] {
        let tensor = tensor(DIMS, precision, true, channels);
        let values = untouched(before, SIZE);
        let to = written(&values);
        // SAFETY: a live handle and room for the values.
        let call = |error| unsafe { call(tensor.handle, to, SIZE, 2, error) };
        run.call(call, || assert!(values.iter().all(|value| value.get() == before)));
    }
}

type Fixed =
    fn(*const qtensor_t, *mut qtensor_t, *const qtensor_fixed_options_t, Error) -> qtensor_status;

fn fixed(run: &mut Run, call: Fixed) {
    let (x, out) = (tensor(DIMS, 8, true, None), large());
    let size = size_of::<qtensor_fixed_options_t>();
    let options = qtensor_fixed_options_t { struct_size: size, threads: 2, ..Default::default() };
    let before = snapshot(out.handle);
    let call = |error| call(x.handle, out.handle, &raw const options, error);
    run.call(call, || assert_eq!(snapshot(out.handle), before));
}

/// Rows, outputs and columns of a product that is worth two threads.
const PRODUCT: [i64; 3] = [64, 64, 512];
const SUMS: usize = 64 * 64;

struct Operands {
    x: Owned<qtensor_t>,
    packed: Owned<qtensor_packed_t>,
    floats: Vec<f32>,
    out: Owned<qtensor_t>,
    values: Vec<Cell<f32>>,
    sums: Vec<Cell<i64>>,
    short_sums: Vec<Cell<i32>>,
}

type Product = fn(&Operands, *const qtensor_product_options_t, Error) -> qtensor_status;

fn product(run: &mut Run, call: Product) {
    let [rows, outputs, columns] = PRODUCT;
    let weights = tensor([outputs, columns], 8, true, None);
    let mut operands = Operands {
        x: tensor([rows, columns], 8, false, None),
        packed: Owned::empty(qtensor_packed_free),
        floats: vec![0.5; usize::try_from(rows * columns).unwrap()],
        out: tensor([rows, outputs], 12, true, None),
        values: Vec::new(),
        sums: Vec::new(),
        short_sums: Vec::new(),
    };
    let out = operands.packed.out();
    // SAFETY: a live handle and a place for the other.
    let made = unsafe { qtensor_packed_create(weights.handle, out, ptr::null_mut()) };
    assert_eq!(made, QTENSOR_OK);
    for method in [QTENSOR_METHOD_BYTES, QTENSOR_METHOD_PLANES, QTENSOR_METHOD_POPCOUNT] {
        let options = qtensor_product_options_t { method, threads: 2, ..Default::default() };
        operands.values = untouched(7.0, SUMS);
        operands.sums = untouched(7, SUMS);
        operands.short_sums = untouched(7, SUMS);
        let before = snapshot(operands.out.handle);
        let call = |error| call(&operands, &raw const options, error);
        run.call(call, || {
            assert!(operands.values.iter().all(|value| value.get() == 7.0));
            assert!(operands.sums.iter().all(|sum| sum.get() == 7));
            assert!(operands.short_sums.iter().all(|sum| sum.get() == 7));
            assert_eq!(snapshot(operands.out.handle), before);
        });
    }
}

pub(crate) const CASES: &[Case] = &[
    ("qtensor_loss_measure", |run| {
        measure(run, everything(), |tensor, reference, options, out, error| {
            // SAFETY: a live handle and valid pointers.
            unsafe { qtensor_loss_measure(tensor, reference, SIZE, options, out, error) }
        });
    }),
    ("qtensor_loss_measure_per_channel", |run| {
        measure(run, everything(), |tensor, reference, options, out, error| {
            let n = SIZE;
            // SAFETY: a live handle and valid pointers.
            unsafe {
                qtensor_loss_measure_per_channel(tensor, reference, n, 1, options, out, error)
            }
        });
    }),
    ("qtensor_loss_compare", |run| {
        let options = qtensor_loss_options_t { code_histogram: 0, ..everything() };
        measure(run, options, |_, reference, options, out, error| {
            // SAFETY: valid pointers.
            unsafe { qtensor_loss_compare(reference, reference, SIZE, options, out, error) }
        });
    }),
    ("qtensor_quantize", |run| quantize(run, 1.0, qtensor_quantize)),
    ("qtensor_quantize_f64", |run| quantize(run, 1.0, qtensor_quantize_f64)),
    ("qtensor_quantize_f16", |run| quantize(run, 0x3c00, qtensor_quantize_f16)),
    ("qtensor_quantize_bf16", |run| quantize(run, 0x3f80, qtensor_quantize_bf16)),
    ("qtensor_dequantize", |run| dequantize(run, 99.0, qtensor_dequantize)),
    ("qtensor_dequantize_f64", |run| dequantize(run, 99.0, qtensor_dequantize_f64)),
    ("qtensor_dequantize_f16", |run| dequantize(run, 99, qtensor_dequantize_f16)),
    ("qtensor_dequantize_bf16", |run| dequantize(run, 99, qtensor_dequantize_bf16)),
    ("qtensor_requantize", |run| {
        // SAFETY: live handles and valid pointers.
        fixed(run, |x, out, options, error| unsafe { qtensor_requantize(x, out, options, error) });
    }),
    ("qtensor_relu", |run| {
        // SAFETY: live handles and valid pointers.
        fixed(run, |x, out, options, error| unsafe { qtensor_relu(x, out, options, error) });
    }),
    ("qtensor_clamp", |run| {
        fixed(run, |x, out, options, error| {
            // SAFETY: live handles and valid pointers.
            unsafe { qtensor_clamp(x, -1.0, 1.0, out, options, error) }
        });
    }),
    ("qtensor_add", |run| {
        // SAFETY: live handles and valid pointers.
        fixed(run, |x, out, options, error| unsafe { qtensor_add(x, x, out, options, error) });
    }),
    ("qtensor_multiply", |run| {
        // SAFETY: live handles and valid pointers.
        fixed(run, |x, out, options, error| unsafe { qtensor_multiply(x, x, out, options, error) });
    }),
    ("qtensor_product", |run| {
        product(run, |operands, options, error| {
            let Operands { x, packed, values, .. } = operands;
            let (x, packed, none) = (x.handle, packed.handle, ptr::null());
            // SAFETY: live handles and room for the values.
            unsafe { qtensor_product(x, packed, none, 0, written(values), SUMS, options, error) }
        });
    }),
    ("qtensor_product_sums", |run| {
        product(run, |operands, options, error| {
            let Operands { x, packed, sums, .. } = operands;
            // SAFETY: live handles and room for the sums.
            unsafe {
                qtensor_product_sums(x.handle, packed.handle, written(sums), SUMS, options, error)
            }
        });
    }),
    ("qtensor_product_sums_i32", |run| {
        product(run, |operands, options, error| {
            let Operands { x, packed, short_sums: sums, .. } = operands;
            let (x, packed) = (x.handle, packed.handle);
            // SAFETY: live handles and room for the sums.
            unsafe { qtensor_product_sums_i32(x, packed, written(sums), SUMS, options, error) }
        });
    }),
    ("qtensor_product_codes", |run| {
        product(run, |operands, options, error| {
            let Operands { x, packed, out, .. } = operands;
            let (x, packed, none) = (x.handle, packed.handle, ptr::null());
            // SAFETY: live handles.
            unsafe { qtensor_product_codes(x, packed, none, 0, out.handle, options, error) }
        });
    }),
    ("qtensor_product_floats", |run| {
        product(run, |operands, options, error| {
            let Operands { packed, floats, values, .. } = operands;
            let format =
                qtensor_input_format_t { precision: 8, ..qtensor_input_format_t::default() };
            let (packed, format, none) = (packed.handle, &raw const format, ptr::null());
            let (floats, count) = (floats.as_ptr(), floats.len());
            // SAFETY: live handles and as many floats as are said.
            unsafe {
                qtensor_product_floats(
                    floats,
                    count,
                    format,
                    packed,
                    none,
                    0,
                    written(values),
                    SUMS,
                    options,
                    error,
                )
            }
        });
    }),
];

/// Runs a case with faults until none happens any more; how many did.
fn until_none((name, case): Case, faults: impl Iterator<Item = Fault>) -> u64 {
    let mut total = 0;
    for fault in faults {
        let before = together::live();
        let mut run = Run { name, fault: Some(fault), happened: 0 };
        case(&mut run);
        assert_eq!(together::live(), before, "{name} leaks, {fault:?}");
        if run.happened == 0 {
            return total;
        }
        total += run.happened;
    }
    unreachable!("there are always more faults")
}

/// Each allocation, alone and with all behind it. How many were refused.
pub(crate) fn sweep_memory(case: Case) -> u64 {
    let faults = |lasting| (0..1000).map(move |number| Fault::Memory(number, lasting));
    until_none(case, faults(false)) + until_none(case, faults(true))
}

/// Some of the stations, of which each block has several: fewer the further. How many panicked.
pub(crate) fn sweep_panics(case: Case) -> u64 {
    let numbers = std::iter::successors(Some(0_u64), |number| Some(number + number / 3 + 1));
    until_none(case, numbers.map(Fault::Panic))
}
