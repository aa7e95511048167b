//! The fixed-point positions in plain Rust, which a compiler turns into SIMD by itself.

use super::{FRACTION, GROUP, Job, Steps};

/// Positions that do not fit are moved to this distance. It is a whole number of codes: doubtful.
const LIMIT: f32 = (1 << 30) as f32;

pub(super) fn run(job: &mut Job<'_>) {
    let values = job.values;
    let (groups, rest) = values.as_chunks::<GROUP>();
    for (at, group) in groups.iter().enumerate() {
        one_group(job, at * GROUP, group, GROUP);
    }
    if !rest.is_empty() {
        let mut group = [0.0; GROUP];
        group[..rest.len()].copy_from_slice(rest);
        one_group(job, groups.len() * GROUP, &group, rest.len());
    }
}

/// The first `length` values of a group, which are those of the job from `at` on.
#[inline(always)]
fn one_group(job: &mut Job<'_>, at: usize, group: &[f32; GROUP], length: usize) {
    let mut positions = [0_i32; GROUP];
    match job.steps {
        Steps::One(_, fast) => {
            for (position, value) in positions.iter_mut().zip(group) {
                *position = fixed_point(value * fast.multiplier + fast.offset);
            }
        }
        Steps::Each { multipliers, offsets, .. } => {
            let steps = multipliers[at..].iter().zip(&offsets[at..]);
            for ((position, value), (multiplier, offset)) in
                positions.iter_mut().zip(group).zip(steps)
            {
                *position = fixed_point(value * multiplier + offset);
            }
        }
    }

    let (highest, precision) = (job.rules.highest() as i32, job.rules.precision);
    let mut bytes = [0_u8; GROUP];
    if job.rules.signed {
        for (byte, position) in bytes.iter_mut().zip(&positions) {
            let code = position >> FRACTION;
            let sign = if precision == 8 { 0 } else { u8::from(code < 0) << precision };
            *byte = code.abs().min(highest) as u8 | sign;
        }
        if let Some(signs) = job.codes.signs.get_mut(at..at + length) {
            for (sign, position) in signs.iter_mut().zip(&positions) {
                *sign = u8::from(*position < 0);
            }
        }
    } else {
        for (byte, position) in bytes.iter_mut().zip(&positions) {
            *byte = (position >> FRACTION).clamp(0, highest) as u8;
        }
    }
    job.codes.bytes[at..at + length].copy_from_slice(&bytes[..length]);

    let window = i32::from(job.window());
    let mut doubtful = [false; GROUP];
    for (doubtful, position) in doubtful.iter_mut().zip(&positions) {
        *doubtful = position & 0xffff < window;
    }
    let any = doubtful.iter().fold(false, |any, doubtful| any | doubtful);
    let mut lanes = 0_u64;
    if any {
        for (lane, doubtful) in doubtful[..length].iter().enumerate() {
            lanes |= u64::from(*doubtful) << lane;
        }
    }
    count(job, at, group, &positions, !lanes & (u64::MAX >> (GROUP - length)));
    if lanes != 0 {
        job.mend(at, lanes);
    }
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

/// Counts the values whose bit is set in `lanes`.
#[inline(always)]
fn count(job: &mut Job<'_>, at: usize, group: &[f32; GROUP], positions: &[i32; GROUP], lanes: u64) {
    if job.counts.is_none() {
        return;
    }
    let (lowest, highest) = (job.rules.lowest() as i32, job.rules.highest() as i32);
    let zero_of = |lane: usize| match job.steps {
        Steps::One(..) => job.zero_code().map(f64::from),
        Steps::Each { step, .. } => Some(-step(at + lane).bias),
    };
    let (mut low, mut high, mut flushed) = (0, 0, 0);
    for (lane, (value, position)) in group.iter().zip(positions).enumerate() {
        if lanes >> lane & 1 == 0 {
            continue;
        }
        let code = position >> FRACTION;
        low += u64::from(code < lowest);
        high += u64::from(code > highest);
        let inside = (lowest..=highest).contains(&code);
        let zero = inside && *value != 0.0 && zero_of(lane) == Some(f64::from(code));
        flushed += u64::from(zero);
    }
    if let Some(counts) = &mut job.counts {
        counts.saturated_low += low;
        counts.saturated_high += high;
        counts.flushed_to_zero += flushed;
    }
}
