//! `qtensor quantize`: the floats of a file to a database of quantized tensors, one after another.

use super::done::Done;
use super::read_ahead::{Step, each_loaded};
use super::{check_names, copy};
use crate::context::Context;
use crate::failure::{Failure, Result};
use crate::floats::floats_of;
use crate::numbers;
use crate::output::Output;
use crate::pattern::Selection;
use crate::plan::{Codes, Method, MethodName, MethodOptions, Plan, Sign};
use crate::progress::Progress;
use crate::table::{Side, Table};
use crate::worth::Worth;
use caffe2_qtensor::calibrate::Zero;
use caffe2_qtensor::minidb::Writer;
use caffe2_qtensor::quantize::{NonFinite, QuantizeOptions, Rounding, Scheme};
use clap::ValueEnum;
use qtensor_cli::input::{Input, Item, Loaded, shown};
use serde::Serialize;
use std::io::Write;
use std::path::PathBuf;

const HELP: &str = "\
Which tensors: those of floats with at least two dimensions and at least --min-size elements. All
else is copied as it is: biases and other small tensors of floats, integers, tensors that are
quantized already, and what is no tensor. --all quantizes floats of any shape; --only and --skip
choose by name.

A tensor in which the code of a finite value would stand for an infinite one is refused. That may be
by a --range that ends near the largest float, 3.4e38, and with --power-of-two from 1.7e38 on.

Memory: a constant, the tensor at work and its planes; with more than one thread also the next
tensor, which is read meanwhile. Floats of 2 and 8 bytes become floats of 4 bytes first.

Examples:
  qtensor quantize model.minidb -o model4.minidb --precision 4
  qtensor quantize init_net.pb -o model8.minidb --precision 8 --per-channel 0 --skip 'fc3_*'
  qtensor quantize weights.npy -o weights.minidb --precision 3 --method mae --signed
  qtensor quantize model.minidb -o int8.minidb --int8 --method caffe2-l2";

/// Quantize the floats of a file
///
/// Reads the tensors of a file one by one and writes a minidb of quantized tensors, which takes its
/// place when all is done, or not at all.
#[derive(clap::Args, Debug)]
#[command(after_help = HELP)]
pub(crate) struct Quantize {
    /// A minidb, an init_net.pb, a BlobProto or a .npy
    #[arg(value_name = "IN")]
    input: PathBuf,
    #[command(flatten)]
    output: Output,
    /// Magnitude bits of a code: 1 to 8; to 16 where the method only looks at a range; to 32 with
    /// --dorefa and --log
    #[arg(
        short,
        long,
        value_name = "BITS",
        required_unless_present = "int8",
        allow_negative_numbers = true,
        value_parser = numbers::bits::<32>
    )]
    precision: Option<u8>,
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    worth: Worth,

    #[command(flatten)]
    method: MethodOptions,
    /// A scale and a bias for each index along a dimension
    #[arg(long, value_name = "AXIS", help_heading = "Parameters")]
    #[arg(allow_negative_numbers = true, value_parser = numbers::count)]
    per_channel: Option<usize>,
    /// What the bias may be; not with Caffe2's methods, which have one kind
    #[arg(long, value_name = "KIND", help_heading = "Parameters")]
    bias: Option<Bias>,
    /// Values lie around 0 evenly; of Caffe2's methods: preserve sparsity
    #[arg(long, help_heading = "Parameters")]
    symmetric: bool,
    /// The scale is a power of two
    #[arg(long, help_heading = "Parameters")]
    power_of_two: bool,
    /// The lowest and the highest code are halved
    #[arg(long, help_heading = "Parameters")]
    reduced: bool,

    /// Codes of powers: QTensorLog. The step between exponents is the one that loses least
    #[arg(
        long,
        help_heading = "Codes",
        conflicts_with_all = [
            "dorefa", "int8", "per_channel", "method", "quantiles", "range", "share", "bias",
            "symmetric", "power_of_two", "reduced",
        ]
    )]
    log: bool,
    /// DoReFa's codes for weights, or for activations
    #[arg(
        long,
        value_name = "OF",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "weights",
        help_heading = "Codes",
        conflicts_with_all = [
            "int8", "per_channel", "method", "quantiles", "range", "share", "bias", "symmetric",
            "power_of_two", "reduced", "signed",
        ]
    )]
    dorefa: Option<Dorefa>,
    /// Write Int8TensorCPU: bytes with a zero point among them
    #[arg(
        long,
        help_heading = "Codes",
        conflicts_with_all = ["per_channel", "bias", "signed", "reduced"]
    )]
    int8: bool,
    /// A sign plane besides the magnitude bits; by default with --log where a value is negative, and
    /// never otherwise
    #[arg(
        long,
        value_name = "WHEN",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "always",
        help_heading = "Codes"
    )]
    signed: Option<Sign>,
    /// What becomes of a value between two codes
    #[arg(long, value_name = "HOW", default_value = "nearest", help_heading = "Codes")]
    rounding: RoundingName,
    /// What `--rounding stochastic` starts from; without it 0
    #[arg(long, value_name = "NUMBER", help_heading = "Codes")]
    #[arg(allow_negative_numbers = true, value_parser = numbers::seed)]
    seed: Option<u64>,
    /// Give NaN code 0 and infinities the outermost codes, instead of refusing them
    #[arg(long, help_heading = "Codes")]
    saturate: bool,

    /// On how many threads to work; 0 is one for each processor. The result is the same for any
    #[arg(long, value_name = "N", default_value_t = 0)]
    #[arg(allow_negative_numbers = true, value_parser = numbers::count)]
    threads: usize,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Print nothing
    #[arg(short, long, conflicts_with = "json")]
    quiet: bool,
}

/// What a bias may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Bias {
    /// Any number: the smallest error
    Real,
    /// A whole number
    Integer,
    /// Minus one of the codes, which then stands for 0 exactly
    Exact,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Dorefa {
    Weights,
    Activations,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum RoundingName {
    /// To the nearest code, to the even one in the middle
    Nearest,
    /// To the nearest code, away from 0 in the middle
    Away,
    /// Down
    Floor,
    /// Up
    Ceil,
    /// Toward code 0
    Zero,
    /// By chance
    Stochastic,
    /// As Caffe2's Int8Quantize
    Caffe2,
}

#[derive(Serialize)]
struct Report {
    input: String,
    output: String,
    bytes_before: u64,
    bytes_after: u64,
    tensors: Vec<Done>,
}

impl Quantize {
    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        let plan = self.plan()?;
        plan.check(&context.interrupt)?;
        self.output.check(&[&self.input])?;
        let input = Input::open(&self.input)?;
        self.selection.check(input.items())?;
        check_names(&input, |_| true)?;
        let mut writer = self.output.minidb()?;
        let bytes = input.items().iter().map(|item| item.bytes).fold(0, u64::saturating_add);
        let mut done = Vec::new();
        let progress = context.progress(bytes);
        let wanted = |item: &Item| self.selection.takes(&item.name);
        let ahead = plan.options.threads > 1;
        each_loaded(&input, ahead, wanted, |item, step| {
            context.interrupt.check()?;
            progress.at(&item.name);
            done.push(self.one(context, &plan, &input, item, step, &mut writer)?);
            progress.advance(item.bytes);
            Ok(())
        })?;
        context.interrupt.check()?;
        progress.at(b"flushing");
        writer.commit().map_err(|error| self.output.failure(error))?;
        drop::<Progress>(progress);
        self.print(context, done)
    }

    /// What all tensors have in common.
    fn plan(&self) -> Result<Plan> {
        let threads = match self.threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        };
        let rounding = match self.rounding {
            RoundingName::Nearest => Rounding::NearestEven,
            RoundingName::Away => Rounding::NearestAway,
            RoundingName::Floor => Rounding::Floor,
            RoundingName::Ceil => Rounding::Ceil,
            RoundingName::Zero => Rounding::TowardZero,
            RoundingName::Stochastic => Rounding::Stochastic,
            RoundingName::Caffe2 => Rounding::Caffe2,
        };
        if self.seed.is_some() && rounding != Rounding::Stochastic {
            let rounding = self.rounding.to_possible_value();
            let name = rounding.as_ref().map_or("another", |rounding| rounding.get_name());
            return Err(Failure::usage(format!(
                "--seed belongs to --rounding stochastic, but the rounding is {name}."
            )));
        }
        let non_finite = if self.saturate { NonFinite::Saturate } else { NonFinite::Refuse };
        let options = QuantizeOptions {
            scheme: Scheme::Parameters,
            rounding,
            seed: self.seed.unwrap_or(0),
            non_finite,
            threads,
        };
        let method = self.method.method()?;
        let zero = match (self.bias, self.int8) {
            (_, true) | (Some(Bias::Exact), _) => Zero::Exact,
            (Some(Bias::Integer), _) => Zero::Integer,
            (Some(Bias::Real) | None, _) => Zero::Free,
        };
        let (codes, default_sign) = match (self.log, self.dorefa) {
            (true, _) => (Codes::Logarithmic, Sign::Auto),
            (_, Some(Dorefa::Weights)) => (Codes::Dorefa(Scheme::DorefaWeights), Sign::Never),
            (_, Some(Dorefa::Activations)) => {
                (Codes::Dorefa(Scheme::DorefaActivations), Sign::Never)
            }
            (false, None) => {
                let (symmetric, power_of_two) = (self.symmetric, self.power_of_two);
                let reduced = self.reduced;
                (Codes::Linear { method, zero, symmetric, power_of_two, reduced }, Sign::Never)
            }
        };
        let sign = self.signed.unwrap_or(default_sign);
        if matches!(method, Method::Caffe2(_)) {
            self.check_caffe2(sign)?;
        }
        let precision = match (self.precision, self.int8) {
            (None | Some(8), true) => 8,
            (Some(precision), true) => {
                let refused =
                    format!("--precision is {precision}, but --int8 makes codes of 8 bits.");
                return Err(Failure::usage(refused));
            }
            (precision, false) => precision.unwrap_or(8),
        };
        Ok(Plan { precision, sign, codes, axis: self.per_channel, int8: self.int8, options })
    }

    /// Refuses what Caffe2's methods do not know.
    fn check_caffe2(&self, sign: Sign) -> Result<()> {
        let kl = self.method.name() == MethodName::Caffe2Kl;
        for (option, given, does) in [
            ("--signed", sign != Sign::Never, "chooses for codes without a sign"),
            ("--reduced", self.reduced, "chooses for all codes"),
            ("--bias", self.bias.is_some(), "makes the bias minus one of the codes"),
            ("--symmetric", self.symmetric && kl, "does not know it"),
        ] {
            if given {
                let method = self.method.name().name();
                let refused = format!("{option} is refused with --method {method}, which {does}.");
                return Err(Failure::usage(refused));
            }
        }
        Ok(())
    }

    fn one(
        &self,
        context: &Context,
        plan: &Plan,
        input: &Input,
        item: &Item,
        step: &Step,
        writer: &mut Writer,
    ) -> Result<Done> {
        let mut done = Done::of(item);
        if let Some(Loaded::Dense(tensor)) = &step.loaded {
            done.dims = Some(tensor.dims().to_vec());
            if self.worth.refuses(tensor).is_none()
                && let Some(values) = floats_of(tensor)?
            {
                let quantized = plan.quantize(&values, tensor.dims(), &context.interrupt);
                let quantized = quantized.map_err(|failure| failure.about(&item.name))?;
                let appended = match self.int8 {
                    true => writer.append_int8(&item.name, &quantized),
                    false => writer.append(&item.name, &quantized),
                };
                appended.map_err(|error| self.output.failure(error))?;
                return done.quantized(&item.name, &quantized, self.int8);
            }
        }
        done.copied(copy(input, step.index, writer, &self.output)?);
        Ok(done)
    }

    fn print(&self, context: &Context, done: Vec<Done>) -> Result<()> {
        let sum = |bytes: fn(&Done) -> u64| done.iter().map(bytes).fold(0, u64::saturating_add);
        let (before, after) = (sum(|it| it.bytes_before), sum(|it| it.bytes_after));
        if self.quiet {
            return Ok(());
        }
        if self.json {
            return context.print_json(&Report {
                input: shown(self.input.as_os_str().as_encoded_bytes()),
                output: shown(self.output.path().as_os_str().as_encoded_bytes()),
                bytes_before: before,
                bytes_after: after,
                tensors: done,
            });
        }
        let mut table = Table::new(&[
            ("name", Side::Left),
            ("dims", Side::Left),
            ("what", Side::Left),
            ("bits", Side::Right),
            ("scale", Side::Right),
            ("bias", Side::Right),
            ("bytes before", Side::Right),
            ("after", Side::Right),
        ]);
        for it in &done {
            table.row(it.row());
        }
        let total = |bytes: u64| bytes.to_string();
        let blank = String::new;
        table.row(vec![
            "total".to_owned(),
            blank(),
            blank(),
            blank(),
            blank(),
            blank(),
            total(before),
            total(after),
        ]);
        let mut out = context.stdout();
        table.print(context, &mut out)?;
        Ok(out.flush()?)
    }
}
