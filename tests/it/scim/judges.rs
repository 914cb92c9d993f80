//! What others who know SCIM say of us: scim2-tester, which writes each attribute that we advertise and
//! wants it back, and scim-sanity, which does what provisioning clients do.

use std::{
    net::{Ipv4Addr, SocketAddr},
    process::Command,
    sync::Arc,
};

use ssf::{
    client::{ClientId, NewClient, Scope},
    clock::{Clock as _, SystemClock},
    config::{Config, Issuer},
    delivery::{HttpsPush, HttpsPushSettings},
};
use tests::emulator::judges;
use tocsin_cli::{home::Home, serve::Service, server::Server, tls};

/// A directory that serves over TLS, and a client of it that may do everything.
struct Served {
    service: Service,
    base: String,
    token: String,
    folder: tempfile::TempDir,
}

impl Served {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let certificate = tls::server_config(folder.path(), &[], SystemClock.now()).unwrap();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let server = Server::bind(address, Some(Arc::new(certificate))).await.unwrap();
        let issuer = format!("https://localhost:{}", server.local_addr().unwrap().port());
        let mut config = Config::new(Issuer::parse(&*issuer).unwrap());
        config.requests_per_second = 0;
        let push = HttpsPush::new(HttpsPushSettings::default()).unwrap();
        let home = Home::open(folder.path(), config, Arc::new(push)).unwrap();
        let token = token(&home).await;
        let service = Service::start(home.transmitter, server).unwrap();
        Self { service, base: format!("{issuer}/scim/v2"), token, folder }
    }

    /// Lets a judge look; what it says, and whether it is content.
    async fn judged_by(&self, program: &'static str, arguments: &[&str]) -> (bool, String) {
        let mut command = Command::new(judges().join(program));
        let certificate = tls::certificate_path(self.folder.path());
        command
            .args(arguments)
            .env("SCIM_CLI_HEADERS", format!("Authorization: Bearer {}", self.token))
            .env("SSL_CERT_FILE", &certificate)
            .env("REQUESTS_CA_BUNDLE", &certificate);
        let run = tokio::task::spawn_blocking(move || command.output().unwrap());
        let output = run.await.unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&said).into_owned())
    }
}

async fn token(home: &Home) -> String {
    let mut wish = NewClient::new("judge", Vec::new());
    wish.client_id = ClientId::parse("judge");
    wish.scope = vec![Scope::Scim];
    wish.scim.may_set_passwords = true;
    let (client, _) = home.transmitter.client_create(wish).await.unwrap();
    let token = home.transmitter.static_token_create(&client.client_id, None).await.unwrap();
    token.1.expose().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn scim2_tester_finds_no_fault() {
    let served = Served::start().await;
    let (content, said) = served.judged_by("scim2", &["--url", &served.base, "test"]).await;
    assert!(content && !said.contains("ERROR"), "{said}");
    let successes = said.matches("SUCCESS").count();
    assert!(successes > 100, "it looked at {successes} things only: {said}");
    served.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn scim_sanity_finds_no_fault() {
    let served = Served::start().await;
    let token = served.token.clone();
    let arguments = ["probe", &served.base, "--token", &token, "--i-accept-side-effects"];
    let (content, said) = served.judged_by("scim-sanity", &arguments).await;
    assert!(content && said.contains("All tests passed"), "{said}");
    served.service.stop().await;
}
