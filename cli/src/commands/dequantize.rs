//! `qtensor dequantize`: quantized tensors back to floats.

use super::{check_names, copy};
use crate::context::Context;
use crate::failure::{Failure, Result};
use crate::floats::{dequantized, floats_of};
use crate::numbers;
use crate::output::Output;
use crate::pattern::Selection;
use caffe2_qtensor::{DenseTensor, Elements};
use qtensor_cli::input::{Input, Loaded, npy, shown};
use serde::Serialize;
use std::ffi::OsString;
use std::path::PathBuf;

const HELP: &str = "\
What is quantized becomes floats of 4 bytes; all else is copied as it is. With --npy one tensor, a
quantized one or one of floats, becomes a .npy of floats of 4 bytes.

Examples:
  qtensor dequantize model4.minidb -o floats.minidb
  qtensor dequantize model4.minidb -o fc1_w.npy --npy fc1_w";

/// Turn quantized tensors back into floats
#[derive(clap::Args, Debug)]
#[command(after_help = HELP)]
pub(crate) struct Dequantize {
    /// A minidb, an init_net.pb, a BlobProto or a QTensorProto
    #[arg(value_name = "IN")]
    input: PathBuf,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    selection: Selection,
    /// Write the tensor of this name as a .npy, and nothing else
    #[arg(long, value_name = "NAME", conflicts_with_all = ["only", "skip"])]
    npy: Option<OsString>,
    /// On how many threads to work; 0 is one for each processor. The result is the same for any
    #[arg(long, value_name = "N", default_value_t = 0)]
    #[arg(allow_negative_numbers = true, value_parser = numbers::count)]
    threads: usize,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    input: String,
    output: String,
    dequantized: usize,
    copied: usize,
    left_out: usize,
}

impl Dequantize {
    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        self.output.check(&[&self.input])?;
        let input = Input::open(&self.input)?;
        let mut report = Report {
            input: shown(self.input.as_os_str().as_encoded_bytes()),
            output: shown(self.output.path().as_os_str().as_encoded_bytes()),
            dequantized: 0,
            copied: 0,
            left_out: 0,
        };
        match &self.npy {
            Some(name) => {
                self.one(context, &input, name.as_encoded_bytes())?;
                report.dequantized = 1;
            }
            None => self.all(context, &input, &mut report)?,
        }
        if self.json { context.print_json(&report) } else { Ok(()) }
    }

    fn threads(&self) -> usize {
        match self.threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        }
    }

    fn all(&self, context: &Context, input: &Input, report: &mut Report) -> Result<()> {
        self.selection.check(input.items())?;
        check_names(input, |_| true)?;
        let mut writer = self.output.minidb()?;
        let progress = context.progress(input.items().iter().map(|item| item.bytes).sum());
        for (index, item) in input.items().iter().enumerate() {
            context.interrupt.check()?;
            progress.at(&item.name);
            let wanted = self.selection.takes(&item.name);
            let loaded = wanted.then(|| input.load(index)).transpose()?;
            let count = match loaded {
                Some(Loaded::Quantized(tensor)) => {
                    let values = dequantized(&tensor, self.threads());
                    let values = values.map_err(|failure| failure.about(&item.name))?;
                    let dense = DenseTensor::new(shape(tensor.dims()), Elements::Float(values))?;
                    let written = writer.append_dense(&item.name, &dense, 0);
                    written.map_err(|error| self.output.failure(error))?;
                    &mut report.dequantized
                }
                _ => match copy(input, index, &mut writer, &self.output)? {
                    Some(_) => &mut report.copied,
                    None => &mut report.left_out,
                },
            };
            *count = count.saturating_add(1);
            progress.advance(item.bytes);
        }
        context.interrupt.check()?;
        progress.at(b"flushing");
        writer.commit().map_err(|error| self.output.failure(error))
    }

    fn one(&self, context: &Context, input: &Input, name: &[u8]) -> Result<()> {
        let found = input.items().iter().position(|item| item.name == name);
        let index = found.ok_or_else(|| {
            let path = shown(self.input.as_os_str().as_encoded_bytes());
            Failure::new(format!("{path}: there is no tensor named '{}'.", shown(name)))
        })?;
        let no_floats =
            || Failure::new("It is no tensor of floats and no quantized one.").about(name);
        let (dims, values) = match input.load(index)? {
            Loaded::Quantized(tensor) => {
                let values = dequantized(&tensor, self.threads());
                (shape(tensor.dims()).to_vec(), values.map_err(|failure| failure.about(name))?)
            }
            Loaded::Dense(tensor) => {
                let values = floats_of(&tensor)?.ok_or_else(no_floats)?;
                (tensor.dims().to_vec(), values.into_owned())
            }
            Loaded::Other => return Err(no_floats()),
        };
        context.interrupt.check()?;
        self.output.write(|file| npy::write(file, &dims, &values))
    }
}

/// The dimensions of a quantized tensor as those of an ordinary one: without any that is empty, and
/// this one value.
fn shape(dims: &[i64]) -> &[i64] {
    if dims.is_empty() { &[0] } else { dims }
}
