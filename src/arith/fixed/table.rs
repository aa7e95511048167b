//! The results of all codes there are, where a tensor has few: as bytes to bytes.

use super::codes::packed;
use super::operand::{Channels, reserve};
use super::steps::Step;
use crate::error::Result;
use crate::kernels::quantize::Codes;
use crate::kernels::{Level, transpose};
use crate::planes::fill::NARROW;
use crate::tensor::QTensor;

/// Codes whose sign is behind 8 bits have two tables.
const BYTES: usize = 256;

/// For each channel the result of every code, as planes are made from it.
pub(super) struct Table {
    bytes: Vec<[u8; BYTES]>,
    /// The signs of results of 8 bits; else empty.
    signs: Vec<[u8; BYTES]>,
    /// Tables of a channel.
    halves: usize,
}

impl Table {
    /// The table of an operation on `x`, where its codes are few enough and each is expected more than
    /// once. `result` is the precision of the results, at most 8, and whether they have signs.
    ///
    /// # Errors
    /// `OutOfMemory`.
    pub(super) fn new(
        x: &QTensor,
        steps: &[Step],
        (precision, is_signed): (u8, bool),
    ) -> Result<Option<Table>> {
        let halves = if x.is_signed() && x.precision() == 8 { 2_usize } else { 1 };
        let entries = steps.len().saturating_mul(halves).saturating_mul(BYTES);
        if x.precision() > 8 || precision > 8 || entries > x.size() {
            return Ok(None);
        }
        let count = steps.len().saturating_mul(halves);
        let with_signs = if is_signed && precision == 8 { count } else { 0 };
        let what = "table of the results";
        let (mut bytes, mut signs) = (reserve(count, what)?, reserve(with_signs, what)?);
        let mask = 1_i32.wrapping_shl(u32::from(x.precision())).wrapping_sub(1);
        for step in steps {
            for first in [0_i32, 256].into_iter().take(halves) {
                let mut codes = [0_i32; BYTES];
                for (code, raw) in codes.iter_mut().zip(first..) {
                    let magnitude = raw & mask;
                    let negative = x.is_signed() && raw & mask.wrapping_add(1) != 0;
                    *code = if negative { magnitude.wrapping_neg() } else { magnitude };
                }
                step.single(&mut codes);
                bytes.push(codes.map(|code| packed(code, precision)));
                if with_signs != 0 {
                    signs.push(codes.map(|code| u8::from(code < 0)));
                }
            }
        }
        Ok(Some(Table { bytes, signs, halves }))
    }

    /// The results of the elements from `first` on, a multiple of 8 and at most [`NARROW`].
    pub(super) fn look_up(
        &self,
        x: &QTensor,
        channels: Channels,
        first: usize,
        codes: &mut Codes<'_>,
    ) {
        let length = codes.bytes.len();
        // The sign is the plane behind the others, and so the bit behind theirs.
        let planes = usize::from(x.precision()).saturating_add(usize::from(x.is_signed()));
        read(x, first, 0, planes.min(8), codes.bytes);
        if self.halves == 1 {
            return channels.each(first, length, |channel, at, count| {
                let part = at..at.saturating_add(count);
                let bytes = codes.bytes.get_mut(part.clone()).unwrap_or_default();
                let signs = codes.signs.get_mut(part).unwrap_or_default();
                if let Some(table) = self.signs.get(channel) {
                    for (sign, byte) in signs.iter_mut().zip(&*bytes) {
                        *sign = entry(table, *byte);
                    }
                }
                if let Some(table) = self.bytes.get(channel) {
                    for byte in bytes {
                        *byte = entry(table, *byte);
                    }
                }
            });
        }
        self.look_up_signed(x, channels, first, codes);
    }

    /// The same where the signs of the codes have a plane of their own.
    #[inline(never)]
    fn look_up_signed(&self, x: &QTensor, channels: Channels, first: usize, codes: &mut Codes<'_>) {
        let length = codes.bytes.len();
        let mut negative = [0_u8; NARROW];
        let negative = negative.get_mut(..length).unwrap_or_default();
        read(x, first, 8, 1, negative);
        channels.each(first, length, |channel, at, count| {
            let part = at..at.saturating_add(count);
            let bytes = codes.bytes.get_mut(part.clone()).unwrap_or_default();
            let signs = codes.signs.get_mut(part.clone()).unwrap_or_default();
            let negative = negative.get(part).unwrap_or_default();
            let tables = channel.saturating_mul(2)..channel.saturating_mul(2).saturating_add(2);
            if let Some([plus, minus]) = self.signs.get(tables.clone()) {
                for ((sign, byte), negative) in signs.iter_mut().zip(&*bytes).zip(negative) {
                    *sign = entry(if *negative == 0 { plus } else { minus }, *byte);
                }
            }
            if let Some([plus, minus]) = self.bytes.get(tables) {
                for (byte, negative) in bytes.iter_mut().zip(negative) {
                    *byte = entry(if *negative == 0 { plus } else { minus }, *byte);
                }
            }
        });
    }
}

#[inline(always)]
fn entry(table: &[u8; BYTES], byte: u8) -> u8 {
    table.get(usize::from(byte)).copied().unwrap_or(0)
}

/// Some planes of the elements from `first` on as the low bits of bytes.
fn read(x: &QTensor, first: usize, plane: usize, count: usize, bytes: &mut [u8]) {
    let view = x.view();
    let start = view.plane_stride.saturating_mul(plane).saturating_add(first / 8);
    match view.data.and_then(|planes| planes.get(start..)) {
        Some(planes) => {
            transpose::unpack(Level::best(), planes, view.plane_stride, count, bytes);
        }
        None => bytes.fill(0),
    }
}
