//! Calibration: what scale and bias the codes of some values should have.
//!
//! An [`Observer`] sees the values, all at once or batch by batch, on one machine or on many, and
//! remembers of them what a choice needs, in bounded memory. The state is a function of the values
//! as a multiset: how they were split into batches, in which order they came and how observers were
//! merged leaves no trace in it, to the last bit. [`Observer::choose`] then picks the parameters.
//!
//! # How the state is exact
//!
//! A histogram has a number of bins, 4096 unless the caller says otherwise, of width `2^e`, with
//! an edge at 0. Here `e` is the smallest exponent for which all values lie within a window of so
//! many bins and the largest magnitude's last bit is not below the bins' width: it follows from the
//! smallest and the largest value alone. When a value arrives outside the window, the width doubles
//! until it fits, and pairs of bins are merged; since edges are multiples of a power of two, a bin
//! is always the union of two narrower ones, and the counts are what they would have been from the
//! start.
//!
//! Each bin also has the exact sums of its values and of their squares. A single-precision number
//! that is at least as large as the bins are wide is its bin's edge and a whole number of
//! `2^(e - 23)`, so the sums are those of integers below `2^23` and of their squares: 128 bits
//! hold them for more values than can be counted. When bins are merged the integers are halved,
//! without a rest. Only next to 0 may numbers have bits below that unit, down to `2^-149`; there
//! each octave, each power of two, has a slot of its own, in which the integer is the number's
//! mantissa. A doubling turns the bins from `2^e` to `2^(e + 1)` into octaves, just as they are. So
//! nothing is ever rounded, for any values that single precision has, and data of huge range keeps
//! a count for each octave where its bins are too wide.
//!
//! The width cannot become too small: for a single value it is that of the value's last bit, down to
//! `2^-149`. Nor too large: `2^120` holds all finite floats.
//!
//! Stands on [`quantize`](crate::quantize) and `kernels`.

mod best;
mod caffe2;
mod cells;
mod channel;
mod choose;
mod config;
mod exact;
mod legal;
mod observer;
mod point;
mod predict;
mod rules;
mod search;
mod state;
mod statistics;
mod target;
mod wire;

pub use caffe2::{Caffe2Method, Caffe2Options, choose_caffe2};
pub use choose::{Choice, Method};
pub use config::{Kind, Missing, ObserverConfig};
pub use exact::choose_exact;
pub use observer::Observer;
pub use statistics::Statistics;
pub use target::{Target, Zero};
