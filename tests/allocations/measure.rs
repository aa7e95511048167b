//! Measurements, while memory runs out.

use crate::attempt::Case;
use crate::objects::{Owned, no_tensor};
use caffe2_qtensor::capi::energy::*;
use caffe2_qtensor::capi::error::qtensor_error_t;
use caffe2_qtensor::capi::loss::*;
use caffe2_qtensor::capi::loss_metrics::*;
use caffe2_qtensor::capi::measure::*;
use caffe2_qtensor::capi::status::qtensor_status::*;
use caffe2_qtensor::capi::tensor::{qtensor_create_with, qtensor_t};
use std::cell::Cell;
use std::ffi::CString;
use std::path::PathBuf;
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};

type Error = *mut *mut qtensor_error_t;

const REFERENCE: [f32; 6] = [-1.0, 0.0, 0.5, 2.0, 1.25, -0.75];
const DIMS: [i64; 2] = [2, 3];

fn tensor() -> Owned<qtensor_t> {
    let mut tensor = no_tensor();
    // SAFETY: valid pointers.
    let made =
        unsafe { qtensor_create_with(DIMS.as_ptr(), 2, 4, true, tensor.out(), ptr::null_mut()) };
    assert_eq!(made, QTENSOR_OK);
    tensor
}

fn everything() -> qtensor_loss_options_t {
    qtensor_loss_options_t {
        struct_size: size_of::<qtensor_loss_options_t>(),
        code_histogram: 1,
        error_histogram: 1,
        value_histogram: 1,
        threads: 1,
    }
}

fn no_loss() -> Owned<qtensor_loss_t> {
    Owned::empty(qtensor_loss_free)
}

fn loss(factor: f32) -> Owned<qtensor_loss_t> {
    let (options, mut loss) = (everything(), no_loss());
    let (tensor, reference) = (tensor(), REFERENCE.map(|value| factor * value));
    // SAFETY: valid pointers.
    let made = unsafe {
        let (reference, options) = (reference.as_ptr(), &raw const options);
        let none = ptr::null_mut();
        qtensor_loss_measure(tensor.handle, reference, 6, options, loss.out(), none)
    };
    assert_eq!(made, QTENSOR_OK);
    loss
}

fn metrics(loss: &Owned<qtensor_loss_t>) -> (u64, f64, f64) {
    let struct_size = size_of::<qtensor_loss_metrics_t>();
    let mut found = qtensor_loss_metrics_t { struct_size, ..Default::default() };
    // SAFETY: a live handle and a place for the numbers.
    let got = unsafe { qtensor_loss_get(loss.handle, 0, &raw mut found, ptr::null_mut()) };
    assert_eq!(got, QTENSOR_OK);
    (found.count, found.sum_absolute, found.p99)
}

/// A powercap tree of one package, removed when it is dropped.
struct Tree(PathBuf);

impl Tree {
    fn new() -> Tree {
        // Tests run side by side.
        static SERIAL: AtomicU32 = AtomicU32::new(0);
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        let name = format!("qtensor-meter-{}-{serial}", std::process::id());
        let root = std::env::temp_dir().join(name);
        let tree = Tree(root);
        std::fs::create_dir_all(tree.0.join("intel-rapl:0")).unwrap();
        tree.write("name", "package-0\n");
        tree.write("max_energy_range_uj", "1000000\n");
        tree.write("energy_uj", "10\n");
        tree
    }

    fn write(&self, file: &str, text: &str) {
        std::fs::write(self.0.join("intel-rapl:0").join(file), text).unwrap();
    }

    fn root(&self) -> CString {
        CString::new(self.0.to_str().unwrap()).unwrap()
    }

    fn meter(&self) -> Owned<qtensor_energy_meter_t> {
        let (root, mut meter) = (self.root(), no_meter());
        // SAFETY: valid pointers.
        let made = unsafe {
            let none = ptr::null_mut();
            qtensor_energy_meter_open_powercap(root.as_ptr(), meter.out(), none)
        };
        assert_eq!(made, QTENSOR_OK);
        meter
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

fn no_meter() -> Owned<qtensor_energy_meter_t> {
    Owned::empty(qtensor_energy_meter_free)
}

pub(crate) const CASES: &[Case] = &[
    ("qtensor_loss_measure", |attempt| {
        let (options, tensor, mut loss) = (everything(), tensor(), no_loss());
        let out = loss.out();
        // SAFETY: a live handle and valid pointers.
        let run = |error: Error| unsafe {
            let (reference, options) = (REFERENCE.as_ptr(), &raw const options);
            qtensor_loss_measure(tensor.handle, reference, 6, options, out, error)
        };
        // SAFETY: nothing else uses the handle.
        attempt.call(run, || assert!(unsafe { out.read() }.is_null()));
    }),
    ("qtensor_loss_measure_per_channel", |attempt| {
        let (options, tensor, mut loss) = (everything(), tensor(), no_loss());
        let out = loss.out();
        // SAFETY: a live handle and valid pointers.
        let run = |error: Error| unsafe {
            let (reference, options) = (REFERENCE.as_ptr(), &raw const options);
            qtensor_loss_measure_per_channel(tensor.handle, reference, 6, 1, options, out, error)
        };
        // SAFETY: nothing else uses the handle.
        attempt.call(run, || assert!(unsafe { out.read() }.is_null()));
    }),
    ("qtensor_loss_compare", |attempt| {
        let options = qtensor_loss_options_t { code_histogram: 0, ..everything() };
        let mut loss = no_loss();
        let out = loss.out();
        // SAFETY: valid pointers.
        let run = |error: Error| unsafe {
            let (numbers, options) = (REFERENCE.as_ptr(), &raw const options);
            qtensor_loss_compare(numbers, numbers, 6, options, out, error)
        };
        // SAFETY: nothing else uses the handle.
        attempt.call(run, || assert!(unsafe { out.read() }.is_null()));
    }),
    ("qtensor_loss_free", |attempt| {
        let mut loss = loss(1.0);
        let handle = std::mem::replace(&mut loss.handle, ptr::null_mut());
        // SAFETY: the only pointer to a live object.
        attempt.quiet(|| unsafe { qtensor_loss_free(handle) });
    }),
    ("qtensor_loss_channels", |attempt| {
        let loss = loss(1.0);
        // SAFETY: a live handle.
        assert_eq!(attempt.quiet(|| unsafe { qtensor_loss_channels(loss.handle) }), 1);
    }),
    ("qtensor_loss_merge", |attempt| {
        // Of other magnitudes, so that there are more bins afterwards.
        let (loss, other) = (loss(1.0), loss(1e6));
        let before = metrics(&loss);
        // SAFETY: two live handles.
        let run = |error: Error| unsafe { qtensor_loss_merge(loss.handle, other.handle, error) };
        attempt.call(run, || assert_eq!(metrics(&loss), before));
    }),
    ("qtensor_loss_get", |attempt| {
        let loss = loss(1.0);
        let struct_size = size_of::<qtensor_loss_metrics_t>();
        let metrics = qtensor_loss_metrics_t { struct_size, count: 77, ..Default::default() };
        let metrics = Cell::new(metrics);
        // SAFETY: a live handle and a place for the numbers.
        let run =
            |error: Error| unsafe { qtensor_loss_get(loss.handle, 0, metrics.as_ptr(), error) };
        attempt.call(run, || assert_eq!(metrics.get().count, 77));
    }),
    ("qtensor_loss_quantile", |attempt| {
        let (loss, magnitude) = (loss(1.0), Cell::new(-7.0));
        for (p, status) in [(0.5, QTENSOR_OK), (2.0, QTENSOR_INVALID_ARGUMENT)] {
            magnitude.set(-7.0);
            // SAFETY: a live handle and a place for the number.
            let run = |error: Error| unsafe {
                qtensor_loss_quantile(loss.handle, 0, p, magnitude.as_ptr(), error)
            };
            attempt.expect(status, run, || assert_eq!(magnitude.get(), -7.0));
        }
    }),
    ("qtensor_loss_error_bins", |attempt| {
        let loss = loss(1.0);
        // SAFETY: a live handle.
        assert_eq!(attempt.quiet(|| unsafe { qtensor_loss_error_bins(loss.handle, 0) }), 6);
    }),
    ("qtensor_loss_error_histogram", |attempt| {
        let (loss, written) = (loss(1.0), Cell::new(77));
        let mut bins = [qtensor_loss_bin_t::default(); 6];
        let bins = bins.as_mut_ptr();
        // SAFETY: a live handle and room for the bins.
        let run = |error: Error| unsafe {
            qtensor_loss_error_histogram(loss.handle, 0, bins, 6, written.as_ptr(), error)
        };
        attempt.call(run, || assert_eq!(written.get(), 77));
    }),
    ("qtensor_loss_code_bins", |attempt| {
        let loss = loss(1.0);
        // SAFETY: a live handle.
        assert_eq!(attempt.quiet(|| unsafe { qtensor_loss_code_bins(loss.handle, 0) }), 31);
    }),
    ("qtensor_loss_code_histogram", |attempt| {
        let (loss, written) = (loss(1.0), Cell::new(77));
        let mut counts = [0; 31];
        let counts = counts.as_mut_ptr();
        // SAFETY: a live handle and room for the counts.
        let run = |error: Error| unsafe {
            qtensor_loss_code_histogram(loss.handle, 0, counts, 31, written.as_ptr(), error)
        };
        attempt.call(run, || assert_eq!(written.get(), 77));
    }),
    ("qtensor_sizes", |attempt| {
        let struct_size = size_of::<qtensor_sizes_t>();
        let sizes = qtensor_sizes_t { struct_size, planes: 77, ..Default::default() };
        let (tensor, sizes) = (tensor(), Cell::new(sizes));
        // SAFETY: a live handle and valid pointers.
        let run = |error: Error| unsafe {
            qtensor_sizes(tensor.handle, c"w".as_ptr(), sizes.as_ptr(), error)
        };
        attempt.call(run, || assert_eq!(sizes.get().planes, 77));
    }),
    ("qtensor_code_statistics", |attempt| {
        let struct_size = size_of::<qtensor_code_statistics_t>();
        let codes = qtensor_code_statistics_t { struct_size, count: 77, ..Default::default() };
        let (tensor, codes) = (tensor(), Cell::new(codes));
        // SAFETY: a live handle and a place for the numbers.
        let run =
            |error: Error| unsafe { qtensor_code_statistics(tensor.handle, codes.as_ptr(), error) };
        attempt.call(run, || assert_eq!(codes.get().count, 77));
    }),
    ("qtensor_plane_ones", |attempt| {
        let (tensor, ones) = (tensor(), Cell::new([77_u64; 5]));
        // SAFETY: a live handle and room for the numbers.
        let run = |error: Error| unsafe {
            qtensor_plane_ones(tensor.handle, ones.as_ptr().cast(), 5, error)
        };
        attempt.call(run, || assert_eq!(ones.get(), [77; 5]));
    }),
    ("qtensor_code_histogram", |attempt| {
        let (tensor, counts) = (tensor(), Cell::new([77_u64; 31]));
        // SAFETY: a live handle and room for the counts.
        let run = |error: Error| unsafe {
            qtensor_code_histogram(tensor.handle, counts.as_ptr().cast(), 31, error)
        };
        attempt.call(run, || assert_eq!(counts.get(), [77; 31]));
    }),
    ("qtensor_clock_now", |attempt| {
        assert!(attempt.quiet(|| qtensor_clock_now()) > 0);
    }),
    ("qtensor_timing_summarize", |attempt| {
        let struct_size = size_of::<qtensor_timing_t>();
        let timing = qtensor_timing_t { struct_size, runs: 77, ..Default::default() };
        let (seconds, timing) = ([3.0, 1.0, 2.0], Cell::new(timing));
        // SAFETY: valid pointers.
        let run = |error: Error| unsafe {
            qtensor_timing_summarize(seconds.as_ptr(), 3, timing.as_ptr(), error)
        };
        attempt.call(run, || assert_eq!(timing.get().runs, 77));
    }),
    ("qtensor_energy_table_default", |attempt| {
        let table = Cell::new(qtensor_energy_table_t { int8_adds: -7.0, ..Default::default() });
        // SAFETY: a place for the table.
        let run = |error: Error| unsafe { qtensor_energy_table_default(table.as_ptr(), error) };
        attempt.call(run, || assert_eq!(table.get().int8_adds, -7.0));
    }),
    ("qtensor_energy_model", |attempt| {
        let struct_size = size_of::<qtensor_energy_work_t>();
        let work = qtensor_energy_work_t { struct_size, int8_adds: 3, ..Default::default() };
        for (each, status) in [(1.0, QTENSOR_OK), (f64::NAN, QTENSOR_INVALID_ARGUMENT)] {
            let table = qtensor_energy_table_t { int8_adds: each, ..Default::default() };
            let struct_size = size_of::<qtensor_energy_modeled_t>();
            let energy =
                qtensor_energy_modeled_t { struct_size, joules: -7.0, ..Default::default() };
            let energy = Cell::new(energy);
            // SAFETY: valid pointers.
            let run = |error: Error| unsafe {
                let (work, table) = (&raw const work, &raw const table);
                qtensor_energy_model(work, table, energy.as_ptr(), error)
            };
            attempt.expect(status, run, || assert_eq!(energy.get().joules, -7.0));
        }
    }),
    ("qtensor_energy_meter_open", |attempt| {
        let mut probe = no_meter();
        // SAFETY: a place for the handle.
        let here = unsafe { qtensor_energy_meter_open(probe.out(), ptr::null_mut()) };
        let mut meter = no_meter();
        let out = meter.out();
        // SAFETY: a place for the handle.
        let run = |error: Error| unsafe { qtensor_energy_meter_open(out, error) };
        // SAFETY: nothing else uses the handle.
        attempt.expect(here, run, || assert!(unsafe { out.read() }.is_null()));
    }),
    ("qtensor_energy_meter_open_powercap", |attempt| {
        let tree = Tree::new();
        let (root, mut meter) = (tree.root(), no_meter());
        let out = meter.out();
        // SAFETY: a path and a place for the handle.
        let run =
            |error: Error| unsafe { qtensor_energy_meter_open_powercap(root.as_ptr(), out, error) };
        // SAFETY: nothing else uses the handle.
        attempt.call(run, || assert!(unsafe { out.read() }.is_null()));
    }),
    ("qtensor_energy_meter_free", |attempt| {
        let tree = Tree::new();
        let mut meter = tree.meter();
        let handle = std::mem::replace(&mut meter.handle, ptr::null_mut());
        // SAFETY: the only pointer to a live object.
        attempt.quiet(|| unsafe { qtensor_energy_meter_free(handle) });
    }),
    ("qtensor_energy_meter_packages", |attempt| {
        let tree = Tree::new();
        let meter = tree.meter();
        // SAFETY: a live handle.
        assert_eq!(attempt.quiet(|| unsafe { qtensor_energy_meter_packages(meter.handle) }), 1);
    }),
    ("qtensor_energy_meter_source", |attempt| {
        let tree = Tree::new();
        let meter = tree.meter();
        // SAFETY: a live handle.
        let source = attempt.quiet(|| unsafe { qtensor_energy_meter_source(meter.handle) });
        assert_eq!(source, QTENSOR_ENERGY_POWERCAP);
    }),
    ("qtensor_energy_meter_start", |attempt| {
        let tree = Tree::new();
        let meter = tree.meter();
        // SAFETY: a live handle.
        let run = |error: Error| unsafe { qtensor_energy_meter_start(meter.handle, error) };
        attempt.call(run, || ());
    }),
    ("qtensor_energy_meter_read", |attempt| {
        let tree = Tree::new();
        let meter = tree.meter();
        tree.write("energy_uj", "20\n");
        let struct_size = size_of::<qtensor_energy_reading_t>();
        let reading = qtensor_energy_reading_t { struct_size, joules: -7.0, ..Default::default() };
        let reading = Cell::new(reading);
        // SAFETY: a live handle and a place for the numbers.
        let run = |error: Error| unsafe {
            qtensor_energy_meter_read(meter.handle, reading.as_ptr(), error)
        };
        attempt.call(run, || assert_eq!(reading.get().joules, -7.0));
    }),
];
