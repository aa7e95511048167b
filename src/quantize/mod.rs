//! Floats to codes and back: quantizers, the choice of parameters and the numbers they work on.
//!
//! Stands on [`QTensor`](crate::QTensor), `planes` and `kernels`.

mod dequantize;
mod layout;
mod linear;
mod options;
mod steps;
mod value;

pub use linear::MAX_PRECISION;
pub use options::{Counts, NonFinite, QuantizeOptions, Rounding, Scheme};
pub use value::{Floats, Value};
