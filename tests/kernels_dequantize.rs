//! Every way from codes to values against the definition, one code at a time.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a test that fails may panic, and its numbers are its own"
)]

#[path = "support/guard.rs"]
mod guard;
#[path = "support/stated_values.rs"]
mod stated_values;

use caffe2_qtensor::kernels::dequantize::{Table, lookup, scaled, wide};
use caffe2_qtensor::kernels::quantize::Step;
use caffe2_qtensor::kernels::{Level, stream};
use caffe2_qtensor::quantize::{Bfloat16, Half};
use guard::Guarded;
use stated_values::{Number, ORDINARY, codes, expected, kinds, same, steps, value};

/// A table that served another precision before has nothing left of it.
fn every_step_and_code<T: Number>() {
    for level in Level::available() {
        let mut table = Table::<T>::default();
        for step in steps() {
            for (precision, signed) in kinds() {
                let (bytes, signs) = codes(1024 + 5, precision, signed);
                let what = || format!("{} {step:?} {precision} {signed}", level.name());
                let expected = expected::<T>(&bytes, &signs, precision, signed, |_| step);
                let mut values = vec![T::FILL; bytes.len()];
                table.fill(level, &step, precision, signed);
                lookup(level, &table, &bytes, &signs, &mut values, false);
                assert!(same(&values, &expected), "lookup {}", what());

                let mut values = vec![T::FILL; bytes.len()];
                let scales = vec![step.scale; bytes.len()];
                let biases = vec![step.bias; bytes.len()];
                scaled(level, &bytes, &signs, precision, &scales, &biases, &mut values);
                assert!(same(&values, &expected), "scaled {}", what());
            }
        }
    }
}

#[test]
fn every_step_and_code_in_single_precision() {
    every_step_and_code::<f32>();
}

#[test]
fn every_step_and_code_in_double_precision() {
    every_step_and_code::<f64>();
}

#[test]
fn every_step_and_code_in_half_precision() {
    every_step_and_code::<Half>();
    every_step_and_code::<Bfloat16>();
}

const LONGEST: usize = 257;

/// Writes at every place of a cache line; what lies around the slice stays as it was.
fn every_length_and_misalignment<T: Number>() {
    let line = 64 / size_of::<T>();
    let mut memory = vec![T::FILL; LONGEST + 4 * line];
    let start = memory.as_ptr().align_offset(64);
    let step = |i: usize| Step { scale: 0.017 + i as f64, bias: -3.3 };
    let scales: Vec<f64> = (0..LONGEST).map(|i| step(i).scale).collect();
    let biases = vec![-3.3; LONGEST];
    for (precision, signed) in kinds() {
        let (bytes, signs) = codes(LONGEST, precision, signed);
        let of_table = expected::<T>(&bytes, &signs, precision, signed, |_| ORDINARY);
        let of_steps = expected::<T>(&bytes, &signs, precision, signed, step);
        for level in Level::available() {
            let mut table = Table::<T>::default();
            table.fill(level, &ORDINARY, precision, signed);
            for length in 0..=LONGEST {
                let (bytes, signs) = (&bytes[..length], &signs[..length.min(signs.len())]);
                for offset in 0..line {
                    let range = start + line + offset..start + line + offset + length;
                    // One extra turn for `scaled`, at a few places.
                    let turns = if offset < 3 { 3 } else { 2 };
                    for turn in 0..turns {
                        memory[start..range.end + line].fill(T::FILL);
                        let values = &mut memory[range.clone()];
                        let wanted = if turn < 2 {
                            lookup(level, &table, bytes, signs, values, turn == 1);
                            stream::fence();
                            &of_table
                        } else {
                            let (scales, biases) = (&scales[..length], &biases[..length]);
                            scaled(level, bytes, signs, precision, scales, biases, values);
                            &of_steps
                        };
                        let what = || {
                            let name = level.name();
                            format!("{name} {precision} {signed} {length} at {offset}: {turn}")
                        };
                        assert!(same(values, &wanted[..length]), "{}", what());
                        let before = &memory[start..range.start];
                        let behind = &memory[range.end..range.end + line];
                        let mut around = before.iter().chain(behind);
                        assert!(around.all(|v| v.bits() == T::FILL.bits()), "{}", what());
                    }
                }
            }
        }
    }
}

#[test]
fn every_length_and_misalignment_in_single_precision() {
    every_length_and_misalignment::<f32>();
}

#[test]
fn every_length_and_misalignment_in_double_precision() {
    every_length_and_misalignment::<f64>();
}

#[test]
fn every_length_and_misalignment_in_half_precision() {
    every_length_and_misalignment::<Half>();
}

fn wide_codes<T: Number>() {
    let largest = (1_i64 << 32) - 1;
    let mut codes: Vec<i64> = vec![0, 1, -1, 255, 256, -65_536, 1 << 24, (1 << 24) + 1, largest];
    codes.extend([-largest, largest - 1, 1 - largest]);
    codes.extend((0..LONGEST as i64).map(|i| (i * 0x9e37_79b9_7f4a) % largest));
    for step in steps() {
        let of = |code: &i64| value::<T>(&step, code.unsigned_abs(), *code < 0).bits();
        let expected: Vec<u64> = codes.iter().map(of).collect();
        for level in Level::available() {
            for length in [0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 64, codes.len()] {
                for offset in 0..4 {
                    let mut values = vec![T::FILL; offset + length + 1];
                    let inside = &mut values[offset..offset + length];
                    wide(level, &step, &codes[codes.len() - length..], inside);
                    let wanted = &expected[codes.len() - length..];
                    assert!(same(inside, wanted), "{} {step:?} {length}", level.name());
                    let outside = values[..offset].iter().chain(values.last());
                    assert!(outside.copied().all(|value| value.bits() == T::FILL.bits()));
                }
            }
        }
    }
}

#[test]
fn wide_codes_of_every_type() {
    wide_codes::<f32>();
    wide_codes::<f64>();
    wide_codes::<Half>();
    wide_codes::<Bfloat16>();
}

/// `count` values at the end of guarded memory or at its beginning.
fn place<T: Number>(pages: &mut Guarded, count: usize, at_end: bool) -> &mut [T] {
    let bytes = count * size_of::<T>();
    let bytes = if at_end { pages.back(bytes) } else { pages.front(bytes) };
    // SAFETY: any bits are a value of the type.
    let (before, values, behind) = unsafe { bytes.align_to_mut::<T>() };
    assert!(before.is_empty() && behind.is_empty() && values.len() == count);
    values
}

fn nothing_outside<T: Number>() {
    let mut byte_pages = Guarded::new(700);
    let mut sign_pages = Guarded::new(700);
    let mut value_pages = Guarded::new(700 * size_of::<T>());
    let (mut scale_pages, mut bias_pages) = (Guarded::new(5600), Guarded::new(5600));
    for (precision, signed) in kinds() {
        for level in Level::available() {
            let mut table = Table::<T>::default();
            table.fill(level, &ORDINARY, precision, signed);
            for length in (0..=LONGEST).chain([511, 512, 700]) {
                let (bytes, signs) = codes(length, precision, signed);
                let wanted = expected::<T>(&bytes, &signs, precision, signed, |_| ORDINARY);
                for at_end in [false, true] {
                    let guarded_bytes = place_bytes(&mut byte_pages, &bytes, at_end);
                    let guarded_signs = place_bytes(&mut sign_pages, &signs, at_end);
                    let values = place::<T>(&mut value_pages, length, at_end);
                    for streaming in [false, true] {
                        values.fill(T::FILL);
                        lookup(level, &table, guarded_bytes, guarded_signs, values, streaming);
                        stream::fence();
                        assert!(same(values, &wanted), "{} {length}", level.name());
                    }
                    let scales = place::<f64>(&mut scale_pages, length, at_end);
                    let biases = place::<f64>(&mut bias_pages, length, at_end);
                    scales.fill(ORDINARY.scale);
                    biases.fill(ORDINARY.bias);
                    values.fill(T::FILL);
                    let (bytes, signs) = (guarded_bytes, guarded_signs);
                    scaled(level, bytes, signs, precision, scales, biases, values);
                    assert!(same(values, &wanted), "{} {length}", level.name());
                }
            }
        }
    }
}

fn place_bytes<'a>(pages: &'a mut Guarded, bytes: &[u8], at_end: bool) -> &'a [u8] {
    let place = if at_end { pages.back(bytes.len()) } else { pages.front(bytes.len()) };
    place.copy_from_slice(bytes);
    place
}

#[test]
fn nothing_outside_the_slices_is_touched() {
    nothing_outside::<f32>();
    nothing_outside::<f64>();
    nothing_outside::<Half>();
    nothing_outside::<Bfloat16>();
}

#[test]
fn sizes_that_do_not_fit_panic() {
    fn panics(call: impl FnOnce() + std::panic::UnwindSafe) -> bool {
        std::panic::catch_unwind(call).is_err()
    }
    for level in Level::available() {
        for (precision, fits) in [(0, false), (1, true), (8, true), (9, false)] {
            let fill = || Table::<f32>::default().fill(level, &ORDINARY, precision, true);
            assert_eq!(panics(fill), !fits);
            let one = || scaled(level, &[0], &[], precision, &[1.0], &[0.0], &mut [0.0_f32]);
            assert_eq!(panics(one), !fits);
        }
        for (precision, bytes, signs, values, fits) in [
            (8, 70, 70, 70, true),
            (8, 70, 0, 70, false),
            (8, 70, 69, 70, false),
            (8, 70, 70, 69, false),
            (7, 70, 0, 70, true),
            (7, 70, 70, 70, false),
            (7, 69, 0, 70, false),
            (7, 70, 0, 69, false),
        ] {
            let run = || {
                let mut table = Table::<f32>::default();
                table.fill(level, &ORDINARY, precision, true);
                let (bytes, signs) = (vec![0; bytes], vec![0; signs]);
                lookup(level, &table, &bytes, &signs, &mut vec![0.0; values], false);
            };
            assert_eq!(panics(run), !fits, "{} {precision} {bytes} {signs}", level.name());
        }
        for (bytes, signs, scales, biases, values) in
            [(9, 0, 9, 9, 8), (9, 0, 9, 8, 9), (9, 0, 8, 9, 9), (8, 0, 9, 9, 9), (9, 8, 9, 9, 9)]
        {
            let run = || {
                let (scales, biases) = (vec![1.0; scales], vec![0.0; biases]);
                let (bytes, signs) = (vec![0; bytes], vec![0; signs]);
                scaled(level, &bytes, &signs, 8, &scales, &biases, &mut vec![0.0_f32; values]);
            };
            assert!(panics(run));
        }
        assert!(panics(|| wide(level, &ORDINARY, &[1, 2], &mut [0.0_f32])));
    }
}
