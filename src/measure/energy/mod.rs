//! Energy: measured where the machine lets us, and modeled, which is always possible and says so.
//!
//! A [`Meter`] reads the counters of the processor's packages; where there are none, as in most
//! virtual machines, or they are not to be read, that is an error of kind
//! [`Unavailable`](crate::ErrorKind::Unavailable), never 0. [`modeled`] adds up what operations and
//! accesses of memory are known to take, by a [`Table`].

mod file;
mod meter;
mod model;
mod perf;
mod powercap;

pub use meter::{Meter, Reading, Source};
pub use model::{Modeled, Table, Work, modeled};
