//! `tocsin event`: what became of events.

use crate::{
    args::{Data, examples},
    output::Output,
};

/// Its arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = examples(&[("List those that failed", "tocsin event list --data ./data --status failed")]))]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List them
    #[command(after_help = examples(&[("List those that failed", "tocsin event list --data ./data --status failed")]))]
    List {
        #[command(flatten)]
        data: Data,
    },
    /// Show one
    #[command(after_help = examples(&[("List those that failed", "tocsin event list --data ./data --status failed")]))]
    Show {
        #[command(flatten)]
        data: Data,
        /// Which one
        jti: String,
    },
    /// Send it again
    #[command(after_help = examples(&[("List those that failed", "tocsin event list --data ./data --status failed")]))]
    Retry {
        #[command(flatten)]
        data: Data,
        /// Which one
        jti: String,
    },
}

/// Does it.
pub async fn run(args: Args, output: Output) -> anyhow::Result<()> {
    let _ = (args, output);
    anyhow::bail!("is not there yet")
}
