//! The C interface: the only `extern "C"`, the only raw pointers from outside.
//!
//! Each function turns its pointers into references and slices and calls the safe code of this
//! crate; the terms on which that is sound stand in the crate's Safety section. What the
//! functions promise to C is written in their comments, which are the header's.

#![allow(
    non_camel_case_types,
    reason = "types carry the names that the header gives them, so that each can be found"
)]
#![allow(
    clippy::missing_safety_doc,
    reason = "the crate's Safety section states the terms for all of them at once"
)]

pub mod blobs;
pub mod borrow;
pub mod calibrate;
pub mod channels;
pub mod choose;
pub mod codes;
pub mod conv1d;
pub mod dense;
pub mod dequantize;
pub mod energy;
pub mod error;
pub mod fixed;
pub mod halves;
mod handle;
pub mod int8;
pub mod logarithmic;
pub mod loss;
pub mod loss_metrics;
pub mod measure;
pub mod minidb;
pub mod observer;
mod panic;
pub mod parsed;
pub mod peek;
pub mod product;
pub mod product_options;
pub mod quantize;
pub mod serialize;
pub mod status;
pub mod tensor;
pub mod view;
pub mod zero_point;
