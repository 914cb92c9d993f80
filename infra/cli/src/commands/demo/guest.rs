//! A person of the directory, and an application to sign in to, to be tried in a browser.

use std::future::pending;

use axum::{Router, response::Html, routing::get};
use ssf::{
    client::{AuthMethod, NewClient, RedirectUri, Scope, Secret},
    directory::{Actor, Directory, User},
    web::paths,
};
use url::form_urlencoded;

use super::stage::Stage;
use crate::server::Server;

/// Whoever signs in.
pub(super) struct Guest {
    pub(super) name: &'static str,
    pub(super) password: &'static str,
    /// Where an application would send the browser.
    pub(super) address: String,
    /// Their own account.
    pub(super) account: String,
}

const NAME: &str = "ada";
const PASSWORD: &str = "four words nobody guesses";

/// Of which nobody here has the verifier: the application only shows that people came back.
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// What the application shows.
const WELCOME: &str = "<!DOCTYPE html><html lang=en><meta charset=utf-8><title>Notes</title>\
                       <h1>Notes</h1><p>You are back, with a code in the address.";

impl Guest {
    /// Makes the person and the application.
    pub(super) async fn invite(stage: &Stage) -> anyhow::Result<Self> {
        let server = Server::bind(([127, 0, 0, 1], 0).into(), None).await?;
        let uri = format!("http://127.0.0.1:{}/signed-in", server.local_addr()?.port());
        let page = Router::new().route("/signed-in", get(async || Html(WELCOME)));
        tokio::spawn(server.serve(page, pending()));

        let us = stage.transmitter();
        let directory = Directory::of(us);
        let password = directory.new_password(None, Secret::new(PASSWORD)).await?;
        let make = |user: &mut User| {
            NAME.clone_into(&mut user.attributes.user_name);
            user.attributes.display_name = Some("Ada Lovelace".to_owned());
            user.set_password(password.clone());
            Ok(())
        };
        directory.user_create(&directory.cause(Actor::Operator), make).await?;
        let mut wish = NewClient::new("Notes", Vec::new());
        wish.scope = vec![Scope::OpenId, Scope::Profile];
        wish.auth_method = Some(AuthMethod::None);
        wish.application.redirect_uris =
            vec![RedirectUri::parse(&uri).map_err(anyhow::Error::msg)?];
        let (client, _) = us.client_create(wish).await?;
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("response_type", "code"),
                ("client_id", client.client_id.0.as_str()),
                ("redirect_uri", &uri),
                ("code_challenge", CHALLENGE),
                ("code_challenge_method", "S256"),
            ])
            .finish();
        let issuer = stage.issuer();
        Ok(Self {
            name: NAME,
            password: PASSWORD,
            address: format!("{issuer}{}?{query}", paths::AUTHORIZE),
            account: format!("{issuer}{}", paths::ACCOUNT),
        })
    }
}
