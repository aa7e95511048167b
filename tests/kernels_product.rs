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

#[path = "support/guard_planes.rs"]
mod guard_planes;

use caffe2_qtensor::kernels::Level;
use caffe2_qtensor::kernels::product::{
    DEPTH, LANES, Lanes, MOST_COLUMNS, accumulate, multiply, values,
};
use guard_planes::GuardedPages;

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

fn check(x: &[u8], stride: usize, w: &[i8], columns: usize, rows: usize) {
    let panel = panel_of(w, columns);
    let expected = expected(x, stride, w, columns, rows);
    for level in Level::available() {
        let mut sums = vec![-1; rows * LANES];
        multiply(level, x, stride, &panel, columns, &mut sums);
        assert!(sums == expected, "{} {rows} x {columns}, {stride}", level.name());
    }
}

#[test]
fn every_shape() {
    let mut next = 1u64;
    let mut random = move || {
        next ^= next << 13;
        next ^= next >> 7;
        next ^= next << 17;
        (next >> 32) as u8
    };
    for rows in [1, 2, 3, 4, 5, 6, 7, 11, 12, 13, 48] {
        for columns in [0, 4, 8, 60, 64, 68, 252, 1000] {
            for gap in [0, 1, 3, 64] {
                let stride = columns + gap;
                let x: Vec<u8> = (0..rows * stride).map(|_| random()).collect();
                let w: Vec<i8> = (0..columns * LANES).map(|_| random() as i8).collect();
                check(&x, stride, &w, columns, rows);
            }
        }
    }
}

#[test]
fn the_longest_rows_of_the_largest_numbers() {
    let (x, columns) = (vec![255; MOST_COLUMNS], MOST_COLUMNS);
    for extreme in [-128, 127] {
        check(&x, columns, &vec![extreme; columns * LANES], columns, 1);
    }
}

#[test]
fn nothing_outside_the_slices_is_touched() {
    for (rows, columns) in [(1, 4), (6, 12), (7, 100), (13, 1000)] {
        let (mut left, mut right) =
            (GuardedPages::new(rows * columns), GuardedPages::new(columns * LANES));
        let mut out = GuardedPages::new(rows * LANES * 4);
        for level in Level::available() {
            for at_end in [false, true] {
                let (bytes, weights) = (rows * columns, columns * LANES);
                let (x, w, sums) = if at_end {
                    (left.ending(bytes), right.ending(weights), out.ending(rows * LANES * 4))
                } else {
                    (
                        left.beginning(bytes),
                        right.beginning(weights),
                        out.beginning(rows * LANES * 4),
                    )
                };
                x.fill(3);
                w.fill(2);
                // SAFETY: any byte is an i8, and four bytes at the end or start of a page are an
                // aligned i32.
                let (w, sums) = unsafe { (w.align_to::<i8>().1, sums.align_to_mut::<i32>().1) };
                multiply(level, x, columns, w, columns, sums);
                assert!(sums.iter().all(|sum| *sum == 6 * columns as i32), "{}", level.name());
            }
        }
    }
}

/// Every bit, for every length: products are the same on every processor.
#[test]
fn sums_become_values_alike_at_every_level() {
    let mut next = 1u64;
    let mut random = move || {
        next ^= next << 13;
        next ^= next >> 7;
        next ^= next << 17;
        next
    };
    for length in 0..=2 * LANES + 3 {
        let sums: Vec<i32> = (0..length).map(|_| random() as i32).collect();
        let of_lanes: Vec<i64> = (0..length).map(|_| random() as i64 >> 30).collect();
        let before: Vec<i64> = (0..length).map(|_| random() as i64 >> (random() % 60)).collect();
        let mut numbers = || {
            let number = |bits: u64| (bits as i64 >> 20) as f64 / 4096.0;
            (0..length).map(|_| number(random())).collect::<Vec<f64>>()
        };
        let parts: [Vec<f64>; 5] = core::array::from_fn(|_| numbers());
        let [biases, of_weights, of_biases, scales, added] = &parts;
        let lanes = Lanes { biases, of_weights, of_biases, scales, added };
        for level in Level::available() {
            for (factor, of_row, offset) in [(1, 0, 0), (-1, -77, -128), (1, 1 << 40, 128)] {
                let mut totals = before.clone();
                accumulate(level, &sums, factor, of_row, (offset, &of_lanes), &mut totals);
                for (i, total) in totals.iter().enumerate() {
                    let more = i64::from(sums[i]) + of_row + offset * of_lanes[i];
                    assert_eq!(*total, before[i].wrapping_add(factor * more), "{}", level.name());
                }
            }
            let (code_sum, mut out) = (-12345.0, vec![0f32; length]);
            values(level, &before, code_sum, lanes, &mut out);
            for (i, out) in out.iter().enumerate() {
                let codes = before[i] as f64 + biases[i] * code_sum + of_weights[i] + of_biases[i];
                let expected = (scales[i] * codes + added[i]) as f32;
                assert_eq!(out.to_bits(), expected.to_bits(), "{} {length}", level.name());
            }
        }
    }
}
