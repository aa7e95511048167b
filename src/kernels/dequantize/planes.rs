//! Bit planes straight to values with AVX-512: codes go from one step to the next in registers.

use super::avx512::{Bytes, Registers, Sixteen, ThirtyTwo};
use super::{Output, Product, SHIFT, Table};
use crate::kernels::transpose::avx512::{BLOCK, codes_of, load_planes};
use core::arch::x86_64::*;

/// How far ahead of its loads, in each plane, the streaming loop prefetches.
const AHEAD: usize = 1024;

/// The byte operand of the affine instruction that turns a byte's order of bits around.
const REVERSED: i64 = 0x8040_2010_0804_0201_u64.cast_signed();

/// Where planes begin, and how far apart they are.
#[derive(Clone, Copy)]
struct Planes {
    start: *const u8,
    stride: usize,
}

/// Values of as many whole blocks as there are; returns how many were written, which is none for
/// tables that there is no loop for.
///
/// # Safety
/// The machine has the features; the table's planes, that of signs included, hold the codes of all
/// values from the start of `planes` on.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,gfni")]
pub(super) unsafe fn decode<T: Output>(
    table: &Table<T>,
    planes: &[u8],
    stride: usize,
    values: &mut [T],
    streaming: bool,
) -> usize {
    if size_of::<T>() != 4 {
        return 0;
    }
    let planes = Planes { start: planes.as_ptr(), stride };
    // SAFETY: the caller's promise is the callees'.
    unsafe {
        let sink = |values: &mut [T]| Sink::new(values.as_mut_ptr().cast(), streaming);
        let blocks = values.len() / BLOCK;
        let sink = sink(values);
        match (table.bits(), table.signs(), table.product()) {
            (1, false, _) => run::<1, _>(&Sixteen::new(table), planes, blocks, sink),
            (2, false, _) => run::<2, _>(&Sixteen::new(table), planes, blocks, sink),
            (3, false, _) => run::<3, _>(&Sixteen::new(table), planes, blocks, sink),
            (4, false, _) => run::<4, _>(&Sixteen::new(table), planes, blocks, sink),
            (5, false, _) => run::<5, _>(&ThirtyTwo::new(table), planes, blocks, sink),
            (6, false, None) => run::<6, _>(&Bytes::<4, 1>::new(table), planes, blocks, sink),
            (7, false, None) => run::<7, _>(&Bytes::<4, 2>::new(table), planes, blocks, sink),
            (8, false, None) => run::<8, _>(&Bytes::<4, 4>::new(table), planes, blocks, sink),
            (6, false, Some(product)) => run::<6, _>(&Factors::new(product), planes, blocks, sink),
            (7, false, Some(product)) => run::<7, _>(&Factors::new(product), planes, blocks, sink),
            (8, false, Some(product)) => run::<8, _>(&Factors::new(product), planes, blocks, sink),
            (8, true, Some(product)) => {
                run_signed(&Factors::new(product), planes, blocks, sink);
            }
            _ => return 0,
        }
        blocks * BLOCK
    }
}

/// # Safety
/// The machine has the features; `COUNT` planes of `blocks` times 64 bytes can be read, and as many
/// blocks of values of four bytes written.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,gfni")]
unsafe fn run<const COUNT: usize, R: Registers>(
    registers: &R,
    planes: Planes,
    blocks: usize,
    mut sink: Sink,
) {
    for block in 0..blocks {
        // SAFETY: the block is one of `blocks` on both sides.
        unsafe {
            let start = planes.start.add(64 * block);
            sink.prefetch::<COUNT>(start, planes.stride);
            for codes in codes_of::<COUNT>(load_planes::<COUNT>(start, planes.stride, !0)) {
                sink.put(registers.find(codes));
            }
        }
    }
    // SAFETY: what is left lies in the last register.
    unsafe { sink.finish() };
}

/// Eight planes and that of signs.
///
/// # Safety
/// That of [`run`] with nine planes.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,gfni")]
unsafe fn run_signed(factors: &Factors, planes: Planes, blocks: usize, mut sink: Sink) {
    for block in 0..blocks {
        // SAFETY: the block is one of `blocks` on both sides.
        unsafe {
            let start = planes.start.add(64 * block);
            sink.prefetch::<9>(start, planes.stride);
            let signs = _mm512_loadu_si512(start.add(8 * planes.stride).cast());
            let signs = _mm512_gf2p8affine_epi64_epi8::<0>(signs, _mm512_set1_epi64(REVERSED));
            let mut masks = [0_u64; 8];
            _mm512_storeu_si512(masks.as_mut_ptr().cast(), signs);
            let codes = codes_of::<8>(load_planes::<8>(start, planes.stride, !0));
            for (codes, negative) in codes.into_iter().zip(masks) {
                let mut part = 0;
                sink.put(floats(codes).map(|shifted| {
                    let mask = (negative >> part) as __mmask16;
                    part += 16;
                    let magnitude = _mm512_sub_ps(shifted, _mm512_set1_ps(SHIFT));
                    // Not a change of sign, which would make -0 of 0.
                    let zero = _mm512_setzero_ps();
                    let code = _mm512_mask_sub_ps(magnitude, mask, zero, magnitude);
                    factors.value(_mm512_add_ps(code, factors.bias))
                }));
            }
        }
    }
    // SAFETY: what is left lies in the last register.
    unsafe { sink.finish() };
}

/// A [`Product`] in registers.
struct Factors {
    high: __m512,
    low: __m512,
    bias: __m512,
    shifted_bias: __m512,
}

impl Factors {
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn new(product: Product) -> Factors {
        Factors {
            high: _mm512_set1_ps(product.high),
            low: _mm512_set1_ps(product.low),
            bias: _mm512_set1_ps(product.bias),
            shifted_bias: _mm512_set1_ps(product.bias - SHIFT),
        }
    }

    /// The values of sixteen codes to which the bias was added.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    fn value(&self, code: __m512) -> __m512i {
        let value = _mm512_fmadd_ps(code, self.high, _mm512_mul_ps(code, self.low));
        _mm512_castps_si512(value)
    }
}

impl Registers for Factors {
    const REGISTERS: usize = 4;

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    unsafe fn find(&self, bytes: __m512i) -> [__m512i; 4] {
        floats(bytes).map(|shifted| self.value(_mm512_add_ps(shifted, self.shifted_bias)))
    }
}

/// Where byte `4 * i` of register `k` comes from: code `16 * k + i`.
const SPREAD: [[u8; 64]; 4] = {
    let mut index = [[0; 64]; 4];
    let mut at = 0;
    while at < 64 {
        index[at / 16][4 * (at % 16)] = at as u8;
        at += 1;
    }
    index
};

/// The codes plus [`SHIFT`] in single precision: a code is the lowest byte of the sum.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
fn floats(bytes: __m512i) -> [__m512; 4] {
    SPREAD.map(|index| {
        // SAFETY: 64 bytes may be read from an array of 64 bytes.
        let index = unsafe { _mm512_loadu_si512(index.as_ptr().cast()) };
        let shift = _mm512_castps_si512(_mm512_set1_ps(SHIFT));
        let lowest = 0x1111_1111_1111_1111;
        _mm512_castsi512_ps(_mm512_mask_permutexvar_epi8(shift, lowest, index, bytes))
    })
}

/// Where the registers of values go, one after the other.
struct Sink {
    next: *mut f32,
    streaming: bool,
    /// Values in front of the first whole line.
    head: usize,
    /// Streaming: the register before, of which the lanes from `head` on are not stored yet.
    before: Option<__m512i>,
}

impl Sink {
    fn new(start: *mut f32, streaming: bool) -> Sink {
        // A value lies at a multiple of its own size.
        Sink { next: start, streaming, head: start.align_offset(64), before: None }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    fn prefetch<const COUNT: usize>(&self, start: *const u8, stride: usize) {
        if self.streaming {
            for plane in 0..COUNT {
                let ahead = start.wrapping_add(plane * stride + AHEAD);
                _mm_prefetch::<_MM_HINT_T0>(ahead.cast());
            }
        }
    }

    /// # Safety
    /// 64 values can be written behind those before.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    unsafe fn put(&mut self, registers: [__m512i; 4]) {
        for register in registers {
            // SAFETY: the caller's promise; a line that is streamed begins `head` values behind a
            // register that was put, and ends as far behind the beginning of the next.
            unsafe {
                if self.streaming {
                    self.put_streaming(register);
                } else {
                    _mm512_storeu_si512(self.next.cast(), register);
                }
                self.next = self.next.add(16);
            }
        }
    }

    /// # Safety
    /// That of [`Sink::put`] for one register.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    unsafe fn put_streaming(&mut self, register: __m512i) {
        // SAFETY: see `put`.
        unsafe {
            match self.before {
                None => _mm512_mask_storeu_epi32(self.next.cast(), self.in_head(), register),
                Some(before) => {
                    let lanes =
                        _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
                    let lanes = _mm512_add_epi32(lanes, _mm512_set1_epi32(self.head as i32));
                    let line = _mm512_permutex2var_epi32(before, lanes, register);
                    _mm512_stream_si512(self.next.sub(16).add(self.head).cast(), line);
                }
            }
            self.before = Some(register);
        }
    }

    fn in_head(&self) -> __mmask16 {
        ((1_u32 << self.head) - 1) as __mmask16
    }

    /// Stores what streaming has left.
    ///
    /// # Safety
    /// That of [`Sink::put`].
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    unsafe fn finish(self) {
        if let Some(before) = self.before {
            // SAFETY: the register was put, so its values can be written.
            unsafe {
                _mm512_mask_storeu_epi32(self.next.sub(16).cast(), !self.in_head(), before);
            }
        }
    }
}
