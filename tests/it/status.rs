//! The status of streams ([SSF 1.0, 8.1.2]) and what it does to their SETs; the numbers are those of
//! the requirements.

use std::time::Duration;

use insta::assert_snapshot;
use serde_json::{Value, json};
use ssf::stream::{Status, StreamId};
use tests::{
    Caller, World,
    world::{claims, event_of, poll_stream, push_stream, session_revoked, status},
};

const STATUS: &str = "/ssf/status";

/// A world, its alice, and the id of her stream.
async fn alice(stream: Value) -> (World, Caller, StreamId) {
    let world = World::new();
    let alice = world.signed_in("alice", "ssf.manage").await;
    let id = alice.post("/ssf/streams", stream).await.stream_id();
    (world, alice, StreamId::parse(id).unwrap())
}

async fn pushed() -> (World, Caller, StreamId) {
    alice(push_stream("alice", &["session-revoked"])).await
}

async fn set(caller: &Caller, id: &StreamId, status: &str) {
    let answer = caller.post(STATUS, json!({ "stream_id": id, "status": status })).await;
    assert_eq!(answer.status, 200, "{answer}");
}

/// In this order, that the session of each of these users is revoked.
async fn emit(world: &World, users: &[&str]) {
    for user in users {
        let email = format!("{}@example.com", &user[..1]);
        let mut event = session_revoked(&email);
        event["txn"] = json!(user);
        world.emit_fifo(&email, &event).await;
    }
    world.settle().await;
}

/// What was pushed since last asked, in order, by `txn`.
fn went(world: &World) -> Vec<String> {
    let txn = |claims: Value| claims["txn"].as_str().unwrap().to_owned();
    world.http.take().iter().map(|pushed| txn(pushed.claims())).collect()
}

/// Those of `went` that are about `user`.
fn about<'a>(user: &str, went: &'a [String]) -> Vec<&'a str> {
    went.iter().map(String::as_str).filter(|txn| txn.starts_with(user)).collect()
}

/// 74.
#[tokio::test]
async fn a_new_stream_is_enabled() {
    let (_world, alice, id) = pushed().await;
    assert_snapshot!(alice.get(&format!("{STATUS}?stream_id={id}")).await, @r#"
    200 OK
    cache-control: no-store
    content-type: application/json

    {
      "status": "enabled",
      "stream_id": "00000000000000000000000000000002"
    }
    "#);
}

/// 77, 80, 88: a change is answered at once, with the members that were sent.
#[tokio::test]
async fn a_receiver_sets_each_status() {
    let (_world, alice, id) = pushed().await;
    let wish = json!({ "stream_id": id, "status": "paused", "reason": "Grüße" });
    let answer = alice.post(STATUS, wish).await;
    assert_snapshot!(answer, @r#"
    200 OK
    cache-control: no-store
    content-type: application/json

    {
      "reason": "Grüße",
      "status": "paused",
      "stream_id": "00000000000000000000000000000002"
    }
    "#);
    let path = format!("{STATUS}?stream_id={id}");
    assert_eq!(alice.get(&path).await.json(), answer.json());
    for status in ["disabled", "paused", "paused", "enabled", "disabled", "enabled"] {
        let wish = json!({ "stream_id": id, "status": status });
        assert_eq!(alice.post(STATUS, wish.clone()).await.json(), wish);
        assert_eq!(alice.get(&path).await.json(), wish);
    }
}

/// 76, 78.
#[tokio::test]
async fn a_status_that_cannot_be_set_is_refused_by_member() {
    let (_world, alice, id) = pushed().await;
    let mut answers = vec![alice.get(STATUS).await.brief()];
    for body in [
        json!({ "status": "paused" }),
        json!({ "stream_id": id }),
        json!({ "stream_id": id, "status": "resting" }),
        json!({ "stream_id": id, "status": "Enabled" }),
        json!({ "stream_id": id, "status": "disabled_deleted" }),
        json!({ "stream_id": id, "status": null }),
        json!({ "stream_id": id, "status": 1 }),
        json!({ "stream_id": 1, "status": "paused" }),
        json!({ "stream_id": id, "status": "paused", "reason": 1 }),
        json!({ "stream_id": id, "status": "paused", "reason": "a".repeat(1025) }),
        json!([]),
    ] {
        answers.push(alice.post(STATUS, body).await.brief());
    }
    assert_snapshot!(answers.join("\n"), @r"
    400 stream_id is missing
    400 stream_id is missing
    400 status is missing
    400 status must be enabled, paused or disabled
    400 status must be enabled, paused or disabled
    400 status must be enabled, paused or disabled
    400 status is null, expected a string
    400 status is integer, expected a string
    400 stream_id is integer, expected a string
    400 reason is integer, expected a string
    400 reason is longer than 1,024 bytes
    400 the body must be an object
    ");
    let path = format!("{STATUS}?stream_id={id}");
    assert_eq!(alice.get(&path).await.json()["status"], "enabled");
}

/// 81–84.
#[tokio::test]
async fn a_paused_stream_holds_its_sets_and_releases_them_in_order() {
    let (world, alice, id) = pushed().await;
    emit(&world, &["a1", "b1"]).await;
    assert_eq!(went(&world).len(), 2);
    set(&alice, &id, "paused").await;
    emit(&world, &["a2", "b2", "a3", "a4", "b3", "c1"]).await;
    world.pass(Duration::from_mins(50)).await;
    assert_eq!(went(&world), [""; 0]);
    set(&alice, &id, "enabled").await;
    world.settle().await;
    let released = went(&world);
    assert_eq!(about("a", &released), ["a2", "a3", "a4"]);
    assert_eq!(about("b", &released), ["b2", "b3"]);
    assert_eq!(about("c", &released), ["c1"]);
    assert_eq!(released.len(), 6);
}

/// 84: also where the receiver failed before it was paused, and what came first waits for a retry.
#[tokio::test]
async fn what_failed_before_a_pause_still_comes_before_what_came_later() {
    let (world, alice, id) = pushed().await;
    world.http.once("alice", status(503));
    emit(&world, &["a1"]).await;
    assert_eq!(went(&world), ["a1"]);
    set(&alice, &id, "paused").await;
    emit(&world, &["a2"]).await;
    world.pass(Duration::from_secs(5)).await;
    assert_eq!(went(&world), [""; 0]);
    set(&alice, &id, "enabled").await;
    world.settle().await;
    assert_eq!(went(&world), ["a1", "a2"]);
}

/// 82, 83, by poll.
#[tokio::test]
async fn a_paused_stream_gives_nothing_to_a_poll() {
    let (world, alice, id) = alice(poll_stream(&["session-revoked"])).await;
    emit(&world, &["a1"]).await;
    set(&alice, &id, "paused").await;
    emit(&world, &["a2"]).await;
    let poll = async || {
        let path = format!("/ssf/poll/{id}");
        alice.post(&path, json!({ "returnImmediately": true })).await.json()
    };
    assert_eq!(poll().await, json!({ "sets": {} }));
    set(&alice, &id, "enabled").await;
    let sets = poll().await["sets"].as_object().unwrap().clone();
    let mut txns: Vec<_> =
        sets.values().map(|set| claims(set.as_str().unwrap())["txn"].clone()).collect();
    txns.sort_by_key(Value::to_string);
    assert_eq!(txns, ["a1", "a2"]);
}

/// 85: what was there is dropped, what comes is not kept.
#[tokio::test]
async fn a_disabled_stream_has_no_sets() {
    let (world, alice, id) = pushed().await;
    set(&alice, &id, "paused").await;
    emit(&world, &["a1", "b1"]).await;
    world.clock.advance(Duration::from_secs(1));
    set(&alice, &id, "disabled").await;
    emit(&world, &["a2", "b2"]).await;
    world.clock.advance(Duration::from_secs(1));
    set(&alice, &id, "enabled").await;
    world.settle().await;
    assert_eq!(went(&world), [""; 0]);
    emit(&world, &["a3"]).await;
    assert_eq!(went(&world), ["a3"]);
}

/// 85: nor what was being tried when it was disabled.
#[tokio::test]
async fn a_disabled_stream_is_not_tried_again() {
    let (world, alice, id) = pushed().await;
    world.http.always("alice", status(503));
    emit(&world, &["a1"]).await;
    assert_eq!(went(&world), ["a1"]);
    world.clock.advance(Duration::from_millis(10));
    set(&alice, &id, "disabled").await;
    world.pass(Duration::from_mins(50)).await;
    set(&alice, &id, "enabled").await;
    world.pass(Duration::from_hours(3)).await;
    assert_eq!(went(&world), [""; 0]);
}

/// 86, 87: the receiver did not ask for it, so it is told, before the stream stops.
#[tokio::test]
async fn a_stream_says_that_we_pause_it_and_that_we_enable_it_again() {
    let (world, _alice, id) = pushed().await;
    let reason = "maintenance";
    world.transmitter.set_status_ourselves(&id, Status::Paused, reason).await.unwrap();
    emit(&world, &["a1"]).await;
    let told = world.http.take();
    assert_eq!(told.len(), 1);
    assert_snapshot!(format!("{:#}", told[0].claims()), @r#"
    {
      "aud": "https://alice.example",
      "events": {
        "https://schemas.openid.net/secevent/ssf/event-type/stream-updated": {
          "reason": "maintenance",
          "status": "paused"
        }
      },
      "iat": 1767225600,
      "iss": "https://tocsin.example",
      "jti": "2335b38f-8d21-87cf-a626-da0e9d8a88d9",
      "sub_id": {
        "format": "opaque",
        "id": "00000000000000000000000000000002"
      },
      "txn": "722775e1-b1a2-8924-b1aa-54e273233146"
    }
    "#);
    world.transmitter.set_status_ourselves(&id, Status::Enabled, "done").await.unwrap();
    world.settle().await;
    let told: Vec<_> = world.http.take().iter().map(|pushed| event_of(&pushed.claims())).collect();
    let enabled = json!({ "status": "enabled", "reason": "done" });
    assert!(told.contains(&("stream-updated".to_owned(), enabled)), "{told:?}");
    assert_eq!(told.len(), 2, "and what was held");
    // To leave it as it is is no news.
    world.transmitter.set_status_ourselves(&id, Status::Enabled, "done").await.unwrap();
    world.settle().await;
    assert_eq!(went(&world), [""; 0]);
}

/// 86, by poll: the news is there while the rest is held.
#[tokio::test]
async fn a_poll_learns_that_we_stopped_the_stream() {
    for (status, name) in [(Status::Paused, "paused"), (Status::Disabled, "disabled")] {
        let (world, alice, id) = alice(poll_stream(&["session-revoked"])).await;
        emit(&world, &["a1"]).await;
        world.transmitter.set_status_ourselves(&id, status, "maintenance").await.unwrap();
        let path = format!("/ssf/poll/{id}");
        let sets = alice.post(&path, json!({})).await.json()["sets"].clone();
        let sets: Vec<_> = sets.as_object().unwrap().iter().collect();
        let [(jti, set)] = sets[..] else { panic!("one SET, not {}", sets.len()) };
        let (event_type, payload) = event_of(&claims(set.as_str().unwrap()));
        assert_eq!(event_type, "stream-updated");
        assert_eq!(payload, json!({ "status": name, "reason": "maintenance" }));
        let answer = alice.post(&path, json!({ "ack": [jti], "returnImmediately": true })).await;
        assert_eq!(answer.json(), json!({ "sets": {} }));
        assert_eq!(alice.get(&format!("{STATUS}?stream_id={id}")).await.json()["status"], name);
    }
}

/// 86: the news is not lost when the receiver does not answer at once, and does not wait behind
/// what is held.
#[tokio::test]
async fn the_news_that_a_stream_stops_is_tried_until_it_arrives() {
    let (world, _alice, id) = pushed().await;
    world.http.always("alice", status(503));
    emit(&world, &["a1"]).await;
    world.transmitter.set_status_ourselves(&id, Status::Disabled, "over").await.unwrap();
    world.settle().await;
    world.http.take();
    world.http.always("alice", status(202));
    world.pass(Duration::from_mins(1)).await;
    let told: Vec<_> = world.http.take().iter().map(|pushed| event_of(&pushed.claims())).collect();
    let disabled = json!({ "status": "disabled", "reason": "over" });
    assert_eq!(told, [("stream-updated".to_owned(), disabled)]);
}

/// 86: who asked for it knows.
#[tokio::test]
async fn a_receiver_is_not_told_of_what_it_asked_for() {
    let (world, alice, id) = pushed().await;
    for status in ["paused", "enabled", "disabled", "enabled"] {
        set(&alice, &id, status).await;
        world.settle().await;
        assert_eq!(went(&world), [""; 0]);
    }
}

/// The receiver learns of it as of any end; then the stream is not there for it any more.
#[tokio::test]
async fn a_stream_that_we_delete_says_goodbye() {
    let (world, alice, id) = pushed().await;
    emit(&world, &["a1"]).await;
    world.http.take();
    let over = Status::DisabledDeleted;
    world.transmitter.set_status_ourselves(&id, over, "the contract ended").await.unwrap();
    emit(&world, &["a2"]).await;
    let told: Vec<_> = world.http.take().iter().map(|pushed| event_of(&pushed.claims())).collect();
    let disabled = json!({ "status": "disabled", "reason": "the contract ended" });
    assert_eq!(told, [("stream-updated".to_owned(), disabled)]);
    assert_eq!(alice.get(&format!("{STATUS}?stream_id={id}")).await.status, 404);
    assert_eq!(alice.get("/ssf/streams").await.json(), json!([]));
}

/// A receiver may take back what we decided; it knows whether it is there.
#[tokio::test]
async fn a_receiver_may_enable_what_we_paused() {
    let (world, alice, id) = pushed().await;
    world.transmitter.set_status_ourselves(&id, Status::Paused, "gone").await.unwrap();
    emit(&world, &["a1"]).await;
    world.http.take();
    set(&alice, &id, "enabled").await;
    world.settle().await;
    assert_eq!(went(&world), ["a1"]);
}
