//! How the header that SETs are posted with is kept.

use std::{sync::Arc, time::Duration};

use http::Method;
use serde_json::{Value, json};
use ssf::{
    Parts, Transmitter,
    client::ClientId,
    embedded::LocalSeal,
    table::{Condition, Content, Key, Table, Write},
};
use tests::{
    World, guarded,
    world::{caep, endpoint, session_revoked},
};

use super::{alice, send, with};

/// The stream as it is kept.
async fn kept(world: &World, stream: &Value) -> Value {
    let id = stream["stream_id"].as_str().unwrap();
    let item = world.table.get(&Key::new(format!("STREAM#{id}"), "STREAM")).await.unwrap().unwrap();
    serde_json::from_str(&item.body).unwrap()
}

/// The world's transmitter, with another key.
fn rekey(world: &mut World, key: u8) {
    let seal = Arc::new(LocalSeal::with_key(&[key; 32]));
    let parts = Parts { seal, ..world.transmitter.parts().clone() };
    world.transmitter = Transmitter::new(guarded(parts));
}

#[tokio::test]
async fn the_header_is_kept_sealed_and_sent_as_it_was_given() {
    let (world, _, stream) = alice().await;
    let kept = kept(&world, &stream).await;
    assert!(!kept.to_string().contains("Bearer"), "{kept}");
    let sealed = kept["delivery"]["authorization_header"].as_str().unwrap();
    assert!(sealed.starts_with("local1."), "{sealed}");
    world.emit(&session_revoked("jane@example.com")).await;
    world.settle().await;
    assert_eq!(world.http.take()[0].authorization.as_deref(), Some("Bearer alice"));
}

#[tokio::test]
async fn to_say_the_same_header_again_changes_nothing() {
    let (world, alice, stream) = alice().await;
    let before = kept(&world, &stream).await;
    let update = async |header: &str| {
        let delivery = json!({
            "method": "urn:ietf:rfc:8935", "endpoint_url": endpoint("alice"),
            "authorization_header": header,
        });
        let body = with(&stream, json!({ "delivery": delivery }));
        assert_eq!(send(&alice, Method::PATCH, &body.to_string()).await.status, 200);
        kept(&world, &stream).await
    };
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(update("Bearer alice").await, before);
    let after = update("Bearer other").await;
    assert_ne!(after["delivery"], before["delivery"]);
    assert_eq!((&before["round"], &after["round"]), (&json!(0), &json!(1)));
}

#[tokio::test]
async fn a_header_does_not_open_for_another_stream() {
    let (world, alice, stream) = alice().await;
    let mut body = with(&stream, json!({ "events_requested": [caep("session-revoked")] }));
    body["delivery"] = json!({
        "method": "urn:ietf:rfc:8935", "endpoint_url": endpoint("mallory"),
        "authorization_header": "Bearer mallory",
    });
    let other = alice.post(super::STREAMS, body).await.json();
    // Whoever can write to the table puts the one's header into the other.
    let header = kept(&world, &stream).await["delivery"]["authorization_header"].clone();
    let mut moved = kept(&world, &other).await;
    moved["delivery"]["authorization_header"] = header;
    let id = other["stream_id"].as_str().unwrap();
    let key = Key::new(format!("STREAM#{id}"), "STREAM");
    let content = Content { body: moved.to_string(), ..Content::default() };
    world.table.transact(vec![Write::put(key, Condition::Any, content)]).await.unwrap();
    world.emit(&session_revoked("jane@example.com")).await;
    world.settle().await;
    let went: Vec<_> = world.http.take().into_iter().map(|push| push.endpoint).collect();
    assert_eq!(went.len(), 1);
    assert_eq!(went[0].as_str(), endpoint("alice"));
}

#[tokio::test]
async fn while_the_key_is_away_sets_wait_and_lose_nothing() {
    let (mut world, ..) = alice().await;
    rekey(&mut world, 8);
    world.emit(&session_revoked("jane@example.com")).await;
    world.settle().await;
    // For longer than a receiver could be away before its stream is paused.
    for _ in 0..60 {
        world.pass(Duration::from_hours(1)).await;
    }
    assert_eq!(world.http.take().len(), 0);
    rekey(&mut world, 7);
    world.pass(Duration::from_hours(12)).await;
    let pushed = world.http.take();
    assert_eq!(pushed.len(), 1);
    assert_eq!(pushed[0].authorization.as_deref(), Some("Bearer alice"));
}

#[tokio::test]
async fn a_header_whose_key_is_lost_is_replaced_by_saying_it_again() {
    let (mut world, _, stream) = alice().await;
    rekey(&mut world, 8);
    let id = ClientId("alice".to_owned());
    let token = world.transmitter.static_token_create(&id, None).await.unwrap().1;
    let delivery = json!({
        "method": "urn:ietf:rfc:8935", "endpoint_url": endpoint("alice"),
        "authorization_header": "Bearer alice",
    });
    let body = with(&stream, json!({ "delivery": delivery })).to_string();
    let answer = send(&world.caller(token.expose()), Method::PATCH, &body).await;
    assert_eq!(answer.status, 200, "{answer}");
    world.emit(&session_revoked("jane@example.com")).await;
    world.settle().await;
    assert_eq!(world.http.take()[0].authorization.as_deref(), Some("Bearer alice"));
}
