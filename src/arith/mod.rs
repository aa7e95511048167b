//! Arithmetic on codes, exact as long as it stays in integers.
//!
//! Stands on [`QTensor`](crate::QTensor) and the kernels. A matrix product turns the codes of both
//! sides into bytes that the product kernel multiplies; see [`PackedWeights`]. Everything else is
//! fixed-point arithmetic, from codes to codes without floats between; see `fixed`.

mod fixed;
mod multiplier;
mod operand;
mod packed;
mod product;
mod ratio;

pub use fixed::FixedOptions;
pub use multiplier::FixedRounding;
pub use packed::PackedWeights;
