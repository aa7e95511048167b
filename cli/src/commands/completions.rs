//! `qtensor completions`: what a shell reads to complete command lines.

use super::Arguments;
use crate::context::Context;
use crate::failure::Result;
use clap::CommandFactory;
use clap_complete::Shell;
use std::io::Write;

const EXAMPLES: &str = "\
Examples:
  qtensor completions bash > ~/.local/share/bash-completion/completions/qtensor
  qtensor completions fish > ~/.config/fish/completions/qtensor.fish
  qtensor completions zsh > ~/.zfunc/_qtensor";

/// Print the completions for a shell
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Completions {
    /// For which shell
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        // Made in memory first: the generator takes a failing write for a defect.
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Arguments::command(), "qtensor", &mut script);
        let mut out = context.stdout();
        out.write_all(&script)?;
        Ok(out.flush()?)
    }
}
