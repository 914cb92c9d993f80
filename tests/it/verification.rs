//! Verification ([SSF 1.0, 8.1.4]); the numbers are those of the requirements.

use std::time::Duration;

use insta::assert_snapshot;
use serde_json::{Value, json};
use tests::{
    Caller, World,
    world::{claims, event_of, poll_stream, push_stream},
};

const VERIFY: &str = "/ssf/verification";

async fn alice(stream: Value, interval: Duration) -> (World, Caller, String) {
    let world = World::with(|config| {
        config.min_verification_interval = interval;
        config.requests_per_second = 0;
    });
    let alice = world.signed_in("alice", "ssf.manage").await;
    let id = alice.post("/ssf/streams", stream).await.stream_id();
    (world, alice, id)
}

/// A stream that asks for no event at all gets its own.
async fn pushed(interval: Duration) -> (World, Caller, String) {
    alice(push_stream("alice", &[]), interval).await
}

/// What the SETs that were pushed say of the verification.
fn verified(world: &World) -> Vec<Value> {
    let pushed = world.http.take();
    let payload = |claims: Value| {
        let (event_type, payload) = event_of(&claims);
        assert_eq!(event_type, "verification");
        payload
    };
    pushed.iter().map(|pushed| payload(pushed.claims())).collect()
}

/// Who is told to wait was sent one.
#[tokio::test]
async fn a_verification_that_could_not_be_sent_begins_no_interval() {
    let world = World::without_key(|config| {
        config.min_verification_interval = Duration::from_mins(1);
    });
    let receiver = world.receiver("alice");
    let stream = world.create(&receiver, push_stream("alice", &[])).await;
    let verify = async || {
        let wish = serde_json::from_value(json!({ "stream_id": stream["stream_id"] })).unwrap();
        world.transmitter.verify_stream(&receiver, wish).await
    };
    assert!(matches!(verify().await, Err(ssf::Error::Sign(_))));
    world.transmitter.keys().ensure_key().await.unwrap();
    verify().await.unwrap();
    assert!(matches!(verify().await, Err(ssf::Error::TooSoon { .. })));
    world.settle().await;
    assert_eq!(verified(&world).len(), 1);
}

/// 42, 101, 102, 107, 108.
#[tokio::test]
async fn a_verification_is_answered_by_a_set_about_the_stream() {
    let (world, alice, id) = pushed(Duration::ZERO).await;
    assert_snapshot!(alice.post(VERIFY, json!({ "stream_id": id })).await, @r"
    204 No Content
    cache-control: no-store
    ");
    world.settle().await;
    let pushed = world.http.take();
    assert_eq!(pushed.len(), 1);
    assert_snapshot!(format!("{:#}", pushed[0].claims()), @r#"
    {
      "aud": "https://alice.example",
      "events": {
        "https://schemas.openid.net/secevent/ssf/event-type/verification": {}
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
}

/// 103, 108.
#[tokio::test]
async fn a_state_comes_back_exactly_by_push_and_by_poll() {
    let states = [
        "VGhpcyBpcyBhbiBleGFtcGxlIHN0YXRlIHZhbHVlLgo=",
        "",
        " ",
        "null",
        "\"quoted\" \\ / \u{8}\t\r\n",
        "\u{0}\u{1f}\u{7f}\u{85}\u{2028}\u{feff}",
        "Grüße, e\u{301}, 👋🏽, 日本語, \u{10ffff}",
        &"ä".repeat(32 * 1024),
    ];
    let (world, alice, id) = pushed(Duration::ZERO).await;
    let poll = alice.post("/ssf/streams", poll_stream(&[])).await.stream_id();
    for state in states {
        for id in [&id, &poll] {
            let answer = alice.post(VERIFY, json!({ "stream_id": id, "state": state })).await;
            assert_eq!(answer.status, 204, "{answer}");
        }
        world.settle().await;
        assert_eq!(verified(&world), [json!({ "state": state })]);
        let path = format!("/ssf/poll/{poll}");
        let sets = alice.post(&path, json!({ "returnImmediately": true })).await.json();
        let sets: Vec<_> = sets["sets"].as_object().unwrap().iter().collect();
        let [(jti, set)] = sets[..] else { panic!("one SET, not {}", sets.len()) };
        assert_eq!(event_of(&claims(set.as_str().unwrap())).1, json!({ "state": state }));
        alice.post(&path, json!({ "ack": [jti], "maxEvents": 0 })).await;
    }
}

/// 104.
#[tokio::test]
async fn a_request_that_cannot_be_read_is_refused_by_member() {
    let (world, alice, id) = pushed(Duration::ZERO).await;
    let mut answers = Vec::new();
    for body in [
        json!({}),
        json!({ "stream_id": 1 }),
        json!({ "stream_id": id, "state": 1 }),
        json!({ "stream_id": id, "state": { "a": "b" } }),
        json!({ "stream_id": id, "state": "a".repeat(64 * 1024 + 1) }),
        json!("verify"),
    ] {
        answers.push(alice.post(VERIFY, body).await.brief());
    }
    assert_snapshot!(answers.join("\n"), @r"
    400 stream_id is missing
    400 stream_id is integer, expected a string
    400 state is integer, expected a string
    400 state is object, expected a string
    400 state is longer than 64 KiB
    400 the body must be an object
    ");
    world.settle().await;
    assert_eq!(verified(&world), [Value::Null; 0]);
}

/// 45, 105: `Retry-After` is in whole seconds, and never too short.
#[tokio::test]
async fn a_stream_is_verified_once_in_the_interval() {
    let (world, alice, id) = pushed(Duration::from_secs(30)).await;
    let other = alice.post("/ssf/streams", push_stream("alice", &[])).await.stream_id();
    let verify = async |id: &str| alice.post(VERIFY, json!({ "stream_id": id })).await;
    assert_eq!(verify(&id).await.status, 204);
    assert_snapshot!(verify(&id).await, @r#"
    429 Too Many Requests
    cache-control: no-store
    content-type: application/problem+json
    retry-after: 30

    {
      "detail": "too many requests; try again in 30 s",
      "status": 429,
      "title": "Too many requests",
      "type": "urn:tocsin:problem:too-many-requests"
    }
    "#);
    assert_eq!(verify(&other).await.status, 204, "each stream has its own interval");
    for (after, retry_after) in [(500, "30"), (500, "29"), (28_001, "1"), (998, "1")] {
        world.clock.advance(Duration::from_millis(after));
        let answer = verify(&id).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.headers["retry-after"]),
            (429, &http::HeaderValue::from_static(retry_after))
        );
    }
    world.clock.advance(Duration::from_millis(1));
    assert_eq!(verify(&id).await.status, 204, "30 s later");
    world.settle().await;
    assert_eq!(verified(&world).len(), 3, "one of each that was answered 204");
}

/// Only one of those that ask at once is first.
#[tokio::test]
async fn the_interval_holds_for_requests_at_the_same_time() {
    let (world, alice, id) = pushed(Duration::from_secs(30)).await;
    let verify = (0..10).map(|_| alice.post(VERIFY, json!({ "stream_id": id })));
    let mut answers: Vec<u16> = futures_util::future::join_all(verify)
        .await
        .iter()
        .map(|answer| answer.status.as_u16())
        .collect();
    answers.sort_unstable();
    assert_eq!(answers[..2], [204, 429]);
    world.settle().await;
    assert_eq!(verified(&world).len(), 1);
}

/// While nothing may be transmitted, this is not either; it comes when it may.
#[tokio::test]
async fn a_paused_stream_is_verified_when_it_is_enabled() {
    let (world, alice, id) = pushed(Duration::ZERO).await;
    let set = async |status: &str| {
        let wish = json!({ "stream_id": id, "status": status });
        assert_eq!(alice.post("/ssf/status", wish).await.status, 200);
        world.settle().await;
    };
    set("paused").await;
    let answer = alice.post(VERIFY, json!({ "stream_id": id, "state": "paused" })).await;
    assert_eq!(answer.status, 204);
    world.settle().await;
    assert_eq!(verified(&world), [Value::Null; 0]);
    set("enabled").await;
    assert_eq!(verified(&world), [json!({ "state": "paused" })]);
}

/// What is raised while disabled never comes.
#[tokio::test]
async fn a_disabled_stream_is_never_verified() {
    let (world, alice, id) = pushed(Duration::ZERO).await;
    for status in ["disabled", "enabled"] {
        let wish = json!({ "stream_id": id, "status": status });
        assert_eq!(alice.post("/ssf/status", wish).await.status, 200);
        if status == "disabled" {
            let answer = alice.post(VERIFY, json!({ "stream_id": id })).await;
            assert_eq!(answer.status, 204);
        }
        world.settle().await;
        assert_eq!(verified(&world), [Value::Null; 0]);
    }
}
