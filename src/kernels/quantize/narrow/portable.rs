//! The fixed-point positions in plain Rust, which a compiler turns into SIMD by itself.
//!
//! It does so with the sixteen values of a step, because the step is short enough to be written
//! out. The loop around it must be kept from its eyes: as a whole it would take that on with
//! gathered values, one of each step. What is left has simple loops of its own.

use super::job::{Job, Tally};
use super::{FRACTION, GROUP, Steps};
use core::hint::black_box;

/// Positions that do not fit are moved to this distance. It is a whole number of codes: doubtful.
const LIMIT: f32 = (1 << 30) as f32;

/// Values in a step: as many as a register has bytes.
const STEP: usize = 16;

/// Values after which the simple loops have their turn.
const BLOCK: usize = 4 * GROUP;

pub(super) fn run(job: &mut Job<'_>) {
    match (job.rules.signed, matches!(job.steps, Steps::Each { .. })) {
        (false, false) => run_as::<false, false>(job),
        (false, true) => run_as::<false, true>(job),
        (true, false) => run_as::<true, false>(job),
        (true, true) => run_as::<true, true>(job),
    }
}

/// What stays the same from step to step.
#[derive(Clone, Copy)]
struct Constants {
    window: i32,
    highest: i16,
    /// The bit of the sign: none for precision 8, whose signs go elsewhere.
    sign: i16,
}

/// What has been found of the values of a block.
struct Block {
    positions: [i32; BLOCK],
    /// The whole parts of the positions.
    codes: [i16; BLOCK],
    bytes: [u8; BLOCK],
}

fn run_as<const SIGNED: bool, const EACH: bool>(job: &mut Job<'_>) {
    let (multiplier, offset) = match job.steps {
        Steps::One(_, fast) => (fast.multiplier, fast.offset),
        Steps::Each { .. } => (0.0, 0.0),
    };
    let (multipliers, offsets): (&[f32], &[f32]) = match job.steps {
        Steps::One(..) => (&[], &[]),
        Steps::Each { multipliers, offsets, .. } => (multipliers, offsets),
    };
    let constants = Constants {
        window: i32::from(job.window()),
        highest: job.rules.highest() as i16,
        sign: if job.rules.precision < 8 { 1 << job.rules.precision } else { 0 },
    };
    let mut tally = Tally::default();
    let values = job.input.values;
    let mut block = Block { positions: [0; BLOCK], codes: [0; BLOCK], bytes: [0; BLOCK] };
    for (at, values) in values.chunks(BLOCK).enumerate() {
        let (at, length) = (at * BLOCK, values.len());
        let all = at..at + length;
        let (whole, rest) = values.as_chunks::<STEP>();
        let (own, own_offsets) = if EACH {
            (&multipliers[all.clone()], &offsets[all.clone()])
        } else {
            (&[][..], &[][..])
        };
        let (one, one_offset) = ([multiplier; STEP], [offset; STEP]);
        for (step, values) in whole.iter().enumerate() {
            let from = step * STEP;
            let (mut steps, mut offsets) = (one, one_offset);
            if EACH {
                steps.copy_from_slice(&own[from..from + STEP]);
                offsets.copy_from_slice(&own_offsets[from..from + STEP]);
            }
            one_step::<SIGNED>(&constants, black_box(values), &steps, &offsets, &mut block, from);
        }
        if !rest.is_empty() {
            let from = whole.len() * STEP;
            let mut values = [0.0; STEP];
            values[..rest.len()].copy_from_slice(rest);
            let (mut steps, mut offsets) = (one, one_offset);
            if EACH {
                steps[..rest.len()].copy_from_slice(&own[from..]);
                offsets[..rest.len()].copy_from_slice(&own_offsets[from..]);
            }
            one_step::<SIGNED>(&constants, &values, &steps, &offsets, &mut block, from);
        }
        job.codes.bytes[all.clone()].copy_from_slice(&block.bytes[..length]);
        let codes = &block.codes[..length];
        if SIGNED && let Some(signs) = job.codes.signs.get_mut(all) {
            for (sign, code) in signs.iter_mut().zip(codes) {
                *sign = (*code as u16 >> 15) as u8;
            }
        }
        if job.counts.is_some() {
            count(job, at, values, codes, &mut tally);
        }
        for (group, positions) in block.positions[..length].chunks(GROUP).enumerate() {
            if any_doubtful(positions, constants.window) {
                job.settle(at + group * GROUP, positions, &mut tally);
            }
        }
    }
    job.finish(&tally);
}

/// Encodes the values of a step, those of the block from `from` on.
#[inline(always)]
fn one_step<const SIGNED: bool>(
    constants: &Constants,
    values: &[f32; STEP],
    multipliers: &[f32; STEP],
    offsets: &[f32; STEP],
    block: &mut Block,
    from: usize,
) {
    let Constants { highest, sign, .. } = *constants;
    let mut positions = [0; STEP];
    for (lane, position) in positions.iter_mut().enumerate() {
        *position = fixed_point(values[lane] * multipliers[lane] + offsets[lane]);
    }
    let mut codes = [0; STEP];
    for (code, position) in codes.iter_mut().zip(&positions) {
        // `LIMIT` leaves 15 bits.
        *code = (position >> FRACTION) as i16;
    }
    let mut bytes = [0; STEP];
    for (byte, code) in bytes.iter_mut().zip(&codes) {
        *byte = if SIGNED {
            let code = (*code).max(-highest).min(highest);
            // All ones for a code below zero.
            let negative = code >> 15;
            ((code ^ negative).wrapping_sub(negative) | negative & sign) as u8
        } else {
            (*code).max(0).min(highest) as u8
        };
    }
    block.positions[from..from + STEP].copy_from_slice(&positions);
    block.codes[from..from + STEP].copy_from_slice(&codes);
    block.bytes[from..from + STEP].copy_from_slice(&bytes);
}

/// Whether any position has fewer units than `window` behind the point.
#[inline(always)]
fn any_doubtful(positions: &[i32], window: i32) -> bool {
    // Negative where one is.
    positions.iter().fold(0, |any, position| any | ((position & 0xffff) - window)) < 0
}

/// A number rounded to an integer in either direction, NaN to `-LIMIT`.
#[inline(always)]
fn fixed_point(position: f32) -> i32 {
    // Either side of a comparison with NaN is the other operand.
    let position = if position > -LIMIT { position } else { -LIMIT };
    let position = if position < LIMIT { position } else { LIMIT };
    // SAFETY: not NaN, and between -2^30 and 2^30.
    unsafe { position.to_int_unchecked() }
}

/// Counts a block, those of the job from `at` on; `codes` are the whole parts of the positions.
fn count(job: &Job<'_>, at: usize, values: &[f32], codes: &[i16], tally: &mut Tally) {
    let (lowest, highest) = (job.rules.lowest() as i16, job.rules.highest() as i16);
    // A block has fewer values than these hold.
    let (mut below, mut above) = (0_u16, 0_u16);
    for code in codes {
        below += u16::from(*code < lowest);
        above += u16::from(*code > highest);
    }
    tally.below = tally.below.wrapping_add(u64::from(below));
    tally.above = tally.above.wrapping_add(u64::from(above));
    if let Steps::Each { offsets, .. } = job.steps {
        let above_zero_code = job.above_zero_code();
        let mut flushed = 0_u64;
        for (lane, (value, code)) in values.iter().zip(codes).enumerate() {
            let zero = (fixed_point(offsets[at + lane]) >> FRACTION) - above_zero_code;
            let near_zero = i32::from(*code) == zero && *value != 0.0;
            flushed += u64::from(near_zero && job.stands_for_zero(at + lane, zero));
        }
        tally.flushed = tally.flushed.wrapping_add(flushed);
    } else if let Some(zero) = job.zero_code() {
        let (mut zero_codes, mut zero_values) = (0_u16, 0_u32);
        for code in codes {
            zero_codes += u16::from(*code == zero);
        }
        for value in values {
            zero_values += u32::from(*value == 0.0);
        }
        tally.zero_codes = tally.zero_codes.wrapping_add(u64::from(zero_codes));
        tally.zero_values = tally.zero_values.wrapping_add(u64::from(zero_values));
    }
}
