//! `tocsin client create`: registers a client.

use clap::builder::StyledStr;
use serde_json::{Value, json};
use ssf::client::{Client, ClientId, NewClient, Scope, Secret};

use super::settings::Settings;
use crate::{
    args::{Data, OnStack},
    output::{Fields, Output, advise},
    values,
};

pub(super) const EXAMPLE: &str =
    "tocsin client create --data ./data --name Acme --audience https://acme.example";

pub(super) fn examples() -> StyledStr {
    crate::args::examples(&[
        ("One that uses OAuth", EXAMPLE),
        (
            "One that cannot, and gets a token that is good until it is revoked",
            "tocsin client create --data ./data --name Acme --audience https://acme.example --static-token",
        ),
        (
            "One that only hears about subjects that it adds",
            "tocsin client create --data ./data --name Acme --audience acme --subjects none",
        ),
        (
            "One that signs with its own key",
            "tocsin client create --data ./data --name Acme --audience acme --jwks acme.json",
        ),
        (
            "One that provisions people by SCIM, such as Entra ID or Okta",
            "tocsin client create --data ./data --name Entra --scope scim --static-token",
        ),
        (
            "An application that people sign in to",
            "tocsin client create --data ./data --name Notes --redirect-uri https://notes.example/signed-in",
        ),
    ])
}

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    data: Data,

    /// Its name to people
    #[arg(long)]
    name: String,

    /// The `aud` of its SETs; may be given several times
    #[arg(long, value_name = "AUD", required_unless_present_any = ["scope", "redirect_uri"])]
    audience: Vec<String>,

    /// Make a token, too, that is good until it is revoked: for a client that cannot do OAuth
    #[arg(long)]
    static_token: bool,

    /// Its id, when an outside issuer has named it already
    #[arg(long, value_name = "ID", value_parser = values::client_id)]
    client_id: Option<ClientId>,

    #[command(flatten)]
    settings: Settings,
}

/// The scopes of an application that people sign in to, unless others are given.
const OF_PEOPLE: [Scope; 3] = [Scope::OpenId, Scope::Profile, Scope::Email];

pub(super) async fn run(args: Args, on: &OnStack, output: Output) -> anyhow::Result<()> {
    let mut wish = NewClient::new(args.name, args.audience);
    wish.client_id = args.client_id;
    if args.settings.signs_in() {
        if wish.audience.is_empty() {
            wish.scope.clear();
        }
        wish.scope.extend(OF_PEOPLE);
    }
    let keys = args.settings.keys()?;
    args.settings.apply(&mut wish, keys);
    let transmitter = args.data.open_or_make(on).await?;
    let (client, secret) = transmitter.client_create(wish).await.map_err(advise)?;
    let token = if args.static_token {
        let id = &client.client_id;
        Some(transmitter.static_token_create(id, None).await.map_err(advise)?.1)
    } else {
        None
    };
    show(&client, secret.as_ref(), token.as_ref(), output)
}

/// Shows a client, and what is shown of it once: a secret and a token.
pub(super) fn show(
    client: &Client,
    secret: Option<&Secret>,
    token: Option<&Secret>,
    output: Output,
) -> anyhow::Result<()> {
    if !client.verify_certificates {
        tracing::warn!(%client.client_id, "certificates of its push endpoints are not verified");
    }
    let once = [("client_secret", secret), ("static_token", token)];
    if output.is_json() {
        let mut value = serde_json::to_value(client)?;
        for (name, secret) in once {
            if let (Value::Object(value), Some(secret)) = (&mut value, secret) {
                value.insert(name.to_owned(), json!(secret.expose()));
            }
        }
        return Ok(output.value(&value)?);
    }
    let fields = Fields::default().with("client_id", client.client_id.to_string());
    let fields = once
        .into_iter()
        .fold(fields, |fields, (name, secret)| fields.with_some(name, secret.map(Secret::expose)));
    output.line(fields)?;
    let kept = match (secret, token) {
        (Some(_), Some(_)) => "keep the secret and the token: they are not shown again",
        (Some(_), None) => "keep the secret: it is not shown again",
        (None, Some(_)) => "keep the token: it is not shown again",
        (None, None) => return Ok(()),
    };
    Ok(output.note(kept)?)
}
