//! What updates do to the delivery of SETs ([SSF 1.0, 8.1.1]).

use std::time::Duration;

use http::Method;
use insta::assert_snapshot;
use serde_json::{Value, json};
use tests::{
    World,
    world::{caep, endpoint, event_of, poll_stream, session_revoked, status},
};

use super::{STREAMS, alice, send, with};

/// What the next SET is sent with: the endpoint's host and the header.
async fn sent_with(world: &World) -> (String, Option<String>) {
    world.emit(&session_revoked("jane@example.com")).await;
    world.settle().await;
    let pushed = world.http.take().pop().unwrap();
    (pushed.endpoint.host_str().unwrap().to_owned(), pushed.authorization)
}

/// 69: later pushes use what was said last. The header is never shown, so that an update which
/// leaves it out, PATCH or PUT, keeps it, as long as it goes to the same place; null removes it. Who
/// may change the endpoint must not have it sent to himself.
#[tokio::test]
async fn pushes_go_where_and_as_the_last_update_says() {
    let (world, alice, stream) = alice().await;
    let delivery = |name: &str, header: Option<Value>| {
        let endpoint = if name.contains(':') { name.to_owned() } else { endpoint(name) };
        let mut delivery = json!({ "method": "urn:ietf:rfc:8935", "endpoint_url": endpoint });
        if let Some(header) = header {
            delivery["authorization_header"] = header;
        }
        with(
            &stream,
            json!({
                "events_requested": [caep("session-revoked")], "delivery": delivery,
            }),
        )
    };
    let went = |host: &str, header: Option<&str>| (host.to_owned(), header.map(str::to_owned));
    assert_eq!(sent_with(&world).await, went("alice.example", Some("Bearer alice")));
    let update = async |method: Method, body: Value| {
        let answer = send(&alice, method, &body.to_string()).await;
        assert_eq!(answer.status, 200, "{answer}");
        assert_eq!(answer.json()["delivery"].get("authorization_header"), None);
    };
    for elsewhere in ["https://alice.example/else", "https://alice.example:443/"] {
        for method in [Method::PATCH, Method::PUT] {
            update(method, delivery(elsewhere, None)).await;
            assert_eq!(sent_with(&world).await, went("alice.example", Some("Bearer alice")));
        }
    }
    for method in [Method::PATCH, Method::PUT] {
        for elsewhere in ["https://new.example/", "https://alice.example:8443/"] {
            let old = delivery("https://alice.example/", Some(json!("Bearer alice")));
            update(Method::PATCH, old).await;
            update(method.clone(), delivery(elsewhere, None)).await;
            assert_eq!(sent_with(&world).await.1, None, "{method} {elsewhere}");
        }
    }
    update(Method::PATCH, delivery("new", Some(json!("Basic Og==")))).await;
    assert_eq!(sent_with(&world).await, went("new.example", Some("Basic Og==")));
    update(Method::PATCH, with(&stream, json!({ "description": "other" }))).await;
    assert_eq!(sent_with(&world).await, went("new.example", Some("Basic Og==")));
    update(Method::PATCH, delivery("new", Some(Value::Null))).await;
    assert_eq!(sent_with(&world).await, went("new.example", None));
    update(Method::PUT, delivery("newer", Some(json!("Bearer newer")))).await;
    assert_eq!(sent_with(&world).await, went("newer.example", Some("Bearer newer")));
    update(Method::PUT, delivery("newest", None)).await;
    assert_eq!(sent_with(&world).await, went("newest.example", None));
}

/// 42, 66: delivery follows.
#[tokio::test]
async fn only_the_types_asked_for_last_are_delivered() {
    let (world, alice, stream) = alice().await;
    let types = async || {
        world.emit_fifo("jane", &session_revoked("jane@example.com")).await;
        let change = json!({ "credential_type": "password", "change_type": "update" });
        let subject = json!({ "format": "email", "email": "jane@example.com" });
        world
            .emit_fifo(
                "jane",
                &json!({ "sub_id": subject, "events": { caep("credential-change"): change } }),
            )
            .await;
        world.settle().await;
        let pushed = world.http.take();
        pushed.iter().map(|pushed| event_of(&pushed.claims()).0).collect::<Vec<_>>()
    };
    assert_eq!(types().await, ["session-revoked", "credential-change"]);
    for (requested, delivered) in [
        (vec!["credential-change"], vec!["credential-change"]),
        (vec!["session-revoked", "risk-level-change"], vec!["session-revoked"]),
        (vec![], vec![]),
        (
            vec!["session-revoked", "credential-change"],
            vec!["session-revoked", "credential-change"],
        ),
    ] {
        let wish = poll_stream(&requested);
        assert_eq!(alice.patch(STREAMS, with(&stream, wish)).await.status, 200);
        assert_eq!(types().await, delivered);
    }
}

/// 42: also of those that were held meanwhile, only what is wanted in the end.
#[tokio::test]
async fn what_is_held_is_delivered_if_it_is_still_wanted() {
    let (world, alice, stream) = alice().await;
    let set = async |status: &str| {
        world.clock.advance(Duration::from_millis(1));
        let wish = with(&stream, json!({ "status": status }));
        assert_eq!(alice.post("/ssf/status", wish).await.status, 200);
        world.settle().await;
        world.http.take().len()
    };
    let ask = async |types: &[&str]| {
        world.clock.advance(Duration::from_millis(1));
        let answer = alice.patch(STREAMS, with(&stream, poll_stream(types))).await;
        assert_eq!(answer.status, 200);
    };
    for (asked, delivered) in [
        (&[&["credential-change"][..], &["session-revoked"]][..], 1),
        (&[&["credential-change"]], 0),
        (&[&["session-revoked"]], 1),
    ] {
        set("paused").await;
        world.emit(&session_revoked("jane@example.com")).await;
        world.settle().await;
        for types in asked {
            ask(types).await;
        }
        assert_eq!(set("enabled").await, delivered, "{asked:?}");
        ask(&["session-revoked"]).await;
        world.settle().await;
        assert_eq!(world.http.take(), []);
    }
}

/// What was pending goes the new way, whichever that is.
#[tokio::test]
async fn a_stream_can_change_from_push_to_poll_and_back() {
    let (world, alice, stream) = alice().await;
    world.http.always("alice", status(503));
    world.emit(&session_revoked("jane@example.com")).await;
    world.settle().await;
    let set = world.http.take().pop().unwrap().set;
    world.clock.advance(Duration::from_millis(1));
    let poll = json!({ "delivery": { "method": "urn:ietf:rfc:8936" } });
    let polled = alice.patch(STREAMS, with(&stream, poll)).await.json();
    let path = polled["delivery"]["endpoint_url"].as_str().unwrap().to_owned();
    let path = path.strip_prefix("https://tocsin.example").unwrap();
    let answer = alice.post(path, json!({ "returnImmediately": true })).await.json();
    assert_eq!(answer["sets"].as_object().unwrap().values().collect::<Vec<_>>(), [&json!(set)]);
    let push =
        json!({ "delivery": { "method": "urn:ietf:rfc:8935", "endpoint_url": endpoint("bob") } });
    alice.patch(STREAMS, with(&stream, push)).await;
    world.settle().await;
    assert_eq!(world.http.take().iter().map(|pushed| &pushed.set).collect::<Vec<_>>(), [&set]);
    assert_snapshot!(alice.post(path, json!({})).await, @r#"
    409 Conflict
    cache-control: no-store
    content-type: application/problem+json

    {
      "detail": "the stream is delivered by push",
      "status": 409,
      "title": "This does not fit the state of things",
      "type": "urn:tocsin:problem:conflict"
    }
    "#);
}
