//! The kernels of errors against their definition: every level, every length, every alignment and
//! every kind of number, to the last bit, between pages that must not be touched.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "a test stops at the first thing that is not as it should be"
)]

#[path = "support/guard.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod guard;
#[path = "support/random.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod random;

use caffe2_qtensor::kernels::Level;
use caffe2_qtensor::kernels::errors::{
    BLOCK, Indices, Limits, NO_ERROR, OCTAVE_BINS, Outside, Sums, bin_range, indices, outside,
    outside_magnitudes, sums,
};
use guard::Guarded;
use random::Random;

/// The sums as the module defines them: by lanes, which are added up crosswise.
fn expected(reference: &[f32], values: &[f32]) -> Sums {
    let pairs = || {
        let wide = |x: &f32| f64::from(*x);
        reference.iter().zip(values).map(move |(x, y)| (wide(x), wide(y)))
    };
    let sum = |term: &dyn Fn(f64, f64) -> f64| {
        let mut lanes = [0.0_f64; 8];
        pairs().enumerate().for_each(|(index, (x, y))| lanes[index % 8] += term(x, y));
        let quarter = |first: usize| lanes[first] + lanes[first + 4];
        (quarter(0) + quarter(2)) + (quarter(1) + quarter(3))
    };
    Sums {
        error: sum(&|x, y| y - x),
        absolute: sum(&|x, y| (y - x).abs()),
        squared: sum(&|x, y| (y - x) * (y - x)),
        xx: sum(&|x, _| x * x),
        xy: sum(&|x, y| x * y),
        yy: sum(&|_, y| y * y),
        max: pairs().map(|(x, y)| (y - x).abs()).fold(0.0, f64::max),
        low: reference.iter().copied().fold(f32::INFINITY, f32::min),
        high: reference.iter().copied().fold(f32::NEG_INFINITY, f32::max),
        flushed: pairs().filter(|(x, y)| *y == 0.0 && *x != 0.0).count() as u64,
    }
}

/// The bits of everything, so that zeros of different signs differ.
fn bits(sums: &Sums) -> [u64; 10] {
    let Sums { error, absolute, squared, xx, xy, yy, max, .. } = *sums;
    let [a, b, c, d, e, f, g] = [error, absolute, squared, xx, xy, yy, max].map(f64::to_bits);
    // Which zero the smallest number is, is left open.
    let ends = [sums.low + 0.0, sums.high + 0.0].map(|end| u64::from(end.to_bits()));
    [a, b, c, d, e, f, g, ends[0], ends[1], sums.flushed]
}

struct Memory {
    reference: Guarded,
    values: Guarded,
}

impl Memory {
    fn new() -> Memory {
        Memory { reference: Guarded::new(4 * BLOCK + 64), values: Guarded::new(4 * BLOCK + 64) }
    }

    /// Copies of numbers that begin or end at a page which must not be touched.
    fn copies(&mut self, reference: &[f32], values: &[f32], front: bool) -> [&mut [f32]; 2] {
        let bytes = size_of_val(reference);
        [(&mut self.reference, reference), (&mut self.values, values)].map(|(memory, numbers)| {
            let place = if front { memory.front(bytes) } else { memory.back(bytes) };
            // SAFETY: floats take any bytes; the place is aligned to a page or a float.
            let copy = unsafe {
                std::slice::from_raw_parts_mut(place.as_mut_ptr().cast::<f32>(), numbers.len())
            };
            copy.copy_from_slice(numbers);
            copy
        })
    }
}

fn check(memory: &mut Memory, reference: &[f32], values: &[f32]) {
    let sums_expected = expected(reference, values);
    for level in Level::available() {
        for front in [true, false] {
            let [reference, values] = memory.copies(reference, values, front);
            let found = sums(level, reference, values);
            let note = format!("{} of {}", level.name(), reference.len());
            let finite = reference.iter().chain(&*values).all(|number| number.is_finite());
            assert_eq!(found.is_finite(), finite, "{note}");
            if finite {
                assert_eq!(bits(&found), bits(&sums_expected), "{note}: {found:?}");
                check_indices(level, reference, values);
            }
            check_outside(level, reference, values);
        }
    }
}

fn check_indices(level: Level, reference: &[f32], values: &[f32]) {
    let mut found = vec![0xeeee; reference.len()];
    let range = indices(level, reference, values, &mut found);
    let (mut low, mut high) = (u16::MAX, 0);
    for ((x, y), index) in reference.iter().zip(values).zip(found) {
        let error = (f64::from(*y) - f64::from(*x)).abs();
        if index == NO_ERROR {
            assert_eq!(error, 0.0);
            continue;
        }
        let (begin, end) = bin_range(index);
        assert!(begin <= error && error < end, "{error:e} in bin {index}: {begin:e} to {end:e}");
        (low, high) = (low.min(index), high.max(index));
    }
    assert_eq!(range, Indices { low, high }, "{}", level.name());
}

fn check_outside(level: Level, reference: &[f32], values: &[f32]) {
    for (low, high) in [(-1.0, 1.0), (0.0, 2.0), (f32::MIN, f32::MAX), (0.5, 0.25)] {
        let limits = Limits { low, high };
        let count = |is: &dyn Fn(f32) -> (bool, bool)| {
            let mut found = Outside::default();
            for (x, y) in reference.iter().zip(values) {
                let (below, above) = is(*x);
                if !x.is_finite() || !y.is_finite() || !(below || above) {
                    continue;
                }
                found.low += u64::from(below);
                found.high += u64::from(!below);
                found.zeroed += u64::from(*y == 0.0 && *x != 0.0);
            }
            found
        };
        let plain = count(&|x| (x < low, x > high));
        assert_eq!(outside(level, reference, values, limits), plain, "{}", level.name());
        for signed in [false, true] {
            let magnitudes =
                count(&|x| (x != 0.0 && x.abs() < low || x < 0.0 && !signed, x.abs() > high));
            let found = outside_magnitudes(level, reference, values, limits, signed);
            assert_eq!(found, magnitudes, "{}", level.name());
        }
    }
}

fn draw(random: &mut Random, kind: u32) -> f32 {
    let special = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.0, -0.0, 1e-45, f32::MAX];
    match kind {
        0 => random.normal() as f32,
        1 => special[random.below(special.len())],
        2 => special[3 + random.below(special.len() - 3)],
        3 => f32::from_bits(random.below(1 << 32) as u32),
        4 => random.below(7) as f32 - 3.0,
        _ => 0.0,
    }
}

#[test]
fn every_length_and_kind_of_number() {
    let mut random = Random::new(21);
    let mut memory = Memory::new();
    for length in (0..=70).chain([127, 128, 129, 500, 1000, BLOCK - 1, BLOCK]) {
        for kinds in [(0, 0), (1, 1), (2, 2), (3, 3), (4, 4), (0, 5), (5, 0), (2, 0)] {
            let mut some = |kind| (0..length).map(|_| draw(&mut random, kind)).collect::<Vec<_>>();
            let (reference, values) = (some(kinds.0), some(kinds.1));
            check(&mut memory, &reference, &values);
        }
    }
}

/// One number that is not finite, in each place of a block.
#[test]
fn no_number_that_is_not_finite_is_missed() {
    let mut memory = Memory::new();
    for special in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for place in 0..67 {
            let (mut reference, mut values) = ([1.0; 67], [1.25; 67]);
            reference[place] = special;
            check(&mut memory, &reference, &values);
            values[place] = special;
            check(&mut memory, &reference, &values);
            reference[place] = 1.0;
            check(&mut memory, &reference, &values);
        }
    }
}

/// Bins follow each other without a gap, from the smallest error that there is to the largest, and
/// are as narrow as they are said to be.
#[test]
fn bins_meet() {
    assert_eq!(bin_range(1).0, f64::from(f32::from_bits(1)));
    let mut last = bin_range(1).0;
    for index in 1..=278 * OCTAVE_BINS {
        let (low, high) = bin_range(index);
        assert_eq!(low, last);
        assert!(high > low && high <= low * (1.0 + 1.0 / 32.0));
        last = high;
    }
    assert_eq!(last, 2.0 * f64::from(f32::MAX) + 2.0_f64.powi(105));
    let mut largest = [0];
    indices(Level::PORTABLE, &[f32::MIN], &[f32::MAX], &mut largest);
    assert_eq!(largest, [278 * OCTAVE_BINS]);
}
