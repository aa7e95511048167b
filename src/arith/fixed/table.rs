//! The results of all codes there are, where a tensor has few: as bytes to bytes.

use super::codes::packed;
use super::operand::{Channels, reserve};
use super::steps::Step;
use crate::error::Result;
use crate::kernels::quantize::Codes;
use crate::kernels::{Level, transpose};
use crate::planes::fill::NARROW;
use crate::tensor::QTensor;

/// Bytes that there are. Codes whose sign is behind 8 bits have a table for each sign.
const BYTES: usize = 256;

/// For each channel the result of every code, as planes are made from it: its byte, and the sign that
/// is behind 8 bits in the byte above.
pub(super) struct Table {
    results: Vec<[u16; BYTES]>,
    /// Tables of a channel.
    halves: usize,
}

impl Table {
    /// The table of an operation on `x`, where its codes are few enough and each is expected more than
    /// once. `precision` is that of the results.
    ///
    /// # Errors
    /// `OutOfMemory`.
    pub(super) fn new(x: &QTensor, steps: &[Step], precision: u8) -> Result<Option<Table>> {
        let halves = if x.is_signed() && x.precision() == 8 { 2_usize } else { 1 };
        let count = steps.len().saturating_mul(halves);
        if x.precision() > 8 || precision > 8 || count.saturating_mul(BYTES) > x.size() {
            return Ok(None);
        }
        let mut results = reserve(count, "table of the results")?;
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
                results.push(codes.map(|code| {
                    let sign = u16::from(code < 0).wrapping_shl(8);
                    u16::from(packed(code, precision)) | sign
                }));
            }
        }
        Ok(Some(Table { results, halves }))
    }

    /// The results of the elements from `first` on, a multiple of 8, and at most [`NARROW`] of them.
    pub(super) fn look_up(
        &self,
        x: &QTensor,
        channels: Channels,
        first: usize,
        codes: &mut Codes<'_>,
    ) {
        // The sign is the plane behind the others, and so the bit behind theirs.
        let planes = usize::from(x.precision()).saturating_add(usize::from(x.is_signed()));
        read(x, first, 0, planes.min(8), codes.bytes);
        if self.halves == 2 {
            return self.look_up_signed(x, channels, first, codes);
        }
        channels.each(first, codes.bytes.len(), |channel, at, count| {
            let part = at..at.saturating_add(count);
            let bytes = codes.bytes.get_mut(part.clone()).unwrap_or_default();
            let signs = codes.signs.get_mut(part).unwrap_or_default();
            let Some(table) = self.results.get(channel) else { return };
            let result =
                |byte: u8| table.get(usize::from(byte)).map_or([0; 2], |r| r.to_le_bytes());
            if signs.is_empty() {
                for byte in bytes {
                    [*byte, _] = result(*byte);
                }
            } else {
                for (byte, sign) in bytes.iter_mut().zip(signs) {
                    [*byte, *sign] = result(*byte);
                }
            }
        });
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
            let start = channel.saturating_mul(2);
            let tables = self.results.get(start..start.saturating_add(2)).unwrap_or_default();
            let table = tables.as_flattened();
            let Some(table) = table.first_chunk::<{ 2 * BYTES }>() else { return };
            let result = |byte: u8, negative: u8| {
                let index = usize::from(byte) | usize::from(negative & 1).wrapping_shl(8);
                table.get(index).map_or([0; 2], |result| result.to_le_bytes())
            };
            if signs.is_empty() {
                for (byte, negative) in bytes.iter_mut().zip(negative) {
                    [*byte, _] = result(*byte, *negative);
                }
            } else {
                for ((byte, sign), negative) in bytes.iter_mut().zip(signs).zip(negative) {
                    [*byte, *sign] = result(*byte, *negative);
                }
            }
        });
    }
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
