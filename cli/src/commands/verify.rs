//! `qtensor verify`: whether a file is whole.

use crate::context::Context;
use crate::failure::{Failure, Result};
use caffe2_qtensor::{ErrorKind, QTensor};
use clap::builder::styling::{AnsiColor, Color, Style};
use qtensor_cli::input::{Input, InputError, Loaded, shown};
use serde::Serialize;
use std::collections::HashSet;
use std::io::Write;
use std::path::PathBuf;

const HELP: &str = "\
What is checked: the file's records, that each blob parses and holds as much data as its dimensions
and precision say, that chunks make up their tensor, that scales and biases of channels fit the
dimensions and all of them are finite, that padding bits are 0, and that no two tensors have one
name. A line on stdout for each problem; exit status 1 where there is one.

Examples:
  qtensor verify model.minidb
  qtensor verify model.minidb --json | jq '.problems[]'";

/// Check that a file is whole
#[derive(clap::Args, Debug)]
#[command(after_help = HELP)]
pub(crate) struct Verify {
    /// A minidb, an init_net.pb, a BlobProto, a QTensorProto or a .npy
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Print nothing; the exit status tells
    #[arg(short, long, conflicts_with = "json")]
    quiet: bool,
}

#[derive(Serialize)]
struct Report {
    file: String,
    format: Option<&'static str>,
    tensors: usize,
    problems: Vec<Problem>,
}

#[derive(Serialize)]
struct Problem {
    /// The tensor, or nothing where it is the file itself.
    name: Option<String>,
    problem: String,
}

impl Verify {
    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        let file = shown(self.file.as_os_str().as_encoded_bytes());
        let mut report = Report { file, format: None, tensors: 0, problems: Vec::new() };
        match Input::open(&self.file) {
            Ok(input) => self.all(context, &input, &mut report)?,
            Err(error) if is_damage(&error) => {
                report.problems.push(Problem { name: None, problem: error.reason() });
            }
            Err(error) => return Err(error.into()),
        }
        let printed = self.print(context, &report);
        // Whether anybody reads it or not.
        if report.problems.is_empty() { printed } else { Err(Failure::Negative) }
    }

    fn all(&self, context: &Context, input: &Input, report: &mut Report) -> Result<()> {
        report.format = Some(input.format().name());
        report.tensors = input.items().len();
        let progress = context.progress(input.items().iter().map(|item| item.bytes).sum());
        let mut names = HashSet::new();
        for (index, item) in input.items().iter().enumerate() {
            context.interrupt.check()?;
            progress.at(&item.name);
            let mut add = |problem| {
                report.problems.push(Problem { name: Some(shown(&item.name)), problem });
            };
            if !names.insert(&item.name) {
                add("Another tensor has this name.".to_owned());
            }
            match input.load(index) {
                Ok(Loaded::Quantized(tensor)) => check(&tensor, &mut add),
                Ok(Loaded::Dense(_) | Loaded::Other) => {}
                // Where memory or the system fails, nothing was found out.
                Err(error) if !is_damage(&error) => return Err(error.into()),
                Err(error) => add(error.reason()),
            }
            progress.advance(item.bytes);
        }
        Ok(())
    }

    fn print(&self, context: &Context, report: &Report) -> Result<()> {
        if self.quiet {
            return Ok(());
        }
        if self.json {
            return context.print_json(report);
        }
        let mut out = context.stdout();
        let red = Style::new().fg_color(Some(Color::Ansi(AnsiColor::Red)));
        for Problem { name, problem } in &report.problems {
            let name = name.as_ref().map_or_else(String::new, |name| format!("{name}: "));
            writeln!(out, "{}", context.styled(red, &format!("{}: {name}{problem}", report.file)))?;
        }
        if report.problems.is_empty() {
            writeln!(out, "{}: whole, {} tensors", report.file, report.tensors)?;
        }
        Ok(out.flush()?)
    }
}

/// Whether the file is at fault, not the system.
fn is_damage(error: &InputError) -> bool {
    let kind = error.library().map(caffe2_qtensor::Error::kind);
    !matches!(kind, Some(ErrorKind::Io | ErrorKind::OutOfMemory) | None) || error.is_form()
}

/// Looks for what a tensor that parses can still have wrong.
fn check(tensor: &QTensor, add: &mut impl FnMut(String)) {
    if let Err(error) = tensor.params() {
        add(error.to_string());
    }
    let of_tensor = [("scale", tensor.scale()), ("bias", tensor.bias())];
    let scales = tensor.channel_scales().iter().map(|scale| ("channel scale", *scale));
    let biases = tensor.channel_biases().iter().map(|bias| ("channel bias", *bias));
    let mut all = of_tensor.into_iter().chain(scales).chain(biases);
    if let Some((what, value)) = all.find(|(_, value)| !value.is_finite()) {
        add(format!("The {what} is {value}, but it must be finite."));
    }
    if let Some(plane) = padded_plane(tensor) {
        add(format!("The padding bits of plane {plane} are not 0."));
    }
}

/// The first plane with a bit behind its last element.
fn padded_plane(tensor: &QTensor) -> Option<usize> {
    let view = tensor.view();
    let used = u32::try_from(view.size % 8).ok().filter(|used| *used > 0)?;
    let padding = u8::MAX.checked_shr(used)?;
    let planes = view.data?.chunks_exact(view.plane_stride);
    planes.map(|plane| plane.last()).position(|last| last.is_some_and(|byte| byte & padding != 0))
}
