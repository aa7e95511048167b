//! What a sweep prints in the terminal: the totals, each tensor, and the recommendation.

use super::format::{bytes, count, dims, joules, number, plural, ratio, seconds, times};
use super::model::{Sweep, Tensor, Total, sum};
use crate::context::Context;
use crate::failure::Result;
use crate::table::{Side, Table};
use clap::builder::styling::Style;
use std::io::Write;

/// A column of the totals: its heading and its texts.
type Column = (&'static str, Side, fn(&Sweep, &Total) -> String);

/// The most important first: what has no room goes from the end.
const COLUMNS: [Column; 13] = [
    ("bits", Side::Right, |_, total| total.precision.to_string()),
    ("method", Side::Left, |sweep, total| sweep.method(total.method).to_owned()),
    ("wire", Side::Right, |_, total| bytes(total.wire)),
    ("smaller", Side::Right, |sweep, total| times(sweep.float_wire(), total.wire)),
    ("SQNR dB", Side::Right, |_, total| ratio(total.sqnr)),
    ("front", Side::Left, |_, total| if total.front { "*" } else { "" }.to_owned()),
    ("worst dB", Side::Right, |_, total| ratio(total.worst.0)),
    ("planes", Side::Right, |_, total| bytes(total.planes)),
    ("max error", Side::Right, |_, total| number(total.max_error)),
    ("quantize", Side::Right, |_, total| seconds(total.quantize_time)),
    ("dequantize", Side::Right, |_, total| seconds(total.dequantize_time)),
    ("energy (model)", Side::Right, |_, total| joules(total.energy)),
    ("energy (measured)", Side::Right, |_, total| {
        total.measured.map_or_else(|| "unavailable".to_owned(), joules)
    }),
];

/// Prints all of it in lines of at most `width` columns, where that can be done.
pub(super) fn print(
    sweep: &Sweep,
    context: &Context,
    width: usize,
    out: &mut impl Write,
) -> Result<()> {
    let bold = Style::new().bold();
    let values = sum(sweep.tensors.iter().map(|tensor| tensor.values));
    let tensors = u64::try_from(sweep.tensors.len()).unwrap_or(u64::MAX);
    let about = format!(
        "{}, {}, {} as floats on the wire",
        plural(tensors, "tensor"),
        plural(values, "value"),
        bytes(sweep.float_wire())
    );
    wrapped(out, &format!("{}: {about}", sweep.file), "", width)?;
    for tensor in &sweep.tensors {
        print_tensor(sweep, tensor, context, width, out)?;
    }
    if !sweep.totals.is_empty() {
        let words = "All tensors together; * is the Pareto front, which no other one beats in size \
                     and loss";
        writeln!(out)?;
        wrapped(out, words, "", width)?;
        let rows: Vec<Vec<String>> = sweep
            .totals
            .iter()
            .map(|total| COLUMNS.iter().map(|(_, _, text)| text(sweep, total)).collect())
            .collect();
        let columns = COLUMNS.map(|(name, side, _)| (name, side));
        print_table(&columns, rows, context, width, out)?;
        if let Some(reason) = &sweep.unmeasured {
            wrapped(out, &format!("Energy measured: unavailable ({reason})"), "  ", width)?;
        }
    }
    print_advice(sweep, context, width, out)?;
    let advice = &sweep.recommendation;
    writeln!(out)?;
    let headline = wrap(&advice.headline, "", width);
    writeln!(out, "{}", context.styled(bold, &headline))?;
    for reason in &advice.reasons {
        wrapped(out, &format!("- {reason}"), "  ", width)?;
    }
    Ok(())
}

/// A tensor: a row for each precision, and of each method what is left and what it takes.
fn print_tensor(
    sweep: &Sweep,
    tensor: &Tensor,
    context: &Context,
    width: usize,
    out: &mut impl Write,
) -> Result<()> {
    if tensor.outcomes().next().is_none() {
        return Ok(());
    }
    let heading = format!(
        "{}: {}, {} as floats on the wire; SQNR in dB and bytes on the wire",
        tensor.name,
        dims(&tensor.dims),
        count(tensor.float_wire)
    );
    writeln!(out)?;
    wrapped(out, &heading, "", width)?;
    // As many methods side by side as there is room for: each takes a ratio and a size.
    let side_by_side = (width.saturating_sub(4) / 22).max(1);
    let methods: Vec<usize> = (0..sweep.methods.len()).collect();
    for methods in methods.chunks(side_by_side) {
        let mut columns = vec![("bits", Side::Right)];
        for method in methods {
            columns.extend([(sweep.method(*method), Side::Right), ("wire", Side::Right)]);
        }
        let row = |precision: &u8| {
            let mut row = vec![precision.to_string()];
            for method in methods {
                let tried = tensor.tried(*precision, *method);
                row.push(tried.map_or_else(|| "–".to_owned(), |(_, it)| ratio(it.sqnr)));
                row.push(tried.map_or_else(|| "–".to_owned(), |(_, it)| count(it.wire)));
            }
            row
        };
        let rows: Vec<Vec<String>> = sweep.precisions.iter().map(row).collect();
        print_table(&columns, rows, context, width, out)?;
    }
    let mut refused: Vec<&String> =
        tensor.trials.iter().filter_map(|it| it.outcome.as_ref().err()).collect();
    refused.dedup();
    for reason in refused {
        wrapped(out, &format!("– {reason}"), "  ", width)?;
    }
    Ok(())
}

fn print_advice(
    sweep: &Sweep,
    context: &Context,
    width: usize,
    out: &mut impl Write,
) -> Result<()> {
    writeln!(out)?;
    let columns = [
        ("tensor", Side::Left),
        ("advice", Side::Left),
        ("SQNR dB", Side::Right),
        ("wire", Side::Right),
    ];
    let mut rows = Vec::new();
    for (tensor, advice) in sweep.tensors.iter().zip(&sweep.recommendation.tensors) {
        let followed = advice.trial.and_then(|trial| tensor.outcome(trial));
        let mut row = vec![tensor.name.clone()];
        row.extend(match followed {
            Some((trial, outcome)) => [
                sweep.label(trial.precision, trial.method),
                ratio(outcome.sqnr),
                count(outcome.wire),
            ],
            None => ["keep floats".to_owned(), "–".to_owned(), count(tensor.float_wire)],
        });
        rows.push(row);
    }
    print_table(&columns, rows, context, width, out)?;
    for (tensor, advice) in sweep.tensors.iter().zip(&sweep.recommendation.tensors) {
        if advice.trial.is_none() || advice.exception {
            wrapped(out, &format!("{}: {}", tensor.name, advice.reason), "  ", width)?;
        }
    }
    Ok(())
}

/// Prints of a table the columns that there is room for, from the first on.
fn print_table(
    columns: &[(&'static str, Side)],
    rows: Vec<Vec<String>>,
    context: &Context,
    width: usize,
    out: &mut impl Write,
) -> Result<()> {
    let (mut taken, mut shown) = (0_usize, 0_usize);
    for (place, (heading, _)) in columns.iter().enumerate() {
        let texts = rows.iter().filter_map(|row| row.get(place));
        let widest = texts.map(|it| it.chars().count()).fold(heading.chars().count(), usize::max);
        taken = taken.saturating_add(widest).saturating_add(if place == 0 { 0 } else { 2 });
        if place > 1 && taken > width {
            break;
        }
        shown = place.saturating_add(1);
    }
    let mut table = Table::new(columns.get(..shown).unwrap_or(columns));
    for mut row in rows {
        row.truncate(shown);
        table.row(row);
    }
    table.print(context, out)
}

/// Prints a text in lines of at most `width` columns.
fn wrapped(out: &mut impl Write, text: &str, indent: &str, width: usize) -> Result<()> {
    Ok(writeln!(out, "{}", wrap(text, indent, width))?)
}

/// A text in lines of at most `width` columns where its words are no longer; lines but the first
/// begin with the indent.
fn wrap(text: &str, indent: &str, width: usize) -> String {
    let mut wrapped = String::new();
    let mut column = 0_usize;
    for word in text.split(' ') {
        let length = word.chars().count();
        if column > 0 && column.saturating_add(1).saturating_add(length) > width {
            wrapped.push('\n');
            wrapped.push_str(indent);
            column = indent.chars().count();
        } else if column > 0 {
            wrapped.push(' ');
            column = column.saturating_add(1);
        }
        wrapped.push_str(word);
        column = column.saturating_add(length);
    }
    wrapped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_as_long_as_they_may_be() {
        assert_eq!(wrap("one two three four", "  ", 9), "one two\n  three\n  four");
        assert_eq!(wrap("a-very-long-word here", "", 6), "a-very-long-word\nhere");
        assert_eq!(wrap("one two", "", usize::MAX), "one two");
    }
}
