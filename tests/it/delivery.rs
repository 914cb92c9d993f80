//! From an event on the queue to the receiver.

mod accept;
mod receiver;
mod sources;

use std::time::Duration;

use serde_json::json;
use ssf::{
    delivery::PollRequest,
    stream::{Status, StreamId},
};
use tests::{
    World,
    world::{caep, event_of, poll_stream, push_stream, session_revoked, status},
};

#[tokio::test]
async fn an_event_is_pushed_to_every_stream_that_wants_it() {
    let world = World::new();
    for name in ["alice", "bob"] {
        world.create(&world.receiver(name), push_stream(name, &["session-revoked"])).await;
    }
    world.create(&world.receiver("carol"), push_stream("carol", &["credential-change"])).await;
    world.emit(&session_revoked("jane@example.com")).await;
    world.settle().await;
    let mut pushed = world.http.take();
    pushed.sort_by_key(|pushed| pushed.endpoint.clone());
    let got: Vec<_> = pushed
        .iter()
        .map(|pushed| (pushed.claims()["aud"].clone(), pushed.authorization.clone().unwrap()))
        .collect();
    assert_eq!(
        got,
        [
            (json!("https://alice.example"), "Bearer alice".to_owned()),
            (json!("https://bob.example"), "Bearer bob".to_owned()),
        ]
    );
    let claims = pushed[0].claims();
    assert_eq!(
        claims["events"][caep("session-revoked")]["reason_admin"],
        json!({"en": "Session revoked"})
    );
    assert_eq!(claims["txn"], pushed[1].claims()["txn"]);
    assert_ne!(claims["jti"], pushed[1].claims()["jti"]);
}

#[tokio::test]
async fn a_set_that_fails_is_tried_again_with_the_same_bytes() {
    let world = World::new();
    world.create(&world.receiver("alice"), push_stream("alice", &["session-revoked"])).await;
    world.http.once("alice", status(503));
    world.emit(&session_revoked("jane@example.com")).await;
    world.settle().await;
    world.pass(Duration::from_secs(2)).await;
    let pushed = world.http.take();
    assert_eq!(
        pushed.iter().map(|pushed| pushed.status).collect::<Vec<_>>(),
        [Some(503), Some(202)]
    );
    // 138: each try has the header.
    assert_eq!(pushed[1].authorization.as_deref(), Some("Bearer alice"));
    assert_eq!(pushed[0].authorization, pushed[1].authorization);
    assert_eq!(pushed[0].set, pushed[1].set);
    world.pass(Duration::from_hours(1)).await;
    assert_eq!(world.http.take(), []);
}

async fn status_of(world: &World, id: &StreamId) -> Status {
    world.transmitter.stream_show(id).await.unwrap().summary.status
}

#[tokio::test]
async fn a_receiver_that_is_away_for_a_day_is_told_that_its_stream_is_paused() {
    let world = World::new();
    let alice = world.receiver("alice");
    let stream = world.create(&alice, push_stream("alice", &["session-revoked"])).await;
    let id = StreamId::parse(stream["stream_id"].as_str().unwrap()).unwrap();
    world.http.always("alice", status(503));
    world.emit(&session_revoked("jane@example.com")).await;
    for _ in 0..24 {
        assert_eq!(status_of(&world, &id).await, Status::Enabled);
        world.pass(Duration::from_hours(1)).await;
    }
    world.pass(Duration::from_hours(1)).await;
    assert_eq!(status_of(&world, &id).await, Status::Paused);
    world.http.always("alice", status(202));
    let told =
        world.http.take().iter().map(|pushed| event_of(&pushed.claims()).0).collect::<Vec<_>>();
    assert_eq!(told.last().unwrap(), "stream-updated");
}

/// Four lanes come to it at once.
#[tokio::test]
async fn a_receiver_that_is_away_for_a_day_is_told_once() {
    let world = World::with(|config| config.lanes = 4);
    let alice = world.receiver("alice");
    let stream = world.create(&alice, push_stream("alice", &["session-revoked"])).await;
    let id = StreamId::parse(stream["stream_id"].as_str().unwrap()).unwrap();
    world.http.always("alice", status(503));
    for user in 0..20 {
        world.emit(&session_revoked(&format!("{user}@example.com"))).await;
    }
    for _ in 0..30 {
        world.pass(Duration::from_hours(1)).await;
    }
    assert_eq!(status_of(&world, &id).await, Status::Paused);
    let told = world.http.take();
    let told = told.iter().filter(|pushed| event_of(&pushed.claims()).0 == "stream-updated");
    let names: std::collections::BTreeSet<_> =
        told.map(|pushed| pushed.claims()["jti"].to_string()).collect();
    assert_eq!(names.len(), 1);
}

#[tokio::test]
async fn a_poll_gives_what_is_pending_until_it_is_acknowledged() {
    let world = World::new();
    let alice = world.receiver("alice");
    let stream = world.create(&alice, poll_stream(&["session-revoked"])).await;
    let id = StreamId::parse(stream["stream_id"].as_str().unwrap()).unwrap();
    for user in ["a@example.com", "b@example.com", "c@example.com"] {
        world.emit(&session_revoked(user)).await;
    }
    world.settle().await;
    let request = |ack| PollRequest {
        max_events: Some(2),
        return_immediately: true,
        ack,
        ..PollRequest::default()
    };
    let first = world.transmitter.poll(&alice, &id, request(vec![])).await.unwrap();
    let again = world.transmitter.poll(&alice, &id, request(vec![])).await.unwrap();
    assert_eq!(first, again);
    assert_eq!((first.sets.len(), first.more_available), (2, true));
    let ack = first.sets.keys().cloned().collect();
    let rest = world.transmitter.poll(&alice, &id, request(ack)).await.unwrap();
    assert_eq!((rest.sets.len(), rest.more_available), (1, false));
    let ack = rest.sets.keys().cloned().collect();
    let none = world.transmitter.poll(&alice, &id, request(ack)).await.unwrap();
    assert!(none.sets.is_empty());
}

#[tokio::test]
async fn a_process_that_ends_lets_nobody_wait_for_a_set() {
    let world = World::new();
    let alice = world.receiver("alice");
    let stream = world.create(&alice, poll_stream(&["session-revoked"])).await;
    let id = StreamId::parse(stream["stream_id"].as_str().unwrap()).unwrap();
    // The clock stands still, so that the wait has no end of its own.
    let poll = || world.transmitter.poll(&alice, &id, PollRequest::default());
    let mut waiting = std::pin::pin!(poll());
    assert!(futures_util::poll!(waiting.as_mut()).is_pending());
    world.transmitter.end_long_polls();
    assert_eq!(waiting.await.unwrap(), poll().await.unwrap());
}
