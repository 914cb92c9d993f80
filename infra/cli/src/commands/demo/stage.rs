//! Where the demo plays: a transmitter and a push endpoint, in a folder that is gone afterwards.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Context;
use jiff::Timestamp;
use ssf::{
    Transmitter,
    clock::{Clock, SystemClock},
    config::Settings,
    delivery::{HttpsPush, HttpsPushSettings},
    queue::Message,
    source::Source,
};
use tempfile::TempDir;

use super::script::Scene;
use crate::{home::Home, receiver::Http, serve::Service, server::Server, settings, tls};

pub(super) struct Stage {
    folder: TempDir,
    service: Service,
    issuer: String,
    http: Http,
    /// Where the one who is pushed to will listen.
    push: Mutex<Option<Server>>,
    push_url: String,
}

impl Stage {
    pub(super) async fn set() -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("tocsin-demo-")
            .tempdir()
            .context("cannot make a temporary folder")?;
        let receiver = folder.path().join("acme");
        let (push, port) = bind(&receiver).await?;
        let push_url = format!("https://localhost:{port}/events");
        let (server, port) = bind(folder.path()).await?;
        let issuer = format!("https://localhost:{port}");
        let settings = Settings {
            issuer: issuer.clone(),
            allow_private_push: true,
            sources: [Source::Cognito].into(),
            ..Settings::default()
        };
        let trusted = fs::read(tls::certificate_path(&receiver))?;
        let https = HttpsPushSettings { allow_private: true, ..HttpsPushSettings::default() };
        let https = HttpsPush::new(https.trust(&trusted)?)?;
        let home = Home::open(folder.path(), settings.config()?, Arc::new(https))?;
        settings::write(&settings, folder.path())?;
        home.transmitter.keys().ensure_key().await?;
        home.transmitter.ensure_door_key().await?;
        let http = Http::new(Some(&fs::read(tls::certificate_path(folder.path()))?))?;
        let service = Service::start(home.transmitter, server)?;
        Ok(Self { folder, service, issuer, http, push: Mutex::new(Some(push)), push_url })
    }

    pub(super) fn transmitter(&self) -> &Transmitter {
        self.service.transmitter()
    }

    pub(super) fn issuer(&self) -> &str {
        &self.issuer
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What callers of the transmitter trust.
    pub(super) fn certificate(&self) -> PathBuf {
        tls::certificate_path(self.folder())
    }

    /// A client that trusts it.
    pub(super) fn http(&self) -> Http {
        self.http.clone()
    }

    /// The server for the one who is pushed to, and its URL.
    pub(super) fn push_server(&self) -> Option<(Server, &str)> {
        let server = self.push.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        Some((server, &self.push_url))
    }

    /// Puts the messages on the ingest queue; says when.
    pub(super) async fn emit(&self, scenes: &[Scene]) -> anyhow::Result<Timestamp> {
        let message =
            |scene: &Scene| Message { body: scene.message().to_string(), ..Message::default() };
        let now = SystemClock.now();
        let messages = scenes.iter().map(message).collect();
        for sent in self.transmitter().parts().ingest.send(messages).await {
            sent?;
        }
        Ok(now)
    }

    /// Ends all, and removes the folder.
    pub(super) async fn strike(self) {
        self.service.stop().await;
    }
}

/// A server with a certificate of its own in `folder`, and its port.
async fn bind(folder: &Path) -> anyhow::Result<(Server, u16)> {
    let config = tls::server_config(folder, &[], SystemClock.now())?;
    let server = Server::bind(([127, 0, 0, 1], 0).into(), Some(Arc::new(config))).await?;
    let port = server.local_addr()?.port();
    Ok((server, port))
}
