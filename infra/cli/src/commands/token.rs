//! `tocsin token`: access tokens.

use crate::{
    args::{Data, examples},
    output::Output,
};

/// Its arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = examples(&[("Revoke one", "tocsin token revoke --data ./data TOKEN")]))]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Revoke a token
    #[command(after_help = examples(&[("Revoke one", "tocsin token revoke --data ./data TOKEN")]))]
    Revoke {
        #[command(flatten)]
        data: Data,
        /// The token, or its id
        token: String,
    },
}

/// Does it.
pub async fn run(args: Args, output: Output) -> anyhow::Result<()> {
    let _ = (args, output);
    anyhow::bail!("is not there yet")
}
