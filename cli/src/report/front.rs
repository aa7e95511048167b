//! The plot of what is lost against what it takes, with the front of the totals that no other one
//! beats in both.

use super::axis::Axis;
use super::markup::{Table, escape};
use super::plot::{Extent, Plot, Tick, color, marker, ticks};
use crate::sweep::format::{bytes, count, decibels, number, ratio, times};
use crate::sweep::model::{Sweep, Total};

const WIDE: Plot =
    Plot { width: 1080.0, height: 480.0, left: 52.0, right: 24.0, top: 30.0, bottom: 46.0 };
const MIDDLE: Plot =
    Plot { width: 720.0, height: 440.0, left: 48.0, right: 20.0, top: 30.0, bottom: 46.0 };
const NARROW: Plot =
    Plot { width: 350.0, height: 400.0, left: 40.0, right: 14.0, top: 30.0, bottom: 46.0 };

/// The plot in three sizes, of which the style sheet shows the one that fits: letters stay as large.
pub(super) fn plots(sweep: &Sweep) -> String {
    plot(sweep, &WIDE, "wide") + &plot(sweep, &MIDDLE, "middle") + &plot(sweep, &NARROW, "narrow")
}

/// What the points' shapes mean.
pub(super) fn legend(sweep: &Sweep) -> String {
    let mut items: String = (0..sweep.methods.len())
        .map(|method| key(&color(method), "filled", marker(method), sweep.method(method)))
        .collect();
    items.push_str(&key("", "hollow", marker(0), "hollow: another is smaller and better"));
    if sweep.recommendation.total.is_some() {
        items.push_str(&key("", "chosen", "M-8 0a8 8 0 1 0 16 0a8 8 0 1 0-16 0Z", "recommended"));
    }
    format!("<ul class=\"legend\" aria-label=\"Legend\">\n{items}</ul>\n")
}

/// What the bars' colors mean.
pub(super) fn legend_of_colors(sweep: &Sweep) -> String {
    let items: String = (0..sweep.methods.len())
        .map(|method| key(&color(method), "filled", "M-5-7H5V7H-5Z", sweep.method(method)))
        .collect();
    format!("<ul class=\"legend\" aria-label=\"Legend, in the order of the bars\">\n{items}</ul>\n")
}

fn key(color: &str, fill: &str, shape: &str, words: &str) -> String {
    format!(
        "<li><svg class=\"key\" viewBox=\"-9 -9 18 18\" aria-hidden=\"true\">\
         <path class=\"{color} {fill}\" d=\"{shape}\"/></svg>{}</li>\n",
        escape(words)
    )
}

fn plot(sweep: &Sweep, plot: &Plot, class: &str) -> String {
    let finite = |total: &Total| Some(total.sqnr).filter(|sqnr| sqnr.is_finite());
    let ratios = || sweep.totals.iter().filter_map(finite);
    let best = ratios().fold(sweep.threshold, f64::max);
    let least = ratios().fold(0.0, f64::min);
    // What lost nothing has a line of its own above all numbers.
    let any_exact = sweep.totals.iter().any(|total| total.sqnr == f64::INFINITY);
    let high = 10.0 * ((best + 4.0) / 10.0).ceil() + if any_exact { 10.0 } else { 0.0 };
    let y = Axis::linear((10.0 * (least / 10.0).floor(), high), plot.upward());
    let sizes = || sweep.totals.iter().map(|total| total.wire as f64);
    let largest = sizes().fold(1.0, f64::max);
    let smallest = sizes().fold(largest, f64::min);
    // Room for the points at both ends.
    let x = Axis::logarithmic((smallest / 1.15, largest * 1.15), plot.across());

    let byte_ticks: Vec<Tick> = x
        .ticks((plot.width / 90.0).floor())
        .into_iter()
        .map(|tick| (x.at(tick), axis_bytes(tick)))
        .collect();
    let mut ratio_ticks = ticks(&y, 7.0);
    if any_exact {
        ratio_ticks.retain(|(at, _)| *at > y.at(high) + 20.0);
        ratio_ticks.push((y.at(high), "exact".to_owned()));
    }
    let mut content = plot.beside(&ratio_ticks, "SQNR in dB");
    content.push_str(&plot.below(&byte_ticks, "size on the wire, logarithmic"));

    let (left, right) = plot.across();
    let wanted = y.at(sweep.threshold);
    let words = format!("{} wanted", sweep.wanted());
    content.push_str(&format!(
        "<path class=\"wanted\" d=\"M{left:.1} {wanted:.1}H{right:.1}\"/>\n\
         <text class=\"wanted\" x=\"{:.1}\" y=\"{:.1}\">{words}</text>\n",
        left + 6.0,
        wanted - 6.0
    ));

    let place = |total: &Total| (x.at(total.wire as f64), y.at(total.sqnr));
    let mut front: Vec<&Total> = sweep.totals.iter().filter(|total| total.front).collect();
    front.sort_by_key(|total| total.wire);
    let line: Vec<String> =
        front.iter().copied().map(place).map(|(x, y)| format!("{x:.1} {y:.1}")).collect();
    if line.len() > 1 {
        content.push_str(&format!("<path class=\"front\" d=\"M{}\"/>\n", line.join("L")));
    }

    let mut taken: Vec<Extent> =
        sweep.totals.iter().map(place).map(|(x, y)| Extent::around(x, y, 8.0)).collect();
    taken.push(Extent::of_text(left + 6.0, wanted - 6.0, "start", &words));
    // What is on the front is drawn above what is not.
    for on_front in [false, true] {
        for (index, total) in sweep.totals.iter().enumerate() {
            if total.front == on_front {
                let chosen = sweep.recommendation.total == Some(index);
                content.push_str(&point(sweep, total, chosen, place(total)));
            }
        }
    }
    // From the end where points are far apart, the best of each precision.
    let mut labeled = Vec::new();
    for total in front.iter().rev() {
        if !labeled.contains(&total.precision) {
            labeled.push(total.precision);
            content.push_str(&label(plot, total, place(total), &mut taken));
        }
    }
    let text = format!(
        "Signal-to-quantization-noise ratio against the size on the wire, for {} combinations of \
         precision and method; the table below has the numbers.",
        sweep.totals.len()
    );
    plot.svg(&format!("plot {class}"), "group", &text, &content)
}

/// Bytes at a tick, which are round.
fn axis_bytes(tick: f64) -> String {
    let units = [(1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")];
    let (unit, name) = units.into_iter().find(|(unit, _)| tick >= *unit).unwrap_or((1.0, "B"));
    let digits = format!("{:.1}", tick / unit);
    format!("{} {name}", digits.trim_end_matches('0').trim_end_matches('.'))
}

fn point(sweep: &Sweep, total: &Total, chosen: bool, (x, y): (f64, f64)) -> String {
    let text = format!(
        "{}: {} on the wire, {} smaller than floats; SQNR {}{}{}",
        sweep.label(total.precision, total.method),
        bytes(total.wire),
        times(sweep.float_wire(), total.wire),
        decibels(total.sqnr),
        if total.front { "; on the Pareto front" } else { "" },
        if chosen { "; recommended" } else { "" },
    );
    let ring = if chosen { "<circle class=\"chosen\" r=\"12\"/>" } else { "" };
    let fill = if total.front { "filled" } else { "hollow" };
    format!(
        "<g class=\"point\" tabindex=\"0\" role=\"img\" aria-label=\"{text}\" \
         transform=\"translate({x:.1} {y:.1})\"><title>{text}</title>\
         <circle class=\"hit\" r=\"12\"/>{ring}<path class=\"{} {fill}\" d=\"{}\"/></g>\n",
        color(total.method),
        marker(total.method),
        text = escape(&text),
    )
}

/// The precision of a point on the front, beside it, where there is room.
fn label(plot: &Plot, total: &Total, (x, y): (f64, f64), taken: &mut Vec<Extent>) -> String {
    let text = match total.precision {
        1 => "1 bit".to_owned(),
        bits => format!("{bits} bits"),
    };
    let places = [
        (x - 11.0, y - 9.0, "end"),
        (x + 12.0, y + 16.0, "start"),
        (x, y - 16.0, "middle"),
        (x - 14.0, y + 4.0, "end"),
        (x + 14.0, y + 4.0, "start"),
        (x, y + 24.0, "middle"),
    ];
    for (x, y, anchor) in places {
        let extent = Extent::of_text(x, y, anchor, &text);
        if extent.within(plot) && !taken.iter().any(|other| other.meets(&extent)) {
            taken.push(extent);
            return format!(
                "<text class=\"label\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}\
                 </text>\n"
            );
        }
    }
    String::new()
}

/// All totals as a table.
pub(super) fn table(sweep: &Sweep) -> String {
    let mut table = Table::new(
        "All tensors together, by precision and method",
        1,
        &[
            "Precision, method",
            "Tensors",
            "Planes, bytes",
            "Resident, bytes",
            "Wire, bytes",
            "Smaller",
            "SQNR, dB",
            "Worst tensor, dB",
            "MSE",
            "Largest error",
            "Pareto front",
        ],
    );
    for (index, total) in sweep.totals.iter().enumerate() {
        let class = if sweep.recommendation.total == Some(index) { "best" } else { "" };
        table.row(
            class,
            &[
                sweep.label(total.precision, total.method),
                count(total.tensors),
                count(total.planes),
                count(total.resident),
                count(total.wire),
                times(sweep.float_wire(), total.wire),
                ratio(total.sqnr),
                ratio(total.worst.0),
                number(total.mse),
                number(total.max_error),
                if total.front { "yes" } else { "no" }.to_owned(),
            ],
        );
    }
    table.finish()
}
