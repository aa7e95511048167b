//! Which SIMD this machine has, decided once.
//!
//! Run-time detection lives here and nowhere else: a prebuilt library must run on every x86-64
//! machine and still use what the one at hand offers. The answer never changes while a process
//! lives, so it is kept in one atomic byte; asking again costs a load. Nothing is allocated and
//! no lock is taken, which keeps `fork` and out-of-memory conditions harmless.

use core::sync::atomic::{AtomicU8, Ordering};

/// A set of kernels. A value of this type exists only for instruction sets that this machine
/// has: [`Level::best`] and [`Level::available`] are the only ways to get one, which is what
/// makes calling a SIMD kernel through it sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Level(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Kind {
    /// Plain Rust: the specification of every operation.
    Portable = 1,
    /// AVX2, SSSE3, FMA, F16C, BMI1, BMI2 and POPCNT.
    #[cfg(target_arch = "x86_64")]
    Avx2 = 2,
    /// AVX-512 F, BW, DQ, VL, VBMI, VBMI2, VNNI and VPOPCNTDQ with GFNI, on top of everything in [`Kind::Avx2`].
    #[cfg(target_arch = "x86_64")]
    Avx512 = 3,
}

/// 0 until decided, then the chosen [`Kind`] as a number.
static CHOSEN: AtomicU8 = AtomicU8::new(0);

impl Level {
    /// The specification kernels, which run everywhere.
    pub const PORTABLE: Level = Level(Kind::Portable);

    /// The level that the library uses: the best one this machine has, or what the environment
    /// variable `CAFFE2_QTENSOR_KERNELS` (`portable`, `avx2` or `avx512`) asked for when the
    /// first call was made. A level that the machine does not have is lowered to the best one
    /// that it has; any other value is ignored.
    #[inline]
    pub fn best() -> Level {
        #[cfg(feature = "forced-panics")]
        crate::forced::station();
        match Kind::from_number(CHOSEN.load(Ordering::Relaxed)) {
            Some(kind) => Level(kind),
            None => decide(),
        }
    }

    /// Every level that this machine has, the portable one first.
    pub fn available() -> impl Iterator<Item = Level> {
        let best = detect();
        Kind::ALL.iter().copied().filter(move |kind| *kind <= best).map(Level)
    }

    /// `portable`, `avx2` or `avx512`: the name that the environment variable takes.
    pub const fn name(self) -> &'static str {
        match self.0 {
            Kind::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => "avx512",
        }
    }

    #[inline]
    pub(crate) const fn kind(self) -> Kind {
        self.0
    }

    /// Whether kernels of this level may use AVX-VNNI, `vpdpbusd` on vectors of 256 bits. It is no
    /// level of its own, as only products differ by it. The answer is kept by the standard library,
    /// in atomics and without the heap.
    #[cfg(target_arch = "x86_64")]
    #[inline]
    pub(crate) fn has_avx_vnni(self) -> bool {
        self.0 >= Kind::Avx2 && std::arch::is_x86_feature_detected!("avxvnni")
    }
}

impl Kind {
    #[cfg(target_arch = "x86_64")]
    const ALL: &'static [Kind] = &[Kind::Portable, Kind::Avx2, Kind::Avx512];
    #[cfg(not(target_arch = "x86_64"))]
    const ALL: &'static [Kind] = &[Kind::Portable];

    #[inline]
    fn from_number(number: u8) -> Option<Kind> {
        match number {
            1 => Some(Kind::Portable),
            #[cfg(target_arch = "x86_64")]
            2 => Some(Kind::Avx2),
            #[cfg(target_arch = "x86_64")]
            3 => Some(Kind::Avx512),
            _ => None,
        }
    }
}

/// Two threads that get here together reach the same answer, so no lock is needed.
#[cold]
fn decide() -> Level {
    let best = detect();
    let chosen = Kind::ALL
        .iter()
        .copied()
        .find(|kind| environment_says(Level(*kind).name()))
        .map_or(best, |asked| asked.min(best));
    CHOSEN.store(chosen as u8, Ordering::Relaxed);
    Level(chosen)
}

fn environment_says(name: &str) -> bool {
    // SAFETY: the argument is a NUL-terminated literal. `getenv` allocates nothing, which
    // `std::env::var_os` would; what it returns is read at once and not kept.
    let value = unsafe {
        let value = libc::getenv(c"CAFFE2_QTENSOR_KERNELS".as_ptr());
        if value.is_null() {
            return false;
        }
        core::ffi::CStr::from_ptr(value)
    };
    value.to_bytes() == name.as_bytes()
}

#[cfg(target_arch = "x86_64")]
fn detect() -> Kind {
    use std::arch::is_x86_feature_detected as has;
    let avx2 = has!("avx2")
        && has!("ssse3")
        && has!("fma")
        && has!("f16c")
        && has!("bmi1")
        && has!("bmi2")
        && has!("popcnt");
    let avx512 = avx2
        && has!("avx512f")
        && has!("avx512dq")
        && has!("avx512bw")
        && has!("avx512vl")
        && has!("avx512vbmi")
        && has!("avx512vbmi2")
        && has!("avx512vnni")
        && has!("avx512vpopcntdq")
        && has!("gfni");
    match (avx2, avx512) {
        (_, true) => Kind::Avx512,
        (true, false) => Kind::Avx2,
        (false, false) => Kind::Portable,
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn detect() -> Kind {
    Kind::Portable
}
