//! `tocsin client`: the receivers as OAuth clients.

use crate::{
    args::{Data, examples},
    output::Output,
};

/// Its arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = examples(&[("Register one", "tocsin client create --data ./data --name acme --audience https://acme.example")]))]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Register a receiver, and print its id and secret
    #[command(after_help = examples(&[("Register one", "tocsin client create --data ./data --name acme --audience https://acme.example")]))]
    Create {
        #[command(flatten)]
        data: Data,
        /// Its name to people
        #[arg(long)]
        name: String,
        /// A value of `aud` in its SETs
        #[arg(long, required = true)]
        audience: Vec<String>,
    },
    /// List all
    #[command(after_help = examples(&[("Register one", "tocsin client create --data ./data --name acme --audience https://acme.example")]))]
    List {
        #[command(flatten)]
        data: Data,
    },
    /// Show one
    #[command(after_help = examples(&[("Register one", "tocsin client create --data ./data --name acme --audience https://acme.example")]))]
    Show {
        #[command(flatten)]
        data: Data,
        /// Which one
        client_id: String,
    },
    /// Make it nobody
    #[command(after_help = examples(&[("Register one", "tocsin client create --data ./data --name acme --audience https://acme.example")]))]
    Disable {
        #[command(flatten)]
        data: Data,
        /// Which one
        client_id: String,
    },
    /// Make it somebody again
    #[command(after_help = examples(&[("Register one", "tocsin client create --data ./data --name acme --audience https://acme.example")]))]
    Enable {
        #[command(flatten)]
        data: Data,
        /// Which one
        client_id: String,
    },
    /// Give it a new secret
    #[command(after_help = examples(&[("Register one", "tocsin client create --data ./data --name acme --audience https://acme.example")]))]
    RotateSecret {
        #[command(flatten)]
        data: Data,
        /// Which one
        client_id: String,
    },
    /// Delete it with its tokens and streams
    #[command(after_help = examples(&[("Register one", "tocsin client create --data ./data --name acme --audience https://acme.example")]))]
    Delete {
        #[command(flatten)]
        data: Data,
        /// Which one
        client_id: String,
    },
}

/// Does it.
pub async fn run(args: Args, output: Output) -> anyhow::Result<()> {
    let _ = (args, output);
    anyhow::bail!("is not there yet")
}
