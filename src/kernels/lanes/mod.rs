//! Integers of any width to byte lanes and back.
//!
//! The transposition kernels move bytes; a wider code goes through them a byte of its magnitude
//! at a time. The loops here are plain safe Rust that a compiler turns into SIMD by itself, so
//! one text serves every level: it is compiled once for each, and the level picks.

use super::cpu::{Kind, Level};

/// An integer that can be taken apart into a magnitude and a sign.
pub trait Integer: Copy {
    /// Bits of the largest magnitude that the type holds on both sides of zero.
    const MAGNITUDE_BITS: u8;
    /// Zero.
    const ZERO: Self;
    /// Eight bits of the magnitude, from bit `shift` on; zeros where the type has no such bits.
    fn byte(self, shift: u32) -> u8;
    /// Eight bits of a magnitude, moved to bit `shift`.
    fn from_byte(byte: u8, shift: u32) -> Self;
    /// The magnitude as a pattern of bits, kept in the type itself: that of the smallest integer
    /// is one above the largest.
    fn magnitude_bits(self) -> Self;
    /// The bits that are set in either.
    fn or(self, other: Self) -> Self;
    /// Whether the integer is below zero.
    fn is_negative(self) -> bool;
    /// The integer of the opposite sign.
    fn negated(self) -> Self;
    /// A pattern of bits as a number.
    fn as_bits(self) -> u64;
}

macro_rules! unsigned {
    ($($type:ty),*) => {$(
        impl Integer for $type {
            const MAGNITUDE_BITS: u8 = <$type>::BITS as u8;
            const ZERO: Self = 0;
            #[inline(always)]
            fn byte(self, shift: u32) -> u8 {
                self.checked_shr(shift).unwrap_or(0) as u8
            }
            #[inline(always)]
            fn from_byte(byte: u8, shift: u32) -> Self {
                <$type>::from(byte) << shift
            }
            #[inline(always)]
            fn magnitude_bits(self) -> Self {
                self
            }
            #[inline(always)]
            fn or(self, other: Self) -> Self {
                self | other
            }
            #[inline(always)]
            fn is_negative(self) -> bool {
                false
            }
            #[inline(always)]
            fn negated(self) -> Self {
                self
            }
            #[inline(always)]
            fn as_bits(self) -> u64 {
                u64::from(self)
            }
        }
    )*};
}

macro_rules! signed {
    ($($type:ty),*) => {$(
        impl Integer for $type {
            const MAGNITUDE_BITS: u8 = <$type>::BITS as u8 - 1;
            const ZERO: Self = 0;
            #[inline(always)]
            fn byte(self, shift: u32) -> u8 {
                self.unsigned_abs().checked_shr(shift).unwrap_or(0) as u8
            }
            #[inline(always)]
            fn from_byte(byte: u8, shift: u32) -> Self {
                (byte as $type) << shift
            }
            #[inline(always)]
            fn magnitude_bits(self) -> Self {
                self.unsigned_abs() as $type
            }
            #[inline(always)]
            fn or(self, other: Self) -> Self {
                self | other
            }
            #[inline(always)]
            fn is_negative(self) -> bool {
                self < 0
            }
            #[inline(always)]
            fn negated(self) -> Self {
                self.wrapping_neg()
            }
            #[inline(always)]
            fn as_bits(self) -> u64 {
                u64::from(self.cast_unsigned())
            }
        }
    )*};
}

unsigned!(u8, u16, u32);
signed!(i8, i16, i32, i64);

/// Declares a kernel and compiles its one loop for every level.
macro_rules! for_every_level {
    (
        $(#[$docs:meta])*
        $name:ident($($argument:ident: $type:ty),*) $(-> $result:ty)? = $body:block
    ) => {
        $(#[$docs])*
        pub fn $name<T: Integer>(level: Level, $($argument: $type),*) $(-> $result)? {
            #[inline(always)]
            fn portable<T: Integer>($($argument: $type),*) $(-> $result)? $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
            fn avx2<T: Integer>($($argument: $type),*) $(-> $result)? {
                portable($($argument),*)
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vbmi,bmi2")]
            fn avx512<T: Integer>($($argument: $type),*) $(-> $result)? {
                portable($($argument),*)
            }

            match level.kind() {
                Kind::Portable => portable($($argument),*),
                // SAFETY: a level exists only where the machine has its instructions.
                #[cfg(target_arch = "x86_64")]
                Kind::Avx2 => unsafe { avx2($($argument),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                Kind::Avx512 => unsafe { avx512($($argument),*) },
            }
        }
    };
}

for_every_level! {
    /// Every bit that is set in some magnitude, and whether some integer is negative.
    survey(codes: &[T]) -> (u64, bool) = {
        let (mut magnitudes, mut codes_or) = (T::ZERO, T::ZERO);
        for code in codes {
            magnitudes = magnitudes.or(code.magnitude_bits());
            // Where any of them is negative, so is this.
            codes_or = codes_or.or(*code);
        }
        (magnitudes.as_bits(), codes_or.is_negative())
    }
}

for_every_level! {
    /// Takes bits `shift..shift + 8` of every magnitude. The slices are of one length.
    split(codes: &[T], shift: u32, bytes: &mut [u8]) = {
        for (byte, code) in bytes.iter_mut().zip(codes) {
            *byte = code.byte(shift);
        }
    }
}

for_every_level! {
    /// Takes the signs: 1 for a negative integer, else 0. The slices are of one length.
    signs(codes: &[T], bytes: &mut [u8]) = {
        for (byte, code) in bytes.iter_mut().zip(codes) {
            *byte = u8::from(code.is_negative());
        }
    }
}

for_every_level! {
    /// Adds bits `shift..shift + 8` to magnitudes that have zeros there; with `shift` 0 it sets
    /// the whole magnitude. The slices are of one length.
    join(bytes: &[u8], shift: u32, codes: &mut [T]) = {
        if shift == 0 {
            for (code, byte) in codes.iter_mut().zip(bytes) {
                *code = T::from_byte(*byte, 0);
            }
        } else {
            for (code, byte) in codes.iter_mut().zip(bytes) {
                *code = code.or(T::from_byte(*byte, shift));
            }
        }
    }
}

for_every_level! {
    /// Negates every integer whose byte is not 0. The slices are of one length.
    negate(bytes: &[u8], codes: &mut [T]) = {
        for (code, byte) in codes.iter_mut().zip(bytes) {
            *code = if *byte == 0 { *code } else { code.negated() };
        }
    }
}
