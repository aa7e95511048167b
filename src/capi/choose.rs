//! Scale and zero point for a range of values.

use super::error::qtensor_error_t;
use super::handle::{Extensible, Options, capacity_of, fill, options};
use super::panic::call;
use super::status::qtensor_status;
use crate::error::{Error, Result};
use crate::quantize::{ChooseOptions, Chooser, Chosen, choose_quantization_params};

/// The chooser of Caffe2's quant_utils: the scale is a double, and of the two candidates for the
/// zero point, qmin - min/scale and qmax - max/scale, that with the smaller |q| - |value/scale| is
/// taken.
pub const QTENSOR_CHOOSER_QUANT_UTILS: i32 = 0;
/// The chooser of fbgemm, which dnnlowp and so Caffe2's operators use: the scale is rounded to a
/// float, and the candidate with the smaller |q| + |value/scale| is taken. There it knew no reduced
/// range; here it takes one.
pub const QTENSOR_CHOOSER_DNNLOWP: i32 = 1;

/// What qtensor_params_choose() is asked for. The default is 0 to 255 and 0 for all else.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct qtensor_choose_options_t {
    /// The caller's sizeof(qtensor_choose_options_t).
    pub struct_size: usize,
    /// The smallest code.
    pub qmin: i32,
    /// The largest code.
    pub qmax: i32,
    /// Not 0: a range with values on both sides of 0 is widened so that 0 falls on the code in the
    /// middle.
    pub preserve_sparsity: i32,
    /// Not 0: the scale is rounded up to a power of two.
    pub force_scale_power_of_two: i32,
    /// Not 0: qmin and qmax are halved, toward 0, before anything else.
    pub reduce_range: i32,
    /// A QTENSOR_CHOOSER_ constant.
    pub chooser: i32,
    /// Not 0: sound results where Caffe2's are not, instead of the same as Caffe2. A power of two
    /// is then the smallest that is not less than the scale; Caffe2's are wrong, even negative, for
    /// scales above 2^30 and from 2^-31 down, and too large at 2^29. And QTENSOR_NON_FINITE where
    /// Caffe2 returns an infinite scale, because the range widened for sparsity exceeds single
    /// precision.
    pub mend_defects: i32,
    /// Must be 0; a later version may give it a meaning.
    pub reserved: i32,
}

// SAFETY: repr(C), the size first, and then an even number of 32-bit members.
unsafe impl Extensible for qtensor_choose_options_t {
    const FIRST_SIZE: usize = size_of::<usize>() + size_of::<[i32; 8]>();
}
const _: () =
    assert!(size_of::<qtensor_choose_options_t>() == qtensor_choose_options_t::FIRST_SIZE);

// SAFETY: integers only.
unsafe impl Options for qtensor_choose_options_t {}

impl Default for qtensor_choose_options_t {
    fn default() -> Self {
        let ChooseOptions { qmin, qmax, .. } = ChooseOptions::default();
        qtensor_choose_options_t {
            struct_size: size_of::<Self>(),
            qmin,
            qmax,
            preserve_sparsity: 0,
            force_scale_power_of_two: 0,
            reduce_range: 0,
            chooser: QTENSOR_CHOOSER_QUANT_UTILS,
            mend_defects: 0,
            reserved: 0,
        }
    }
}

impl qtensor_choose_options_t {
    fn checked(&self) -> Result<ChooseOptions> {
        let refused =
            |what, value, rule| Error::InvalidArgument { what, value: i128::from(value), rule };
        if self.reserved != 0 {
            return Err(refused("reserved member of the options", self.reserved, "0"));
        }
        Ok(ChooseOptions {
            qmin: self.qmin,
            qmax: self.qmax,
            preserve_sparsity: self.preserve_sparsity != 0,
            force_scale_power_of_two: self.force_scale_power_of_two != 0,
            reduce_range: self.reduce_range != 0,
            chooser: match self.chooser {
                QTENSOR_CHOOSER_QUANT_UTILS => Chooser::QuantUtils,
                QTENSOR_CHOOSER_DNNLOWP => Chooser::Dnnlowp,
                other => return Err(refused("chooser", other, "a QTENSOR_CHOOSER_ constant")),
            },
            mend_defects: self.mend_defects != 0,
        })
    }
}

/// A scale and a zero point: a code q stands for scale * (q - zero_point). A tensor takes them by
/// qtensor_set_scale() and qtensor_set_zero_point().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct qtensor_chosen_t {
    /// Before the call the caller's sizeof(qtensor_chosen_t), after it the bytes that were filled.
    pub struct_size: usize,
    /// The distance between the values of two neighboring codes; from QTENSOR_CHOOSER_DNNLOWP one
    /// that a float holds.
    pub scale: f64,
    /// The code that stands for 0, from qmin to qmax.
    pub zero_point: i32,
    /// Always 0; a later version may give it a meaning.
    pub reserved: i32,
}

// SAFETY: repr(C), the size first, and the reserved member fills what would be padding.
unsafe impl Extensible for qtensor_chosen_t {
    const FIRST_SIZE: usize = size_of::<qtensor_chosen_t>();
}
const _: () = assert!(usize::BITS != 64 || size_of::<qtensor_chosen_t>() == 24);

impl From<Chosen> for qtensor_chosen_t {
    fn from(chosen: Chosen) -> Self {
        qtensor_chosen_t {
            struct_size: size_of::<Self>(),
            scale: chosen.scale,
            zero_point: chosen.zero_point,
            reserved: 0,
        }
    }
}

/// Chooses the scale and zero point by which codes from qmin to qmax cover values from `min` to
/// `max`, bit for bit as Caffe2's ChooseQuantizationParams.
///
/// The range is widened to hold 0. A scale that is 0, or whose reciprocal is infinite in single
/// precision, becomes 0.1. `options` may be NULL. The caller has set out->struct_size to
/// sizeof(qtensor_chosen_t). May be called from many threads at once.
///
/// QTENSOR_NON_FINITE where `min` or `max` is infinite or NaN; QTENSOR_INVALID_ARGUMENT where `min`
/// is above `max`, and for a chooser that there is not; QTENSOR_OUT_OF_RANGE where qmin is not less
/// than qmax, after it was halved if that was asked for, and where sparsity is to be preserved with
/// only two codes; QTENSOR_BUFFER_TOO_SMALL where out->struct_size is smaller than this version's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qtensor_params_choose(
    min: f32,
    max: f32,
    options: *const qtensor_choose_options_t,
    out: *mut qtensor_chosen_t,
    error: *mut *mut qtensor_error_t,
) -> qtensor_status {
    // SAFETY: the caller passes pointers that are NULL or valid as documented.
    unsafe {
        call(error, || {
            capacity_of(out, "out")?;
            let options = self::options(options, "options")?.checked()?;
            fill(choose_quantization_params(min, max, &options)?.into(), out, "out")
        })
    }
}
