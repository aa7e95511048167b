//! What the machine can do at most: reading a buffer, and filling one.
//!
//! With the widest registers that there are, whatever kernels the library was told to use.

/// Reads every byte; the result depends on all of them, so that none is left out.
#[inline(never)]
pub(crate) fn read(bytes: &[u8]) -> u64 {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx512f") {
        // SAFETY: the machine has AVX-512 F.
        return unsafe { wide::read(bytes) };
    }
    let (words, rest) = bytes.as_chunks::<8>();
    let rest = rest.iter().fold(0, |all, byte| all | u64::from(*byte));
    words.iter().fold(rest, |all, word| all | u64::from_le_bytes(*word))
}

/// Sets every value, by plain stores.
#[inline(never)]
pub(crate) fn fill(values: &mut [f32], value: f32) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx512f") {
        // SAFETY: the machine has AVX-512 F.
        return unsafe { wide::fill::<false>(values, value) };
    }
    values.fill(value);
}

/// The same around the caches, where the machine has stores for that.
#[inline(never)]
pub(crate) fn fill_streaming(values: &mut [f32], value: f32) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx512f") {
        // SAFETY: the machine has AVX-512 F.
        return unsafe { wide::fill::<true>(values, value) };
    }
    values.fill(value);
}

#[cfg(target_arch = "x86_64")]
mod wide {
    use std::arch::x86_64::*;

    /// Floats in a register.
    const LANES: usize = 16;

    #[target_feature(enable = "avx512f")]
    pub(super) fn read(bytes: &[u8]) -> u64 {
        let (groups, rest) = bytes.as_chunks::<512>();
        // As many chains as there are loads in flight, or the chain would be the limit.
        let mut all = [_mm512_setzero_si512(); 8];
        for group in groups {
            for (register, all) in all.iter_mut().enumerate() {
                // SAFETY: the 64 bytes are among the group's 512.
                let loaded =
                    unsafe { _mm512_loadu_si512(group.as_ptr().add(64 * register).cast()) };
                *all = _mm512_or_si512(*all, loaded);
            }
        }
        let rest = rest.iter().fold(0, |all, byte| all | u64::from(*byte));
        all.iter().fold(rest, |found, all| found | _mm512_reduce_or_epi64(*all).cast_unsigned())
    }

    #[target_feature(enable = "avx512f")]
    pub(super) fn fill<const STREAMING: bool>(values: &mut [f32], value: f32) {
        let register = _mm512_set1_ps(value);
        let head = values.as_ptr().align_offset(64).min(values.len());
        let (head, aligned) = values.split_at_mut(head);
        head.fill(value);
        let (lines, rest) = aligned.as_chunks_mut::<LANES>();
        for line in lines {
            // SAFETY: the line is 64 bytes that begin at a multiple of 64.
            unsafe {
                if STREAMING {
                    _mm512_stream_ps(line.as_mut_ptr(), register);
                } else {
                    _mm512_store_ps(line.as_mut_ptr(), register);
                }
            }
        }
        rest.fill(value);
        if STREAMING {
            _mm_sfence();
        }
    }
}
