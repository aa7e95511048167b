//! What quantization lost: errors of tensors against the floats that they were made from.

use super::error::qtensor_error_t;
use super::handle::{
    Extensible, Options, exclusive, give, options, output, release, shared, slice,
};
use super::panic::{call, quiet};
use super::status::qtensor_status;
use super::tensor::qtensor_t;
use crate::error::{Error, Excerpt, Result};
use crate::measure::{ErrorOptions, Errors, compare};

/// What is kept besides sums, and how to work. All 0 (besides struct_size) is the sums alone, on one
/// thread.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct qtensor_loss_options_t {
    /// The caller's sizeof(qtensor_loss_options_t).
    pub struct_size: usize,
    /// Not 0: each code is counted, NaNs' too, up to a precision of 16; 8 bytes a code, channel and thread.
    pub code_histogram: i32,
    /// Not 0: the magnitudes of errors are counted, for quantiles.
    pub error_histogram: i32,
    /// Not 0: references and values are counted, for the divergence; 64 KiB a channel and thread.
    pub value_histogram: i32,
    /// On how many threads to work; 0 is 1.
    pub threads: u32,
}

// SAFETY: repr(C), the size first, then an even number of members of 32 bits.
unsafe impl Extensible for qtensor_loss_options_t {
    const FIRST_SIZE: usize = size_of::<qtensor_loss_options_t>();
}
const _: () = assert!(usize::BITS != 64 || size_of::<qtensor_loss_options_t>() == 24);

// SAFETY: integers only.
unsafe impl Options for qtensor_loss_options_t {}

impl qtensor_loss_options_t {
    fn checked(&self) -> ErrorOptions {
        ErrorOptions {
            code_histogram: self.code_histogram != 0,
            error_histogram: self.error_histogram != 0,
            value_histogram: self.value_histogram != 0,
            threads: usize::try_from(self.threads).unwrap_or(usize::MAX),
        }
    }
}

/// What some values lost against their references: sums of the error e = y - x, of values y and
/// references x, for the whole tensor or for each of its channels. It can be merged with others. Calls
/// that take it as const may be made by several threads at once.
pub struct qtensor_loss_t(pub(super) Vec<Errors>);

fn one(errors: Errors) -> Result<qtensor_loss_t> {
    let mut all = Vec::new();
    let no_memory = Error::OutOfMemory { what: "errors", bytes: size_of::<Errors>() };
    all.try_reserve_exact(1).map_err(|_| no_memory)?;
    all.push(errors);
    Ok(qtensor_loss_t(all))
}

/// Measures what a tensor lost against the `n` floats that it was made from, without writing the
/// dequantized values out. `options` may be NULL; `*out` is freed with qtensor_loss_free().
///
/// In the processor's default modes for floating point: where subnormal numbers are taken for 0, so
/// they are here.
///
/// QTENSOR_SHAPE_MISMATCH unless n is qtensor_size() and the channels fit the dimensions;
/// QTENSOR_OUT_OF_RANGE for a precision of 0 or above 32; QTENSOR_UNSUPPORTED for a histogram of codes above precision 16 and for options of a later
/// version; QTENSOR_BUFFER_TOO_SMALL where options->struct_size is smaller than the first version's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_loss_measure(
    tensor: *const qtensor_t,
    reference: *const f32,
    n: usize,
    options: *const qtensor_loss_options_t,
    out: *mut *mut qtensor_loss_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the crate's Safety section.
    unsafe {
        call(error, || {
            let tensor = shared(tensor, "tensor")?;
            let reference = slice(reference, n, "reference")?;
            let out = output(out, "out")?;
            let options = self::options(options, "options")?.checked();
            give(one(tensor.0.errors(reference, &options)?)?, out)
        })
    }
}

/// The same for each index along dimension `axis`, whether or not the tensor has parameters for each
/// of them.
///
/// Refusals are those of qtensor_loss_measure(), and QTENSOR_OUT_OF_RANGE for an axis that is not
/// there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_loss_measure_per_channel(
    tensor: *const qtensor_t,
    reference: *const f32,
    n: usize,
    axis: i32,
    options: *const qtensor_loss_options_t,
    out: *mut *mut qtensor_loss_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the crate's Safety section.
    unsafe {
        call(error, || {
            let tensor = shared(tensor, "tensor")?;
            let reference = slice(reference, n, "reference")?;
            let out = output(out, "out")?;
            let options = self::options(options, "options")?.checked();
            let (axis, _) = crate::params::channel_axis(axis, tensor.0.dims())?;
            let errors = tensor.0.errors_per_channel(reference, axis, &options)?;
            give(qtensor_loss_t(errors), out)
        })
    }
}

/// The same of any `n` values against as many references; there are no codes to be counted.
///
/// QTENSOR_UNSUPPORTED for a histogram of codes and for options of a later version;
/// QTENSOR_BUFFER_TOO_SMALL as above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_loss_compare(
    reference: *const f32,
    values: *const f32,
    n: usize,
    options: *const qtensor_loss_options_t,
    out: *mut *mut qtensor_loss_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the crate's Safety section.
    unsafe {
        call(error, || {
            let reference = slice(reference, n, "reference")?;
            let values = slice(values, n, "values")?;
            let out = output(out, "out")?;
            let options = self::options(options, "options")?.checked();
            give(one(compare(reference, values, &options)?)?, out)
        })
    }
}

/// Frees a loss; NULL does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_loss_free(loss: *mut qtensor_loss_t) {
    // SAFETY: the crate's Safety section.
    quiet((), || unsafe { release(loss) });
}

/// How many channels a loss has; 1 of a whole tensor.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_loss_channels(loss: *const qtensor_loss_t) -> usize {
    // SAFETY: the crate's Safety section.
    quiet(0, || unsafe { loss.as_ref() }.map_or(0, |loss| loss.0.len()))
}

/// Adds the loss of other pairs, channel by channel. The order does not matter: counts are exact, and
/// sums as exact as measured at once. An index of a largest error stays that in its own array.
///
/// QTENSOR_SHAPE_MISMATCH for another number of channels or histograms of other codes;
/// QTENSOR_UNSUPPORTED where one has a histogram that the other has not, and for the loss itself;
/// QTENSOR_OVERFLOW beyond 2^62 pairs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_loss_merge(
    loss: *mut qtensor_loss_t,
    other: *const qtensor_loss_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the crate's Safety section; the two are different objects, which is checked first.
    unsafe {
        call(error, || {
            if !other.is_null() && core::ptr::eq(loss, other) {
                return Err(Error::UnsupportedName {
                    what: "loss to merge",
                    value: Excerpt::new(b"the same one"),
                    reason: "its pairs would count twice",
                });
            }
            let loss = exclusive(loss, "loss")?;
            Errors::merge_all(&mut loss.0, &shared(other, "other")?.0)
        })
    }
}
