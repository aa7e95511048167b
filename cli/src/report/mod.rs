//! The report of a sweep: one HTML page that needs nothing but itself.
//!
//! Every plot is drawn here, so that the page says all it has to say without its script, which adds
//! the choice of other histograms and tooltips. A policy in the page lets no other script run and
//! nothing be fetched.

mod axis;
mod bars;
mod channels;
mod front;
mod histogram;
mod markup;
mod plot;
mod tensors;

use crate::sweep::format::{bytes, count, decibels, joules, plural, seconds, times};
use crate::sweep::model::Sweep;
use bars::Bars;
use markup::{Table, details, escape};
use std::hash::{BuildHasher, Hasher, RandomState};

/// The page.
pub(crate) fn page(sweep: &Sweep) -> String {
    // What nobody who names a tensor can know.
    let nonce = format!("{:016x}", RandomState::new().build_hasher().finish());
    let title = format!("{} — quantization sweep", sweep.file);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; img-src data:; base-uri 'none'; \
         form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{}</title>\n<link rel=\"icon\" href=\"data:,\">\n\
         <style nonce=\"{nonce}\">\n{}</style>\n</head>\n<body>\n\
         <a class=\"skip\" href=\"#tensors\">Skip to the tensors</a>\n\
         {}{}{}{}{}{}\
         <div id=\"tip\" hidden></div>\n\
         {}<script nonce=\"{nonce}\">\n{}</script>\n</body>\n</html>\n",
        escape(&title),
        include_str!("style.css"),
        header(sweep),
        "<main>\n",
        recommendation(sweep),
        overview(sweep),
        costs(sweep),
        tensors::section(sweep) + "</main>\n" + &footer(sweep),
        tensors::data(sweep),
        include_str!("script.js"),
    )
}

fn header(sweep: &Sweep) -> String {
    let values = sweep.tensors.iter().fold(0_u64, |sum, it| sum.saturating_add(it.values));
    let tensors = u64::try_from(sweep.tensors.len()).unwrap_or(u64::MAX);
    format!(
        "<header>\n<p class=\"kind\">Quantization sweep</p>\n<h1>{}</h1>\n<p class=\"meta\">{}, {} of \
         floats, {} on the wire</p>\n</header>\n",
        escape(&sweep.file),
        plural(tensors, "tensor") + ", " + &plural(values, "value"),
        bytes(sweep.float()),
        bytes(sweep.float_wire())
    )
}

fn recommendation(sweep: &Sweep) -> String {
    let advice = &sweep.recommendation;
    let tile = |value: String, words: String| {
        format!(
            "<div class=\"tile\"><dt>{}</dt><dd>{}</dd></div>\n",
            escape(&words),
            escape(&value)
        )
    };
    let quantized = advice.tensors.iter().filter(|it| it.trial.is_some()).count();
    let mut tiles = String::new();
    if quantized > 0 {
        tiles.push_str(&tile(
            times(sweep.float_wire(), advice.wire),
            format!("smaller: {} instead of {}", bytes(advice.wire), bytes(sweep.float_wire())),
        ));
        tiles.push_str(&tile(
            decibels(advice.sqnr),
            match advice.sqnr {
                f64::INFINITY => format!("nothing is lost; {} wanted", sweep.wanted()),
                _ => format!("signal to quantization noise; {} wanted", sweep.wanted()),
            },
        ));
    }
    tiles.push_str(&tile(
        format!("{quantized} of {}", sweep.tensors.len()),
        match quantized {
            0 => "tensors quantized; all stay floats",
            all if all == sweep.tensors.len() => "tensors quantized",
            _ => "tensors quantized; the others stay floats",
        }
        .to_owned(),
    ));
    let reasons: String =
        advice.reasons.iter().map(|reason| format!("<li>{}</li>\n", escape(reason))).collect();
    format!(
        "<section class=\"card advice\" aria-labelledby=\"recommendation\">\n\
         <h2 id=\"recommendation\">Recommendation</h2>\n<p class=\"headline\">{}</p>\n\
         <dl class=\"tiles\">\n{tiles}</dl>\n<ul class=\"reasons\">\n{reasons}</ul>\n{}</section>\n",
        escape(&advice.headline),
        tensors::advice(sweep)
    )
}

fn overview(sweep: &Sweep) -> String {
    if sweep.totals.is_empty() {
        return String::new();
    }
    format!(
        "<section class=\"card\" aria-labelledby=\"front\">\n\
         <h2 id=\"front\">Loss against size</h2>\n\
         <p>All tensors together, the ones left as floats included in the size. Up and to the left is \
         better: the line joins the combinations that no other one beats in both, the Pareto front.\
         </p>\n{}{}{}</section>\n",
        front::legend(sweep),
        front::plots(sweep),
        details("The numbers behind the plot", &front::table(sweep), false)
    )
}

/// Time and energy.
fn costs(sweep: &Sweep) -> String {
    if sweep.totals.is_empty() {
        return String::new();
    }
    let plots = [
        Bars {
            title: "time to choose and quantize",
            value: |total| total.quantize_time,
            format: seconds,
            reference: None,
            class: "time",
        },
        Bars {
            title: "time to dequantize",
            value: |total| total.dequantize_time,
            format: seconds,
            reference: None,
            class: "time",
        },
        Bars {
            title: "energy to fetch and dequantize, modeled",
            value: |total| total.energy,
            format: joules,
            reference: Some((sweep.float_energy, "fetching the floats")),
            class: "energy",
        },
        Bars {
            title: "energy to dequantize, measured",
            value: |total| total.measured.unwrap_or(f64::NAN),
            format: joules,
            reference: None,
            class: "energy measured",
        },
    ];
    let shown =
        plots.iter().filter(|bars| sweep.unmeasured.is_none() || !bars.class.contains("measured"));
    let plots: String =
        shown.map(|it| format!("<figure>{}</figure>\n", bars::plot(sweep, it))).collect();
    let measured = match &sweep.unmeasured {
        Some(reason) => format!("Energy measured: unavailable ({reason})."),
        None => {
            "What was measured is what the processor's packages took beyond what they take idle."
                .to_owned()
        }
    };
    let mut table = Table::new(
        "Time and energy for all tensors together",
        1,
        &["Precision, method", "Quantize", "Dequantize", "Energy, modeled", "Energy, measured"],
    );
    for total in &sweep.totals {
        table.row(
            "",
            &[
                sweep.label(total.precision, total.method),
                seconds(total.quantize_time),
                seconds(total.dequantize_time),
                joules(total.energy),
                total.measured.map_or_else(|| "unavailable".to_owned(), joules),
            ],
        );
    }
    format!(
        "<section class=\"card\" aria-labelledby=\"costs\">\n<h2 id=\"costs\">Time and energy</h2>\n\
         <p>Times are of this machine, one thread, for all tensors that are quantized. The model of \
         energy counts bytes from memory and operations, each at its price in a 45 nm process (Horowitz, \
         ISSCC 2014). {}</p>\n{}<div class=\"panels\">\n{plots}</div>\n{}\
         </section>\n",
        escape(&measured),
        front::legend_of_colors(sweep),
        details("The numbers behind the bars", &table.finish(), false)
    )
}

fn footer(sweep: &Sweep) -> String {
    format!(
        "<footer><p>SQNR is 10 log<sub>10</sub>(Σx² / Σe²) for values x and their errors e. Smaller \
         and wire count serialized blobs, {} of them. caffe2_qtensor {}.</p></footer>\n",
        count(u64::try_from(sweep.tensors.len()).unwrap_or(u64::MAX)),
        env!("CARGO_PKG_VERSION")
    )
}

#[cfg(test)]
mod tests {
    /// The luminance of a color, from 0 to 1. Source: WCAG 2.1, "relative luminance".
    fn luminance(color: &str) -> f64 {
        let part = |at: usize| {
            let digits = color.get(at..at.saturating_add(2)).unwrap_or("zz");
            let value = f64::from(u8::from_str_radix(digits, 16).unwrap_or(0)) / 255.0;
            if value <= 0.03928 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5)
    }

    /// The contrast of two colors, from 1 to 21. Source: the same.
    fn contrast(one: &str, other: &str) -> f64 {
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    #[test]
    fn colors_can_be_told_from_what_is_behind_them_in_both_schemes() {
        let style = include_str!("style.css");
        let schemes: Vec<&str> = style.split(":root {").skip(1).take(2).collect();
        assert_eq!(schemes.len(), 2);
        for scheme in schemes {
            let color = |name: &str| {
                let from = scheme.find(&format!("--{name}: #")).unwrap_or(0);
                let text = scheme.get(from..).and_then(|rest| rest.split("#").nth(1));
                let color = format!("#{}", text.and_then(|text| text.get(..6)).unwrap_or_default());
                assert!(scheme.contains(&format!("--{name}: {color};")), "{name} in {scheme}");
                color
            };
            for behind in ["page", "card", "good"] {
                for text in ["ink", "soft"] {
                    let found = contrast(&color(text), &color(behind));
                    assert!(found >= 4.5, "{text} on {behind}: {found:.2} in {scheme}");
                }
            }
            for text in ["accent", "wanted"] {
                let found = contrast(&color(text), &color("card"));
                assert!(found >= 4.5, "{text}: {found:.2} in {scheme}");
            }
            for method in 0..8 {
                let found = contrast(&color(&format!("m{method}")), &color("card"));
                assert!(found >= 3.0, "method {method}: {found:.2} in {scheme}");
            }
        }
    }
}
