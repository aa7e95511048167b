//! Codes to floats.
//!
//! Codes of at most 8 bits stand for at most 256 values (512 with a sign), so they are computed
//! once, exactly, and then looked up: [`Table`]. Where a table would not be worth it, because
//! every few elements have another step, `scaled` computes the values one by one.
//!
//! The specification of both is `scale * (x + bias)` in double precision, rounded to the type of
//! the values; `tests/kernels_dequantize.rs` holds every level to it.

use super::cpu::{Kind, Level};
use super::halves::{f64_to_bfloat16, f64_to_half};
use super::quantize::Step;
use super::widen::{Bfloat16, Half};

#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "x86_64")]
mod planes;
mod scaled;
mod table;

pub use scaled::{scaled, wide};
#[cfg(target_arch = "x86_64")]
use table::{Product, SHIFT};
pub use table::{Table, decode, lookup};

/// A type of values that codes stand for.
pub trait Output: Copy + Default + 'static {
    /// The nearest value of the type, even in the middle.
    fn nearest(value: f64) -> Self;
    /// Whether this is a certain value in single precision, bit by bit.
    fn is_single(self, value: f32) -> bool {
        let _ = value;
        false
    }
}

impl Output for f32 {
    #[inline(always)]
    fn nearest(value: f64) -> f32 {
        value as f32
    }
    #[inline(always)]
    fn is_single(self, value: f32) -> bool {
        self.to_bits() == value.to_bits()
    }
}

impl Output for f64 {
    #[inline(always)]
    fn nearest(value: f64) -> f64 {
        value
    }
}

impl Output for Half {
    #[inline(always)]
    fn nearest(value: f64) -> Half {
        Half(f64_to_half(value))
    }
}

impl Output for Bfloat16 {
    #[inline(always)]
    fn nearest(value: f64) -> Bfloat16 {
        Bfloat16(f64_to_bfloat16(value))
    }
}

/// The value of a magnitude and a sign. A sign on magnitude 0 negates nothing.
#[inline(always)]
fn value_of<T: Output>(step: &Step, magnitude: f64, negative: bool) -> T {
    // Not a negation, which would make -0 of 0 and show where the bias is 0.
    let code = if negative { 0.0 - magnitude } else { magnitude };
    T::nearest(step.scale * (code + step.bias))
}
