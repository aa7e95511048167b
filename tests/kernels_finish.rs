//! From sums to results: every bit is the same on every processor, and nothing but its place is
//! written.
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

use caffe2_qtensor::kernels::Level;
use caffe2_qtensor::kernels::product::{
    LANES, Lanes, Number, OfRow, Place, Totals, accumulate, codes, sum_bytes, sums, values,
};

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Of any magnitude up to 2^`bits`.
    fn integer(&mut self, bits: u32) -> i64 {
        (self.next() as i64 >> (64 - bits)) >> (self.next() % u64::from(bits))
    }

    fn doubles(&mut self, count: usize) -> Vec<f64> {
        (0..count).map(|_| self.integer(40) as f64 / 1_048_576.0).collect()
    }
}

/// Sums of some rows, and the piece of the result that they go to.
struct Case<T> {
    sums: Vec<T>,
    of_rows: Vec<OfRow>,
    of_lanes: [T; LANES],
    stride: usize,
    first: usize,
    count: usize,
    parameters: [Vec<f64>; 4],
    is_biased: bool,
    adds: bool,
    is_complete: bool,
}

impl<T: Number> Case<T> {
    fn new(random: &mut Random, rows: usize, count: usize, bits: u32) -> Case<T> {
        let first = random.next() as usize % 5;
        Case {
            sums: (0..rows * LANES).map(|_| T::low(random.integer(bits))).collect(),
            of_rows: (0..rows)
                .map(|_| OfRow { added: random.integer(bits), code_sum: random.integer(40) })
                .collect(),
            of_lanes: std::array::from_fn(|_| T::low(random.integer(bits))),
            stride: first + count + random.next() as usize % 5,
            first,
            count,
            parameters: std::array::from_fn(|_| random.doubles(count)),
            is_biased: random.next() & 1 == 1,
            adds: random.next() & 1 == 1,
            is_complete: random.next() & 1 == 1,
        }
    }

    fn totals(&self) -> Totals<'_, T> {
        let of_lanes = (!self.is_complete).then_some(&self.of_lanes);
        Totals { sums: &self.sums, of_rows: &self.of_rows, of_lanes }
    }

    fn lanes(&self) -> Lanes<'_> {
        let [biases, constants, scales, added] = &self.parameters;
        Lanes {
            biased: self.is_biased.then_some((biases, constants)),
            scales,
            added: self.adds.then_some(added),
        }
    }

    fn total(&self, row: usize, lane: usize) -> T {
        let added = T::low(self.of_rows[row].added);
        if self.is_complete {
            return self.sums[row * LANES + lane];
        }
        self.sums[row * LANES + lane].plus(added).plus(self.of_lanes[lane])
    }

    fn value(&self, row: usize, lane: usize) -> f64 {
        let [biases, constants, scales, added] = &self.parameters;
        let mut codes = self.total(row, lane).double();
        if self.is_biased {
            codes = codes + biases[lane] * self.of_rows[row].code_sum as f64 + constants[lane];
        }
        if self.adds { scales[lane] * codes + added[lane] } else { scales[lane] * codes }
    }

    /// Runs it, and compares what it wrote with what is due there, and the rest with what was there.
    fn check<O: Copy + PartialEq + std::fmt::Debug>(
        &self,
        before: O,
        run: impl Fn(Place<'_, O>),
        expected: impl Fn(usize, usize) -> O,
    ) {
        let (stride, first, count) = (self.stride, self.first, self.count);
        let mut out = vec![before; self.of_rows.len() * stride];
        run(Place { out: &mut out, stride, first, count });
        for (at, found) in out.iter().enumerate() {
            let (row, column) = (at / stride, at % stride);
            let inside = (first..first + count).contains(&column);
            let due = if inside { expected(row, column - first) } else { before };
            assert_eq!(*found, due, "row {row}, column {column}");
        }
    }

    fn check_all(&self, level: Level) {
        self.check(-7, |to| sums(level, self.totals(), to), |r, l| self.total(r, l).wide());
        let low = |row, lane| i32::low(self.total(row, lane).wide());
        self.check(-7, |to| sums(level, self.totals(), to), low);
        self.check(
            0x7fc0_1234,
            |Place { out, stride, first, count }| {
                let mut floats: Vec<f32> = out.iter().map(|bits| f32::from_bits(*bits)).collect();
                let place = Place { out: &mut floats, stride, first, count };
                values(level, self.totals(), self.lanes(), place);
                out.iter_mut().zip(floats).for_each(|(out, value)| *out = value.to_bits());
            },
            |row, lane| (self.value(row, lane) as f32).to_bits(),
        );
        for (low, high) in [(-255.0, 255.0), (0.0, 1.0), (-65535.0, 65535.0)] {
            self.check(
                -7,
                |place| codes(level, self.totals(), self.lanes(), (low, high), place),
                |row, lane| self.value(row, lane).clamp(low, high).round_ties_even() as i32,
            );
        }
    }
}

#[test]
fn alike_at_every_level() {
    let mut random = Random(1);
    for count in 1..=LANES {
        for rows in [1, 2, 3, 48] {
            for level in Level::available() {
                Case::<i32>::new(&mut random, rows, count, 32).check_all(level);
                Case::<i64>::new(&mut random, rows, count, 60).check_all(level);
            }
        }
    }
}

#[test]
fn the_middle_between_two_codes() {
    for level in Level::available() {
        let halves: Vec<i32> = (-32..32).map(|half| 2 * half + 1).collect();
        let case = Case {
            sums: halves.clone(),
            of_rows: vec![OfRow::default()],
            of_lanes: [0; LANES],
            stride: LANES,
            first: 0,
            count: LANES,
            parameters: [vec![0.0; LANES], vec![0.0; LANES], vec![0.5; LANES], vec![0.0; LANES]],
            is_biased: false,
            adds: false,
            is_complete: true,
        };
        let due = |_: usize, lane: usize| (f64::from(halves[lane]) / 2.0).round_ties_even() as i32;
        case.check(9, |to| codes(level, case.totals(), case.lanes(), (-99.0, 99.0), to), due);
    }
}

#[test]
fn sums_of_sums_and_of_bytes() {
    let mut random = Random(2);
    for length in 0..=2 * LANES + 3 {
        let some: Vec<i32> = (0..length).map(|_| random.integer(32) as i32).collect();
        let before: Vec<i64> = (0..length).map(|_| random.integer(60)).collect();
        let bytes: Vec<u8> = (0..length).map(|_| random.next() as u8).collect();
        for level in Level::available() {
            let mut totals = before.clone();
            accumulate(level, &some, &mut totals);
            for ((total, before), some) in totals.iter().zip(&before).zip(&some) {
                assert_eq!(*total, before.wrapping_add(i64::from(*some)), "{}", level.name());
            }
            let sum: i64 = bytes.iter().map(|byte| i64::from(*byte)).sum();
            assert_eq!(sum_bytes(level, &bytes), sum, "{}", level.name());
        }
    }
    for level in Level::available() {
        assert_eq!(sum_bytes(level, &vec![255; 200_001]), 255 * 200_001);
    }
}
