//! The specification of the transposition kernels, in plain Rust.

pub(super) fn pack(codes: &[u8], planes: &mut [u8], stride: usize, count: usize) {
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

pub(super) fn unpack(planes: &[u8], stride: usize, count: usize, codes: &mut [u8]) {
    for (i, code) in codes.iter_mut().enumerate() {
        *code = 0;
        for plane in 0..count {
            let bit = planes[plane * stride + i / 8] >> (7 - i % 8) & 1;
            *code |= bit << plane;
        }
    }
}
