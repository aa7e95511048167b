//! What tensors take and which codes they have, told bit by bit; and times.

use super::Machine;
use super::input::Input;
use super::loss_model::{check_close, entropy};
use super::model::Tensor;
use super::status::{Refusals, *};
use super::versions::Versioned;
use super::wire::NAMES;
use caffe2_qtensor::QTensor;
use caffe2_qtensor::capi::measure::*;
use std::collections::BTreeMap;
use std::ffi::CString;

/// The most bytes of a message.
const LONGEST: usize = i32::MAX as usize;

impl Tensor {
    /// How often each code occurs. Of a tensor without planes, which may be a large one, all are 0.
    fn code_counts(&self) -> BTreeMap<i64, u64> {
        let mut counts = BTreeMap::new();
        if self.planes.is_some() {
            for code in self.codes() {
                *counts.entry(code).or_insert(0) += 1;
            }
        } else if self.size() > 0 {
            counts.insert(0, self.size() as u64);
        }
        counts
    }
}

impl Machine {
    pub(super) fn measurements(&mut self, input: &mut Input<'_>) {
        match input.byte() {
            0..160 => self.loss(input),
            160..180 => self.sizes(input),
            180..196 => self.statistics(input),
            196..206 => self.plane_ones(input),
            206..222 => self.histogram(input),
            222..240 => self.energy(input),
            _ => timing(input),
        }
    }

    fn sizes(&mut self, input: &mut Input<'_>) {
        let (slot, nulls, with_error) = (input.below(4), input.nulls(), input.flag());
        let (model, name) = (self.model(slot), NAMES[input.below(4)]);
        let text = CString::new(name).expect("no NUL");
        let mut out = Versioned::output(input);
        let tensor = nulls.at(0, self.handle(slot));
        let (at, to) = (nulls.at(1, text.as_ptr()), nulls.at_mut(2, out.pointer()));
        let planes = model.nbytes();
        let known = model.is_small();
        // A byte of planes is one of the message or two; what else there is has less than this.
        let others = 4096 + 32 * (model.scales.len() + model.biases.len());
        let refusals = out
            .room(Refusals::new())
            .nulls(&nulls)
            .when(planes > LONGEST, QTENSOR_OVERFLOW)
            .maybe(!known && planes > (LONGEST - others) / 2, &[QTENSOR_OVERFLOW]);
        // SAFETY: a live handle, a string and a structure, or NULL.
        let accepted =
            refusals.call(with_error, |error| unsafe { qtensor_sizes(tensor, at, to, error) });
        let found: Option<qtensor_sizes_t> = out.written(accepted);
        let Some(found) = found else { return };
        let held = model.planes.as_ref().map_or(0, Vec::len);
        let lists = model.dims.len() + model.scales.len() + model.biases.len();
        assert_eq!(found.planes, planes as u64);
        assert_eq!(found.resident, (size_of::<QTensor>() + 8 * lists + held) as u64);
        assert_eq!(found.floats, (model.size() as u64).saturating_mul(4));
        if known {
            assert_eq!(found.wire, model.blob(name).len() as u64);
        } else {
            assert!((planes..=2 * planes + others).contains(&(found.wire as usize)));
        }
        let ratio = |bytes: u64| {
            if bytes == 0 { f64::NAN } else { found.floats as f64 / bytes as f64 }
        };
        check_close(found.ratio, ratio(found.planes), 0.0);
        check_close(found.wire_ratio, ratio(found.wire), 0.0);
    }

    fn statistics(&mut self, input: &mut Input<'_>) {
        let (slot, nulls, with_error) = (input.below(4), input.nulls(), input.flag());
        let model = self.model(slot);
        let mut out = Versioned::output(input);
        let (tensor, to) = (nulls.at(0, self.handle(slot)), nulls.at_mut(1, out.pointer()));
        let refusals =
            out.room(Refusals::new()).nulls(&nulls).when(model.precision > 63, QTENSOR_UNSUPPORTED);
        // SAFETY: a live handle and a structure, or NULL.
        let accepted = refusals
            .call(with_error, |error| unsafe { qtensor_code_statistics(tensor, to, error) });
        let found: Option<qtensor_code_statistics_t> = out.written(accepted);
        let Some(found) = found else { return };
        let counts = model.code_counts();
        let counted = model.precision <= 16;
        assert_eq!(found.count, model.size() as u64);
        assert_eq!(found.zeros, counts.get(&0).copied().unwrap_or(0));
        assert_eq!(found.distinct, if counted { counts.len() as u64 } else { 0 });
        assert_eq!(found.lowest, counts.keys().next().copied().unwrap_or(0));
        assert_eq!(found.highest, counts.keys().next_back().copied().unwrap_or(0));
        let bits = if counted { entropy(counts.into_values()) } else { f64::NAN };
        check_close(found.entropy, bits, 1e-9);
    }

    fn plane_ones(&mut self, input: &mut Input<'_>) {
        let (slot, nulls, with_error) = (input.below(4), input.nulls(), input.flag());
        let model = self.model(slot);
        let count = input.count(model.planes());
        let mut ones = vec![77; count];
        let tensor = nulls.at(0, self.handle(slot));
        let to = nulls.slice_mut(1, &mut ones, count);
        let refusals = Refusals::new()
            .nulls(&nulls)
            .when(count != model.planes(), QTENSOR_SHAPE_MISMATCH)
            .when(model.precision > 63, QTENSOR_UNSUPPORTED);
        // SAFETY: a live handle and a buffer, or NULL.
        let accepted = refusals
            .call(with_error, |error| unsafe { qtensor_plane_ones(tensor, to, count, error) });
        if !accepted {
            assert!(ones.iter().all(|count| *count == 77));
            return;
        }
        let elements = if model.planes.is_some() { model.size() } else { 0 };
        for (bit, found) in ones.into_iter().enumerate() {
            let set = (0..elements).filter(|index| model.bit(bit, *index));
            assert_eq!(found, set.count() as u64);
        }
    }

    fn histogram(&mut self, input: &mut Input<'_>) {
        let (slot, nulls, with_error) = (input.below(4), input.nulls(), input.flag());
        let model = self.model(slot);
        let counted = model.precision <= 16;
        let right = if counted { (model.highest() - model.lowest() + 1) as usize } else { 9 };
        let count = input.count(right);
        let mut histogram = vec![77; count];
        let tensor = nulls.at(0, self.handle(slot));
        let to = nulls.slice_mut(1, &mut histogram, count);
        let refusals = Refusals::new()
            .nulls(&nulls)
            .when(!counted, QTENSOR_UNSUPPORTED)
            .when(counted && count != right, QTENSOR_SHAPE_MISMATCH);
        // SAFETY: a live handle and a buffer, or NULL.
        let accepted = refusals
            .call(with_error, |error| unsafe { qtensor_code_histogram(tensor, to, count, error) });
        if !accepted {
            assert!(histogram.iter().all(|count| *count == 77));
            return;
        }
        let mut expected = vec![0; right];
        for (code, count) in model.code_counts() {
            expected[(code - model.lowest()) as usize] = count;
        }
        assert_eq!(histogram, expected);
    }
}

/// A summary of times, and the clock.
fn timing(input: &mut Input<'_>) {
    let before = qtensor_clock_now();
    let (nulls, with_error) = (input.nulls(), input.flag());
    let count = input.below(48);
    let negative = input.byte() > 200;
    let mut second = || if negative { input.scale() } else { input.scale().abs() };
    let mut seconds: Vec<f64> = (0..count).map(|_| second()).collect();
    let finite = seconds.iter().all(|it| it.is_finite());
    let mut out = Versioned::output(input);
    let (from, to) = (nulls.slice(0, &seconds, count), nulls.at_mut(1, out.pointer()));
    let refusals = out
        .room(Refusals::new())
        .nulls(&nulls)
        .when(count == 0, QTENSOR_OUT_OF_RANGE)
        .when(!finite, QTENSOR_NON_FINITE)
        .when(finite && seconds.iter().any(|it| *it < 0.0), QTENSOR_INVALID_ARGUMENT);
    // SAFETY: a slice and a structure, or NULL.
    let accepted = refusals
        .call(with_error, |error| unsafe { qtensor_timing_summarize(from, count, to, error) });
    let found: Option<qtensor_timing_t> = out.written(accepted);
    let after = qtensor_clock_now();
    assert!(0 < before && before <= after);
    let Some(found) = found else { return };
    seconds.sort_by(f64::total_cmp);
    assert_eq!(found.runs, count as u64);
    let (middle, last) = (count / 2, count - 1);
    assert_eq!((found.minimum, found.maximum), (seconds[0], seconds[last]));
    // The rank, in hundredths: as many as have 95 of 100 at or below them.
    let rank = (1..=count).find(|rank| 100 * rank >= 95 * count).expect("the last one does");
    assert_eq!(found.p95, seconds[rank - 1]);
    let median = if count % 2 == 1 {
        seconds[middle]
    } else {
        seconds[middle - 1] / 2.0 + seconds[middle] / 2.0
    };
    check_close(found.median, median, 1e-12 * median.abs() + f64::MIN_POSITIVE);
    let magnitude: f64 = seconds.iter().map(|it| it.abs()).sum();
    // Beyond the largest number, sums are as infinite as their terms come.
    if magnitude.is_finite() {
        check_close(found.total, seconds.iter().sum(), 1e-12 * magnitude);
        check_close(found.mean * count as f64, found.total, 1e-12 * magnitude + 1e-300);
    }
}
