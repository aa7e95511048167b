//! Caffe2's quantized tensor.
mod caffe2;
mod error;
#[doc(hidden)]
pub mod kernels;
mod params;
mod planes;
mod tensor;
pub use caffe2::blob::*;
pub use caffe2::dense::*;
pub use caffe2::minidb;
pub use error::*;
pub use params::Params;
pub use planes::codes::Code;
pub use tensor::*;
