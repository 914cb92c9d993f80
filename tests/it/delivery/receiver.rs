//! The receiver is judged, not the SET: what one SET meets says nothing of the others.

use std::{collections::BTreeMap, time::Duration};

use ssf::{
    operator::EventFilter,
    set::{SetError, TokenStatus},
    stream::{Status, StreamId},
};
use tests::{
    World,
    world::{push_stream, session_revoked, status},
};

/// A push stream of alice.
async fn alice(world: &World) -> StreamId {
    let stream = push_stream("alice", &["session-revoked"]);
    let stream = world.create(&world.receiver("alice"), stream).await;
    StreamId::parse(stream["stream_id"].as_str().unwrap()).unwrap()
}

async fn status_of(world: &World, id: &StreamId) -> Status {
    world.transmitter.stream_show(id).await.unwrap().summary.status
}

/// How many SETs there are of each status.
async fn counted(world: &World) -> BTreeMap<String, usize> {
    let listed = world.transmitter.event_list(&EventFilter::default(), None, 1000).await.unwrap();
    let mut counted = BTreeMap::new();
    for event in listed.items {
        *counted.entry(format!("{:?}", event.status)).or_default() += 1;
    }
    counted
}

/// How often each of `users` was answered so since this was last asked.
fn heard(world: &World, answer: u16) -> BTreeMap<String, usize> {
    let mut heard = BTreeMap::new();
    for pushed in world.http.take() {
        if pushed.status == Some(answer) {
            let email = pushed.claims()["sub_id"]["email"].as_str().unwrap_or_default().to_owned();
            *heard.entry(email).or_default() += 1;
        }
    }
    heard
}

#[tokio::test]
async fn a_set_that_is_never_taken_fails_and_the_stream_goes_on() {
    let world = World::with(|config| config.lanes = 2);
    let id = alice(&world).await;
    world.http.always_about("alice", "poison", status(500));
    world.emit(&session_revoked("poison@example.com")).await;
    world.settle().await;
    for hour in 0..60 {
        world.emit(&session_revoked(&format!("user{}@example.com", hour % 3))).await;
        for _ in 0..12 {
            world.pass(Duration::from_mins(5)).await;
        }
        assert_eq!(status_of(&world, &id).await, Status::Enabled, "after {hour} h");
        if hour == 10 {
            // It waits behind the first.
            world.emit(&session_revoked("poison@example.com")).await;
        }
    }
    let failed = EventFilter { status: Some(TokenStatus::Failed), ..EventFilter::default() };
    let failed = world.transmitter.event_list(&failed, None, 10).await.unwrap().items;
    assert_eq!(failed.len(), 2, "the second was tried for a day, too: {failed:?}");
    let reason = SetError {
        err: "push_failed".to_owned(),
        description: "the receiver answered 500".to_owned(),
    };
    for event in &failed {
        assert_eq!(event.error.as_ref(), Some(&reason));
        assert!((15..30).contains(&event.attempts), "{}", event.attempts);
    }
    let through = heard(&world, 202);
    assert_eq!(through.values().sum::<usize>(), 60);

    // The subject goes on, in order.
    world.emit(&session_revoked("poison@example.com")).await;
    world.http.always_about("alice", "poison", status(202));
    world.pass(Duration::from_hours(3)).await;
    assert_eq!(heard(&world, 202), BTreeMap::from([("poison@example.com".to_owned(), 1)]));
}

#[tokio::test]
async fn where_nothing_gets_through_nothing_fails_and_the_stream_is_paused() {
    let world = World::with(|config| config.lanes = 2);
    let id = alice(&world).await;
    // It was well until then.
    world.emit(&session_revoked("user0@example.com")).await;
    world.settle().await;
    world.http.always("alice", status(500));
    for hour in 0..27 {
        world.emit(&session_revoked(&format!("user{}@example.com", hour % 7))).await;
        for _ in 0..12 {
            world.pass(Duration::from_mins(5)).await;
        }
        let status = status_of(&world, &id).await;
        assert!(hour > 22 || status == Status::Enabled, "{status:?} after {hour} h");
    }
    assert_eq!(status_of(&world, &id).await, Status::Paused);
    let counted = counted(&world).await;
    // The news that it is paused waits, too.
    assert_eq!(counted, BTreeMap::from([("New".to_owned(), 28), ("Sent".to_owned(), 1)]));
}
