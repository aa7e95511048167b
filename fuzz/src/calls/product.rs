//! Products with packed weights: sums that are exact, and values told from them.

use super::input::Input;
use super::model::Tensor;
use super::status::{Refusals, Status, given, untouched, written, *};
use super::{Lending, Machine};
use caffe2_qtensor::capi::fixed::QTENSOR_FIXED_DNNLOWP;
use caffe2_qtensor::capi::product::*;

/// Packed weights and the tensor that they were made of.
pub(super) struct Held {
    handle: *mut qtensor_packed_t,
    model: Tensor,
}

/// What stands in the way of products that scales and biases make impossible.
const PARAMETERS: [Status; 4] =
    [QTENSOR_NON_FINITE, QTENSOR_INVALID_ARGUMENT, QTENSOR_UNSUPPORTED, QTENSOR_OVERFLOW];

impl Machine {
    fn packed_handle(&self, slot: usize) -> (*const qtensor_packed_t, Tensor) {
        match &self.packed[slot] {
            Some(held) => (held.handle.cast_const(), held.model.clone()),
            None => (std::ptr::null(), Tensor::new(&[1, 1], 1, false)),
        }
    }

    fn free_pack(&mut self, slot: usize) {
        if let Some(held) = self.packed[slot].take() {
            // SAFETY: a live handle, given up.
            unsafe { qtensor_packed_free(held.handle) };
        }
    }

    pub(super) fn free_packed(&mut self) {
        (0..self.packed.len()).for_each(|slot| self.free_pack(slot));
    }

    pub(super) fn product(&mut self, input: &mut Input<'_>) {
        let slot = input.below(2);
        match input.below(10) {
            0..4 => self.pack(slot, input),
            4 => self.free_pack(slot),
            5..7 => self.sums(slot, input),
            7 => self.product_values(slot, input),
            8 => self.product_codes(slot, input),
            _ => self.product_floats(slot, input),
        }
    }

    fn pack(&mut self, slot: usize, input: &mut Input<'_>) {
        let (from, nulls, with_error) = (input.below(4), input.nulls(), input.flag());
        let model = self.model(from);
        if !model.is_small() {
            return;
        }
        let (rows, columns) = match model.dims[..] {
            [rows, columns] => (rows as usize, columns as usize),
            _ => (0, 0),
        };
        let finite = |bits: &[u64]| bits.iter().all(|bits| f64::from_bits(*bits).is_finite());
        let channels = model.multiparam == Some(true);
        let fits = model.steps();
        let own = finite(&[model.scale, model.bias]);
        let all = if channels && fits.is_ok() {
            finite(&model.scales) && finite(&model.biases)
        } else {
            own
        };
        let mut out = untouched();
        let (tensor, to) = (nulls.at(0, self.handle(from)), nulls.at_mut(1, &raw mut out));
        let refusals = Refusals::new()
            .nulls(&nulls)
            .when(model.dims.len() != 2, QTENSOR_SHAPE_MISMATCH)
            .when(rows * columns == 0, QTENSOR_INVALID_ARGUMENT)
            .when(channels && model.axis == Some(1), QTENSOR_INVALID_ARGUMENT)
            .when(!(1..=8).contains(&model.precision), QTENSOR_OUT_OF_RANGE)
            .when(model.logarithmic, QTENSOR_UNSUPPORTED)
            .when(!all, QTENSOR_NON_FINITE)
            .all(&fits.err().unwrap_or_default());
        // SAFETY: a live handle and an output, or NULL.
        let accepted =
            refusals.call(with_error, |error| unsafe { qtensor_packed_create(tensor, to, error) });
        let Some(handle) = given(accepted, out) else { return };
        // SAFETY: a live handle.
        unsafe {
            assert_eq!(qtensor_packed_rows(handle), rows);
            assert_eq!(qtensor_packed_columns(handle), columns);
            let codes = rows.next_multiple_of(64) * columns.next_multiple_of(32);
            assert_eq!(qtensor_packed_nbytes(handle), codes / 8 * model.planes());
        }
        self.free_pack(slot);
        self.packed[slot] = Some(Held { handle, model });
    }

    fn sums(&mut self, slot: usize, input: &mut Input<'_>) {
        let (from, nulls, with_error) = (input.below(4), input.nulls(), input.flag());
        let (x, (packed, weights)) = (self.model(from), self.packed_handle(slot));
        if !x.is_small() {
            return;
        }
        let options = options(input);
        let sums = sums_of(&x, &weights);
        let count = input.count(sums.as_ref().map_or(1, Vec::len).min(1 << 14));
        let refusals = refusals(&x, &weights).nulls(&nulls);
        let refusals = unusable(refusals, &options);
        let narrow = input.flag();
        let largest = (1i64 << x.precision.min(8)) - 1;
        let largest = largest * ((1 << weights.precision) - 1) * weights.dims[1];
        let refusals = refusals
            .when(sums.as_ref().is_some_and(|sums| sums.len() != count), QTENSOR_SHAPE_MISMATCH)
            .when(narrow && sums.is_some() && largest >= 1 << 31, QTENSOR_OVERFLOW);
        let tensor = nulls.at(0, self.handle(from));
        let packed = nulls.at(1, packed);
        let mut wide = vec![-77i64; count];
        let mut narrowed = vec![-77i32; count];
        let (to_wide, to_narrow) = (
            if narrow { std::ptr::null_mut() } else { nulls.slice_mut(2, &mut wide, count) },
            if narrow { nulls.slice_mut(2, &mut narrowed, count) } else { std::ptr::null_mut() },
        );
        // SAFETY: live handles, a buffer and options, or NULL.
        let accepted = refusals.nulls(&nulls).call(with_error, |error| unsafe {
            let at = &raw const options;
            match narrow {
                true => qtensor_product_sums_i32(tensor, packed, to_narrow, count, at, error),
                false => qtensor_product_sums(tensor, packed, to_wide, count, at, error),
            }
        });
        if narrow {
            wide = narrowed.into_iter().map(i64::from).collect();
        }
        assert_eq!(wide, if accepted { sums.unwrap_or_default() } else { vec![-77; count] });
        self.method(from, slot, input);
    }

    fn method(&mut self, from: usize, slot: usize, input: &mut Input<'_>) {
        let (nulls, with_error) = (input.nulls(), input.flag());
        let (x, (packed, weights)) = (self.model(from), self.packed_handle(slot));
        let options = options(input);
        let mut out = 77;
        let (tensor, packed) = (nulls.at(0, self.handle(from)), nulls.at(1, packed));
        let to = nulls.at_mut(2, &raw mut out);
        let refusals = unusable(refusals(&x, &weights), &options).nulls(&nulls);
        // SAFETY: live handles, an output and options, or NULL.
        let accepted = refusals.call(with_error, |error| unsafe {
            qtensor_product_method(tensor, packed, &raw const options, to, error)
        });
        assert!(if accepted { (1..5).contains(&out) } else { out == 77 });
        if accepted && options.method != QTENSOR_METHOD_BEST {
            written(true, out, options.method, 77);
        }
    }

    fn product_values(&mut self, slot: usize, input: &mut Input<'_>) {
        let (from, nulls, with_error) = (input.below(4), input.nulls(), input.flag());
        let (x, (packed, weights)) = (self.model(from), self.packed_handle(slot));
        if !x.is_small() {
            return;
        }
        let options = options(input);
        let exact = sums_of(&x, &weights);
        let outputs = weights.dims[0] as usize;
        let count = input.count(exact.as_ref().map_or(1, Vec::len).min(1 << 14));
        let added_count = if input.flag() { outputs } else { 0 };
        let added_count = input.count(added_count);
        let added = input.floats(added_count);
        let mut values = vec![-77f32; count];
        let tensor = nulls.at(0, self.handle(from));
        let packed = nulls.at(1, packed);
        let plus = nulls.slice(2, &added, added_count);
        let to = nulls.slice_mut(3, &mut values, count);
        let right = exact.as_ref().is_some_and(|exact| exact.len() == count);
        let refusals = unusable(refusals(&x, &weights), &options)
            .nulls(&nulls)
            .when(exact.is_some() && !right, QTENSOR_SHAPE_MISMATCH)
            .when(added_count != 0 && added_count != outputs, QTENSOR_SHAPE_MISMATCH)
            .when(x.multiparam == Some(true), QTENSOR_UNSUPPORTED)
            .maybe(true, &PARAMETERS);
        // SAFETY: live handles, buffers and options, or NULL.
        let accepted = refusals.call(with_error, |error| unsafe {
            let at = &raw const options;
            qtensor_product(tensor, packed, plus, added_count, to, count, at, error)
        });
        if !accepted {
            assert_eq!(values, vec![-77f32; count]);
            return;
        }
        let step = vec![(x.scale(), x.bias()); x.size()];
        let expected = values_of(&x.codes(), &step, &weights, &added);
        compare(&values, &expected);
    }

    fn product_floats(&mut self, slot: usize, input: &mut Input<'_>) {
        let (nulls, with_error) = (input.nulls(), input.flag());
        let (packed, weights) = self.packed_handle(slot);
        let options = options(input);
        let (outputs, columns) = (weights.dims[0] as usize, weights.dims[1] as usize);
        let rows = input.below(3);
        let x_count = input.count(rows * columns);
        let x = input.floats(x_count);
        let format = qtensor_input_format_t {
            scale: input.scale(),
            bias: input.bias(),
            parameters: input.choice(2),
            precision: input.precision(),
            is_signed: u8::from(input.flag()),
            ..qtensor_input_format_t::default()
        };
        let count = input.count(rows * outputs);
        let mut values = vec![-77f32; count];
        let from = nulls.slice(0, &x, x_count);
        let packed = nulls.at(1, packed);
        let to = nulls.slice_mut(2, &mut values, count);
        let usable = format.scale.is_normal() && format.scale > 0.0 && format.bias.is_finite();
        let whole = x_count.is_multiple_of(columns);
        let right = count == x_count / columns * outputs;
        let refusals = unusable(Refusals::new().nulls(&nulls), &options)
            .when(!whole || (x_count > 0 && !right), QTENSOR_SHAPE_MISMATCH)
            .when(x_count == 0, QTENSOR_INVALID_ARGUMENT)
            .when(!(1..=8).contains(&format.precision), QTENSOR_OUT_OF_RANGE)
            .when(format.parameters == 0 && !usable, QTENSOR_INVALID_ARGUMENT)
            .when(!(0..2).contains(&format.parameters), QTENSOR_INVALID_ARGUMENT)
            .when(x.iter().any(|value| !value.is_finite()), QTENSOR_NON_FINITE)
            .maybe(true, &PARAMETERS);
        // SAFETY: a live handle, buffers and options, or NULL.
        let accepted = refusals.call(with_error, |error| unsafe {
            let (format, at) = (&raw const format, &raw const options);
            let nothing = std::ptr::null();
            qtensor_product_floats(from, x_count, format, packed, nothing, 0, to, count, at, error)
        });
        if !accepted {
            assert_eq!(values, vec![-77f32; count]);
            return;
        }
        if format.parameters == QTENSOR_INPUT_GIVEN {
            let highest = f64::from((1 << format.precision) - 1);
            let lowest = if format.is_signed != 0 { -highest } else { 0.0 };
            let code = |value: &f32| {
                let position = f64::from(*value) / format.scale - format.bias;
                position.round_ties_even().clamp(lowest, highest) as i64
            };
            let codes: Vec<i64> = x.iter().map(code).collect();
            let step = vec![(format.scale, format.bias); codes.len()];
            compare(&values, &values_of(&codes, &step, &weights, &[]));
        }
    }

    fn product_codes(&mut self, slot: usize, input: &mut Input<'_>) {
        let (from, to_slot, nulls, with_error) =
            (input.below(4), input.below(4), input.nulls(), input.flag());
        let (x, (packed, weights)) = (self.model(from), self.packed_handle(slot));
        let out = self.model(to_slot);
        if !x.is_small() || !out.is_small() {
            return;
        }
        let mut options = options(input);
        options.rounding = input.choice(2);
        let exact = sums_of(&x, &weights);
        let outputs = weights.dims[0];
        let fits = exact.as_ref().is_some_and(|exact| exact.len() == out.size());
        let fits = fits && out.dims.last() == Some(&outputs);
        let refusals = unusable(refusals(&x, &weights), &options)
            .when(exact.is_some() && !fits, QTENSOR_SHAPE_MISMATCH)
            .when(!(1..=16).contains(&out.precision), QTENSOR_OUT_OF_RANGE)
            .when(out.logarithmic || x.multiparam == Some(true), QTENSOR_UNSUPPORTED)
            .when(from == to_slot, QTENSOR_INVALID_ARGUMENT)
            .all(&out.steps().err().unwrap_or_default())
            .maybe(true, &PARAMETERS)
            .maybe(true, &[QTENSOR_OUT_OF_RANGE]);
        let tensor = nulls.at(0, self.handle(from));
        let packed = nulls.at(1, packed);
        let to = nulls.at_mut(2, self.handle(to_slot));
        // SAFETY: live handles and options, or NULL.
        let accepted = refusals.nulls(&nulls).call(with_error, |error| unsafe {
            let at = &raw const options;
            qtensor_product_codes(tensor, packed, std::ptr::null(), 0, to, at, error)
        });
        if !accepted {
            self.settle(to_slot, false, Lending::Stays, |_| {});
            return;
        }
        let step = vec![(x.scale(), x.bias()); x.size()];
        let values = values_of(&x.codes(), &step, &weights, &[]);
        let positions = values.iter().zip(out.steps().unwrap_or_default());
        let positions = positions.map(|((value, magnitude), (scale, bias))| {
            (value / scale - bias, magnitude / scale.abs() + bias.abs())
        });
        let loose = options.rounding == QTENSOR_FIXED_DNNLOWP;
        super::fixed::adopt(self, to_slot, positions.collect(), loose, true);
    }
}

fn options(input: &mut Input<'_>) -> qtensor_product_options_t {
    qtensor_product_options_t {
        method: if input.byte() < 160 { QTENSOR_METHOD_BEST } else { input.choice(5) },
        threads: u32::from(input.byte() % 3),
        rounding: 0,
        ..qtensor_product_options_t::default()
    }
}

/// What is wrong with the options; a method may be one that cannot be used.
fn unusable(refusals: Refusals, options: &qtensor_product_options_t) -> Refusals {
    let unknown = !(0..5).contains(&options.method) || !(0..2).contains(&options.rounding);
    refusals
        .when(unknown, QTENSOR_INVALID_ARGUMENT)
        .maybe(options.method != QTENSOR_METHOD_BEST, &[QTENSOR_UNSUPPORTED])
}

/// What every product refuses in its input.
fn refusals(x: &Tensor, weights: &Tensor) -> Refusals {
    let columns = x.dims.last().copied();
    Refusals::new()
        .when(x.size() == 0, QTENSOR_INVALID_ARGUMENT)
        .when(columns != Some(weights.dims[1]), QTENSOR_SHAPE_MISMATCH)
        .when(!(1..=8).contains(&x.precision), QTENSOR_OUT_OF_RANGE)
        .when(x.logarithmic, QTENSOR_UNSUPPORTED)
}

/// The sums of the products of codes, where the shapes and precisions allow them.
fn sums_of(x: &Tensor, weights: &Tensor) -> Option<Vec<i64>> {
    let columns = weights.dims[1] as usize;
    let fits = x.size() > 0 && x.dims.last() == Some(&weights.dims[1]);
    if !fits || !(1..=8).contains(&x.precision) || x.logarithmic {
        return None;
    }
    let (rows, others) = (x.codes(), weights.codes());
    if rows.len() * others.len() > 1 << 20 {
        return None;
    }
    let dot = |row: &[i64], other: &[i64]| row.iter().zip(other).map(|(a, b)| a * b).sum();
    let rows = rows.chunks(columns);
    Some(rows.flat_map(|row| others.chunks(columns).map(move |other| dot(row, other))).collect())
}

/// Each value of a product, and the sum of the magnitudes that went into it.
fn values_of(
    codes: &[i64],
    step: &[(f64, f64)],
    weights: &Tensor,
    added: &[f32],
) -> Vec<(f64, f64)> {
    let (columns, outputs) = (weights.dims[1] as usize, weights.dims[0] as usize);
    let others: Vec<_> =
        weights.codes().into_iter().zip(weights.steps().unwrap_or_default()).collect();
    let mut values = Vec::new();
    for (row, step) in codes.chunks(columns).zip(step.chunks(columns)) {
        for output in 0..outputs {
            let plus = added.get(output).copied().unwrap_or(0.0);
            let (mut sum, mut magnitude) = (f64::from(plus), f64::from(plus.abs()));
            for ((x, (s, b)), (w, (t, c))) in row.iter().zip(step).zip(&others[output * columns..])
            {
                sum += s * t * ((*x as f64 + b) * (*w as f64 + c));
                magnitude +=
                    (s * t).abs() * (x.abs() as f64 + b.abs()) * (w.abs() as f64 + c.abs());
            }
            values.push((sum, magnitude));
        }
    }
    values
}

fn compare(values: &[f32], expected: &[(f64, f64)]) {
    assert_eq!(values.len(), expected.len());
    for (value, (expected, magnitude)) in values.iter().zip(expected) {
        // Where so much is summed that doubles end, nothing is told.
        if !magnitude.is_finite() || *magnitude > 1e300 {
            continue;
        }
        let rounded = *expected as f32;
        let near = (f64::from(*value) - expected).abs()
            <= expected.abs() * 1e-7 + magnitude * 1e-12 + 1e-45;
        let same = value.to_bits() == rounded.to_bits();
        assert!(same || near || rounded.is_infinite(), "{value} for {expected} of {magnitude}");
    }
}
