//! `qtensor diff`: what the tensors of one file lost against those of another.

use super::check_names;
use super::summary::short;
use crate::context::Context;
use crate::failure::{Failure, Result};
use crate::floats::{dequantized, floats_of};
use crate::numbers;
use crate::pattern::Selection;
use crate::table::{Side, Table};
use caffe2_qtensor::QTensor;
use caffe2_qtensor::measure::{ErrorOptions, Errors, compare};
use qtensor_cli::input::{Input, Loaded, shown};
use serde::Serialize;
use std::collections::HashMap;
use std::io::Write;
use std::path::PathBuf;

const HELP: &str = "\
Tensors are compared by name: A holds the references, B what became of them. Quantized tensors count
by their values. SQNR is 10 log10 of the sum of the references' squares over that of the errors'; a
pair of which a number is NaN or infinite is counted and left out. Integers are the same or not. Two
tensors of one name in one file are refused, as it is not known which is meant.

Exit status 1 where a tensor has no counterpart or none of its type and shape, and where --min-sqnr
or --max-error does not hold.

Examples:
  qtensor diff model.minidb model4.minidb
  qtensor diff init_net.pb model8.minidb --min-sqnr 30 --ignore-missing
  qtensor diff a.npy b.npy --json";

/// Compare the tensors of two files
#[derive(clap::Args, Debug)]
#[command(after_help = HELP)]
pub(crate) struct Diff {
    /// The references: a minidb, an init_net.pb, a BlobProto, a QTensorProto or a .npy
    #[arg(value_name = "A")]
    references: PathBuf,
    /// What became of them
    #[arg(value_name = "B")]
    values: PathBuf,
    #[command(flatten)]
    selection: Selection,
    /// Pass over tensors that only one file has
    #[arg(long)]
    ignore_missing: bool,
    /// The SQNR in decibels that each tensor has to reach
    #[arg(long, value_name = "DECIBELS")]
    #[arg(allow_negative_numbers = true, value_parser = numbers::limit)]
    min_sqnr: Option<f64>,
    /// The largest error that any value may have
    #[arg(long, value_name = "ERROR")]
    #[arg(allow_negative_numbers = true, value_parser = numbers::error_limit)]
    max_error: Option<f64>,
    /// On how many threads to work; 0 is one for each processor
    #[arg(long, value_name = "N", default_value_t = 0)]
    #[arg(allow_negative_numbers = true, value_parser = numbers::count)]
    threads: usize,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    references: String,
    values: String,
    tensors: Vec<Compared>,
    total: Metrics,
    holds: bool,
}

/// What came of a tensor.
#[derive(Serialize)]
struct Compared {
    name: String,
    /// `compared`, `same`, or why they cannot be compared.
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    metrics: Option<Metrics>,
    /// Whether it is as was asked for.
    holds: bool,
}

/// Numbers of errors; infinite and undefined ones are `null`.
#[derive(Clone, Serialize)]
struct Metrics {
    count: u64,
    /// Pairs of which one is not finite; those among them that are not the same twice.
    non_finite: u64,
    unlike: u64,
    sqnr: f64,
    /// Whether there is no error at all, so that the SQNR is infinite.
    exact: bool,
    rmse: f64,
    mae: f64,
    mean_error: f64,
    max_error: f64,
    max_index: Option<u64>,
    cosine: f64,
    effective_bits: f64,
    saturated_low: u64,
    saturated_high: u64,
    flushed_to_zero: u64,
}

/// Two tensors of one name.
enum Outcome {
    /// And how many pairs are unlike that no sum can hold.
    Errors(Box<Errors>, u64),
    Same,
    Not(&'static str),
}

impl Diff {
    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        let (a, b) = (Input::open(&self.references)?, Input::open(&self.values)?);
        let all: Vec<_> = a.items().iter().chain(b.items()).cloned().collect();
        self.selection.check(&all)?;
        for input in [&a, &b] {
            check_names(input, |item| self.selection.takes(&item.name))?;
        }
        let places: HashMap<&[u8], usize> =
            b.items().iter().enumerate().map(|(at, item)| (item.name.as_slice(), at)).collect();
        // Files of one tensor each are compared whatever the tensors are called.
        let single = a.items().len() == 1 && b.items().len() == 1;
        let progress = context.progress(all.iter().map(|item| item.bytes).sum());
        let (mut tensors, mut total, mut all_unlike) = (Vec::new(), Errors::default(), 0u64);
        let mut used = vec![false; b.items().len()];
        for (index, item) in a.items().iter().enumerate() {
            context.interrupt.check()?;
            if !self.selection.takes(&item.name) {
                continue;
            }
            progress.at(&item.name);
            let place = if single { Some(0) } else { places.get(item.name.as_slice()).copied() };
            let Some(place) = place else {
                tensors.extend(self.missing(&item.name, "only in A"));
                continue;
            };
            used.get_mut(place).into_iter().for_each(|used| *used = true);
            let outcome = self.one(a.load(index)?, b.load(place)?);
            let outcome = outcome.map_err(|failure| failure.about(&item.name))?;
            if let Outcome::Errors(errors, unlike) = &outcome {
                total.merge(errors)?;
                all_unlike = all_unlike.saturating_add(*unlike);
            }
            tensors.push(self.judged(&item.name, &outcome));
            let other = b.items().get(place).map_or(0, |item| item.bytes);
            progress.advance(item.bytes.saturating_add(other));
        }
        for (item, used) in b.items().iter().zip(used) {
            if !used && self.selection.takes(&item.name) {
                tensors.extend(self.missing(&item.name, "only in B"));
            }
        }
        drop(progress);
        let holds = tensors.iter().all(|compared| compared.holds);
        let report = Report {
            references: shown(self.references.as_os_str().as_encoded_bytes()),
            values: shown(self.values.as_os_str().as_encoded_bytes()),
            total: Metrics::of(&total, all_unlike),
            tensors,
            holds,
        };
        let printed = self.print(context, &report);
        let failed: Vec<&str> =
            report.tensors.iter().filter(|it| !it.holds).map(|it| it.name.as_str()).collect();
        match failed.as_slice() {
            [] => printed,
            // Whether anybody reads the table or not.
            [first, more @ ..] => Err(Failure::new(format!(
                "{}, {}: {} not as asked for: {first}{}",
                report.references,
                report.values,
                if more.is_empty() {
                    "a tensor is".to_owned()
                } else {
                    format!("{} tensors are", failed.len())
                },
                if more.is_empty() { "." } else { " and others." },
            ))),
        }
    }

    fn missing(&self, name: &[u8], result: &'static str) -> Option<Compared> {
        let compared = Compared { name: shown(name), result, metrics: None, holds: false };
        Some(compared).filter(|_| !self.ignore_missing)
    }

    fn one(&self, a: Loaded, b: Loaded) -> Result<Outcome> {
        let threads = match self.threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        };
        let options = ErrorOptions { threads, ..ErrorOptions::default() };
        let errors = |errors, unlike| Ok(Outcome::Errors(Box::new(errors), unlike));
        // A dequantized scalar has a dimension.
        let dims_of = |tensor: &QTensor| tensor.dims().to_vec();
        let (dims, reference) = match &a {
            Loaded::Quantized(tensor) => {
                (dims_of(tensor), Some(dequantized(tensor, threads)?.into()))
            }
            Loaded::Dense(tensor) => (tensor.dims().to_vec(), floats_of(tensor)?),
            Loaded::Other => (Vec::new(), None),
        };
        let same_shape =
            |other: &[i64]| dims == other || matches!((&*dims, other), ([], [1]) | ([1], []));
        match (&a, &b, &reference) {
            (_, Loaded::Quantized(tensor), Some(reference)) => match same_shape(tensor.dims()) {
                true => {
                    let found = tensor.errors(reference, &options)?;
                    let unlike = match found.non_finite() {
                        0 => 0,
                        _ => unlike(reference, &dequantized(tensor, threads)?),
                    };
                    errors(found, unlike)
                }
                false => Ok(Outcome::Not("other shape")),
            },
            (_, Loaded::Dense(tensor), Some(reference)) => match floats_of(tensor)? {
                Some(_) if !same_shape(tensor.dims()) => Ok(Outcome::Not("other shape")),
                Some(values) => {
                    let found = compare(reference, &values, &options)?;
                    errors(found, unlike(reference, &values))
                }
                None => Ok(Outcome::Not("other type")),
            },
            (Loaded::Dense(a), Loaded::Dense(b), None) => Ok(match a == b {
                true => Outcome::Same,
                false if floats_of(b)?.is_some() => Outcome::Not("other type"),
                false if a.dims() != b.dims() => Outcome::Not("other shape"),
                false => Outcome::Not("other values"),
            }),
            (Loaded::Other, Loaded::Other, _) => Ok(Outcome::Not("not compared")),
            _ => Ok(Outcome::Not("other type")),
        }
    }

    fn judged(&self, name: &[u8], outcome: &Outcome) -> Compared {
        let (result, metrics) = match outcome {
            Outcome::Errors(errors, unlike) => ("compared", Some(Metrics::of(errors, *unlike))),
            Outcome::Same => ("same", None),
            Outcome::Not(reason) => (*reason, None),
        };
        let holds = match &metrics {
            // What is not a number keeps no promise.
            Some(metrics) => {
                self.min_sqnr.is_none_or(|least| metrics.exact || metrics.sqnr >= least)
                    && self.max_error.is_none_or(|most| metrics.max_error <= most)
            }
            None => matches!(result, "same" | "not compared"),
        };
        Compared { name: shown(name), result, metrics, holds }
    }

    fn print(&self, context: &Context, report: &Report) -> Result<()> {
        if self.json {
            return context.print_json(report);
        }
        let columns = ["count", "SQNR dB", "RMSE", "max error", "cosine", "bits", "clipped"];
        let mut headings = vec![("name", Side::Left), ("result", Side::Left)];
        headings.extend(columns.map(|name| (name, Side::Right)));
        let mut table = Table::new(&headings);
        for it in &report.tensors {
            table.row(Metrics::row(&it.name, it.result, it.metrics.as_ref()));
        }
        table.row(Metrics::row("total", "", Some(&report.total)));
        let mut out = context.stdout();
        table.print(context, &mut out)?;
        Ok(out.flush()?)
    }
}

/// Pairs that are no finite numbers, and not the same: NaN is like NaN.
fn unlike(references: &[f32], values: &[f32]) -> u64 {
    let is_unlike = |(x, y): &(&f32, &f32)| {
        !(x.is_finite() && y.is_finite() || x == y || x.is_nan() && y.is_nan())
    };
    let count = references.iter().zip(values).filter(is_unlike).count();
    u64::try_from(count).unwrap_or(u64::MAX)
}

impl Metrics {
    /// Where pairs are unlike that no sum can hold, the error is as large as can be.
    fn of(errors: &Errors, unlike: u64) -> Metrics {
        let or_worst = |number: f64, worst: f64| if unlike == 0 { number } else { worst };
        Metrics {
            count: errors.count(),
            non_finite: errors.non_finite(),
            unlike,
            sqnr: or_worst(errors.sqnr(), f64::NEG_INFINITY),
            exact: unlike == 0 && errors.sum_squared() == 0.0,
            rmse: or_worst(errors.rmse(), f64::INFINITY),
            mae: or_worst(errors.mae(), f64::INFINITY),
            mean_error: errors.mean_error(),
            max_error: or_worst(errors.max_absolute(), f64::INFINITY),
            max_index: errors.max_index(),
            cosine: errors.cosine(),
            effective_bits: errors.effective_bits(),
            saturated_low: errors.saturated_low(),
            saturated_high: errors.saturated_high(),
            flushed_to_zero: errors.flushed(),
        }
    }

    fn row(name: &str, result: &str, metrics: Option<&Metrics>) -> Vec<String> {
        let mut row = vec![name.to_owned(), result.to_owned()];
        let Some(it) = metrics else { return row };
        let decibels = |value: f64| format!("{value:.2}");
        row.extend([
            it.count.to_string(),
            decibels(it.sqnr),
            short(it.rmse),
            short(it.max_error),
            format!("{:.6}", it.cosine),
            decibels(it.effective_bits),
            it.saturated_low.saturating_add(it.saturated_high).to_string(),
        ]);
        row
    }
}
