//! Energy: by a model, by a powercap tree that the program changes, and by the system's counters.

use super::Machine;
use super::database::temporary;
use super::input::Input;
use super::loss_model::check_close;
use super::status::{Refusals, Status, given, untouched, *};
use super::versions::Versioned;
use caffe2_qtensor::capi::energy::*;
use std::ffi::CString;
use std::path::PathBuf;
use std::sync::OnceLock;

/// A tree of two packages, and a meter of it.
#[derive(Default)]
pub(super) struct Energy {
    /// What the counters hold, where the tree is there.
    tree: Option<[Contents; 2]>,
    meter: Option<Meter>,
}

struct Meter {
    handle: *mut qtensor_energy_meter_t,
    last: [u64; 2],
    passed: u64,
}

type Contents = &'static str;

/// The largest number that the counters reach.
const RANGE: u64 = 1_000_000;
/// What counters hold: numbers, and what is none or too large.
const CONTENTS: [Contents; 12] = [
    "0\n",
    "5",
    "400000\n",
    "999999\n",
    "1000000",
    "123456\n",
    "  77 \n",
    "1000001\n",
    "-1\n",
    "",
    "12 34\n",
    "99999999999999999999\n",
];

fn number(contents: Contents) -> Option<u64> {
    contents.trim().parse().ok().filter(|number| *number <= RANGE)
}

/// The root of the tree of all programs.
fn root() -> &'static PathBuf {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| temporary("powercap"))
}

fn write(package: usize, file: &str, contents: &str) {
    let folder = root().join(format!("intel-rapl:{package}"));
    std::fs::create_dir_all(&folder).expect("the system's folder");
    std::fs::write(folder.join(file), contents).expect("the system's folder");
}

impl Energy {
    pub(super) fn end(&mut self) {
        self.close();
        if self.tree.take().is_some() {
            std::fs::remove_dir_all(root()).expect("it was made");
        }
    }

    fn close(&mut self) {
        let handle = self.meter.take().map_or(std::ptr::null_mut(), |meter| meter.handle);
        // SAFETY: a live handle, given up, or NULL.
        unsafe { qtensor_energy_meter_free(handle) };
    }

    fn handle(&self) -> *mut qtensor_energy_meter_t {
        self.meter.as_ref().map_or(std::ptr::null_mut(), |meter| meter.handle)
    }

    /// Has a meter read its counters, one after the other, up to one that holds no number.
    fn advance(&mut self) -> Result<(), Status> {
        let (Some(meter), Some(tree)) = (&mut self.meter, &self.tree) else { return Ok(()) };
        for (last, contents) in meter.last.iter_mut().zip(tree) {
            let now = number(contents).ok_or(QTENSOR_MALFORMED)?;
            // A lower number than before has begun again.
            meter.passed += if now < *last { RANGE - *last + now } else { now - *last };
            *last = now;
        }
        Ok(())
    }

    fn count(&mut self, package: usize, contents: Contents) {
        if let Some(tree) = &mut self.tree {
            write(package, "energy_uj", contents);
            tree[package] = contents;
        }
    }
}

impl Machine {
    pub(super) fn energy(&mut self, input: &mut Input<'_>) {
        match input.below(16) {
            0..6 => model(input),
            6 => default_table(input),
            7..9 => self.open_meter(input),
            9..11 => {
                let package = input.below(2);
                self.energy.count(package, CONTENTS[input.below(CONTENTS.len())]);
            }
            11..13 => self.read_meter(input),
            13 => self.start_meter(input),
            14 => self.energy.close(),
            _ => system(input),
        }
    }

    fn open_meter(&mut self, input: &mut Input<'_>) {
        let (nulls, with_error) = (input.nulls(), input.flag());
        let missing = input.byte() > 230;
        let energy = &mut self.energy;
        if energy.tree.is_none() {
            energy.tree = Some([CONTENTS[1], CONTENTS[2]]);
            for (package, name) in ["package-0\n", "package-1"].into_iter().enumerate() {
                write(package, "name", name);
                write(package, "max_energy_range_uj", &format!("{RANGE}\n"));
            }
            (0..2).for_each(|package| energy.count(package, CONTENTS[1 + package]));
        }
        let mut path = root().as_os_str().as_encoded_bytes().to_vec();
        path.extend(if missing { &b"/missing"[..] } else { b"" });
        let path = CString::new(path).expect("no NUL");
        let numbers = energy.tree.map(|tree| tree.map(number)).unwrap_or_default();
        let mut out = untouched();
        let (at, to) = (nulls.at(0, path.as_ptr()), nulls.at_mut(1, &raw mut out));
        let refusals = Refusals::new()
            .nulls(&nulls)
            .when(missing, QTENSOR_UNAVAILABLE)
            .when(!missing && numbers.contains(&None), QTENSOR_MALFORMED);
        // SAFETY: a string and an output, or NULL.
        let accepted = refusals
            .call(with_error, |error| unsafe { qtensor_energy_meter_open_powercap(at, to, error) });
        let Some(handle) = given(accepted, out) else { return };
        energy.close();
        // SAFETY: a live handle.
        unsafe {
            assert_eq!(qtensor_energy_meter_packages(handle), 2);
            assert_eq!(qtensor_energy_meter_source(handle), QTENSOR_ENERGY_POWERCAP);
        }
        let last = numbers.map(Option::unwrap_or_default);
        energy.meter = Some(Meter { handle, last, passed: 0 });
    }

    fn read_meter(&mut self, input: &mut Input<'_>) {
        let (nulls, with_error) = (input.nulls(), input.flag());
        let mut out = Versioned::output(input);
        let meter = nulls.at_mut(0, self.energy.handle());
        let to = nulls.at_mut(1, out.pointer());
        let refusals = out.room(Refusals::new()).nulls(&nulls);
        // What is refused before the counters are looked at leaves them.
        let read = if refusals.is_due() { Ok(()) } else { self.energy.advance() };
        let passed = self.energy.meter.as_ref().map_or(0, |meter| meter.passed);
        let refusals = refusals
            .all(&read.err().map(|status| vec![status]).unwrap_or_default())
            .when(read.is_ok() && passed == 0, QTENSOR_UNAVAILABLE);
        // SAFETY: a live handle and a structure, or NULL.
        let accepted = refusals
            .call(with_error, |error| unsafe { qtensor_energy_meter_read(meter, to, error) });
        let found: Option<qtensor_energy_reading_t> = out.written(accepted);
        let Some(found) = found else { return };
        let joules = passed as f64 / 1e6;
        check_close(found.joules, joules, 1e-12 * joules);
        assert!(found.seconds > 0.0 && found.seconds < 3600.0);
        check_close(found.watts * found.seconds, joules, 1e-12 * joules);
    }

    fn start_meter(&mut self, input: &mut Input<'_>) {
        let (nulls, with_error) = (input.nulls(), input.flag());
        let meter = nulls.at_mut(0, self.energy.handle());
        let refusals = Refusals::new().nulls(&nulls);
        let read = if refusals.is_due() { Ok(()) } else { self.energy.advance() };
        let refusals = refusals.all(&read.err().map(|it| vec![it]).unwrap_or_default());
        // SAFETY: a live handle, or NULL.
        let accepted =
            refusals.call(with_error, |error| unsafe { qtensor_energy_meter_start(meter, error) });
        if let Some(meter) = self.energy.meter.as_mut().filter(|_| accepted) {
            meter.passed = 0;
        }
    }
}

/// The system's counters, which may be there or not.
fn system(input: &mut Input<'_>) {
    let (nulls, with_error) = (input.nulls(), input.flag());
    let mut out = untouched();
    let to = nulls.at_mut(0, &raw mut out);
    let refusals = Refusals::new().nulls(&nulls).maybe(true, &[QTENSOR_UNAVAILABLE]);
    // SAFETY: an output, or NULL.
    let accepted =
        refusals.call(with_error, |error| unsafe { qtensor_energy_meter_open(to, error) });
    let Some(handle) = given(accepted, out) else { return };
    // SAFETY: a live handle, which is freed once.
    unsafe {
        assert!(qtensor_energy_meter_packages(handle) > 0);
        assert!(matches!(qtensor_energy_meter_source(handle), 1..=2));
        qtensor_energy_meter_free(handle);
        assert_eq!(qtensor_energy_meter_packages(std::ptr::null()), 0);
        assert_eq!(qtensor_energy_meter_source(std::ptr::null()), 0);
    }
}

fn default_table(input: &mut Input<'_>) {
    let (nulls, with_error) = (input.nulls(), input.flag());
    let mut out = Versioned::output(input);
    let to = nulls.at_mut(0, out.pointer());
    let refusals = out.room(Refusals::new()).nulls(&nulls);
    // SAFETY: a structure, or NULL.
    let accepted =
        refusals.call(with_error, |error| unsafe { qtensor_energy_table_default(to, error) });
    let found: Option<qtensor_energy_table_t> = out.written(accepted);
    let Some(found) = found else { return };
    assert_eq!((found.int8_adds, found.float_multiplies), (0.03, 3.7));
    assert_eq!((found.cache_8k_bytes, found.memory_bytes), (1.25, 243.75));
}

fn model(input: &mut Input<'_>) {
    let (nulls, with_error) = (input.nulls(), input.flag());
    let mut number = || match input.byte() {
        byte @ 0..250 => u64::from(byte) * u64::from(byte),
        _ => input.word(),
    };
    let work = qtensor_energy_work_t {
        struct_size: size_of::<qtensor_energy_work_t>(),
        int8_adds: number(),
        int32_adds: number(),
        int8_multiplies: number(),
        half_adds: number(),
        float_multiplies: number(),
        bit_operations: number(),
        cache_8k_bytes: number(),
        memory_bytes: number(),
        ..qtensor_energy_work_t::default()
    };
    let hostile = input.byte() > 200;
    let mut each = || if hostile { input.scale() } else { input.scale().abs() };
    let table = qtensor_energy_table_t {
        int8_adds: each(),
        half_adds: each(),
        bit_operations: each(),
        cache_8k_bytes: each(),
        memory_bytes: each(),
        ..qtensor_energy_table_t::default()
    };
    let number = |number: u64| number as f64;
    let operations = number(work.int8_adds) * table.int8_adds
        + number(work.int32_adds) * 0.1
        + number(work.int8_multiplies) * 0.2
        + number(work.half_adds) * table.half_adds
        + number(work.float_multiplies) * 3.7
        + number(work.bit_operations) * table.bit_operations;
    let memory = number(work.cache_8k_bytes) * table.cache_8k_bytes
        + number(work.memory_bytes) * table.memory_bytes;
    let [half, byte] = [table.half_adds, table.memory_bytes];
    let drawn = [table.int8_adds, half, table.bit_operations, table.cache_8k_bytes, byte];
    let wrong = drawn.iter().any(|it| !it.is_finite() || *it < 0.0);
    let mut work = Versioned::of(work, input);
    let mut table = Versioned::of(table, input);
    let mut out = Versioned::output(input);
    let (of, by) = (nulls.at(0, work.pointer()), nulls.at(1, table.pointer()));
    let to = nulls.at_mut(2, out.pointer());
    let refusals = out.room(table.options(work.options(Refusals::new())));
    let refusals = refusals.nulls(&nulls).when(wrong, QTENSOR_INVALID_ARGUMENT);
    // SAFETY: structures, or NULL.
    let accepted =
        refusals.call(with_error, |error| unsafe { qtensor_energy_model(of, by, to, error) });
    let found: Option<qtensor_energy_modeled_t> = out.written(accepted);
    let Some(found) = found else { return };
    let close = |found: f64, picojoules: f64| {
        // Beyond the largest number it is infinite, whatever the unit.
        if picojoules.is_finite() {
            check_close(found, picojoules / 1e12, 1e-12 * (picojoules / 1e12));
        }
    };
    close(found.operations, operations);
    close(found.memory, memory);
    check_close(found.joules, found.operations + found.memory, 0.0);
}
