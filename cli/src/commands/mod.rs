//! The subcommands, and what the command line looks like.

mod completions;
mod convert;
mod dequantize;
mod diff;
mod done;
mod inspect;
mod man;
mod quantize;
mod read_ahead;
mod summary;
mod verify;

use crate::context::Context;
use crate::failure::{Failure, Result};
use crate::output::Output;
use crate::sweep;
use caffe2_qtensor::Error;
use caffe2_qtensor::minidb::Writer;
use clap::{ColorChoice, Parser, Subcommand};
use qtensor_cli::input::{Input, Item, shown};
use std::collections::HashSet;

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
    Quantize(Box<quantize::Quantize>),
    Dequantize(dequantize::Dequantize),
    Convert(Box<convert::Convert>),
    Verify(verify::Verify),
    Diff(diff::Diff),
    Sweep(sweep::Arguments),
    Completions(completions::Completions),
    Man(man::Man),
}

pub(crate) fn run(arguments: Arguments) -> Result<()> {
    let context = Context::new(arguments.color)?;
    match arguments.command {
        Command::Inspect(command) => command.run(&context),
        Command::Quantize(command) => command.run(&context),
        Command::Dequantize(command) => command.run(&context),
        Command::Convert(command) => command.run(&context),
        Command::Verify(command) => command.run(&context),
        Command::Diff(command) => command.run(&context),
        Command::Sweep(command) => command.run(&context),
        Command::Completions(command) => command.run(&context),
        Command::Man(command) => command.run(&context),
    }
}

/// Dimensions as they are shown, or nothing where they are not known.
fn shown_dims(dims: Option<&[i64]>) -> String {
    dims.map_or_else(String::new, |dims| {
        let dims: Vec<String> = dims.iter().map(i64::to_string).collect();
        format!("[{}]", dims.join(", "))
    })
}

/// Refuses two tensors of one name among those that are looked at: nothing would tell them apart.
fn check_names(input: &Input, looked_at: impl Fn(&Item) -> bool) -> Result<()> {
    let mut seen = HashSet::new();
    let mut items = input.items().iter().filter(|item| looked_at(item));
    match items.find(|item| !seen.insert(item.name.as_slice())) {
        None => Ok(()),
        Some(item) => {
            let path = shown(input.path().as_os_str().as_encoded_bytes());
            let name = shown(&item.name);
            Err(Failure::new(format!("{path}: two tensors have the name '{name}'.")))
        }
    }
}

/// Copies an item as it is. That fails where reading does or where writing does, which the message
/// tells apart.
fn copy(input: &Input, index: usize, writer: &mut Writer, output: &Output) -> Result<Option<u64>> {
    input.copy(index, writer).map_err(|error| match error.library() {
        Some(reason @ Error::Io { operation, .. }) if operation.starts_with("write") => {
            output.failure(reason)
        }
        _ => error.into(),
    })
}
