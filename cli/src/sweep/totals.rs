//! All tensors together, and which totals no other one beats.

use super::model::{Sweep, Total, sum};

/// The totals of each precision and method that served a tensor.
pub(super) fn totals(sweep: &Sweep) -> Vec<Total> {
    let mut totals = Vec::new();
    for precision in &sweep.precisions {
        for method in 0..sweep.methods.len() {
            totals.extend(total(sweep, *precision, method));
        }
    }
    mark_front(&mut totals);
    totals
}

fn total(sweep: &Sweep, precision: u8, method: usize) -> Option<Total> {
    let mut total = Total {
        precision,
        method,
        tensors: 0,
        planes: 0,
        resident: 0,
        wire: 0,
        sqnr: f64::NAN,
        mse: f64::NAN,
        max_error: 0.0,
        worst: (f64::INFINITY, 0),
        quantize_time: 0.0,
        dequantize_time: 0.0,
        energy: 0.0,
        measured: Some(0.0),
        front: false,
    };
    let (mut power, mut noise, mut values) = (0.0, 0.0, 0.0);
    for (index, tensor) in sweep.tensors.iter().enumerate() {
        let Some((_, outcome)) = tensor.tried(precision, method) else {
            total.wire = total.wire.saturating_add(tensor.float_wire);
            total.resident = total.resident.saturating_add(tensor.float);
            continue;
        };
        total.tensors = total.tensors.saturating_add(1);
        total.planes = total.planes.saturating_add(outcome.planes);
        total.resident = total.resident.saturating_add(outcome.resident);
        total.wire = total.wire.saturating_add(outcome.wire);
        total.max_error = total.max_error.max(outcome.max_error);
        // The first of those that lost as much.
        if total.tensors == 1 || outcome.sqnr < total.worst.0 {
            total.worst = (outcome.sqnr, index);
        }
        total.quantize_time += outcome.quantize_time;
        total.dequantize_time += outcome.dequantize_time;
        total.energy += outcome.energy;
        total.measured = total.measured.zip(outcome.measured).map(|(sum, own)| sum + own);
        power += outcome.power;
        noise += outcome.noise;
        values += tensor.values as f64;
    }
    total.sqnr = decibels(power, noise);
    total.mse = noise / values;
    (total.tensors > 0).then_some(total)
}

/// The ratio of Σx² to Σe² in decibels: infinite where nothing was lost.
pub(super) fn decibels(power: f64, noise: f64) -> f64 {
    if noise == 0.0 { f64::INFINITY } else { 10.0 * (power / noise).log10() }
}

/// The front: what no other total beats in size or loss without being worse in the other.
fn mark_front(totals: &mut [Total]) {
    let points: Vec<(u64, f64)> = totals.iter().map(|it| (it.wire, it.sqnr)).collect();
    for total in totals {
        let beaten = |(wire, sqnr): &(u64, f64)| {
            (*wire < total.wire && *sqnr >= total.sqnr)
                || (*wire <= total.wire && *sqnr > total.sqnr)
        };
        total.front = !points.iter().any(beaten);
    }
}

/// Bytes on the wire for each byte of planes, of the tensors that a precision and a method served.
pub(super) fn wire_per_plane_byte(sweep: &Sweep, precision: u8, method: usize) -> f64 {
    let outcomes = || sweep.tensors.iter().filter_map(|it| Some(it.tried(precision, method)?.1));
    let planes = sum(outcomes().map(|outcome| outcome.planes));
    sum(outcomes().map(|outcome| outcome.wire)) as f64 / planes as f64
}
