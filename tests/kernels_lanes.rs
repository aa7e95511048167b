//! The lane kernels against their definition: every level, every integer type, every length.
#![allow(
    missing_docs,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "a test stops at the first thing that is not as it should be"
)]

use caffe2_qtensor::kernels::Level;
use caffe2_qtensor::kernels::lanes::{Integer, join, negate, signs, split, survey};

/// Tries a type with codes of every size, the smallest and the largest among them.
macro_rules! check {
    ($type:ty) => {
        let mut state = 0x2545_f491_4f6c_dd1du64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            // Small numbers are as frequent as large ones.
            ((state >> (state % 64)) as $type).wrapping_mul(if state & 64 == 0 {
                1
            } else {
                <$type>::MAX
            })
        };
        for level in Level::available() {
            for length in (0..=257).chain([1000, 2048]) {
                let mut codes: Vec<$type> = (0..length).map(|_| next()).collect();
                if let [first, .., last] = codes.as_mut_slice() {
                    (*first, *last) = (<$type>::MIN, <$type>::MAX);
                }
                let magnitudes = || codes.iter().map(|code| (*code as i128).unsigned_abs() as u64);
                let all = magnitudes().fold(0, |all, magnitude| all | magnitude);
                let negative = codes.iter().any(|code| (*code as i128) < 0);
                assert_eq!(survey(level, &codes), (all, negative));

                let mut bytes = vec![0u8; length];
                let mut joined: Vec<$type> = vec![<$type>::MAX; length];
                // A tensor may have more planes than the type has bits; they are zeros.
                for shift in (0..64).step_by(8) {
                    split(level, &codes, shift, &mut bytes);
                    let expected: Vec<u8> = magnitudes().map(|m| (m >> shift) as u8).collect();
                    assert_eq!(bytes, expected);
                    if shift < <$type>::BITS {
                        join(level, &bytes, shift, &mut joined);
                    }
                }
                signs(level, &codes, &mut bytes);
                let expected: Vec<u8> = codes.iter().map(|c| u8::from((*c as i128) < 0)).collect();
                assert_eq!(bytes, expected);
                negate(level, &bytes, &mut joined);
                assert_eq!(joined, codes, "{} at {}", stringify!($type), level.name());
            }
        }
        assert_eq!(<$type as Integer>::ZERO, 0);
    };
}

#[test]
fn every_type_and_length() {
    check!(u8);
    check!(u16);
    check!(u32);
    check!(i8);
    check!(i16);
    check!(i32);
    check!(i64);
}
