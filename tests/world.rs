//! A whole transmitter in memory, on a clock that stands still.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::FutureExt as _;
use jiff::Timestamp;
use serde_json::{Value, json};
use ssf::{
    Parts, Transmitter,
    client::{ClientId, Profile, Receiver, ScimOptions, Scope},
    clock::{Clock, ManualClock},
    config::{Config, Issuer},
    delivery::{ChosenBy, Door, HttpPush, Push, PushAnswer, PushError, PushKind, Swept},
    embedded::{
        CountingQueue, CountingSigner, CountingTable, Database, LocalSeal, LocalSigner, QueueKind,
    },
    ids::SequentialIds,
    queue::{Message, Queue, Received},
    stream::{CreateStream, DefaultSubjects, StreamConfiguration},
    table::Table,
};
use url::Url;

use crate::{Function, guarded, switched::Switched};

/// A transmitter and all that it works with.
#[derive(Debug)]
pub struct World {
    /// The time; it stands at 2026-01-01T00:00:00Z.
    pub clock: Arc<ManualClock>,
    /// The table, counted.
    pub table: Arc<CountingTable>,
    /// The push queue, counted.
    pub push: Arc<CountingQueue>,
    /// Who signs, counted.
    pub signer: Arc<CountingSigner>,
    /// The receivers' ends of push.
    pub http: Arc<ScriptedHttp>,
    /// The transmitter itself.
    pub transmitter: Transmitter,
    /// The FIFO door, which can be out of order.
    fifo: Arc<Switched>,
    database: Database,
}

/// How long a message is out of sight while it is worked on.
pub const VISIBILITY: Duration = Duration::from_mins(2);

impl World {
    /// With the defaults, for the issuer `https://tocsin.example`.
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    /// With other settings.
    pub fn with(settings: impl FnOnce(&mut Config)) -> Self {
        let world = Self::without_key(settings);
        let key = world.transmitter.keys().ensure_key().now_or_never();
        key.expect("what is in memory answers at once").expect("the first key can be made");
        let key = world.transmitter.ensure_door_key().now_or_never();
        key.expect("what is in memory answers at once").expect("the key of the doors can be made");
        world.table.take();
        world
    }

    /// Before the first run of the sweep: there is no key that signs.
    pub fn without_key(settings: impl FnOnce(&mut Config)) -> Self {
        Self::at(|clock| Database::in_memory(clock), |database, _| table_of(database), settings)
    }

    /// With the defaults, and its state in `folder`; without a key.
    pub fn on_disk(folder: &Path) -> Self {
        let open = |clock: Arc<ManualClock>| {
            Database::open(folder, clock).expect("the folder can be used")
        };
        Self::at(open, |database, _| table_of(database), |_| {})
    }

    /// With the defaults, but with another table, and without a key; the queues stay in memory.
    pub fn on_table(table: impl FnOnce(Arc<dyn Clock>) -> Arc<dyn Table>) -> Self {
        Self::at(|clock| Database::in_memory(clock), |_, clock| table(clock), |_| {})
    }

    fn at(
        database: impl FnOnce(Arc<ManualClock>) -> Database,
        table: impl FnOnce(&Database, Arc<dyn Clock>) -> Arc<dyn Table>,
        settings: impl FnOnce(&mut Config),
    ) -> Self {
        let clock =
            Arc::new(ManualClock::new("2026-01-01T00:00:00Z".parse().expect("this is a time")));
        let database = database(clock.clone());
        let mut config =
            Config::new(Issuer::parse("https://tocsin.example").expect("this is an issuer"));
        settings(&mut config);
        let signer = LocalSigner::in_memory(&[
            include_str!("keys/rsa.pem"),
            include_str!("keys/rsa-2.pem"),
            include_str!("keys/ec.pem"),
        ]);
        let signer = signer.expect("the test keys are keys");
        let signer = Arc::new(CountingSigner::new(Arc::new(signer)));
        let table = Arc::new(CountingTable::new(table(&database, clock.clone())));
        let push = Arc::new(CountingQueue::new(Arc::new(database.queue("push", QueueKind::Fifo))));
        let http = Arc::new(ScriptedHttp::default());
        let fifo =
            Arc::new(Switched::new(Arc::new(database.queue("ingest.fifo", QueueKind::Fifo))));
        let transmitter = Transmitter::new(guarded(Parts {
            config,
            table: table.clone(),
            ingest: Arc::new(database.queue("ingest", QueueKind::Standard)),
            ingest_fifo: fifo.clone(),
            dead_letters: Arc::new(database.queue("dead-letters", QueueKind::Standard)),
            push: push.clone(),
            signer: signer.clone(),
            seal: Arc::new(LocalSeal::with_key(&[7; 32])),
            http: http.clone(),
            clock: clock.clone(),
            ids: Arc::new(SequentialIds::default()),
        }));
        Self { clock, table, push, signer, http, transmitter, fifo, database }
    }

    /// Whether the FIFO door takes nothing from now on.
    pub fn fail_fifo(&self, fails: bool) {
        self.fifo.fail(fails);
    }

    /// Another process on the same table, queues and keys: it shares no memory with the first.
    pub fn another_process(&self) -> Transmitter {
        Transmitter::new(self.transmitter.parts().clone())
    }

    /// Where its state is: for what restarts on it.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// A receiver with all rights, whose audience is its name.
    pub fn receiver(&self, name: &str) -> Receiver {
        Receiver {
            id: ClientId(name.to_owned()),
            audience: vec![format!("https://{name}.example")],
            scopes: BTreeSet::from(Scope::ALL),
            may_create: true,
            default_subjects: DefaultSubjects::All,
            by_consent: false,
            profile: Profile::Standard,
            subject_in_event: false,
            max_streams: 10,
            verify_certificates: true,
            scim: ScimOptions::default(),
            version: None,
        }
    }

    /// The same, which may have whole resources.
    pub fn trusted(&self, name: &str) -> Receiver {
        let scim = ScimOptions { full: true, ..ScimOptions::default() };
        Receiver { scim, ..self.receiver(name) }
    }

    /// Creates a stream for `receiver`, by a request with this body; the answer.
    pub async fn create(&self, receiver: &Receiver, body: Value) -> Value {
        let wish: CreateStream = serde_json::from_value(body).expect("the body is a wish");
        let created = Function::Streams.runs(self.transmitter.create_stream(receiver, wish)).await;
        let answer: StreamConfiguration = created.expect("the stream can be created");
        serde_json::to_value(answer).expect("an answer is JSON")
    }

    /// Puts an event on the standard queue.
    pub async fn emit(&self, event: &Value) {
        let message = Message { body: event.to_string(), ..Message::default() };
        for sent in self.transmitter.parts().ingest.send(vec![message]).await {
            sent.expect("the queue takes it");
        }
    }

    /// Puts an event on the FIFO queue.
    pub async fn emit_fifo(&self, group: &str, event: &Value) {
        let message = Message {
            body: event.to_string(),
            group: Some(group.to_owned()),
            deduplication: Some(self.transmitter.parts().ids.fresh().to_string()),
            ..Message::default()
        };
        for sent in self.transmitter.parts().ingest_fifo.send(vec![message]).await {
            sent.expect("the queue takes it");
        }
    }

    /// Does all there is to do now, as the functions would, until nothing is left but what waits
    /// for its time.
    pub async fn settle(&self) {
        loop {
            let ingested = self.ingest(Door::Standard).await + self.ingest(Door::Fifo).await;
            if ingested + self.push().await == 0 {
                return;
            }
        }
    }

    /// One batch of the ingest function; how many messages it had.
    pub async fn ingest(&self, door: Door) -> usize {
        let queue = self.transmitter.parts().door(door);
        let work = async {
            let batch = receive(queue.as_ref()).await;
            let failed = ingest::handle(&self.transmitter, door, &batch).await;
            done(queue.as_ref(), &batch, &failed).await
        };
        Function::Ingest.runs(work).await
    }

    /// One batch of the push function; how many messages it had.
    pub async fn push(&self) -> usize {
        let queue = &self.transmitter.parts().push;
        let work = async {
            let batch = receive(queue.as_ref()).await;
            let failed = push::handle(&self.transmitter, &batch).await;
            done(queue.as_ref(), &batch, &failed).await
        };
        Function::Push.runs(work).await
    }

    /// One run of the sweep function.
    pub async fn sweep(&self) -> Swept {
        let swept = Box::pin(Function::Sweep.runs(sweep::handle(&self.transmitter))).await;
        swept.expect("the sweep comes to its end")
    }

    /// Lets time pass, and what is due then be done.
    pub async fn pass(&self, time: Duration) {
        self.clock.advance(time);
        self.settle().await;
    }

    /// The dead letters' reasons.
    pub async fn dead_letters(&self) -> Vec<String> {
        let queue = &self.transmitter.parts().dead_letters;
        let letters = queue.receive(1000, Duration::ZERO).await.expect("the queue answers");
        letters.into_iter().map(|letter| letter.attributes["reason"].clone()).collect()
    }

    /// The current time, in seconds.
    pub fn seconds(&self) -> i64 {
        self.clock.now().as_second()
    }
}

fn table_of(database: &Database) -> Arc<dyn Table> {
    Arc::new(database.table())
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

async fn receive(queue: &dyn Queue) -> Vec<Received> {
    queue.receive(10, VISIBILITY).await.expect("the queue answers")
}

async fn done(queue: &dyn Queue, batch: &[Received], failed: &[String]) -> usize {
    let done = batch.iter().filter(|message| !failed.contains(&message.id));
    let receipts = done.map(|message| message.receipt.clone()).collect();
    queue.delete(receipts).await.expect("the queue answers");
    batch.len()
}

/// A push endpoint of `name`.
pub fn endpoint(name: &str) -> String {
    format!("https://{name}.example/events")
}

/// The body of a request to create a push stream that wants `types` (short names of CAEP).
pub fn push_stream(name: &str, types: &[&str]) -> Value {
    let mut body = poll_stream(types);
    body["delivery"] = json!({
        "method": "urn:ietf:rfc:8935",
        "endpoint_url": endpoint(name),
        "authorization_header": format!("Bearer {name}"),
    });
    body
}

/// The body of a request to create a poll stream that wants `types` (short names of CAEP).
pub fn poll_stream(types: &[&str]) -> Value {
    json!({ "events_requested": types.iter().map(|name| caep(name)).collect::<Vec<_>>() })
}

/// The URI of a CAEP event type.
pub fn caep(name: &str) -> String {
    format!("https://schemas.openid.net/secevent/caep/event-type/{name}")
}

/// A session of the user with this e-mail address is revoked.
pub fn session_revoked(email: &str) -> Value {
    json!({
        "sub_id": { "format": "email", "email": email },
        "events": { caep("session-revoked"): {} },
    })
}

/// An event as systems send them, not the shortest.
pub fn usual_event(user: usize) -> Value {
    let mut event = session_revoked(&format!("jane.smith.{user}@customer.example.com"));
    event["events"][caep("session-revoked")] = json!({
        "event_timestamp": 1_767_225_600,
        "initiating_entity": "policy",
        "reason_admin": { "en": "Landspeed Policy Violation: C076E82F" },
        "reason_user": {
            "en": "Access attempt from multiple regions.",
            "es-410": "Intento de acceso desde varias regiones.",
        },
    });
    event
}

/// The one event that these claims tell of: the last part of its type, and what stands under it.
pub fn event_of(claims: &Value) -> (String, Value) {
    let events = claims["events"].as_object().expect("events is an object");
    assert_eq!(events.len(), 1, "a SET tells of one event");
    let (uri, payload) = events.iter().next().expect("there is one");
    (uri.rsplit('/').next().unwrap_or_default().to_owned(), payload.clone())
}

/// The claims of a compact JWS, in the order of their names; its signature is not looked at.
pub fn claims(set: &str) -> Value {
    let claims = set.split('.').nth(1).expect("a JWS has three parts");
    let claims = URL_SAFE_NO_PAD.decode(claims).expect("a JWS is base64url");
    let mut claims: Value = serde_json::from_slice(&claims).expect("claims are JSON");
    claims.sort_all_objects();
    claims
}

/// The receivers' ends of push: say what they are told to, and remember what they got.
#[derive(Debug, Default)]
pub struct ScriptedHttp {
    state: Mutex<Script>,
}

#[derive(Debug, Default)]
struct Script {
    pushed: Vec<Pushed>,
    /// By host: what comes next, then what comes always.
    answers: HashMap<String, VecDeque<Result<PushAnswer, PushError>>>,
    always: HashMap<String, Result<PushAnswer, PushError>>,
    /// By host and a word of the SET.
    about: HashMap<(String, String), Result<PushAnswer, PushError>>,
    pages: HashMap<Url, Vec<u8>>,
    fetches: usize,
}

impl Script {
    fn about(&self, host: &str, set: &str) -> Option<Result<PushAnswer, PushError>> {
        if self.about.is_empty() {
            return None;
        }
        let claims = claims(set).to_string();
        let is_told = |(of, word): &(String, String)| of == host && claims.contains(word);
        self.about.iter().find(|(key, _)| is_told(key)).map(|(_, answer)| answer.clone())
    }
}

/// A SET that was pushed, whatever the answer was.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pushed {
    /// Where to.
    pub endpoint: Url,
    /// The `Authorization` header.
    pub authorization: Option<String>,
    /// The compact JWS.
    pub set: String,
    /// What it is.
    pub kind: PushKind,
    /// The status code of the answer; `None`: there was none.
    pub status: Option<u16>,
}

impl Pushed {
    /// What the SET says.
    pub fn claims(&self) -> Value {
        claims(&self.set)
    }
}

/// An answer with this status and nothing else.
pub fn status(status: u16) -> Result<PushAnswer, PushError> {
    Ok(PushAnswer { status, retry_after: None, content_type: None, body: Vec::new() })
}

impl ScriptedHttp {
    /// What `name.example` answers from now on, until told otherwise; 202 by default.
    pub fn always(&self, name: &str, answer: Result<PushAnswer, PushError>) {
        self.lock().always.insert(format!("{name}.example"), answer);
    }

    /// What `name.example` answers once, after what it was told to answer once before.
    pub fn once(&self, name: &str, answer: Result<PushAnswer, PushError>) {
        self.lock().answers.entry(format!("{name}.example")).or_default().push_back(answer);
    }

    /// What `name.example` answers from now on to SETs in which there is this word, whatever else it
    /// was told.
    pub fn always_about(&self, name: &str, word: &str, answer: Result<PushAnswer, PushError>) {
        self.lock().about.insert((format!("{name}.example"), word.to_owned()), answer);
    }

    /// What `fetch` finds at `url`.
    pub fn page(&self, url: &str, body: impl Into<Vec<u8>>) {
        self.lock().pages.insert(url.parse().expect("this is a URL"), body.into());
    }

    /// Takes all pages away.
    pub fn no_pages(&self) {
        self.lock().pages.clear();
    }

    /// How often `fetch` was asked.
    pub fn fetches(&self) -> usize {
        self.lock().fetches
    }

    /// All that was pushed since the last call, in order.
    pub fn take(&self) -> Vec<Pushed> {
        std::mem::take(&mut self.lock().pushed)
    }

    fn lock(&self) -> MutexGuard<'_, Script> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl HttpPush for ScriptedHttp {
    async fn push(&self, push: &Push<'_>) -> Result<PushAnswer, PushError> {
        let mut script = self.lock();
        let host = push.endpoint.host_str().unwrap_or_default().to_owned();
        let about = script.about(&host, push.set);
        let next = || script.answers.get_mut(&host).and_then(VecDeque::pop_front);
        let answer = about
            .or_else(next)
            .or_else(|| script.always.get(&host).cloned())
            .unwrap_or(status(202));
        script.pushed.push(Pushed {
            endpoint: push.endpoint.clone(),
            authorization: push.authorization.map(str::to_owned),
            set: push.set.to_owned(),
            kind: push.kind,
            status: answer.as_ref().ok().map(|answer| answer.status),
        });
        answer
    }

    async fn fetch(&self, url: &Url, _: ChosenBy) -> Result<Vec<u8>, PushError> {
        let mut script = self.lock();
        script.fetches += 1;
        script.pages.get(url).cloned().ok_or_else(|| PushError::Connect {
            host: url.host_str().unwrap_or_default().to_owned(),
            reason: "nobody is there".to_owned(),
        })
    }
}

/// The time as a test writes it.
pub fn time(text: &str) -> Timestamp {
    text.parse().expect("this is a time")
}
