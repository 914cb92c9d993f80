//! `tocsin dead-letter`: messages that could not be events.

use crate::{
    args::{Data, examples},
    output::Output,
};

/// Its arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = examples(&[("List all", "tocsin dead-letter list --data ./data")]))]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List them
    #[command(after_help = examples(&[("List all", "tocsin dead-letter list --data ./data")]))]
    List {
        #[command(flatten)]
        data: Data,
    },
    /// Show one
    #[command(after_help = examples(&[("List all", "tocsin dead-letter list --data ./data")]))]
    Show {
        #[command(flatten)]
        data: Data,
        /// Which one
        id: String,
    },
    /// Put it on the ingest queue again
    #[command(after_help = examples(&[("List all", "tocsin dead-letter list --data ./data")]))]
    Redrive {
        #[command(flatten)]
        data: Data,
        /// Which one
        id: String,
    },
    /// Remove it
    #[command(after_help = examples(&[("List all", "tocsin dead-letter list --data ./data")]))]
    Drop {
        #[command(flatten)]
        data: Data,
        /// Which one
        id: String,
    },
}

/// Does it.
pub async fn run(args: Args, output: Output) -> anyhow::Result<()> {
    let _ = (args, output);
    anyhow::bail!("is not there yet")
}
