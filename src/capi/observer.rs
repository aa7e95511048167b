//! Observers: what is remembered of values to choose parameters by.

use super::error::qtensor_error_t;
use super::handle::{
    Extensible, Options, capacity_of, exclusive, fill, give, options, output, release, shared,
    slice, slice_mut,
};
use super::panic::{call, quiet};
use super::quantize::QTENSOR_NON_FINITE_REFUSE;
use super::status::qtensor_status;
use crate::calibrate::{Kind, Missing, Observer, ObserverConfig};
use crate::error::{Error, Excerpt, Result};

/// A histogram with exact sums, from which the error of any codes is told.
pub const QTENSOR_OBSERVER_HISTOGRAM: i32 = 0;
/// The smallest and the largest value, at the speed of reading.
pub const QTENSOR_OBSERVER_RANGE: i32 = 1;
/// The average of the batches' smallest values and of their largest: average + weight * (batch -
/// average). It depends on the batches and their order, so such observers cannot be merged.
pub const QTENSOR_OBSERVER_MOVING_AVERAGE: i32 = 2;

/// Values that are NaN or infinite are counted and otherwise left out.
pub const QTENSOR_NON_FINITE_SKIP: i32 = 2;

/// Remembers of values what a choice of scale and bias needs, in memory whose size is fixed when it
/// is created: for each channel 40 bytes for each bin of a histogram and 512 more, and for the work on
/// all of them some three times that.
/// Its state follows from the values alone, to the last bit: not from how they were split into
/// batches, their order, or how observers were merged. Not to be used by several threads at once,
/// except by calls that take it as const; threads observe by an observer each.
pub struct qtensor_observer_t(pub(super) Observer);

/// What an observer is made for. All 0 (besides struct_size) is a histogram of 4096 bins for all
/// values, NaN and infinities refused.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct qtensor_observer_options_t {
    /// The caller's sizeof(qtensor_observer_options_t).
    pub struct_size: usize,
    /// The weight of a batch in a moving average, above 0 and at most 1; otherwise not looked at.
    pub weight: f64,
    /// How many channels there are, up to 2^24; 0 for one scale for all values.
    pub channels: u64,
    /// Which dimension of a batch the channels are; without channels not looked at.
    pub axis: i32,
    /// A QTENSOR_OBSERVER_ constant.
    pub kind: i32,
    /// The bins of a histogram: a power of two from 256 to 16384, or 0 for 4096. The best choice for
    /// codes of P bits wants 16 * 2^P.
    pub bins: u32,
    /// QTENSOR_NON_FINITE_REFUSE or QTENSOR_NON_FINITE_SKIP.
    pub non_finite: i32,
}

// SAFETY: repr(C), the size first, then members of 64 bits and an even number of 32 bits.
unsafe impl Extensible for qtensor_observer_options_t {
    const FIRST_SIZE: usize = size_of::<qtensor_observer_options_t>();
}
const _: () = assert!(usize::BITS != 64 || size_of::<qtensor_observer_options_t>() == 40);

// SAFETY: integers and a float only.
unsafe impl Options for qtensor_observer_options_t {}

impl qtensor_observer_options_t {
    fn checked(&self) -> Result<ObserverConfig> {
        let refused =
            |what, value, rule| Error::InvalidArgument { what, value: i128::from(value), rule };
        let bins = match usize::try_from(self.bins) {
            Ok(0) => ObserverConfig::BINS,
            bins => bins.unwrap_or(usize::MAX),
        };
        let channels = usize::try_from(self.channels).unwrap_or(usize::MAX);
        let axis = || {
            usize::try_from(self.axis).map_err(|_| refused("channel axis", self.axis, "0 or more"))
        };
        Ok(ObserverConfig {
            kind: match self.kind {
                QTENSOR_OBSERVER_HISTOGRAM => Kind::Histogram { bins },
                QTENSOR_OBSERVER_RANGE => Kind::Range,
                QTENSOR_OBSERVER_MOVING_AVERAGE => Kind::MovingAverage { weight: self.weight },
                other => {
                    let rule = "a QTENSOR_OBSERVER_ constant, 0 to 2";
                    return Err(refused("kind of the observer", other, rule));
                }
            },
            channels: if channels == 0 { None } else { Some((axis()?, channels)) },
            missing: match self.non_finite {
                QTENSOR_NON_FINITE_REFUSE => Missing::Refuse,
                QTENSOR_NON_FINITE_SKIP => Missing::Skip,
                other => {
                    let rule = "QTENSOR_NON_FINITE_REFUSE or QTENSOR_NON_FINITE_SKIP, 0 or 2";
                    return Err(refused("non_finite", other, rule));
                }
            },
        })
    }
}

/// What was seen of a channel. Numbers that there are not, because no value was finite or the
/// observer does not keep them, are NaN.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct qtensor_statistics_t {
    /// Before the call the caller's sizeof(qtensor_statistics_t), after it the bytes that were filled.
    pub struct_size: usize,
    /// Finite values, zeros included.
    pub finite: u64,
    /// NaN.
    pub nan: u64,
    /// Positive infinities.
    pub positive_infinite: u64,
    /// Negative infinities.
    pub negative_infinite: u64,
    /// Zeros of either sign.
    pub zeros: u64,
    /// Batches that a moving average has seen.
    pub batches: u64,
    /// The smallest finite value.
    pub min: f64,
    /// The largest finite value.
    pub max: f64,
    /// The mean of the finite values, from a histogram's exact sums.
    pub mean: f64,
    /// Their variance around it, over their number.
    pub variance: f64,
    /// The mean of their squares.
    pub mean_square: f64,
    /// The moving average of the batches' smallest values.
    pub average_min: f64,
    /// The moving average of the batches' largest values.
    pub average_max: f64,
}

// SAFETY: repr(C), the size first; where that has 64 bits there is no padding.
unsafe impl Extensible for qtensor_statistics_t {
    const FIRST_SIZE: usize = size_of::<qtensor_statistics_t>();
}
const _: () = assert!(usize::BITS != 64 || size_of::<qtensor_statistics_t>() == 112);

/// Makes an observer that has seen nothing. All the memory that it will ever have is taken here;
/// qtensor_observer_free() frees it. `options` may be NULL.
///
/// QTENSOR_INVALID_ARGUMENT for an option that is none of its constants, a negative axis, a number of
/// bins or a weight that there is not; QTENSOR_OUT_OF_RANGE for more than 2^24 channels and an axis
/// above 63; QTENSOR_UNSUPPORTED for options of a later version; QTENSOR_BUFFER_TOO_SMALL where
/// struct_size is smaller than the first version's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_observer_create(
    options: *const qtensor_observer_options_t,
    out: *mut *mut qtensor_observer_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the crate's Safety section.
    unsafe {
        call(error, || {
            let out = output(out, "out")?;
            let config = self::options(options, "options")?.checked()?;
            give(qtensor_observer_t(Observer::new(&config)?), out)
        })
    }
}

/// Frees an observer; NULL does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_observer_free(observer: *mut qtensor_observer_t) {
    // SAFETY: the crate's Safety section.
    quiet((), || unsafe { release(observer) });
}

/// Makes a second observer with the same state, to be freed with qtensor_observer_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_observer_clone(
    observer: *const qtensor_observer_t,
    out: *mut *mut qtensor_observer_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the crate's Safety section.
    unsafe {
        call(error, || {
            let observer = shared(observer, "observer")?;
            let out = output(out, "out")?;
            give(qtensor_observer_t(observer.0.try_clone()?), out)
        })
    }
}

/// How many channels an observer has; 1 where there is one scale for all values.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_observer_channels(observer: *const qtensor_observer_t) -> usize {
    // SAFETY: the crate's Safety section.
    quiet(0, || unsafe { observer.as_ref() }.map_or(0, |observer| observer.0.channels()))
}

/// Sees a batch of `n` values with `ndim` dimensions, of which one may be the channels; without
/// channels dims may be (NULL, 0).
///
/// QTENSOR_NON_FINITE for a NaN or an infinity unless the options skip them; QTENSOR_SHAPE_MISMATCH
/// for another number of values than the dimensions have, or of channels than the observer has;
/// QTENSOR_OUT_OF_RANGE for an axis that is not there and for more than 64 dimensions;
/// QTENSOR_INVALID_ARGUMENT for a negative dimension; QTENSOR_OVERFLOW beyond 2^62 values in a
/// channel, and for dimensions whose product is 2^63 or more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_observer_observe(
    observer: *mut qtensor_observer_t,
    values: *const f32,
    n: usize,
    dims: *const i64,
    ndim: usize,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the crate's Safety section.
    unsafe {
        call(error, || {
            let observer = exclusive(observer, "observer")?;
            let (values, dims) = (slice(values, n, "values")?, slice(dims, ndim, "dims")?);
            observer.0.observe(values, dims)
        })
    }
}

/// Adds to an observer what another one has seen, here or, after qtensor_observer_deserialize(), on
/// another machine.
///
/// QTENSOR_UNSUPPORTED for moving averages, for an observer of another kind or treatment of values
/// that are not finite, and for the observer itself; QTENSOR_SHAPE_MISMATCH for another number of
/// channels or bins or another axis; QTENSOR_OVERFLOW beyond 2^62 values in a channel.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_observer_merge(
    observer: *mut qtensor_observer_t,
    other: *const qtensor_observer_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the crate's Safety section; the two are different objects, which is checked first.
    unsafe {
        call(error, || {
            if !other.is_null() && core::ptr::eq(observer, other) {
                return Err(Error::UnsupportedName {
                    what: "observer to merge",
                    value: Excerpt::new(b"the same one"),
                    reason: "its values would count twice",
                });
            }
            let observer = exclusive(observer, "observer")?;
            observer.0.merge(&shared(other, "other")?.0)
        })
    }
}

/// Forgets everything that an observer has seen.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_observer_reset(
    observer: *mut qtensor_observer_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the crate's Safety section.
    unsafe {
        call(error, || {
            exclusive(observer, "observer")?.0.reset();
            Ok(())
        })
    }
}

/// The bytes of an observer's serialized state: the same for all observers with its options, whatever
/// they have seen, so that states can be put into arrays.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_observer_serialized_size(
    observer: *const qtensor_observer_t,
    out: *mut usize,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the crate's Safety section.
    unsafe {
        call(error, || {
            let observer = shared(observer, "observer")?;
            let out = output(out, "out")?;
            out.write(observer.0.serialized_size()?);
            Ok(())
        })
    }
}

/// Writes an observer's state: the same bytes on every machine and for every order of the same values.
///
/// QTENSOR_BUFFER_TOO_SMALL where `capacity` is less than qtensor_observer_serialized_size().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_observer_serialize(
    observer: *const qtensor_observer_t,
    buf: *mut u8,
    capacity: usize,
    written: *mut usize,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the crate's Safety section.
    unsafe {
        call(error, || {
            let observer = shared(observer, "observer")?;
            let buffer = slice_mut(buf, capacity, "buf")?;
            let written = output(written, "written")?;
            written.write(observer.0.serialize_into(buffer)?);
            Ok(())
        })
    }
}

/// Makes an observer with a state that was serialized, to be freed with qtensor_observer_free().
///
/// QTENSOR_UNSUPPORTED for a state of another version; QTENSOR_MALFORMED for what is no state: of
/// another length than it says, with a changed bit, or with numbers that no values have. At most 16
/// bytes are allocated per byte present.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_observer_deserialize(
    bytes: *const u8,
    len: usize,
    out: *mut *mut qtensor_observer_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the crate's Safety section.
    unsafe {
        call(error, || {
            let bytes = slice(bytes, len, "bytes")?;
            let out = output(out, "out")?;
            give(qtensor_observer_t(Observer::deserialize(bytes)?), out)
        })
    }
}

/// What was seen of a channel; without channels it is channel 0. The caller has set out->struct_size
/// to sizeof(qtensor_statistics_t).
///
/// QTENSOR_OUT_OF_RANGE for a channel that is not there; QTENSOR_BUFFER_TOO_SMALL where
/// out->struct_size is smaller than the first version's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_observer_statistics(
    observer: *const qtensor_observer_t,
    channel: usize,
    out: *mut qtensor_statistics_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the crate's Safety section.
    unsafe {
        call(error, || {
            let observer = shared(observer, "observer")?;
            capacity_of(out, "out")?;
            let seen = observer.0.statistics(channel)?;
            let statistics = qtensor_statistics_t {
                struct_size: size_of::<qtensor_statistics_t>(),
                finite: seen.finite,
                nan: seen.nan,
                positive_infinite: seen.positive_infinite,
                negative_infinite: seen.negative_infinite,
                zeros: seen.zeros,
                batches: seen.batches,
                min: seen.min,
                max: seen.max,
                mean: seen.mean,
                variance: seen.variance,
                mean_square: seen.mean_square,
                average_min: seen.average_min,
                average_max: seen.average_max,
            };
            fill(statistics, out, "out")
        })
    }
}
