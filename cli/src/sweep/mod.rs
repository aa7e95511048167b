//! `qtensor sweep`: what every precision and every method would cost and lose, and what to do.

mod energy;
pub(crate) mod format;
mod json;
mod method;
pub(crate) mod model;
mod recommend;
mod table;
mod totals;
mod try_tensor;

use crate::context::Context;
use crate::failure::{Failure, Result};
use crate::floats::floats_of;
use crate::numbers;
use crate::output::Output;
use crate::pattern::Selection;
use crate::report;
use crate::worth::Worth;
use caffe2_qtensor::DenseTensor;
use energy::Measured;
use method::Method;
use model::{Left, Recommendation, Sweep, Tensor};
use qtensor_cli::input::{Input, Loaded, shown};
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use try_tensor::Values;

/// What stands below the options in the help.
const AFTER_HELP: &str = "\
The recommendation is the precision and method that makes the file smallest on the wire, where each
tensor that keeps less than --min-sqnr by it gets the smallest combination that is enough for that
tensor. Of those within 2 % of the smallest it is the one with the fewest exceptions, and then the
one that loses least. A tensor stays floats where no combination is enough, where quantizing saves
less than a tenth of its bytes, where all its values are the same or some are not finite, and where
`quantize` would leave it alone. Where the whole file would not shrink by a tenth, the advice is to
leave it as it is.

Codes are unsigned with any bias, the smallest error for their number; those of `log` have a sign
plane where there are values below 0, and Caffe2 refuses them. One tensor is in memory at a time.

Examples:
  qtensor sweep model.minidb
  qtensor sweep model.minidb --html report.html
  qtensor sweep init_net.pb --precisions 4,8 --methods min-max,mse --per-channel 0
  qtensor sweep model.minidb --json | jq .recommendation.headline";

/// Compare precisions and methods, and recommend one
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// A file of floats: a minidb, an init_net.pb, a BlobProto or a .npy
    file: PathBuf,
    /// The precisions to try, in bits of a code
    #[arg(long, value_name = "BITS", value_delimiter = ',', default_value = "1,2,3,4,6,8")]
    #[arg(allow_negative_numbers = true, value_parser = numbers::bits::<16>)]
    precisions: Vec<u8>,
    /// The methods to try
    #[arg(long, value_name = "METHODS", value_delimiter = ',', value_enum)]
    #[arg(default_value = "min-max,percentile,mse,mae")]
    methods: Vec<Method>,
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    worth: Worth,
    /// Give each index along this dimension a scale and a bias of its own
    #[arg(long, value_name = "AXIS")]
    #[arg(allow_negative_numbers = true, value_parser = numbers::count)]
    per_channel: Option<usize>,
    /// The least signal-to-noise ratio that the recommendation accepts
    #[arg(long, value_name = "DB", default_value_t = 20.0, allow_negative_numbers = true)]
    #[arg(value_parser = numbers::finite)]
    min_sqnr: f64,
    /// Write a report with plots: one page that needs no network
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write over a report that exists
    #[arg(short, long, requires = "html")]
    force: bool,
    /// Measure energy, too, for a second for each tensor, precision and method
    #[arg(long)]
    measure_energy: bool,
    /// Where Linux's powercap tree is, if not where the system has it
    #[arg(long, value_name = "FOLDER", requires = "measure_energy")]
    powercap: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Arguments {
    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        // Refused before the work, not after it.
        let output = self.html.as_deref().map(|path| Output::new(path, self.force));
        if let Some(output) = &output {
            output.check(&[&self.file])?;
            output.check_file()?;
        }
        let sweep = self.sweep(context)?;
        if let Some(output) = output {
            context.interrupt.check()?;
            output.write(|file| file.write_all(report::page(&sweep).as_bytes()))?;
        }
        if self.json {
            return context.print_json(&json::json(&sweep));
        }
        let mut out = context.stdout();
        table::print(&sweep, context, width(), &mut out)?;
        Ok(out.flush()?)
    }

    fn sweep(&self, context: &Context) -> Result<Sweep> {
        let input = Input::open(&self.file)?;
        self.selection.check(input.items())?;
        let mut methods: Vec<Method> = Vec::new();
        for method in &self.methods {
            if !methods.contains(method) {
                methods.push(*method);
            }
        }
        let mut precisions = self.precisions.clone();
        precisions.sort_unstable();
        precisions.dedup();
        let name = self.file.file_name().unwrap_or(self.file.as_os_str());
        let mut sweep = Sweep {
            file: shown(name.as_encoded_bytes()),
            precisions,
            methods: methods.iter().map(|method| method.name()).collect(),
            axis: self.per_channel,
            threshold: self.min_sqnr,
            tensors: Vec::new(),
            totals: Vec::new(),
            float_energy: 0.0,
            unmeasured: None,
            recommendation: Recommendation::default(),
        };
        let mut meter = None;
        match self.meter() {
            Ok(opened) => meter = Some(opened),
            Err(reason) => sweep.unmeasured = Some(reason),
        }
        let bytes = input.items().iter().fold(0_u64, |sum, item| sum.saturating_add(item.bytes));
        let progress = context.progress(bytes);
        let mut back = Vec::new();
        for (index, item) in input.items().iter().enumerate() {
            context.interrupt.check()?;
            progress.at(&item.name);
            if let Loaded::Dense(tensor) = input.load(index)?
                && let Some(values) = floats_of(&tensor)?
            {
                let mut found = self.about(&item.name, &tensor, &values)?;
                if found.left.is_none() {
                    back.clear();
                    back.try_reserve_exact(values.len()).map_err(|_| no_memory(values.len()))?;
                    back.resize(values.len(), 0.0);
                    let mut values = Values {
                        name: &item.name,
                        dims: tensor.dims(),
                        values: &values,
                        axis: self.per_channel,
                        back: &mut back,
                        meter: meter.as_mut(),
                    };
                    for precision in &sweep.precisions {
                        for (index, method) in methods.iter().enumerate() {
                            let interrupt = &context.interrupt;
                            interrupt.check()?;
                            found.trials.push(values.run(*precision, index, *method, interrupt)?);
                        }
                    }
                }
                sweep.tensors.push(found);
            }
            progress.advance(item.bytes);
        }
        drop(progress);
        if sweep.tensors.is_empty() {
            let file = &sweep.file;
            return Err(Failure::new(format!("{file}: There is no tensor of floats to quantize.")));
        }
        sweep.float_energy = energy::of_floats(sweep.float())?;
        sweep.totals = totals::totals(&sweep);
        sweep.recommendation = recommend::recommend(&sweep);
        Ok(sweep)
    }

    /// What a tensor is, and whether it is left alone.
    fn about(&self, name: &[u8], tensor: &DenseTensor, values: &[f32]) -> Result<Tensor> {
        let finite = values.iter().copied().filter(|value| value.is_finite());
        let none = (f32::INFINITY, f32::NEG_INFINITY);
        let (low, high) = finite.fold(none, |(low, high), it| (low.min(it), high.max(it)));
        let strange = values.iter().filter(|value| !value.is_finite()).count();
        let left = if !self.selection.takes(name) {
            Some(Left::Rule("--only or --skip leaves it out".to_owned()))
        } else if let Some(reason) = self.worth.refuses(tensor) {
            Some(Left::Rule(reason))
        } else if strange > 0 {
            Some(Left::NonFinite(wide(strange)))
        } else if values.is_empty() {
            Some(Left::Rule("it has no values".to_owned()))
        } else if low == high {
            Some(Left::Constant)
        } else {
            None
        };
        Ok(Tensor {
            name: shown(name),
            dims: tensor.dims().to_vec(),
            values: wide(values.len()),
            float: wide(values.len()).saturating_mul(4),
            float_wire: wide(tensor.serialized_size(name)?),
            range: (low, high),
            left,
            trials: Vec::new(),
        })
    }

    /// The counters of energy, or why there are none.
    fn meter(&self) -> std::result::Result<Measured, String> {
        if !self.measure_energy {
            return Err("--measure-energy asks for it".to_owned());
        }
        let reason =
            |error: caffe2_qtensor::Error| error.to_string().trim_end_matches('.').to_owned();
        Measured::open(self.powercap.as_deref()).map_err(reason)
    }
}

/// The width of the terminal that is printed to; a pipe has any.
fn width() -> usize {
    let told = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let seen = || {
        let out = std::io::stdout();
        let size = if out.is_terminal() { terminal_size::terminal_size_of(out) } else { None };
        size.map(|(terminal_size::Width(columns), _)| usize::from(columns))
    };
    told.or_else(seen).unwrap_or(usize::MAX)
}

fn no_memory(values: usize) -> Failure {
    Failure::new(format!("No memory for a copy of {values} values."))
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
