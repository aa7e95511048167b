//! The specification of both kernels: plain Rust, one value at a time.

use super::{BATCH, Grid, Pair, Scan};

pub(super) fn scan(values: &[f32]) -> Scan {
    let mut scan = Scan::EMPTY;
    for value in values {
        if value.is_nan() {
            scan.nan += 1;
        } else if *value == f32::INFINITY {
            scan.positive_infinite += 1;
        } else if *value == f32::NEG_INFINITY {
            scan.negative_infinite += 1;
        } else if *value == 0.0 {
            scan.zeros += 1;
        } else {
            scan.min = scan.min.min(*value);
            scan.max = scan.max.max(*value);
        }
    }
    scan
}

pub(super) fn tally(
    values: &[f32],
    grid: &Grid,
    range: (f32, f32),
    table: &mut [Pair],
) -> (usize, Scan) {
    let mut seen = Scan::EMPTY;
    for (number, batch) in values.chunks(BATCH).enumerate() {
        let found = scan(batch);
        if !found.is_within(range) {
            return (number * BATCH, seen);
        }
        seen.add(&found);
        add(batch, grid, table);
    }
    (values.len(), seen)
}

fn add(values: &[f32], grid: &Grid, table: &mut [Pair]) {
    let (first, second) = table.split_at_mut(grid.slots());
    let (pairs, last) = values.as_chunks::<2>();
    for [left, right] in pairs {
        let (left_slot, offset) = grid.place(*left);
        first[left_slot].note(offset);
        let (right_slot, offset) = grid.place(*right);
        let half = if left_slot == right_slot { &mut *second } else { &mut *first };
        half[right_slot].note(offset);
    }
    for value in last {
        let (slot, offset) = grid.place(*value);
        first[slot].note(offset);
    }
}
