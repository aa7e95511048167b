//! Histograms of errors and of codes, and what of them changes with precision and method.

use super::axis::Axis;
use super::markup::json_text;
use super::plot::{Plot, Tick, ticks};
use crate::sweep::format::number;
use crate::sweep::model::Histogram;

const PLOT: Plot =
    Plot { width: 350.0, height: 230.0, left: 50.0, right: 16.0, top: 30.0, bottom: 46.0 };

/// What changes: the bars, the ticks and the text for those who do not see them. The page's script
/// puts another one's into the same plot.
pub(super) struct Shown {
    bars: String,
    x: Vec<Tick>,
    y: Vec<Tick>,
    text: String,
}

/// What a histogram counts.
#[derive(Clone, Copy)]
pub(super) enum Of {
    Errors,
    Codes,
}

impl Of {
    fn title(self) -> &'static str {
        match self {
            Of::Errors => "error: value from the code − value",
            Of::Codes => "code",
        }
    }

    fn class(self) -> &'static str {
        match self {
            Of::Errors => "plot histogram errors",
            Of::Codes => "plot histogram codes",
        }
    }
}

impl Shown {
    pub(super) fn new(histogram: &Histogram, of: Of, label: &str) -> Shown {
        let bins = histogram.counts.len().max(1) as f64;
        let total: f64 = histogram.counts.iter().map(|count| *count as f64).sum();
        let most = histogram.counts.iter().fold(0.0_f64, |most, count| most.max(*count as f64));
        let share = |count: f64| if total > 0.0 { 100.0 * count / total } else { 0.0 };
        let peak = if most > 0.0 { share(most) } else { 1.0 };
        let y = Axis::linear((0.0, peak), PLOT.upward());
        let x = Axis::linear((histogram.low, histogram.high), PLOT.across());

        let (left, right) = PLOT.across();
        let (bottom, _) = PLOT.upward();
        let width = (right - left) / bins;
        // A few bars stand apart; many are one outline.
        let apart = width > 6.0;
        let mut bars = if apart { String::new() } else { format!("M{left:.0} {bottom:.0}") };
        for (index, count) in histogram.counts.iter().enumerate() {
            let from = left + width * index as f64;
            // What is there at all can be seen.
            let top = match count {
                0 => bottom,
                _ => y.at(share(*count as f64)).min(bottom - 1.0),
            };
            bars.push_str(&match apart {
                true if *count == 0 => String::new(),
                true => format!(
                    "M{:.1} {bottom:.0}V{top:.1}H{:.1}V{bottom:.0}Z",
                    from + 0.5,
                    from + width - 0.5
                ),
                false => format!("V{top:.1}H{:.1}", from + width),
            });
        }
        if !apart {
            bars.push_str(&format!("V{bottom:.0}Z"));
        }
        let what = match of {
            Of::Errors => "errors",
            Of::Codes => "codes",
        };
        let used = histogram.counts.iter().filter(|count| **count > 0).count();
        let text = format!(
            "Histogram of {what}, {label}: from {} to {} in {} bins, {used} of them in use; the \
             fullest has {:.1} % of the values.",
            number(histogram.low),
            number(histogram.high),
            histogram.counts.len(),
            share(most)
        );
        let whole = |tick: &Tick| match of {
            Of::Errors => true,
            Of::Codes => !tick.1.contains('.'),
        };
        let x = ticks(&x, 5.0).into_iter().filter(whole).collect();
        Shown { bars, x, y: ticks(&y, 5.0), text }
    }

    pub(super) fn svg(&self, of: Of) -> String {
        let content = PLOT.beside(&self.y, "% of the values")
            + &format!("<path class=\"bars\" d=\"{}\"/>\n", self.bars)
            + &PLOT.below(&self.x, of.title());
        PLOT.svg(of.class(), "img", &self.text, &content)
    }

    /// The same for the script: `[text, bars, [[pixel, text]...], [[pixel, text]...]]`.
    pub(super) fn json(&self) -> String {
        let ticks = |ticks: &[Tick]| {
            let texts: Vec<String> =
                ticks.iter().map(|(at, text)| format!("[{at:.1},{}]", json_text(text))).collect();
            texts.join(",")
        };
        format!(
            "[{},\"{}\",[{}],[{}]]",
            json_text(&self.text),
            self.bars,
            ticks(&self.x),
            ticks(&self.y)
        )
    }
}
