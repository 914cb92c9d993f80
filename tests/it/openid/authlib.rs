//! A relying party that we did not write signs a person in: Authlib, in every way in which a client can
//! authenticate, and is told when the person has signed out. What it does stands in
//! `infra/relying-party/party.py` and `infra/relying-party/logout.py`.

use std::{fs, process::Command};

use serde_json::{Value, json};
use ssf::{
    Transmitter,
    client::{AuthMethod, ClientId, ClientKeys, NewClient, RedirectUri, Scope},
    config::Config,
    embedded::LocalSigner,
    set::{Algorithm, Signer},
};
use tests::{TestReceiver, emulator::relying_party};
use tocsin_cli::tls;
use url::Url;

use crate::served::with_ada;

pub(super) const PASSWORD: &str = "correct horse battery staple";

/// What the relying party `name` says, which must end well.
pub(super) async fn run(name: &str, party: impl FnOnce() -> Command + Send + 'static) -> String {
    let output = tokio::task::spawn_blocking(move || party().output().unwrap()).await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{name}: {said}{stderr}");
    said
}

/// Registers an application; its secret.
pub(super) async fn application(
    us: &Transmitter,
    id: &str,
    method: AuthMethod,
    keys: Option<ClientKeys>,
    logout: Option<Url>,
) -> String {
    let mut wish = NewClient::new(id, Vec::new());
    wish.client_id = ClientId::parse(id);
    wish.scope = vec![Scope::OpenId, Scope::Profile, Scope::Email, Scope::OfflineAccess];
    let uri = |uri| vec![RedirectUri::parse(uri).unwrap()];
    wish.application.redirect_uris = uri("https://notes.example/cb");
    wish.application.post_logout_redirect_uris = uri("https://notes.example/bye");
    wish.application.backchannel_logout_uri = logout;
    wish.verify_certificates = false;
    wish.auth_method = Some(method);
    wish.keys = keys;
    let (_, secret) = us.client_create(wish).await.unwrap();
    secret.map(|secret| secret.expose().to_owned()).unwrap_or_default()
}

/// The key of an application that has one.
pub(super) const KEY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/keys/rsa.pem");

/// All ways in which an application can authenticate, with the keys that it needs.
pub(super) async fn methods() -> [(AuthMethod, Option<ClientKeys>); 4] {
    let signer = LocalSigner::in_memory(&[&fs::read_to_string(KEY).unwrap()]).unwrap();
    let key = signer.generate(Algorithm::RS256).await.unwrap();
    let jwks: ClientKeys =
        serde_json::from_value(json!({ "jwks": { "keys": [key.jwk()] } })).unwrap();
    [
        (AuthMethod::ClientSecretBasic, None),
        (AuthMethod::ClientSecretPost, None),
        (AuthMethod::PrivateKeyJwt, Some(jwks)),
        (AuthMethod::None, None),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn authlib_signs_a_person_in_in_every_way_to_authenticate() {
    const LOGOUT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../infra/relying-party/logout.py");
    const PARTY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../infra/relying-party/party.py");
    let folder = tempfile::tempdir().unwrap();
    let private = |config: &mut Config| config.allow_private_push = true;
    let (service, issuer) = with_ada(folder.path(), PASSWORD, private).await;
    let logouts = TestReceiver::start().await;
    let methods = methods().await;
    for (number, (method, keys)) in methods.into_iter().enumerate() {
        let name = method.name();
        let logout = logouts.url(&format!("/{name}"));
        let secret = application(service.transmitter(), name, method, keys, Some(logout)).await;
        let mut party = Command::new(relying_party());
        party
            .arg(PARTY)
            .args([&*issuer, name, &*secret, name, PASSWORD, KEY])
            .env("REQUESTS_CA_BUNDLE", tls::certificate_path(folder.path()));
        let said = run(name, move || party).await;
        let found: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
        let wanted = json!({
            "scope": "openid profile email offline_access", "amr": ["pwd"],
            "userinfo": {
                "email": "ada@example.com", "name": "Ada Lovelace", "preferred_username": "ada",
            },
            "after revocation": 401,
            "signed out to": "https://notes.example/bye?state=bye",
            "after signing out": "login_required",
        });
        assert_eq!(found, wanted, "{name}");
        let told = logouts.wait_for(number + 1).await.pop().unwrap();
        assert_eq!(told.uri.path(), format!("/{name}"));
        let token = told.body.strip_prefix("logout_token=").unwrap().to_owned();
        let mut party = Command::new(relying_party());
        party
            .arg(LOGOUT)
            .args([&*issuer, name, &*token])
            .env("REQUESTS_CA_BUNDLE", tls::certificate_path(folder.path()));
        run(name, move || party).await;
    }
    assert_eq!(logouts.count(), 4, "each once");
    service.stop().await;
}
