//! Every transposition kernel against the specification, one bit at a time.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    reason = "a test that fails may panic, and its numbers are its own"
)]

#[path = "support/guard.rs"]
mod guard;

use caffe2_qtensor::kernels::{Level, transpose};
use guard::Guarded;

/// The specification of `pack`.
fn specified_pack(codes: &[u8], planes: &mut [u8], stride: usize, count: usize) {
    for plane in 0..count {
        for (i, code) in codes.iter().enumerate() {
            let byte = &mut planes[plane * stride + i / 8];
            let mask = 0x80 >> (i % 8);
            if code >> plane & 1 == 1 {
                *byte |= mask;
            } else {
                *byte &= !mask;
            }
        }
    }
}

/// The specification of `unpack`.
fn specified_unpack(planes: &[u8], stride: usize, count: usize, codes: &mut [u8]) {
    for (i, code) in codes.iter_mut().enumerate() {
        *code = 0;
        for plane in 0..count {
            let bit = planes[plane * stride + i / 8] >> (7 - i % 8) & 1;
            *code |= bit << plane;
        }
    }
}

fn random(seed: u64, bytes: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..bytes)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as u8
        })
        .collect()
}

/// The bytes that `planes` must hold.
fn plane_bytes(length: usize, stride: usize, count: usize) -> usize {
    count.checked_sub(1).map_or(0, |above| above * stride + length.div_ceil(8))
}

/// A buffer whose byte 0 is at a multiple of 64, so that offsets into it are alignments.
struct Aligned {
    bytes: Vec<u8>,
    start: usize,
}

impl Aligned {
    fn new(size: usize) -> Aligned {
        let bytes = vec![0; size + 64];
        let start = bytes.as_ptr().align_offset(64);
        Aligned { bytes, start }
    }

    fn all(&mut self, size: usize) -> &mut [u8] {
        &mut self.bytes[self.start..self.start + size]
    }
}

/// What a case writes is checked together with this many bytes on either side.
const MARGIN: usize = 64;

struct Bench {
    codes: Aligned,
    planes: Aligned,
    data: Vec<u8>,
}

impl Bench {
    fn new(length: usize) -> Bench {
        let size = 8 * (length.div_ceil(8) + 200) + 4 * MARGIN;
        Bench {
            codes: Aligned::new(length + 4 * MARGIN),
            planes: Aligned::new(size),
            data: random(length as u64, 2 * size + length),
        }
    }

    /// Both directions for all levels at one size and one place.
    fn compare(
        &mut self,
        length: usize,
        count: usize,
        gap: usize,
        code_offset: usize,
        plane_offset: usize,
    ) {
        let stride = length.div_ceil(8) + gap;
        let size = plane_bytes(length, stride, count);
        let codes_size = code_offset + length + MARGIN;
        let planes_size = plane_offset + size + MARGIN;
        let codes_before = &self.data[..codes_size];
        let planes_before = &self.data[self.data.len() - planes_size..];
        let code_range = code_offset..code_offset + length;
        let plane_range = plane_offset..plane_offset + size;

        let mut packed = planes_before.to_vec();
        let input = &codes_before[code_range.clone()];
        specified_pack(input, &mut packed[plane_range.clone()], stride, count);
        let mut unpacked = codes_before.to_vec();
        let input = &planes_before[plane_range.clone()];
        specified_unpack(input, stride, count, &mut unpacked[code_range.clone()]);

        for level in Level::available() {
            let what = || {
                format!(
                    "{} length {length} count {count} stride {stride} at {code_offset} {plane_offset}",
                    level.name()
                )
            };
            let codes = self.codes.all(codes_size);
            let planes = self.planes.all(planes_size);
            codes.copy_from_slice(codes_before);
            planes.copy_from_slice(planes_before);
            let input = &codes[code_range.clone()];
            transpose::pack(level, input, &mut planes[plane_range.clone()], stride, count);
            assert!(planes == packed, "pack {}", what());

            planes.copy_from_slice(planes_before);
            let input = &planes[plane_range.clone()];
            transpose::unpack(level, input, stride, count, &mut codes[code_range.clone()]);
            assert!(codes == unpacked, "unpack {}", what());
        }
    }
}

#[test]
fn every_length_matches_the_specification() {
    let mut bench = Bench::new(600);
    for length in 0..=600 {
        for count in 0..=8 {
            bench.compare(length, count, 0, 0, 0);
            bench.compare(length, count, 1 + length % 70, length % 64, (length * 7 + 3) % 64);
        }
    }
}

#[test]
fn every_alignment_matches_the_specification() {
    let mut bench = Bench::new(2600);
    for (length, gap) in [(75, 5), (512, 0), (519, 63), (2567, 0), (2560, 64)] {
        for offset in 0..64 {
            for count in [1, 2, 3, 4, 7, 8] {
                bench.compare(length, count, gap, offset, (offset * 5 + 1) % 64);
            }
        }
    }
}

#[test]
fn long_rows_match_the_specification() {
    let mut bench = Bench::new(12_289);
    for length in [1023_usize, 1024, 1025, 2048, 4095, 4096, 4101, 5000, 8191, 12_289] {
        for count in 1..=8 {
            let to_line = length.div_ceil(8).next_multiple_of(64) - length.div_ceil(8);
            for (gap, code_offset, plane_offset) in
                [(0, 0, 0), (to_line, 0, 0), (to_line, 16, 16), (to_line, 24, 63), (9, 1, 8)]
            {
                bench.compare(length, count, gap, code_offset, plane_offset);
            }
        }
    }
}

/// Large enough for non-temporal stores, which few sizes in real use reach.
#[test]
fn huge_rows_match_the_portable_kernel() {
    const LENGTH: usize = (26 << 20) + 1237;
    const MARGIN_CODES: usize = 16;
    let codes: Vec<u8> = random(1, 1 << 16).into_iter().cycle().take(LENGTH).collect();
    for count in [1, 3, 8] {
        let stride = LENGTH.div_ceil(8).next_multiple_of(64);
        let size = plane_bytes(LENGTH, stride, count);
        let mut expected = vec![0x5a; size];
        transpose::pack(Level::PORTABLE, &codes, &mut expected, stride, count);
        let masked: Vec<u8> = codes.iter().map(|code| code & (0xff >> (8 - count))).collect();
        for level in Level::available() {
            let mut planes = vec![0x5a; size];
            transpose::pack(level, &codes, &mut planes, stride, count);
            assert!(planes == expected, "pack {} count {count}", level.name());
            let mut unpacked = vec![0xa5; LENGTH + 2 * MARGIN_CODES];
            let inner = &mut unpacked[MARGIN_CODES..MARGIN_CODES + LENGTH];
            transpose::unpack(level, &planes, stride, count, inner);
            assert!(*inner == masked, "unpack {} count {count}", level.name());
            let margins = [&unpacked[..MARGIN_CODES], &unpacked[MARGIN_CODES + LENGTH..]];
            assert!(margins.iter().all(|margin| margin.iter().all(|byte| *byte == 0xa5)));
        }
    }
}

#[test]
fn nothing_outside_the_slices_is_touched() {
    let mut code_pages = Guarded::new(5000);
    let mut plane_pages = Guarded::new(8 * 700);
    let data = random(2, 12_000);
    let place = |pages: &mut Guarded, size: usize, at_end: bool, fill: &[u8]| {
        let slice = if at_end { pages.back(size) } else { pages.front(size) };
        slice.copy_from_slice(&fill[..size]);
    };
    for length in (0_usize..=600).chain([1024, 1031, 4096, 4999, 5000]) {
        for count in 1..=8 {
            let stride = length.div_ceil(8) + if length % 3 == 0 { 64 } else { 0 };
            let size = plane_bytes(length, stride, count);
            let mut packed = data[6000..6000 + size].to_vec();
            specified_pack(&data[..length], &mut packed, stride, count);
            let mut unpacked = vec![0; length];
            specified_unpack(&data[6000..], stride, count, &mut unpacked);
            for level in Level::available() {
                for at_end in [false, true] {
                    let what = || format!("{} length {length} count {count}", level.name());
                    place(&mut code_pages, length, at_end, &data);
                    place(&mut plane_pages, size, at_end, &data[6000..]);
                    let (codes, planes) = if at_end {
                        (code_pages.back(length), plane_pages.back(size))
                    } else {
                        (code_pages.front(length), plane_pages.front(size))
                    };
                    transpose::pack(level, codes, planes, stride, count);
                    assert!(*planes == packed, "pack {}", what());
                    planes.copy_from_slice(&data[6000..6000 + size]);
                    transpose::unpack(level, planes, stride, count, codes);
                    assert!(*codes == unpacked, "unpack {}", what());
                }
            }
        }
    }
}

#[test]
fn sizes_that_do_not_fit_panic() {
    fn panics(call: impl FnOnce() + std::panic::UnwindSafe) -> bool {
        std::panic::catch_unwind(call).is_err()
    }
    for level in Level::available() {
        for (length, size, stride, count, fits) in [
            (100, 13, 0, 1, true),
            (100, 12, 0, 1, false),
            (100, 26, 13, 2, true),
            (100, 25, 13, 2, false),
            (100, 99, 12, 2, false),
            (100, 99, usize::MAX, 2, false),
            (100, 99, usize::MAX / 2, 4, false),
            (100, 999, 13, 9, false),
            (100, 0, 0, 0, true),
            (0, 0, 0, 8, true),
            (0, 6, 7, 2, false),
        ] {
            let packed = panics(|| {
                transpose::pack(level, &vec![0; length], &mut vec![0; size], stride, count);
            });
            let unpacked = panics(|| {
                transpose::unpack(level, &vec![0; size], stride, count, &mut vec![0; length]);
            });
            let what = format!("{} {length} {size} {stride} {count}", level.name());
            assert_eq!((packed, unpacked), (!fits, !fits), "{what}");
        }
    }
}
