//! What all plots share: their frame, their axes, the shapes and colors of methods.
//!
//! Colors, line widths and letters are the style sheet's: here are only places and classes.

use super::axis::{Axis, tick_texts};
use super::markup::escape;

/// A plot's size and the margins around its data, in pixels.
#[derive(Clone, Copy)]
pub(super) struct Plot {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
}

/// A tick: its pixel and its text.
pub(super) type Tick = (f64, String);

/// Shapes around (0, 0), one a method, so that nothing is told by its color alone.
const MARKERS: [&str; 8] = [
    "M-6 0a6 6 0 1 0 12 0a6 6 0 1 0-12 0Z",
    "M-5.5-5.5H5.5V5.5H-5.5Z",
    "M0-7L6.6 5H-6.6Z",
    "M0-7.2L7.2 0L0 7.2L-7.2 0Z",
    "M0 7L6.6-5H-6.6Z",
    "M-2.4-7H2.4V-2.4H7V2.4H2.4V7H-2.4V2.4H-7V-2.4H-2.4Z",
    "M-6.6-2.2L0-7L6.6-2.2L4.1 5.6H-4.1Z",
    "M-6.5-4L0-7.4L6.5-4V4L0 7.4L-6.5 4Z",
];

/// The shape of a method's points.
pub(super) fn marker(method: usize) -> &'static str {
    MARKERS.iter().cycle().nth(method).copied().unwrap_or_default()
}

/// The class that gives a method its color.
pub(super) fn color(method: usize) -> String {
    // Where the shapes begin again, the colors are others.
    let round = method.checked_div(MARKERS.len()).unwrap_or(0);
    let place = method.saturating_add(round).checked_rem(MARKERS.len()).unwrap_or(0);
    format!("m{place}")
}

impl Plot {
    /// The pixels of the data from left to right.
    pub(super) fn across(&self) -> (f64, f64) {
        (self.left, self.width - self.right)
    }

    /// The pixels of the data from bottom to top.
    pub(super) fn upward(&self) -> (f64, f64) {
        (self.height - self.bottom, self.top)
    }

    /// The element, with a text for those who do not see it.
    pub(super) fn svg(&self, class: &str, role: &str, text: &str, content: &str) -> String {
        format!(
            "<svg class=\"{class}\" viewBox=\"0 0 {:.0} {:.0}\" role=\"{role}\" \
             aria-label=\"{}\">\n{content}</svg>\n",
            self.width,
            self.height,
            escape(text)
        )
    }

    /// The horizontal axis: ticks below the plot and a title below them.
    pub(super) fn below(&self, ticks: &[Tick], title: &str) -> String {
        let (bottom, _) = self.upward();
        let (left, right) = self.across();
        format!(
            "<path class=\"axis\" d=\"M{left:.1} {bottom:.1}H{right:.1}\"/>\n\
             <g class=\"x\">{}</g>\n\
             <text class=\"title\" x=\"{right:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\n",
            self.x_ticks(ticks),
            self.height - 6.0,
            escape(title)
        )
    }

    fn x_ticks(&self, ticks: &[Tick]) -> String {
        let (bottom, _) = self.upward();
        let text = |(at, text): &Tick| {
            format!(
                "<text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                bottom + 18.0,
                escape(text)
            )
        };
        ticks.iter().map(text).collect()
    }

    /// The vertical axis: lines through the plot with texts on their left, and a title above.
    pub(super) fn beside(&self, ticks: &[Tick], title: &str) -> String {
        let (left, right) = self.across();
        let tick = |(at, text): &Tick| {
            format!(
                "<path class=\"grid\" d=\"M{left:.1} {at:.1}H{right:.1}\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                left - 8.0,
                at + 4.0,
                escape(text)
            )
        };
        let ticks: String = ticks.iter().map(tick).collect();
        format!(
            "<g class=\"y\">{ticks}</g>\n<text class=\"title\" x=\"4\" y=\"14\">{}</text>\n",
            escape(title)
        )
    }
}

/// Round ticks of an axis with their texts.
pub(super) fn ticks(axis: &Axis, most: f64) -> Vec<Tick> {
    let values = axis.ticks(most);
    let places = values.iter().map(|value| axis.at(*value));
    places.zip(tick_texts(&values)).collect()
}

/// A box around something drawn, so that nothing is written over it.
#[derive(Clone, Copy)]
pub(super) struct Extent {
    left: f64,
    top: f64,
    right: f64,
    bottom: f64,
}

impl Extent {
    pub(super) fn around(x: f64, y: f64, reach: f64) -> Extent {
        Extent { left: x - reach, top: y - reach, right: x + reach, bottom: y + reach }
    }

    /// The box of a line of text, of about this width, that stands on (x, y).
    pub(super) fn of_text(x: f64, y: f64, anchor: &str, text: &str) -> Extent {
        let width = 7.0 * text.chars().count() as f64;
        let left = match anchor {
            "start" => x,
            "end" => x - width,
            _ => x - width / 2.0,
        };
        Extent { left, top: y - 11.0, right: left + width, bottom: y + 4.0 }
    }

    pub(super) fn meets(&self, other: &Extent) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }

    pub(super) fn within(&self, plot: &Plot) -> bool {
        let ((left, right), (bottom, top)) = (plot.across(), plot.upward());
        self.left >= left && self.right <= right && self.top >= top && self.bottom <= bottom
    }
}
