//! Caffe2's quantized tensor.
#[doc(hidden)]
pub mod kernels;
