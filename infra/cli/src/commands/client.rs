//! `tocsin client`: the receivers as OAuth clients.

mod create;

use serde::Serialize;
use serde_json::json;
use ssf::{
    Transmitter,
    client::{AuthMethod, Client, ClientId, ClientKeys, Profile, Scope, Token},
};

use crate::{
    args::{Data, OnStack, examples},
    commands::token,
    output::{ASIDE, BAD, Cell, Fields, GOOD, Output, Table, advise, time},
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
    /// Register a receiver, and print its id and its secret: this once
    #[command(after_help = create::examples())]
    Create(Box<create::Args>),
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

/// A client with its tokens.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    client: Client,
    streams: usize,
    tokens: Vec<Token>,
}

/// Does it.
pub async fn run(args: Args, on: &OnStack, output: Output) -> anyhow::Result<()> {
    match args.command {
        Command::Create(args) => create::run(*args, on, output).await,
        Command::List { data } => {
            let clients = data.open(on).await?.client_list().await.map_err(advise)?;
            Ok(output.show(&clients, |clients| table(clients))?)
        }
        Command::Show(one) => {
            let (transmitter, id) = one.open(on).await?;
            let client = transmitter.client_show(id).await.map_err(advise)?;
            let tokens = transmitter.token_list(id).await.map_err(advise)?;
            let streams = transmitter.streams_of(id).await.map_err(advise)?.len();
            Ok(output.show(&Shown { client, streams, tokens }, fields)?)
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

fn table(clients: &[Client]) -> Table {
    let mut table = Table::new(
        ["CLIENT", "NAME", "AUDIENCE", "SCOPE", "STATUS", "CREATED"],
        "there are no clients; `tocsin client create` registers one",
    );
    for client in clients {
        table.row([
            client.client_id.to_string().into(),
            client.client_name.as_str().into(),
            client.audience.join(" ").into(),
            scope(&client.scope).into(),
            status(client),
            time(client.created).into(),
        ]);
    }
    table
}

fn status(client: &Client) -> Cell {
    if client.disabled { Cell::new("disabled", BAD) } else { Cell::new("enabled", GOOD) }
}

pub(super) fn scope(scopes: &[Scope]) -> String {
    scopes.iter().map(|scope| scope.name()).collect::<Vec<_>>().join(" ")
}

fn fields(Shown { client, streams, tokens }: &Shown) -> String {
    let yes = |yes| if yes { "yes" } else { "no" };
    let fields = Fields::default()
        .with("client_id", client.client_id.to_string())
        .with("name", client.client_name.as_str())
        .with("status", status(client))
        .with("authentication", authentication(client))
        .with_some("secret expires", client.client_secret_expires_at.map(time))
        .with("scope", scope(&client.scope))
        .with_all("audience", client.audience.iter().map(String::as_str))
        .with(
            "default_subjects",
            match client.default_subjects {
                Some(subjects) => format!("{subjects:?}").to_uppercase(),
                None => "as the transmitter's settings say".to_owned(),
            },
        )
        .with(
            "profile",
            match client.profile {
                Profile::Standard => "standard",
                Profile::Legacy => "legacy",
            },
        )
        .with("subject in event", yes(client.subject_in_event))
        .with("streams", format!("{streams} of at most {}", client.max_streams))
        .with("may create streams", yes(client.may_create))
        .with(
            "push certificates",
            if client.verify_certificates {
                Cell::from("verified")
            } else {
                Cell::new("NOT verified", BAD)
            },
        )
        .with("created", time(client.created))
        .with("last modified", time(client.last_modified));
    let tokens = token::table(tokens);
    format!("{fields}\n\n{ASIDE}tokens{ASIDE:#}\n{tokens}")
}

fn authentication(client: &Client) -> String {
    let keys = match &client.keys {
        Some(ClientKeys::Jwks(_)) => ", keys given".to_owned(),
        Some(ClientKeys::JwksUri(url)) => format!(", keys at {url}"),
        None => String::new(),
    };
    let method = match client.token_endpoint_auth_method {
        AuthMethod::ClientSecretBasic => "client_secret_basic",
        AuthMethod::ClientSecretPost => "client_secret_post",
        AuthMethod::PrivateKeyJwt => "private_key_jwt",
    };
    format!("{method}{keys}")
}
