//! The recommendation: a rule, which the help of the command says to its users, and its reasons in
//! words.

use super::format::{bytes, decibels, number, percent, plural, times};
use super::model::{Advice, Left, Outcome, Recommendation, Sweep, Tensor, Total, sum};
use super::totals::{self, wire_per_plane_byte};

/// Sizes that count as equal.
const EQUAL: f64 = 1.02;
/// What must be left of the floats' bytes at most.
const WORTH: f64 = 0.9;

/// What every tensor is to do, and what that comes to.
struct Plan {
    /// The total that is followed where it is enough.
    base: usize,
    advice: Vec<Advice>,
    wire: u64,
    sqnr: f64,
    exceptions: usize,
}

/// What to do, and why.
pub(super) fn recommend(sweep: &Sweep) -> Recommendation {
    let Some(plan) = best(sweep) else {
        let advice = sweep.tensors.iter().map(|tensor| advise(sweep, tensor, None)).collect();
        return refrain(sweep, "No tensor of it is one to quantize.".to_owned(), advice);
    };
    let quantized = count(&plan.advice, |advice| advice.trial.is_some());
    if quantized == 0 {
        return refrain(sweep, none_is_enough(sweep), plan.advice);
    }
    if !is_worth(sweep.float_wire(), plan.wire) {
        let reason = format!(
            "It would shrink from {} to {} only: what could be quantized is too small a part.",
            bytes(sweep.float_wire()),
            bytes(plan.wire)
        );
        return refrain(sweep, reason, plan.advice);
    }
    let followers = count(&plan.advice, |advice| advice.trial.is_some() && !advice.exception);
    let base = sweep.totals.get(plan.base).filter(|_| followers > 0);
    let how = match base {
        Some(base) if followers == quantized => format!(" to {}", by(sweep, base)),
        Some(base) => format!(", {followers} of them to {}", by(sweep, base)),
        None => ", each in its own way".to_owned(),
    };
    let headline = format!(
        "Quantize {quantized} of {}{how}: {} on the wire instead of {}, {} smaller, {}.",
        plural(wide(sweep.tensors.len()), "tensor"),
        bytes(plan.wire),
        bytes(sweep.float_wire()),
        times(sweep.float_wire(), plan.wire),
        if plan.sqnr == f64::INFINITY {
            "with nothing lost".to_owned()
        } else {
            format!("at {}", decibels(plan.sqnr))
        },
    );
    let mut reasons = base.map_or_else(
        || vec![none_is_enough(sweep)],
        |base| why(sweep, base, quantized.saturating_sub(followers)),
    );
    reasons.extend(why_not_all(&plan.advice, &sweep.tensors));
    Recommendation {
        headline,
        reasons,
        total: base.map(|_| plan.base),
        tensors: plan.advice,
        wire: plan.wire,
        sqnr: plan.sqnr,
    }
}

/// The plan that makes the file smallest; of those that do about as well the one with the fewest
/// exceptions, and then the one that loses least.
fn best(sweep: &Sweep) -> Option<Plan> {
    let mut plans: Vec<Plan> =
        sweep.totals.iter().enumerate().map(|(base, total)| plan(sweep, base, total)).collect();
    let smallest = plans.iter().map(|plan| plan.wire).min()?;
    plans.retain(|plan| plan.wire as f64 <= EQUAL * smallest as f64);
    plans.into_iter().min_by(|a, b| {
        (a.exceptions.cmp(&b.exceptions)).then(b.sqnr.total_cmp(&a.sqnr)).then(a.wire.cmp(&b.wire))
    })
}

fn plan(sweep: &Sweep, base: usize, total: &Total) -> Plan {
    let advice: Vec<Advice> =
        sweep.tensors.iter().map(|tensor| advise(sweep, tensor, Some(total))).collect();
    let (mut wire, mut power, mut noise) = (0_u64, 0.0, 0.0);
    for (tensor, advice) in sweep.tensors.iter().zip(&advice) {
        match advice.trial.and_then(|trial| tensor.outcome(trial)) {
            Some((_, outcome)) => {
                wire = wire.saturating_add(outcome.wire);
                power += outcome.power;
                noise += outcome.noise;
            }
            None => wire = wire.saturating_add(tensor.float_wire),
        }
    }
    let exceptions = count(&advice, |advice| advice.exception);
    Plan { base, advice, wire, sqnr: totals::decibels(power, noise), exceptions }
}

fn is_worth(floats: u64, wire: u64) -> bool {
    wire as f64 <= WORTH * floats as f64
}

/// What to do with a tensor where the file follows `total`.
fn advise(sweep: &Sweep, tensor: &Tensor, total: Option<&Total>) -> Advice {
    let keep = |exception, reason| Advice { trial: None, exception, reason };
    match &tensor.left {
        Some(Left::Rule(reason)) => return keep(false, reason.clone()),
        Some(Left::Constant) => {
            let value = number(f64::from(tensor.range.0));
            return keep(false, format!("all its values are {value}: one number says it all"));
        }
        Some(Left::NonFinite(count)) => {
            let values = plural(*count, "value");
            return keep(false, format!("{values} NaN or infinite: codes have none"));
        }
        None => {}
    }
    let enough = |outcome: &Outcome| outcome.sqnr >= sweep.threshold;
    let tried = total.and_then(|it| tensor.tried(it.precision, it.method));
    if let Some((trial, outcome)) = tried
        && enough(outcome)
        && is_worth(tensor.float_wire, outcome.wire)
    {
        let reason = format!(
            "{} in {} of the bytes",
            keeps(outcome.sqnr),
            percent(outcome.wire, tensor.float_wire)
        );
        return Advice { trial: Some(trial), exception: false, reason };
    }
    let smallest =
        tensor.outcomes().filter(|(_, _, it)| enough(it)).map(|(_, _, it)| it.wire).min();
    let Some(smallest) = smallest else {
        let best = tensor.outcomes().max_by(|a, b| a.2.sqnr.total_cmp(&b.2.sqnr));
        return keep(
            true,
            match best {
                Some((_, trial, outcome)) => format!(
                    "it loses too much: at best {} is left, at {}",
                    below(outcome.sqnr, sweep.threshold),
                    sweep.by(trial.precision, trial.method)
                ),
                None => "no method that was tried serves it".to_owned(),
            },
        );
    };
    if !is_worth(tensor.float_wire, smallest) {
        return keep(
            true,
            format!(
                "nothing is gained: what keeps enough takes {} on the wire, the floats {}",
                bytes(smallest),
                bytes(tensor.float_wire)
            ),
        );
    }
    let own = tensor
        .outcomes()
        .filter(|(_, _, it)| enough(it) && it.wire as f64 <= EQUAL * smallest as f64)
        .max_by(|a, b| a.2.sqnr.total_cmp(&b.2.sqnr).then(b.2.wire.cmp(&a.2.wire)));
    let reason = match (tried, total) {
        (Some((_, outcome)), Some(total)) => format!(
            "at {} only {} would be left",
            by(sweep, total),
            below(outcome.sqnr, sweep.threshold)
        ),
        (None, Some(total)) => format!("{} does not serve it", sweep.method(total.method)),
        (_, None) => "the smallest that keeps enough".to_owned(),
    };
    Advice { trial: own.map(|(trial, _, _)| trial), exception: true, reason }
}

/// Why this total, to which so many tensors are exceptions.
fn why(sweep: &Sweep, total: &Total, exceptions: usize) -> Vec<String> {
    let worst = |total: &Total| {
        let name = sweep.tensors.get(total.worst.1).map_or("", |tensor| tensor.name.as_str());
        format!("{} in {name}", below(total.worst.0, sweep.threshold))
    };
    let (tried, name, wanted) = (sweep.totals.len(), by(sweep, total), sweep.wanted());
    let mut reasons = vec![match exceptions {
        _ if total.sqnr == f64::INFINITY => {
            format!(
                "Of the {tried} combinations tried, {name} is as small as can be, and loses nothing."
            )
        }
        0 => format!(
            "Of the {tried} combinations tried, {name} makes the file about as small as can be with \
             {wanted} kept in every tensor that is quantized. It keeps {} over all, and at least {}.",
            decibels(total.sqnr),
            worst(total)
        ),
        _ => format!(
            "Of the {tried} combinations tried, {name} with {} makes the file about as small as can be \
             with {wanted} kept in every tensor that is quantized. Without exceptions it would keep \
             {} over all, and {}.",
            plural(wide(exceptions), "exception"),
            decibels(total.sqnr),
            worst(total)
        ),
    }];
    let best_at = |precision: u8| {
        let same = sweep.totals.iter().filter(move |it| it.precision == precision);
        same.max_by(|a, b| a.sqnr.total_cmp(&b.sqnr))
    };
    let fewer = sweep.precisions.iter().filter(|it| **it < total.precision).max();
    if let Some(best) = fewer.and_then(|precision| best_at(*precision)) {
        let verdict = if best.sqnr < sweep.threshold {
            "too little".to_owned()
        } else if best.worst.0 < sweep.threshold {
            format!("but only {}", worst(best))
        } else {
            "but takes no less".to_owned()
        };
        reasons.push(format!("{} {}, {verdict}.", by(sweep, best), keeps(best.sqnr)));
    }
    let more = sweep.precisions.iter().filter(|it| **it > total.precision).min();
    let better = |best: &&Total| best.sqnr > total.sqnr;
    if let Some(best) = more.and_then(|precision| best_at(*precision)).filter(better) {
        reasons.push(format!(
            "{} {}, in {} instead of {}.",
            by(sweep, best),
            keeps(best.sqnr),
            bytes(best.wire),
            bytes(total.wire)
        ));
    }
    let same = sweep.totals.iter().filter(|it| it.precision == total.precision);
    let others: Vec<String> = same
        .filter(|it| it.method != total.method)
        .map(|it| format!("{} {}", sweep.method(it.method), decibels(it.sqnr)))
        .collect();
    if !others.is_empty() {
        reasons.push(format!("With as many bits, by other methods: {}.", others.join(", ")));
    }
    if sweep.method(total.method) == "log" {
        let reason = "Caffe2 refuses logarithmic tensors, and no product takes them.";
        reasons.push(reason.to_owned());
    }
    reasons.push(format!(
        "On the wire tensors take {:.2} times the bytes of their planes: a varint holds 7 bits in a byte, \
         and names, dimensions and scales come along. In memory all takes {} instead of {}.",
        wire_per_plane_byte(sweep, total.precision, total.method),
        bytes(total.resident),
        bytes(sweep.float())
    ));
    reasons
}

/// What becomes of the tensors that do not follow the others.
fn why_not_all(advice: &[Advice], tensors: &[Tensor]) -> Vec<String> {
    let number = |is_it: fn(&Advice, &Tensor) -> bool| {
        advice.iter().zip(tensors).filter(|(advice, tensor)| is_it(advice, tensor)).count()
    };
    let own = number(|advice, _| advice.trial.is_some() && advice.exception);
    let left = number(|advice, tensor| advice.trial.is_none() && tensor.left.is_some());
    let kept = number(|advice, tensor| advice.trial.is_none() && tensor.left.is_none());
    let mut reasons = Vec::new();
    for (number, one, many) in [
        (own, "gets a combination of its own", "get combinations of their own"),
        (left, "is left alone before anything is tried", "are left alone before anything is tried"),
        (kept, "was tried and is to stay floats", "were tried and are to stay floats"),
    ] {
        if number > 0 {
            let verb = if number == 1 { one } else { many };
            reasons.push(format!(
                "{} {verb}; the list of tensors says why.",
                plural(wide(number), "tensor")
            ));
        }
    }
    reasons
}

/// The advice to leave the file as it is.
fn refrain(sweep: &Sweep, reason: String, advice: Vec<Advice>) -> Recommendation {
    let stay = |advice: Advice| match advice.trial {
        Some(_) => Advice {
            trial: None,
            exception: false,
            reason: "alone it would not make the file much smaller".to_owned(),
        },
        None => advice,
    };
    let advice: Vec<Advice> = advice.into_iter().map(stay).collect();
    let mut reasons = vec![reason];
    reasons.extend(why_not_all(&advice, &sweep.tensors));
    Recommendation {
        headline: "Do not quantize this file.".to_owned(),
        reasons,
        total: None,
        tensors: advice,
        wire: sum(sweep.tensors.iter().map(|tensor| tensor.float_wire)),
        sqnr: f64::INFINITY,
    }
}

/// What is said where no total is followed.
fn none_is_enough(sweep: &Sweep) -> String {
    let best = sweep.totals.iter().max_by(|a, b| a.sqnr.total_cmp(&b.sqnr));
    best.map_or_else(String::new, |best| {
        format!(
            "No precision and method that was tried is one for most tensors, with {} wanted: {} loses \
             least and keeps {} over all.",
            sweep.wanted(),
            by(sweep, best),
            decibels(best.sqnr)
        )
    })
}

/// `4 bits by mse`.
fn by(sweep: &Sweep, total: &Total) -> String {
    sweep.by(total.precision, total.method)
}

/// What is left, as a verb and its object.
fn keeps(sqnr: f64) -> String {
    if sqnr == f64::INFINITY {
        "loses nothing".to_owned()
    } else {
        format!("keeps {}", decibels(sqnr))
    }
}

/// A ratio that is not enough, with as many digits as show that.
fn below(sqnr: f64, threshold: f64) -> String {
    let decimals = (1..9_usize).find(|decimals| {
        let shown: f64 = format!("{sqnr:.decimals$}").parse().unwrap_or(sqnr);
        shown < threshold
    });
    match decimals {
        Some(more) if more > 1 => format!("{sqnr:.more$}\u{a0}dB").replace('-', "−"),
        _ => decibels(sqnr),
    }
}

fn count(advice: &[Advice], is_it: impl Fn(&Advice) -> bool) -> usize {
    advice.iter().filter(|advice| is_it(advice)).count()
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
