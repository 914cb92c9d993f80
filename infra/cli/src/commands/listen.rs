//! `tocsin listen`: a receiver in a terminal.

use crate::{args::examples, output::Output};

/// Its arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = examples(&[("Poll", "tocsin listen --issuer https://localhost:8443 --client-id ID --client-secret SECRET")]))]
pub struct Args {
    /// The transmitter
    #[arg(long)]
    issuer: String,
}

/// Does it.
pub async fn run(args: Args, output: Output) -> anyhow::Result<()> {
    let _ = (args, output);
    anyhow::bail!("is not there yet")
}
