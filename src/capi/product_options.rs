//! How products are done, and what floats become before them.

use super::fixed::{QTENSOR_FIXED_NEAREST, fixed_rounding};
use super::handle::{Extensible, Options};
use crate::arith::{InputFormat, ProductMethod, ProductOptions};
use crate::error::{Error, Result};

/// The best way for the operands: what qtensor_product_method() says.
pub const QTENSOR_METHOD_BEST: i32 = 0;
/// AND and popcount, of each plane of one side with each of the other. The best way where the two
/// numbers of planes, a sign plane being one, multiply to 4 or less.
pub const QTENSOR_METHOD_POPCOUNT: i32 = 1;
/// The same in half the work, for signed codes of 1 bit on both sides.
pub const QTENSOR_METHOD_TERNARY: i32 = 2;
/// Both sides become bytes, which are multiplied: the best way for more planes than that.
pub const QTENSOR_METHOD_BYTES: i32 = 3;
/// The input becomes bytes; the weights are read as planes and are bytes in registers alone. The best
/// way for more planes than that and up to 8 rows of input.
pub const QTENSOR_METHOD_PLANES: i32 = 4;

/// How a product is done. All 0 but struct_size are the defaults, and so is NULL.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct qtensor_product_options_t {
    /// Its size, sizeof(qtensor_product_options_t).
    pub struct_size: usize,
    /// A QTENSOR_METHOD constant. All give the same results.
    pub method: i32,
    /// The most threads to work on, 0 being 1. Small products get fewer; one row is shared by its
    /// outputs, more by rows. Results are the same for any number.
    pub threads: u32,
    /// A QTENSOR_FIXED_ constant: how qtensor_product_codes() rounds. The other calls
    /// check it and do not use it.
    pub rounding: i32,
    /// 0.
    pub reserved: u32,
}

impl Default for qtensor_product_options_t {
    fn default() -> Self {
        qtensor_product_options_t {
            struct_size: size_of::<Self>(),
            method: QTENSOR_METHOD_BEST,
            threads: 1,
            rounding: QTENSOR_FIXED_NEAREST,
            reserved: 0,
        }
    }
}

// SAFETY: repr(C), the size first, then an even number of 32-bit members.
unsafe impl Extensible for qtensor_product_options_t {
    const FIRST_SIZE: usize = size_of::<qtensor_product_options_t>();
}
const _: () = assert!(usize::BITS != 64 || size_of::<qtensor_product_options_t>() == 24);
// SAFETY: integers only.
unsafe impl Options for qtensor_product_options_t {}

impl qtensor_product_options_t {
    pub(super) fn checked(&self) -> Result<ProductOptions> {
        let method = match self.method {
            QTENSOR_METHOD_BEST => None,
            QTENSOR_METHOD_POPCOUNT => Some(ProductMethod::Popcount),
            QTENSOR_METHOD_TERNARY => Some(ProductMethod::Ternary),
            QTENSOR_METHOD_BYTES => Some(ProductMethod::Bytes),
            QTENSOR_METHOD_PLANES => Some(ProductMethod::Planes),
            other => {
                return Err(Error::InvalidArgument {
                    what: "method of the product",
                    value: other.into(),
                    rule: "a QTENSOR_METHOD constant",
                });
            }
        };
        if self.reserved != 0 {
            return Err(Error::Unsupported {
                what: "reserved member of the options",
                value: self.reserved.into(),
                reason: "this version of the library has no such option",
            });
        }
        let threads = usize::try_from(self.threads).unwrap_or(usize::MAX);
        Ok(ProductOptions { method, threads, rounding: fixed_rounding(self.rounding)? })
    }
}

/// Scale and bias are the members of the format.
pub const QTENSOR_INPUT_GIVEN: i32 = 0;
/// Scale and bias are chosen for each call, so that the codes cover all of its values, and 0 exactly:
/// without a sign by qtensor_params_choose() with its defaults, with one from the largest magnitude.
/// The members of the format do not count.
pub const QTENSOR_INPUT_COVERING: i32 = 1;

/// What becomes of floats before they are multiplied.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct qtensor_input_format_t {
    /// Its size, sizeof(qtensor_input_format_t).
    pub struct_size: usize,
    /// The scale of scale * (x + bias): positive, finite and normal.
    pub scale: f64,
    /// The bias there: finite.
    pub bias: f64,
    /// A QTENSOR_INPUT constant.
    pub parameters: i32,
    /// Bits of a code, 1 to 8.
    pub precision: u8,
    /// 1 for codes with a sign, 0 for others.
    pub is_signed: u8,
    /// 0.
    pub reserved: u16,
}

impl Default for qtensor_input_format_t {
    /// Eight bits that cover the values.
    fn default() -> Self {
        qtensor_input_format_t {
            struct_size: size_of::<Self>(),
            scale: 0.0,
            bias: 0.0,
            parameters: QTENSOR_INPUT_COVERING,
            precision: 8,
            is_signed: 0,
            reserved: 0,
        }
    }
}

// SAFETY: repr(C), the size first; no padding where that is as wide as a double.
unsafe impl Extensible for qtensor_input_format_t {
    const FIRST_SIZE: usize = size_of::<qtensor_input_format_t>();
}
const _: () = assert!(usize::BITS != 64 || size_of::<qtensor_input_format_t>() == 32);
// SAFETY: integers and floats only.
unsafe impl Options for qtensor_input_format_t {}

impl qtensor_input_format_t {
    pub(super) fn checked(&self) -> Result<InputFormat> {
        let refused = |what, value: i128, rule| Err(Error::InvalidArgument { what, value, rule });
        let parameters = match self.parameters {
            QTENSOR_INPUT_GIVEN => Some((self.scale, self.bias)),
            QTENSOR_INPUT_COVERING => None,
            other => {
                let rule = "a QTENSOR_INPUT constant";
                return refused("choice of the parameters of the input", other.into(), rule);
            }
        };
        if self.is_signed > 1 {
            return refused("sign of the input", self.is_signed.into(), "0 or 1");
        }
        if self.reserved != 0 {
            return Err(Error::Unsupported {
                what: "reserved member of the format",
                value: self.reserved.into(),
                reason: "this version of the library has no such member",
            });
        }
        let is_signed = self.is_signed == 1;
        Ok(InputFormat { precision: self.precision, is_signed, parameters })
    }
}
