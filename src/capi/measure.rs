//! What a tensor takes and which codes it has; and time.

use super::error::qtensor_error_t;
use super::handle::{Extensible, capacity_of, fill, shared, slice, slice_mut, string};
use super::panic::{call, quiet};
use super::status::qtensor_status;
use super::tensor::qtensor_t;
use crate::error::{Error, Result};
use crate::measure::check_counted;
use crate::measure::time::Timing;
use crate::params::try_copy;
use core::ffi::c_char;

/// Bytes that a tensor takes in its several forms.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct qtensor_sizes_t {
    /// Before the call the caller's sizeof(qtensor_sizes_t), after it the bytes that were filled.
    pub struct_size: usize,
    /// The bit planes alone.
    pub planes: u64,
    /// What the tensor takes in memory: planes that are there, dimensions, channels and the object.
    pub resident: u64,
    /// What qtensor_serialize() writes: a plane byte of 128 and more takes two.
    pub wire: u64,
    /// As many elements in single precision.
    pub floats: u64,
    /// How many times smaller the planes are than the floats; NaN without any plane.
    pub ratio: f64,
    /// How many times smaller the serialized tensor is.
    pub wire_ratio: f64,
}

// SAFETY: repr(C), the size first; where that has 64 bits there is no padding.
unsafe impl Extensible for qtensor_sizes_t {
    const FIRST_SIZE: usize = size_of::<qtensor_sizes_t>();
}
const _: () = assert!(usize::BITS != 64 || size_of::<qtensor_sizes_t>() == 56);

/// How much room a tensor takes; `name` is what it would be serialized with. The caller has set
/// out->struct_size to sizeof(qtensor_sizes_t).
///
/// QTENSOR_OVERFLOW where the message would be longer than protobuf's 2^31 - 1 bytes;
/// QTENSOR_BUFFER_TOO_SMALL where out->struct_size is smaller than the first version's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_sizes(
    tensor: *const qtensor_t,
    name: *const c_char,
    out: *mut qtensor_sizes_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the crate's Safety section.
    unsafe {
        call(error, || {
            let tensor = shared(tensor, "tensor")?;
            let name = string(name, "name")?;
            capacity_of(out, "out")?;
            let found = tensor.0.sizes(name)?;
            let sizes = qtensor_sizes_t {
                struct_size: size_of::<qtensor_sizes_t>(),
                planes: found.planes,
                resident: found.resident,
                wire: found.wire,
                floats: found.float,
                ratio: found.ratio(),
                wire_ratio: found.wire_ratio(),
            };
            fill(sizes, out, "out")
        })
    }
}

/// What codes a tensor has.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct qtensor_code_statistics_t {
    /// Before the call the caller's sizeof(qtensor_code_statistics_t), after it the bytes that were
    /// filled.
    pub struct_size: usize,
    /// How many there are: the tensor's size.
    pub count: u64,
    /// How many are 0.
    pub zeros: u64,
    /// How many different ones occur; 0 above precision 16, where they are not counted one by one.
    pub distinct: u64,
    /// The lowest code that occurs; 0 of no elements.
    pub lowest: i64,
    /// The highest one.
    pub highest: i64,
    /// Their entropy in bits; NaN above precision 16 and of no elements.
    pub entropy: f64,
}

// SAFETY: repr(C), the size first; where that has 64 bits there is no padding.
unsafe impl Extensible for qtensor_code_statistics_t {
    const FIRST_SIZE: usize = size_of::<qtensor_code_statistics_t>();
}
const _: () = assert!(usize::BITS != 64 || size_of::<qtensor_code_statistics_t>() == 56);

/// What codes a tensor has. The caller has set out->struct_size to
/// sizeof(qtensor_code_statistics_t).
///
/// QTENSOR_UNSUPPORTED above precision 63; QTENSOR_BUFFER_TOO_SMALL where out->struct_size is smaller
/// than the first version's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_code_statistics(
    tensor: *const qtensor_t,
    out: *mut qtensor_code_statistics_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the crate's Safety section.
    unsafe {
        call(error, || {
            let tensor = shared(tensor, "tensor")?;
            capacity_of(out, "out")?;
            let found = tensor.0.code_statistics()?;
            let (lowest, highest) = found.range().unwrap_or_default();
            let statistics = qtensor_code_statistics_t {
                struct_size: size_of::<qtensor_code_statistics_t>(),
                count: found.count(),
                zeros: found.zeros(),
                distinct: found.distinct().unwrap_or(0),
                lowest,
                highest,
                entropy: found.entropy().unwrap_or(f64::NAN),
            };
            fill(statistics, out, "out")
        })
    }
}

/// Copies counts into the caller's array, which has a place for each.
fn copy(found: &[u64], to: &mut [u64], what: &'static str) -> Result<()> {
    if found.len() != to.len() {
        return Err(Error::ShapeMismatch {
            what,
            value: i128::try_from(to.len()).unwrap_or(i128::MAX),
            expected: i128::try_from(found.len()).unwrap_or(i128::MAX),
        });
    }
    for (to, count) in to.iter_mut().zip(found) {
        *to = *count;
    }
    Ok(())
}

/// How many bits are set in each plane of a tensor, of the least significant bit first, the signs
/// last. `n` is the number of planes: the precision, and one more with a sign.
///
/// QTENSOR_SHAPE_MISMATCH for another n; QTENSOR_UNSUPPORTED above precision 63.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_plane_ones(
    tensor: *const qtensor_t,
    ones: *mut u64,
    n: usize,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the crate's Safety section.
    unsafe {
        call(error, || {
            let tensor = shared(tensor, "tensor")?;
            let ones = slice_mut(ones, n, "ones")?;
            copy(tensor.0.code_statistics()?.ones(), ones, "number of planes")
        })
    }
}

/// How often each code occurs in a tensor, from the lowest one on. `n` is the number of codes:
/// 2^precision, or 2^(precision + 1) - 1 with a sign, of which the first is -(2^precision - 1).
///
/// QTENSOR_SHAPE_MISMATCH for another n; QTENSOR_UNSUPPORTED above precision 16.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_code_histogram(
    tensor: *const qtensor_t,
    histogram: *mut u64,
    n: usize,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the crate's Safety section.
    unsafe {
        call(error, || {
            let tensor = shared(tensor, "tensor")?;
            let histogram = slice_mut(histogram, n, "histogram")?;
            check_counted(tensor.0.precision())?;
            copy(tensor.0.code_statistics()?.histogram(), histogram, "number of codes")
        })
    }
}

/// Nanoseconds from some beginning, by a clock that never goes back: what lies between two calls is a
/// time. 0 where the system has no such clock.
#[unsafe(no_mangle)]
pub extern "C" fn qtensor_clock_now() -> u64 {
    quiet(0, || {
        let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the call fills the structure.
        let status = unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
        let (seconds, rest) = (u64::try_from(now.tv_sec), u64::try_from(now.tv_nsec));
        match (status, seconds, rest) {
            (0, Ok(seconds), Ok(rest)) => {
                seconds.saturating_mul(1_000_000_000).saturating_add(rest)
            }
            _ => 0,
        }
    })
}

/// What several runs of the same thing took, in seconds.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct qtensor_timing_t {
    /// Before the call the caller's sizeof(qtensor_timing_t), after it the bytes that were filled.
    pub struct_size: usize,
    /// How many runs there were.
    pub runs: u64,
    /// All of them together.
    pub total: f64,
    /// The fastest one.
    pub minimum: f64,
    /// The one in the middle, or the mean of the two that are.
    pub median: f64,
    /// The mean.
    pub mean: f64,
    /// The one that 95 of 100 do not exceed.
    pub p95: f64,
    /// The slowest one.
    pub maximum: f64,
}

// SAFETY: repr(C), the size first; where that has 64 bits there is no padding.
unsafe impl Extensible for qtensor_timing_t {
    const FIRST_SIZE: usize = size_of::<qtensor_timing_t>();
}
const _: () = assert!(usize::BITS != 64 || size_of::<qtensor_timing_t>() == 64);

/// What `n` runs took, from the seconds of each in any order. The caller has set out->struct_size to
/// sizeof(qtensor_timing_t).
///
/// QTENSOR_OUT_OF_RANGE for no runs; QTENSOR_NON_FINITE for one that took no finite number of seconds;
/// QTENSOR_INVALID_ARGUMENT for one that took less than 0; QTENSOR_BUFFER_TOO_SMALL where
/// out->struct_size is smaller than the first version's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_timing_summarize(
    seconds: *const f64,
    n: usize,
    out: *mut qtensor_timing_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the crate's Safety section.
    unsafe {
        call(error, || {
            let seconds = slice(seconds, n, "seconds")?;
            capacity_of(out, "out")?;
            let found = Timing::of(&mut try_copy(seconds)?)?;
            let timing = qtensor_timing_t {
                struct_size: size_of::<qtensor_timing_t>(),
                runs: found.runs,
                total: found.total,
                minimum: found.minimum,
                median: found.median,
                mean: found.mean,
                p95: found.p95,
                maximum: found.maximum,
            };
            fill(timing, out, "out")
        })
    }
}
