//! The types of floats that codes are made from and turned into.

use crate::kernels::dequantize::Output;
use crate::kernels::halves::{bfloat16_to_f32, half_to_f32};
use crate::kernels::{Level, widen};
use crate::planes::fill::NARROW;

pub use crate::kernels::widen::{Bfloat16, Half};

/// A floating-point type that can be quantized and dequantized.
pub trait Value: Output + Send + Sync + sealed::Value {}

/// Values of which some are, exactly, in single or in double precision.
#[derive(Clone, Copy, Debug)]
pub enum Floats<'a> {
    /// Single precision.
    Single(&'a [f32]),
    /// Double precision.
    Double(&'a [f64]),
}

pub(super) mod sealed {
    use super::Floats;

    pub trait Value: Sized {
        /// Where values of the type are turned into others, block by block.
        type Buffer: Default + Send;
        /// Whether [`Floats::Single`] holds all values of the type.
        const SINGLE: bool;
        /// At most `NARROW` values, where they lie or in the buffer.
        fn floats<'a>(values: &'a [Self], buffer: &'a mut Self::Buffer) -> Floats<'a>;
        /// The value itself.
        fn wide(self) -> f64;
    }
}

impl Value for f32 {}
impl sealed::Value for f32 {
    type Buffer = ();
    const SINGLE: bool = true;
    fn floats<'a>(values: &'a [f32], (): &'a mut ()) -> Floats<'a> {
        Floats::Single(values)
    }
    fn wide(self) -> f64 {
        f64::from(self)
    }
}

impl Value for f64 {}
impl sealed::Value for f64 {
    type Buffer = ();
    const SINGLE: bool = false;
    fn floats<'a>(values: &'a [f64], (): &'a mut ()) -> Floats<'a> {
        Floats::Double(values)
    }
    fn wide(self) -> f64 {
        self
    }
}

/// The floats that the values of a block widen to.
#[derive(Debug)]
pub struct Widened([f32; NARROW]);

impl Default for Widened {
    fn default() -> Widened {
        Widened([0.0; NARROW])
    }
}

macro_rules! widened {
    ($type:ty, $widen:path, $to_f32:path) => {
        impl Value for $type {}
        impl sealed::Value for $type {
            type Buffer = Widened;
            const SINGLE: bool = true;
            fn floats<'a>(values: &'a [$type], buffer: &'a mut Widened) -> Floats<'a> {
                let floats = buffer.0.get_mut(..values.len()).unwrap_or_default();
                $widen(Level::best(), values, floats);
                Floats::Single(floats)
            }
            fn wide(self) -> f64 {
                f64::from($to_f32(self.0))
            }
        }
    };
}

widened!(Half, widen::halves, half_to_f32);
widened!(Bfloat16, widen::bfloat16s, bfloat16_to_f32);
