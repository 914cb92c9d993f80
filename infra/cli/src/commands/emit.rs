//! `tocsin emit`: puts events on the ingest queue.

use crate::{
    args::{Data, examples},
    output::Output,
};

/// Its arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = examples(&[("One event", "tocsin emit --data ./data event.json")]))]
pub struct Args {
    #[command(flatten)]
    data: Data,
    /// A file of JSON, or JSON lines; `-`: stdin
    file: String,
}

/// Does it.
pub async fn run(args: Args, output: Output) -> anyhow::Result<()> {
    let _ = (args, output);
    anyhow::bail!("is not there yet")
}
