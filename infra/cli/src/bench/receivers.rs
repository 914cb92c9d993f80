//! The receivers of a load: those that answer, and those that are dead.

use std::{
    net::{SocketAddr, TcpListener},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context;
use axum::{Router, body::Bytes, extract::State, http::StatusCode, routing::post};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rustls::ServerConfig;
use serde::Deserialize;
use tokio::{sync::Notify, time::timeout};

use super::{ANY_PORT, Load};
use crate::server::Server;

/// All receivers of a load.
pub(super) struct Receivers {
    address: SocketAddr,
    live: usize,
    /// Takes connections, as long as it lives, and nobody listens to them.
    dead: TcpListener,
    log: Arc<Log>,
}

/// When each event was sent, and how long each of its SETs took.
#[derive(Default)]
struct Log {
    times: Mutex<Times>,
    received: AtomicUsize,
    news: Notify,
}

#[derive(Default)]
struct Times {
    sent: Vec<Option<Instant>>,
    /// Of so many SETs, in the order of their arrival.
    arrived: usize,
    took: Vec<Duration>,
    last: Option<Instant>,
}

impl Receivers {
    pub(super) async fn start(load: &Load, tls: ServerConfig) -> anyhow::Result<Self> {
        let log = Arc::new(Log::default());
        let server = Server::bind(ANY_PORT, Some(Arc::new(tls))).await?;
        let address = server.local_addr()?;
        let router = Router::new().route("/{stream}", post(receive)).with_state(Arc::clone(&log));
        tokio::spawn(server.serve(router, std::future::pending()));
        let dead = TcpListener::bind("127.0.0.1:0").context("no port for dead receivers")?;
        Ok(Self { address, live: load.live, dead, log })
    }

    /// Where the stream with this number pushes to.
    pub(super) fn endpoint(&self, stream: usize) -> String {
        let port = if stream < self.live {
            self.address.port()
        } else {
            self.dead.local_addr().map_or(0, |address| address.port())
        };
        format!("https://127.0.0.1:{port}/{stream}")
    }

    /// Forgets what was, and is ready for so many events.
    pub(super) fn begin(&self, events: usize) {
        // All memory of the log is there from the start: what grows later is the transmitter's.
        *self.log.times() = Times {
            sent: vec![None; events],
            took: vec![Duration::MAX; events * self.live],
            ..Times::default()
        };
        self.log.received.store(0, Ordering::Relaxed);
    }

    /// These events are being sent now.
    pub(super) fn sent(&self, numbers: std::ops::Range<usize>) {
        let now = Instant::now();
        let mut times = self.log.times();
        if times.sent.len() < numbers.end {
            times.sent.resize(numbers.end, None);
        }
        times.sent[numbers].fill(Some(now));
    }

    /// Returns when so many SETs have arrived.
    pub(super) async fn wait_for(&self, count: usize, patience: Duration) -> anyhow::Result<()> {
        loop {
            let news = self.log.news.notified();
            let received = self.log.received.load(Ordering::Relaxed);
            if received >= count {
                return Ok(());
            }
            timeout(patience, news)
                .await
                .with_context(|| format!("only {received} of {count} SETs have arrived"))?;
        }
    }

    /// When the last SET arrived.
    pub(super) fn last(&self) -> Option<Instant> {
        self.log.times().last
    }

    /// How long each SET took.
    pub(super) fn latencies(&self) -> Vec<Duration> {
        let times = self.log.times();
        times.took[..times.arrived.min(times.took.len())].to_vec()
    }
}

impl Log {
    fn times(&self) -> MutexGuard<'_, Times> {
        self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn receive(State(log): State<Arc<Log>>, set: Bytes) -> StatusCode {
    let now = Instant::now();
    let Some(number) = number(&set) else { return StatusCode::BAD_REQUEST };
    {
        let mut times = log.times();
        if let Some(sent) = times.sent.get(number).copied().flatten() {
            let arrived = times.arrived;
            if let Some(took) = times.took.get_mut(arrived) {
                *took = now.duration_since(sent);
                times.arrived += 1;
            }
            times.last = Some(now);
        }
    }
    log.received.fetch_add(1, Ordering::Relaxed);
    log.news.notify_waiters();
    StatusCode::ACCEPTED
}

/// The number of the event that a SET is about.
fn number(set: &[u8]) -> Option<usize> {
    #[derive(Deserialize)]
    struct Claims {
        txn: String,
    }
    let claims = set.split(|byte| *byte == b'.').nth(1)?;
    let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    claims.txn.parse().ok()
}
