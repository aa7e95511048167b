//! Every float there is, to codes by every kernel of this machine, against the definition.
//!
//! Minutes of work on all processors, so `make test-exhaustive` runs it and nothing else does.
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

#[path = "support/definition.rs"]
mod definition;

use caffe2_qtensor::kernels::Level;
use caffe2_qtensor::kernels::quantize::{Codes, Fast, Input, Rules, Step, Steps, narrow};
use caffe2_qtensor::quantize::{Counts, Rounding};
use definition::Definition;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

/// Bit patterns that are compared at once; together with this many others they are all floats.
const CHUNK: u32 = 1 << 16;
const CHUNKS: u32 = 1 << 16;

/// A parameter set, and where its progress stands.
struct Run {
    definition: Definition,
    fast: Fast,
    next: AtomicU32,
    begun: Instant,
}

/// What one thread works with.
struct Buffers {
    values: Vec<f32>,
    /// As a kernel stores them.
    expected: (Vec<u8>, Vec<u8>),
    bytes: Vec<u8>,
    signs: Vec<u8>,
    multipliers: Vec<f32>,
    offsets: Vec<f32>,
}

impl Run {
    fn step(&self) -> Step {
        let Definition { rounding, scale, bias, .. } = self.definition;
        Step { scale, bias }.for_rounding(rounding)
    }

    fn work(&self) {
        let signs =
            if self.definition.signed && self.definition.precision == 8 { CHUNK } else { 0 };
        let (length, signs) = (CHUNK as usize, signs as usize);
        let mut buffers = Buffers {
            values: vec![0.0; length],
            expected: (vec![0; length], vec![0; signs]),
            bytes: vec![0; length],
            signs: vec![0; signs],
            multipliers: vec![self.fast.multiplier(); length],
            offsets: vec![self.fast.offset(); length],
        };
        loop {
            let chunk = self.next.fetch_add(1, Ordering::Relaxed);
            if chunk >= CHUNKS {
                return;
            }
            self.compare(chunk, &mut buffers);
            if chunk % (CHUNKS / 8) == CHUNKS / 8 - 1 {
                let percent = (u64::from(chunk) + 1) * 100 / u64::from(CHUNKS);
                println!("  {percent:3} % after {:.0} s", self.begun.elapsed().as_secs_f64());
            }
        }
    }

    fn compare(&self, chunk: u32, buffers: &mut Buffers) {
        let Buffers { values, expected, bytes, signs, multipliers, offsets } = buffers;
        let mut expected_counts = Counts::default();
        let precision = self.definition.precision;
        for (at, value) in values.iter_mut().enumerate() {
            // Neighbors are far apart: the exponents of a chunk come mixed.
            let bits = (at as u32 * CHUNKS).wrapping_add(chunk);
            *value = f32::from_bits(bits);
            let code = self.definition.code(f64::from(*value), at as u64, &mut expected_counts);
            let negative = u8::from(code < 0);
            let sign = if precision == 8 { 0 } else { negative << precision };
            expected.0[at] = code.unsigned_abs() as u8 | sign;
            if let Some(sign) = expected.1.get_mut(at) {
                *sign = negative;
            }
        }
        let (step, window) = (self.step(), self.fast.window());
        let rules = Rules {
            rounding: self.definition.rounding,
            seed: self.definition.seed,
            precision,
            signed: self.definition.signed,
        };
        let step_of = |_: usize| step;
        let one = Steps::One(&step, &self.fast);
        let each = Steps::Each { step: &step_of, multipliers, offsets, window };
        for level in Level::available() {
            for (steps, counting) in [(one, false), (each, true)] {
                // Codes that no kernel writes.
                bytes.fill(!expected.0[0]);
                signs.fill(7);
                let mut counts = Counts::default();
                let codes = Codes { bytes, signs };
                let to = counting.then_some(&mut counts);
                let input = Input { values, first: 0, from_memory: counting };
                let non_finite = narrow(level, input, steps, &rules, codes, to);
                let what = || format!("{} {:?} chunk {chunk}", level.name(), self.definition);
                if *bytes != expected.0 || *signs != expected.1 {
                    let wrong = |at: &usize| {
                        bytes[*at] != expected.0[*at] || signs.get(*at) != expected.1.get(*at)
                    };
                    let at = (0..values.len()).find(wrong).unwrap();
                    let (value, byte, right) = (values[at], bytes[at], expected.0[at]);
                    panic!("{}: {value:e} became {byte:#x}, not {right:#x}", what());
                }
                assert_eq!(non_finite, expected_counts.non_finite, "{}", what());
                if counting {
                    assert_eq!(counts, expected_counts, "{}", what());
                }
            }
        }
    }
}

fn all_floats(rounding: Rounding, precision: u8, signed: bool, scale: f64, bias: f64) {
    let definition = Definition { rounding, seed: 0, precision, signed, scale, bias };
    let rules = Rules { rounding, seed: 0, precision, signed };
    let fast = Fast::new(&Step { scale, bias }.for_rounding(rounding), &rules).unwrap();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let levels: Vec<_> = Level::available().map(Level::name).collect();
    println!("\n{definition:?}\n  {} on {threads} threads", levels.join(", "));
    let run = Run { definition, fast, next: AtomicU32::new(0), begun: Instant::now() };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| run.work());
        }
    });
}

#[test]
#[ignore = "minutes: make test-exhaustive"]
fn unsigned_8_bits_with_a_zero_point() {
    all_floats(Rounding::NearestEven, 8, false, 0.031_372_55, -128.0);
}

#[test]
#[ignore = "minutes: make test-exhaustive"]
fn unsigned_4_bits_with_a_real_bias() {
    all_floats(Rounding::NearestAway, 4, false, 1.0 / 3.0, -7.37);
}

#[test]
#[ignore = "minutes: make test-exhaustive"]
fn signed_7_bits() {
    all_floats(Rounding::Floor, 7, true, 0.5, 0.0);
}

#[test]
#[ignore = "minutes: make test-exhaustive"]
fn signed_8_bits() {
    all_floats(Rounding::NearestEven, 8, true, 7.3e-3, 0.25);
}

#[test]
#[ignore = "minutes: make test-exhaustive"]
fn single_bits() {
    all_floats(Rounding::Ceil, 1, false, 1e6, 0.0);
}

#[test]
#[ignore = "minutes: make test-exhaustive"]
fn rounding_of_caffe2() {
    all_floats(Rounding::Caffe2, 8, false, f64::from(0.030_127_35_f32), -137.0);
}
