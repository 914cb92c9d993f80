//! `tocsin listen`: a receiver in a terminal.

use std::{collections::BTreeSet, fs, net::SocketAddr, path::PathBuf, sync::Arc};

use anyhow::Context;
use jiff::Timestamp;
use serde_json::{Value, json};
use ssf::{
    client::Secret,
    clock::{Clock, SystemClock},
    event::EventType,
};
use tokio::{sync::mpsc, task::JoinHandle};
use url::Url;

use crate::{
    args::examples,
    output::{ASIDE, BAD, GOOD, Output},
    receiver::{
        Arrival, Credentials, Disbelief, Http, Method, PollLoop, PushEndpoint, Receiver, Stream,
        VerifiedSet,
    },
    server::Server,
    show::{self, STRONG},
    signals, tls,
};

/// Its arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = examples(&[
    (
        "Poll, trusting the certificate of `serve --tls`",
        "tocsin listen --issuer https://localhost:8443 --ca ./data/tls/cert.pem \\
        --client-id ID --client-secret SECRET",
    ),
    (
        "Be pushed to, at port 9443 of this machine and with the same certificate",
        "tocsin listen --issuer https://localhost:8443 --ca ./data/tls/cert.pem \\
        --client-id ID --client-secret SECRET \\
        --push https://localhost:9443/events --tls ./data",
    ),
    (
        "The next session that is revoked, as JSON",
        "tocsin listen --issuer https://ssf.example.com \\
        --client-id ID --client-secret SECRET \\
        --event session-revoked --count 1 --json",
    ),
]))]
pub struct Args {
    /// The transmitter
    #[arg(long, value_name = "URL")]
    issuer: String,

    /// The id of the receiver's OAuth client
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    client_id: String,

    /// Its secret
    #[arg(long, value_name = "SECRET", env = "TOCSIN_CLIENT_SECRET", hide_env_values = true, value_parser = secret, allow_hyphen_values = true)]
    client_secret: Secret,

    /// Have the SETs pushed to this URL, which leads here
    #[arg(long, value_name = "URL", conflicts_with = "poll")]
    push: Option<Url>,

    /// Poll for them (default)
    #[arg(long)]
    poll: bool,

    /// With --push: where to listen [default: at the port of the URL, on 127.0.0.1]
    #[arg(long, value_name = "ADDRESS", requires = "push")]
    listen: Option<SocketAddr>,

    /// With --push: serve HTTPS with the certificate DIR/tls/cert.pem, made if it is not there;
    /// else plain HTTP, for something in front that speaks HTTPS
    #[arg(long, value_name = "DIR", requires = "push")]
    tls: Option<PathBuf>,

    /// Trust the certificates in this file (PEM), too
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,

    /// Only events of this type: its URI, or its short name if it is a standard's
    #[arg(long, value_name = "TYPE", num_args = 1..)]
    event: Vec<String>,

    /// Add this subject to the stream: an e-mail address, or a subject identifier in JSON
    #[arg(long, value_name = "SUBJECT", value_parser = subject)]
    subject: Vec<Value>,

    /// Stop after so many SETs
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
}

/// How we know our streams again.
const DESCRIPTION: &str = "tocsin listen";

/// Receives until it is asked to end.
pub async fn run(args: Args, output: Output) -> anyhow::Result<()> {
    let ca = args
        .ca
        .as_ref()
        .map(|path| fs::read(path).with_context(|| format!("cannot read {}", path.display())));
    let http = Http::new(ca.transpose()?.as_deref())?;
    let Args { client_id, client_secret, .. } = &args;
    let credentials =
        Credentials { client_id: client_id.clone(), client_secret: client_secret.clone() };
    let receiver = Arc::new(Receiver::discover(http, &args.issuer, credentials).await?);
    // SETs are taken one by one, so that the last one that is printed is the last one taken.
    let (sender, mut arrivals) = mpsc::channel(1);
    let (ear, stream) = match &args.push {
        Some(url) => be_pushed(&args, url, &receiver, sender).await?,
        None => poll(&args, &receiver, sender).await?,
    };
    for subject in &args.subject {
        receiver.add_subject(&stream, subject).await?;
    }
    announce(output, &stream)?;
    let mut signals = signals::listen()?;
    let mut left = args.count.unwrap_or(u64::MAX);
    while left > 0 {
        let arrival = tokio::select! {
            () = signals.stop() => break,
            arrival = arrivals.recv() => arrival,
        };
        let Some(arrival) = arrival else { break };
        print(output, &arrival)?;
        if arrival.take().is_ok() {
            left -= 1;
        }
    }
    drop(arrivals);
    ear.close().await
}

/// What hears the SETs.
enum Ear {
    Push(PushEndpoint),
    Poll(JoinHandle<anyhow::Result<()>>),
}

impl Ear {
    /// Why it heard no more, if it was not asked to stop.
    async fn close(self) -> anyhow::Result<()> {
        match self {
            Self::Push(endpoint) => {
                endpoint.close().await;
                Ok(())
            }
            Self::Poll(polling) => polling.await?,
        }
    }
}

async fn be_pushed(
    args: &Args,
    url: &Url,
    receiver: &Receiver,
    arrivals: mpsc::Sender<Arrival>,
) -> anyhow::Result<(Ear, Stream)> {
    let port = url.port_or_known_default().unwrap_or(443);
    let address = args.listen.unwrap_or(([127, 0, 0, 1], port).into());
    let config = match &args.tls {
        Some(folder) => Some(Arc::new(tls::server_config(folder, &[], SystemClock.now())?)),
        None => None,
    };
    let server = Server::bind(address, config).await.with_context(|| {
        format!("cannot listen on {address}; choose another address with --listen")
    })?;
    let endpoint = PushEndpoint::open(server, arrivals);
    let delivery = json!({
        "method": Method::Push,
        "endpoint_url": url,
        "authorization_header": endpoint.authorization().expose(),
    });
    let stream = own_stream(receiver, &args.event, &delivery).await?;
    endpoint.expect(receiver.verifier(), stream.aud.clone());
    Ok((Ear::Push(endpoint), stream))
}

async fn poll(
    args: &Args,
    receiver: &Arc<Receiver>,
    arrivals: mpsc::Sender<Arrival>,
) -> anyhow::Result<(Ear, Stream)> {
    let delivery = json!({ "method": Method::Poll });
    let stream = own_stream(receiver, &args.event, &delivery).await?;
    let polling = PollLoop::new(receiver.clone(), stream.clone()).run(arrivals);
    Ok((Ear::Poll(tokio::spawn(polling)), stream))
}

/// The stream that we made before, or a new one, as it is wished for now.
async fn own_stream(
    receiver: &Receiver,
    types: &[String],
    delivery: &Value,
) -> anyhow::Result<Stream> {
    let ours = |stream: &Stream| {
        let is_push = stream.delivery.method == Method::Push;
        stream.description.as_deref() == Some(DESCRIPTION)
            && json!(stream.delivery.method) == delivery["method"]
            && (!is_push || delivery["endpoint_url"] == json!(stream.delivery.endpoint_url))
    };
    let found = receiver.streams().await?.into_iter().find(ours);
    let supported = match &found {
        Some(stream) => stream.events_supported.clone(),
        None => EventType::supported().iter().cloned().collect(),
    };
    let wished = event_types(types, &supported);
    let wish = json!({
        "description": DESCRIPTION,
        "delivery": delivery,
        "events_requested": wished,
    });
    let stream = match found {
        Some(stream) => update(receiver, &stream, wish).await?,
        None => receiver.create_stream(&wish).await?,
    };
    // The transmitter has types that we could not know of.
    let wished = event_types(types, &stream.events_supported);
    if wished != stream.events_requested {
        return update(receiver, &stream, json!({ "events_requested": wished })).await;
    }
    Ok(stream)
}

async fn update(receiver: &Receiver, stream: &Stream, mut wish: Value) -> anyhow::Result<Stream> {
    wish["stream_id"] = json!(stream.stream_id);
    let stream = receiver.update_stream(&wish).await?;
    // It may have been paused when nobody listened for long.
    receiver.enable_stream(&stream).await?;
    Ok(stream)
}

/// The types to ask for: `wished`, by their names or short names; without any, all there are.
fn event_types(wished: &[String], supported: &BTreeSet<EventType>) -> BTreeSet<EventType> {
    if wished.is_empty() {
        return supported.clone();
    }
    let named = |name: &String| {
        let known = EventType::supported().iter().find(|known| known.short_name() == name);
        known.cloned().unwrap_or_else(|| EventType::new(name))
    };
    wished.iter().map(named).collect()
}

/// On stderr, so that on stdout are SETs and nothing else.
fn announce(output: Output, stream: &Stream) -> std::io::Result<()> {
    let Stream { stream_id, delivery, events_delivered, .. } = stream;
    let (method, count) = (delivery.method.name(), events_delivered.len());
    output.note(format_args!("stream {stream_id}: {method}, {count} event types"))?;
    if count == 0 {
        output.note("the transmitter supports none of these event types")?;
    }
    Ok(())
}

fn print(output: Output, arrival: &Arrival) -> anyhow::Result<()> {
    if output.is_json() {
        output.value(&match &arrival.set {
            Ok(set) => json!({
                "at": arrival.at,
                "verified": true,
                "algorithm": set.algorithm,
                "kid": set.kid,
                "claims": set.claims,
            }),
            Err(Disbelief { err, description }) => json!({
                "at": arrival.at,
                "verified": false,
                "err": err,
                "description": description,
            }),
        })?;
        return Ok(());
    }
    match &arrival.set {
        Ok(set) => print_set(output, set, arrival.at)?,
        Err(disbelief) => output.line(format_args!("{BAD}✗ not believed: {disbelief}{BAD:#}"))?,
    }
    Ok(())
}

fn print_set(output: Output, set: &VerifiedSet, at: Timestamp) -> std::io::Result<()> {
    let time = at.strftime("%H:%M:%S");
    let event_type = set.event_type().short_name();
    let subject = show::subject(set.subject(), 60);
    output.line(format_args!(
        "{GOOD}✓{GOOD:#} {ASIDE}{time}{ASIDE:#}  {STRONG}{event_type:<33}{STRONG:#} {subject}"
    ))?;
    if set.payload().as_object().is_some_and(|payload| !payload.is_empty()) {
        output.line(format_args!("            {}", set.payload()))?;
    }
    let (jti, txn, algorithm, kid) = (set.jti(), set.txn(), set.algorithm, &set.kid);
    output.line(format_args!(
        "            {ASIDE}jti {jti}  txn {txn}  {algorithm:?} by {kid}{ASIDE:#}"
    ))
}

fn secret(text: &str) -> Result<Secret, String> {
    if text.is_empty() { Err("is empty".to_owned()) } else { Ok(Secret::new(text)) }
}

fn subject(text: &str) -> Result<Value, String> {
    if text.starts_with('{') {
        return serde_json::from_str(text).map_err(|error| format!("is not JSON: {error}"));
    }
    if text.contains('@') {
        return Ok(json!({ "format": "email", "email": text }));
    }
    Err("is neither an e-mail address nor JSON".to_owned())
}
