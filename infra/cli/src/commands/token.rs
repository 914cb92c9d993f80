//! `tocsin token`: access tokens.

use std::io;

use anyhow::{Context, bail};
use serde_json::json;
use ssf::{
    client::{ClientId, Secret, Token, TokenType, scope_text},
    sign_in::{Bond, Family},
};

use crate::{
    args::{Data, OnStack, examples},
    commands::people::Desk,
    output::{BAD, Cell, Fields, GOOD, Output, Table, advise, time},
    values::{self, Scopes},
};

/// Its arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = examples(&[
    ("See those of a client", "tocsin token list --data ./data CLIENT_ID"),
    ("Make one for Entra ID or Okta, before the old one is revoked", "tocsin token create --data ./data CLIENT_ID"),
    ("Revoke one by its id", "tocsin token revoke --data ./data TOKEN_ID"),
]))]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List those of a client that are not over
    #[command(after_help = examples(&[("All", "tocsin token list --data ./data CLIENT_ID")]))]
    List {
        #[command(flatten)]
        data: Data,
        /// Of which client
        #[arg(value_parser = values::client_id)]
        client_id: ClientId,
    },
    /// Make one that is good until it is revoked, for a client that cannot do OAuth
    #[command(after_help = examples(&[
        ("For all that the client may do by itself", "tocsin token create --data ./data CLIENT_ID"),
        ("For less", "tocsin token create --data ./data CLIENT_ID --scope scim.read"),
    ]))]
    Create {
        #[command(flatten)]
        data: Data,
        /// For which client
        #[arg(value_parser = values::client_id)]
        client_id: ClientId,
        /// What it is good for, separated by spaces; else all that the client may do by itself
        #[arg(long, value_name = "SCOPES", value_parser = values::scopes)]
        scope: Option<Scopes>,
    },
    /// Revoke a token: it is refused from now on. Of a person's, all that the application has from the
    /// same sign-in
    #[command(after_help = examples(&[
        ("By its id", "tocsin token revoke --data ./data TOKEN_ID"),
        ("By the token itself, unseen by others", "tocsin token revoke --data ./data - < token.txt"),
    ]))]
    Revoke {
        #[command(flatten)]
        data: Data,
        /// The token, or its id (of a person's, the `jti` of its introspection); `-`: read it from stdin
        token: String,
    },
}

/// Does it.
pub async fn run(args: Args, on: &OnStack, output: Output) -> anyhow::Result<()> {
    match args.command {
        Command::List { data, client_id } => {
            let transmitter = data.open(on).await?;
            let tokens = transmitter.token_list(&client_id).await.map_err(advise)?;
            Ok(output.show(&tokens, |tokens| table(tokens))?)
        }
        Command::Create { data, client_id, scope } => {
            let transmitter = data.open(on).await?;
            let client = transmitter.client_show(&client_id).await.map_err(advise)?;
            let all = client.allowed_by_itself(None);
            let scope = scope.map_or_else(|| all.clone(), |scopes| scopes.0);
            if let Some(scope) = scope.iter().find(|scope| !all.contains(scope)) {
                bail!("--scope: the client {client_id} cannot have {} by itself", scope.name());
            }
            let made = transmitter.static_token_create(&client_id, Some(scope)).await;
            let (token, secret) = made.map_err(advise)?;
            created(&token, &secret, output)
        }
        Command::Revoke { data, token } => {
            let token = if token == "-" {
                io::read_to_string(io::stdin()).context("cannot read the token from stdin")?
            } else {
                token
            };
            let desk = Desk::open(&data, on).await?;
            if let Some(family) = end_of_person(&desk, token.trim()).await? {
                return ended(&desk, &family, output);
            }
            let token = desk.transmitter.token_revoke(token.trim()).await.map_err(advise)?;
            let text = format!("the token {} is refused from now on", token.token_id);
            Ok(output.show(&token, |_| text)?)
        }
    }
}

/// Ends what an application has of a person, if that is what `token` is.
async fn end_of_person(desk: &Desk, token: &str) -> anyhow::Result<Option<Family>> {
    let also = desk.directory.also(&desk.cause);
    let ended = desk.directory.sign_in().token_end(token, &also).await.map_err(advise)?;
    if let Some(family) = &ended {
        desk.directory.hand_over_of(&family.bond.subject).await;
    }
    Ok(ended)
}

fn ended(desk: &Desk, family: &Family, output: Output) -> anyhow::Result<()> {
    let Bond { client, subject, .. } = &family.bond;
    let value = json!({
        "token_id": family.family_id, "client": client, "subject": subject,
        "revoked_at": family.revoked_at, "txn": desk.cause.txn,
    });
    let text = format!("what {client} has of {subject} from that sign-in is refused from now on");
    Ok(output.show(&value, |_| text)?)
}

/// Shows a new token, this once.
fn created(token: &Token, secret: &Secret, output: Output) -> anyhow::Result<()> {
    if output.is_json() {
        let mut value = serde_json::to_value(token)?;
        value["static_token"] = secret.expose().into();
        return Ok(output.value(&value)?);
    }
    let fields = Fields::default()
        .with("token_id", token.token_id.to_string())
        .with("static_token", secret.expose())
        .with("scope", scope_text(&token.scope));
    output.line(fields)?;
    Ok(output.note("keep the token: it is not shown again")?)
}

pub(super) fn table(tokens: &[Token]) -> Table {
    let mut table = Table::new(
        ["TOKEN", "TYPE", "SCOPE", "ISSUED", "EXPIRES", "LAST USED", "STATUS"],
        "there are none",
    );
    for token in tokens {
        table.row([
            token.token_id.to_string().into(),
            match token.r#type {
                TokenType::Access => "access".into(),
                TokenType::Static => "static".into(),
            },
            scope_text(&token.scope).into(),
            time(token.issue_date).into(),
            token.expires().map(time).unwrap_or_default().into(),
            token.last_used.map(time).unwrap_or_default().into(),
            match token.revoked_at {
                Some(_) => Cell::new("revoked", BAD),
                None => Cell::new("good", GOOD),
            },
        ]);
    }
    table
}
