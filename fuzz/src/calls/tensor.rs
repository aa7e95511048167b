//! Life, shape, parameters and planes of tensors.

use super::input::Input;
use super::model::{Lent, Tensor, geometry};
use super::shape::fits;
use super::status::{Refusals, given, untouched, *};
use super::{Held, Lending, Machine};
use caffe2_qtensor::capi::borrow::{qtensor_borrow, qtensor_borrow_mut};
use caffe2_qtensor::capi::channels::*;
use caffe2_qtensor::capi::int8::{qtensor_create_int8, qtensor_to_int8};
use caffe2_qtensor::capi::logarithmic::qtensor_set_logarithmic;
use caffe2_qtensor::capi::tensor::*;
use std::cell::Cell;
use std::ffi::c_void;

impl Machine {
    pub(super) fn tensor(&mut self, input: &mut Input<'_>) {
        let slot = input.below(4);
        match input.below(20) {
            0..4 => self.create(slot, input),
            4 => self.clone_to(slot, input),
            5 => self.free(slot),
            6..8 => self.reshape(slot, input),
            8..11 => self.parameters(slot, input),
            11 => self.channels(slot, input),
            12..14 => self.read_codes(slot, input),
            14..16 => self.write_codes(slot, input),
            16 => self.mutable_data(slot, input),
            17 => self.int8(slot, input),
            _ => self.borrow(slot, input),
        }
    }

    fn create(&mut self, slot: usize, input: &mut Input<'_>) {
        if input.byte() > 240 {
            let handle = qtensor_create();
            self.put(slot, Some(handle), || Tensor::new(&[], 8, false));
            return;
        }
        let (nulls, with_error) = (input.nulls(), input.flag());
        let (dims, precision, signed) = (input.dims(), input.precision(), input.flag());
        let mut out = untouched();
        let (at, to) = (nulls.slice(0, &dims, dims.len()), nulls.at_mut(1, &raw mut out));
        let refusals = Refusals::new().nulls(&nulls);
        let refusals = refusals.all(&geometry(&dims, precision, signed).err().unwrap_or_default());
        // SAFETY: a slice and an output, or NULL.
        let accepted = refusals.call(with_error, |error| unsafe {
            qtensor_create_with(at, dims.len(), precision, signed, to, error)
        });
        self.put(slot, given(accepted, out), || Tensor::new(&dims, precision, signed));
    }

    fn clone_to(&mut self, slot: usize, input: &mut Input<'_>) {
        let (from, nulls, with_error) = (input.below(4), input.nulls(), input.flag());
        let model = self.model(from);
        let mut out = untouched();
        let (tensor, to) = (nulls.at(0, self.handle(from)), nulls.at_mut(1, &raw mut out));
        let refusals = Refusals::new().nulls(&nulls);
        // SAFETY: a live handle and an output, or NULL.
        let accepted =
            refusals.call(with_error, |error| unsafe { qtensor_clone(tensor, to, error) });
        self.put(slot, given(accepted, out), || model);
    }

    fn reshape(&mut self, slot: usize, input: &mut Input<'_>) {
        let (nulls, with_error) = (input.nulls(), input.flag());
        let model = self.model(slot);
        let mut dims = input.dims();
        if input.flag() {
            // As many elements otherwise.
            dims = model.dims.iter().rev().copied().collect();
        }
        let tensor = nulls.at_mut(0, self.handle(slot));
        let at = nulls.slice(1, &dims, dims.len());
        let new = geometry(&dims, model.precision, model.signed);
        let refusals = Refusals::new().nulls(&nulls).all(&new.clone().err().unwrap_or_default());
        // SAFETY: a live handle and a slice, or NULL.
        let accepted = refusals
            .call(with_error, |error| unsafe { qtensor_resize(tensor, at, dims.len(), error) });
        let dropped = dims != model.dims && new.is_ok_and(|(_, nbytes)| nbytes != model.nbytes());
        let lending = if dropped { Lending::Ends } else { Lending::Stays };
        self.settle(slot, accepted, lending, |model| {
            model.dims = dims;
            model.planes.take_if(|_| dropped);
        });
    }

    fn parameters(&mut self, slot: usize, input: &mut Input<'_>) {
        let (nulls, with_error) = (input.nulls(), input.flag());
        let model = self.model(slot);
        let tensor = nulls.at_mut(0, self.handle(slot));
        let refusals = Refusals::new().nulls(&nulls);
        match input.below(6) {
            choice @ 0..2 => {
                let (mut precision, mut signed) = (model.precision, model.signed);
                if choice == 0 {
                    precision = input.precision();
                } else {
                    signed = input.flag();
                }
                let new = geometry(&model.dims, precision, signed);
                // SAFETY: a live handle, or NULL.
                let accepted =
                    refusals.all(&new.err().unwrap_or_default()).call(with_error, |error| unsafe {
                        match choice {
                            0 => qtensor_set_precision(tensor, precision, error),
                            _ => qtensor_set_signed(tensor, signed, error),
                        }
                    });
                self.settle(slot, accepted, Lending::Ends, |model| {
                    (model.precision, model.signed) = (precision, signed);
                    model.drop_planes();
                });
            }
            2 => {
                let scale = input.scale();
                // SAFETY: a live handle, or NULL.
                let accepted = refusals
                    .call(with_error, |error| unsafe { qtensor_set_scale(tensor, scale, error) });
                self.settle(slot, accepted, Lending::Stays, |model| model.scale = scale.to_bits());
            }
            3 => {
                let bias = input.bias();
                // SAFETY: a live handle, or NULL.
                let accepted = refusals
                    .call(with_error, |error| unsafe { qtensor_set_bias(tensor, bias, error) });
                self.settle(slot, accepted, Lending::Stays, |model| model.bias = bias.to_bits());
            }
            4 => {
                let number = input.index().saturating_mul(4).saturating_sub(1);
                let known = matches!(number, -1..=10 | 12..=14);
                // SAFETY: a live handle, or NULL.
                let accepted = refusals
                    .when(!known, QTENSOR_INVALID_ARGUMENT)
                    .call(with_error, |error| unsafe {
                        qtensor_set_data_type(tensor, number, error)
                    });
                self.settle(slot, accepted, Lending::Stays, |model| {
                    model.data_type = (number != -1).then_some(number);
                });
            }
            _ => {
                let logarithmic = input.flag();
                let channels = logarithmic && model.multiparam == Some(true);
                // SAFETY: a live handle, or NULL.
                let accepted =
                    refusals.when(channels, QTENSOR_UNSUPPORTED).call(with_error, |error| unsafe {
                        qtensor_set_logarithmic(tensor, logarithmic, error)
                    });
                self.settle(slot, accepted, Lending::Stays, |model| {
                    model.logarithmic = logarithmic;
                });
            }
        }
    }

    fn channels(&mut self, slot: usize, input: &mut Input<'_>) {
        let (nulls, with_error) = (input.nulls(), input.flag());
        let model = self.model(slot);
        let tensor = nulls.at_mut(0, self.handle(slot));
        if input.below(4) == 0 {
            // SAFETY: a live handle, or NULL.
            let accepted = Refusals::new()
                .nulls(&nulls)
                .call(with_error, |error| unsafe { qtensor_clear_channels(tensor, error) });
            self.settle(slot, accepted, Lending::Stays, |model| {
                (model.scales, model.biases) = (Vec::new(), Vec::new());
                (model.axis, model.multiparam) = (None, None);
            });
            return;
        }
        let axis = input.index();
        let extent = usize::try_from(axis).ok().and_then(|axis| model.dims.get(axis)).copied();
        let channels = input.count(extent.unwrap_or(1).min(16) as usize);
        let values = |input: &mut Input<'_>, scale: bool| -> Vec<f64> {
            (0..channels).map(|_| if scale { input.scale() } else { input.bias() }).collect()
        };
        let (scales, biases) = (values(input, true), values(input, false));
        let (s, b) = (nulls.slice(1, &scales, channels), nulls.slice(2, &biases, channels));
        let wrong = extent.is_some_and(|extent| extent != channels as i64);
        let refusals = Refusals::new()
            .nulls(&nulls)
            .when(extent.is_none(), QTENSOR_OUT_OF_RANGE)
            .when(wrong, QTENSOR_SHAPE_MISMATCH)
            .when(model.logarithmic, QTENSOR_UNSUPPORTED);
        // SAFETY: a live handle and slices, or NULL.
        let accepted = refusals.call(with_error, |error| unsafe {
            qtensor_set_channels(tensor, axis, s, b, channels, error)
        });
        let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect();
        self.settle(slot, accepted, Lending::Stays, |model| {
            (model.scales, model.biases) = (bits(&scales), bits(&biases));
            (model.axis, model.multiparam) = (Some(axis), Some(true));
        });
    }

    fn mutable_data(&mut self, slot: usize, input: &mut Input<'_>) {
        let (nulls, with_error) = (input.nulls(), input.flag());
        let model = self.model(slot);
        if !model.is_small() {
            return;
        }
        let mut out = untouched();
        let (tensor, to) = (nulls.at_mut(0, self.handle(slot)), nulls.at_mut(1, &raw mut out));
        // SAFETY: a live handle and an output, or NULL.
        let accepted = Refusals::new()
            .nulls(&nulls)
            .call(with_error, |error| unsafe { qtensor_mutable_data(tensor, to, error) });
        assert_eq!(accepted, out != untouched());
        let mut model = model;
        model.allocate();
        if accepted && let Some(planes) = &mut model.planes {
            // SAFETY: so many bytes, to be written to; the last bit may be padding.
            let data = unsafe { std::slice::from_raw_parts_mut(out, planes.len()) };
            assert_eq!(data, planes);
            for byte in data.iter_mut().take(8) {
                *byte = input.byte();
            }
            planes.copy_from_slice(data);
        }
        self.settle(slot, accepted, Lending::Written, |held| *held = model);
    }

    fn int8(&mut self, slot: usize, input: &mut Input<'_>) {
        let (nulls, with_error) = (input.nulls(), input.flag());
        let mut out = untouched();
        if input.flag() {
            let dims = input.dims();
            let (scale, zero_point) = (input.scale(), input.index());
            let written = if dims.is_empty() { vec![1] } else { dims.clone() };
            if geometry(&dims, 8, false).is_ok() && !fits(&written, 8, false) {
                return;
            }
            let size = geometry(&written, 8, false);
            let right = size.as_ref().map_or(3, |(size, _)| *size);
            let count = input.count(right);
            let data = input.bytes(count);
            let at = nulls.slice(0, &dims, dims.len());
            let from = nulls.slice(1, &data, count);
            let to = nulls.at_mut(2, &raw mut out);
            let refusals = Refusals::new()
                .nulls(&nulls)
                .when(count != right, QTENSOR_SHAPE_MISMATCH)
                .all(&size.err().unwrap_or_default());
            // SAFETY: slices and an output, or NULL.
            let accepted = refusals.call(with_error, |error| unsafe {
                qtensor_create_int8(at, dims.len(), from, count, scale, zero_point, to, error)
            });
            self.put(slot, given(accepted, out), || {
                let mut model = Tensor::new(&written, 8, false);
                model.set_codes(data.into_iter().map(i64::from));
                model.scale = scale.to_bits();
                model.bias = ((-i64::from(zero_point)) as f64).to_bits();
                model.data_type = Some(6);
                model
            });
            return;
        }
        let from = input.below(4);
        let model = self.model(from);
        if !model.is_small() {
            return;
        }
        let (tensor, to) = (nulls.at(0, self.handle(from)), nulls.at_mut(1, &raw mut out));
        let offset = if model.signed { 128 } else { 0 };
        let bias = model.bias();
        let whole = bias.trunc() == bias && bias.abs() < 1e15;
        let zero_point = offset - if whole { bias as i64 } else { 0 };
        let fits = whole && i32::try_from(zero_point).is_ok();
        let most = if model.signed { 7 } else { 8 };
        let refusals = Refusals::new()
            .nulls(&nulls)
            .when(model.precision > most, QTENSOR_UNSUPPORTED)
            .when(model.logarithmic || model.multiparam == Some(true), QTENSOR_UNSUPPORTED)
            .when(!fits, QTENSOR_OUT_OF_RANGE);
        // SAFETY: a live handle and an output, or NULL.
        let accepted =
            refusals.call(with_error, |error| unsafe { qtensor_to_int8(tensor, to, error) });
        self.put(slot, given(accepted, out), || {
            let mut new = Tensor::new(&model.dims, 8, false);
            new.set_codes(model.codes().into_iter().map(|code| code + offset));
            new.scale = model.scale;
            new.bias = ((-zero_point) as f64).to_bits();
            new.data_type = Some(6);
            new
        });
    }

    fn borrow(&mut self, slot: usize, input: &mut Input<'_>) {
        let (nulls, with_error, writable) = (input.nulls(), input.flag(), input.flag());
        let model = self.model(slot);
        if !model.is_small() {
            return;
        }
        let count = input.count(model.nbytes());
        let mut memory = vec![input.byte(); count];
        memory.iter_mut().take(8).for_each(|byte| *byte = input.byte());
        let released = Box::new(Cell::new(0u32));
        let context = (&raw const *released).cast_mut().cast::<c_void>();
        let tensor = nulls.at_mut(0, self.handle(slot));
        let planes = nulls.slice_mut(1, &mut memory, count);
        let refusals =
            Refusals::new().nulls(&nulls).when(count != model.nbytes(), QTENSOR_SHAPE_MISMATCH);
        // SAFETY: a live handle and memory that stays until it is given back, or NULL.
        let accepted = refusals.call(with_error, |error| unsafe {
            let back: caffe2_qtensor::capi::borrow::qtensor_release_t = Some(release);
            match writable {
                true => qtensor_borrow_mut(tensor, planes, count, back, context, error),
                false => qtensor_borrow(tensor, planes, count, back, context, error),
            }
        });
        self.settle_borrowed(slot, accepted, Lent { memory, writable, released });
    }

    fn settle_borrowed(&mut self, slot: usize, accepted: bool, lent: Lent) {
        if !accepted {
            assert_eq!(lent.released.get(), 0);
            self.settle(slot, false, Lending::Stays, |_| {});
            return;
        }
        let Some(Held { handle, model, lent: held }) = &mut self.tensors[slot] else { return };
        if let Some(old) = held.take() {
            assert_eq!(old.released.get(), 1);
        }
        if lent.memory.is_empty() {
            assert_eq!(lent.released.get(), 1);
        } else {
            model.planes = Some(lent.memory.clone());
            *held = Some(lent);
        }
        model.check(*handle, held.as_ref());
    }
}

/// Counts how often a lender got its memory back.
pub(super) unsafe extern "C" fn release(context: *mut c_void) {
    // SAFETY: the counter that was lent with the memory, alive as long as that.
    let count = unsafe { &*context.cast::<Cell<u32>>() };
    count.set(count.get() + 1);
}
