//! What `sweep --json` prints. Ratios are `null` and `exact` is true where nothing was lost.

use super::model::{Channels, Histogram, Left, Outcome, Sweep, Tensor, Total};
use serde_json::{Value, json};

/// All of a sweep.
pub(super) fn json(sweep: &Sweep) -> Value {
    let tensors = sweep.tensors.iter().enumerate();
    json!({
        "file": sweep.file,
        "precisions": sweep.precisions,
        "methods": sweep.methods,
        "axis": sweep.axis,
        "min_sqnr": sweep.threshold,
        "float_bytes": sweep.float(),
        "float_wire_bytes": sweep.float_wire(),
        "float_energy_joules": sweep.float_energy,
        "energy_unmeasured": sweep.unmeasured,
        "totals": sweep.totals.iter().map(|it| total(sweep, it)).collect::<Vec<_>>(),
        "recommendation": recommendation(sweep),
        "tensors": tensors.map(|(index, it)| tensor(sweep, index, it)).collect::<Vec<_>>(),
    })
}

fn total(sweep: &Sweep, total: &Total) -> Value {
    let worst = sweep.tensors.get(total.worst.1).map(|tensor| tensor.name.as_str());
    json!({
        "precision": total.precision,
        "method": sweep.method(total.method),
        "tensors": total.tensors,
        "planes_bytes": total.planes,
        "resident_bytes": total.resident,
        "wire_bytes": total.wire,
        "sqnr": total.sqnr,
        "exact": total.sqnr == f64::INFINITY,
        "mse": total.mse,
        "max_error": total.max_error,
        "worst_sqnr": total.worst.0,
        "worst_tensor": worst,
        "quantize_seconds": total.quantize_time,
        "dequantize_seconds": total.dequantize_time,
        "energy_joules": total.energy,
        "measured_joules": total.measured,
        "pareto": total.front,
    })
}

fn recommendation(sweep: &Sweep) -> Value {
    let advice = &sweep.recommendation;
    let total = advice.total.and_then(|index| sweep.totals.get(index));
    json!({
        "headline": advice.headline,
        "reasons": advice.reasons,
        "precision": total.map(|it| it.precision),
        "method": total.map(|it| sweep.method(it.method)),
        "quantize": advice.tensors.iter().any(|it| it.trial.is_some()),
        "wire_bytes": advice.wire,
        "sqnr": advice.sqnr,
    })
}

fn tensor(sweep: &Sweep, index: usize, tensor: &Tensor) -> Value {
    let advice = sweep.advice(index);
    let followed = advice.and_then(|it| it.trial).and_then(|trial| tensor.outcome(trial));
    json!({
        "name": tensor.name,
        "dims": tensor.dims,
        "values": tensor.values,
        "float_bytes": tensor.float,
        "float_wire_bytes": tensor.float_wire,
        "min": tensor.range.0,
        "max": tensor.range.1,
        "left": tensor.left.as_ref().map(|left| match left {
            Left::Rule(_) => "rule",
            Left::Constant => "constant",
            Left::NonFinite(_) => "non_finite",
        }),
        "advice": {
            "quantize": followed.is_some(),
            "precision": followed.map(|(trial, _)| trial.precision),
            "method": followed.map(|(trial, _)| sweep.method(trial.method)),
            "exception": advice.is_some_and(|it| it.exception),
            "reason": advice.map(|it| it.reason.as_str()),
        },
        "trials": tensor.trials.iter().map(|trial| {
            let mut value = match &trial.outcome {
                Ok(it) => outcome(it),
                Err(reason) => json!({ "refused": reason }),
            };
            if let Some(fields) = value.as_object_mut() {
                fields.insert("precision".to_owned(), json!(trial.precision));
                fields.insert("method".to_owned(), json!(sweep.method(trial.method)));
            }
            value
        }).collect::<Vec<_>>(),
    })
}

fn outcome(outcome: &Outcome) -> Value {
    let [median, p95, p99] = outcome.quantiles;
    json!({
        "planes_bytes": outcome.planes,
        "resident_bytes": outcome.resident,
        "wire_bytes": outcome.wire,
        "sqnr": outcome.sqnr,
        "exact": outcome.sqnr == f64::INFINITY,
        "mse": outcome.mse,
        "max_error": outcome.max_error,
        "error_p50": median,
        "error_p95": p95,
        "error_p99": p99,
        "saturated_low": outcome.saturated.0,
        "saturated_high": outcome.saturated.1,
        "flushed": outcome.flushed,
        "code_entropy": outcome.entropy,
        "channels": outcome.channels.as_ref().map(channels),
        "error_histogram": histogram(&outcome.errors),
        "code_histogram": histogram(&outcome.codes),
        "quantize_seconds": outcome.quantize_time,
        "dequantize_seconds": outcome.dequantize_time,
        "energy_joules": outcome.energy,
        "measured_joules": outcome.measured,
    })
}

fn channels(channels: &Channels) -> Value {
    let worst = channels.worst.iter();
    json!({
        "axis": channels.axis,
        "count": channels.count,
        "median_sqnr": channels.median,
        "best_sqnr": channels.best,
        "worst": worst.map(|(channel, sqnr)| json!({ "channel": channel, "sqnr": sqnr }))
            .collect::<Vec<_>>(),
    })
}

fn histogram(histogram: &Histogram) -> Value {
    json!({ "low": histogram.low, "high": histogram.high, "counts": histogram.counts })
}
