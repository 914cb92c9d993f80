//! `tocsin client create`: registers a receiver.

use std::{fs, path::PathBuf};

use anyhow::Context;
use clap::builder::StyledStr;
use serde_json::{Value, json};
use ssf::{
    client::{ClientId, ClientKeys, Jwks, NewClient, Profile, Secret},
    json,
    stream::DefaultSubjects,
};
use url::Url;

use crate::{
    args::{Data, OnStack},
    output::{Fields, Output, advise},
    values::{self, Scopes},
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
            "tocsin client create --data ./data --name Acme --audience acme --default-subjects NONE",
        ),
        (
            "One that signs with its own key",
            "tocsin client create --data ./data --name Acme --audience acme --jwks acme.json",
        ),
    ])
}

#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(super) struct Args {
    #[command(flatten)]
    data: Data,

    /// Its name to people
    #[arg(long)]
    name: String,

    /// The `aud` of its SETs; may be given several times
    #[arg(long, value_name = "AUD", required = true)]
    audience: Vec<String>,

    /// What it may ask for: ssf.read, ssf.manage, ssf.manage.poll
    #[arg(
        long,
        value_name = "SCOPES",
        default_value = "ssf.read ssf.manage",
        value_parser = values::scopes
    )]
    scope: Scopes,

    /// What its streams deliver: events about all subjects, or only about those that it adds; left
    /// out, as `serve` says
    #[arg(long, value_name = "ALL|NONE")]
    default_subjects: Option<DefaultSubjects>,

    /// The draft that it was built on; legacy is for receivers older than SSF 1.0
    #[arg(
        long,
        value_name = "standard|legacy",
        default_value = "standard",
        value_parser = values::profile
    )]
    profile: Profile,

    /// Repeat the subject inside the event, for receivers that look for it there
    #[arg(long)]
    subject_in_event: bool,

    /// How many streams it may have
    #[arg(
        long,
        value_name = "N",
        default_value = "10",
        value_parser = clap::value_parser!(u16).range(1..)
    )]
    max_streams: u16,

    /// Make a token, too, that is good until it is revoked: for a receiver that cannot do OAuth
    #[arg(long)]
    static_token: bool,

    /// Its id, when an outside issuer has named it already
    #[arg(long, value_name = "ID", value_parser = values::client_id)]
    client_id: Option<ClientId>,

    /// Its public keys (a JWK Set); it signs, and gets no secret
    #[arg(long, value_name = "FILE", conflicts_with = "jwks_uri")]
    jwks: Option<PathBuf>,

    /// Where its public keys are; it signs, and gets no secret
    #[arg(long, value_name = "URL")]
    jwks_uri: Option<Url>,

    /// Do not let it create streams
    #[arg(long)]
    no_stream_creation: bool,

    /// Do not verify the certificates of its push endpoints: whoever is on the way can read its SETs
    #[arg(long)]
    insecure_push: bool,
}

pub(super) async fn run(args: Args, on: &OnStack, output: Output) -> anyhow::Result<()> {
    let wish = NewClient {
        client_id: args.client_id,
        scope: args.scope.0,
        keys: keys(args.jwks, args.jwks_uri)?,
        default_subjects: args.default_subjects,
        profile: args.profile,
        subject_in_event: args.subject_in_event,
        max_streams: args.max_streams.into(),
        may_create: !args.no_stream_creation,
        verify_certificates: !args.insecure_push,
        ..NewClient::new(args.name, args.audience)
    };
    let transmitter = args.data.open_or_make(on).await?;
    let (client, secret) = transmitter.client_create(wish).await.map_err(advise)?;
    if !client.verify_certificates {
        tracing::warn!(%client.client_id, "certificates of its push endpoints are not verified");
    }
    let token = if args.static_token {
        let id = &client.client_id;
        Some(transmitter.static_token_create(id, None).await.map_err(advise)?.1)
    } else {
        None
    };
    let once = [("client_secret", &secret), ("static_token", &token)];
    if output.is_json() {
        let mut value = serde_json::to_value(&client)?;
        for (name, secret) in once {
            if let (Value::Object(value), Some(secret)) = (&mut value, secret) {
                value.insert(name.to_owned(), json!(secret.expose()));
            }
        }
        return Ok(output.value(&value)?);
    }
    let fields = Fields::default().with("client_id", client.client_id.to_string());
    let fields = once.into_iter().fold(fields, |fields, (name, secret)| {
        fields.with_some(name, secret.as_ref().map(Secret::expose))
    });
    output.line(fields)?;
    let kept = match (&secret, &token) {
        (Some(_), Some(_)) => "keep the secret and the token: they are not shown again",
        (Some(_), None) => "keep the secret: it is not shown again",
        (None, Some(_)) => "keep the token: it is not shown again",
        (None, None) => return Ok(()),
    };
    Ok(output.note(kept)?)
}

fn keys(file: Option<PathBuf>, uri: Option<Url>) -> anyhow::Result<Option<ClientKeys>> {
    let Some(file) = file else { return Ok(uri.map(ClientKeys::JwksUri)) };
    let text = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let jwks: Jwks =
        json::read(&text).with_context(|| format!("{} is not a JWK Set", file.display()))?;
    Ok(Some(ClientKeys::Jwks(jwks)))
}
