//! `tocsin demo`: all of it, at a glance.

use crate::{args::examples, output::Output};

/// Its arguments.
#[derive(Debug, Default, clap::Args)]
#[command(after_help = examples(&[("Watch", "tocsin demo")]))]
pub struct Args {
    /// Exit when everything arrived (0), or did not (1)
    #[arg(long)]
    once: bool,
}

/// Does it.
pub async fn run(args: Args, output: Output) -> anyhow::Result<()> {
    let _ = (args, output);
    anyhow::bail!("is not there yet")
}
