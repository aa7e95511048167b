//! Columns for the terminal.

use crate::context::Context;
use crate::failure::Result;
use clap::builder::styling::Style;
use std::io::Write;

/// On which side of its column a text stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Left,
    Right,
}

/// Rows of texts under headings.
pub(crate) struct Table {
    columns: Vec<(&'static str, Side)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(columns: &[(&'static str, Side)]) -> Table {
        Table { columns: columns.to_vec(), rows: Vec::new() }
    }

    /// Adds a row; texts that are missing are empty.
    pub(crate) fn row(&mut self, texts: Vec<String>) {
        self.rows.push(texts);
    }

    /// Prints the table, its columns as wide as their texts.
    pub(crate) fn print(&self, context: &Context, out: &mut impl Write) -> Result<()> {
        let width = |place: usize, heading: &str| {
            let texts = self.rows.iter().filter_map(|row| row.get(place));
            texts.map(|text| text.chars().count()).fold(heading.chars().count(), usize::max)
        };
        let columns: Vec<(usize, Side)> = self
            .columns
            .iter()
            .enumerate()
            .map(|(at, (name, side))| (width(at, name), *side))
            .collect();
        let headings: Vec<String> =
            self.columns.iter().map(|(name, _)| (*name).to_owned()).collect();
        let line = line_of(&columns, &headings);
        writeln!(out, "{}", context.styled(Style::new().bold(), &line))?;
        for row in &self.rows {
            writeln!(out, "{}", line_of(&columns, row))?;
        }
        Ok(())
    }
}

fn line_of(columns: &[(usize, Side)], texts: &[String]) -> String {
    let mut line = String::new();
    for (place, (width, side)) in columns.iter().enumerate() {
        let text = texts.get(place).map_or("", String::as_str);
        if place > 0 {
            line.push_str("  ");
        }
        let width = *width;
        match side {
            Side::Left => line.push_str(&format!("{text:<width$}")),
            Side::Right => line.push_str(&format!("{text:>width$}")),
        }
    }
    line.trim_end().to_owned()
}
