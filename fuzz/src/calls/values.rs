//! Floats to codes and back, by the definition.

use super::input::Input;
use super::model::Tensor;
use super::scalars::{bfloat_of, bfloat_value, half_of, half_value};
use super::status::{Nulls, Refusals, Status, *};
use super::{Lending, Machine};
use crate::definition::Definition;
use caffe2_qtensor::capi::dequantize::*;
use caffe2_qtensor::capi::error::qtensor_error_t;
use caffe2_qtensor::capi::quantize::*;
use caffe2_qtensor::capi::tensor::qtensor_t;
use caffe2_qtensor::quantize::{Counts, Rounding};

type Quantize<T> = unsafe extern "C" fn(
    *mut qtensor_t,
    *const T,
    usize,
    *const qtensor_quantize_options_t,
    *mut qtensor_quantize_counts_t,
    *mut *mut qtensor_error_t,
) -> Status;
type Dequantize<T> =
    unsafe extern "C" fn(*const qtensor_t, *mut T, usize, u32, *mut *mut qtensor_error_t) -> Status;

const ROUNDINGS: [Rounding; 7] = [
    Rounding::NearestEven,
    Rounding::NearestAway,
    Rounding::Floor,
    Rounding::Ceil,
    Rounding::TowardZero,
    Rounding::Stochastic,
    Rounding::Caffe2,
];

impl Machine {
    pub(super) fn values(&mut self, input: &mut Input<'_>) {
        let slot = input.below(4);
        if !self.model(slot).is_small() {
            return;
        }
        match input.below(8) {
            0..2 => self.quantize(slot, input, qtensor_quantize, |v| v, f64::from),
            2 => self.quantize(slot, input, qtensor_quantize_f64, f64::from, |v| v),
            3 => {
                self.quantize(slot, input, qtensor_quantize_f16, |v| half_of(v.into()), half_value)
            }
            4 => self.quantize(
                slot,
                input,
                qtensor_quantize_bf16,
                |v| bfloat_of(v.into()),
                |bits| f64::from(bfloat_value(bits)),
            ),
            5 => self.dequantize(
                slot,
                input,
                qtensor_dequantize,
                77.0,
                |v| v as f32,
                |a, b| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()),
            ),
            6 => self.dequantize(
                slot,
                input,
                qtensor_dequantize_f64,
                77.0,
                |v| v,
                |a, b| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()),
            ),
            _ if input.flag() => {
                self.dequantize(slot, input, qtensor_dequantize_f16, 77, half_of, |a, b| {
                    a == b || (half_value(a).is_nan() && half_value(b).is_nan())
                });
            }
            _ => self.dequantize(slot, input, qtensor_dequantize_bf16, 77, bfloat_of, |a, b| {
                a == b || (bfloat_value(a).is_nan() && bfloat_value(b).is_nan())
            }),
        }
    }

    fn quantize<T>(
        &mut self,
        slot: usize,
        input: &mut Input<'_>,
        quantize: Quantize<T>,
        make: fn(f32) -> T,
        value: fn(T) -> f64,
    ) where
        T: Copy,
    {
        let (nulls, with_error): (Nulls, bool) = (input.nulls(), input.flag());
        let model = self.model(slot);
        let mut options = qtensor_quantize_options_t {
            seed: u64::from(input.byte()),
            scheme: if input.byte() < 210 { 0 } else { input.choice(3) },
            rounding: input.choice(7),
            non_finite: input.choice(2),
            threads: u32::from(input.byte() % 3),
            ..qtensor_quantize_options_t::default()
        };
        let size_byte = input.byte();
        if size_byte > 247 {
            options.struct_size = usize::from(size_byte) * 8 % 72;
        }
        let small = options.struct_size < size_of::<qtensor_quantize_options_t>();
        // What lies behind a structure that claims to be larger is not to be read.
        options.struct_size = options.struct_size.min(size_of::<qtensor_quantize_options_t>());
        let count = input.count(model.size());
        let values: Vec<T> = input.floats(count).into_iter().map(make).collect();
        let wide: Vec<f64> = values.iter().map(|it| value(*it)).collect();
        let mut counts = counts_of(Counts::default());
        let before = counts;
        let counting = input.flag();
        let tensor = nulls.at_mut(0, self.handle(slot));
        let from = nulls.slice(1, &values, count);
        let defaults = input.byte() > 200;
        let (options_at, counts_at) = (
            if defaults { std::ptr::null() } else { &raw const options },
            if counting { &raw mut counts } else { std::ptr::null_mut() },
        );
        if defaults {
            options = qtensor_quantize_options_t::default();
        }
        let refuses = options.non_finite == QTENSOR_NON_FINITE_REFUSE;
        let scheme = options.scheme;
        let dorefa = scheme == 1 || scheme == 2;
        let caffe2 = options.rounding == QTENSOR_ROUND_CAFFE2;
        let steps = model.steps();
        let own = [(model.scale(), model.bias())];
        let every: Vec<_> = match (&steps, model.multiparam) {
            (Ok(_), Some(true)) => model.scales.iter().zip(&model.biases).map(bits).collect(),
            _ => own.to_vec(),
        };
        let usable =
            |(scale, bias): &(f64, f64)| scale.is_normal() && *scale > 0.0 && bias.is_finite();
        let in_single = |(scale, bias): &(f64, f64)| {
            let zero_point = -bias;
            (*scale as f32).is_normal()
                && zero_point.trunc() == zero_point
                && (-2147483648.0..=2147483647.0).contains(&zero_point)
        };
        let constants = !(0..3).contains(&scheme)
            || !(0..7).contains(&options.rounding)
            || !(0..2).contains(&options.non_finite);
        let refusals = Refusals::new()
            .nulls(&nulls)
            .when(!defaults && small, QTENSOR_BUFFER_TOO_SMALL)
            .when(count != model.size(), QTENSOR_SHAPE_MISMATCH)
            .when(!(1..=32).contains(&model.precision), QTENSOR_OUT_OF_RANGE)
            .when(constants, QTENSOR_INVALID_ARGUMENT)
            .when(!dorefa && !every.iter().all(usable), QTENSOR_INVALID_ARGUMENT)
            .when(!dorefa && caffe2 && !every.iter().all(in_single), QTENSOR_INVALID_ARGUMENT)
            .when(caffe2 && (dorefa || model.logarithmic), QTENSOR_UNSUPPORTED)
            .when(dorefa && (model.signed || model.logarithmic), QTENSOR_UNSUPPORTED)
            .when(refuses && wide.iter().any(|it| !it.is_finite()), QTENSOR_NON_FINITE)
            .all(&steps.clone().err().unwrap_or_default());
        // SAFETY: a live handle, a slice and structures, or NULL.
        let accepted = refusals.call(with_error, |error| unsafe {
            quantize(tensor, from, count, options_at, counts_at, error)
        });
        if !accepted {
            assert_eq!(fields(&counts), fields(&before));
            self.settle(slot, false, Lending::Stays, |_| {});
            return;
        }
        if dorefa || model.logarithmic {
            self.adopt(slot, dorefa);
            return;
        }
        let mut tally = Counts::default();
        let codes: Vec<i64> = steps
            .unwrap_or_default()
            .iter()
            .zip(&wide)
            .enumerate()
            .map(|(index, ((scale, bias), value))| {
                let definition = Definition {
                    rounding: ROUNDINGS[options.rounding as usize],
                    seed: options.seed,
                    precision: model.precision,
                    signed: model.signed,
                    scale: *scale,
                    bias: *bias,
                };
                definition.code(*value, index as u64, &mut tally)
            })
            .collect();
        if counting {
            assert_eq!(fields(&counts), fields(&counts_of(tally)));
        }
        self.settle(slot, true, Lending::Written, |model| model.set_codes(codes));
    }

    /// Takes over the codes that a call wrote, and the parameters if it set them, where only their
    /// range is known.
    fn adopt(&mut self, slot: usize, parameters: bool) {
        let handle = self.handle(slot);
        let new = super::model::read(handle);
        assert!(new.size() == 0 || new.planes.is_some());
        self.settle(slot, true, Lending::Written, |model| {
            let mut expected = model.clone();
            expected.planes = new.planes.clone();
            if parameters {
                (expected.scale, expected.bias) = (new.scale, new.bias);
                (expected.scales, expected.biases) = (Vec::new(), Vec::new());
                (expected.axis, expected.multiparam) = (None, None);
            }
            assert_eq!(expected, new);
            *model = expected;
        });
    }

    fn dequantize<T: Copy + std::fmt::Debug>(
        &mut self,
        slot: usize,
        input: &mut Input<'_>,
        dequantize: Dequantize<T>,
        before: T,
        round: fn(f64) -> T,
        same: fn(T, T) -> bool,
    ) {
        let (nulls, with_error) = (input.nulls(), input.flag());
        let model: Tensor = self.model(slot);
        let count = input.count(model.size());
        let threads = u32::from(input.byte() % 3);
        let mut values = vec![before; count];
        let tensor = nulls.at(0, self.handle(slot));
        let to = nulls.slice_mut(1, &mut values, count);
        let steps = model.steps();
        let refusals = Refusals::new()
            .nulls(&nulls)
            .when(count != model.size(), QTENSOR_SHAPE_MISMATCH)
            .when(!(1..=32).contains(&model.precision), QTENSOR_OUT_OF_RANGE)
            .all(&steps.clone().err().unwrap_or_default());
        // SAFETY: a live handle and a buffer, or NULL.
        let accepted = refusals
            .call(with_error, |error| unsafe { dequantize(tensor, to, count, threads, error) });
        if !accepted {
            assert!(values.iter().all(|value| same(*value, before)));
            return;
        }
        for (value, expected) in values.iter().zip(model.values(&steps.unwrap_or_default())) {
            let expected = round(expected);
            assert!(same(*value, expected), "{value:?} for {expected:?}");
        }
    }
}

impl Tensor {
    /// The value of each element, by the steps of these.
    pub(super) fn values(&self, steps: &[(f64, f64)]) -> Vec<f64> {
        let value = |(code, (scale, bias)): (i64, &(f64, f64))| match (self.logarithmic, code) {
            (true, 0) => 0.0,
            (true, _) => {
                let exponent = (code.unsigned_abs() - 1) as f64 + bias;
                (scale * exponent).exp2() * if code < 0 { -1.0 } else { 1.0 }
            }
            _ => scale * (code as f64 + bias),
        };
        self.codes().into_iter().zip(steps).map(value).collect()
    }
}

fn bits((scale, bias): (&u64, &u64)) -> (f64, f64) {
    (f64::from_bits(*scale), f64::from_bits(*bias))
}

fn counts_of(counts: Counts) -> qtensor_quantize_counts_t {
    qtensor_quantize_counts_t {
        struct_size: size_of::<qtensor_quantize_counts_t>(),
        saturated_low: counts.saturated_low,
        saturated_high: counts.saturated_high,
        flushed_to_zero: counts.flushed_to_zero,
        non_finite: counts.non_finite,
    }
}

fn fields(counts: &qtensor_quantize_counts_t) -> [u64; 4] {
    let qtensor_quantize_counts_t { saturated_low, saturated_high, .. } = *counts;
    [saturated_low, saturated_high, counts.flushed_to_zero, counts.non_finite]
}
