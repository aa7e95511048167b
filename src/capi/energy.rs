//! Energy: measured where the machine lets us, and modeled.

use super::error::qtensor_error_t;
use super::handle::{
    Extensible, Options, capacity_of, exclusive, fill, give, options, output, release, shared,
    string,
};
use super::panic::{call, quiet};
use super::status::qtensor_status;
use crate::caffe2::minidb::as_path;
use crate::measure::energy::{Meter, Source, Table, Work, modeled};
use core::ffi::c_char;

/// What was done, in numbers of operations and of bytes.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct qtensor_energy_work_t {
    /// The caller's sizeof(qtensor_energy_work_t).
    pub struct_size: usize,
    /// Additions of 8-bit integers.
    pub int8_adds: u64,
    /// Additions of 32-bit integers.
    pub int32_adds: u64,
    /// Multiplications of 8-bit integers.
    pub int8_multiplies: u64,
    /// Multiplications of 32-bit integers.
    pub int32_multiplies: u64,
    /// Additions in half precision.
    pub half_adds: u64,
    /// Additions in single precision.
    pub float_adds: u64,
    /// Multiplications in half precision.
    pub half_multiplies: u64,
    /// Multiplications in single precision.
    pub float_multiplies: u64,
    /// ANDs and popcounts of 32 bits.
    pub bit_operations: u64,
    /// Bytes read from a cache of 8 KiB.
    pub cache_8k_bytes: u64,
    /// Bytes read from a cache of 32 KiB.
    pub cache_32k_bytes: u64,
    /// Bytes read from a cache of 1 MiB.
    pub cache_1m_bytes: u64,
    /// Bytes read from memory.
    pub memory_bytes: u64,
}

// SAFETY: repr(C), the size first; where that has 64 bits there is no padding.
unsafe impl Extensible for qtensor_energy_work_t {
    const FIRST_SIZE: usize = size_of::<qtensor_energy_work_t>();
}
const _: () = assert!(usize::BITS != 64 || size_of::<qtensor_energy_work_t>() == 14 * 8);

// SAFETY: integers only.
unsafe impl Options for qtensor_energy_work_t {}

/// What each of them takes, in picojoules; qtensor_energy_table_default() fills it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct qtensor_energy_table_t {
    /// The caller's sizeof(qtensor_energy_table_t).
    pub struct_size: usize,
    /// Additions of 8-bit integers.
    pub int8_adds: f64,
    /// Additions of 32-bit integers.
    pub int32_adds: f64,
    /// Multiplications of 8-bit integers.
    pub int8_multiplies: f64,
    /// Multiplications of 32-bit integers.
    pub int32_multiplies: f64,
    /// Additions in half precision.
    pub half_adds: f64,
    /// Additions in single precision.
    pub float_adds: f64,
    /// Multiplications in half precision.
    pub half_multiplies: f64,
    /// Multiplications in single precision.
    pub float_multiplies: f64,
    /// ANDs and popcounts of 32 bits.
    pub bit_operations: f64,
    /// Bytes read from a cache of 8 KiB.
    pub cache_8k_bytes: f64,
    /// Bytes read from a cache of 32 KiB.
    pub cache_32k_bytes: f64,
    /// Bytes read from a cache of 1 MiB.
    pub cache_1m_bytes: f64,
    /// Bytes read from memory.
    pub memory_bytes: f64,
}

// SAFETY: repr(C), the size first; where that has 64 bits there is no padding.
unsafe impl Extensible for qtensor_energy_table_t {
    const FIRST_SIZE: usize = size_of::<qtensor_energy_table_t>();
}
const _: () = assert!(usize::BITS != 64 || size_of::<qtensor_energy_table_t>() == 14 * 8);

// SAFETY: an integer and floats only.
unsafe impl Options for qtensor_energy_table_t {}

impl Default for qtensor_energy_table_t {
    fn default() -> Self {
        let table = Table::default();
        qtensor_energy_table_t {
            struct_size: size_of::<Self>(),
            int8_adds: table.int8_adds,
            int32_adds: table.int32_adds,
            int8_multiplies: table.int8_multiplies,
            int32_multiplies: table.int32_multiplies,
            half_adds: table.half_adds,
            float_adds: table.float_adds,
            half_multiplies: table.half_multiplies,
            float_multiplies: table.float_multiplies,
            bit_operations: table.bit_operations,
            cache_8k_bytes: table.cache_8k_bytes,
            cache_32k_bytes: table.cache_32k_bytes,
            cache_1m_bytes: table.cache_1m_bytes,
            memory_bytes: table.memory_bytes,
        }
    }
}

impl qtensor_energy_table_t {
    fn table(&self) -> Table {
        Table {
            int8_adds: self.int8_adds,
            int32_adds: self.int32_adds,
            int8_multiplies: self.int8_multiplies,
            int32_multiplies: self.int32_multiplies,
            half_adds: self.half_adds,
            float_adds: self.float_adds,
            half_multiplies: self.half_multiplies,
            float_multiplies: self.float_multiplies,
            bit_operations: self.bit_operations,
            cache_8k_bytes: self.cache_8k_bytes,
            cache_32k_bytes: self.cache_32k_bytes,
            cache_1m_bytes: self.cache_1m_bytes,
            memory_bytes: self.memory_bytes,
        }
    }
}

impl qtensor_energy_work_t {
    fn work(&self) -> Work {
        Work {
            int8_adds: self.int8_adds,
            int32_adds: self.int32_adds,
            int8_multiplies: self.int8_multiplies,
            int32_multiplies: self.int32_multiplies,
            half_adds: self.half_adds,
            float_adds: self.float_adds,
            half_multiplies: self.half_multiplies,
            float_multiplies: self.float_multiplies,
            bit_operations: self.bit_operations,
            cache_8k_bytes: self.cache_8k_bytes,
            cache_32k_bytes: self.cache_32k_bytes,
            cache_1m_bytes: self.cache_1m_bytes,
            memory_bytes: self.memory_bytes,
        }
    }
}

/// Energy as a model has it: no measurement.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct qtensor_energy_modeled_t {
    /// Before the call the caller's sizeof(qtensor_energy_modeled_t), after it the bytes that were
    /// filled.
    pub struct_size: usize,
    /// Joules of operations.
    pub operations: f64,
    /// Joules of accesses to memory and caches.
    pub memory: f64,
    /// Joules of both.
    pub joules: f64,
}

// SAFETY: repr(C), the size first; where that has 64 bits there is no padding.
unsafe impl Extensible for qtensor_energy_modeled_t {
    const FIRST_SIZE: usize = size_of::<qtensor_energy_modeled_t>();
}
const _: () = assert!(usize::BITS != 64 || size_of::<qtensor_energy_modeled_t>() == 32);

/// The table of a process of 45 nm (M. Horowitz, "Computing's Energy Problem", ISSCC 2014). Two entries
/// are not his: bit operations, for which the addition of 32-bit integers stands in, and memory, where
/// he gives 1300 to 2600 pJ for 64 bits and this has the middle. The caller has set out->struct_size
/// to sizeof(qtensor_energy_table_t).
///
/// QTENSOR_BUFFER_TOO_SMALL where that is smaller than the first version's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_energy_table_default(
    out: *mut qtensor_energy_table_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the crate's Safety section.
    unsafe { call(error, || fill(qtensor_energy_table_t::default(), out, "out")) }
}

/// The energy that work takes by a table: the sum of the numbers times what each takes. The caller has
/// set the struct_size of all three.
///
/// QTENSOR_INVALID_ARGUMENT for an entry of the table that is negative or not finite;
/// QTENSOR_UNSUPPORTED for work or a table of a later version; QTENSOR_BUFFER_TOO_SMALL where a
/// struct_size is smaller than the first version's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_energy_model(
    work: *const qtensor_energy_work_t,
    table: *const qtensor_energy_table_t,
    out: *mut qtensor_energy_modeled_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the crate's Safety section.
    unsafe {
        call(error, || {
            shared(work.cast::<u8>(), "work")?;
            shared(table.cast::<u8>(), "table")?;
            let (work, table) = (options(work, "work")?, options(table, "table")?);
            capacity_of(out, "out")?;
            let energy = modeled(&work.work(), &table.table())?;
            let found = qtensor_energy_modeled_t {
                struct_size: size_of::<qtensor_energy_modeled_t>(),
                operations: energy.operations,
                memory: energy.memory,
                joules: energy.joules(),
            };
            fill(found, out, "out")
        })
    }
}

/// Linux's powercap tree.
pub const QTENSOR_ENERGY_POWERCAP: i32 = 1;
/// Linux's performance events.
pub const QTENSOR_ENERGY_PERF: i32 = 2;

/// Measures what the processor's packages take, by counters that they have, whatever runs on them. Not
/// to be used by several threads at once.
pub struct qtensor_energy_meter_t(Meter);

/// Energy that was measured, and over what time.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct qtensor_energy_reading_t {
    /// Before the call the caller's sizeof(qtensor_energy_reading_t), after it the bytes that were
    /// filled.
    pub struct_size: usize,
    /// Joules of all packages together; above 0.
    pub joules: f64,
    /// Seconds.
    pub seconds: f64,
    /// Watts on average. Those of an idle machine, times the seconds, are to be subtracted.
    pub watts: f64,
}

// SAFETY: repr(C), the size first; where that has 64 bits there is no padding.
unsafe impl Extensible for qtensor_energy_reading_t {
    const FIRST_SIZE: usize = size_of::<qtensor_energy_reading_t>();
}
const _: () = assert!(usize::BITS != 64 || size_of::<qtensor_energy_reading_t>() == 32);

/// Opens the system's counters of energy, Linux's powercap tree or its performance events, and starts
/// to measure. `*out` is freed with qtensor_energy_meter_free().
///
/// QTENSOR_UNAVAILABLE where there are none, as in most virtual machines, and where they are not for
/// everybody to read; QTENSOR_MALFORMED for files with something else in them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_energy_meter_open(
    out: *mut *mut qtensor_energy_meter_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the crate's Safety section.
    unsafe {
        call(error, || {
            let out = output(out, "out")?;
            give(qtensor_energy_meter_t(Meter::open(None)?), out)
        })
    }
}

/// The same by the powercap tree whose root is the folder `root`, for containers that have it
/// elsewhere, and for tests.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_energy_meter_open_powercap(
    root: *const c_char,
    out: *mut *mut qtensor_energy_meter_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the crate's Safety section.
    unsafe {
        call(error, || {
            let root = as_path(string(root, "root")?);
            let out = output(out, "out")?;
            give(qtensor_energy_meter_t(Meter::open(Some(root))?), out)
        })
    }
}

/// Frees a meter; NULL does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_energy_meter_free(meter: *mut qtensor_energy_meter_t) {
    // SAFETY: the crate's Safety section.
    quiet((), || unsafe { release(meter) });
}

/// How many packages are measured.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_energy_meter_packages(
    meter: *const qtensor_energy_meter_t,
) -> usize {
    // SAFETY: the crate's Safety section.
    quiet(0, || unsafe { meter.as_ref() }.map_or(0, |meter| meter.0.packages()))
}

/// Where the numbers of a meter come from: QTENSOR_ENERGY_POWERCAP or QTENSOR_ENERGY_PERF; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_energy_meter_source(meter: *const qtensor_energy_meter_t) -> i32 {
    quiet(0, || {
        // SAFETY: the crate's Safety section.
        match unsafe { meter.as_ref() }.map(|meter| meter.0.source()) {
            Some(Source::Powercap) => QTENSOR_ENERGY_POWERCAP,
            Some(Source::Perf) => QTENSOR_ENERGY_PERF,
            None => 0,
        }
    })
}

/// Starts a measurement anew.
///
/// QTENSOR_UNAVAILABLE where a counter cannot be read any more; QTENSOR_MALFORMED for files with
/// something else in them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_energy_meter_start(
    meter: *mut qtensor_energy_meter_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the crate's Safety section.
    unsafe { call(error, || exclusive(meter, "meter")?.0.start()) }
}

/// What was taken since the start; the measurement goes on. Counters are updated about once a
/// millisecond, so measure a second or more; one of the powercap tree begins again at 0 after minutes
/// or an hour, which is seen once between two readings. One that was set to 0 by something else, as by
/// a suspended machine or a driver that was loaded anew, is told from that where a package would have
/// taken more than 2000 W since the last reading; where it would not, or the counter is beyond its old
/// number again, it cannot be told, so read often. The caller has set out->struct_size to
/// sizeof(qtensor_energy_reading_t).
///
/// QTENSOR_UNAVAILABLE where no counter has moved, where one was set to 0 (and then until the next
/// start), and as for qtensor_energy_meter_start(); QTENSOR_BUFFER_TOO_SMALL where
/// out->struct_size is smaller than the first version's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_energy_meter_read(
    meter: *mut qtensor_energy_meter_t,
    out: *mut qtensor_energy_reading_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the crate's Safety section.
    unsafe {
        call(error, || {
            let meter = exclusive(meter, "meter")?;
            capacity_of(out, "out")?;
            let reading = meter.0.read()?;
            let found = qtensor_energy_reading_t {
                struct_size: size_of::<qtensor_energy_reading_t>(),
                joules: reading.joules,
                seconds: reading.seconds,
                watts: reading.watts(),
            };
            fill(found, out, "out")
        })
    }
}
