//! Another relying party that we did not write signs a person in: openid-client, in every way in which a
//! client can authenticate. What it does stands in `infra/openid-client/party.mjs`.

use std::process::Command;

use serde_json::{Value, json};
use tests::emulator::openid_client;
use tocsin_cli::tls;

use super::authlib::{KEY, PASSWORD, application, methods, run};
use crate::served::with_ada;

#[tokio::test(flavor = "multi_thread")]
async fn openid_client_signs_a_person_in_in_every_way_to_authenticate() {
    let folder = tempfile::tempdir().unwrap();
    let (service, issuer) = with_ada(folder.path(), PASSWORD, |_| {}).await;
    for (method, keys) in methods().await {
        let name = method.name();
        let secret = application(service.transmitter(), name, method, keys, None).await;
        let arguments = [&*issuer, name, &*secret, name, PASSWORD, KEY].map(ToOwned::to_owned);
        let certificate = tls::certificate_path(folder.path());
        let party = move || {
            let (home, node) = openid_client();
            let mut party = Command::new(node);
            party.arg(home.join("party.mjs")).args(arguments).current_dir(home);
            party.env("NODE_EXTRA_CA_CERTS", certificate);
            party
        };
        let said = run(name, party).await;
        let found: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
        let wanted = json!({
            "scope": "openid profile email offline_access", "amr": ["pwd"],
            "email": "ada@example.com",
            "after revocation": 401,
            "signed out to": "https://notes.example/bye?state=bye",
            "after signing out": "login_required",
        });
        assert_eq!(found, wanted, "{name}");
    }
    service.stop().await;
}
