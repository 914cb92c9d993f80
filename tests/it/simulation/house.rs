//! Two processes on one database, the receivers, and what an onlooker sees of them.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use async_trait::async_trait;
use futures_util::FutureExt;
use jiff::Timestamp;
use ssf::{
    Error, Parts, Transmitter,
    client::{ClientId, Profile, Receiver, Scope},
    clock::{Clock, ManualClock},
    config::{Config, Issuer},
    delivery::{ChosenBy, HttpPush, Push, PushAnswer, PushError},
    embedded::{Database, LocalSeal, LocalSigner, QueueKind},
    ids::SequentialIds,
    queue::Queue,
    seal::Seal,
    set::{Algorithm, Jti, KeyRing, PublicKey, Signer},
    table::Table,
};
use tests::{
    guarded,
    world::{claims, status, time},
};
use url::Url;

use super::{
    plan::{Fault, RECEIVERS, Reply, Settings},
    seams::{Shaky, Switch},
};

/// How many streams a receiver may have.
pub(super) const MAX_STREAMS: usize = 3;

/// Something that an onlooker sees.
#[derive(Clone, Debug)]
pub(super) enum Entry {
    /// These messages were accepted: they will not be taken in again.
    Accepted(Vec<String>),
    Arrived(Arrival),
    /// These messages were given to a process.
    Attempted(Vec<String>),
    /// A process began its call.
    Began(usize),
    /// It did what it was asked, at this time.
    Done(usize, Timestamp),
    /// A receiver was given these SETs of a stream by the call of a process.
    Polled {
        process: usize,
        stream: usize,
        sets: Vec<(Jti, String)>,
    },
}

impl Entry {
    /// The SETs that receivers got.
    pub(super) fn sets(&self) -> Vec<&str> {
        match self {
            Self::Arrived(arrival) => vec![&arrival.set],
            Self::Polled { sets, .. } => sets.iter().map(|(_, set)| set.as_str()).collect(),
            Self::Accepted(_) | Self::Attempted(_) | Self::Began(_) | Self::Done(..) => Vec::new(),
        }
    }
}

/// A SET came to an endpoint.
#[derive(Clone, Debug)]
pub(super) struct Arrival {
    pub(super) process: usize,
    /// The endpoint's number; see [`endpoint`].
    pub(super) endpoint: usize,
    pub(super) authorization: Option<String>,
    pub(super) set: String,
    pub(super) at: Timestamp,
    pub(super) reply: Reply,
}

/// What has been seen.
pub(super) type Journal = Arc<Mutex<Vec<Entry>>>;

pub(super) fn note(journal: &Journal, entry: Entry) {
    journal.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
}

/// A push endpoint of a receiver, by its number.
pub(super) fn endpoint(receiver: usize, number: usize) -> String {
    format!("https://{}.example/{number}", RECEIVERS[receiver].0)
}

/// All that lives in a run.
pub(super) struct House {
    pub(super) clock: Arc<ManualClock>,
    pub(super) receivers: Arc<Receivers>,
    pub(super) journal: Journal,
    /// Without faults: to look at things.
    pub(super) plain: Transmitter,
    processes: [Process; 2],
    database: Database,
    config: Config,
    signer: Arc<LocalSigner>,
    ids: Arc<SequentialIds>,
}

/// A process: it may be gone at any moment; the next one finds what it left in the database.
struct Process {
    transmitter: Transmitter,
    switch: Arc<Switch>,
}

/// A call under way; the answer says what a caller of the process would know.
pub(super) type Running<A> = Pin<Box<dyn Future<Output = Result<A, Error>>>>;

/// How a call ended.
#[derive(Debug)]
pub(super) enum Outcome<A> {
    Done(A),
    /// `struck`: because of the fault.
    Failed {
        error: Error,
        struck: bool,
    },
    /// Nobody knows.
    Crashed,
}

impl House {
    pub(super) fn new(settings: &Settings) -> Self {
        let clock = Arc::new(ManualClock::new(time("2026-01-01T00:00:00Z")));
        let issuer = Issuer::parse("https://tocsin.example").expect("this is an issuer");
        let config = Config {
            algorithm: Algorithm::ES256,
            lanes: settings.lanes,
            poll_sets: settings.poll_sets,
            inactivity_timeout: settings.inactivity_timeout,
            ..Config::new(issuer)
        };
        let database = Database::in_memory(clock.clone());
        let signer = LocalSigner::in_memory(&[include_str!("../../keys/ec.pem")]);
        let signer = Arc::new(signer.expect("the test key is a key"));
        let ids = Arc::new(SequentialIds::default());
        let journal = Journal::default();
        let receivers = Arc::new(Receivers {
            clock: clock.clone(),
            scripts: Mutex::default(),
            poisons: Mutex::default(),
            journal: journal.clone(),
        });
        let make = |line| parts(&database, &config, &signer, &ids, &clock, line);
        let plain =
            Transmitter::new(make(Line { process: usize::MAX, receivers: receivers.clone() }));
        // By the first run of the sweep, before anything comes.
        at_once(plain.keys().ensure_key()).expect("the first key can be made");
        at_once(plain.ensure_door_key()).expect("the key of the doors can be made");
        let processes = [0, 1]
            .map(|process| Process::new(make(Line { process, receivers: receivers.clone() })));
        Self { clock, receivers, journal, plain, processes, database, config, signer, ids }
    }

    /// The process with this number.
    pub(super) fn process(&self, number: usize) -> &Transmitter {
        &self.processes[number].transmitter
    }

    /// Runs the first of `calls` in the process `first`, the second in the other, in `turns`: each
    /// bit says whose turn it is. The fault strikes in the process `first`.
    pub(super) fn run<A>(
        &mut self,
        first: usize,
        calls: Vec<Running<A>>,
        fault: Option<Fault>,
        turns: u64,
    ) -> Vec<Outcome<A>> {
        self.processes[first].switch.arm(fault);
        self.processes[1 - first].switch.arm(None);
        let count = calls.len();
        let mut calls: Vec<Option<Running<A>>> = calls.into_iter().map(Some).collect();
        let mut outcomes: Vec<Option<Outcome<A>>> = (0..count).map(|_| None).collect();
        let mut began = vec![false; count];
        let mut turn = 0_u32;
        while outcomes.iter().any(Option::is_none) {
            turn += 1;
            assert!(turn < 1_000_000, "a call goes on and on");
            let wanted = usize::from(turns.rotate_right(turn) & 1 == 1).min(count - 1);
            let at = if outcomes[wanted].is_none() { wanted } else { count - 1 - wanted };
            let process = if at == 0 { first } else { 1 - first };
            if !std::mem::replace(&mut began[at], true) {
                note(&self.journal, Entry::Began(process));
            }
            let call = calls[at].as_mut().expect("it has no outcome yet");
            match call.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(Ok(answer)) => {
                    note(&self.journal, Entry::Done(process, self.clock.now()));
                    outcomes[at] = Some(Outcome::Done(answer));
                }
                Poll::Ready(Err(error)) => {
                    let struck = self.processes[process].switch.has_struck();
                    outcomes[at] = Some(Outcome::Failed { error, struck });
                }
                Poll::Pending if self.processes[process].switch.has_crashed() => {
                    outcomes[at] = Some(Outcome::Crashed);
                }
                Poll::Pending => continue,
            }
            calls[at] = None;
            if matches!(outcomes[at], Some(Outcome::Crashed)) {
                self.restart(process);
            }
        }
        for process in &self.processes {
            process.switch.arm(None);
        }
        outcomes.into_iter().flatten().collect()
    }

    /// A new process in the place of one that is gone.
    fn restart(&mut self, process: usize) {
        let line = Line { process, receivers: self.receivers.clone() };
        let parts = parts(&self.database, &self.config, &self.signer, &self.ids, &self.clock, line);
        self.processes[process] = Process::new(parts);
    }

    /// The keys that there are, whatever anybody has in memory.
    pub(super) fn keys(&self) -> Vec<Arc<PublicKey>> {
        let (table, signer) = (Arc::new(self.database.table()), self.signer.clone());
        let ring = KeyRing::new(table, signer, self.clock.clone(), Algorithm::ES256);
        at_once(ring.published()).expect("there are keys")
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

impl Process {
    fn new(parts: Parts) -> Self {
        let switch = Arc::new(Switch::default());
        let queue = |inner: Arc<dyn Queue>| -> Arc<dyn Queue> {
            Arc::new(Shaky { inner, switch: switch.clone() })
        };
        let transmitter = Transmitter::new(guarded(Parts {
            table: Arc::new(Shaky::<dyn Table> { inner: parts.table, switch: switch.clone() }),
            ingest: queue(parts.ingest),
            ingest_fifo: queue(parts.ingest_fifo),
            dead_letters: queue(parts.dead_letters),
            push: queue(parts.push),
            signer: Arc::new(Shaky::<dyn Signer> { inner: parts.signer, switch: switch.clone() }),
            seal: Arc::new(Shaky::<dyn Seal> { inner: parts.seal, switch: switch.clone() }),
            http: Arc::new(Shaky::<dyn HttpPush> { inner: parts.http, switch: switch.clone() }),
            ..parts
        }));
        Self { transmitter, switch }
    }
}

fn parts(
    database: &Database,
    config: &Config,
    signer: &Arc<LocalSigner>,
    ids: &Arc<SequentialIds>,
    clock: &Arc<ManualClock>,
    line: Line,
) -> Parts {
    let queue = |name: &str, kind| Arc::new(database.queue(name, kind));
    Parts {
        config: config.clone(),
        table: Arc::new(database.table()),
        ingest: queue("ingest", QueueKind::Standard),
        ingest_fifo: queue("ingest.fifo", QueueKind::Fifo),
        dead_letters: queue("dead-letters", QueueKind::Standard),
        push: queue("push", QueueKind::Fifo),
        signer: signer.clone(),
        seal: Arc::new(LocalSeal::with_key(&[7; 32])),
        http: Arc::new(line),
        clock: clock.clone(),
        ids: ids.clone(),
    }
}

/// The answer of what never waits.
pub(super) fn at_once<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("the database in memory answers at once")
}

/// Who asks.
pub(super) fn receiver(number: usize) -> Receiver {
    let (name, default_subjects) = RECEIVERS[number];
    Receiver {
        id: ClientId(name.to_owned()),
        audience: vec![format!("https://{name}.example")],
        scopes: BTreeSet::from(Scope::ALL),
        may_create: true,
        default_subjects,
        by_consent: false,
        profile: Profile::Standard,
        subject_in_event: false,
        max_streams: MAX_STREAMS,
        verify_certificates: true,
        scim: ssf::client::ScimOptions::default(),
        version: None,
    }
}

/// The endpoints of all receivers.
#[derive(Debug)]
pub(super) struct Receivers {
    clock: Arc<ManualClock>,
    scripts: Mutex<HashMap<String, Script>>,
    /// By host: a word of subjects that are not taken.
    poisons: Mutex<HashMap<String, &'static str>>,
    journal: Journal,
}

/// What one receiver's endpoints answer: once each, then always.
type Script = (VecDeque<Reply>, Reply);

impl Receivers {
    /// From now on `receiver` answers so.
    pub(super) fn answer(&self, receiver: usize, once: &[Reply], then: Reply) {
        let host = format!("{}.example", RECEIVERS[receiver].0);
        self.lock().insert(host, (once.iter().copied().collect(), then));
    }

    /// From now on `receiver` does not take what is about whom `word` names.
    pub(super) fn poison(&self, receiver: usize, word: Option<&'static str>) {
        let host = format!("{}.example", RECEIVERS[receiver].0);
        let mut poisons = self.poisons.lock().unwrap_or_else(PoisonError::into_inner);
        match word {
            Some(word) => poisons.insert(host, word),
            None => poisons.remove(&host),
        };
    }

    fn is_poison(&self, host: &str, set: &str) -> bool {
        let poisons = self.poisons.lock().unwrap_or_else(PoisonError::into_inner);
        let about = || claims(set)["sub_id"].to_string();
        poisons.get(host).is_some_and(|word| about().contains(word))
    }

    fn next(&self, host: &str, set: &str) -> Reply {
        if self.is_poison(host, set) {
            return Reply::Unavailable;
        }
        let mut scripts = self.lock();
        let Some((once, then)) = scripts.get_mut(host) else { return Reply::Accept };
        once.pop_front().unwrap_or(*then)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Script>> {
        self.scripts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The way from one process to the receivers.
#[derive(Debug)]
struct Line {
    process: usize,
    receivers: Arc<Receivers>,
}

#[async_trait]
impl HttpPush for Line {
    async fn push(&self, push: &Push<'_>) -> Result<PushAnswer, PushError> {
        let Receivers { clock, journal, .. } = &*self.receivers;
        let reply = self.receivers.next(push.endpoint.host_str().unwrap_or_default(), push.set);
        let arrival = Arrival {
            process: self.process,
            endpoint: push.endpoint.path()[1..].parse().expect("the path is a number"),
            authorization: push.authorization.map(str::to_owned),
            set: push.set.to_owned(),
            at: clock.now(),
            reply,
        };
        note(journal, Entry::Arrived(arrival));
        let wait = match reply {
            Reply::AcceptLate(seconds) => u64::from(seconds),
            Reply::Timeout => 15,
            Reply::Accept
            | Reply::Accuse
            | Reply::BadRequest
            | Reply::Reject
            | Reply::TooMany(_)
            | Reply::Unauthorized
            | Reply::Unavailable => 0,
        };
        clock.advance(Duration::from_secs(wait));
        // The answer is under way, and others go on.
        futures_util::pending!();
        reply.answer()
    }

    async fn fetch(&self, url: &Url, _: ChosenBy) -> Result<Vec<u8>, PushError> {
        Err(PushError::Broken(format!("nobody fetches {url}")))
    }
}

/// A 400 with this `err`.
fn refusal(err: &str) -> Result<PushAnswer, PushError> {
    let body = format!(r#"{{"err":"{err}","description":"no"}}"#).into_bytes();
    status(400).map(|answer| PushAnswer { body, ..answer })
}

impl Reply {
    fn answer(self) -> Result<PushAnswer, PushError> {
        match self {
            Self::Accept | Self::AcceptLate(_) => status(202),
            Self::Accuse => refusal("invalid_key"),
            Self::BadRequest => status(400),
            Self::Reject => refusal("invalid_request"),
            Self::Timeout => Err(PushError::Timeout(Duration::from_secs(15))),
            Self::TooMany(seconds) => status(429)
                .map(|answer| PushAnswer { retry_after: Some(seconds.to_string()), ..answer }),
            Self::Unauthorized => status(401),
            Self::Unavailable => status(503),
        }
    }

    /// Whether the receiver is there, and judged what it was sent.
    pub(super) fn is_verdict(self) -> bool {
        self == Self::Reject || self.is_success()
    }

    /// Whether the receiver has it now.
    pub(super) fn is_success(self) -> bool {
        match self {
            Self::Accept | Self::AcceptLate(_) => true,
            Self::Accuse
            | Self::BadRequest
            | Self::Reject
            | Self::Timeout
            | Self::TooMany(_)
            | Self::Unauthorized
            | Self::Unavailable => false,
        }
    }
}
