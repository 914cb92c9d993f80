//! A load from end to end: a transmitter with all its workers, receivers on HTTPS, and events.

mod directory;
mod meter;
mod receivers;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context;
use serde::Serialize;
use serde_json::json;
use ssf::{
    Parts, Transmitter,
    client::{ClientId, Profile, Receiver, Scope},
    clock::{Clock, SystemClock},
    config::{Config, Issuer},
    delivery::{HttpsPush, HttpsPushSettings},
    embedded::{
        CountingQueue, CountingSigner, CountingTable, Database, LocalSeal, LocalSigner, QueueKind,
    },
    event::EventType,
    ids::RandomIds,
    queue::Message,
    set::Algorithm,
    stream::DefaultSubjects,
};

use self::{meter::Usage, receivers::Receivers};
use crate::{serve::Service, server::Server, tls};

pub use self::directory::{
    DirectoryLoad, DirectoryReport, Groups, MANY, OneMember, Requests, Walk, run_directory_load,
};

/// What is to be done.
#[derive(Clone, Debug)]
pub struct Load {
    /// How many events.
    pub events: usize,
    /// One in each of these times; `None`: as many as get through.
    pub every: Option<Duration>,
    /// How SETs are signed.
    pub algorithm: Algorithm,
    /// Push streams whose receivers answer.
    pub live: usize,
    /// Push streams whose receivers take connections and say nothing.
    pub dead: usize,
    /// How many subjects the events are about.
    pub subjects: usize,
}

/// What came of it. A SET is one event at one live stream.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Events sent.
    pub events: usize,
    /// SETs that arrived at live receivers.
    pub received: usize,
    /// From the first event sent to the last SET received.
    pub sets_per_second: f64,
    /// Half of the SETs took no longer from the queue to the receiver.
    pub p50_ms: f64,
    /// 95 % of them.
    pub p95_ms: f64,
    /// 99 % of them.
    pub p99_ms: f64,
    /// Of the whole process, the receivers and what makes the events included.
    pub cpu_us_per_set: f64,
    /// Calls of the signer.
    pub signatures_per_set: f64,
    /// Keys and ranges read.
    pub table_reads_per_set: f64,
    /// Items written.
    pub table_writes_per_set: f64,
    /// Calls of the ingest and push queues, the polling of empty ones included.
    pub queue_calls_per_set: f64,
    /// The memory of the process in KiB, after so many events.
    pub memory: Vec<(usize, u64)>,
}

/// Without a new SET for this long something is wrong.
const PATIENCE: Duration = Duration::from_secs(30);

/// With no rate given, so many events are on their way at most.
const UNDER_WAY: usize = 400;

/// Messages of one call of the queue.
const BATCH: usize = 10;

/// On this machine only.
const ANY_PORT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// What counts the calls.
struct Counters {
    table: Arc<CountingTable>,
    queues: [Arc<CountingQueue>; 2],
    signer: Arc<CountingSigner>,
}

/// Does `load` and says what came of it.
pub async fn run_load(load: &Load) -> anyhow::Result<Report> {
    let folder = tempfile::tempdir().context("no temporary folder can be made")?;
    let tls = tls::server_config(folder.path(), &[], SystemClock.now())?;
    let receivers = Receivers::start(load, tls).await?;
    let certificate = std::fs::read(tls::certificate_path(folder.path()))?;
    let (parts, counters) = parts(load, folder.path(), &certificate)?;
    let transmitter = Transmitter::new(parts);
    transmitter.keys().ensure_key().await?;
    transmitter.ensure_door_key().await?;
    for index in 0..load.live + load.dead {
        create_stream(&transmitter, index, &receivers.endpoint(index)).await?;
    }
    let service = Service::start(transmitter.clone(), Server::bind(ANY_PORT, None).await?)?;
    // Connections, keys and caches are there before anything is measured.
    send(&transmitter, load, &receivers, 0..BATCH * 20).await?;
    receivers.begin(load.events);
    counters.reset();
    let before = Usage::now();
    let began = Instant::now();
    let memory = send(&transmitter, load, &receivers, 0..load.events).await?;
    let took = receivers.last().map_or(began.elapsed(), |last| last.duration_since(began));
    let used = Usage::now().since(&before);
    let report = report(load, &receivers, &counters, took, used, memory);
    service.stop().await;
    Ok(report)
}

fn parts(
    load: &Load,
    folder: &std::path::Path,
    certificate: &[u8],
) -> anyhow::Result<(Parts, Counters)> {
    let clock = Arc::new(SystemClock);
    let database = Database::open(folder, clock.clone())?;
    let mut config = Config::new(Issuer::parse("https://tocsin.example")?);
    config.algorithm = load.algorithm;
    config.allow_private_push = true;
    let push = HttpsPushSettings { allow_private: true, ..HttpsPushSettings::default() };
    let queue = |name, kind| Arc::new(CountingQueue::new(Arc::new(database.queue(name, kind))));
    let counters = Counters {
        table: Arc::new(CountingTable::new(Arc::new(database.table()))),
        queues: [queue("ingest", QueueKind::Standard), queue("push", QueueKind::Fifo)],
        signer: Arc::new(CountingSigner::new(Arc::new(LocalSigner::open(folder.join("keys"))?))),
    };
    let [ingest, bells] = counters.queues.clone();
    let parts = Parts {
        config,
        table: counters.table.clone(),
        ingest,
        ingest_fifo: Arc::new(database.queue("ingest.fifo", QueueKind::Fifo)),
        dead_letters: Arc::new(database.queue("dead-letters", QueueKind::Standard)),
        push: bells,
        signer: counters.signer.clone(),
        seal: Arc::new(LocalSeal::open(folder.join("keys"))?),
        http: Arc::new(HttpsPush::new(push.trust(certificate)?)?),
        clock,
        ids: Arc::new(RandomIds),
    };
    Ok((parts, counters))
}

async fn create_stream(
    transmitter: &Transmitter,
    index: usize,
    endpoint: &str,
) -> anyhow::Result<()> {
    let receiver = Receiver {
        id: ClientId(format!("receiver-{index}")),
        audience: vec![format!("https://receiver-{index}.example")],
        scopes: Scope::ALL.into(),
        may_create: true,
        default_subjects: DefaultSubjects::All,
        by_consent: false,
        profile: Profile::Standard,
        subject_in_event: false,
        max_streams: 1,
        verify_certificates: true,
        scim: ssf::client::ScimOptions::default(),
        version: None,
    };
    let wish = json!({
        "events_requested": [EventType::SESSION_REVOKED],
        "delivery": { "method": "urn:ietf:rfc:8935", "endpoint_url": endpoint },
    });
    transmitter.create_stream(&receiver, serde_json::from_value(wish)?).await?;
    Ok(())
}

/// Sends events and waits until all have arrived; the memory at each tenth of the way.
async fn send(
    transmitter: &Transmitter,
    load: &Load,
    receivers: &Receivers,
    numbers: std::ops::Range<usize>,
) -> anyhow::Result<Vec<(usize, u64)>> {
    let queue = &transmitter.parts().ingest;
    let clock = &transmitter.parts().clock;
    let (began, count) = (Instant::now(), numbers.len());
    let mut memory = Vec::new();
    for first in numbers.step_by(BATCH) {
        let batch = first..(first + BATCH).min(count);
        if let Some(every) = load.every {
            let due = every * u32::try_from(first)?;
            clock.sleep(due.saturating_sub(began.elapsed())).await;
        } else {
            receivers.wait_for(first.saturating_sub(UNDER_WAY) * load.live, PATIENCE).await?;
        }
        let messages = batch.clone().map(|number| message(number, load)).collect();
        receivers.sent(batch);
        for sent in queue.send(messages).await {
            sent?;
        }
        if (first / BATCH).is_multiple_of((count / BATCH / 10).max(1)) {
            memory.push((first, Usage::memory_kib()));
        }
    }
    receivers.wait_for(count * load.live, PATIENCE).await?;
    memory.push((count, Usage::memory_kib()));
    Ok(memory)
}

fn message(number: usize, load: &Load) -> Message {
    let event = json!({
        "sub_id": {
            "format": "iss_sub",
            "iss": "https://idp.example.com/",
            "sub": format!("user-{}", number % load.subjects),
        },
        "events": { (EventType::SESSION_REVOKED.as_str()): {
            "initiating_entity": "policy",
            "reason_admin": { "en": "Landspeed policy violation: C076E82F" },
            "reason_user": { "en": "Access attempt from multiple regions." },
        }},
        // By which the receivers know it again.
        "txn": format!("{number}"),
    });
    Message { body: event.to_string(), ..Message::default() }
}

#[expect(clippy::cast_precision_loss, reason = "counts of a benchmark are far below 2^52")]
fn report(
    load: &Load,
    receivers: &Receivers,
    counters: &Counters,
    took: Duration,
    used: Duration,
    memory: Vec<(usize, u64)>,
) -> Report {
    let mut took_each = receivers.latencies();
    took_each.sort_unstable();
    let received = took_each.len();
    let share = |part: usize| {
        let at = (received * part / 100).min(received.saturating_sub(1));
        took_each.get(at).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
    };
    let per_set = |count: u64| count as f64 / received.max(1) as f64;
    let table = counters.table.counts();
    Report {
        events: load.events,
        received,
        sets_per_second: received as f64 / took.as_secs_f64(),
        p50_ms: share(50),
        p95_ms: share(95),
        p99_ms: share(99),
        cpu_us_per_set: used.as_secs_f64() * 1e6 / received.max(1) as f64,
        signatures_per_set: per_set(counters.signer.count()),
        table_reads_per_set: per_set(table.reads()),
        table_writes_per_set: per_set(table.changes()),
        queue_calls_per_set: per_set(
            counters.queues.iter().map(|queue| queue.counts().calls()).sum(),
        ),
        memory,
    }
}

impl Counters {
    fn reset(&self) {
        self.table.take();
        self.signer.take();
        for queue in &self.queues {
            queue.take();
        }
    }
}
