//! What all subcommands share: where they print, in color or not, and when to stop.

use crate::failure::Result;
use crate::interrupt::Interrupt;
use crate::progress::Progress;
use clap::ColorChoice;
use clap::builder::styling::Style;
use serde::Serialize;
use std::io::{BufWriter, IsTerminal, StdoutLock, Write};

/// What a subcommand runs in.
pub(crate) struct Context {
    /// Whether to color what goes to stdout.
    color: bool,
    /// Looked at between any two pieces of work.
    pub(crate) interrupt: Interrupt,
}

impl Context {
    pub(crate) fn new(color: ColorChoice) -> Result<Context> {
        let color = match color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            // https://no-color.org: set to anything but nothing.
            ColorChoice::Auto => {
                std::io::stdout().is_terminal()
                    && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
                    && std::env::var_os("TERM").is_none_or(|value| value != "dumb")
            }
        };
        Ok(Context { color, interrupt: Interrupt::watch()? })
    }

    /// Where results go. What is written must be flushed.
    pub(crate) fn stdout(&self) -> BufWriter<StdoutLock<'static>> {
        BufWriter::new(std::io::stdout().lock())
    }

    /// Prints a result as JSON, with a line break behind it. Numbers that JSON has none for, NaN and
    /// infinities, become `null`.
    pub(crate) fn print_json(&self, value: &impl Serialize) -> Result<()> {
        let mut out = self.stdout();
        serde_json::to_writer_pretty(&mut out, value)?;
        writeln!(out)?;
        Ok(out.flush()?)
    }

    /// A text in a style, where there is color.
    pub(crate) fn styled(&self, style: Style, text: &str) -> String {
        if self.color { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    /// A progress bar on stderr for so many bytes of work; none in a pipe.
    pub(crate) fn progress(&self, bytes: u64) -> Progress {
        Progress::new(bytes)
    }
}
