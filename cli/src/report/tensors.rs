//! Tensor by tensor: what is advised, what was tried, and the histograms of one try at a time.

use super::channels;
use super::histogram::{Of, Shown};
use super::markup::{Table, details, escape};
use crate::sweep::format::{count, decibels, dims, number, percent, plural, ratio, seconds, times};
use crate::sweep::model::{Outcome, Sweep, Tensor, Trial};

/// The most tensors that get plots of their own: the largest. All are in the tables.
const MOST: usize = 100;

/// The most tensors whose advice lies open.
const FEW: usize = 24;

/// What is advised for each tensor, as a table.
pub(super) fn advice(sweep: &Sweep) -> String {
    let mut table = Table::new(
        "Advice, tensor by tensor; exceptions from what the others do have a mark on their left",
        4,
        &["Tensor", "Shape", "Advice", "Why", "Wire, bytes", "Floats, bytes", "SQNR, dB"],
    )
    .stacked();
    for (tensor, advice) in sweep.tensors.iter().zip(&sweep.recommendation.tensors) {
        let followed = advice.trial.and_then(|trial| tensor.outcome(trial));
        let (what, wire, sqnr) = match followed {
            Some((trial, outcome)) => {
                (sweep.label(trial.precision, trial.method), outcome.wire, ratio(outcome.sqnr))
            }
            None => ("keep floats".to_owned(), tensor.float_wire, "–".to_owned()),
        };
        table.row(
            if advice.exception { "exception" } else { "" },
            &[
                tensor.name.clone(),
                dims(&tensor.dims),
                what,
                advice.reason.clone(),
                count(wire),
                count(tensor.float_wire),
                sqnr,
            ],
        );
    }
    // Many would push all else out of sight.
    details("Tensor by tensor", &table.finish(), sweep.tensors.len() <= FEW)
}

/// Which tensors get plots: those that were tried, the largest, in their order.
fn shown(sweep: &Sweep) -> Vec<(usize, &Tensor)> {
    let tried = |(_, tensor): &(usize, &Tensor)| tensor.outcomes().next().is_some();
    let mut all: Vec<(usize, &Tensor)> = sweep.tensors.iter().enumerate().filter(tried).collect();
    if all.len() > MOST {
        all.sort_by_key(|(_, tensor)| std::cmp::Reverse(tensor.values));
        all.truncate(MOST);
        all.sort_by_key(|(index, _)| *index);
    }
    all
}

/// The trial that is shown first: the advised one, or else the one that lost least.
fn first(sweep: &Sweep, index: usize, tensor: &Tensor) -> Option<usize> {
    let advised = sweep.advice(index).and_then(|advice| advice.trial);
    advised.or_else(|| {
        let all = tensor.outcomes().map(|(trial, _, outcome)| (trial, outcome.sqnr));
        all.max_by(|a, b| a.1.total_cmp(&b.1)).map(|(trial, _)| trial)
    })
}

pub(super) fn section(sweep: &Sweep) -> String {
    let shown = shown(sweep);
    if shown.is_empty() {
        return String::new();
    }
    let tried = sweep.tensors.iter().filter(|tensor| tensor.outcomes().next().is_some()).count();
    let left = if tried > shown.len() {
        format!(" These are the {} largest of {tried}; the table above has all.", shown.len())
    } else {
        String::new()
    };
    let mut html = format!(
        "<section aria-labelledby=\"tensors\">\n<h2 id=\"tensors\">Tensor by tensor</h2>\n\
         <p class=\"lead\">Errors and codes at the advised precision and method\
         <span class=\"scripted\">, or at any other that was tried</span>.{left}</p>\n"
    );
    // A few can lie open; of many, the first.
    let open = if shown.len() <= 8 { shown.len() } else { 1 };
    for (place, (index, tensor)) in shown.into_iter().enumerate() {
        html.push_str(&one(sweep, index, tensor, place < open).unwrap_or_default());
    }
    html + "</section>\n"
}

fn one(sweep: &Sweep, index: usize, tensor: &Tensor, open: bool) -> Option<String> {
    let first = first(sweep, index, tensor)?;
    let (trial, outcome) = tensor.outcome(first)?;
    let label = sweep.label(trial.precision, trial.method);
    let advice = sweep.advice(index);
    let said = match advice {
        Some(advice) if advice.trial.is_some() => format!("{label}: {}", advice.reason),
        Some(advice) => format!("Keep the floats: {}", advice.reason),
        None => String::new(),
    };
    let errors = Shown::new(&outcome.errors, Of::Errors, &label).svg(Of::Errors);
    let codes = Shown::new(&outcome.codes, Of::Codes, &label).svg(Of::Codes);
    let channels = channels::plot(sweep, tensor, trial.method)
        .map(|plot| {
            format!(
                "<figure>{plot}<figcaption>Worst channel (marker), median (bar) and best, by {}\
                 </figcaption></figure>\n",
                escape(sweep.method(trial.method))
            )
        })
        .unwrap_or_default();
    Some(format!(
        "<details class=\"card tensor\"{}>\n<summary><h3>{}</h3> <span class=\"meta\">{}, {}</span>\
         </summary>\n<p>{}</p>\n{}\
         <div class=\"panels\" data-tensor=\"{index}\">\n\
         <figure>{errors}<figcaption>Errors, <span class=\"which\">{label}</span>; the bins at \
         the ends hold all beyond</figcaption>\
         </figure>\n\
         <figure>{codes}<figcaption>Codes, <span class=\"which\">{label}</span></figcaption>\
         </figure>\n{channels}</div>\n{}</details>\n",
        if open { " open" } else { "" },
        escape(&tensor.name),
        escape(&dims(&tensor.dims)),
        plural(tensor.values, "value"),
        escape(&said),
        selector(sweep, index, tensor, first),
        details(
            "Everything that was tried",
            &table(sweep, tensor, advice.and_then(|it| it.trial)),
            false
        ),
        label = escape(&label),
    ))
}

/// The choice of another trial, for those with a script.
fn selector(sweep: &Sweep, index: usize, tensor: &Tensor, first: usize) -> String {
    let mut options = String::new();
    for (trial, tried, outcome) in tensor.outcomes() {
        options.push_str(&format!(
            "<option value=\"{trial}\"{}>{} ({})</option>\n",
            if trial == first { " selected" } else { "" },
            escape(&sweep.label(tried.precision, tried.method)),
            escape(&decibels(outcome.sqnr))
        ));
    }
    format!(
        "<p class=\"scripted\"><label>Show <select data-tensor=\"{index}\" autocomplete=\"off\">\n\
         {options}</select></label></p>\n"
    )
}

fn table(sweep: &Sweep, tensor: &Tensor, advised: Option<usize>) -> String {
    let mut table = Table::new(
        &format!("{}: everything that was tried", tensor.name),
        1,
        &[
            "Precision, method",
            "Planes, bytes",
            "Resident, bytes",
            "Wire, bytes",
            "Smaller",
            "SQNR, dB",
            "MSE",
            "Median error",
            "95 % below",
            "99 % below",
            "Largest error",
            "Saturated",
            "To zero",
            "Entropy, bits",
            "Worst channels",
            "Quantize",
            "Dequantize",
        ],
    );
    for (index, trial) in tensor.trials.iter().enumerate() {
        let class = if advised == Some(index) { "best" } else { "" };
        let label = sweep.label(trial.precision, trial.method);
        match &trial.outcome {
            Ok(outcome) => table.row(class, &cells(label, tensor, trial, outcome)),
            Err(reason) => table.row("", &[format!("{label}: {reason}")]),
        }
    }
    table.finish()
}

fn cells(label: String, tensor: &Tensor, _: &Trial, outcome: &Outcome) -> Vec<String> {
    let saturated = outcome.saturated.0.saturating_add(outcome.saturated.1);
    let channels = match &outcome.channels {
        Some(channels) => {
            let worst = channels.worst.iter().take(3);
            let texts: Vec<String> =
                worst.map(|(channel, lost)| format!("{channel}: {}", ratio(*lost))).collect();
            texts.join(", ")
        }
        None => "–".to_owned(),
    };
    let [median, most, nearly_all] = outcome.quantiles;
    vec![
        label,
        count(outcome.planes),
        count(outcome.resident),
        count(outcome.wire),
        times(tensor.float_wire, outcome.wire),
        ratio(outcome.sqnr),
        number(outcome.mse),
        number(median),
        number(most),
        number(nearly_all),
        number(outcome.max_error),
        percent(saturated, tensor.values),
        percent(outcome.flushed, tensor.values),
        number(outcome.entropy),
        channels,
        seconds(outcome.quantize_time),
        seconds(outcome.dequantize_time),
    ]
}

/// The histograms of all that was tried, for the script: by tensor, then by trial, a label and two
/// histograms.
pub(super) fn data(sweep: &Sweep) -> String {
    let mut tensors = Vec::new();
    for (index, tensor) in shown(sweep) {
        let mut trials = Vec::new();
        for (trial, tried, outcome) in tensor.outcomes() {
            let label = sweep.label(tried.precision, tried.method);
            trials.push(format!(
                "\"{trial}\":[{},{},{}]",
                super::markup::json_text(&label),
                Shown::new(&outcome.errors, Of::Errors, &label).json(),
                Shown::new(&outcome.codes, Of::Codes, &label).json()
            ));
        }
        tensors.push(format!("\"{index}\":{{{}}}", trials.join(",\n")));
    }
    format!("<script type=\"application/json\" id=\"data\">{{{}}}</script>\n", tensors.join(",\n"))
}
