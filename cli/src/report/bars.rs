//! Bars of what the totals take in time and in energy, in groups of a precision.

use super::axis::Axis;
use super::markup::escape;
use super::plot::{Plot, Tick, color};
use crate::sweep::model::{Sweep, Total};

const PLOT: Plot =
    Plot { width: 350.0, height: 250.0, left: 62.0, right: 12.0, top: 30.0, bottom: 46.0 };

/// What is plotted: of a total its number, as it is written, and a line to compare it with.
pub(super) struct Bars<'a> {
    pub(super) title: &'a str,
    pub(super) value: fn(&Total) -> f64,
    pub(super) format: fn(f64) -> String,
    pub(super) reference: Option<(f64, &'a str)>,
    /// The class that tells one plot from the others.
    pub(super) class: &'a str,
}

pub(super) fn plot(sweep: &Sweep, bars: &Bars) -> String {
    let highest = sweep
        .totals
        .iter()
        .map(bars.value)
        .chain(bars.reference.map(|(value, _)| value))
        .filter(|value| value.is_finite())
        .fold(0.0, f64::max);
    let highest = if highest > 0.0 { highest } else { 1e-9 };
    // Room for the words above a line.
    let y = Axis::linear((0.0, 1.08 * highest), PLOT.upward());
    let ticks: Vec<Tick> =
        y.ticks(6.0).into_iter().map(|tick| (y.at(tick), (bars.format)(tick))).collect();
    let mut content = PLOT.beside(&short(ticks), bars.title);

    let (left, right) = PLOT.across();
    let (bottom, _) = PLOT.upward();
    let group = (right - left) / sweep.precisions.len().max(1) as f64;
    let width = (0.8 * group / sweep.methods.len().max(1) as f64).min(26.0);
    let mut below = Vec::new();
    let mut words = Vec::new();
    for (place, precision) in sweep.precisions.iter().enumerate() {
        let middle = left + group * (place as f64 + 0.5);
        let first = middle - width * sweep.methods.len() as f64 / 2.0;
        below.push((middle, precision.to_string()));
        for total in sweep.totals.iter().filter(|total| total.precision == *precision) {
            let value = (bars.value)(total);
            if !value.is_finite() {
                continue;
            }
            let text =
                format!("{}: {}", sweep.label(total.precision, total.method), (bars.format)(value));
            let x = first + width * total.method as f64;
            let top = y.at(value).min(bottom - 1.0);
            content.push_str(&format!(
                "<path class=\"bar {}\" d=\"M{:.1} {bottom:.1}V{top:.1}H{:.1}V{bottom:.1}Z\">\
                 <title>{}</title></path>\n",
                color(total.method),
                x + 0.5,
                x + width - 0.5,
                escape(&text)
            ));
            words.push(text);
        }
    }
    if let Some((value, words)) = bars.reference {
        let at = y.at(value);
        content.push_str(&format!(
            "<path class=\"wanted\" d=\"M{left:.1} {at:.1}H{right:.1}\"/>\n\
             <text class=\"wanted\" x=\"{:.1}\" y=\"{:.1}\">{}</text>\n",
            left + 4.0,
            at - 5.0,
            escape(&format!("{words}: {}", (bars.format)(value)))
        ));
    }
    content.push_str(&PLOT.below(&below, "bits"));
    let text = format!("{}. {}.", bars.title, words.join("; "));
    PLOT.svg(&format!("plot bars {}", bars.class), "img", &text, &content)
}

/// Ticks without the zeros that a number of three digits ends in.
fn short(ticks: Vec<Tick>) -> Vec<Tick> {
    let shorter = |(at, text): Tick| {
        let Some((digits, unit)) = text.split_once('\u{a0}') else { return (at, text) };
        let digits = match digits.contains('.') {
            true => digits.trim_end_matches('0').trim_end_matches('.'),
            false => digits,
        };
        (at, if digits == "0" { "0".to_owned() } else { format!("{digits}\u{a0}{unit}") })
    };
    ticks.into_iter().map(shorter).collect()
}
