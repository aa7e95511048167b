//! The specification of both kernels: plain Rust, one value at a time.

use super::{Grid, Pair, Scan};

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

pub(super) fn tally(values: &[f32], grid: &Grid, table: &mut [Pair]) {
    let (even, odd) = table.split_at_mut(grid.slots());
    let (pairs, last) = values.as_chunks::<2>();
    for [first, second] in pairs {
        let (slot, offset) = grid.place(*first);
        even[slot].note(offset);
        let (slot, offset) = grid.place(*second);
        odd[slot].note(offset);
    }
    for value in last {
        let (slot, offset) = grid.place(*value);
        even[slot].note(offset);
    }
}
