//! The `qtensor` command: looks into Caffe2's tensors, quantizes them and compares what came of it.
//!
//! Each subcommand is a module of `commands`; what a file holds is read by the library part of this
//! package, and everything done to tensors is the `caffe2_qtensor` library's.

#![forbid(unsafe_code)]

mod commands;
mod context;
mod failure;
mod floats;
mod interrupt;
mod numbers;
mod output;
mod pattern;
mod plan;
mod progress;
mod report;
mod sweep;
mod table;
mod worth;

use clap::Parser;
use commands::Arguments;
use std::process::ExitCode;

fn main() -> ExitCode {
    match commands::run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
