//! The fixed-point kernels against 128-bit integers: every level and every length, next to memory that
//! faults.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "a test that fails may panic, and its numbers are its own"
)]

#[path = "support/guard.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod guard;

use caffe2_qtensor::kernels::Level;
use caffe2_qtensor::kernels::fixed::{
    Dnnlowp, Halves, Polynomial, dnnlowp, dot, product, single, sum,
};
use guard::Guarded;

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// Below 2^bits in magnitude, small ones as often as large ones; some with nothing but zeros at
    /// the end, so that positions lie in the middle between two codes.
    fn units(&mut self, bits: u32) -> i128 {
        let wide = i128::from(self.next()) << 64 | i128::from(self.next());
        let mut units = wide.unsigned_abs() >> (128 - bits) >> (self.next() % 20);
        if self.coin() {
            units = units >> 61 << 61;
        }
        if self.coin() { -(units as i128) } else { units as i128 }
    }

    fn coin(&mut self) -> bool {
        self.next() & 1 == 0
    }

    fn code(&mut self) -> i32 {
        let code = match self.next() % 8 {
            0 => 65_535,
            _ => (self.next() % 65_536) as i32 >> (self.next() % 16),
        };
        if self.coin() { -code } else { code }
    }
}

fn nearest(position: i128, (lowest, highest): (i32, i32)) -> i32 {
    let one = 1i128 << 62;
    let (floor, rest) = (position.div_euclid(one), position.rem_euclid(one));
    let up = rest > one / 2 || rest == one / 2 && floor % 2 != 0;
    (floor + i128::from(up)).clamp(lowest.into(), highest.into()) as i32
}

/// Runs a kernel on slices that end and begin at memory that faults.
fn guarded(codes: &[i32], others: &[i32], run: impl Fn(&mut [i32], &[i32])) -> Vec<Vec<i32>> {
    let mut pages = [codes, others].map(|codes| Guarded::new(size_of_val(codes)));
    let [first, second] = &mut pages;
    let mut results = Vec::new();
    for at_end in [false, true] {
        let view = |pages: &mut Guarded, codes: &[i32]| {
            let bytes = size_of_val(codes);
            let memory = if at_end { pages.back(bytes) } else { pages.front(bytes) };
            let (start, count) = (memory.as_mut_ptr().cast::<i32>(), codes.len());
            // SAFETY: so many bytes, aligned as pages and whole integers are, of the pages, which are
            // there until the end and used by nothing else.
            let memory = unsafe { std::slice::from_raw_parts_mut(start, count) };
            memory.copy_from_slice(codes);
            memory
        };
        let (codes, others) = (view(first, codes), view(second, others));
        run(codes, others);
        results.push(codes.to_vec());
    }
    results
}

#[test]
fn polynomials() {
    let mut random = Random(1);
    for length in (0..=67).chain([1024]).cycle().take(69 * 30) {
        // Each term is at most 2^88.
        let [cross, first] = [random.units(56), random.units(72)];
        let [second, constant] = [random.units(72), random.units(88)];
        let range = ([-65_535, -255, 0][random.next() as usize % 3], 255);
        let half = |units| Halves::new(units).unwrap();
        let polynomial = Polynomial {
            product: half(cross),
            first: half(first),
            second: half(second),
            constant: half(constant),
        };
        let limits = [range.0, range.1];
        let codes: Vec<i32> = (0..length).map(|_| random.code()).collect();
        let others: Vec<i32> = (0..length).map(|_| random.code()).collect();
        let expected = |cross: i128, second: i128| -> Vec<i32> {
            let pairs = codes.iter().zip(&others);
            pairs
                .map(|(a, b)| {
                    let (a, b) = (i128::from(*a), i128::from(*b));
                    nearest(cross * a * b + first * a + second * b + constant, range)
                })
                .collect()
        };
        let (of_one, of_two, of_both) =
            (expected(0, 0), expected(0, second), expected(cross, second));
        for level in Level::available() {
            let name = level.name();
            for found in
                guarded(&codes, &others, |codes, _| single(level, &polynomial, limits, codes))
            {
                assert_eq!(found, of_one, "{name} {polynomial:?}");
            }
            for found in guarded(&codes, &others, |a, b| sum(level, &polynomial, limits, a, b)) {
                assert_eq!(found, of_two, "{name} {polynomial:?}");
            }
            for found in guarded(&codes, &others, |a, b| product(level, &polynomial, limits, a, b))
            {
                assert_eq!(found, of_both, "{name} {polynomial:?}");
            }
        }
    }
}

#[test]
fn the_formula_of_dnnlowp() {
    let mut random = Random(2);
    for length in (0..=67).cycle().take(68 * 30) {
        let formula = Dnnlowp {
            biases: [random.code(), random.code()].map(|code| i64::from(code / 4)),
            factor: (1 << 30 | random.next() & 0x3fff_ffff) as i32,
            shift: (random.next() % 63 + 1) as u32,
            zero_point: i64::from(random.code()) << (random.next() % 15),
        };
        // With their biases at most 15 bits.
        let codes: Vec<i32> = (0..length).map(|_| random.code() / 4).collect();
        let others: Vec<i32> = (0..length).map(|_| random.code() / 4).collect();
        let expected: Vec<i32> = codes
            .iter()
            .zip(&others)
            .map(|(a, b)| {
                let [a, b] = [i64::from(*a) + formula.biases[0], i64::from(*b) + formula.biases[1]];
                let scaled = i128::from(a * b) * i128::from(formula.factor);
                let code = (scaled + (1 << (formula.shift - 1))) >> formula.shift;
                (code + i128::from(formula.zero_point)).clamp(-255, 65_535) as i32
            })
            .collect();
        for level in Level::available() {
            for found in
                guarded(&codes, &others, |a, b| dnnlowp(level, &formula, [-255, 65_535], a, b))
            {
                assert_eq!(found, expected, "{} {formula:?}", level.name());
            }
        }
    }
}

#[test]
fn dot_products() {
    let mut random = Random(3);
    for length in (0..=67).chain([1000, 1024, 70_001]) {
        let codes: Vec<i32> = (0..length).map(|_| random.code()).collect();
        let others: Vec<i32> = (0..length).map(|_| random.code()).collect();
        let wide = |codes: &[i32]| codes.iter().map(|code| i64::from(*code)).collect::<Vec<_>>();
        let (a, b) = (wide(&codes), wide(&others));
        let products: i64 = a.iter().zip(&b).map(|(a, b)| a * b).sum();
        let expected = [products, a.iter().sum(), b.iter().sum()];
        for level in Level::available() {
            guarded(&codes, &others, |a, b| {
                assert_eq!(dot(level, a, b), expected, "{} {length}", level.name());
            });
        }
    }
}
