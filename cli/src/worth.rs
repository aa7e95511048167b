//! Which tensors of floats are quantized, as far as their shape says it: weights are, biases and other
//! small tensors are not worth it.

use crate::numbers;
use caffe2_qtensor::DenseTensor;

/// The rule and its exceptions.
#[derive(clap::Args, Clone, Copy, Debug)]
pub(crate) struct Worth {
    /// Quantize floats of any shape and size
    #[arg(long)]
    all: bool,
    /// Leave tensors with fewer elements alone
    #[arg(long, value_name = "N", default_value_t = 256, conflicts_with = "all")]
    #[arg(allow_negative_numbers = true, value_parser = numbers::count)]
    min_size: usize,
}

impl Worth {
    /// Why a tensor is left alone, if it is.
    pub(crate) fn refuses(&self, tensor: &DenseTensor) -> Option<String> {
        let size = tensor.elements().len();
        if self.all {
            None
        } else if tensor.dims().len() < 2 {
            Some("it has fewer than two dimensions, like a bias".to_owned())
        } else if size < self.min_size {
            Some(format!("it has {size} values, and fewer than {} are too few", self.min_size))
        } else {
            None
        }
    }
}
