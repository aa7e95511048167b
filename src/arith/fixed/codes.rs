//! Codes in and out of the blocks that planes are filled from.

use crate::planes::fill::Block;

/// Elements that are worked on at a time: their codes stay in the first-level cache. A multiple of 8,
/// so that parts begin with whole bytes of a plane.
pub(super) const PART: usize = 1024;

/// The number of elements of a block.
pub(super) fn block_length(block: &Block<'_>) -> usize {
    match block {
        Block::Narrow(codes) => codes.bytes.len(),
        Block::Wide(codes) => codes.len(),
    }
}

/// Puts codes of this precision where they belong in a block, from element `at` on.
pub(super) fn put(codes: &[i32], at: usize, precision: u8, block: &mut Block<'_>) {
    let end = at.saturating_add(codes.len());
    match block {
        Block::Narrow(block) => {
            let bytes = block.bytes.get_mut(at..end).unwrap_or_default();
            for (byte, code) in bytes.iter_mut().zip(codes) {
                *byte = packed(*code, precision);
            }
            // Of 8 bits and a sign, that has no room in the byte.
            let signs = block.signs.get_mut(at..end).unwrap_or_default();
            for (sign, code) in signs.iter_mut().zip(codes) {
                *sign = u8::from(*code < 0);
            }
        }
        Block::Wide(block) => {
            let block = block.get_mut(at..end).unwrap_or_default();
            for (to, code) in block.iter_mut().zip(codes) {
                *to = i64::from(*code);
            }
        }
    }
}

/// The magnitude of a code, and its sign in the next bit where that is within the byte.
#[inline(always)]
pub(super) fn packed(code: i32, precision: u8) -> u8 {
    let sign = u32::from(code < 0).wrapping_shl(u32::from(precision));
    let [low, ..] = (code.unsigned_abs() | sign).to_le_bytes();
    low
}
