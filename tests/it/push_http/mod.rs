//! The client that pushes, against receivers that behave and receivers that do not.

use std::time::Duration;

use ssf::delivery::{
    HttpPush, HttpsPush, HttpsPushSettings, Push, PushAnswer, PushError, PushKind,
};
use tests::TestReceiver;
use url::Url;

mod addresses;
mod answers;
mod connections;
mod fetch;
mod tls;

/// Long enough for anything that works.
const AMPLE: Duration = Duration::from_secs(30);
/// For what must run into a time limit.
const SHORT: Duration = Duration::from_secs(1);

/// For receivers on this machine.
fn settings() -> HttpsPushSettings {
    HttpsPushSettings {
        allow_private: true,
        extra_roots: Vec::new(),
        connect_timeout: AMPLE,
        total_timeout: AMPLE,
        fetch_timeout: AMPLE,
    }
}

fn client_with(settings: HttpsPushSettings, receiver: &TestReceiver) -> HttpsPush {
    HttpsPush::new(settings.trust(receiver.certificate().as_bytes()).unwrap()).unwrap()
}

/// A client that trusts `receiver`.
fn client(receiver: &TestReceiver) -> HttpsPush {
    client_with(settings(), receiver)
}

/// The same, in a hurry.
fn hurried(receiver: &TestReceiver) -> HttpsPush {
    client_with(
        HttpsPushSettings { total_timeout: SHORT, fetch_timeout: SHORT, ..settings() },
        receiver,
    )
}

/// Pushes `one.two.three`.
async fn push(client: &HttpsPush, endpoint: &Url) -> Result<PushAnswer, PushError> {
    let authorization = Some("Bearer s3cret");
    let push = Push {
        endpoint,
        authorization,
        set: "one.two.three",
        kind: PushKind::Event,
        verify_certificate: true,
    };
    client.push(&push).await
}

/// The status of an answer, or the error as people read it.
fn told(answer: Result<PushAnswer, PushError>) -> Result<u16, String> {
    answer.map(|answer| answer.status).map_err(|error| error.to_string())
}
