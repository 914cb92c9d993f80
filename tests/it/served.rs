//! A transmitter that serves over TLS, as `tocsin serve` does, for those who come from outside: browsers
//! and relying parties.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::Arc,
};

use serde_json::json;
use ssf::{
    client::Secret,
    clock::{Clock as _, SystemClock},
    config::{Config, Issuer},
    delivery::{HttpsPush, HttpsPushSettings},
    directory::{Actor, Directory, User},
};
use tocsin_cli::{home::Home, serve::Service, server::Server, tls};

/// One with a person, ada, who has this password; and its issuer. Its data and its certificate are in
/// `folder`.
pub(crate) async fn with_ada(
    folder: &Path,
    password: &str,
    change: impl FnOnce(&mut Config),
) -> (Service, String) {
    let certificate = tls::server_config(folder, &[], SystemClock.now()).unwrap();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let server = Server::bind(address, Some(Arc::new(certificate))).await.unwrap();
    let issuer = format!("https://localhost:{}", server.local_addr().unwrap().port());
    let mut config = Config::new(Issuer::parse(&*issuer).unwrap());
    change(&mut config);
    let allow_private = config.allow_private_push;
    let settings = HttpsPushSettings { allow_private, ..HttpsPushSettings::default() };
    let push = HttpsPush::new(settings).unwrap();
    let us = Home::open(folder, config, Arc::new(push)).unwrap().transmitter;
    us.keys().ensure_key().await.unwrap();
    let directory = Directory::of(&us);
    let password = directory.new_password(None, Secret::new(password)).await.unwrap();
    let make = |user: &mut User| {
        "ada".clone_into(&mut user.attributes.user_name);
        user.attributes.display_name = Some("Ada Lovelace".to_owned());
        let email = json!([{ "value": "ada@example.com" }]);
        user.attributes.emails = serde_json::from_value(email).unwrap();
        user.set_password(password.clone());
        Ok(())
    };
    directory.user_create(&directory.cause(Actor::Operator), make).await.unwrap();
    (Service::start(us, server).unwrap(), issuer)
}
