//! A load on the directory: people and groups by SCIM over HTTPS, and the events that follow.

mod caller;
mod figures;
mod groups;
mod people;
mod walk;

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context;
use serde::Serialize;
use ssf::{
    Parts, Transmitter,
    client::{NewClient, Scope},
    clock::{Clock, SystemClock},
    config::{Config, Issuer},
    delivery::{HttpsPush, HttpsPushSettings},
    embedded::{CountingTable, Database, LocalSeal, LocalSigner, QueueKind},
    ids::RandomIds,
    set::Algorithm,
};

use self::caller::Caller;
use super::{ANY_PORT, meter::Usage};
use crate::{serve::Service, server::Server, tls};

pub use self::{
    figures::Requests,
    groups::{Groups, MANY, OneMember},
    walk::Walk,
};

/// What is to be done.
#[derive(Clone, Copy, Debug)]
pub struct DirectoryLoad {
    /// How many people are made.
    pub people: usize,
    /// How many clients make them, each on a connection of its own.
    pub clients: usize,
    /// How many requests each question is measured by.
    pub questions: usize,
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub struct DirectoryReport {
    /// People made, by all clients together.
    pub create: Requests,
    /// Of the whole process, the clients and what takes the events in included.
    pub cpu_us_per_person: f64,
    /// After the last person was made, so long until all events were taken in.
    pub taken_in_after_s: f64,
    /// The memory of the process in KiB, after so many people.
    pub memory: Vec<(usize, u64)>,
    /// One person by id, of all those.
    pub read: Requests,
    /// One person by a filter: `userName eq`.
    pub find: Requests,
    /// A page of 100.
    pub list: Requests,
    /// All people in pages by number, while some go and some come.
    pub walk_by_index: Walk,
    /// The same by cursor.
    pub walk_by_cursor: Walk,
    /// Groups of all people.
    pub groups: Groups,
    /// The memory of the process in KiB at the end.
    pub memory_at_end: u64,
}

/// Without progress for this long something is wrong.
const PATIENCE: Duration = Duration::from_mins(10);

/// Does `load` and says what came of it.
pub async fn run_directory_load(load: DirectoryLoad) -> anyhow::Result<DirectoryReport> {
    let folder = tempfile::tempdir().context("no temporary folder can be made")?;
    let config = tls::server_config(folder.path(), &[], SystemClock.now())?;
    let certificate = std::fs::read(tls::certificate_path(folder.path()))?;
    let server = Server::bind(ANY_PORT, Some(Arc::new(config))).await?;
    let port = server.local_addr()?.port();
    let (parts, table) = parts(folder.path(), port)?;
    let transmitter = Transmitter::new(parts);
    transmitter.keys().ensure_key().await?;
    transmitter.ensure_door_key().await?;
    let token = provisioner(&transmitter).await?;
    let service = Service::start(transmitter.clone(), server)?;
    let base = format!("https://localhost:{port}/scim/v2");
    let caller = Caller::new(&base, &token, &certificate)?;
    let callers: Vec<_> =
        (0..load.clients).map(|_| caller.beside(&certificate)).collect::<Result<_, _>>()?;
    let report = measure(load, &caller, &callers, &transmitter, &table).await;
    service.stop().await;
    report
}

async fn measure(
    load: DirectoryLoad,
    caller: &Caller,
    callers: &[Caller],
    transmitter: &Transmitter,
    table: &CountingTable,
) -> anyhow::Result<DirectoryReport> {
    let before = Usage::now();
    let people::Made { mut ids, requests: create, memory } =
        people::make(callers, load.people).await?;
    let made = Instant::now();
    taken_in(transmitter.parts()).await?;
    let taken_in_after_s = made.elapsed().as_secs_f64();
    let used = Usage::now().since(&before);
    let read = people::read(caller, &ids, load.questions).await?;
    let find = people::find(caller, ids.len(), load.questions).await?;
    let pages = (load.people / 100).clamp(1, load.questions);
    let list = people::list(caller, pages).await?;
    let walk_by_index = walk::walk(caller, &mut ids, false, load.people).await?;
    let walk_by_cursor = walk::walk(caller, &mut ids, true, load.people * 2).await?;
    let groups = groups::measure(caller, transmitter, table, &ids).await?;
    #[expect(clippy::cast_precision_loss, reason = "counts of a benchmark are far below 2^52")]
    let cpu_us_per_person = used.as_secs_f64() * 1e6 / load.people as f64;
    Ok(DirectoryReport {
        create,
        cpu_us_per_person,
        taken_in_after_s,
        memory,
        read,
        find,
        list,
        walk_by_index,
        walk_by_cursor,
        groups,
        memory_at_end: Usage::memory_kib(),
    })
}

/// Returns when all that the directory told is taken in.
async fn taken_in(parts: &Parts) -> anyhow::Result<()> {
    let began = Instant::now();
    while parts.ingest_fifo.depth().await? > 0 {
        anyhow::ensure!(began.elapsed() < PATIENCE, "events are not taken in");
        parts.clock.sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

/// Registers who provisions, and gives back its token.
async fn provisioner(transmitter: &Transmitter) -> anyhow::Result<String> {
    let mut wish = NewClient::new("bench", Vec::new());
    wish.scope = vec![Scope::Scim];
    let (client, _) = transmitter.client_create(wish).await?;
    let (_, token) = transmitter.static_token_create(&client.client_id, None).await?;
    Ok(token.expose().to_owned())
}

fn parts(folder: &Path, port: u16) -> anyhow::Result<(Parts, Arc<CountingTable>)> {
    let clock = Arc::new(SystemClock);
    let database = Database::open(folder, clock.clone())?;
    let mut config = Config::new(Issuer::parse(format!("https://localhost:{port}"))?);
    config.algorithm = Algorithm::ES256;
    config.requests_per_second = 0;
    let table = Arc::new(CountingTable::new(Arc::new(database.table())));
    let queue = |name, kind| Arc::new(database.queue(name, kind));
    let parts = Parts {
        config,
        table: table.clone(),
        ingest: queue("ingest", QueueKind::Standard),
        ingest_fifo: queue("ingest.fifo", QueueKind::Fifo),
        dead_letters: queue("dead-letters", QueueKind::Standard),
        push: queue("push", QueueKind::Fifo),
        signer: Arc::new(LocalSigner::open(folder.join("keys"))?),
        seal: Arc::new(LocalSeal::open(folder.join("keys"))?),
        http: Arc::new(HttpsPush::new(HttpsPushSettings::default())?),
        clock,
        ids: Arc::new(RandomIds),
    };
    Ok((parts, table))
}
