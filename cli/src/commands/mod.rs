//! The subcommands, and what the command line looks like.

mod completions;
mod inspect;
mod man;

use crate::context::Context;
use crate::failure::Result;
use clap::{ColorChoice, Parser, Subcommand};

/// Exit statuses, at the end of each help.
const EXIT_STATUS: &str = "\
Exit status:
  0    done
  1    it could not be done, or a check did not hold; stderr says why
  2    the command line is wrong
  130  interrupted by SIGINT (128 and the number of the signal)";

/// Looks into Caffe2's tensors, quantizes them and compares what came of it.
#[derive(Parser, Debug)]
#[command(name = "qtensor", version, after_help = EXIT_STATUS)]
pub(crate) struct Arguments {
    /// When to color what is printed; NO_COLOR is respected
    #[arg(long, global = true, value_name = "WHEN", default_value_t = ColorChoice::Auto)]
    color: ColorChoice,

    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Inspect(inspect::Inspect),
    Completions(completions::Completions),
    Man(man::Man),
}

pub(crate) fn run(arguments: Arguments) -> Result<()> {
    let context = Context::new(arguments.color)?;
    match arguments.command {
        Command::Inspect(command) => command.run(&context),
        Command::Completions(command) => command.run(&context),
        Command::Man(command) => command.run(&context),
    }
}
