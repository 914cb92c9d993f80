//! `tocsin client`: receivers, provisioning clients and applications as OAuth clients.

mod create;
mod settings;
mod shown;
mod update;

use serde_json::json;
use ssf::{Transmitter, client::ClientId};

use shown::Shown;

use crate::{
    args::{Data, OnStack, examples},
    output::{Cell, Fields, Output, advise},
    values,
};

/// Its arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = examples(&[
    ("Register one", create::EXAMPLE),
    ("See which there are", "tocsin client list --data ./data"),
]))]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Register a client, and print its id and its secret: this once
    #[command(after_help = create::examples())]
    Create(Box<create::Args>),
    /// Change one: what is given replaces what it had, and the rest stays
    #[command(after_help = update::examples())]
    Update(Box<update::Args>),
    /// List all
    #[command(after_help = examples(&[("All, for a program", "tocsin client list --data ./data --json")]))]
    List {
        #[command(flatten)]
        data: Data,
    },
    /// Show one, with its tokens
    #[command(after_help = examples(&[("One", "tocsin client show --data ./data CLIENT_ID")]))]
    Show(One),
    /// Make it nobody: its tokens are refused from now on; its streams stay as they are
    #[command(after_help = examples(&[("Lock it out", "tocsin client disable --data ./data CLIENT_ID")]))]
    Disable(One),
    /// Make it somebody again
    #[command(after_help = examples(&[("Let it in again", "tocsin client enable --data ./data CLIENT_ID")]))]
    Enable(One),
    /// Give it a new secret and print it, this once; the old one is of no use any more
    #[command(after_help = examples(&[("A new secret", "tocsin client rotate-secret --data ./data CLIENT_ID")]))]
    RotateSecret(One),
    /// Delete it, its tokens and its streams
    #[command(after_help = examples(&[("For good", "tocsin client delete --data ./data CLIENT_ID")]))]
    Delete {
        #[command(flatten)]
        one: One,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

#[derive(Debug, clap::Args)]
struct One {
    #[command(flatten)]
    data: Data,
    /// Which one
    #[arg(value_parser = values::client_id)]
    client_id: ClientId,
}

impl One {
    async fn open(&self, on: &OnStack) -> anyhow::Result<(Transmitter, &ClientId)> {
        Ok((self.data.open(on).await?, &self.client_id))
    }
}

/// Does it.
pub async fn run(args: Args, on: &OnStack, output: Output) -> anyhow::Result<()> {
    match args.command {
        Command::Create(args) => Box::pin(create::run(*args, on, output)).await,
        Command::Update(args) => Box::pin(update::run(*args, on, output)).await,
        Command::List { data } => {
            let clients = data.open(on).await?.client_list().await.map_err(advise)?;
            Ok(output.show(&clients, |clients| shown::table(clients))?)
        }
        Command::Show(one) => {
            let (transmitter, id) = one.open(on).await?;
            let client = transmitter.client_show(id).await.map_err(advise)?;
            let tokens = transmitter.token_list(id).await.map_err(advise)?;
            let streams = transmitter.streams_of(id).await.map_err(advise)?.len();
            Ok(output.show(&Shown { client, streams, tokens }, shown::fields)?)
        }
        Command::Disable(one) => {
            let (transmitter, id) = one.open(on).await?;
            let client = transmitter.client_disable(id).await.map_err(advise)?;
            let text = format!("the client {id} is disabled: its tokens are refused from now on");
            Ok(output.show(&client, |_| text)?)
        }
        Command::Enable(one) => {
            let (transmitter, id) = one.open(on).await?;
            let client = transmitter.client_enable(id).await.map_err(advise)?;
            Ok(output.show(&client, |_| format!("the client {id} is enabled"))?)
        }
        Command::RotateSecret(one) => {
            let (transmitter, id) = one.open(on).await?;
            let secret = transmitter.client_rotate_secret(id).await.map_err(advise)?;
            let value = json!({ "client_id": id, "client_secret": secret.expose() });
            let text = Fields::default()
                .with("client_id", id.to_string())
                .with("client_secret", secret.expose());
            output.show(&value, |_| text)?;
            Ok(output.note("keep the secret: it is not shown again")?)
        }
        Command::Delete { one, yes } => {
            let (transmitter, id) = one.open(on).await?;
            let client = transmitter.client_show(id).await.map_err(advise)?;
            let name = Cell::from(client.client_name);
            output.confirm(
                format_args!("Delete the client {id} ({name}), its tokens and its streams?"),
                yes,
            )?;
            transmitter.client_delete(id).await.map_err(advise)?;
            let value = json!({ "client_id": id, "deleted": true });
            Ok(output.show(&value, |_| format!("the client {id} is deleted"))?)
        }
    }
}
