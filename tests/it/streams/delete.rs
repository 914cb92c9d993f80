//! Deleting streams ([SSF 1.0, 8.1.1.5]).

use insta::assert_snapshot;
use serde_json::json;
use tests::{
    World,
    world::{poll_stream, push_stream, session_revoked, status},
};

use super::{STREAMS, one};

/// 71.
#[tokio::test]
async fn a_deleted_stream_is_gone_for_good() {
    let world = World::new();
    let alice = world.signed_in("alice", "ssf.manage").await;
    let stream = alice.post(STREAMS, push_stream("alice", &["session-revoked"])).await;
    let other = alice.post(STREAMS, poll_stream(&["session-revoked"])).await;
    let id = stream.stream_id();
    // One SET waits to be tried again.
    world.http.once("alice", status(503));
    world.emit(&session_revoked("before@example.com")).await;
    world.settle().await;
    assert_eq!(world.http.take().len(), 1);
    assert_snapshot!(alice.delete(&one(&id)).await, @r"
    204 No Content
    cache-control: no-store
    ");
    assert_snapshot!(alice.get(&one(&id)).await, @r#"
    404 Not Found
    cache-control: no-store
    content-type: application/problem+json

    {
      "detail": "there is no stream 00000000000000000000000000000002",
      "status": 404,
      "title": "There is no such thing",
      "type": "urn:tocsin:problem:not-found"
    }
    "#);
    assert_eq!(alice.delete(&one(&id)).await.status, 404);
    assert_eq!(alice.get(STREAMS).await.json(), json!([other.json()]));
    world.emit(&session_revoked("after@example.com")).await;
    world.pass(std::time::Duration::from_hours(3)).await;
    assert_eq!(world.http.take(), []);
}

/// 72.
#[tokio::test]
async fn without_an_id_nothing_is_deleted() {
    let world = World::new();
    let alice = world.signed_in("alice", "ssf.manage").await;
    let stream = alice.post(STREAMS, json!({})).await;
    assert_snapshot!(alice.delete(STREAMS).await, @r#"
    400 Bad Request
    cache-control: no-store
    content-type: application/problem+json

    {
      "detail": "stream_id is missing",
      "member": "stream_id",
      "status": 400,
      "title": "The request cannot be used as it is",
      "type": "urn:tocsin:problem:invalid"
    }
    "#);
    // Only the query counts.
    let body = json!({ "stream_id": stream.stream_id() }).to_string();
    let headers = [("content-type", "application/json")];
    let answer = alice.send(http::Method::DELETE, STREAMS, &headers, body.into()).await;
    assert_eq!(answer.brief(), "400 stream_id is missing");
    let twice = format!("{}&stream_id=x", one(&stream.stream_id()));
    assert_eq!(alice.delete(&twice).await.brief(), "400 stream_id is there twice");
    assert_eq!(alice.get(STREAMS).await.json(), json!([stream.json()]));
}
