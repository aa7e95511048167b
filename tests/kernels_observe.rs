//! The observing kernels against their definition: every level, every length, every kind of value.
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
use caffe2_qtensor::kernels::observe::{
    BinsMut, Grid, MOST_VALUES, OCTAVES, Pair, Scan, Sums, index, scan, smallest_exponent, tally,
};
use guard::Guarded;
use random::Random;

/// The sums of all slots.
struct Bins(Vec<u64>, Vec<u128>, Vec<u128>);

impl Bins {
    fn new(bins: usize) -> Bins {
        let slots = bins + OCTAVES;
        Bins(vec![0; slots], vec![0; slots], vec![0; slots])
    }

    fn exclusive(&mut self) -> BinsMut<'_> {
        BinsMut { counts: &mut self.0, first: &mut self.1, second: &mut self.2 }
    }

    fn all(&self) -> Vec<Sums> {
        let sums = self.0.iter().zip(&self.1).zip(&self.2);
        sums.map(|((count, first), second)| Sums { count: *count, first: *first, second: *second })
            .collect()
    }
}

/// The definition, in double precision, which holds every quotient that is formed here.
fn expected(values: &[f32], exponent: i32, bins: usize) -> Vec<Sums> {
    let mut all = vec![Sums::default(); bins + OCTAVES];
    for value in values.iter().filter(|value| value.is_finite() && **value != 0.0) {
        let position = f64::from(value.abs()) / f64::from(exponent).exp2();
        let whole = position.floor() as i64;
        let (slot, offset) = if whole > 0 {
            let index = if *value < 0.0 { -1 - whole } else { whole };
            let offset = (position - whole as f64) * f64::from(1 << 23);
            (index.rem_euclid(bins as i64) as usize, offset)
        } else {
            let bits = value.to_bits();
            (bins + (bits >> 23) as usize, f64::from(bits & 0x007f_ffff))
        };
        assert_eq!(offset.fract(), 0.0, "an offset is a whole number");
        all[slot].count += 1;
        all[slot].first += offset as u128;
        all[slot].second += offset as u128 * offset as u128;
    }
    all
}

fn expected_scan(values: &[f32]) -> Scan {
    let count = |is: fn(&f32) -> bool| values.iter().filter(|value| is(value)).count() as u64;
    let ordinary = || values.iter().copied().filter(|value| value.is_finite() && *value != 0.0);
    Scan {
        nan: count(|value| value.is_nan()),
        positive_infinite: count(|value| *value == f32::INFINITY),
        negative_infinite: count(|value| *value == f32::NEG_INFINITY),
        zeros: count(|value| *value == 0.0),
        min: ordinary().fold(f32::INFINITY, f32::min),
        max: ordinary().fold(f32::NEG_INFINITY, f32::max),
    }
}

fn check(values: &[f32], bins: usize) {
    let found = expected_scan(values);
    let (min, max) = if found.zeros > 0 || found.min > found.max {
        (found.min.min(0.0), found.max.max(0.0))
    } else {
        (found.min, found.max)
    };
    let exponent = smallest_exponent(min, max, bins);
    let grid = Grid::new(exponent, bins);
    let expected = expected(values, exponent, bins);
    let mut memory = Guarded::new(size_of_val(values));
    for level in Level::available() {
        for front in [true, false] {
            let bytes = size_of_val(values);
            let place = if front { memory.front(bytes) } else { memory.back(bytes) };
            // SAFETY: floats take any bytes; the place is aligned to a page or a float.
            let copy = unsafe {
                std::slice::from_raw_parts_mut(place.as_mut_ptr().cast::<f32>(), values.len())
            };
            copy.copy_from_slice(values);
            let seen = scan(level, copy);
            assert_eq!(seen, found, "{} of {}", level.name(), values.len());
            let mut table = vec![Pair::default(); 2 * grid.slots()];
            assert_eq!(tally(level, copy, &grid, (min, max), &mut table), (values.len(), found));
            let mut sums = Bins::new(bins);
            sums.exclusive().empty(&mut table);
            assert!(sums.all() == expected, "{} of {}", level.name(), values.len());
            assert!(table.iter().all(|pair| *pair == Pair::default()), "the table is cleared");
            let mut sums = Bins::new(bins);
            sums.exclusive().note(copy.iter().copied(), &grid);
            assert!(sums.all() == expected, "one by one");
        }
    }
}

/// Values of every kind, the special ones among them.
fn draw(random: &mut Random, kind: u32) -> f32 {
    let special = [f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.0, -0.0];
    match kind {
        0 => random.normal() as f32,
        1 => special[random.below(6)],
        2 => 1e6 + random.normal() as f32,
        3 => {
            f32::from_bits(random.below(1 << 24) as u32)
                * if random.below(2) == 0 { 1.0 } else { -1.0 }
        }
        4 => f32::from_bits(random.below(1 << 32) as u32),
        5 => -(random.below(4096) as f32),
        6 => f32::MAX * (2.0 * random.uniform() - 1.0) as f32,
        _ => 0.1,
    }
}

#[test]
fn every_length_and_kind_of_value() {
    let mut random = Random::new(7);
    for bins in [256, 4096, 16384] {
        for length in (0..=70).chain([127, 128, 129, 1000, 5000]) {
            for kind in 0..8 {
                let mix = |random: &mut Random| if random.below(5) == 0 { 1 } else { kind };
                let values: Vec<f32> = (0..length)
                    .map(|_| {
                        let kind = mix(&mut random);
                        draw(&mut random, kind)
                    })
                    .collect();
                check(&values, bins);
            }
        }
    }
}

/// As many values in one slot as a table takes, with the smallest and the largest offset.
#[test]
fn a_full_table() {
    let largest = f32::from_bits(0x3fff_ffff);
    for value in [1.0_f32, largest, -largest, 1.5] {
        let grid = Grid::new(smallest_exponent(-2.0, 2.0, 256), 256);
        let values = vec![value; MOST_VALUES];
        let expected = expected(&values, grid.exponent(), 256);
        for level in Level::available() {
            let mut table = vec![Pair::default(); 2 * grid.slots()];
            for part in values.chunks(1 << 14) {
                assert_eq!(tally(level, part, &grid, (-2.0, 2.0), &mut table).0, part.len());
            }
            let mut sums = Bins::new(256);
            sums.exclusive().empty(&mut table);
            assert!(sums.all() == expected, "{} {value}", level.name());
        }
    }
}

/// What is outside the range stays out, and what was taken is all before it.
#[test]
fn a_value_outside_stops_it() {
    let grid = Grid::new(smallest_exponent(1.0, 2.0, 256), 256);
    for level in Level::available() {
        for outside in [2.5_f32, 0.5, 0.0, -1.0, 1e30, f32::from_bits(1)] {
            for at in [0, 1, 15, 16, 255, 256, 257, 700, 1000, 1003] {
                let mut values = vec![1.5_f32; 1004];
                values[at] = outside;
                values[1003] = if at == 1003 { outside } else { f32::NAN };
                let mut table = vec![Pair::default(); 2 * grid.slots()];
                let (taken, seen) = tally(level, &values, &grid, (1.0, 2.0), &mut table);
                assert!(taken <= at && taken + 256 > at, "{} {at} {taken}", level.name());
                assert_eq!(seen, expected_scan(&values[..taken]));
                let mut sums = Bins::new(256);
                sums.exclusive().empty(&mut table);
                assert!(sums.all() == expected(&values[..taken], grid.exponent(), 256));
            }
        }
    }
}

/// Values sorted into narrow bins and then moved to wider ones are where they would have gone at
/// once, for every exponent that there is.
#[test]
fn wider_bins_hold_the_same() {
    let mut random = Random::new(11);
    for bins in [256_usize, 4096] {
        for kind in [0, 2, 3, 4, 5, 6, 7] {
            for _ in 0..20 {
                let size = 1 + random.below(40);
                let values: Vec<f32> = (0..size)
                    .map(|_| draw(&mut random, kind))
                    .filter(|value| value.is_finite() && *value != 0.0)
                    .collect();
                let Scan { min, max, .. } = expected_scan(&values);
                if min > max {
                    continue;
                }
                let narrow = smallest_exponent(min, max, bins);
                let mut sums = Bins::new(bins);
                sums.exclusive().note(values.iter().copied(), &Grid::new(narrow, bins));
                let narrow_sums = sums;
                for exponent in (narrow..=122).step_by(1 + random.below(9)) {
                    let mut wide = Bins::new(bins);
                    let other = caffe2_qtensor::kernels::observe::BinsRef {
                        counts: &narrow_sums.0,
                        first: &narrow_sums.1,
                        second: &narrow_sums.2,
                    };
                    wide.exclusive().deposit(&other, narrow, index(min, narrow), exponent);
                    assert!(wide.all() == expected(&values, exponent, bins), "{narrow} {exponent}");
                }
            }
        }
    }
}

#[test]
fn the_width_follows_from_the_range() {
    // A single value's last bit, but no less than the smallest float.
    assert_eq!(smallest_exponent(1.0, 1.0, 4096), -23);
    assert_eq!(smallest_exponent(f32::from_bits(1), f32::from_bits(1), 4096), -149);
    assert_eq!(smallest_exponent(0.0, 0.0, 4096), -149);
    // As many bins as fit, each side of 0 with its own.
    assert_eq!(smallest_exponent(-1.0, 1.0, 4096), -10);
    assert_eq!(smallest_exponent(0.0, 1.0, 4096), -11);
    assert_eq!(smallest_exponent(0.0, f32::from_bits(0x3f7f_ffff), 4096), -12);
    assert_eq!(smallest_exponent(f32::MIN, f32::MAX, 4096), 117);
    assert_eq!(smallest_exponent(f32::MIN, f32::MAX, 256), 121);
    assert_eq!((index(-1.0, -10), index(1.0, -10), index(0.0, 5)), (-1025, 1024, 0));
}
