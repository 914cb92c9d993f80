//! The pages in a real browser: Chromium does what a person does, and axe finds no fault with any page.
//! How the pages look is kept as pictures below `target/pictures/`.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};
use ssf::{
    Transmitter,
    client::{AuthMethod, ClientId, NewClient, RedirectUri, Scope},
    config::{Branding, Config},
};
use tests::emulator::{browser_driver, chromium, target};
use tocsin_cli::tls;

use super::PASSWORD;
use crate::served::with_ada;

async fn application(us: &Transmitter, id: &str, name: &str, uri: &str) {
    let mut wish = NewClient::new(name, Vec::new());
    wish.client_id = ClientId::parse(id);
    wish.scope = vec![Scope::OpenId, Scope::Profile, Scope::Email, Scope::OfflineAccess];
    wish.application.redirect_uris = vec![RedirectUri::parse(uri).unwrap()];
    if !uri.starts_with("https") {
        wish.auth_method = Some(AuthMethod::None);
    }
    us.client_create(wish).await.unwrap();
}

/// The visit, and where its applications are.
fn begin(given: &Value) -> (Child, String) {
    let mut visit = Command::new(browser_driver())
        .args(["../infra/browser/visit.py", &given.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(visit.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let said: Value = serde_json::from_str(&line).expect("it says where its applications are");
    (visit, said["web"].as_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_at_a_browser_signs_in_allows_takes_back_and_signs_out() {
    let folder = tempfile::tempdir().unwrap();
    let branded = |config: &mut Config| {
        config.branding = Branding { name: Some("Example Works".to_owned()), logo: None };
    };
    let (service, issuer) = with_ada(folder.path(), PASSWORD, branded).await;
    let pictures = target().join("pictures");
    fs::create_dir_all(&pictures).unwrap();
    let certificate = tls::certificate_path(folder.path());
    let given = json!({
        "issuer": issuer,
        "name": "ada",
        "password": PASSWORD,
        "browser": chromium(),
        "pictures": pictures,
        "certificate": certificate,
        "key": certificate.with_file_name("key.pem"),
    });
    let begun = tokio::task::spawn_blocking(move || begin(&given));
    let (mut visit, web) = begun.await.unwrap();
    let us = service.transmitter();
    application(us, "notes", "Notes", &format!("{web}/cb")).await;
    application(us, "far", "Far", &format!("{web}/far")).await;
    application(us, "tool", "Command line tool", "http://127.0.0.1/cb").await;
    application(us, "phone", "Phone", "com.example.phone:/cb").await;
    let visited = tokio::task::spawn_blocking(move || {
        visit.stdin.take().unwrap().write_all(b"\n").unwrap();
        visit.wait_with_output().unwrap()
    });
    let output = visited.await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    service.stop().await;
}
