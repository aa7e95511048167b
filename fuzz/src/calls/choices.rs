//! Choices of scale and bias: by what an observer has seen, by values, and of tensors at once.

use super::Machine;
use super::input::Input;
use super::status::{Refusals, Status, given, untouched, *};
use caffe2_qtensor::capi::calibrate::*;
use caffe2_qtensor::capi::choose::qtensor_chosen_t;

const CHOICE: [Status; 4] =
    [QTENSOR_OUT_OF_RANGE, QTENSOR_INVALID_ARGUMENT, QTENSOR_UNSUPPORTED, QTENSOR_NON_FINITE];

/// A choice that was not made.
fn no_choice() -> qtensor_choice_t {
    qtensor_choice_t {
        struct_size: size_of::<qtensor_choice_t>(),
        scale: 77.0,
        bias: 77.0,
        mse: 77.0,
        mae: 77.0,
        sqnr: 77.0,
        clipped_low: 77.0,
        clipped_high: 77.0,
        zero_point: 77,
        has_zero_point: 77,
    }
}

/// What holds for every choice; one that was refused is not written.
fn check_choice(accepted: bool, out: &qtensor_choice_t) {
    if !accepted {
        assert_eq!((out.scale, out.bias, out.mse, out.zero_point), (77.0, 77.0, 77.0, 77));
        return;
    }
    assert!(out.scale.is_normal() && out.scale > 0.0 && out.bias.is_finite());
    let whole = out.has_zero_point == 1;
    assert_eq!(f64::from(out.zero_point), if whole { -out.bias } else { 0.0 });
}

impl Machine {
    pub(super) fn choose(&mut self, slot: usize, input: &mut Input<'_>) {
        let (nulls, with_error) = (input.nulls(), input.flag());
        let (handle, model) = self.observer_handle(slot);
        let channel = input.below(model.seen.len() + 1);
        let options = options(input);
        let mut out = no_choice();
        let (observer, to) = (nulls.at(0, handle), nulls.at_mut(1, &raw mut out));
        let refusals = Refusals::new()
            .nulls(&nulls)
            .when(channel >= model.seen.len(), QTENSOR_OUT_OF_RANGE)
            .maybe(true, &CHOICE);
        // SAFETY: a live handle and structures, or NULL.
        let accepted = refusals.call(with_error, |error| unsafe {
            qtensor_observer_choose(observer, channel, &raw const options, to, error)
        });
        check_choice(accepted, &out);
        self.settle_observer(slot, false, |_| {});
    }

    pub(super) fn best(&mut self, input: &mut Input<'_>) {
        let (slot, nulls, with_error) = (input.below(4), input.nulls(), input.flag());
        let dims = [i64::from(input.byte() % 4), i64::from(input.byte() % 4)];
        let right = (dims[0] * dims[1]) as usize;
        let count = input.count(right);
        let values = input.floats(count);
        let axis = input.index().clamp(-2, 3);
        let options = options(input);
        let finite = values.iter().all(|value| value.is_finite());
        let mut out = untouched();
        let (from, at) = (nulls.slice(0, &values, count), nulls.slice(1, &dims, 2));
        let to = nulls.at_mut(2, &raw mut out);
        let refusals = Refusals::new()
            .nulls(&nulls)
            .when(count != right, QTENSOR_SHAPE_MISMATCH)
            .when(!(-1..2).contains(&axis), QTENSOR_OUT_OF_RANGE)
            .when(!finite, QTENSOR_NON_FINITE)
            .maybe(true, &CHOICE);
        // SAFETY: slices, options and an output, or NULL.
        let accepted = refusals.call(with_error, |error| unsafe {
            let options = &raw const options;
            qtensor_quantize_best(from, count, at, 2, axis, options, to, error)
        });
        let handle = given(accepted, out);
        let Some(handle) = handle else { return };
        let model = super::model::read(handle);
        assert_eq!(
            (model.dims.as_slice(), model.multiparam),
            (&dims[..], (axis >= 0 && count > 0).then_some(true))
        );
        self.put(slot, Some(handle), || model);
    }
}

fn options(input: &mut Input<'_>) -> qtensor_calibrate_options_t {
    qtensor_calibrate_options_t {
        low: f64::from(input.byte()) / 512.0,
        high: 1.0 - f64::from(input.byte()) / 512.0,
        method: input.choice(7),
        precision: i32::from(input.byte() % 4) + i32::from(input.byte() < 240),
        is_signed: i32::from(input.flag()),
        zero: input.choice(3),
        symmetric: i32::from(input.byte() > 200),
        power_of_two: i32::from(input.byte() > 200),
        reduced: i32::from(input.byte() > 200),
        ..qtensor_calibrate_options_t::default()
    }
}

/// Choices by the values themselves: what the searches are measured against, and Caffe2's.
pub(super) fn exact(input: &mut Input<'_>) {
    let (nulls, with_error) = (input.nulls(), input.flag());
    let count = input.below(12);
    let values = input.floats(count);
    let finite = values.iter().all(|value| value.is_finite());
    let from = nulls.slice(0, &values, count);
    let everything = [
        QTENSOR_OUT_OF_RANGE,
        QTENSOR_INVALID_ARGUMENT,
        QTENSOR_UNSUPPORTED,
        QTENSOR_NON_FINITE,
        QTENSOR_OVERFLOW,
    ];
    if input.flag() {
        let options = qtensor_calibrate_options_t {
            method: input.choice(7),
            precision: 1 + input.choice(4),
            is_signed: i32::from(input.flag()),
            zero: input.choice(3),
            low: 0.1,
            high: 0.9,
            ..qtensor_calibrate_options_t::default()
        };
        let mut out = no_choice();
        let to = nulls.at_mut(1, &raw mut out);
        let refusals = Refusals::new()
            .nulls(&nulls)
            .when(!finite, QTENSOR_NON_FINITE)
            .maybe(true, &everything);
        // SAFETY: a slice and structures, or NULL.
        let accepted = refusals.call(with_error, |error| unsafe {
            qtensor_params_choose_exact(from, count, &raw const options, to, error)
        });
        check_choice(accepted, &out);
        return;
    }
    // The searches for L1 and KL take seconds.
    let options = qtensor_caffe2_options_t {
        method: if input.flag() { QTENSOR_CAFFE2_MIN_MAX } else { QTENSOR_CAFFE2_P99 },
        precision: 1 + input.choice(8),
        preserve_sparsity: i32::from(input.flag()),
        ..qtensor_caffe2_options_t::default()
    };
    let mut out = qtensor_chosen_t {
        struct_size: size_of::<qtensor_chosen_t>(),
        scale: 77.0,
        zero_point: 77,
        reserved: 0,
    };
    let to = nulls.at_mut(1, &raw mut out);
    let refusals =
        Refusals::new().nulls(&nulls).when(!finite, QTENSOR_NON_FINITE).maybe(true, &everything);
    // SAFETY: a slice and structures, or NULL.
    let accepted = refusals.call(with_error, |error| unsafe {
        qtensor_params_choose_caffe2(from, count, &raw const options, to, error)
    });
    assert_eq!(accepted, out.scale != 77.0 || out.zero_point != 77);
}
