//! Which streams an event goes to, and what it costs to find them.

use serde_json::{Value, json};
use ssf::{
    client::Receiver,
    delivery::Door,
    embedded::TableCounts,
    stream::{AddSubject, DefaultSubjects, StreamId},
    subject::Subject,
    table::{Condition, Content, Key, Table as _, Write},
};
use tests::{
    World,
    world::{caep, poll_stream, push_stream, session_revoked},
};

/// How many reads it takes to take in `event`, and how many SETs are made of it.
async fn cost(world: &World, event: &Value) -> TableCounts {
    world.emit(event).await;
    world.table.take();
    assert_eq!(world.ingest(Door::Standard).await, 1);
    world.table.take()
}

/// A receiver whose streams deliver nobody's events by default.
fn choosy(world: &World, name: &str) -> Receiver {
    Receiver { default_subjects: DefaultSubjects::None, ..world.receiver(name) }
}

/// Adds subjects to a stream as a receiver does.
async fn add(world: &World, receiver: &Receiver, stream: &StreamId, subjects: Vec<Value>) {
    for subject in subjects {
        let subject = serde_json::from_value(subject).unwrap();
        let wish = AddSubject { stream_id: stream.clone(), subject, verified: None };
        world.transmitter.add_subject(receiver, wish).await.unwrap();
    }
}

/// Leaves behind what it leaves behind to add subjects of a shape that the stream has, only faster.
async fn add_many(world: &World, stream: &StreamId, subjects: impl Iterator<Item = Value>) {
    let mut rows = Vec::new();
    for subject in subjects {
        let subject = Subject::parse(subject).unwrap();
        let digest = subject.digest();
        let sk = format!("ADDED#{stream}#{digest}");
        let mut row = |pk, sk| {
            let content = Content { body: "{}".to_owned(), ..Content::default() };
            rows.push(Write::put(Key::new(pk, sk), Condition::Any, content));
        };
        row(format!("STREAM_SUBJECT#{stream}"), digest.to_string());
        for entry in subject.entry_digests() {
            row(format!("SUBJECT#{entry}"), sk.clone());
        }
    }
    let table = world.database().table();
    for rows in rows.chunks(10_000) {
        assert!(table.write(rows.to_vec()).await.iter().all(Result::is_ok));
    }
}

fn id(stream: &Value) -> StreamId {
    StreamId::parse(stream["stream_id"].as_str().unwrap()).unwrap()
}

fn email(number: usize) -> Value {
    json!({ "format": "email", "email": format!("user-{number}@example.com") })
}

/// The user with this number, at the device with that one.
fn user_and_device(user: usize, device: usize) -> Value {
    json!({
        "format": "complex",
        "user": email(user),
        "device": { "format": "opaque", "id": format!("device-{device}") },
    })
}

fn about(subject: &Value) -> Value {
    json!({ "sub_id": subject, "events": { caep("session-revoked"): {} } })
}

#[tokio::test]
async fn an_event_costs_the_same_at_10_and_at_100_000_subjects() {
    let (world, alice, stream) = choosy_world().await;
    let event = session_revoked("user-3@example.com");
    add(&world, &alice, &stream, (0..10).map(email).collect()).await;
    let at_10 = cost(&world, &event).await;
    assert_eq!(at_10.changes(), 1, "one SET");
    add_many(&world, &stream, (10..100_000).map(email)).await;
    assert_eq!(cost(&world, &event).await, at_10);
    assert_eq!(cost(&world, &session_revoked("user-99999@example.com")).await, at_10);
    let nobody = cost(&world, &session_revoked("user-100000@example.com")).await;
    assert_eq!(nobody.changes(), 0);
    assert!(nobody.reads() < at_10.reads());
}

/// One user with very many devices: an event about the user alone concerns all of them at once.
#[tokio::test]
async fn an_event_costs_the_same_at_10_and_at_20_000_complex_subjects() {
    let (world, alice, stream) = choosy_world().await;
    let events = [user_and_device(1, 3), json!({ "format": "complex", "user": email(1) })];
    add(&world, &alice, &stream, (0..10).map(|device| user_and_device(1, device)).collect()).await;
    let mut at_10 = Vec::new();
    for event in events.clone() {
        at_10.push(cost(&world, &about(&event)).await);
    }
    assert_eq!(at_10.iter().map(TableCounts::changes).collect::<Vec<_>>(), [1, 1]);
    add_many(&world, &stream, (10..20_000).map(|device| user_and_device(1, device))).await;
    for (event, at_10) in events.into_iter().zip(at_10) {
        assert_eq!(cost(&world, &about(&event)).await, at_10);
    }
}

#[tokio::test]
async fn an_event_costs_the_same_at_10_and_at_5_000_streams_that_do_not_want_it() {
    let world = World::new();
    let mut reads = Vec::new();
    world.create(&world.receiver("wants"), push_stream("wants", &["session-revoked"])).await;
    for (from, to) in [(0, 4), (4, 1_667)] {
        for number in from..to {
            strangers(&world, number).await;
        }
        // The first of all makes the key that signs.
        cost(&world, &session_revoked("jane@example.com")).await;
        let cost = cost(&world, &session_revoked("jane@example.com")).await;
        assert_eq!(cost.changes(), 1, "one SET");
        reads.push(cost);
    }
    assert_eq!(reads[0], reads[1]);
}

/// Three streams that do not want that a session is revoked: it asks for another type; it asks for
/// another subject; it is disabled.
async fn strangers(world: &World, number: usize) {
    let name = format!("stranger-{number}");
    world.create(&world.receiver(&name), poll_stream(&["credential-change"])).await;
    let receiver = choosy(world, &name);
    let stream = id(&world.create(&receiver, poll_stream(&["session-revoked"])).await);
    add(world, &receiver, &stream, vec![email(number)]).await;
    let stream = id(&world.create(&receiver, poll_stream(&["session-revoked"])).await);
    let wish = json!({ "stream_id": stream, "status": "disabled" });
    let wish = serde_json::from_value(wish).unwrap();
    world.transmitter.update_status(&receiver, wish).await.unwrap();
}

/// A receiver with a stream that has no subjects; one event went by.
async fn choosy_world() -> (World, Receiver, StreamId) {
    let world = World::new();
    let alice = choosy(&world, "alice");
    let stream = id(&world.create(&alice, push_stream("alice", &["session-revoked"])).await);
    // The first SET of all makes the key that signs.
    add(&world, &alice, &stream, vec![email(0)]).await;
    cost(&world, &session_revoked("user-0@example.com")).await;
    (world, alice, stream)
}

/// What one delivered event costs when they come ten at a time, as AWS Lambda hands them over.
#[tokio::test]
async fn a_delivered_event_costs_one_signature_two_writes_and_three_reads() {
    let world = World::new();
    world.create(&world.receiver("alice"), push_stream("alice", &["session-revoked"])).await;
    // The first one makes the key that signs.
    for round in 0..3 {
        for number in 0..10 {
            world.emit(&session_revoked(&format!("user-{round}{number}@example.com"))).await;
        }
        world.table.take();
        world.signer.take();
        world.settle().await;
        assert_eq!(world.http.take().len(), 10);
        let (counts, signatures) = (world.table.take(), world.signer.take());
        if round > 0 {
            assert_eq!(signatures, 10);
            assert!(counts.changes() <= 20, "{counts:?}");
            assert!(counts.reads() <= 30, "{counts:?}");
        }
    }
}

/// An event for many streams reads what is the same for all of them once.
#[tokio::test]
async fn an_event_for_many_streams_costs_no_more_for_each() {
    let world = World::new();
    for number in 0..20 {
        let name = format!("receiver-{number}");
        world.create(&world.receiver(&name), push_stream(&name, &["session-revoked"])).await;
    }
    world.emit(&session_revoked("jane@example.com")).await;
    world.settle().await;
    world.emit(&session_revoked("jane@example.com")).await;
    world.table.take();
    world.signer.take();
    world.http.take();
    world.settle().await;
    assert_eq!((world.http.take().len(), world.signer.take()), (20, 20));
    let counts = world.table.take();
    assert!(counts.changes() <= 40, "{counts:?}");
    assert!(counts.reads() <= 65, "{counts:?}");
}
