//! Calls without handles: halves, choices for a range, an argument of a Conv1d.

use super::input::Input;
use super::status::{Refusals, written, *};
use caffe2_qtensor::capi::choose::*;
use caffe2_qtensor::capi::conv1d::qtensor_conv1d_argument;
use caffe2_qtensor::capi::error::{qtensor_error_code, qtensor_error_free, qtensor_error_message};
use caffe2_qtensor::capi::halves::*;
use caffe2_qtensor::capi::tensor::qtensor_version;
use std::ffi::CStr;

/// The value of half-precision bits, by the definition of the format.
pub(super) fn half_value(bits: u16) -> f64 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    let magnitude = match exponent {
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        0 => fraction * 2f64.powi(-24),
        _ => (1024.0 + fraction) * 2f64.powi(exponent - 25),
    };
    if bits >> 15 == 1 { -magnitude } else { magnitude }
}

pub(super) fn bfloat_value(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

/// The half-precision bits nearest to a number.
pub(super) fn half_of(value: f64) -> u16 {
    nearest(value, 0x7c00, 2f64.powi(16), half_value)
}

/// The bfloat16 bits nearest to a number.
pub(super) fn bfloat_of(value: f64) -> u16 {
    nearest(value, 0x7f80, 2f64.powi(128), |bits| f64::from(bfloat_value(bits)))
}

/// The bits whose value is nearest; of two the even ones. Infinity counts as the next number that
/// there would be, and bits grow with their values.
fn nearest(value: f64, infinity: u16, next: f64, value_of: impl Fn(u16) -> f64) -> u16 {
    let sign = if value.is_sign_negative() { 0x8000 } else { 0 };
    let magnitude = value.abs();
    if magnitude.is_nan() {
        return sign | infinity | 1;
    }
    let value_of = |bits: u16| if bits == infinity { next } else { value_of(bits) };
    let (mut below, mut above) = (0u16, infinity);
    while above - below > 1 {
        let middle = below + (above - below) / 2;
        if value_of(middle) <= magnitude { below = middle } else { above = middle }
    }
    // Exact: neither format has many bits.
    let middle = f64::midpoint(value_of(below), value_of(above));
    let up = magnitude > middle || (magnitude == middle && below & 1 == 1);
    sign | if up { above } else { below }
}

pub(super) fn step(input: &mut Input<'_>) {
    match input.below(8) {
        0..2 => halves(input),
        2 => saturate(input),
        3..5 => choose(input),
        5 => conv1d(input),
        6 => super::choices::exact(input),
        _ => {
            // SAFETY: all of them take NULL.
            unsafe {
                assert_eq!(qtensor_error_code(std::ptr::null()), 0);
                assert!(qtensor_error_message(std::ptr::null()).is_null());
                qtensor_error_free(std::ptr::null_mut());
                let version = CStr::from_ptr(qtensor_version()).to_str().expect("ASCII");
                assert!(version.split('.').all(|part| part.parse::<u32>().is_ok()));
            }
        }
    }
}

fn halves(input: &mut Input<'_>) {
    let (value, bits) = (input.float(), input.word() as u16);
    let value = if input.flag() { value } else { f32::from_bits(input.word() as u32) };
    let same = |a: f64, b: f64| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
    assert!(same(f64::from(qtensor_half_to_float(bits)), half_value(bits)));
    assert!(same(f64::from(qtensor_bfloat16_to_float(bits)), f64::from(bfloat_value(bits))));
    if value.is_nan() {
        assert!(half_value(qtensor_half_from_float(value)).is_nan());
        assert!(bfloat_value(qtensor_bfloat16_from_float(value)).is_nan());
        return;
    }
    assert_eq!(qtensor_half_from_float(value), half_of(f64::from(value)));
    assert_eq!(qtensor_bfloat16_from_float(value), bfloat_of(f64::from(value)));
}

fn saturate(input: &mut Input<'_>) {
    let (nulls, with_error) = (input.nulls(), input.flag());
    let count = input.below(20);
    let values = input.floats(count);
    let mut changed = values.clone();
    let mut out = 77;
    let (at, to) = (nulls.slice_mut(0, &mut changed, count), nulls.at_mut(1, &raw mut out));
    // SAFETY: a buffer and an output, or NULL.
    let accepted = Refusals::new()
        .nulls(&nulls)
        .call(with_error, |error| unsafe { qtensor_half_saturate(at, count, to, error) });
    let outside = values.iter().filter(|value| value.abs() > 65504.0).count();
    written(accepted, out, outside, 77);
    for (value, changed) in values.iter().zip(changed) {
        let moved = accepted && !value.is_nan();
        let expected = if moved { value.clamp(-65504.0, 65504.0) } else { *value };
        assert_eq!(changed.to_bits(), expected.to_bits());
    }
}

fn choose(input: &mut Input<'_>) {
    let (nulls, with_error) = (input.nulls(), input.flag());
    let (min, max) = (input.float(), input.float());
    let options = qtensor_choose_options_t {
        qmin: input.index().wrapping_mul(32),
        qmax: 255i32.wrapping_sub(input.index().wrapping_mul(16)),
        preserve_sparsity: i32::from(input.flag()),
        force_scale_power_of_two: i32::from(input.flag()),
        reduce_range: i32::from(input.flag()),
        chooser: input.choice(2),
        mend_defects: i32::from(input.flag()),
        ..qtensor_choose_options_t::default()
    };
    let before = qtensor_chosen_t {
        struct_size: size_of::<qtensor_chosen_t>(),
        scale: 77.0,
        zero_point: 77,
        reserved: 0,
    };
    let mut out = before;
    let to = nulls.at_mut(0, &raw mut out);
    let finite = min.is_finite() && max.is_finite();
    let wrong = finite && min > max;
    let chooser = !(0..2).contains(&options.chooser);
    let refusals = Refusals::new()
        .nulls(&nulls)
        .when(!finite, QTENSOR_NON_FINITE)
        .when(wrong || chooser, QTENSOR_INVALID_ARGUMENT)
        .when(options.qmin >= options.qmax, QTENSOR_OUT_OF_RANGE)
        .maybe(true, &[QTENSOR_OUT_OF_RANGE, QTENSOR_NON_FINITE]);
    // SAFETY: structures, or NULL.
    let accepted = refusals.call(with_error, |error| unsafe {
        qtensor_params_choose(min, max, &raw const options, to, error)
    });
    if !accepted {
        assert_eq!((out.scale, out.zero_point), (77.0, 77));
        return;
    }
    let half = |code: i32| if options.reduce_range != 0 { code / 2 } else { code };
    assert!((half(options.qmin)..=half(options.qmax)).contains(&out.zero_point));
    if options.mend_defects != 0 {
        assert!(out.scale > 0.0 && out.scale.is_finite());
    }
}

fn conv1d(input: &mut Input<'_>) {
    let (nulls, with_error) = (input.nulls(), input.flag());
    let count = input.below(4);
    let arguments: Vec<i64> = (0..count).map(|_| i64::from(input.index())).collect();
    let base = i64::from(input.index());
    let mut out = [77i64; 2];
    let (at, to) = (nulls.slice(0, &arguments, count), nulls.at_mut(1, out.as_mut_ptr()));
    let refusals = Refusals::new().nulls(&nulls).when(count == 0, QTENSOR_OUT_OF_RANGE);
    // SAFETY: a slice and two outputs, or NULL.
    let accepted = refusals
        .call(with_error, |error| unsafe { qtensor_conv1d_argument(at, count, base, to, error) });
    let own = arguments.get(1).or(arguments.first()).copied().unwrap_or(0);
    written(accepted, out, [base, own], [77; 2]);
}
