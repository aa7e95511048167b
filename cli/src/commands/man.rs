//! `qtensor man`: the manual pages, one of the command and one of each subcommand.

use super::Arguments;
use crate::context::Context;
use crate::failure::{Failure, Result};
use clap::CommandFactory;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  qtensor man ~/.local/share/man/man1";

/// Write the manual pages into a folder
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Man {
    /// The folder, made where it is not there
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

impl Man {
    pub(crate) fn run(&self, _: &Context) -> Result<()> {
        let failed = |error| {
            Failure::new(format!(
                "{}: the manual pages cannot be written: {error}.",
                self.folder.display()
            ))
        };
        std::fs::create_dir_all(&self.folder).map_err(failed)?;
        clap_mangen::generate_to(Arguments::command(), &self.folder).map_err(failed)
    }
}
