//! The types of floats that codes are made from and turned into.

use crate::kernels::dequantize::Output;

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
        /// At most [`NARROW`](super::NARROW) values, where they lie or in the buffer.
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
