//! What a parser may ask the allocator for, as its documentation says: so many bytes for each byte
//! of input and so many besides, all requests of a call added up.

/// A limit: bytes for each byte of input, and bytes besides.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bound {
    pub(crate) each: u64,
    pub(crate) fixed: u64,
}

/// A message: 64-bit integers of one byte each on the wire take eight in memory, and the planes of
/// signed 32-bit integers a little more than four. Besides, the alignment of the planes and a list
/// of dimensions that grows to 64.
pub(crate) const MESSAGE: Bound = Bound { each: 8, fixed: 2048 };

/// A database: its smallest record has ten bytes, and each has an entry in several lists, which grow
/// by doubling.
pub(crate) const DATABASE: Bound = Bound { each: 64, fixed: 4096 };

/// A network: its smallest operator has two bytes, and each has an entry in a list.
pub(crate) const NET: Bound = Bound { each: 128, fixed: 4096 };

/// An observer's state: the smallest channel has 48 bytes.
pub(crate) const OBSERVER: Bound = Bound { each: 16, fixed: 8192 };

/// A `.npy` file: a part of it, its header, and its elements.
pub(crate) const NPY: Bound = Bound { each: 4, fixed: (1 << 16) + 4096 };

impl Bound {
    /// The hundredths of a byte for each byte of input that `asked` is beyond the fixed part; panics
    /// where that is above the limit.
    pub(crate) fn check(self, what: &str, length: u64, asked: u64) -> u64 {
        let Bound { each, fixed } = self;
        assert!(asked <= length * each + fixed, "{what}: {asked} bytes for {length}");
        asked.saturating_sub(fixed) * 100 / length.max(1)
    }
}
