//! Energy as a model has it: operations and bytes, each at its price.

use crate::error::{Error, Result};

/// What was done, in numbers of operations and of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Additions of 8-bit integers.
    pub int8_adds: u64,
    /// Additions of 32-bit integers.
    pub int32_adds: u64,
    /// Multiplications of 8-bit integers.
    pub int8_multiplies: u64,
    /// Multiplications of 32-bit integers.
    pub int32_multiplies: u64,
    /// Additions in half precision.
    pub half_adds: u64,
    /// Additions in single precision.
    pub float_adds: u64,
    /// Multiplications in half precision.
    pub half_multiplies: u64,
    /// Multiplications in single precision.
    pub float_multiplies: u64,
    /// ANDs and popcounts of 32 bits.
    pub bit_operations: u64,
    /// Bytes read from a cache of 8 KiB.
    pub cache_8k_bytes: u64,
    /// Bytes read from a cache of 32 KiB.
    pub cache_32k_bytes: u64,
    /// Bytes read from a cache of 1 MiB.
    pub cache_1m_bytes: u64,
    /// Bytes read from memory.
    pub memory_bytes: u64,
}

/// What each of them takes, in picojoules. The fields are those of [`Work`].
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs, reason = "the fields are those of `Work`, where they are told")]
pub struct Table {
    pub int8_adds: f64,
    pub int32_adds: f64,
    pub int8_multiplies: f64,
    pub int32_multiplies: f64,
    pub half_adds: f64,
    pub float_adds: f64,
    pub half_multiplies: f64,
    pub float_multiplies: f64,
    pub bit_operations: f64,
    pub cache_8k_bytes: f64,
    pub cache_32k_bytes: f64,
    pub cache_1m_bytes: f64,
    pub memory_bytes: f64,
}

impl Table {
    /// A process of 45 nm at 0.9 V. Source: M. Horowitz, "Computing's Energy Problem (and what we can do
    /// about it)", ISSCC 2014, whose accesses are of 64 bits. Two entries are not his: bit operations,
    /// for which the addition of 32-bit integers stands in, and memory, for which he gives 1300 to
    /// 2600 pJ and this table has the middle.
    pub const HOROWITZ_45NM: Table = Table {
        int8_adds: 0.03,
        int32_adds: 0.1,
        int8_multiplies: 0.2,
        int32_multiplies: 3.1,
        half_adds: 0.4,
        float_adds: 0.9,
        half_multiplies: 1.1,
        float_multiplies: 3.7,
        bit_operations: 0.1,
        cache_8k_bytes: 10.0 / 8.0,
        cache_32k_bytes: 20.0 / 8.0,
        cache_1m_bytes: 100.0 / 8.0,
        memory_bytes: 1950.0 / 8.0,
    };
}

impl Default for Table {
    /// [`Table::HOROWITZ_45NM`].
    fn default() -> Table {
        Table::HOROWITZ_45NM
    }
}

impl Work {
    /// A product of matrices in single precision, `rows` by `depth` and `depth` by `columns`: a
    /// multiplication and an addition for each of its terms, no bytes. Saturates at `u64::MAX`.
    pub fn float_product(rows: u64, columns: u64, depth: u64) -> Work {
        let terms = rows.saturating_mul(columns).saturating_mul(depth);
        Work { float_adds: terms, float_multiplies: terms, ..Work::default() }
    }

    /// The same product of codes by their bit planes: for each pair of planes and each 32 bits of
    /// `depth` an AND, a popcount and an addition. The planes of signs count as planes. Saturates at
    /// `u64::MAX`.
    pub fn bit_plane_product(rows: u64, columns: u64, depth: u64, planes: (u8, u8)) -> Work {
        let pairs = u64::from(planes.0).saturating_mul(u64::from(planes.1));
        let words = rows.saturating_mul(columns).saturating_mul(depth.div_ceil(32));
        let words = words.saturating_mul(pairs);
        Work { int32_adds: words, bit_operations: words.saturating_mul(2), ..Work::default() }
    }
}

/// Energy as a model has it: no measurement.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Modeled {
    /// Joules of operations.
    pub operations: f64,
    /// Joules of accesses to memory and caches.
    pub memory: f64,
}

impl Modeled {
    /// Joules of both.
    pub fn joules(&self) -> f64 {
        self.operations + self.memory
    }
}

/// The energy that work takes by a table: the sum of the numbers times what each takes.
///
/// ```
/// use caffe2_qtensor::measure::energy::{Table, Work, modeled};
///
/// let work = Work { memory_bytes: 1_000_000, ..Work::float_product(1, 10, 1000) };
/// let energy = modeled(&work, &Table::default())?;
/// assert!((energy.operations - 46e-9).abs() < 1e-15);
/// assert!((energy.joules() - 243.796e-6).abs() < 1e-12);
/// # Ok::<(), caffe2_qtensor::Error>(())
/// ```
///
/// # Errors
/// `InvalidArgument` for an entry of the table that is negative or not finite.
pub fn modeled(work: &Work, table: &Table) -> Result<Modeled> {
    let operations = [
        (work.int8_adds, table.int8_adds, "energy of an addition of 8-bit integers"),
        (work.int32_adds, table.int32_adds, "energy of an addition of 32-bit integers"),
        (work.int8_multiplies, table.int8_multiplies, "energy of a product of 8-bit integers"),
        (work.int32_multiplies, table.int32_multiplies, "energy of a product of 32-bit integers"),
        (work.half_adds, table.half_adds, "energy of an addition in half precision"),
        (work.float_adds, table.float_adds, "energy of an addition in single precision"),
        (work.half_multiplies, table.half_multiplies, "energy of a product in half precision"),
        (work.float_multiplies, table.float_multiplies, "energy of a product in single precision"),
        (work.bit_operations, table.bit_operations, "energy of a bit operation"),
    ];
    let memory = [
        (work.cache_8k_bytes, table.cache_8k_bytes, "energy of a byte from a cache of 8 KiB"),
        (work.cache_32k_bytes, table.cache_32k_bytes, "energy of a byte from a cache of 32 KiB"),
        (work.cache_1m_bytes, table.cache_1m_bytes, "energy of a byte from a cache of 1 MiB"),
        (work.memory_bytes, table.memory_bytes, "energy of a byte from memory"),
    ];
    Ok(Modeled { operations: joules(&operations)?, memory: joules(&memory)? })
}

fn joules(entries: &[(u64, f64, &'static str)]) -> Result<f64> {
    let mut picojoules = 0.0;
    for (number, each, what) in entries {
        if !each.is_finite() || *each < 0.0 {
            let rule = "0 or more picojoules, and finite";
            return Err(Error::InvalidNumber { what, value: *each, rule });
        }
        picojoules += *number as f64 * each;
    }
    Ok(picojoules * 1e-12)
}
