//! `tocsin keys`: the keys that sign.

use crate::{
    args::{Data, examples},
    output::Output,
};

/// Its arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = examples(&[("Rotate", "tocsin keys rotate --data ./data")]))]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List them
    #[command(after_help = examples(&[("Rotate", "tocsin keys rotate --data ./data")]))]
    List {
        #[command(flatten)]
        data: Data,
    },
    /// Make a new key
    #[command(after_help = examples(&[("Rotate", "tocsin keys rotate --data ./data")]))]
    Rotate {
        #[command(flatten)]
        data: Data,
    },
    /// Take a past key away
    #[command(after_help = examples(&[("Rotate", "tocsin keys rotate --data ./data")]))]
    Retire {
        #[command(flatten)]
        data: Data,
        /// Which one
        kid: String,
    },
}

/// Does it.
pub async fn run(args: Args, output: Output) -> anyhow::Result<()> {
    let _ = (args, output);
    anyhow::bail!("is not there yet")
}
