//! Floats to codes and back: quantizers, the choice of parameters and the numbers they work on.
//!
//! Stands on [`QTensor`](crate::QTensor), `planes` and `kernels`.

mod choose;
mod conv1d;
mod dequantize;
mod dorefa;
mod halves;
mod layout;
mod linear;
mod logarithmic;
mod options;
mod reach;
mod steps;
mod value;
mod zero_point;

pub use crate::kernels::halves::{
    bfloat16_to_f32, f32_to_bfloat16, f32_to_half, f64_to_bfloat16, f64_to_half, half_to_f32,
};
pub use choose::{ChooseOptions, Chooser, Chosen, choose_quantization_params};
pub use conv1d::conv1d_argument;
pub use halves::{HALF_MAX, saturate_to_half};
pub(crate) use layout::Layout;
pub use linear::MAX_PRECISION;
pub use options::{Counts, NonFinite, QuantizeOptions, Rounding, Scheme};
pub(crate) use reach::Reach;
pub use value::{Bfloat16, Half, Value};
pub(crate) use zero_point::as_int32;
pub use zero_point::{bias_of_zero_point, zero_point_of_bias};
