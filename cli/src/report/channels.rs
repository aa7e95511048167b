//! What the channels of a tensor lost: the worst of them, the middle and the best, for each
//! precision.

use super::axis::Axis;
use super::markup::escape;
use super::plot::{Plot, color, marker, ticks};
use crate::sweep::format::decibels;
use crate::sweep::model::{Channels, Sweep, Tensor};

const PLOT: Plot =
    Plot { width: 350.0, height: 230.0, left: 50.0, right: 16.0, top: 30.0, bottom: 46.0 };

/// The least ratio that has a place.
const LEAST: f64 = -20.0;

/// The plot for one method, or nothing where there are no channels.
pub(super) fn plot(sweep: &Sweep, tensor: &Tensor, method: usize) -> Option<String> {
    let all: Vec<(u8, &Channels)> = tensor
        .outcomes()
        .filter(|(_, trial, _)| trial.method == method)
        .filter_map(|(_, trial, outcome)| Some((trial.precision, outcome.channels.as_ref()?)))
        .collect();
    let (_, first) = all.first()?;
    let ratios = || {
        let of = |(_, channels): &(u8, &Channels)| [worst(channels).1, channels.best];
        all.iter().flat_map(of).filter(|ratio| ratio.is_finite())
    };
    let high = ratios().fold(sweep.threshold, f64::max);
    // A channel of next to nothing would press all others together: its number is written instead.
    let low = ratios().fold(0.0, f64::min).max(LEAST);
    let y =
        Axis::linear((5.0 * (low / 5.0).floor(), 5.0 * (high / 5.0 + 0.2).ceil()), PLOT.upward());

    let (left, right) = PLOT.across();
    let step = (right - left) / all.len() as f64;
    let mut content = String::new();
    let mut precisions = Vec::new();
    let mut words = Vec::new();
    let wanted = y.at(sweep.threshold);
    content
        .push_str(&format!("<path class=\"wanted\" d=\"M{left:.1} {wanted:.1}H{right:.1}\"/>\n"));
    for (index, (precision, channels)) in all.iter().enumerate() {
        let x = left + step * (index as f64 + 0.5);
        let (channel, ratio) = worst(channels);
        let (bottom, middle, top) = (y.at(ratio), y.at(channels.median), y.at(channels.best));
        let text = format!(
            "{}: worst is channel {channel} with {}, median {}, best {}",
            sweep.label(*precision, method),
            decibels(ratio),
            decibels(channels.median),
            decibels(channels.best)
        );
        let reach = (0.28 * step).min(14.0);
        content.push_str(&format!(
            "<g class=\"span {color}\"><title>{}</title>\
             <path class=\"stem\" d=\"M{x:.1} {bottom:.1}V{top:.1}\"/>\
             <path class=\"median\" d=\"M{:.1} {middle:.1}H{:.1}\"/>\
             <path class=\"{color} filled\" transform=\"translate({x:.1} {bottom:.1})\" d=\"{}\"/>\
             </g>\n",
            escape(&text),
            x - reach,
            x + reach,
            marker(method),
            color = color(method),
        ));
        if ratio < LEAST {
            content.push_str(&format!(
                "<text class=\"label\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\n",
                bottom - 12.0,
                format!("{ratio:.0}").replace('-', "−")
            ));
        }
        precisions.push((x, precision.to_string()));
        words.push(text);
    }
    let title = format!("bits, by {}", sweep.method(method));
    let axes = PLOT.beside(&ticks(&y, 5.0), "SQNR in dB") + &PLOT.below(&precisions, &title);
    let text = format!(
        "What the {} channels of axis {} lost. {}.",
        first.count,
        first.axis,
        words.join(". ")
    );
    Some(PLOT.svg("plot channels", "img", &text, &(axes + &content)))
}

/// The channel that lost most.
fn worst(channels: &Channels) -> (u64, f64) {
    channels.worst.first().copied().unwrap_or((0, f64::NAN))
}
