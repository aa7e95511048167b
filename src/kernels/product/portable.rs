//! Plain Rust: the specification.

use super::{DEPTH, LANES, Sums};

pub(super) fn multiply(x: &[u8], stride: usize, panel: &[i8], columns: usize, mut sums: Sums<'_>) {
    for (i, sums) in sums.each_row().enumerate() {
        let row = &x[i * stride..][..columns];
        let mut totals = [0i32; LANES];
        for (bytes, group) in row.chunks_exact(DEPTH).zip(panel.chunks_exact(DEPTH * LANES)) {
            let bytes = [bytes[0], bytes[1], bytes[2], bytes[3]].map(i32::from);
            for (total, w) in totals.iter_mut().zip(group.chunks_exact(DEPTH)) {
                *total += bytes[0] * i32::from(w[0])
                    + bytes[1] * i32::from(w[1])
                    + bytes[2] * i32::from(w[2])
                    + bytes[3] * i32::from(w[3]);
            }
        }
        for (sum, total) in sums.iter_mut().zip(totals) {
            *sum = sum.wrapping_add(total);
        }
    }
}
