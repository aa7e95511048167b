//! The way from planes to values without bytes between them, against the definition.
//!
//! A kernel may leave any number of values to the others; what it says that it wrote is compared,
//! and that it left the rest alone.
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
#[allow(dead_code, reason = "other tests use the rest")]
mod stated_values;

use caffe2_qtensor::kernels::dequantize::{Table, decode};
use caffe2_qtensor::kernels::quantize::Step;
use caffe2_qtensor::kernels::{Level, stream, transpose};
use caffe2_qtensor::quantize::{Bfloat16, Half};
use guard::Guarded;
use stated_values::{Number, ORDINARY, codes, expected, kinds, same, steps};

/// Values that a kernel takes at once.
const BLOCK: usize = 512;

/// The planes of some codes, and the bits that their values must have.
struct Case {
    precision: u8,
    signed: bool,
    length: usize,
    stride: usize,
    planes: Vec<u8>,
    expected: Vec<u64>,
}

impl Case {
    fn new<T: Number>(length: usize, gap: usize, kind: (u8, bool), step: &Step) -> Case {
        let (precision, signed) = kind;
        let (bytes, signs) = codes(length, precision, signed);
        let stride = length.div_ceil(8) + gap;
        let count = usize::from(precision) + usize::from(signed);
        let size = (count - 1) * stride + length.div_ceil(8);
        // What lies between the planes and behind the last code is not 0.
        let mut planes = vec![0xa5; size];
        transpose::pack(Level::PORTABLE, &bytes, &mut planes, stride, count.min(8));
        if count > 8 {
            transpose::pack(Level::PORTABLE, &signs, &mut planes[8 * stride..], stride, 1);
        }
        let expected = expected::<T>(&bytes, &signs, precision, signed, |_| *step);
        Case { precision, signed, length, stride, planes, expected }
    }

    /// Decodes into memory that holds [`Number::FILL`]; returns how many values were written.
    fn check<T: Number>(
        &self,
        level: Level,
        table: &Table<T>,
        planes: &[u8],
        values: &mut [T],
        streaming: bool,
    ) -> usize {
        let done = decode(level, table, planes, self.stride, values, streaming);
        stream::fence();
        let (precision, signed, length) = (self.precision, self.signed, self.length);
        let what = || format!("{} {precision} {signed} {length} {streaming}", level.name());
        assert!(done <= length, "{}", what());
        assert!(same(&values[..done], &self.expected[..done]), "{}", what());
        assert!(values[done..].iter().all(|value| value.bits() == T::FILL.bits()), "{}", what());
        done
    }
}

fn every_step<T: Number>() {
    for level in Level::available() {
        // One table for all: nothing is left in it of the one before.
        let mut table = Table::<T>::default();
        for step in steps() {
            for kind in kinds() {
                let case = Case::new::<T>(3 * BLOCK + 9, 1, kind, &step);
                table.fill(level, &step, kind.0, kind.1);
                let mut values = vec![T::FILL; case.length];
                case.check(level, &table, &case.planes, &mut values, false);
            }
        }
    }
}

#[test]
fn every_step_and_code() {
    every_step::<f32>();
    every_step::<f64>();
    every_step::<Half>();
    every_step::<Bfloat16>();
}

/// Scales of 8-bit codes, of which a product of floats serves most and not all.
#[test]
fn eight_bits_of_many_steps() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    for level in Level::available() {
        let mut table = Table::<f32>::default();
        for turn in 0..600 {
            let scale = (random() + 0.5) * 2_f64.powi(turn % 300 - 160);
            let scale = if turn % 2 == 0 { scale } else { f64::from(scale as f32) };
            let bias = [0.0, -128.0, -(random() * 255.0).round(), -random() * 255.0];
            let step = Step { scale, bias: bias[turn as usize / 2 % 4] };
            for signed in [false, true] {
                let case = Case::new::<f32>(2 * BLOCK, 0, (8, signed), &step);
                table.fill(level, &step, 8, signed);
                let mut values = vec![f32::FILL; case.length];
                case.check(level, &table, &case.planes, &mut values, false);
            }
        }
    }
}

/// A table made by a function, after one that a product served.
#[test]
fn tables_made_by_a_function() {
    let square = |magnitude: u8, negative: bool| {
        let square = f64::from(magnitude) * f64::from(magnitude);
        7.0 + if negative { -square } else { square }
    };
    let codes_themselves = Step { scale: 1.0, bias: 0.0 };
    for level in Level::available() {
        for kind in kinds() {
            let mut case = Case::new::<f64>(2 * BLOCK, 0, kind, &codes_themselves);
            for expected in &mut case.expected {
                let code = f64::from_bits(*expected);
                *expected = Number::bits((7.0 + code * code.abs()) as f32);
            }
            let mut table = Table::<f32>::default();
            table.fill(level, &ORDINARY, 8, true);
            table.fill_by(kind.0, kind.1, square);
            let mut values = vec![f32::FILL; case.length];
            case.check(level, &table, &case.planes, &mut values, false);
        }
    }
}

/// With AVX-512 whole blocks of floats are decoded, or the tests here would compare nothing.
#[test]
fn whole_blocks_are_decoded() {
    for level in Level::available().filter(|level| level.name() == "avx512") {
        let step = Step { scale: 0.5, bias: -3.0 };
        for kind in kinds() {
            for length in [BLOCK - 1, BLOCK, 2 * BLOCK + 1] {
                let case = Case::new::<f32>(length, 0, kind, &step);
                let mut table = Table::<f32>::default();
                table.fill(level, &step, kind.0, kind.1);
                let mut values = vec![f32::FILL; length];
                let done = case.check(level, &table, &case.planes, &mut values, true);
                assert_eq!(done, length / BLOCK * BLOCK, "{kind:?}");
            }
        }
    }
}

#[test]
fn every_misalignment_and_length() {
    let mut memory = vec![f32::FILL; 3 * BLOCK + 80];
    let start = memory.as_ptr().align_offset(64);
    for kind in kinds() {
        for length in [0, 1, 511, 512, 513, 520, 1023, 1024, 1500, 1536] {
            for gap in [0, 13] {
                let case = Case::new::<f32>(length, gap, kind, &ORDINARY);
                for level in Level::available() {
                    let mut table = Table::<f32>::default();
                    table.fill(level, &ORDINARY, kind.0, kind.1);
                    for offset in 0..16 {
                        for streaming in [false, true] {
                            memory.fill(f32::FILL);
                            let range = start + 16 + offset..start + 16 + offset + length;
                            let values = &mut memory[range.clone()];
                            case.check(level, &table, &case.planes, values, streaming);
                            let outside = memory[..range.start].iter().chain(&memory[range.end..]);
                            assert!(outside.copied().all(|value| value == f32::FILL));
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn nothing_outside_the_slices_is_touched() {
    let mut plane_pages = Guarded::new(9 * 250);
    let mut value_pages = Guarded::new(4 * 1600);
    for kind in kinds() {
        for length in [1, 511, 512, 513, 1024, 1031, 1600] {
            let case = Case::new::<f32>(length, length % 3, kind, &ORDINARY);
            for level in Level::available() {
                let mut table = Table::<f32>::default();
                table.fill(level, &ORDINARY, kind.0, kind.1);
                for at_end in [false, true] {
                    let (size, bytes) = (case.planes.len(), 4 * length);
                    let (planes, values) = if at_end {
                        (plane_pages.back(size), value_pages.back(bytes))
                    } else {
                        (plane_pages.front(size), value_pages.front(bytes))
                    };
                    planes.copy_from_slice(&case.planes);
                    // SAFETY: any bits are a float.
                    let (before, values, behind) = unsafe { values.align_to_mut::<f32>() };
                    assert!(before.is_empty() && behind.is_empty());
                    for streaming in [false, true] {
                        values.fill(f32::FILL);
                        case.check(level, &table, planes, values, streaming);
                    }
                }
            }
        }
    }
}

#[test]
fn planes_that_do_not_fit_panic() {
    for level in Level::available() {
        for (precision, signed, size, stride, values, fits) in [
            (1, false, 64, 0, 512, true),
            (1, false, 63, 0, 512, false),
            (8, false, 512, 64, 512, true),
            (8, false, 511, 64, 512, false),
            (8, true, 576, 64, 512, true),
            (8, true, 575, 64, 512, false),
            (7, true, 512, 64, 512, true),
            (7, true, 512, 64, 513, false),
            (2, false, 999, usize::MAX, 512, false),
            (8, true, 999, usize::MAX / 4, 512, false),
        ] {
            let run = || {
                let mut table = Table::<f32>::default();
                table.fill(level, &ORDINARY, precision, signed);
                let mut values = vec![0.0; values];
                decode(level, &table, &vec![0; size], stride, &mut values, false);
            };
            let panics = std::panic::catch_unwind(run).is_err();
            assert_eq!(panics, !fits, "{} {precision} {size} {stride}", level.name());
        }
    }
}
