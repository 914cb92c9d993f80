//! `tocsin serve`: a transmitter in one process.

use crate::{args::examples, output::Output};

/// Its arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = examples(&[("On this machine", "tocsin serve --data ./data --tls")]))]
pub struct Args {
    /// The data folder
    #[arg(long)]
    data: std::path::PathBuf,
}

/// Does it.
pub async fn run(args: Args, output: Output) -> anyhow::Result<()> {
    let _ = (args, output);
    anyhow::bail!("is not there yet")
}
