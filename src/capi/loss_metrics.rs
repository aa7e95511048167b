//! What a loss says: sums, what follows from them, and histograms.

use super::error::qtensor_error_t;
use super::handle::{Extensible, capacity_of, fill, output, shared, slice_mut};
use super::loss::qtensor_loss_t;
use super::panic::{call, quiet};
use super::status::qtensor_status;
use crate::error::{Error, Result};
use crate::measure::Errors;

/// Sums and what follows from them, for a channel. Each sum is in double precision, within 3e-14 of
/// the exact one relative to the sum of its terms' magnitudes. Pairs of which a number is NaN or
/// infinite are counted and otherwise left out. What there is not, as an average of no pairs or what
/// takes a histogram that was not asked for, is NaN.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct qtensor_loss_metrics_t {
    /// Before the call the caller's sizeof(qtensor_loss_metrics_t), after it the bytes that were
    /// filled.
    pub struct_size: usize,
    /// All pairs.
    pub count: u64,
    /// Pairs of which a number is NaN or infinite.
    pub non_finite: u64,
    /// References that are below what the codes reach by more than half a step, as
    /// qtensor_quantize_counts_t counts them; 0 for qtensor_loss_compare().
    pub saturated_low: u64,
    /// The same above.
    pub saturated_high: u64,
    /// References other than 0 whose value is 0, saturated ones excepted.
    pub flushed: u64,
    /// The index of the first element with the largest |e|, in the whole array even for a channel;
    /// UINT64_MAX of no pairs.
    pub max_index: u64,
    /// The largest |e|.
    pub max_absolute: f64,
    /// The sum of e.
    pub sum_error: f64,
    /// The sum of |e|.
    pub sum_absolute: f64,
    /// The sum of e^2.
    pub sum_squared: f64,
    /// The sum of x^2.
    pub sum_xx: f64,
    /// The sum of x * y.
    pub sum_xy: f64,
    /// The sum of y^2.
    pub sum_yy: f64,
    /// The mean of e.
    pub mean_error: f64,
    /// The mean of e^2.
    pub mse: f64,
    /// Its root.
    pub rmse: f64,
    /// The mean of |e|.
    pub mae: f64,
    /// 10 * log10(sum_xx / sum_squared), in decibels; infinite where nothing was lost.
    pub sqnr: f64,
    /// sum_xy over the root of sum_xx * sum_yy; 1 where both are 0 everywhere, 0 where one is.
    pub cosine: f64,
    /// (sqnr - 1.76) / 6.02.
    pub effective_bits: f64,
    /// The entropy of the codes, in bits.
    pub code_entropy: f64,
    /// The divergence of Kullback and Leibler of what the values keep of the references' distribution,
    /// in bits: the references' shares of 4096 bins against the values' shares, each spread over the
    /// bins of the references of the same ranks. Only the order of bins counts, so an error that keeps
    /// it, such as a factor, has 0.
    pub kl: f64,
    /// The median of |e|, within 1/64 of it; as qtensor_loss_quantile() gives it.
    pub p50: f64,
    /// What 95 of 100 do not exceed.
    pub p95: f64,
    /// What 99 of 100 do not exceed.
    pub p99: f64,
}

// SAFETY: repr(C), the size first; where that has 64 bits there is no padding.
unsafe impl Extensible for qtensor_loss_metrics_t {
    const FIRST_SIZE: usize = size_of::<qtensor_loss_metrics_t>();
}
const _: () = assert!(usize::BITS != 64 || size_of::<qtensor_loss_metrics_t>() == 26 * 8);

impl qtensor_loss_metrics_t {
    fn of(errors: &Errors) -> qtensor_loss_metrics_t {
        let or_none = |number: Option<f64>| number.unwrap_or(f64::NAN);
        qtensor_loss_metrics_t {
            struct_size: size_of::<qtensor_loss_metrics_t>(),
            count: errors.count(),
            non_finite: errors.non_finite(),
            saturated_low: errors.saturated_low(),
            saturated_high: errors.saturated_high(),
            flushed: errors.flushed(),
            max_index: errors.max_index().unwrap_or(u64::MAX),
            max_absolute: errors.max_absolute(),
            sum_error: errors.sum_error(),
            sum_absolute: errors.sum_absolute(),
            sum_squared: errors.sum_squared(),
            sum_xx: errors.sum_xx(),
            sum_xy: errors.sum_xy(),
            sum_yy: errors.sum_yy(),
            mean_error: errors.mean_error(),
            mse: errors.mse(),
            rmse: errors.rmse(),
            mae: errors.mae(),
            sqnr: errors.sqnr(),
            cosine: errors.cosine(),
            effective_bits: errors.effective_bits(),
            code_entropy: or_none(errors.code_entropy()),
            kl: or_none(errors.kl()),
            p50: or_none(errors.quantile(0.5)),
            p95: or_none(errors.quantile(0.95)),
            p99: or_none(errors.quantile(0.99)),
        }
    }
}

/// A bin of a histogram of errors: magnitudes from `low` on and below `high`, or exactly 0 where both
/// are 0.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct qtensor_loss_bin_t {
    /// The lower end, which is in the bin.
    pub low: f64,
    /// The upper end, which is not.
    pub high: f64,
    /// How many errors there are.
    pub count: u64,
}

fn channel_of(loss: &qtensor_loss_t, channel: usize) -> Result<&Errors> {
    loss.0.get(channel).ok_or_else(|| Error::OutOfRange {
        what: "channel",
        value: i128::try_from(channel).unwrap_or(i128::MAX),
        min: 0,
        max: i128::try_from(loss.0.len()).unwrap_or(i128::MAX).saturating_sub(1),
    })
}

/// What a channel lost; of a whole tensor it is channel 0. The caller has set out->struct_size to
/// sizeof(qtensor_loss_metrics_t).
///
/// QTENSOR_OUT_OF_RANGE for a channel that is not there; QTENSOR_BUFFER_TOO_SMALL where
/// out->struct_size is smaller than the first version's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_loss_get(
    loss: *const qtensor_loss_t,
    channel: usize,
    out: *mut qtensor_loss_metrics_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the crate's Safety section.
    unsafe {
        call(error, || {
            let loss = shared(loss, "loss")?;
            capacity_of(out, "out")?;
            fill(qtensor_loss_metrics_t::of(channel_of(loss, channel)?), out, "out")
        })
    }
}

/// The magnitude that a share `p` of a channel's errors does not exceed: of rank max(1, ceil(p * n)),
/// within 1/64 of it.
///
/// QTENSOR_INVALID_ARGUMENT unless 0 <= p <= 1; QTENSOR_UNAVAILABLE without a histogram of errors and
/// of no pairs; QTENSOR_OUT_OF_RANGE for a channel that is not there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_loss_quantile(
    loss: *const qtensor_loss_t,
    channel: usize,
    p: f64,
    out: *mut f64,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the crate's Safety section.
    unsafe {
        call(error, || {
            let errors = channel_of(shared(loss, "loss")?, channel)?;
            let out = output(out, "out")?;
            if !(0.0..=1.0).contains(&p) {
                return Err(Error::InvalidNumber { what: "share", value: p, rule: "from 0 to 1" });
            }
            out.write(errors.quantile(p).ok_or(Error::Unavailable {
                what: "quantile",
                reason: "a histogram of errors was not asked for, or there are no pairs",
            })?);
            Ok(())
        })
    }
}

/// How many bins of a channel's histogram of errors are not empty; 0 where that was not asked for.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_loss_error_bins(
    loss: *const qtensor_loss_t,
    channel: usize,
) -> usize {
    // SAFETY: the crate's Safety section.
    let loss = || unsafe { shared(loss, "loss") };
    quiet(0, || {
        loss()
            .and_then(|loss| channel_of(loss, channel))
            .map_or(0, |errors| errors.error_histogram().count())
    })
}

/// The bins of a channel's histogram of errors that are not empty, in order; `*written` receives their
/// number. Each octave of magnitudes has 32 bins of one width, the same for all data.
///
/// QTENSOR_BUFFER_TOO_SMALL where `capacity`, a number of bins, is less than
/// qtensor_loss_error_bins(); QTENSOR_OUT_OF_RANGE for a channel that is not there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_loss_error_histogram(
    loss: *const qtensor_loss_t,
    channel: usize,
    bins: *mut qtensor_loss_bin_t,
    capacity: usize,
    written: *mut usize,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the crate's Safety section.
    unsafe {
        call(error, || {
            let errors = channel_of(shared(loss, "loss")?, channel)?;
            let room = slice_mut(bins, capacity, "bins")?;
            let written = output(written, "written")?;
            let count = errors.error_histogram().count();
            check_room::<qtensor_loss_bin_t>("array of bins", room.len(), count)?;
            for (to, bin) in room.iter_mut().zip(errors.error_histogram()) {
                *to = qtensor_loss_bin_t { low: bin.low, high: bin.high, count: bin.count };
            }
            written.write(count);
            Ok(())
        })
    }
}

fn check_room<T>(what: &'static str, room: usize, count: usize) -> Result<()> {
    if room >= count {
        return Ok(());
    }
    let bytes = |count: usize| count.saturating_mul(size_of::<T>());
    Err(Error::BufferTooSmall { what, capacity: bytes(room), needed: bytes(count) })
}

/// How many codes a channel's histogram of codes has places for; 0 where that was not asked for.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_loss_code_bins(
    loss: *const qtensor_loss_t,
    channel: usize,
) -> usize {
    // SAFETY: the crate's Safety section.
    let loss = || unsafe { shared(loss, "loss") };
    quiet(0, || {
        loss()
            .and_then(|loss| channel_of(loss, channel))
            .map_or(0, |errors| errors.code_histogram().len())
    })
}

/// How often each code occurs in a channel, from the lowest one on: -(2^precision - 1) with a sign and
/// else 0. `*written` receives the number of codes.
///
/// QTENSOR_BUFFER_TOO_SMALL where `capacity`, a number of codes, is less than
/// qtensor_loss_code_bins(); QTENSOR_OUT_OF_RANGE for a channel that is not there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_loss_code_histogram(
    loss: *const qtensor_loss_t,
    channel: usize,
    histogram: *mut u64,
    capacity: usize,
    written: *mut usize,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the crate's Safety section.
    unsafe {
        call(error, || {
            let errors = channel_of(shared(loss, "loss")?, channel)?;
            let room = slice_mut(histogram, capacity, "histogram")?;
            let written = output(written, "written")?;
            let found = errors.code_histogram();
            check_room::<u64>("array of counts", room.len(), found.len())?;
            for (to, count) in room.iter_mut().zip(found) {
                *to = *count;
            }
            written.write(found.len());
            Ok(())
        })
    }
}
