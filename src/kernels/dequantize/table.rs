//! Looking values up by their codes.

use super::{Kind, Level, Output, Step, value_of};

/// The values of all codes of a byte, and of their negatives where the sign does not fit the byte.
pub struct Table<T> {
    /// By the byte: the magnitude, and behind it the sign of a signed tensor of precision up to 7.
    values: [T; 256],
    /// By the magnitude, for negative codes of a signed tensor of precision 8.
    negative: [T; 256],
    /// Bits of a byte that are used.
    bits: u8,
    signs: bool,
    /// Where a multiplication gives the same values as a table of more than five bits.
    #[cfg(target_arch = "x86_64")]
    product: Option<Product>,
}

/// From here on the numbers in single precision are the integers, up to twice as much.
#[cfg(target_arch = "x86_64")]
pub(super) const SHIFT: f32 = 8_388_608.0;

/// A step in single precision: `(code + bias) * (high + low)`, in which only one product and the
/// sum of both are rounded.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub(super) struct Product {
    pub(super) high: f32,
    pub(super) low: f32,
    pub(super) bias: f32,
}

#[cfg(target_arch = "x86_64")]
impl Product {
    fn new(step: &Step) -> Product {
        let high = step.scale as f32;
        Product { high, low: (step.scale - f64::from(high)) as f32, bias: step.bias as f32 }
    }

    /// Whether it gives these values, those of all magnitudes in order.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
    fn gives<T: Output>(self, values: &[T], negative: bool) -> bool {
        values.iter().zip(0_u16..).fold(true, |same, (value, magnitude)| {
            let magnitude = f32::from(magnitude);
            let code = if negative {
                (0.0 - magnitude) + self.bias
            } else {
                (SHIFT + magnitude) + (self.bias - SHIFT)
            };
            same & value.is_single(code.mul_add(self.high, code * self.low))
        })
    }
}

impl<T: Output> Default for Table<T> {
    fn default() -> Table<T> {
        Table {
            values: [T::default(); 256],
            negative: [T::default(); 256],
            bits: 0,
            signs: false,
            #[cfg(target_arch = "x86_64")]
            product: None,
        }
    }
}

impl<T: Output> Table<T> {
    /// Computes the values of a step, for a precision of 1 to 8 (the function panics otherwise).
    pub fn fill(&mut self, level: Level, step: &Step, precision: u8, signed: bool) {
        self.describe(precision, signed);
        let half = 1 << precision;
        compute(level, step, false, &mut self.values[..half]);
        if self.signs {
            compute(level, step, true, &mut self.negative);
        } else if signed {
            compute(level, step, true, &mut self.values[half..2 * half]);
        }
        #[cfg(target_arch = "x86_64")]
        if self.bits > 5 && self.signs == signed && level.kind() == Kind::Avx512 {
            let product = Product::new(step);
            // SAFETY: a `Level` of this kind exists only where AVX-512 with F, BW, VL and DQ does.
            let same = unsafe {
                product.gives(&self.values[..half], false)
                    && (!signed || product.gives(&self.negative, true))
            };
            self.product = same.then_some(product);
        }
    }

    /// Computes the values that `value` gives for magnitudes and signs; otherwise as
    /// [`fill`](Self::fill).
    pub fn fill_by(&mut self, precision: u8, signed: bool, value: impl Fn(u8, bool) -> f64) {
        self.describe(precision, signed);
        let last = (1_u16 << precision) - 1;
        for magnitude in 0..=last as u8 {
            let at = usize::from(magnitude);
            self.values[at] = T::nearest(value(magnitude, false));
            let negative = T::nearest(value(magnitude, true));
            match (signed, self.signs) {
                (_, true) => self.negative[at] = negative,
                (true, false) => self.values[at | 1 << precision] = negative,
                (false, false) => {}
            }
        }
    }

    fn describe(&mut self, precision: u8, signed: bool) {
        assert!((1..=8).contains(&precision), "codes of a byte have 1 to 8 bits");
        self.signs = signed && precision == 8;
        self.bits = precision + u8::from(signed && !self.signs);
        #[cfg(target_arch = "x86_64")]
        {
            self.product = None;
        }
    }

    /// The values by the byte, as many as there are.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn values(&self) -> &[T; 256] {
        &self.values
    }

    /// How many bits of a byte there are values for.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn bits(&self) -> u8 {
        self.bits
    }

    /// Whether there is a plane of signs besides the bits of a byte.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn signs(&self) -> bool {
        self.signs
    }

    #[cfg(target_arch = "x86_64")]
    pub(super) fn product(&self) -> Option<Product> {
        self.product
    }
}

/// Turns the planes of a table's codes into values, without the detour over bytes; returns how
/// many of the first values it wrote. The others are left to [`lookup`], all of them where there is
/// no such kernel.
///
/// Plane `p` of the first value's code begins at `planes[p * stride]`; there are as many planes as
/// the precision and sign that the table was made for say, each with a bit for every value (the
/// function panics otherwise). `streaming` is that of [`lookup`].
pub fn decode<T: Output>(
    level: Level,
    table: &Table<T>,
    planes: &[u8],
    stride: usize,
    values: &mut [T],
    streaming: bool,
) -> usize {
    let count = usize::from(table.bits) + usize::from(table.signs);
    let needed = count
        .saturating_sub(1)
        .checked_mul(stride)
        .and_then(|start| start.checked_add(values.len().div_ceil(8)));
    assert!(needed.is_some_and(|needed| needed <= planes.len()), "the planes do not fit");
    match level.kind() {
        // SAFETY: a `Level` of this kind exists only where AVX-512 with F, BW, VL, VBMI, VBMI2 and
        // GFNI does; the planes were checked.
        #[cfg(target_arch = "x86_64")]
        Kind::Avx512 => unsafe { super::planes::decode(table, planes, stride, values, streaming) },
        _ => {
            let _ = (values, streaming);
            0
        }
    }
}

/// The values of the magnitudes from 0 on.
fn compute<T: Output>(level: Level, step: &Step, negative: bool, values: &mut [T]) {
    #[inline(always)]
    fn plain<T: Output>(step: &Step, negative: bool, values: &mut [T]) {
        for (magnitude, value) in values.iter_mut().enumerate() {
            *value = value_of(step, f64::from(magnitude as i32), negative);
        }
    }
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn avx2<T: Output>(step: &Step, negative: bool, values: &mut [T]) {
        plain(step, negative, values);
    }
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
    fn avx512<T: Output>(step: &Step, negative: bool, values: &mut [T]) {
        plain(step, negative, values);
    }
    match level.kind() {
        Kind::Portable => plain(step, negative, values),
        // SAFETY: a level exists only where the machine has its instructions.
        #[cfg(target_arch = "x86_64")]
        Kind::Avx2 => unsafe { avx2(step, negative, values) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Kind::Avx512 => unsafe { avx512(step, negative, values) },
    }
}

/// Turns bytes into values. `signs` has 0 or 1 for each of them where the table was made for a
/// signed precision of 8, and is empty otherwise; the other slices are of one length (the function
/// panics otherwise). Bits of a byte above those that the table has must be 0.
///
/// `streaming` stores around the caches; see [`stream`](crate::kernels::stream).
pub fn lookup<T: Output>(
    level: Level,
    table: &Table<T>,
    bytes: &[u8],
    signs: &[u8],
    values: &mut [T],
    streaming: bool,
) {
    assert!(bytes.len() == values.len(), "there is a value for each byte");
    assert!(signs.len() == if table.signs { bytes.len() } else { 0 }, "a sign for each, or none");
    if table.signs {
        return signed_bytes(table, bytes, signs, values);
    }
    match level.kind() {
        // SAFETY: a `Level` of this kind exists only where AVX-512 with F, BW and VBMI does; the
        // slices are of one length.
        #[cfg(target_arch = "x86_64")]
        Kind::Avx512 if size_of::<T>() <= 4 => unsafe {
            super::avx512::lookup(table, bytes, values, streaming);
        },
        _ => {
            let _ = streaming;
            for (value, byte) in values.iter_mut().zip(bytes) {
                *value = table.values[usize::from(*byte)];
            }
        }
    }
}

fn signed_bytes<T: Output>(table: &Table<T>, bytes: &[u8], signs: &[u8], values: &mut [T]) {
    for ((value, byte), sign) in values.iter_mut().zip(bytes).zip(signs) {
        let table = if *sign == 0 { &table.values } else { &table.negative };
        *value = table[usize::from(*byte)];
    }
}
