//! Questions about dimensions, single bits, zero points, and the view.

use super::Machine;
use super::input::Input;
use super::status::{Refusals, Status, written, *};
use super::{Lending, model};
use caffe2_qtensor::capi::error::qtensor_error_t;
use caffe2_qtensor::capi::tensor::*;
use caffe2_qtensor::capi::view::{qtensor_view, qtensor_view_t};
use caffe2_qtensor::capi::zero_point::*;

type Question =
    unsafe extern "C" fn(*const qtensor_t, i32, *mut i32, *mut *mut qtensor_error_t) -> Status;
type WideQuestion =
    unsafe extern "C" fn(*const qtensor_t, i32, *mut i64, *mut *mut qtensor_error_t) -> Status;

impl Machine {
    pub(super) fn shape(&mut self, input: &mut Input<'_>) {
        let (slot, nulls, with_error) = (input.below(4), input.nulls(), input.flag());
        let (handle, model) = (self.handle(slot), self.model(slot));
        let tensor = nulls.at_mut(0, handle);
        let ndim = model.dims.len() as i32;
        match input.below(10) {
            choice @ 0..2 => {
                let index = input.index();
                let inside = if choice == 0 { 0 } else { -ndim }..ndim;
                let canonical = if index < 0 { index.wrapping_add(ndim) } else { index };
                let dim = model.dims.get(canonical as usize).copied();
                let wide = choice == 0 && dim.is_some_and(|dim| i32::try_from(dim).is_err());
                let answer = if choice == 0 { dim.unwrap_or(0) as i32 } else { canonical };
                let question: Question =
                    if choice == 0 { qtensor_dim32 } else { qtensor_canonical_axis_index };
                let mut out = -77;
                let to = nulls.at_mut(1, &raw mut out);
                let refusals = Refusals::new()
                    .nulls(&nulls)
                    .when(!inside.contains(&index), QTENSOR_OUT_OF_RANGE)
                    .when(inside.contains(&index) && wide, QTENSOR_OVERFLOW);
                // SAFETY: pointers to live objects, or NULL.
                let accepted = refusals
                    .call(with_error, |error| unsafe { question(tensor, index, to, error) });
                written(accepted, out, answer, -77);
            }
            choice @ 2..4 => {
                let k = input.index();
                let from = choice == 2;
                let inside = k >= 0 && (from || k < ndim);
                let cut = usize::try_from(k).unwrap_or(0).min(model.dims.len());
                let part = if from { &model.dims[cut..] } else { &model.dims[..cut] };
                let zero = part.contains(&0);
                let product = part.iter().try_fold(1i64, |all, dim| all.checked_mul(*dim));
                let product = if zero { Some(0) } else { product };
                let question: WideQuestion =
                    if from { qtensor_size_from_dim } else { qtensor_size_to_dim };
                let mut out = -77;
                let to = nulls.at_mut(1, &raw mut out);
                let refusals = Refusals::new()
                    .nulls(&nulls)
                    .when(!inside, QTENSOR_OUT_OF_RANGE)
                    .when(product.is_none(), QTENSOR_OVERFLOW);
                // SAFETY: pointers to live objects, or NULL.
                let accepted =
                    refusals.call(with_error, |error| unsafe { question(tensor, k, to, error) });
                written(accepted, out, product.unwrap_or(0), -77);
            }
            choice @ 4..7 => {
                let bit = if input.byte() < 200 { input.byte() % 10 } else { input.byte() };
                let index = input.below(17).min(model.size().saturating_sub(1));
                let index = input.count(index);
                let inside = usize::from(bit) < model.planes() && index < model.size();
                let refusals = Refusals::new().when(!inside, QTENSOR_OUT_OF_RANGE);
                if choice == 4 {
                    let answer = inside && model.bit(usize::from(bit), index);
                    let mut out = !answer;
                    let to = nulls.at_mut(1, &raw mut out);
                    // SAFETY: pointers to live objects, or NULL.
                    let accepted = refusals.nulls(&nulls).call(with_error, |error| unsafe {
                        qtensor_get_bit(tensor, bit, index, to, error)
                    });
                    written(accepted, out, answer, !answer);
                } else if model.is_small() || !inside {
                    let value = input.flag();
                    // SAFETY: pointers to live objects, or NULL.
                    let accepted = refusals.nulls(&nulls).call(with_error, |error| unsafe {
                        qtensor_set_bit(tensor, bit, index, value, error)
                    });
                    let bit = usize::from(bit);
                    self.settle(slot, accepted, Lending::Written, |model| {
                        model.set_bit(bit, index, value);
                    });
                }
            }
            7 => {
                let mut view = qtensor_view_t {
                    struct_size: size_of::<qtensor_view_t>(),
                    size: 77,
                    plane_stride: 77,
                    data: untouched(),
                    precision: 77,
                    is_signed: false,
                    is_read_only: false,
                    reserved: [7; 5],
                };
                view.struct_size -= if input.byte() > 230 { 8 } else { 0 };
                let small = view.struct_size < size_of::<qtensor_view_t>();
                let to = nulls.at_mut(1, &raw mut view);
                let refusals = Refusals::new().nulls(&nulls).when(small, QTENSOR_BUFFER_TOO_SMALL);
                // SAFETY: pointers to live objects, or NULL.
                let accepted = refusals.call(false, |_| unsafe { qtensor_view(tensor, to) });
                if !accepted {
                    assert_eq!((view.size, view.data), (77, untouched::<u8>().cast_const()));
                    return;
                }
                let stride = model.size().div_ceil(8);
                assert_eq!((view.size, view.plane_stride), (model.size(), stride));
                assert_eq!((view.precision, view.is_signed), (model.precision, model.signed));
                // SAFETY: a live handle.
                assert_eq!(view.data, unsafe { qtensor_data(handle) });
                let lent = self.tensors[slot].as_ref().and_then(|held| held.lent.as_ref());
                assert_eq!(view.is_read_only, lent.is_some_and(|lent| !lent.writable));
                assert_eq!(view.reserved, [0; 5]);
            }
            _ => self.zero_point(slot, input),
        }
    }

    fn zero_point(&mut self, slot: usize, input: &mut Input<'_>) {
        let (nulls, with_error) = (input.nulls(), input.flag());
        let (handle, model) = (self.handle(slot), self.model(slot));
        let tensor = nulls.at_mut(0, handle);
        let of = |bias: f64| {
            let whole = bias.trunc() == bias && (-2147483647.0..=2147483648.0).contains(&bias);
            whole.then(|| -(bias as i64) as i32)
        };
        match input.below(3) {
            0 => {
                let answer = of(model.bias());
                let mut out = 77;
                let to = nulls.at_mut(1, &raw mut out);
                let refusals = Refusals::new().nulls(&nulls);
                let refusals = refusals.when(answer.is_none(), QTENSOR_OUT_OF_RANGE);
                // SAFETY: pointers to live objects, or NULL.
                let accepted = refusals
                    .call(with_error, |error| unsafe { qtensor_zero_point(tensor, to, error) });
                written(accepted, out, answer.unwrap_or(0), 77);
            }
            1 => {
                let bias = input.bias();
                let answer = of(bias);
                let mut out = 77;
                let null = super::status::Nulls::new(u8::from(input.byte() > 240));
                let to = null.at_mut(0, &raw mut out);
                let refusals = Refusals::new().nulls(&null);
                let refusals = refusals.when(answer.is_none(), QTENSOR_OUT_OF_RANGE);
                // SAFETY: pointers to live objects, or NULL.
                let accepted = refusals.call(with_error, |error| unsafe {
                    qtensor_zero_point_of_bias(bias, to, error)
                });
                written(accepted, out, answer.unwrap_or(0), 77);
            }
            _ => {
                let zero_point = input.index();
                let bias = (-i64::from(zero_point)) as f64;
                // SAFETY: a pure function.
                let of_zero_point = qtensor_bias_of_zero_point(zero_point);
                assert_eq!(of_zero_point.to_bits(), bias.to_bits());
                let refusals = Refusals::new().nulls(&nulls);
                // SAFETY: a live handle, or NULL.
                let accepted = refusals.call(with_error, |error| unsafe {
                    qtensor_set_zero_point(tensor, zero_point, error)
                });
                self.settle(slot, accepted, Lending::Stays, |model| model.bias = bias.to_bits());
            }
        }
    }
}

/// For the planes that a call would make: whether they are few enough.
pub(super) fn fits(dims: &[i64], precision: u8, signed: bool) -> bool {
    model::geometry(dims, precision, signed)
        .is_ok_and(|(size, nbytes)| size <= model::MOST_BYTES && nbytes <= model::MOST_BYTES)
}
