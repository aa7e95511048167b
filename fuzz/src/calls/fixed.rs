//! Fixed-point arithmetic: each code within the stated distance of the exact position.

use super::input::Input;
use super::model::{Tensor, read};
use super::status::{Refusals, Status, *};
use super::{Lending, Machine};
use caffe2_qtensor::capi::fixed::*;

/// What only sizes of scales and biases make impossible.
const PARAMETERS: [Status; 4] =
    [QTENSOR_OVERFLOW, QTENSOR_UNSUPPORTED, QTENSOR_NON_FINITE, QTENSOR_INVALID_ARGUMENT];

#[derive(Clone, Copy, PartialEq)]
enum Operation {
    Requantize,
    Relu,
    Clamp(f64, f64),
    Add,
    Multiply,
}

impl Machine {
    pub(super) fn fixed(&mut self, input: &mut Input<'_>) {
        let operation = match input.below(9) {
            0 => Operation::Requantize,
            1 => Operation::Relu,
            2 => Operation::Clamp(input.bias(), input.bias()),
            3..5 => Operation::Add,
            5 => Operation::Multiply,
            6 => return self.dot(input),
            7 => return self.argmax(input),
            _ => return self.prepare(input),
        };
        let (of_a, of_b, to) = (input.below(4), input.below(4), input.below(4));
        let (nulls, with_error) = (input.nulls(), input.flag());
        let pair = matches!(operation, Operation::Add | Operation::Multiply);
        let of_b = if pair { of_b } else { of_a };
        let (a, b, out) = (self.model(of_a), self.model(of_b), self.model(to));
        if ![&a, &b, &out].iter().all(|tensor| tensor.is_small()) {
            return;
        }
        let options = qtensor_fixed_options_t {
            rounding: input.choice(2),
            threads: u32::from(input.byte() % 3),
            ..qtensor_fixed_options_t::default()
        };
        let lowp = options.rounding == QTENSOR_FIXED_DNNLOWP;
        let mut refusals = Refusals::new()
            .when(!(0..2).contains(&options.rounding), QTENSOR_INVALID_ARGUMENT)
            .when(to == of_a || to == of_b, QTENSOR_INVALID_ARGUMENT)
            .when(a.dims != out.dims || b.dims != out.dims, QTENSOR_SHAPE_MISMATCH)
            .when(lowp && operation == Operation::Add, QTENSOR_UNSUPPORTED)
            .when(axes_differ(&[&a, &b, &out]), QTENSOR_UNSUPPORTED)
            .maybe(true, &PARAMETERS);
        if let Operation::Clamp(low, high) = operation {
            let wrong = low.is_nan() || high.is_nan() || low > high;
            refusals = refusals.when(wrong, QTENSOR_INVALID_ARGUMENT);
        }
        for tensor in [&a, &b, &out] {
            refusals = operand(refusals, tensor);
        }
        let first = nulls.at(0, self.handle(of_a));
        let second = if pair { nulls.at(1, self.handle(of_b)) } else { std::ptr::null() };
        let target = nulls.at_mut(2, self.handle(to));
        let at = &raw const options;
        // SAFETY: live handles and options, or NULL.
        let accepted = refusals.nulls(&nulls).call(with_error, |error| unsafe {
            match operation {
                Operation::Requantize => qtensor_requantize(first, target, at, error),
                Operation::Relu => qtensor_relu(first, target, at, error),
                Operation::Clamp(low, high) => qtensor_clamp(first, low, high, target, at, error),
                Operation::Add => qtensor_add(first, second, target, at, error),
                Operation::Multiply => qtensor_multiply(first, second, target, at, error),
            }
        });
        if !accepted {
            self.settle(to, false, Lending::Stays, |_| {});
            return;
        }
        let of =
            |tensor: &Tensor| tensor.codes().into_iter().zip(tensor.steps().unwrap_or_default());
        let positions = of(&a).zip(of(&b)).zip(out.steps().unwrap_or_default()).map(
            |(((x, (s, m)), (y, (t, n))), (scale, bias))| {
                let (x, y) = (x as f64, y as f64);
                let (value, size) = match operation {
                    Operation::Add => (
                        s * (x + m) + t * (y + n),
                        s.abs() * (x.abs() + m.abs()) + t.abs() * (y.abs() + n.abs()),
                    ),
                    Operation::Multiply => {
                        let size = (s * t).abs() * (x.abs() + m.abs()) * (y.abs() + n.abs());
                        (s * (x + m) * (t * (y + n)), size)
                    }
                    _ => (s * (x + m), s.abs() * (x.abs() + m.abs())),
                };
                let value = match operation {
                    Operation::Relu => value.max(0.0),
                    Operation::Clamp(low, high) => value.clamp(low, high),
                    _ => value,
                };
                (value / scale - bias, size / scale.abs() + bias.abs())
            },
        );
        // A limit becomes a code before the results are compared with it.
        let limited = matches!(operation, Operation::Relu | Operation::Clamp(..));
        adopt(self, to, positions.collect(), lowp || limited, false);
    }

    fn dot(&mut self, input: &mut Input<'_>) {
        let (of_a, of_b) = (input.below(4), input.below(4));
        let (nulls, with_error, of_codes) = (input.nulls(), input.flag(), input.flag());
        let (a, b) = (self.model(of_a), self.model(of_b));
        if !a.is_small() || !b.is_small() {
            return;
        }
        let empty = a.size() == 0 || b.size() == 0;
        let mut refusals = Refusals::new()
            .when(a.dims != b.dims, QTENSOR_SHAPE_MISMATCH)
            .when(empty, QTENSOR_INVALID_ARGUMENT)
            .when(!of_codes && axes_differ(&[&a, &b]), QTENSOR_UNSUPPORTED)
            .maybe(!of_codes, &PARAMETERS)
            .maybe(of_codes, &[QTENSOR_NON_FINITE, QTENSOR_INVALID_ARGUMENT, QTENSOR_OVERFLOW]);
        for tensor in [&a, &b] {
            refusals = operand(refusals, tensor);
        }
        let (first, second) = (nulls.at(0, self.handle(of_a)), nulls.at(1, self.handle(of_b)));
        let (mut value, mut sum) = (-77f64, -77i64);
        let (to_value, to_sum) = (&raw mut value, &raw mut sum);
        let (to_value, to_sum) = match of_codes {
            true => (to_value, nulls.at_mut(2, to_sum)),
            false => (nulls.at_mut(2, to_value), to_sum),
        };
        // SAFETY: live handles and an output, or NULL.
        let accepted = refusals.nulls(&nulls).call(with_error, |error| unsafe {
            match of_codes {
                true => qtensor_dot_codes(first, second, to_sum, error),
                false => qtensor_dot(first, second, to_value, error),
            }
        });
        if !accepted {
            assert_eq!((value, sum), (-77.0, -77));
            return;
        }
        let (x, y) = (a.codes(), b.codes());
        if of_codes {
            assert_eq!(sum, x.iter().zip(&y).map(|(x, y)| x * y).sum::<i64>());
            return;
        }
        let of = |codes: Vec<i64>, tensor: &Tensor| {
            codes.into_iter().zip(tensor.steps().unwrap_or_default())
        };
        let (mut exact, mut magnitude) = (0.0, 0.0);
        for ((x, (s, m)), (y, (t, n))) in of(x, &a).zip(of(y, &b)) {
            exact += s * (x as f64 + m) * (t * (y as f64 + n));
            magnitude += (s * t).abs() * (x.abs() as f64 + m.abs()) * (y.abs() as f64 + n.abs());
        }
        if magnitude.is_finite() && magnitude < 1e300 {
            assert!((value - exact).abs() <= magnitude * 1e-12 + 1e-300, "{value} for {exact}");
        }
    }

    fn argmax(&mut self, input: &mut Input<'_>) {
        let (from, nulls, with_error) = (input.below(4), input.nulls(), input.flag());
        let x = self.model(from);
        if !x.is_small() {
            return;
        }
        let length = x.dims.last().copied().unwrap_or(0).max(1) as usize;
        let rows = x.size() / length;
        let count = input.count(rows);
        let mut indices = vec![-77i64; count];
        let tensor = nulls.at(0, self.handle(from));
        let to = nulls.slice_mut(1, &mut indices, count);
        let refusals = operand(Refusals::new(), &x)
            .nulls(&nulls)
            .when(x.size() == 0, QTENSOR_INVALID_ARGUMENT)
            .when(count != rows, QTENSOR_SHAPE_MISMATCH)
            .maybe(count == 0, &[QTENSOR_SHAPE_MISMATCH]);
        // SAFETY: a live handle and a buffer, or NULL.
        let accepted =
            refusals.call(with_error, |error| unsafe { qtensor_argmax(tensor, to, count, error) });
        if !accepted {
            assert_eq!(indices, vec![-77; count]);
            return;
        }
        let last = x.axis == Some(x.dims.len() as i32 - 1) && x.multiparam == Some(true);
        let (codes, steps) = (x.codes(), x.steps().unwrap_or_default());
        for (row, index) in indices.iter().enumerate() {
            let of = row * length..(row + 1) * length;
            let values: Vec<f64> = codes[of.clone()]
                .iter()
                .zip(&steps[of])
                .map(|(code, (scale, bias))| match last {
                    true => scale * (*code as f64 + bias),
                    false => scale.signum() * *code as f64,
                })
                .collect();
            let found =
                (1..length).fold(0, |best, at| if values[at] > values[best] { at } else { best });
            assert_eq!(*index, found as i64);
        }
    }

    /// Gives tensors shapes and parameters that arithmetic takes.
    fn prepare(&mut self, input: &mut Input<'_>) {
        use caffe2_qtensor::capi::tensor::qtensor_create_with;
        let dims = [i64::from(input.byte() % 5) + 1, i64::from(input.byte() % 9) + 1];
        for slot in 0..4 {
            let (precision, signed) = (input.byte() % 8 + 1, input.flag());
            let mut out = std::ptr::null_mut();
            // SAFETY: a slice and an output.
            let accepted = Refusals::new().call(true, |error| unsafe {
                qtensor_create_with(dims.as_ptr(), 2, precision, signed, &raw mut out, error)
            });
            assert!(accepted);
            let model = Tensor::new(&dims, precision, signed);
            self.put(slot, Some(out), || model);
            let codes: Vec<i64> = (0..self.model(slot).size())
                .map(|_| i64::from(input.byte()) & self.model(slot).highest())
                .collect();
            let handle = self.handle(slot);
            // SAFETY: a live handle and a buffer.
            let accepted = Refusals::new().call(true, |error| unsafe {
                caffe2_qtensor::capi::codes::qtensor_write_codes(
                    handle,
                    codes.as_ptr(),
                    codes.len(),
                    error,
                )
            });
            self.settle(slot, accepted, Lending::Written, |model| model.set_codes(codes));
        }
    }
}

/// What every operation refuses in an operand.
fn operand(refusals: Refusals, tensor: &Tensor) -> Refusals {
    let steps = match tensor.multiparam {
        Some(true) => tensor.scales.iter().zip(&tensor.biases).map(|(s, b)| (*s, *b)).collect(),
        _ => vec![(tensor.scale, tensor.bias)],
    };
    let finite = |bits: u64| f64::from_bits(bits).is_finite();
    let fits = tensor.steps();
    let count = fits.is_ok();
    refusals
        .when(!(1..=16).contains(&tensor.precision), QTENSOR_OUT_OF_RANGE)
        .when(tensor.logarithmic, QTENSOR_UNSUPPORTED)
        .when(count && steps.iter().any(|(s, b)| !finite(*s) || !finite(*b)), QTENSOR_NON_FINITE)
        .when(
            count && steps.iter().any(|(s, _)| f64::from_bits(*s) == 0.0),
            QTENSOR_INVALID_ARGUMENT,
        )
        .all(&fits.err().unwrap_or_default())
}

/// Whether two of the tensors have channels along different dimensions.
fn axes_differ(tensors: &[&Tensor]) -> bool {
    let mut axes = tensors.iter().filter(|it| it.multiparam == Some(true)).map(|it| it.axis);
    let first = axes.next();
    axes.any(|axis| Some(axis) != first)
}

/// Takes over the codes of a result, each of which is near its position; `loose` where only roughly.
pub(super) fn adopt(
    machine: &mut Machine,
    slot: usize,
    positions: Vec<(f64, f64)>,
    loose: bool,
    clears: bool,
) {
    let new = read(machine.handle(slot));
    assert_eq!(positions.len(), new.size());
    let (lowest, highest) = (new.lowest() as f64, new.highest() as f64);
    for (code, (position, magnitude)) in new.codes().into_iter().zip(positions) {
        if !magnitude.is_finite() {
            continue;
        }
        let code = code as f64;
        let slack = magnitude * 1e-12 + 1e-9;
        let slack = slack + if loose { 0.5 + position.abs() * 1e-5 } else { 0.0 };
        let distance = (code - position.clamp(lowest, highest)).abs();
        assert!(distance <= 0.5 + slack, "{code} for {position} of {magnitude}");
    }
    machine.settle(slot, true, Lending::Written, |model| {
        let mut expected = model.clone();
        expected.planes = new.planes.clone();
        assert_eq!(expected, new);
        // Padding bits become 0, or stay as they were.
        let mut codes =
            if clears { Tensor { planes: None, ..model.clone() } } else { model.clone() };
        codes.set_codes(new.codes());
        assert_eq!(codes.planes, new.planes);
        *model = expected;
    });
}
