//! `qtensor man`: the manual pages, one of the command and one of each subcommand.

use super::Arguments;
use crate::context::Context;
use crate::failure::{Failure, Result};
use crate::output::Output;
use clap::CommandFactory;
use qtensor_cli::input::shown;
use std::io::Write;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  qtensor man ~/.local/share/man/man1
  qtensor man --force ~/.local/share/man/man1";

/// Write the manual pages into a folder
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Man {
    /// The folder, made where it is not there
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Replace pages that are there
    #[arg(short, long)]
    force: bool,
}

impl Man {
    pub(crate) fn run(&self, _: &Context) -> Result<()> {
        let failed = |error| {
            let folder = shown(self.folder.as_os_str().as_encoded_bytes());
            Failure::new(format!("{folder}: the manual pages cannot be written: {error}."))
        };
        if self.folder.exists() && !self.folder.is_dir() {
            return Err(failed(std::io::Error::other("it is no folder")));
        }
        let mut all = Arguments::command().disable_help_subcommand(true);
        all.build();
        let mut pages = Vec::new();
        for command in std::iter::once(&all).chain(all.get_subcommands()) {
            let page = clap_mangen::Man::new(command.clone());
            let mut text = Vec::new();
            page.render(&mut text).map_err(failed)?;
            let output = Output::new(&self.folder.join(page.get_filename()), self.force);
            // Before the first is written.
            output.check(&[])?;
            output.check_file()?;
            pages.push((output, text));
        }
        std::fs::create_dir_all(&self.folder).map_err(failed)?;
        pages.iter().try_for_each(|(output, text)| output.write(|file| file.write_all(text)))
    }
}
