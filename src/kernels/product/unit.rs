//! Which instructions multiply.

use super::super::cpu::{self, Level};

/// A set of instructions that multiply. A [`Level`] says all but whether AVX2 comes with AVX-VNNI.
/// A value of this type exists only for instructions that this machine has: [`Unit::of`] and
/// [`Unit::available`] are the only ways to get one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unit(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Plain Rust: the specification.
    Portable,
    /// AVX2.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// AVX2 and AVX-VNNI.
    #[cfg(target_arch = "x86_64")]
    AvxVnni,
    /// AVX-512 F, BW and VNNI.
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Unit {
    /// The best one that a level allows.
    #[inline]
    pub fn of(level: Level) -> Unit {
        Unit(match level.kind() {
            cpu::Kind::Portable => Kind::Portable,
            #[cfg(target_arch = "x86_64")]
            cpu::Kind::Avx2 if level.has_avx_vnni() => Kind::AvxVnni,
            #[cfg(target_arch = "x86_64")]
            cpu::Kind::Avx2 => Kind::Avx2,
            #[cfg(target_arch = "x86_64")]
            cpu::Kind::Avx512 => Kind::Avx512,
        })
    }

    /// Every one that this machine has, the portable one first.
    pub fn available() -> impl Iterator<Item = Unit> {
        Level::available().flat_map(|level| {
            let best = Unit::of(level);
            // AVX-VNNI never comes without AVX2.
            #[cfg(target_arch = "x86_64")]
            let below = (best.0 == Kind::AvxVnni).then_some(Unit(Kind::Avx2));
            #[cfg(not(target_arch = "x86_64"))]
            let below = None;
            below.into_iter().chain([best])
        })
    }

    /// `portable`, `avx2`, `avx-vnni` or `avx512`.
    pub const fn name(self) -> &'static str {
        match self.0 {
            Kind::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Kind::AvxVnni => "avx-vnni",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => "avx512",
        }
    }

    #[inline]
    pub(super) const fn kind(self) -> Kind {
        self.0
    }
}
