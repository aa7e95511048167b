//! The only SIMD in the crate, and the plain numbers that it works on.
//!
//! A folder per operation: `mod.rs` states the contract and picks; `portable` is plain Rust,
//! `avx2` and `avx512` use those instructions. All three are proved against a naive specification
//! (in `tests/kernels_*.rs`) on every length and alignment. Kernels take slices whose sizes their
//! entry points have checked, know nothing of tensors, and never touch a byte outside their
//! slices. This module is public for the crate's own tests and benchmarks; it is no part of the
//! stable interface.

#![allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "kernels work on sizes that their entry points have checked"
)]

pub mod bits;
mod compiled;
pub mod counter;
pub mod cpu;
pub mod dequantize;
pub mod distortion;
pub mod errors;
pub mod fixed;
pub mod halves;
pub mod lanes;
pub mod observe;
pub mod product;
pub mod quantize;
pub mod rows;
pub mod stream;
pub mod transpose;
pub mod varint;
pub mod widen;
pub mod windows;

pub use cpu::Level;
pub use rows::Rows;
