//! Bytes with numbers that are put together from their planes in registers: bits are transposed by
//! `gf2p8affineqb`, products summed by `vpdpbusd`.

use super::avx512::ahead;
use super::{DEPTH, LANES, Part, Sums, WORD};
use core::arch::x86_64::{
    __m512i, _mm256_castsi256_si128, _mm256_extracti128_si256, _mm256_loadu_si256,
    _mm256_permute4x64_epi64, _mm512_add_epi32, _mm512_and_si512, _mm512_broadcast_i32x4,
    _mm512_dpbusd_epi32, _mm512_gf2p8affine_epi64_epi8, _mm512_loadu_si512, _mm512_set1_epi8,
    _mm512_set1_epi32, _mm512_set1_epi64, _mm512_setzero_si512, _mm512_srli_epi16,
    _mm512_storeu_si512, _mm512_unpackhi_epi8, _mm512_unpackhi_epi16, _mm512_unpackhi_epi32,
    _mm512_unpackhi_epi64, _mm512_unpacklo_epi8, _mm512_unpacklo_epi16, _mm512_unpacklo_epi32,
    _mm512_unpacklo_epi64, _mm512_xor_si512,
};

const LANES_OF_VECTOR: usize = 16;

/// Rows that the bytes of a panel are made for at once: their sums take 16 registers.
const ROWS: usize = 4;

/// Vectors that a plane's word of all lanes takes.
const VECTORS: usize = LANES / LANES_OF_VECTOR;

/// The sums of a vector's lanes. Register `r` has in its part `c`, of 128 bits, four sums that are
/// those of lane `4 * c + r` together.
type Totals = [__m512i; 4];

/// What panels and parts come to for the loops: where planes begin, and the most significant one's
/// turn.
#[derive(Clone, Copy)]
struct Source {
    /// The part's first plane.
    panel: *const u32,
    /// From a word's plane to the next word's.
    step: usize,
    /// A byte is the number's bits with the most significant one the other way round, where it has an
    /// offset.
    flip: __m512i,
}

impl Source {
    #[target_feature(enable = "avx512f")]
    fn of(panel: &[u32], part: Part) -> Source {
        let flip = _mm512_set1_epi32(if part.offset() == 0 { 0 } else { -1 });
        let panel = panel.as_ptr().wrapping_add(part.first * LANES);
        Source { panel, step: part.of * LANES, flip }
    }
}

/// Calls a function for the part's number of planes.
macro_rules! by_planes {
    ($count:expr, $function:ident($($argument:expr),*)) => {
        match $count {
            1 => $function::<1>($($argument),*),
            2 => $function::<2>($($argument),*),
            3 => $function::<3>($($argument),*),
            4 => $function::<4>($($argument),*),
            5 => $function::<5>($($argument),*),
            6 => $function::<6>($($argument),*),
            7 => $function::<7>($($argument),*),
            _ => $function::<8>($($argument),*),
        }
    };
}

/// # Safety
/// The machine has AVX-512 F, BW, VL and VNNI, and GFNI. The sizes are those that `super::unpacked`
/// asks for.
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,avx512vnni,gfni")]
pub(super) unsafe fn multiply(
    x: &[u8],
    stride: usize,
    panel: &[u32],
    part: Part,
    words: usize,
    sums: Sums<'_>,
) {
    let (source, rows) = (Source::of(panel, part), sums.rows());
    let sums = sums.cleared();
    let (x, out_stride, sums) = (x.as_ptr(), sums.stride, sums.numbers.as_mut_ptr());
    let mut row = 0;
    while row < rows {
        // SAFETY: the rows from `row` on are in both slices; passed on.
        unsafe {
            let (x, sums) = (x.add(row * stride), sums.add(row * out_stride));
            if rows - row >= ROWS {
                by_planes!(
                    part.planes.count,
                    four_rows((x, stride), source, words, (sums, out_stride))
                );
                row += ROWS;
            } else {
                by_planes!(part.planes.count, one_row(x, source, words, sums));
                row += 1;
            }
        }
    }
}

/// # Safety
/// As for [`multiply`]: `words` words of `Q` planes and as many times `WORD` bytes of `ROWS` rows.
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,avx512vnni,gfni")]
unsafe fn four_rows<const Q: usize>(
    (x, stride): (*const u8, usize),
    source: Source,
    words: usize,
    (sums, out_stride): (*mut i32, usize),
) {
    for v in 0..VECTORS {
        let mut totals = [[_mm512_setzero_si512(); 4]; ROWS];
        for word in 0..words {
            // SAFETY: the word is one of the `words`, and each row has its bytes.
            unsafe {
                let panel = source.panel.add(word * source.step + v * LANES_OF_VECTOR);
                let bytes = bytes::<Q>(&load::<Q>(panel, source.flip));
                for (i, totals) in totals.iter_mut().enumerate() {
                    add(neighbors::<Q>(x.add(i * stride + word * WORD)), &bytes, totals);
                }
            }
        }
        for (i, totals) in totals.iter().enumerate() {
            // SAFETY: a row of sums has so many vectors.
            unsafe { add_to(totals, sums.add(i * out_stride + v * LANES_OF_VECTOR)) }
        }
    }
}

/// # Safety
/// As for [`multiply`]: `words` words of `Q` planes and as many times `WORD` bytes.
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,avx512vnni,gfni")]
unsafe fn one_row<const Q: usize>(x: *const u8, source: Source, words: usize, sums: *mut i32) {
    let mut totals = [[_mm512_setzero_si512(); 4]; VECTORS];
    for word in 0..words {
        // SAFETY: the word is one of the `words`.
        unsafe {
            let x = neighbors::<Q>(x.add(word * WORD));
            let panel = source.panel.add(word * source.step);
            for (v, totals) in totals.iter_mut().enumerate() {
                let planes = load::<Q>(panel.add(v * LANES_OF_VECTOR), source.flip);
                for q in 0..Q {
                    ahead(panel.wrapping_add(v * LANES_OF_VECTOR + q * LANES));
                }
                add(x, &bytes::<Q>(&planes), totals);
            }
        }
    }
    for (v, totals) in totals.iter().enumerate() {
        // SAFETY: a row of sums has so many vectors.
        unsafe { add_to(totals, sums.add(v * LANES_OF_VECTOR)) }
    }
}

/// # Safety
/// As for [`multiply`]. `bytes` has whole words.
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,avx512vnni,gfni")]
pub(super) unsafe fn unpack(panel: &[u32], part: Part, bytes: &mut [i8]) {
    let (source, words) = (Source::of(panel, part), bytes.len() / (WORD * LANES));
    // SAFETY: passed on.
    unsafe { by_planes!(part.planes.count, unpack_words(source, words, bytes.as_mut_ptr())) }
}

/// # Safety
/// `words` words of `Q` planes are there, and `out` is a panel of their bytes.
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,avx512vnni,gfni")]
unsafe fn unpack_words<const Q: usize>(source: Source, words: usize, out: *mut i8) {
    for word in 0..words {
        for v in 0..VECTORS {
            // SAFETY: the word is one of the `words`, and a word of the panel of bytes has `WORD` rows
            // of `LANES`, in groups of four.
            unsafe {
                let panel = source.panel.add(word * source.step + v * LANES_OF_VECTOR);
                let [first, second] = bytes::<Q>(&load::<Q>(panel, source.flip));
                let out = out.add(word * WORD * LANES + v * LANES_OF_VECTOR * DEPTH);
                for (bytes, half) in [first, second].into_iter().zip(0..) {
                    for (quad, bytes) in (0..4).zip(by_quad(&bytes)) {
                        let quad = if Q <= 4 {
                            // High nibbles are those of bytes 0 and 2 of the words.
                            quad / 2 * 4 + half * 2 + quad % 2
                        } else {
                            half * 4 + quad
                        };
                        _mm512_storeu_si512(out.add(quad * DEPTH * LANES).cast(), bytes);
                    }
                }
            }
        }
    }
}

/// The planes of a word of 16 lanes, the least significant first; zeros above.
///
/// # Safety
/// They are there, `LANES` words apart.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn load<const Q: usize>(panel: *const u32, flip: __m512i) -> [__m512i; 8] {
    let mut planes = [_mm512_setzero_si512(); 8];
    for (q, plane) in planes.iter_mut().enumerate().take(Q) {
        // SAFETY: the plane is there.
        *plane = unsafe { _mm512_loadu_si512(panel.add(q * LANES).cast()) };
    }
    planes[Q - 1] = _mm512_xor_si512(planes[Q - 1], flip);
    planes
}

/// The transposition of eight bytes of eight bits: byte `e` gets bit `7 - e` of each, that of the
/// last byte as its lowest.
#[inline]
#[target_feature(enable = "avx512f,gfni")]
fn transposed(bytes: __m512i) -> __m512i {
    let places = _mm512_set1_epi64(0x0102_0408_1020_4080);
    _mm512_gf2p8affine_epi64_epi8::<0>(places, bytes)
}

/// Of four planes: for each of four lanes in a part of 128 bits, which go to registers 0 to 3, its
/// bytes one after another, and of each byte all planes, the most significant first.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn by_lane(planes: &[__m512i]) -> [__m512i; 4] {
    let low = _mm512_unpacklo_epi8(planes[3], planes[2]);
    let high = _mm512_unpackhi_epi8(planes[3], planes[2]);
    let lower_low = _mm512_unpacklo_epi8(planes[1], planes[0]);
    let lower_high = _mm512_unpackhi_epi8(planes[1], planes[0]);
    [
        _mm512_unpacklo_epi16(low, lower_low),
        _mm512_unpackhi_epi16(low, lower_low),
        _mm512_unpacklo_epi16(high, lower_high),
        _mm512_unpackhi_epi16(high, lower_high),
    ]
}

/// What [`bytes`] are multiplied with: in each part of 128 bits the neighbors that the registers of
/// the first four, and of the second, have there.
///
/// # Safety
/// `x` points to `WORD` bytes.
#[inline]
#[target_feature(enable = "avx2,avx512f")]
unsafe fn neighbors<const Q: usize>(x: *const u8) -> [__m512i; 2] {
    // SAFETY: they are there.
    let x = unsafe { _mm256_loadu_si256(x.cast()) };
    let x = if Q <= 4 { _mm256_permute4x64_epi64::<0b11_01_10_00>(x) } else { x };
    [
        _mm512_broadcast_i32x4(_mm256_castsi256_si128(x)),
        _mm512_broadcast_i32x4(_mm256_extracti128_si256::<1>(x)),
    ]
}

/// The bytes of a word of 16 lanes: register `r` has in its part `c`, of 128 bits, 16 of lane
/// `4 * c + r`. Of up to four planes the first four registers have columns 0 to 7 and 16 to 23, and
/// the second four the others; of more planes, columns 0 to 15 and 16 to 31.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,gfni")]
fn bytes<const Q: usize>(planes: &[__m512i; 8]) -> [[__m512i; 4]; 2] {
    let (mut first, mut second) = ([_mm512_setzero_si512(); 4], [_mm512_setzero_si512(); 4]);
    if Q <= 4 {
        let mask = _mm512_set1_epi8(0x0f);
        for (r, lanes) in by_lane(planes).into_iter().enumerate() {
            let nibbles = transposed(lanes);
            first[r] = _mm512_and_si512(_mm512_srli_epi16::<4>(nibbles), mask);
            second[r] = _mm512_and_si512(nibbles, mask);
        }
    } else {
        let (lower, upper) = (by_lane(planes), by_lane(&planes[4..]));
        for (r, (lower, upper)) in lower.into_iter().zip(upper).enumerate() {
            first[r] = transposed(_mm512_unpacklo_epi32(upper, lower));
            second[r] = transposed(_mm512_unpackhi_epi32(upper, lower));
        }
    }
    [first, second]
}

#[inline]
#[target_feature(enable = "avx512f,avx512vnni")]
fn add(x: [__m512i; 2], bytes: &[[__m512i; 4]; 2], totals: &mut Totals) {
    for (x, bytes) in x.into_iter().zip(bytes) {
        for (total, bytes) in totals.iter_mut().zip(bytes) {
            *total = _mm512_dpbusd_epi32(*total, x, *bytes);
        }
    }
}

/// Of registers with 16 bytes of a lane in each part, four neighbors of each of 16 lanes in order.
#[inline]
#[target_feature(enable = "avx512f")]
fn by_quad(lanes: &[__m512i; 4]) -> [__m512i; 4] {
    let [a, b, c, d] = *lanes;
    let (low, high) = (_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
    let (later_low, later_high) = (_mm512_unpacklo_epi32(c, d), _mm512_unpackhi_epi32(c, d));
    [
        _mm512_unpacklo_epi64(low, later_low),
        _mm512_unpackhi_epi64(low, later_low),
        _mm512_unpacklo_epi64(high, later_high),
        _mm512_unpackhi_epi64(high, later_high),
    ]
}

/// Adds one sum for each lane, in order, to what is there.
///
/// # Safety
/// `sums` points to 16.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn add_to(totals: &Totals, sums: *mut i32) {
    let pair = |a, b| _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
    let (first, second) = (pair(totals[0], totals[1]), pair(totals[2], totals[3]));
    let (low, high) = (_mm512_unpacklo_epi64(first, second), _mm512_unpackhi_epi64(first, second));
    // SAFETY: they are there.
    unsafe {
        let before = _mm512_loadu_si512(sums.cast());
        let lanes = _mm512_add_epi32(low, high);
        _mm512_storeu_si512(sums.cast(), _mm512_add_epi32(before, lanes));
    }
}
