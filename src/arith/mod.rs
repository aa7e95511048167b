//! Arithmetic on codes, exact as long as it stays in integers.
//!
//! Stands on [`QTensor`](crate::QTensor) and the kernels. `product` has matrix products, see
//! [`PackedWeights`]; `fixed` is everything from codes to codes without floats between.

mod fixed;
mod multiplier;
mod product;
mod ratio;

pub use fixed::FixedOptions;
pub use multiplier::FixedRounding;
pub use product::{InputFormat, PackedWeights, ProductMethod, ProductOptions, SumType};
