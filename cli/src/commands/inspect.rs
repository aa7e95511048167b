//! `qtensor inspect`: what a file holds.

use super::shown_dims;
use super::summary::{Summary, each_element, element_name, short};
use crate::context::Context;
use crate::failure::{Failure, Result};
use crate::floats::dequantized;
use crate::pattern::Selection;
use crate::table::{Side, Table};
use caffe2_qtensor::{Params, QTensor};
use clap::builder::styling::{AnsiColor, Color, Style};
use qtensor_cli::input::{Input, Item, Loaded, shown};
use serde::Serialize;
use std::io::Write;
use std::path::PathBuf;

const HELP: &str = "\
A QTensor's bits are those of its magnitude, and +1 for a sign. Its values are scale * (code + bias),
those of a QTensorLog 2^(scale * (code - 1 + bias)). The histogram has 16 bins over the range; in
--json all numbers are exact, and null where they are NaN or infinite.

Examples:
  qtensor inspect model.minidb
  qtensor inspect init_net.pb --only 'fc*_w'
  qtensor inspect model.minidb --json | jq -r '.tensors[] | select(.precision < 4).name'";

/// Show what a file holds: names, types, dimensions, parameters, sizes, ranges
#[derive(clap::Args, Debug)]
#[command(after_help = HELP)]
pub(crate) struct Inspect {
    /// A minidb, an init_net.pb, a BlobProto, a QTensorProto or a .npy
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    selection: Selection,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    file: String,
    format: &'static str,
    tensors: Vec<About>,
}

/// What is said of a tensor.
#[derive(Default, Serialize)]
#[serde(default)]
struct About {
    name: String,
    r#type: String,
    bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dims: Option<Vec<i64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    element_type: Option<&'static str>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    quantized: Option<Quantized>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    values: Option<Summary>,
}

/// What is said of a quantized tensor besides.
#[derive(Serialize)]
struct Quantized {
    precision: u8,
    signed: bool,
    logarithmic: bool,
    scale: f64,
    bias: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    channels: Option<Channels>,
    plane_bytes: usize,
    float_bytes: usize,
}

#[derive(Serialize)]
struct Channels {
    axis: usize,
    scales: Vec<f64>,
    biases: Vec<f64>,
}

impl Inspect {
    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        let input = Input::open(&self.file)?;
        self.selection.check(input.items())?;
        let progress = context.progress(input.items().iter().map(|item| item.bytes).sum());
        let (mut tensors, mut damaged) = (Vec::new(), 0usize);
        for (index, item) in input.items().iter().enumerate() {
            if !self.selection.takes(&item.name) {
                continue;
            }
            context.interrupt.check()?;
            progress.at(&item.name);
            let about = About::of(item, input.load(index).map_err(Failure::from));
            damaged = damaged.saturating_add(usize::from(about.error.is_some()));
            tensors.push(about);
            progress.advance(item.bytes);
        }
        drop(progress);
        if self.json {
            let file = shown(self.file.as_os_str().as_encoded_bytes());
            context.print_json(&Report { file, format: input.format().name(), tensors })?;
        } else {
            print(context, &tensors)?;
        }
        match damaged {
            0 => Ok(()),
            _ => Err(Failure::new(format!(
                "{}: {damaged} of {} tensors cannot be read.",
                shown(self.file.as_os_str().as_encoded_bytes()),
                input.items().len()
            ))),
        }
    }
}

impl About {
    fn of(item: &Item, loaded: Result<Loaded>) -> About {
        let mut about = About {
            name: shown(&item.name),
            r#type: shown(&item.kind),
            bytes: item.bytes,
            ..About::default()
        };
        let described = match loaded {
            Ok(Loaded::Dense(tensor)) => {
                about.dims = Some(tensor.dims().to_vec());
                about.element_type = Some(element_name(tensor.elements().element_type()));
                about.values = Some(Summary::of(|visit| each_element(tensor.elements(), visit)));
                Ok(())
            }
            Ok(Loaded::Quantized(tensor)) => about.quantized(&tensor),
            Ok(Loaded::Other) => Ok(()),
            Err(failure) => Err(failure),
        };
        if let Err(Failure::Message(message)) = described {
            about.error = Some(message);
        }
        about
    }

    fn quantized(&mut self, tensor: &QTensor) -> Result<()> {
        self.dims = Some(tensor.dims().to_vec());
        let mut quantized = Quantized {
            precision: tensor.precision(),
            signed: tensor.is_signed(),
            logarithmic: tensor.is_logarithmic(),
            scale: tensor.scale(),
            bias: tensor.bias(),
            channels: None,
            plane_bytes: tensor.nbytes(),
            float_bytes: tensor.size().saturating_mul(size_of::<f32>()),
        };
        let params = tensor.params();
        if let Ok(Params::PerChannel { axis, scales, biases }) = params {
            let (scales, biases) = (scales.to_vec(), biases.to_vec());
            quantized.channels = Some(Channels { axis, scales, biases });
        }
        self.quantized = Some(quantized);
        params?;
        // Codes of other precisions have no values here, which is no damage.
        if (1..=32).contains(&tensor.precision()) {
            let values = dequantized(tensor, 1)?;
            self.values = Some(Summary::of(|visit| {
                values.iter().for_each(|value| visit(f64::from(*value)));
            }));
        }
        Ok(())
    }

    fn row(&self, context: &Context) -> Vec<String> {
        let style = |color| Style::new().fg_color(Some(Color::Ansi(color)));
        let mut row =
            vec![self.name.clone(), self.r#type.clone(), shown_dims(self.dims.as_deref())];
        let (bits, scale, bias) = match &self.quantized {
            Some(it) => {
                let bits = format!("{}{}", it.precision, if it.signed { "+1" } else { "" });
                match &it.channels {
                    Some(channels) => {
                        (bits, format!("{} channels", channels.scales.len()), String::new())
                    }
                    None => (bits, short(it.scale), short(it.bias)),
                }
            }
            None => {
                (self.element_type.unwrap_or_default().to_owned(), String::new(), String::new())
            }
        };
        row.extend([bits, scale, bias, self.bytes.to_string()]);
        match (&self.error, &self.values) {
            (Some(error), _) => row.push(context.styled(style(AnsiColor::Red), error)),
            (None, Some(values)) => {
                let odd = values.nan.saturating_add(values.infinite);
                row.push(match odd {
                    0 => values.range(),
                    _ => format!("{} ({odd} not finite)", values.range()),
                });
                row.push(context.styled(style(AnsiColor::Cyan), &values.blocks()));
            }
            (None, None) => {}
        }
        row
    }
}

fn print(context: &Context, tensors: &[About]) -> Result<()> {
    let mut table = Table::new(&[
        ("name", Side::Left),
        ("type", Side::Left),
        ("dims", Side::Left),
        ("bits", Side::Right),
        ("scale", Side::Right),
        ("bias", Side::Right),
        ("bytes", Side::Right),
        ("range", Side::Left),
        ("histogram", Side::Left),
    ]);
    for about in tensors {
        table.row(about.row(context));
    }
    let mut out = context.stdout();
    table.print(context, &mut out)?;
    Ok(out.flush()?)
}
