//! Half precision and bfloat16 to single precision, in bulk.

use super::cpu::{Kind, Level};
use super::halves::{bfloat16_to_f32, half_to_f32};

/// A number in IEEE 754 half precision, as its bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(transparent)]
pub struct Half(pub u16);

/// A number in bfloat16, the upper half of a single-precision one, as its bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(transparent)]
pub struct Bfloat16(pub u16);

/// The values of half-precision numbers. The slices are of one length (the function panics
/// otherwise).
pub fn halves(level: Level, values: &[Half], floats: &mut [f32]) {
    assert!(values.len() == floats.len(), "there is a float for each value");
    match level.kind() {
        // SAFETY: a `Level` of this kind exists only where AVX-512 F does; the slices are of one
        // length.
        #[cfg(target_arch = "x86_64")]
        Kind::Avx512 => unsafe { halves_avx512(values, floats) },
        _ => {
            for (float, value) in floats.iter_mut().zip(values) {
                *float = half_to_f32(value.0);
            }
        }
    }
}

/// # Safety
/// The machine has AVX-512 F; the slices are of one length.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn halves_avx512(values: &[Half], floats: &mut [f32]) {
    use core::arch::x86_64::{_mm256_loadu_si256, _mm512_cvtph_ps, _mm512_storeu_ps};
    let (groups, rest) = values.as_chunks::<16>();
    let (whole, last) = floats.split_at_mut(groups.len() * 16);
    for (group, floats) in groups.iter().zip(whole.as_chunks_mut::<16>().0) {
        // SAFETY: sixteen values of two bytes can be read, and sixteen floats written.
        unsafe {
            let group = _mm256_loadu_si256(group.as_ptr().cast());
            _mm512_storeu_ps(floats.as_mut_ptr(), _mm512_cvtph_ps(group));
        }
    }
    for (float, value) in last.iter_mut().zip(rest) {
        *float = half_to_f32(value.0);
    }
}

/// The values of bfloat16 numbers. The slices are of one length (the function panics otherwise).
pub fn bfloat16s(_level: Level, values: &[Bfloat16], floats: &mut [f32]) {
    assert!(values.len() == floats.len(), "there is a float for each value");
    // A shift, which every compiler vectorizes well enough.
    for (float, value) in floats.iter_mut().zip(values) {
        *float = bfloat16_to_f32(value.0);
    }
}
