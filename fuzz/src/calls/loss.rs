//! Losses of tensors and of floats against their references, and what is asked of them.

use super::Machine;
use super::input::Input;
use super::loss_model::{Model, Pair, Place};
use super::model::{MOST_BYTES, Tensor};
use super::status::{Nulls, Refusals, Status, given, untouched, written, *};
use super::versions::Versioned;
use crate::definition::Definition;
use caffe2_qtensor::QTensor;
use caffe2_qtensor::capi::error::qtensor_error_t;
use caffe2_qtensor::capi::loss::*;
use caffe2_qtensor::capi::loss_metrics::*;
use caffe2_qtensor::quantize::{Counts, QuantizeOptions, Rounding};

/// A live loss and the pairs that it is of.
pub(super) struct Held {
    handle: *mut qtensor_loss_t,
    model: Model,
}

/// The most pairs of a loss.
const MOST: usize = 1 << 12;
/// The most counts of histograms that one is made with.
const MOST_COUNTS: usize = 1 << 17;

/// What may be NULL behind the pointers whose places are told apart: no options.
struct Chosen {
    options: Versioned<qtensor_loss_options_t>,
    none: bool,
    codes: bool,
    errors: bool,
    values: bool,
}

impl Chosen {
    /// Histograms of so many channels with so many codes, if they are few enough.
    fn new(input: &mut Input<'_>, channels: usize, bins: usize) -> Chosen {
        // Mostly the same, so that they can be merged.
        let (mask, none) = (input.byte(), input.byte() > 230);
        let mask = if mask < 128 { 4 } else { mask };
        let counts = |bins: usize| channels.saturating_mul(bins) <= MOST_COUNTS;
        let codes = mask & 1 != 0 && counts(bins);
        let values = mask & 2 != 0 && counts(8192);
        let errors = mask & 4 != 0;
        let options = qtensor_loss_options_t {
            struct_size: size_of::<qtensor_loss_options_t>(),
            code_histogram: i32::from(codes) * i32::from(mask | 1),
            error_histogram: -i32::from(errors),
            value_histogram: i32::from(values),
            threads: u32::from(mask >> 6),
        };
        let [codes, errors, values] = [codes, errors, values].map(|it| it && !none);
        Chosen { options: Versioned::of(options, input), none, codes, errors, values }
    }

    fn refusals(&self) -> Refusals {
        let refusals = Refusals::new();
        if self.none { refusals } else { self.options.options(refusals) }
    }

    fn pointer(&mut self) -> *const qtensor_loss_options_t {
        if self.none { std::ptr::null() } else { self.options.pointer() }
    }

    fn model(&self, channels: Vec<Vec<Pair>>, range: (i64, i64)) -> Model {
        let codes = self.codes.then_some(range);
        Model { channels, codes, errors: self.errors, values: self.values }
    }
}

/// Some floats, over and over again.
fn repeated(input: &mut Input<'_>, count: usize) -> Vec<f32> {
    let length = 1 + input.below(12);
    let some = input.floats(length.min(count));
    (0..count).map(|index| some[index % some.len()]).collect()
}

impl Machine {
    pub(super) fn loss(&mut self, input: &mut Input<'_>) {
        let slot = input.below(2);
        match input.below(12) {
            0..5 => self.measure(slot, input),
            5..7 => self.compare(slot, input),
            7..9 => self.merge_losses(slot, input),
            9 => self.free_loss(slot),
            _ => self.ask(slot, input),
        }
    }

    fn put_loss(&mut self, slot: usize, handle: Option<*mut qtensor_loss_t>, model: Model) {
        let Some(handle) = handle else { return };
        model.check(handle);
        self.free_loss(slot);
        self.losses[slot] = Some(Held { handle, model });
    }

    fn free_loss(&mut self, slot: usize) {
        let Some(held) = self.losses[slot].take() else {
            // SAFETY: NULL does nothing.
            unsafe { qtensor_loss_free(std::ptr::null_mut()) };
            return;
        };
        held.model.check(held.handle);
        // SAFETY: a live handle, given up.
        unsafe { qtensor_loss_free(held.handle) };
    }

    pub(super) fn free_losses(&mut self) {
        (0..self.losses.len()).for_each(|slot| self.free_loss(slot));
    }

    /// Of a whole tensor, or of each channel along an axis.
    fn measure(&mut self, slot: usize, input: &mut Input<'_>) {
        let (from, nulls, with_error) = (input.below(4), input.nulls(), input.flag());
        let axis = input.flag().then(|| input.index());
        let model = self.model(from);
        let small = model.is_small() && model.size() <= MOST;
        // More references than there are elements would have to be there.
        let count = input.count(if small { model.size() } else { 3 });
        let extent = axis.and_then(|axis| model.dims.get(usize::try_from(axis).ok()?)).copied();
        let missing = axis.is_some() && extent.is_none();
        let channels = extent.map_or(1, |extent| extent as usize);
        let countable = model.precision <= 16;
        let bins = if countable { (model.highest() - model.lowest() + 1) as usize } else { 0 };
        let mut chosen = Chosen::new(input, channels, bins);
        let steps = if small { model.steps() } else { Ok(Vec::new()) };
        let values: Vec<f32> = match &steps {
            Ok(steps) if small && (1..=32).contains(&model.precision) => {
                model.values(steps).into_iter().map(|it| it as f32).collect()
            }
            _ => Vec::new(),
        };
        let near = input.flag();
        let mut references = repeated(input, count);
        if near {
            references.iter_mut().zip(&values).for_each(|(x, y)| *x += *y);
        }
        let refusals = chosen
            .refusals()
            .when(count != model.size(), QTENSOR_SHAPE_MISMATCH)
            .when(!(1..=32).contains(&model.precision), QTENSOR_OUT_OF_RANGE)
            .when(chosen.codes && !countable, QTENSOR_UNSUPPORTED)
            .when(missing, QTENSOR_OUT_OF_RANGE)
            .maybe(channels > MOST_BYTES, &[QTENSOR_OUT_OF_MEMORY])
            .all(&steps.clone().err().unwrap_or_default());
        let mut out = untouched();
        let tensor = nulls.at(0, self.handle(from));
        let x = nulls.slice(1, &references, count);
        let (options, to) = (chosen.pointer(), nulls.at_mut(2, &raw mut out));
        // SAFETY: a live handle, a slice, options and an output, or NULL.
        let accepted = refusals.nulls(&nulls).call(with_error, |error| unsafe {
            match axis {
                None => qtensor_loss_measure(tensor, x, count, options, to, error),
                Some(axis) => {
                    qtensor_loss_measure_per_channel(tensor, x, count, axis, options, to, error)
                }
            }
        });
        let Some(handle) = given(accepted, out) else { return };
        let after = axis.map_or(0, |axis| axis as usize + 1);
        let inner: i64 = model.dims.iter().skip(after).product();
        let mut all = vec![Vec::new(); channels];
        for (index, ((x, y), (code, step))) in references
            .iter()
            .zip(&values)
            .zip(model.codes().into_iter().zip(steps.unwrap_or_default()))
            .enumerate()
        {
            let place = place(&model, step, *x);
            let pair = Pair { x: *x, y: *y, index: index as u64, code, place };
            let channel = if extent.is_some() { index / inner as usize % channels } else { 0 };
            all[channel].push(pair);
        }
        let range = (model.lowest(), model.highest());
        self.put_loss(slot, Some(handle), chosen.model(all, range));
    }

    fn compare(&mut self, slot: usize, input: &mut Input<'_>) {
        let (nulls, with_error) = (input.nulls(), input.flag());
        // Now and then of more than a block.
        let count = input.below(24) * if input.byte() > 240 { 150 } else { 1 };
        let mut chosen = Chosen::new(input, 1, 0);
        let (references, values) = (repeated(input, count), repeated(input, count));
        let refusals = chosen.refusals().when(chosen.codes, QTENSOR_UNSUPPORTED);
        let mut out = untouched();
        let x = nulls.slice(0, &references, count);
        let y = nulls.slice(1, &values, count);
        let (options, to) = (chosen.pointer(), nulls.at_mut(2, &raw mut out));
        // SAFETY: slices, options and an output, or NULL.
        let accepted = refusals.nulls(&nulls).call(with_error, |error| unsafe {
            qtensor_loss_compare(x, y, count, options, to, error)
        });
        let pairs = references.into_iter().zip(values).zip(0..).map(|((x, y), index)| Pair {
            x,
            y,
            index,
            code: 0,
            place: Place::Within,
        });
        let model = chosen.model(vec![pairs.collect()], (0, 0));
        self.put_loss(slot, given(accepted, out), model);
    }

    fn merge_losses(&mut self, slot: usize, input: &mut Input<'_>) {
        let (from, nulls, with_error) = (input.below(2), input.nulls(), input.flag());
        let ((handle, model), (other, others)) = (self.loss_handle(slot), self.loss_handle(from));
        if model.size() + others.size() > MOST {
            return;
        }
        // Without channels there are no histograms.
        let channels = model.channels.len();
        let kept = |it: &Model| (it.codes.is_some(), it.errors, it.values);
        let differ = channels > 0 && kept(&model) != kept(&others);
        let other_codes =
            channels > 0 && model.codes.zip(others.codes).is_some_and(|(own, its)| own != its);
        let refusals = Refusals::new()
            .when(slot == from || differ, QTENSOR_UNSUPPORTED)
            .when(channels != others.channels.len() || other_codes, QTENSOR_SHAPE_MISMATCH);
        let (loss, other) = (nulls.at_mut(0, handle), nulls.at(1, other));
        // SAFETY: live handles, or NULL.
        let accepted = refusals
            .nulls(&nulls)
            .call(with_error, |error| unsafe { qtensor_loss_merge(loss, other, error) });
        if let Some(held) = &mut self.losses[slot] {
            if accepted {
                let own = held.model.channels.iter_mut();
                own.zip(&others.channels).for_each(|(own, more)| own.extend(more));
            }
            held.model.check(held.handle);
        }
    }

    fn loss_handle(&self, slot: usize) -> (*mut qtensor_loss_t, Model) {
        match &self.losses[slot] {
            Some(held) => (held.handle, held.model.clone()),
            None => (std::ptr::null_mut(), Model::default()),
        }
    }

    /// One question, mostly of a channel that there is.
    fn ask(&mut self, slot: usize, input: &mut Input<'_>) {
        let (nulls, with_error) = (input.nulls(), input.flag());
        let (handle, model) = self.loss_handle(slot);
        let channels = model.channels.len();
        let channel = match input.byte() {
            byte @ 0..240 => usize::from(byte) % channels.max(1),
            240..248 => channels,
            _ => input.word() as usize | channels,
        };
        let missing = channel >= channels;
        let loss = nulls.at(0, handle);
        let refusals = Refusals::new().when(missing, QTENSOR_OUT_OF_RANGE);
        match input.below(4) {
            0 => {
                let mut out = Versioned::output(input);
                let refusals = out.room(refusals);
                let to = nulls.at_mut(1, out.pointer());
                // SAFETY: a live handle and a structure, or NULL.
                let accepted = refusals.nulls(&nulls).call(with_error, |error| unsafe {
                    qtensor_loss_get(loss, channel, to, error)
                });
                let metrics: Option<qtensor_loss_metrics_t> = out.written(accepted);
                metrics.iter().for_each(|metrics| model.check_metrics(channel, metrics));
            }
            1 => {
                let p = match input.byte() {
                    byte @ 0..230 => f64::from(byte % 65) / 64.0,
                    _ => f64::from_bits(input.word()),
                };
                let inside = (0.0..=1.0).contains(&p);
                let exact = if missing || !inside { None } else { model.quantile(channel, p) };
                let mut out = 77.0;
                let to = nulls.at_mut(1, &raw mut out);
                let refusals = refusals
                    .when(!inside, QTENSOR_INVALID_ARGUMENT)
                    .when(exact.is_none(), QTENSOR_UNAVAILABLE);
                // SAFETY: a live handle and an output, or NULL.
                let accepted = refusals.nulls(&nulls).call(with_error, |error| unsafe {
                    qtensor_loss_quantile(loss, channel, p, to, error)
                });
                if accepted {
                    model.check_quantile(channel, p, out);
                } else {
                    assert_eq!(out, 77.0);
                }
            }
            2 => {
                let bins = if missing { Vec::new() } else { model.error_bins(channel) };
                let to_tuple = |bin: &qtensor_loss_bin_t| (bin.low, bin.high, bin.count);
                let nothing = qtensor_loss_bin_t { low: 77.0, high: 77.0, count: 77 };
                let right = if loss.is_null() { 0 } else { bins.len() };
                // SAFETY: a live handle, or NULL.
                assert_eq!(unsafe { qtensor_loss_error_bins(loss, channel) }, right);
                let histogram = Histogram { right: bins.len(), nothing, to: &nulls };
                let call = |to, capacity, out, error| {
                    // SAFETY: a live handle, a buffer and an output, or NULL.
                    unsafe { qtensor_loss_error_histogram(loss, channel, to, capacity, out, error) }
                };
                let found = histogram.read(input, refusals, with_error, call);
                let found = found.map(|found| found.iter().map(to_tuple).collect::<Vec<_>>());
                assert!(found.is_none_or(|found| found == bins));
            }
            _ => {
                let counts = if missing { None } else { model.code_histogram(channel) };
                let counts = counts.unwrap_or_default();
                let right = if loss.is_null() { 0 } else { counts.len() };
                // SAFETY: a live handle, or NULL.
                assert_eq!(unsafe { qtensor_loss_code_bins(loss, channel) }, right);
                let histogram = Histogram { right: counts.len(), nothing: 77, to: &nulls };
                let call = |to, capacity, out, error| {
                    // SAFETY: a live handle, a buffer and an output, or NULL.
                    unsafe { qtensor_loss_code_histogram(loss, channel, to, capacity, out, error) }
                };
                let found = histogram.read(input, refusals, with_error, call);
                assert!(found.is_none_or(|found| found == counts));
            }
        }
    }
}

/// A call that fills an array, mostly one of the right length, and says how much of it it filled.
struct Histogram<'a, T> {
    right: usize,
    nothing: T,
    to: &'a Nulls,
}

impl<T: Copy> Histogram<'_, T> {
    /// What it filled, if it was accepted.
    fn read(
        self,
        input: &mut Input<'_>,
        refusals: Refusals,
        with_error: bool,
        call: impl FnOnce(*mut T, usize, *mut usize, *mut *mut qtensor_error_t) -> Status,
    ) -> Option<Vec<T>> {
        let capacity = input.count(self.right);
        let (mut room, mut out) = (vec![self.nothing; capacity], 77);
        let at = self.to.slice_mut(1, &mut room, capacity);
        let to = self.to.at_mut(2, &raw mut out);
        let refusals = refusals.when(capacity < self.right, QTENSOR_BUFFER_TOO_SMALL);
        let accepted =
            refusals.nulls(self.to).call(with_error, |error| call(at, capacity, to, error));
        written(accepted, out, self.right, 77);
        // Behind what was filled nothing was written, and nothing at all by a refused call.
        let filled = if accepted { self.right } else { 0 };
        let bytes = |value: &T| {
            // SAFETY: integers and floats without padding.
            unsafe {
                std::slice::from_raw_parts(std::ptr::from_ref(value).cast::<u8>(), size_of::<T>())
            }
            .to_vec()
        };
        assert!(room[filled..].iter().all(|value| bytes(value) == bytes(&self.nothing)));
        room.truncate(filled);
        accepted.then_some(room)
    }
}

/// Where a quantizer that rounds to the nearest code would say that a reference is.
fn place(model: &Tensor, (scale, bias): (f64, f64), x: f32) -> Place {
    let mut counts = Counts::default();
    if model.logarithmic {
        // Its own: the model has no second formula for these.
        let quantize = || {
            let mut one = QTensor::with_shape(&[1], model.precision, model.signed)?;
            one.set_scale(scale);
            one.set_bias(bias);
            one.set_logarithmic(true)?;
            one.quantize_counting(&[x], &QuantizeOptions::default())
        };
        counts = quantize().unwrap_or_default();
    } else if scale.is_normal() && scale > 0.0 && bias.is_finite() {
        let definition = Definition {
            rounding: Rounding::NearestEven,
            seed: 0,
            precision: model.precision,
            signed: model.signed,
            scale,
            bias,
        };
        definition.code(f64::from(x), 0, &mut counts);
    }
    match (counts.saturated_low, counts.saturated_high) {
        (0, 0) => Place::Within,
        (_, 0) => Place::Below,
        _ => Place::Above,
    }
}
