//! A receiver in the demo, and how it and the transmitter get to know each other.

use std::sync::Arc;

use anyhow::{Context, bail};
use serde_json::json;
use ssf::{
    client::{Client, ClientId, ClientSubjects, NewClient, Secret},
    event::EventType,
};
use tokio::sync::mpsc;

use super::{script::JANE, stage::Stage};
use crate::receiver::{
    Arrival, Credentials, Method, PollLoop, PushEndpoint, Receiver, Stream, VerifiedSet,
};

/// A part to be played.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) name: &'static str,
    method: Method,
    subjects: ClientSubjects,
}

/// All of them.
pub(super) const ACTORS: [Part; 3] = [
    Part { name: "acme", method: Method::Push, subjects: ClientSubjects::All },
    Part { name: "globex", method: Method::Poll, subjects: ClientSubjects::None },
    Part { name: "initech", method: Method::Poll, subjects: ClientSubjects::Consent },
];

/// A receiver whose stream works.
pub(super) struct Actor {
    pub(super) name: &'static str,
    pub(super) method: Method,
    /// Whether it says itself of whom it hears.
    pub(super) names_subjects: bool,
    pub(super) client: Client,
    pub(super) secret: Secret,
    /// Closed when it is dropped.
    _endpoint: Option<PushEndpoint>,
}

impl Actor {
    /// Does what a real receiver does, and nothing else; only its registration is the operator's.
    pub(super) async fn introduce(
        part: &Part,
        stage: &Stage,
    ) -> anyhow::Result<(Self, mpsc::Receiver<Arrival>)> {
        let (client, secret) = register(part, stage).await?;
        let credentials =
            Credentials { client_id: client.client_id.to_string(), client_secret: secret.clone() };
        let receiver = Receiver::discover(stage.http(), stage.issuer(), credentials).await?;
        let receiver = Arc::new(receiver);
        receiver.token().await?;
        let (sender, mut arrivals) = mpsc::channel(1);
        let (stream, endpoint) = agree(part, stage, &receiver, sender).await?;
        let names_subjects = part.subjects != ClientSubjects::Consent;
        if names_subjects {
            receiver.add_subject(&stream, &json!({ "format": "email", "email": JANE })).await?;
        }
        let greeting = format!("{} is there", part.name);
        receiver.verify_stream(&stream, &greeting).await?;
        let arrival = arrivals.recv().await.context("nobody hears the verification")?;
        is_verification(&arrival.take()?, &greeting)?;
        let Part { name, method, .. } = *part;
        let actor = Self { name, method, names_subjects, client, secret, _endpoint: endpoint };
        Ok((actor, arrivals))
    }
}

async fn register(part: &Part, stage: &Stage) -> anyhow::Result<(Client, Secret)> {
    let audience = format!("https://{}.example", part.name);
    let wish = NewClient {
        client_id: ClientId::parse(part.name),
        default_subjects: Some(part.subjects),
        ..NewClient::new(part.name, vec![audience])
    };
    let (client, secret) = stage.transmitter().client_create(wish).await?;
    Ok((client, secret.context("a client without keys has a secret")?))
}

/// Creates the stream, and makes sure that somebody hears what is sent on it.
async fn agree(
    part: &Part,
    stage: &Stage,
    receiver: &Arc<Receiver>,
    arrivals: mpsc::Sender<Arrival>,
) -> anyhow::Result<(Stream, Option<PushEndpoint>)> {
    let mut wish = json!({
        "description": format!("{} in the demo", part.name),
        "events_requested": EventType::supported(),
        "delivery": { "method": part.method },
    });
    match part.method {
        Method::Push => {
            let (server, url) = stage.push_server().context("only one can be pushed to")?;
            let endpoint = PushEndpoint::open(server, arrivals);
            wish["delivery"]["endpoint_url"] = json!(url);
            wish["delivery"]["authorization_header"] = json!(endpoint.authorization().expose());
            let stream = receiver.create_stream(&wish).await?;
            endpoint.expect(receiver.verifier(), stream.aud.clone());
            Ok((stream, Some(endpoint)))
        }
        Method::Poll => {
            let stream = receiver.create_stream(&wish).await?;
            tokio::spawn(PollLoop::new(receiver.clone(), stream.clone()).run(arrivals));
            Ok((stream, None))
        }
    }
}

fn is_verification(set: &VerifiedSet, state: &str) -> anyhow::Result<()> {
    if *set.event_type() != EventType::VERIFICATION || set.payload()["state"] != state {
        bail!("the first SET is not the verification that was asked for");
    }
    Ok(())
}
