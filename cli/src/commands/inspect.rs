//! `qtensor inspect`: what a file holds.

use crate::context::Context;
use crate::failure::Result;
use crate::table::{Side, Table};
use qtensor_cli::input::{Input, shown};
use std::io::Write;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  qtensor inspect model.minidb
  qtensor inspect init_net.pb --json | jq '.tensors[].name'";

/// Show what a file holds
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Inspect {
    /// A minidb, an init_net.pb, a BlobProto, a QTensorProto or a .npy
    file: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Inspect {
    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        let input = Input::open(&self.file)?;
        let mut table =
            Table::new(&[("name", Side::Left), ("type", Side::Left), ("bytes", Side::Right)]);
        for item in input.items() {
            context.interrupt.check()?;
            table.row(vec![shown(&item.name), shown(&item.kind), item.bytes.to_string()]);
        }
        let mut out = context.stdout();
        table.print(context, &mut out)?;
        Ok(out.flush()?)
    }
}
