//! Arithmetic on codes, exact as long as it stays in integers.
//!
//! Stands on [`QTensor`](crate::QTensor) and the kernels. A matrix product takes the planes of both
//! sides as they are, or turns them into bytes: see [`PackedWeights`] and [`ProductMethod`].

mod buffer;
mod factors;
mod floats;
mod left;
mod matrix;
mod method;
mod output;
mod packed;
mod product;
mod sums;

pub use floats::InputFormat;
pub use method::{ProductMethod, ProductOptions};
pub use packed::PackedWeights;
pub use product::SumType;
