//! `tocsin stream`: the streams of all receivers.

use crate::{
    args::{Data, examples},
    output::Output,
};

/// Its arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = examples(&[("List all", "tocsin stream list --data ./data")]))]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List all
    #[command(after_help = examples(&[("List all", "tocsin stream list --data ./data")]))]
    List {
        #[command(flatten)]
        data: Data,
    },
    /// Show one
    #[command(after_help = examples(&[("List all", "tocsin stream list --data ./data")]))]
    Show {
        #[command(flatten)]
        data: Data,
        /// Which one
        stream_id: String,
    },
    /// Pause it
    #[command(after_help = examples(&[("List all", "tocsin stream list --data ./data")]))]
    Pause {
        #[command(flatten)]
        data: Data,
        /// Which one
        stream_id: String,
    },
    /// Enable it
    #[command(after_help = examples(&[("List all", "tocsin stream list --data ./data")]))]
    Enable {
        #[command(flatten)]
        data: Data,
        /// Which one
        stream_id: String,
    },
    /// Disable it
    #[command(after_help = examples(&[("List all", "tocsin stream list --data ./data")]))]
    Disable {
        #[command(flatten)]
        data: Data,
        /// Which one
        stream_id: String,
    },
    /// Delete it
    #[command(after_help = examples(&[("List all", "tocsin stream list --data ./data")]))]
    Delete {
        #[command(flatten)]
        data: Data,
        /// Which one
        stream_id: String,
    },
}

/// Does it.
pub async fn run(args: Args, output: Output) -> anyhow::Result<()> {
    let _ = (args, output);
    anyhow::bail!("is not there yet")
}
