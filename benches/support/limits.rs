//! What the machine can do at most: reading a buffer, filling one, and products in registers.
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

/// Products on registers that are never loaded or stored: no kernel of the same instructions is
/// faster.
pub(crate) struct Peak {
    /// As it stands beside a case.
    pub(crate) name: &'static str,
    /// How many products a run is.
    pub(crate) products: usize,
    run: fn(),
}

impl Peak {
    /// One run.
    pub(crate) fn run(&self) {
        (self.run)();
    }

    /// Of bits: and, `vpopcntd`, add; nothing where the machine does not have them.
    pub(crate) fn popcount() -> Option<Peak> {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vpopcntdq") {
            // SAFETY: the machine has AVX-512 F and VPOPCNTDQ.
            let run = || unsafe { registers::popcount() };
            return Some(Peak { name: "vpopcntd", products: registers::POPCOUNT_PRODUCTS, run });
        }
        None
    }

    /// Of numbers from -1 to 1: the ands and the exclusive or, two counts and two additions.
    pub(crate) fn ternary() -> Option<Peak> {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vpopcntdq") {
            // SAFETY: the machine has AVX-512 F and VPOPCNTDQ.
            let run = || unsafe { registers::ternary() };
            let products = registers::TERNARY_PRODUCTS;
            return Some(Peak { name: "vpternlogd_vpopcntd", products, run });
        }
        None
    }

    /// Of bytes: `vpdpbusd`.
    pub(crate) fn bytes() -> Option<Peak> {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vnni") {
            // SAFETY: the machine has AVX-512 F and VNNI.
            let run = || unsafe { registers::bytes() };
            return Some(Peak { name: "vpdpbusd", products: registers::BYTE_PRODUCTS, run });
        }
        None
    }
}

#[cfg(target_arch = "x86_64")]
mod registers {
    use std::arch::asm;
    use std::arch::x86_64::*;

    /// Some ten microseconds.
    const ROUNDS: usize = 1 << 12;

    /// Sums at once: more than an addition, or a `vpdpbusd`, has turns to wait for, and few enough
    /// for everything to stay in registers.
    const POPCOUNT_CHAINS: usize = 8;
    const TERNARY_CHAINS: usize = 4;
    const BYTE_CHAINS: usize = 16;

    pub(super) const POPCOUNT_PRODUCTS: usize = 512 * POPCOUNT_CHAINS * ROUNDS;
    pub(super) const TERNARY_PRODUCTS: usize = 512 * TERNARY_CHAINS * ROUNDS;
    pub(super) const BYTE_PRODUCTS: usize = 64 * BYTE_CHAINS * ROUNDS;

    /// The same register, of which the compiler knows nothing. It costs no instruction.
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn opaque(register: __m512i) -> __m512i {
        let mut same = register;
        // SAFETY: a comment.
        unsafe { asm!("# {0}", inout(zmm_reg) same, options(nomem, nostack, preserves_flags)) }
        same
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn some<const N: usize>() -> [__m512i; N] {
        let mut registers = [_mm512_set1_epi8(0x35); N];
        for register in &mut registers {
            *register = opaque(*register);
        }
        registers
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn use_up(registers: &[__m512i]) {
        for register in registers {
            opaque(*register);
        }
    }

    #[target_feature(enable = "avx512f,avx512vpopcntdq")]
    pub(super) fn popcount() {
        let ([mut x], weights) = (some(), some::<POPCOUNT_CHAINS>());
        let mut totals = some::<POPCOUNT_CHAINS>();
        for _ in 0..ROUNDS {
            x = opaque(x);
            for (total, w) in totals.iter_mut().zip(weights) {
                *total = _mm512_add_epi32(*total, _mm512_popcnt_epi32(_mm512_and_si512(x, w)));
            }
        }
        use_up(&totals);
    }

    #[target_feature(enable = "avx512f,avx512vpopcntdq")]
    pub(super) fn ternary() {
        /// `a & (b ^ c)`
        const DIFFERENT: i32 = 0b0110_0000;
        let [mut x, sign] = some();
        let (magnitudes, signs) = (some::<TERNARY_CHAINS>(), some::<TERNARY_CHAINS>());
        let (mut both_ones, mut different_ones) =
            (some::<TERNARY_CHAINS>(), some::<TERNARY_CHAINS>());
        for _ in 0..ROUNDS {
            x = opaque(x);
            for chain in 0..TERNARY_CHAINS {
                let both = _mm512_and_si512(x, magnitudes[chain]);
                let different = _mm512_ternarylogic_epi32::<DIFFERENT>(both, sign, signs[chain]);
                let (both, different) = (_mm512_popcnt_epi32(both), _mm512_popcnt_epi32(different));
                both_ones[chain] = _mm512_add_epi32(both_ones[chain], both);
                different_ones[chain] = _mm512_add_epi32(different_ones[chain], different);
            }
        }
        use_up(&both_ones);
        use_up(&different_ones);
    }

    #[target_feature(enable = "avx512f,avx512vnni")]
    pub(super) fn bytes() {
        let [x, w] = some();
        let mut totals = some::<BYTE_CHAINS>();
        for _ in 0..ROUNDS {
            for total in &mut totals {
                *total = _mm512_dpbusd_epi32(*total, x, w);
            }
        }
        use_up(&totals);
    }
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
