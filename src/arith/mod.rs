//! Arithmetic on codes, exact as long as it stays in integers.
//!
//! Stands on [`QTensor`](crate::QTensor) and the kernels. A matrix product turns the codes of both
//! sides into bytes that the product kernel multiplies; see [`PackedWeights`].

mod operand;
mod packed;
mod product;

pub use packed::PackedWeights;
