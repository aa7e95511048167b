//! Every product kernel against the definition, next to memory that faults.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    reason = "a test that fails may panic, and its numbers are its own"
)]

#[path = "support/guard.rs"]
mod guard;

use caffe2_qtensor::kernels::Level;
use caffe2_qtensor::kernels::product::{Bounds, DEPTH, LANES, MOST_COLUMNS, Sums, Unit, multiply};
use guard::Guarded;

/// The panel of a matrix of `LANES` rows.
fn panel_of(w: &[i8], columns: usize) -> Vec<i8> {
    let mut panel = vec![0; columns * LANES];
    for (lane, row) in w.chunks_exact(columns.max(1)).enumerate() {
        for (k, value) in row.iter().enumerate() {
            panel[k / DEPTH * DEPTH * LANES + lane * DEPTH + k % DEPTH] = *value;
        }
    }
    panel
}

fn expected(x: &[u8], stride: usize, w: &[i8], columns: usize, rows: usize) -> Vec<i32> {
    let mut sums = Vec::new();
    for i in 0..rows {
        for j in 0..LANES {
            let pairs = x[i * stride..][..columns].iter().zip(&w[j * columns..][..columns]);
            sums.push(pairs.map(|(x, w)| i32::from(*x) * i32::from(*w)).sum());
        }
    }
    sums
}

/// Bounds that make AVX2 take every way to multiply, and the edges between them.
const BOUNDS: [Bounds; 9] = [
    Bounds::ANY,
    Bounds { left: 255, right: 65 },
    Bounds { left: 255, right: 64 },
    Bounds { left: 128, right: 128 },
    Bounds { left: 127, right: 128 },
    Bounds { left: 63, right: 128 },
    Bounds { left: 255, right: 16 },
    Bounds { left: 15, right: 128 },
    Bounds { left: 1, right: 1 },
];

/// Bytes within bounds, half of them the extremes, and sums to start from.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 16
    }

    fn left(&mut self, bounds: Bounds, count: usize) -> Vec<u8> {
        let byte = |number: u64| match number % 4 {
            0 => 0,
            1 => bounds.left,
            _ => (number / 4 % (u64::from(bounds.left) + 1)) as u8,
        };
        (0..count).map(|_| byte(self.next())).collect()
    }

    fn right(&mut self, bounds: Bounds, count: usize) -> Vec<i8> {
        let (low, high) = (-i16::from(bounds.right), i16::from(bounds.right).min(127));
        let byte = |number: u64| match number % 4 {
            0 => low,
            1 => high,
            _ => low + ((number / 4) as i64 % i64::from(high - low + 1)) as i16,
        };
        (0..count).map(|_| byte(self.next()) as i8).collect()
    }

    /// Some of them next to where they wrap.
    fn sums(&mut self, count: usize) -> Vec<i32> {
        let sum = |number: u64| match number % 4 {
            0 => i32::MIN + (number >> 30) as i32,
            1 => i32::MAX - (number >> 30) as i32,
            _ => (number >> 2) as i32,
        };
        (0..count).map(|_| sum(self.next())).collect()
    }
}

fn check(bounds: Bounds, (x, stride): (&[u8], usize), w: &[i8], columns: usize, start: &[i32]) {
    let panel = panel_of(w, columns);
    let mut expected = expected(x, stride, w, columns, start.len() / LANES);
    expected.iter_mut().zip(start).for_each(|(sum, start)| *sum = sum.wrapping_add(*start));
    for unit in Unit::available() {
        let mut sums = start.to_vec();
        multiply(unit, bounds, x, stride, &panel, columns, Sums::more(&mut sums));
        let rows = start.len() / LANES;
        assert!(sums == expected, "{} {bounds:?} {rows} x {columns}, {stride}", unit.name());
        multiply(unit, bounds, x, stride, &panel, columns, Sums::new(&mut sums));
        let mut pairs = sums.iter().zip(start).zip(&expected);
        let replaced = pairs.all(|((sum, start), both)| sum.wrapping_add(*start) == *both);
        assert!(replaced, "{} {bounds:?} {rows} x {columns}, {stride}", unit.name());
    }
}

#[test]
fn every_shape() {
    let mut random = Random(1);
    for rows in (1..=13).chain([48]) {
        for columns in (0..=68).step_by(4).chain([252, 1000]) {
            for (number, bounds) in BOUNDS.iter().enumerate() {
                let stride = columns + [0, 1, 3, 64][(number + columns / 4) % 4];
                let x = random.left(*bounds, rows * stride);
                let w = random.right(*bounds, columns * LANES);
                check(*bounds, (&x, stride), &w, columns, &random.sums(rows * LANES));
            }
        }
    }
}

/// The largest products there are within any bounds: nothing saturates or wraps in 16 bits.
#[test]
fn every_bound() {
    let (rows, columns) = (7, 20);
    for left in 0..=255 {
        let x = vec![left; rows * columns];
        for weight in i8::MIN..=i8::MAX {
            let bounds = Bounds { left, right: weight.unsigned_abs() };
            let panel = vec![weight; columns * LANES];
            let expected = 5 + i32::from(left) * i32::from(weight) * columns as i32;
            for unit in Unit::available() {
                let mut sums = [5; LANES * 7];
                multiply(unit, bounds, &x, columns, &panel, columns, Sums::more(&mut sums));
                let name = unit.name();
                assert!(sums.iter().all(|sum| *sum == expected), "{name} {left} {weight}");
            }
        }
    }
}

#[test]
fn the_longest_rows_of_the_largest_numbers() {
    let columns = MOST_COLUMNS;
    for (left, right) in [(255, 128), (128, 128), (127, 128), (255, 64), (63, 128), (15, 128)] {
        let bounds = Bounds { left, right };
        let x = vec![left; columns];
        for weight in [-i16::from(right), i16::from(right).min(127)] {
            let w = vec![weight as i8; columns * LANES];
            check(bounds, (&x, columns), &w, columns, &[-1; LANES]);
            check(bounds, (&x, columns), &w, columns, &[i32::MIN; LANES]);
            check(bounds, (&x, columns), &w, columns, &[i32::MAX; LANES]);
        }
    }
}

#[test]
#[cfg(debug_assertions)]
#[should_panic(expected = "bytes within")]
fn a_byte_beyond_its_bound_is_noticed_in_debug_builds() {
    let bounds = Bounds { left: 127, right: 128 };
    let unit = Unit::of(Level::PORTABLE);
    multiply(unit, bounds, &[1, 2, 128, 3], 4, &[0; 4 * LANES], 4, Sums::new(&mut [0; LANES]));
}

/// What lies between the rows may be anything.
#[test]
fn bytes_between_rows_have_no_bounds() {
    let bounds = Bounds { left: 1, right: 1 };
    let x = [1, 1, 1, 1, 255, 255, 1, 1, 1, 1];
    check(bounds, (&x, 6), &[-1; 4 * LANES], 4, &[0; 2 * LANES]);
}

#[test]
fn levels_have_their_units() {
    let units: Vec<Unit> = Unit::available().collect();
    assert!(Level::available().all(|level| units.contains(&Unit::of(level))));
    assert_eq!(units[0].name(), "portable");
    #[cfg(target_arch = "x86_64")]
    {
        let avx2 = units.iter().any(|unit| unit.name() == "avx2");
        let vnni = units.iter().any(|unit| unit.name() == "avx-vnni");
        assert_eq!(vnni, avx2 && std::arch::is_x86_feature_detected!("avxvnni"));
    }
}

#[test]
fn nothing_outside_the_slices_is_touched() {
    let shapes = (1..=13).flat_map(|rows| [4, 8, 12, 16, 100].map(|columns| (rows, columns)));
    for (rows, columns) in shapes.chain([(48, 1000)]) {
        let (mut left, mut right) = (Guarded::new(rows * columns), Guarded::new(columns * LANES));
        let mut out = Guarded::new(rows * LANES * 4);
        let (bytes, weights) = (rows * columns, columns * LANES);
        let all = Unit::available().flat_map(|unit| BOUNDS.map(|bounds| (unit, bounds)));
        for ((unit, bounds), at_end) in all.flat_map(|each| [(each, false), (each, true)]) {
            let (x, w, sums) = if at_end {
                (left.back(bytes), right.back(weights), out.back(rows * LANES * 4))
            } else {
                (left.front(bytes), right.front(weights), out.front(rows * LANES * 4))
            };
            x.fill(1);
            w.fill(1);
            // SAFETY: any byte is an i8, and four bytes at the end or start of a page are an
            // aligned i32.
            let (w, sums) = unsafe { (w.align_to::<i8>().1, sums.align_to_mut::<i32>().1) };
            sums.fill(7);
            multiply(unit, bounds, x, columns, w, columns, Sums::more(sums));
            assert!(sums.iter().all(|sum| *sum == 7 + columns as i32), "{}", unit.name());
        }
    }
}

/// Rows of sums far from each other are the same as those next to each other, and nothing between them
/// is touched.
#[test]
fn rows_apart() {
    let mut random = Random(9);
    for rows in [1, 2, 5, 6, 7, 13] {
        for gap in [0, 1, 64, 100] {
            let (columns, stride) = (36, LANES + gap);
            let x = random.left(Bounds::ANY, rows * columns);
            let w = random.right(Bounds::ANY, columns * LANES);
            let panel = panel_of(&w, columns);
            let sums = expected(&x, columns, &w, columns, rows);
            for unit in Unit::available() {
                let mut out = vec![77; (rows - 1) * stride + LANES];
                let mut apart = Sums::new(&mut out).apart(stride);
                multiply(unit, Bounds::ANY, &x, columns, &panel, columns, apart.again(false));
                multiply(unit, Bounds::ANY, &x, columns, &panel, columns, apart);
                for (at, found) in out.iter().enumerate() {
                    let (row, lane) = (at / stride, at % stride);
                    let due = if lane < LANES { sums[row * LANES + lane] } else { 77 };
                    assert_eq!(*found, due, "{} {rows} {gap}", unit.name());
                }
                let more = Sums::more(&mut out).apart(stride);
                multiply(unit, Bounds::ANY, &x, columns, &panel, columns, more);
                assert_eq!(out[0], 2 * sums[0], "{}", unit.name());
            }
        }
    }
}
