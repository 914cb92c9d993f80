//! Many requests at the same time, on several threads and in two processes.

use serde_json::{Value, json};
use ssf::{
    Error, Transmitter,
    client::Receiver,
    delivery::PollRequest,
    stream::{
        AddSubject, CreateStream, DefaultSubjects, Missing, StreamId, UpdateStatus, UpdateStream,
    },
    table::{Query, Table as _},
};
use tests::{
    World,
    world::{caep, poll_stream},
};
use tokio::task::JoinSet;

/// How often each writer writes.
const ROUNDS: usize = 40;

/// Someone who writes to a stream, while others write to it too.
#[derive(Clone)]
struct Writer {
    transmitter: Transmitter,
    receiver: Receiver,
    id: StreamId,
}

impl Writer {
    /// Sets one member again and again. Nobody else sets it, so it must stay as it was set.
    async fn keep_setting(self, member: &'static str, value: impl Fn(usize) -> Value) {
        for round in 0..ROUNDS {
            let wish = json!({ "stream_id": self.id, member: value(round) });
            let wish: UpdateStream = serde_json::from_value(wish).unwrap();
            self.transmitter.update_stream(&self.receiver, wish, Missing::Keep).await.unwrap();
            let read = self.transmitter.read_stream(&self.receiver, &self.id).await.unwrap();
            assert_eq!(serde_json::to_value(read).unwrap()[member], value(round), "{round}");
        }
    }

    /// The same with the status; it ends as enabled.
    async fn keep_pausing(self) {
        for round in 0..ROUNDS {
            let status = ["paused", "enabled"][round % 2];
            let wish = json!({ "stream_id": self.id, "status": status });
            let wish: UpdateStatus = serde_json::from_value(wish).unwrap();
            self.transmitter.update_status(&self.receiver, wish).await.unwrap();
            let read = self.transmitter.read_status(&self.receiver, &self.id).await.unwrap();
            assert_eq!(read.status.name(), status, "{round}");
        }
    }

    /// Adds subjects, each of another shape.
    async fn keep_adding(self) {
        for shape in SHAPES {
            let wish = json!({ "stream_id": self.id, "subject": subject(shape) });
            let wish: AddSubject = serde_json::from_value(wish).unwrap();
            self.transmitter.add_subject(&self.receiver, wish).await.unwrap();
        }
    }
}

const SHAPES: [&str; 6] = ["user", "device", "session", "application", "tenant", "group"];

fn subject(member: &str) -> Value {
    json!({ "format": "complex", member: { "format": "opaque", "id": member } })
}

/// All types on even rounds, one of them on odd ones.
fn events(round: usize) -> Value {
    if round.is_multiple_of(2) { json!(TYPES.map(caep)) } else { json!([caep(TYPES[1])]) }
}

/// Sorted, as they are shown.
const TYPES: [&str; 3] = ["session-established", "session-presented", "session-revoked"];

fn id_of(stream: &Value) -> StreamId {
    StreamId::parse(stream["stream_id"].as_str().unwrap()).unwrap()
}

/// A world on disk, and two processes in it.
async fn on_disk() -> (World, [Transmitter; 2], tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let world = World::on_disk(folder.path());
    world.transmitter.keys().ensure_key().await.unwrap();
    let processes = [world.transmitter.clone(), world.another_process()];
    (world, processes, folder)
}

async fn all(mut tasks: JoinSet<()>) {
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_updates_lose_nothing() {
    let (world, processes, _folder) = on_disk().await;
    let alice = Receiver { default_subjects: DefaultSubjects::None, ..world.receiver("alice") };
    let id = id_of(&world.create(&alice, poll_stream(&TYPES)).await);
    let writer = |at: usize| Writer {
        transmitter: processes[at % 2].clone(),
        receiver: alice.clone(),
        id: id.clone(),
    };
    let mut tasks = JoinSet::new();
    tasks.spawn(writer(0).keep_setting("description", |round| json!(format!("round {round}"))));
    tasks.spawn(writer(1).keep_setting("events_requested", events));
    tasks.spawn(writer(0).keep_pausing());
    tasks.spawn(writer(1).keep_adding());
    all(tasks).await;
    let stream = world.transmitter.read_stream(&alice, &id).await.unwrap();
    let stream = serde_json::to_value(stream).unwrap();
    assert_eq!(stream["description"], format!("round {}", ROUNDS - 1));
    assert_eq!(stream["events_delivered"], json!([caep(TYPES[1])]));
    // What is wanted, and nothing else, is found by the index that was written all the while.
    for shape in SHAPES {
        for name in TYPES {
            let event = json!({ "sub_id": subject(shape), "events": { caep(name): {} } });
            world.emit(&event).await;
        }
    }
    world.settle().await;
    let request = PollRequest { return_immediately: true, ..PollRequest::default() };
    let sets = world.transmitter.poll(&alice, &id, request).await.unwrap().sets;
    assert_eq!(sets.len(), SHAPES.len());
    for name in TYPES {
        let rows = Query::sorted(format!("TYPE#{}", caep(name)), "");
        let rows = world.table.query(rows).await.unwrap().items.len();
        assert_eq!(rows, if name == TYPES[1] { SHAPES.len() } else { 0 }, "rows of {name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_creations_keep_to_the_limit() {
    const LIMIT: usize = 5;
    let (world, processes, _folder) = on_disk().await;
    let alice = Receiver { max_streams: LIMIT, ..world.receiver("alice") };
    for _ in 0..3 {
        let mut tasks = JoinSet::new();
        for at in 0..20 {
            let (transmitter, alice) = (processes[at % 2].clone(), alice.clone());
            let wish: CreateStream = serde_json::from_value(poll_stream(&TYPES)).unwrap();
            tasks.spawn(async move {
                match transmitter.create_stream(&alice, wish).await {
                    Ok(_) | Err(Error::TooManyStreams(LIMIT)) => {}
                    Err(error) => panic!("{error:?}"),
                }
            });
        }
        all(tasks).await;
        let streams = world.transmitter.list_streams(&alice).await.unwrap();
        assert_eq!(streams.len(), LIMIT);
        let mut tasks = JoinSet::new();
        for stream in streams {
            let id = id_of(&serde_json::to_value(stream).unwrap());
            let (transmitter, alice) = (processes[0].clone(), alice.clone());
            tasks.spawn(async move { transmitter.delete_stream(&alice, &id).await.unwrap() });
        }
        all(tasks).await;
        assert_eq!(world.transmitter.list_streams(&alice).await.unwrap().len(), 0);
    }
}
