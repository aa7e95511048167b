//! `qtensor convert`: quantized tensors to another form or precision.

use super::{check_names, copy};
use crate::context::Context;
use crate::failure::{Failure, Result};
use crate::floats::{dequantized, zeroed};
use crate::numbers;
use crate::output::Output;
use crate::pattern::Selection;
use crate::plan::{Codes, MethodOptions, Plan, Sign};
use crate::table::{Side, Table};
use caffe2_qtensor::calibrate::Zero;
use caffe2_qtensor::minidb::Writer;
use caffe2_qtensor::quantize::QuantizeOptions;
use caffe2_qtensor::{Code, Params, QTensor};
use qtensor_cli::input::{Input, Item, Loaded, shown};
use serde::Serialize;
use std::io::Write;
use std::path::PathBuf;

const HELP: &str = "\
What keeps every value: an Int8TensorCPU as a QTensor; a QTensor of up to 8 bits, or 7 and a sign,
with a whole bias as an Int8TensorCPU; any of them at a higher precision. All else is dequantized and
quantized anew by --method, channel by channel where there are channels, and said to be requantized;
--exact refuses that. Floats and what is no tensor are copied.

Examples:
  qtensor convert int8.minidb -o planes.minidb --to qtensor
  qtensor convert model8.minidb -o model3.minidb --precision 3
  qtensor convert planes.minidb -o int8.minidb --to int8 --exact";

/// Convert quantized tensors to another form or precision
#[derive(clap::Args, Debug)]
#[command(after_help = HELP)]
pub(crate) struct Convert {
    /// A minidb, an init_net.pb, a BlobProto or a QTensorProto
    #[arg(value_name = "IN")]
    input: PathBuf,
    #[command(flatten)]
    output: Output,
    /// The form to convert to; by default each tensor keeps its own
    #[arg(long, value_name = "FORM", required_unless_present = "precision")]
    to: Option<Form>,
    /// The precision to convert to; by default each tensor keeps its own
    #[arg(
        short,
        long,
        value_name = "BITS",
        allow_negative_numbers = true,
        value_parser = numbers::bits::<32>
    )]
    precision: Option<u8>,
    /// Refuse what would change a value
    #[arg(long, conflicts_with_all = ["method", "quantiles", "range", "share"])]
    exact: bool,
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    method: MethodOptions,
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    /// QTensor, or QTensorLog for logarithmic ones
    Qtensor,
    /// Int8TensorCPU
    Int8,
}

#[derive(Serialize)]
struct Done {
    name: String,
    action: &'static str,
    from: String,
    to: String,
}

#[derive(Serialize)]
struct Report {
    input: String,
    output: String,
    tensors: Vec<Done>,
}

/// A tensor as it is to be written.
struct Converted {
    tensor: QTensor,
    form: Form,
    exact: bool,
}

impl Convert {
    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        if let (Some(Form::Int8), Some(precision)) = (self.to, self.precision)
            && precision != 8
        {
            let refused =
                format!("--precision is {precision}, but --to int8 makes codes of 8 bits.");
            return Err(Failure::usage(refused));
        }
        let keeps = self.to == Some(Form::Qtensor) && self.precision.is_none();
        if keeps && self.method.method.is_some() {
            let refused = "--method is refused with --to qtensor, which keeps every value without \
                           --precision.";
            return Err(Failure::usage(refused));
        }
        // What tensors there are is not known yet, but some codes any method has.
        let linear = self.linear(Zero::Free)?;
        Plan {
            precision: 8,
            sign: Sign::Never,
            codes: linear,
            axis: None,
            int8: false,
            options: QuantizeOptions::default(),
        }
        .check(&context.interrupt)?;
        self.output.check(&[&self.input])?;
        let input = Input::open(&self.input)?;
        self.selection.check(input.items())?;
        let path = shown(self.input.as_os_str().as_encoded_bytes());
        check_names(&input, |_| true)?;
        let mut writer = self.output.minidb()?;
        let progress = context.progress(input.items().iter().map(|item| item.bytes).sum());
        let mut tensors = Vec::new();
        for (index, item) in input.items().iter().enumerate() {
            context.interrupt.check()?;
            progress.at(&item.name);
            tensors.push(self.one(context, &input, index, item, &mut writer)?);
            progress.advance(item.bytes);
        }
        context.interrupt.check()?;
        progress.at(b"flushing");
        writer.commit().map_err(|error| self.output.failure(error))?;
        drop(progress);
        let output = shown(self.output.path().as_os_str().as_encoded_bytes());
        self.print(context, &Report { input: path, output, tensors })
    }

    fn one(
        &self,
        context: &Context,
        input: &Input,
        index: usize,
        item: &Item,
        writer: &mut Writer,
    ) -> Result<Done> {
        let wanted = self.selection.takes(&item.name);
        let loaded = wanted.then(|| input.load(index)).transpose()?;
        let name = shown(&item.name);
        let Some(Loaded::Quantized(tensor)) = loaded else {
            let copied = copy(input, index, writer, &self.output)?;
            let action = if copied.is_some() { "copied" } else { "left out" };
            let kind = shown(&item.kind);
            return Ok(Done { name, action, from: kind.clone(), to: kind });
        };
        let form = if item.kind.starts_with(b"Int8") { Form::Int8 } else { Form::Qtensor };
        let from = described(&tensor, form);
        let to = self.to.unwrap_or(form);
        let converted = self.converted(context, tensor, to).map_err(|it| it.about(&item.name))?;
        let written = match converted.form {
            Form::Int8 => writer.append_int8(&item.name, &converted.tensor),
            Form::Qtensor => writer.append(&item.name, &converted.tensor),
        };
        written.map_err(|error| self.output.failure(error))?;
        let action = if converted.exact { "converted" } else { "requantized" };
        Ok(Done { name, action, from, to: described(&converted.tensor, converted.form) })
    }

    fn converted(&self, context: &Context, tensor: QTensor, form: Form) -> Result<Converted> {
        if let (Form::Int8, Some(precision)) = (form, self.precision)
            && precision != 8
        {
            let refused = format!(
                "An Int8TensorCPU has 8 bits, and --precision asks for {precision}; --to qtensor \
                 makes a QTensor of it."
            );
            return Err(Failure::new(refused));
        }
        let wanted = match form {
            Form::Int8 if tensor.int8_serialized_size(b"").is_ok() && self.precision.is_none() => {
                return Ok(Converted { tensor, form, exact: true });
            }
            Form::Int8 => {
                if let Ok(tensor) = tensor.to_int8() {
                    return Ok(Converted { tensor, form, exact: true });
                }
                8
            }
            Form::Qtensor => self.precision.unwrap_or(tensor.precision()),
        };
        if form == Form::Qtensor && wanted >= tensor.precision() {
            let tensor = widened(tensor, wanted)?;
            return Ok(Converted { tensor, form, exact: true });
        }
        if self.exact {
            let precision = tensor.precision();
            let refused = format!(
                "A tensor of {precision} bits cannot become {} and keep every value; without \
                 --exact it is quantized anew.",
                match form {
                    Form::Int8 => "an Int8TensorCPU".to_owned(),
                    Form::Qtensor => format!("one of {wanted} bits"),
                }
            );
            return Err(Failure::new(refused));
        }
        let plan = self.plan(&tensor, form, wanted)?;
        let values = dequantized(&tensor, plan.options.threads)?;
        let tensor = plan.quantize(&values, tensor.dims(), &context.interrupt)?;
        Ok(Converted { tensor, form, exact: false })
    }

    /// How a tensor is quantized anew: as it was, as far as the new form allows.
    fn plan(&self, tensor: &QTensor, form: Form, precision: u8) -> Result<Plan> {
        let int8 = form == Form::Int8;
        let axis = match tensor.params()? {
            Params::PerChannel { axis, .. } if !int8 => Some(axis),
            _ => None,
        };
        let linear = self.linear(if int8 { Zero::Exact } else { Zero::Free })?;
        let logarithmic = tensor.is_logarithmic() && !int8;
        let codes = if logarithmic { Codes::Logarithmic } else { linear };
        let sign = if tensor.is_signed() && !int8 { Sign::Always } else { Sign::Never };
        let threads = match self.threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        };
        let options = QuantizeOptions { threads, ..QuantizeOptions::default() };
        Ok(Plan { precision, sign, codes, axis, int8, options })
    }

    fn linear(&self, zero: Zero) -> Result<Codes> {
        let method = self.method.method()?;
        let (symmetric, power_of_two, reduced) = (false, false, false);
        Ok(Codes::Linear { method, zero, symmetric, power_of_two, reduced })
    }

    fn print(&self, context: &Context, report: &Report) -> Result<()> {
        if self.quiet {
            return Ok(());
        }
        if self.json {
            return context.print_json(report);
        }
        let columns = ["name", "what", "from", "to"];
        let mut table = Table::new(&columns.map(|name| (name, Side::Left)));
        for done in &report.tensors {
            let action = done.action.to_owned();
            table.row(vec![done.name.clone(), action, done.from.clone(), done.to.clone()]);
        }
        let mut out = context.stdout();
        table.print(context, &mut out)?;
        Ok(out.flush()?)
    }
}

/// The same codes in more planes.
fn widened(tensor: QTensor, precision: u8) -> Result<QTensor> {
    if precision == tensor.precision() {
        return Ok(tensor);
    }
    let mut wider = QTensor::with_shape(tensor.dims(), precision, tensor.is_signed())?;
    wider.set_scale(tensor.scale());
    wider.set_bias(tensor.bias());
    if let Params::PerChannel { axis, scales, biases } = tensor.params()? {
        wider.set_channels(i32::try_from(axis).unwrap_or(i32::MAX), scales, biases)?;
    }
    wider.set_logarithmic(tensor.is_logarithmic())?;
    wider.set_data_type(tensor.data_type())?;
    // In the narrowest type that holds them.
    match tensor.precision() {
        0 => {}
        1..=7 => copy_codes::<i8>(&tensor, &mut wider)?,
        8..=15 => copy_codes::<i16>(&tensor, &mut wider)?,
        16..=31 => copy_codes::<i32>(&tensor, &mut wider)?,
        _ => copy_codes::<i64>(&tensor, &mut wider)?,
    }
    Ok(wider)
}

fn copy_codes<T: Code + Default>(from: &QTensor, to: &mut QTensor) -> Result<()> {
    let mut codes = zeroed::<T>(from.size())?;
    from.read_codes(&mut codes)?;
    Ok(to.write_codes(&codes)?)
}

/// A tensor's form and precision.
fn described(tensor: &QTensor, form: Form) -> String {
    let kind = match form {
        Form::Int8 => caffe2_qtensor::INT8_TYPE,
        Form::Qtensor if tensor.is_logarithmic() => caffe2_qtensor::QTENSOR_LOG_TYPE,
        Form::Qtensor => caffe2_qtensor::QTENSOR_TYPE,
    };
    let sign = if tensor.is_signed() { " and a sign" } else { "" };
    format!("{kind} of {} bits{sign}", tensor.precision())
}
