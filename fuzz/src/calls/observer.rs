//! Observers: what they have seen is a list of values here.

use super::Machine;
use super::input::Input;
use super::status::{Refusals, given, untouched, written, *};
use caffe2_qtensor::capi::observer::*;

/// A live observer and what it has seen.
pub(super) struct Held {
    handle: *mut qtensor_observer_t,
    model: Model,
}

#[derive(Clone, Default)]
pub(super) struct Model {
    kind: i32,
    bins: u32,
    skips: bool,
    /// Whether there are channels, and along which dimension.
    axis: Option<usize>,
    /// The values of each channel.
    pub(super) seen: Vec<Vec<f32>>,
    batches: u64,
}

impl Model {
    fn has_kind_of(&self, other: &Model) -> bool {
        let average = self.kind == QTENSOR_OBSERVER_MOVING_AVERAGE;
        !average && (self.kind, self.skips) == (other.kind, other.skips)
    }

    fn has_shape_of(&self, other: &Model) -> bool {
        (self.bins, self.axis, self.seen.len()) == (other.bins, other.axis, other.seen.len())
    }

    /// What the interface says of each channel is what the values are.
    fn check(&self, handle: *const qtensor_observer_t) {
        // SAFETY: a live handle.
        assert_eq!(unsafe { qtensor_observer_channels(handle) }, self.seen.len());
        for (channel, seen) in self.seen.iter().enumerate() {
            let mut out = no_statistics();
            // SAFETY: a live handle and a structure.
            let accepted = Refusals::new().call(true, |error| unsafe {
                qtensor_observer_statistics(handle, channel, &raw mut out, error)
            });
            assert!(accepted);
            let count = |which: fn(&f32) -> bool| seen.iter().filter(|it| which(it)).count() as u64;
            assert_eq!(out.finite, count(|it| it.is_finite()));
            assert_eq!(out.nan, count(|it| it.is_nan()));
            assert_eq!(out.positive_infinite, count(|it| *it == f32::INFINITY));
            assert_eq!(out.negative_infinite, count(|it| *it == f32::NEG_INFINITY));
            assert_eq!(out.zeros, count(|it| *it == 0.0));
            let finite = || seen.iter().filter(|it| it.is_finite()).map(|it| f64::from(*it));
            let same = |a: f64, b: f64| a == b || (a.is_nan() && b.is_nan());
            assert!(same(out.min, finite().fold(f64::NAN, f64::min)), "{}", out.min);
            assert!(same(out.max, finite().fold(f64::NAN, f64::max)), "{}", out.max);
            if self.kind == QTENSOR_OBSERVER_HISTOGRAM && out.finite > 0 {
                let mean = finite().sum::<f64>() / out.finite as f64;
                let magnitude = finite().map(f64::abs).sum::<f64>() / out.finite as f64;
                assert!((out.mean - mean).abs() <= magnitude * 1e-12, "{} {mean}", out.mean);
            }
        }
    }
}

fn no_statistics() -> qtensor_statistics_t {
    qtensor_statistics_t {
        struct_size: size_of::<qtensor_statistics_t>(),
        finite: 77,
        nan: 77,
        positive_infinite: 77,
        negative_infinite: 77,
        zeros: 77,
        batches: 77,
        min: 77.0,
        max: 77.0,
        mean: 77.0,
        variance: 77.0,
        mean_square: 77.0,
        average_min: 77.0,
        average_max: 77.0,
    }
}

impl Machine {
    pub(super) fn observer_handle(&self, slot: usize) -> (*mut qtensor_observer_t, Model) {
        match &self.observers[slot] {
            Some(held) => (held.handle, held.model.clone()),
            None => (std::ptr::null_mut(), Model::default()),
        }
    }

    fn put_observer(&mut self, slot: usize, handle: Option<*mut qtensor_observer_t>, model: Model) {
        let Some(handle) = handle else { return };
        model.check(handle);
        self.free_observer(slot);
        self.observers[slot] = Some(Held { handle, model });
    }

    fn free_observer(&mut self, slot: usize) {
        let Some(held) = self.observers[slot].take() else { return };
        held.model.check(held.handle);
        // SAFETY: a live handle, given up.
        unsafe { qtensor_observer_free(held.handle) };
    }

    pub(super) fn free_observers(&mut self) {
        (0..self.observers.len()).for_each(|slot| self.free_observer(slot));
    }

    /// Notes what an accepted call added, and looks whether it did.
    pub(super) fn settle_observer(
        &mut self,
        slot: usize,
        accepted: bool,
        change: impl FnOnce(&mut Model),
    ) {
        let Some(held) = &mut self.observers[slot] else { return };
        if accepted {
            change(&mut held.model);
        }
        held.model.check(held.handle);
    }

    pub(super) fn observer(&mut self, input: &mut Input<'_>) {
        let slot = input.below(2);
        match input.below(12) {
            0..2 => self.create_observer(slot, input),
            2..6 => self.observe(slot, input),
            6 => self.merge(slot, input),
            7 => self.free_observer(slot),
            8 => self.reset_or_clone(slot, input),
            9 => self.state(slot, input),
            10 => self.choose(slot, input),
            _ => self.best(input),
        }
    }

    fn create_observer(&mut self, slot: usize, input: &mut Input<'_>) {
        let (nulls, with_error) = (input.nulls(), input.flag());
        let bins = match input.byte() {
            0..200 => 256,
            200..220 => 512,
            byte => u32::from(byte % 3) * 300,
        };
        let options = qtensor_observer_options_t {
            struct_size: size_of::<qtensor_observer_options_t>(),
            weight: if input.byte() < 200 { 0.25 } else { input.scale() },
            channels: if input.byte() < 230 { u64::from(input.byte() % 4) } else { 1 << 25 },
            axis: input.index(),
            kind: input.choice(3),
            bins,
            non_finite: if input.byte() < 230 {
                2 * i32::from(input.flag())
            } else {
                input.index()
            },
        };
        let average = options.kind == QTENSOR_OBSERVER_MOVING_AVERAGE;
        let histogram = options.kind == QTENSOR_OBSERVER_HISTOGRAM;
        let channels = options.channels > 0;
        let wrong = !(0..3).contains(&options.kind)
            || !matches!(options.non_finite, 0 | 2)
            || (channels && options.axis < 0)
            || (histogram && !matches!(bins, 0 | 256 | 512))
            || (average && !(options.weight > 0.0 && options.weight <= 1.0));
        let far = options.channels > 1 << 24 || (channels && options.axis > 63);
        let mut out = untouched();
        let to = nulls.at_mut(0, &raw mut out);
        let refusals = Refusals::new()
            .nulls(&nulls)
            .when(wrong, QTENSOR_INVALID_ARGUMENT)
            .when(far, QTENSOR_OUT_OF_RANGE);
        // SAFETY: options and an output, or NULL.
        let accepted = refusals.call(with_error, |error| unsafe {
            qtensor_observer_create(&raw const options, to, error)
        });
        let model = Model {
            kind: options.kind,
            bins: if !histogram {
                0
            } else if bins == 0 {
                4096
            } else {
                bins
            },
            skips: options.non_finite == QTENSOR_NON_FINITE_SKIP,
            axis: channels.then_some(options.axis as usize),
            seen: vec![Vec::new(); options.channels.clamp(1, 4) as usize],
            batches: 0,
        };
        self.put_observer(slot, given(accepted, out), model);
    }

    fn observe(&mut self, slot: usize, input: &mut Input<'_>) {
        let (nulls, with_error) = (input.nulls(), input.flag());
        let (handle, model) = self.observer_handle(slot);
        let dims = if input.byte() < 200 {
            let mut dims = vec![2; model.axis.unwrap_or(0) + 1];
            if let Some(axis) = model.axis.filter(|axis| *axis < 4) {
                dims[axis] = model.seen.len() as i64;
            }
            dims.truncate(4);
            dims
        } else {
            input.dims()
        };
        // Without channels, no dimensions are dimensions that were left out.
        let named = model.axis.is_some() || (input.flag() && !dims.is_empty());
        let dims = if named { dims } else { Vec::new() };
        let product = dims.iter().try_fold(1i128, |all, dim| all.checked_mul((*dim).into()));
        let size = if dims.contains(&0) { Some(0) } else { product };
        let small =
            size.and_then(|size| usize::try_from(size).ok()).filter(|size| *size <= 1 << 12);
        let negative = dims.iter().any(|dim| *dim < 0);
        let right = if named { small } else { None };
        let count = input.count(right.unwrap_or(5));
        let values = input.floats(count);
        let finite = values.iter().all(|value| value.is_finite());
        let extent = model.axis.map(|axis| dims.get(axis).copied());
        let mismatch = named && size != Some(count as i128);
        let other = extent.flatten().is_some_and(|extent| extent != model.seen.len() as i64);
        let refusals = Refusals::new()
            .when(!model.skips && !finite, QTENSOR_NON_FINITE)
            .when(mismatch || other, QTENSOR_SHAPE_MISMATCH)
            .when(extent == Some(None) || dims.len() > 64, QTENSOR_OUT_OF_RANGE)
            .when(negative, QTENSOR_INVALID_ARGUMENT)
            .maybe(mismatch, &[QTENSOR_OVERFLOW]);
        let observer = nulls.at_mut(0, handle);
        let from = nulls.slice(1, &values, count);
        let at = nulls.slice(2, &dims, dims.len());
        // SAFETY: a live handle and slices, or NULL.
        let accepted = refusals.nulls(&nulls).call(with_error, |error| unsafe {
            qtensor_observer_observe(observer, from, count, at, dims.len(), error)
        });
        self.settle_observer(slot, accepted, |model| {
            let inner = |axis: usize| dims[axis + 1..].iter().product::<i64>() as usize;
            for (index, value) in values.iter().enumerate() {
                let channel = model.axis.map_or(0, |axis| index / inner(axis) % model.seen.len());
                model.seen[channel].push(*value);
            }
            model.batches += 1;
        });
    }

    fn merge(&mut self, slot: usize, input: &mut Input<'_>) {
        let (from, nulls, with_error) = (input.below(2), input.nulls(), input.flag());
        let ((handle, model), (other, others)) =
            (self.observer_handle(slot), self.observer_handle(from));
        let refusals = Refusals::new()
            .when(slot == from || !model.has_kind_of(&others), QTENSOR_UNSUPPORTED)
            .when(!model.has_shape_of(&others), QTENSOR_SHAPE_MISMATCH);
        let (observer, other) = (nulls.at_mut(0, handle), nulls.at(1, other));
        // SAFETY: live handles, or NULL.
        let accepted = refusals
            .nulls(&nulls)
            .call(with_error, |error| unsafe { qtensor_observer_merge(observer, other, error) });
        self.settle_observer(slot, accepted, |model| {
            for (seen, more) in model.seen.iter_mut().zip(&others.seen) {
                seen.extend(more);
            }
        });
        self.settle_observer(from, false, |_| {});
    }

    fn reset_or_clone(&mut self, slot: usize, input: &mut Input<'_>) {
        let (from, nulls, with_error) = (input.below(2), input.nulls(), input.flag());
        if input.flag() {
            let observer = nulls.at_mut(0, self.observer_handle(slot).0);
            // SAFETY: a live handle, or NULL.
            let accepted = Refusals::new()
                .nulls(&nulls)
                .call(with_error, |error| unsafe { qtensor_observer_reset(observer, error) });
            self.settle_observer(slot, accepted, |model| {
                model.seen.iter_mut().for_each(Vec::clear);
                model.batches = 0;
            });
            return;
        }
        let (handle, model) = self.observer_handle(from);
        let mut out = untouched();
        let (observer, to) = (nulls.at(0, handle), nulls.at_mut(1, &raw mut out));
        // SAFETY: a live handle and an output, or NULL.
        let accepted = Refusals::new()
            .nulls(&nulls)
            .call(with_error, |error| unsafe { qtensor_observer_clone(observer, to, error) });
        self.put_observer(slot, given(accepted, out), model);
    }

    /// Through a state and back.
    fn state(&mut self, slot: usize, input: &mut Input<'_>) {
        let (from, nulls, with_error) = (input.below(2), input.nulls(), input.flag());
        let (handle, model) = self.observer_handle(from);
        let mut size = 77;
        let (observer, to) = (nulls.at(0, handle), nulls.at_mut(1, &raw mut size));
        // SAFETY: a live handle and an output, or NULL.
        let accepted = Refusals::new().nulls(&nulls).call(with_error, |error| unsafe {
            qtensor_observer_serialized_size(observer, to, error)
        });
        if !accepted {
            assert_eq!(size, 77);
            return;
        }
        let nulls = input.nulls();
        let capacity = input.count(size);
        let (mut state, mut out) = (vec![0xA5; capacity], 77);
        let observer = nulls.at(0, handle);
        let (at, to) = (nulls.slice_mut(1, &mut state, capacity), nulls.at_mut(2, &raw mut out));
        let refusals =
            Refusals::new().nulls(&nulls).when(capacity < size, QTENSOR_BUFFER_TOO_SMALL);
        // SAFETY: a live handle, a buffer and an output, or NULL.
        let accepted = refusals.call(with_error, |error| unsafe {
            qtensor_observer_serialize(observer, at, capacity, to, error)
        });
        written(accepted, out, size, 77);
        if !accepted {
            assert!(state.iter().all(|byte| *byte == 0xA5));
            return;
        }
        let damaged = input.byte() > 200;
        if damaged {
            let at = (usize::from(input.byte()) * size) / 256;
            state[at] ^= input.byte() | 1;
        }
        let mut out = untouched();
        let to = nulls.at_mut(3, &raw mut out);
        let refusals = Refusals::new()
            .nulls(&nulls)
            .maybe(damaged, &[QTENSOR_UNSUPPORTED])
            .when(damaged, QTENSOR_MALFORMED);
        // SAFETY: a slice and an output, or NULL.
        let accepted = refusals.call(with_error, |error| unsafe {
            qtensor_observer_deserialize(state.as_ptr(), size, to, error)
        });
        self.put_observer(slot, given(accepted, out), model);
    }
}
