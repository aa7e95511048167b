//! The kernel for codes of any precision against the specification, one value at a time.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "a test that fails may panic, and its numbers are its own"
)]

#[path = "support/guard.rs"]
mod guard;
#[path = "support/quantize.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod support;

use caffe2_qtensor::kernels::Level;
use caffe2_qtensor::kernels::quantize::{
    Counts, Formula, Outcome, Rounding, Rules, Step, Wide, exact,
};
use guard::Guarded;
use support::{Aligned, BIASES, ROUNDINGS, Random, SCALES, counted, elements, nasty, specified};

/// Where the runs of these tests begin.
const FIRST: u64 = 77;

/// Runs a level and compares all that it says with the specification.
fn compare<T: Wide>(
    level: Level,
    formula: &Formula,
    values: &[T],
    codes: &mut [i64],
    expected: &[(i64, Outcome)],
) {
    let before = Counts { saturated_low: 1, saturated_high: 2, flushed_to_zero: 3, non_finite: 4 };
    let mut counts = before;
    codes.fill(i64::MIN);
    exact(level, values, formula, FIRST, codes, &mut counts);
    for ((value, code), expected) in values.iter().zip(codes.iter()).zip(expected) {
        if *code != expected.0 {
            let (value, level) = (value.wide(), level.name());
            panic!("{level}: {value:e} became {code} instead of {expected:?}; {formula:?}");
        }
    }
    let mut expected_counts = counted(expected);
    expected_counts.add(&before);
    assert_eq!(counts, expected_counts, "{} {formula:?}", level.name());
}

/// Every level on values as they are, and on the ordinary ones alone: they go another way.
fn compare_all<T: Wide>(formula: &Formula, values: &[T]) {
    let wide = |values: &[T]| values.iter().map(|value| value.wide()).collect::<Vec<_>>();
    let limits = (formula.rules.lowest() as f64 + 1.0)..=(formula.rules.highest() as f64 - 1.0);
    let ordinary =
        |value: &T| limits.contains(&(value.wide() / formula.step.scale - formula.step.bias));
    let ordinary: Vec<T> = values.iter().copied().filter(ordinary).collect();
    for values in [values, &ordinary] {
        let expected = specified(&formula.rules, |_| formula.step, wide(values), FIRST);
        let mut codes = vec![0; values.len()];
        for level in Level::available() {
            compare(level, formula, values, &mut codes, &expected);
        }
    }
}

/// The same places as [`nasty`] has, with the precision of a double.
fn nasty_doubles(formula: &Formula, random: &mut Random) -> Vec<f64> {
    let singles = nasty(formula, random);
    let Step { scale, bias } = formula.step;
    let mut values: Vec<f64> = singles.iter().map(|value| f64::from(*value)).collect();
    for value in singles.iter().step_by(3).filter(|value| value.is_finite()) {
        // The border next to the value, and the doubles around it.
        let halves = 2.0 * (f64::from(*value) / scale - bias);
        let border = (halves.round() / 2.0 + bias) * scale;
        values.extend([border, border.next_up(), border.next_down()]);
        values.push(border.next_up().next_up());
    }
    values.extend([f64::MAX, f64::MIN, f64::MIN_POSITIVE, f64::from_bits(1), 1e300, -1e300]);
    values.extend((0..20).map(|_| f64::from_bits(random.next())));
    values
}

#[test]
fn every_precision_and_rounding() {
    let mut random = Random::new(11);
    for rounding in ROUNDINGS {
        for precision in 1..=32 {
            for signed in [false, true] {
                let rules = Rules { rounding, seed: 9, precision, signed };
                // A different part of the pairs for each set of rules, small precisions more.
                let pairs = SCALES.iter().flat_map(|scale| BIASES.map(|bias| (*scale, bias)));
                let stride = if precision <= 9 { 3 } else { 7 };
                for (scale, bias) in pairs.skip(random.below(stride)).step_by(stride) {
                    let step = Step { scale, bias }.for_rounding(rounding);
                    let formula = Formula { rules, step };
                    compare_all(&formula, &nasty(&formula, &mut random));
                    compare_all(&formula, &nasty_doubles(&formula, &mut random));
                }
            }
        }
    }
}

#[test]
fn scales_and_biases_of_double_precision() {
    let mut random = Random::new(12);
    for rounding in ROUNDINGS.into_iter().filter(|rounding| *rounding != Rounding::Caffe2) {
        for (scale, bias) in [
            (f64::MIN_POSITIVE, 0.0),
            (1e-300, -5.0),
            (1e300, 0.25),
            (f64::MAX, 0.0),
            (1.0, 1e300),
            (1.0, -1e300),
            (0.1, -4_503_599_627_370_496.5),
            (1.0, 2_251_799_813_685_248.5),
            (3.0, -4_294_967_295.0),
        ] {
            for (precision, signed) in [(8, false), (16, true), (32, false), (32, true)] {
                let rules = Rules { rounding, seed: 9, precision, signed };
                let formula = Formula { rules, step: Step { scale, bias } };
                compare_all(&formula, &nasty_doubles(&formula, &mut random));
            }
        }
    }
}

#[test]
fn every_length_and_misalignment() {
    const LONGEST: usize = 257;
    let mut random = Random::new(13);
    let mut singles = Aligned::new(LONGEST + 16);
    let mut doubles = Aligned::new(LONGEST + 16);
    let mut codes = vec![0; LONGEST];
    for (number, rounding) in
        (0..16).flat_map(|number| ROUNDINGS.map(|rounding| (number, rounding)))
    {
        let rules = Rules { rounding, seed: 1, precision: 2 * number + 1, signed: number % 3 == 1 };
        let step = Step { scale: 0.1, bias: f64::from(-i32::from(number)) };
        let formula = Formula { rules, step: step.for_rounding(rounding) };
        let values = nasty(&formula, &mut random);
        let values: Vec<f32> = values.iter().copied().cycle().take(LONGEST).collect();
        let wide: Vec<f64> = values.iter().map(|value| f64::from(*value)).collect();
        let expected = specified(&rules, |_| formula.step, wide.iter().copied(), FIRST);
        for level in Level::available() {
            for length in 0..=LONGEST {
                // Each offset has its turn with each length in some of the rules.
                let offset = (length + usize::from(number)) % 16;
                let (codes, expected) = (&mut codes[..length], &expected[..length]);
                let values = &*singles.copy_of(&values[..length], offset);
                compare(level, &formula, values, codes, expected);
                let values = &*doubles.copy_of(&wide[..length], offset);
                compare(level, &formula, values, codes, expected);
            }
        }
    }
}

/// Chance depends on the index alone: not on the level, nor on where a run begins.
#[test]
fn a_run_can_be_split_anywhere() {
    let mut random = Random::new(14);
    let rules = Rules { rounding: Rounding::Stochastic, seed: 42, precision: 9, signed: true };
    let formula = Formula { rules, step: Step { scale: 0.37, bias: 0.25 } };
    let values: Vec<f32> = (0..200).map(|_| (400.0 * random.unit() - 200.0) as f32).collect();
    let mut whole = vec![0; values.len()];
    let mut whole_counts = Counts::default();
    exact(Level::PORTABLE, &values, &formula, FIRST, &mut whole, &mut whole_counts);
    for level in Level::available() {
        for at in 0..=values.len() {
            let mut codes = vec![0; values.len()];
            let mut counts = Counts::default();
            let (first, second) = codes.split_at_mut(at);
            exact(level, &values[..at], &formula, FIRST, first, &mut counts);
            let index = FIRST + at as u64;
            exact(level, &values[at..], &formula, index, second, &mut counts);
            assert_eq!(codes, whole);
            assert_eq!(counts, whole_counts);
        }
    }
    // Another seed, other codes.
    let other = Formula { rules: Rules { seed: 43, ..rules }, ..formula };
    let mut codes = vec![0; values.len()];
    exact(Level::best(), &values, &other, FIRST, &mut codes, &mut Counts::default());
    let same = codes.iter().zip(&whole).filter(|(code, whole)| code == whole).count();
    assert!((60..190).contains(&same), "{same} of 200 are the same");
}

/// Up as often as the fraction says.
#[test]
fn chance_is_fair() {
    let rules = Rules { rounding: Rounding::Stochastic, seed: 7, precision: 4, signed: false };
    let formula = Formula { rules, step: Step { scale: 1.0, bias: 0.0 } };
    for tenths in 0..=10_i64 {
        let values = vec![3.0 + tenths as f64 / 10.0; 100_000];
        let mut codes = vec![0; values.len()];
        exact(Level::best(), &values, &formula, 0, &mut codes, &mut Counts::default());
        assert!(codes.iter().all(|code| *code == 3 || *code == 4));
        let up: i64 = codes.iter().map(|code| code - 3).sum();
        // Six standard deviations of the worst case are 949.
        assert!((up - tenths * 10_000).abs() < 950, "{up} of 100000 went up at 0.{tenths}");
        assert!(tenths % 10 != 0 || up == tenths * 10_000, "a code is not rounded");
    }
}

#[test]
fn nothing_outside_the_slices_is_touched() {
    const LONGEST: usize = 140;
    let mut random = Random::new(15);
    let mut input = Guarded::new(8 * LONGEST);
    let mut output = Guarded::new(8 * LONGEST);
    for rounding in ROUNDINGS {
        let rules = Rules { rounding, seed: 2, precision: 12, signed: true };
        let formula = Formula { rules, step: Step { scale: 0.5, bias: -3.0 } };
        let values = nasty(&formula, &mut random);
        let wide: Vec<f64> = values.iter().map(|value| f64::from(*value)).collect();
        let expected = specified(&rules, |_| formula.step, wide.iter().copied(), FIRST);
        for level in Level::available() {
            for length in 0..=LONGEST {
                for at_end in [false, true] {
                    let expected = &expected[..length];
                    let place = elements::<f32>(bytes_at(&mut input, at_end, 4 * length));
                    place.copy_from_slice(&values[..length]);
                    let codes = elements::<i64>(bytes_at(&mut output, at_end, 8 * length));
                    compare(level, &formula, place, codes, expected);
                    let place = elements::<f64>(bytes_at(&mut input, at_end, 8 * length));
                    place.copy_from_slice(&wide[..length]);
                    compare(level, &formula, place, codes, expected);
                }
            }
        }
    }
}

fn bytes_at(pages: &mut Guarded, at_end: bool, length: usize) -> &mut [u8] {
    if at_end { pages.back(length) } else { pages.front(length) }
}
