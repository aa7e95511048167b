//! Lookups with AVX-512, 64 bytes at a time.
//!
//! Up to 32 values of four bytes lie in one or two registers and are found by one permutation.
//! More of them are kept as one table for each of their bytes: the bytes of a value are found by
//! themselves and then interleaved.

use super::{Output, Table};
use core::arch::x86_64::*;

/// Bytes in a step of the loop.
const GROUP: usize = 64;

/// # Safety
/// The machine has the features; the slices are of one length, and a value has 2 or 4 bytes.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
pub(super) unsafe fn lookup<T: Output>(
    table: &Table<T>,
    bytes: &[u8],
    values: &mut [T],
    streaming: bool,
) {
    // SAFETY: the caller's promise is the callees'.
    unsafe {
        match (size_of::<T>(), table.bits(), streaming) {
            (4, 0..=4, false) => run(&Sixteen::new(table), bytes, values),
            (4, 0..=4, true) => stream(&Sixteen::new(table), bytes, values),
            (4, 5, false) => run(&ThirtyTwo::new(table), bytes, values),
            (4, 5, true) => stream(&ThirtyTwo::new(table), bytes, values),
            (4, 6, false) => run(&Bytes::<4, 1>::new(table), bytes, values),
            (4, 6, true) => stream(&Bytes::<4, 1>::new(table), bytes, values),
            (4, 7, false) => run(&Bytes::<4, 2>::new(table), bytes, values),
            (4, 7, true) => stream(&Bytes::<4, 2>::new(table), bytes, values),
            (4, _, false) => run(&Bytes::<4, 4>::new(table), bytes, values),
            (4, _, true) => stream(&Bytes::<4, 4>::new(table), bytes, values),
            (_, 0..=6, false) => run(&Bytes::<2, 1>::new(table), bytes, values),
            (_, 0..=6, true) => stream(&Bytes::<2, 1>::new(table), bytes, values),
            (_, 7, false) => run(&Bytes::<2, 2>::new(table), bytes, values),
            (_, 7, true) => stream(&Bytes::<2, 2>::new(table), bytes, values),
            (_, _, false) => run(&Bytes::<2, 4>::new(table), bytes, values),
            (_, _, true) => stream(&Bytes::<2, 4>::new(table), bytes, values),
        }
    }
}

/// A table in registers. The values of 64 bytes fill the first `REGISTERS` of the result.
pub(super) trait Registers {
    /// Registers that 64 values fill.
    const REGISTERS: usize;

    /// # Safety
    /// The machine has AVX-512 with F, BW and VBMI.
    unsafe fn find(&self, bytes: __m512i) -> [__m512i; 4];
}

/// Up to 16 values of four bytes.
pub(super) struct Sixteen(__m512i);

impl Sixteen {
    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(super) fn new<T>(table: &Table<T>) -> Sixteen
    where
        T: Output,
    {
        // SAFETY: 256 values of four bytes can be read.
        Sixteen(unsafe { _mm512_loadu_si512(table.values().as_ptr().cast()) })
    }
}

impl Registers for Sixteen {
    const REGISTERS: usize = 4;

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    unsafe fn find(&self, bytes: __m512i) -> [__m512i; 4] {
        indices(bytes).map(|index| _mm512_permutexvar_epi32(index, self.0))
    }
}

/// Up to 32 values of four bytes.
pub(super) struct ThirtyTwo([__m512i; 2]);

impl ThirtyTwo {
    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(super) fn new<T: Output>(table: &Table<T>) -> ThirtyTwo {
        let start = table.values().as_ptr().cast::<u8>();
        // SAFETY: 256 values of four bytes can be read.
        ThirtyTwo(unsafe {
            [_mm512_loadu_si512(start.cast()), _mm512_loadu_si512(start.add(64).cast())]
        })
    }
}

impl Registers for ThirtyTwo {
    const REGISTERS: usize = 4;

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    unsafe fn find(&self, bytes: __m512i) -> [__m512i; 4] {
        let [low, high] = self.0;
        indices(bytes).map(|index| _mm512_permutex2var_epi32(low, index, high))
    }
}

/// Where code `16 * k + i`, which is to be byte `k` of the 32-bit number `i`, comes from.
const TRANSPOSED: [u8; 64] = {
    let mut index = [0; 64];
    let mut at = 0;
    while at < 64 {
        index[at] = (at % 4 * 16 + at / 4) as u8;
        at += 1;
    }
    index
};

/// Numbers of 32 bits of which the lowest byte is a code, sixteen in each register. Permutations
/// take no notice of what is above an index: one shuffle and shifts are enough, where widening
/// would take seven shuffles, of which there are fewer in a cycle.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
fn indices(bytes: __m512i) -> [__m512i; 4] {
    // SAFETY: 64 bytes may be read from an array of 64 bytes.
    let order = unsafe { _mm512_loadu_si512(TRANSPOSED.as_ptr().cast()) };
    let codes = _mm512_permutexvar_epi8(order, bytes);
    [
        codes,
        _mm512_srli_epi32::<8>(codes),
        _mm512_srli_epi32::<16>(codes),
        _mm512_srli_epi32::<24>(codes),
    ]
}

/// For values of `BYTES` bytes, a table of `PARTS` times 64 entries for each byte.
pub(super) struct Bytes<const BYTES: usize, const PARTS: usize>([[__m512i; PARTS]; BYTES]);

impl<const BYTES: usize, const PARTS: usize> Bytes<BYTES, PARTS> {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    pub(super) fn new<T: Output>(table: &Table<T>) -> Self {
        let start = table.values().as_ptr().cast::<u8>();
        let mut tables = [[_mm512_setzero_si512(); PARTS]; BYTES];
        for part in 0..PARTS {
            // Byte `byte` of the 64 values of this part, from the registers that they fill.
            let load = |register: usize| {
                // SAFETY: 256 values of `BYTES` bytes can be read.
                unsafe {
                    let at = start.add(64 * (BYTES * part + register));
                    _mm512_loadu_si512(at.cast())
                }
            };
            for (byte, table) in tables.iter_mut().enumerate() {
                let mut index = [0_u8; 64];
                for (at, index) in index.iter_mut().enumerate() {
                    *index = (at * BYTES + byte) as u8;
                }
                // SAFETY: 64 bytes may be read from an array of 64 bytes.
                let index = unsafe { _mm512_loadu_si512(index.as_ptr().cast()) };
                // The index counts to 128: within a pair of registers.
                let low = _mm512_permutex2var_epi8(load(0), index, load(1));
                table[part] = if BYTES == 4 {
                    let high = _mm512_permutex2var_epi8(load(2), index, load(3));
                    _mm512_mask_blend_epi8(0xffff_ffff_0000_0000, low, high)
                } else {
                    low
                };
            }
        }
        Bytes(tables)
    }
}

impl<const BYTES: usize, const PARTS: usize> Registers for Bytes<BYTES, PARTS> {
    const REGISTERS: usize = BYTES;

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    unsafe fn find(&self, bytes: __m512i) -> [__m512i; 4] {
        // Interleaving works within each quarter of a register; this order makes up for it.
        let order = if BYTES == 4 {
            _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15)
        } else {
            _mm512_setr_epi32(0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15)
        };
        let index = _mm512_permutexvar_epi32(order, bytes);
        let upper = _mm512_movepi8_mask(index);
        let found = self.0.map(|table| match PARTS {
            1 => _mm512_permutexvar_epi8(index, table[0]),
            2 => _mm512_permutex2var_epi8(table[0], index, table[1]),
            _ => _mm512_mask_blend_epi8(
                upper,
                _mm512_permutex2var_epi8(table[0], index, table[1]),
                _mm512_permutex2var_epi8(table[2], index, table[PARTS - 1]),
            ),
        });
        let zero = _mm512_setzero_si512();
        let low = _mm512_unpacklo_epi8(found[0], found[1]);
        let high = _mm512_unpackhi_epi8(found[0], found[1]);
        if BYTES == 2 {
            return [low, high, zero, zero];
        }
        let (third, fourth) = (found[BYTES - 2], found[BYTES - 1]);
        let upper_low = _mm512_unpacklo_epi8(third, fourth);
        let upper_high = _mm512_unpackhi_epi8(third, fourth);
        [
            _mm512_unpacklo_epi16(low, upper_low),
            _mm512_unpackhi_epi16(low, upper_low),
            _mm512_unpacklo_epi16(high, upper_high),
            _mm512_unpackhi_epi16(high, upper_high),
        ]
    }
}

/// # Safety
/// The machine has the features; the slices are of one length, and 64 values fill the table's
/// number of registers.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
unsafe fn run<T: Output, R: Registers>(registers: &R, bytes: &[u8], values: &mut [T]) {
    let (groups, rest) = bytes.as_chunks::<GROUP>();
    let (whole, last) = values.split_at_mut(groups.len() * GROUP);
    for (group, values) in groups.iter().zip(whole.as_chunks_mut::<GROUP>().0) {
        // SAFETY: 64 bytes can be read from a group, and its 64 values written.
        unsafe {
            let found = registers.find(_mm512_loadu_si512(group.as_ptr().cast()));
            for (register, found) in found.iter().enumerate().take(R::REGISTERS) {
                _mm512_storeu_si512(
                    values.as_mut_ptr().cast::<u8>().add(64 * register).cast(),
                    *found,
                );
            }
        }
    }
    if !rest.is_empty() {
        let mut group = [0; GROUP];
        group[..rest.len()].copy_from_slice(rest);
        let mut found = [T::default(); GROUP];
        // SAFETY: as above; there is no rest of 64 bytes, so this goes no deeper.
        unsafe { run(registers, &group, &mut found) };
        last.copy_from_slice(&found[..last.len()]);
    }
}

/// [`run`], storing around the caches.
///
/// # Safety
/// That of [`run`].
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
unsafe fn stream<T: Output, R: Registers>(registers: &R, bytes: &[u8], values: &mut [T]) {
    // A value lies at a multiple of its own size.
    let head = values.as_ptr().align_offset(64).min(values.len());
    let (first_bytes, bytes) = bytes.split_at(head);
    let (first_values, values) = values.split_at_mut(head);
    let (groups, rest) = bytes.as_chunks::<GROUP>();
    let (whole, last) = values.split_at_mut(groups.len() * GROUP);
    // SAFETY: the parts are of one length; the groups of values begin at whole cache lines.
    unsafe {
        run(registers, first_bytes, first_values);
        for (group, values) in groups.iter().zip(whole.as_chunks_mut::<GROUP>().0) {
            let found = registers.find(_mm512_loadu_si512(group.as_ptr().cast()));
            for (register, found) in found.iter().enumerate().take(R::REGISTERS) {
                let target = values.as_mut_ptr().cast::<u8>().add(64 * register);
                _mm512_stream_si512(target.cast(), *found);
            }
        }
        run(registers, rest, last);
    }
}
